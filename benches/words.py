#!/usr/bin/env python3
"""How words are best matched: the tables of docs/benchmarks.md on stemming, stop words, titles, BM25's parameters and
phrases, for any collections in BEIR's layout.

    python3 benches/words.py DIR:SPLIT[:QUERIES] ...      # needs numpy and snowballstemmer

BM25 written again, as src/lexical has it, so that each of its parameters can be another one; the engine itself has no
options for them. The first row is nDCG@10 of the engine's own choice, near to what `retune eval` gives as that of `lexical`; tantivy
rounds the lengths of texts. The others are differences to the second row, a star after those beyond two standard errors of the paired
differences. QUERIES takes the first so many.
"""

import argparse
import collections
import functools
import json
import math
import os
import re
import unicodedata

import numpy
import snowballstemmer

from trec import head, read_qrels, row

# Of tantivy and Lucene.
STOP_WORDS = set(
    "a an and are as at be but by for if in into is it no not of on or such that the their then there these they this to was "
    "will with".split()
)
DEFAULT = dict(stem=True, stop=True, title=0.25, k1=1.2, b=0.75, once=False, phrase=0.15)
# Those beside phrases are compared without them, as they were chosen first.
WORDS = {
    "no stemming": dict(stem=False),
    "stop words of the query searched too": dict(stop=False),
    "title boost 0": dict(title=0.0),
    "title boost 0.1": dict(title=0.1),
    "title boost 0.5": dict(title=0.5),
    "k1 0.9, b 0.4": dict(k1=0.9, b=0.4),
    "k1 0.9, b 0.75": dict(k1=0.9),
    "k1 1.2, b 0.6": dict(b=0.6),
    "k1 1.6, b 0.75": dict(k1=1.6),
    "k1 2, b 0.75": dict(k1=2.0),
    "a repeated word counts once": dict(once=True),
}
PHRASES = {f"phrases {share}": dict(phrase=share) for share in (0.1, 0.15, 0.2)}

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("collections", nargs="+", metavar="DIR:SPLIT[:QUERIES]")
options = parser.parse_args()
without_ending = snowballstemmer.stemmer("english").stemWord


def read_lines(path):
    with open(path, encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def words(text):
    folded = unicodedata.normalize("NFKD", text.lower())
    folded = "".join(c for c in folded if not unicodedata.combining(c))
    return re.findall(r"[^\W_]+", folded)


class Field:
    """An inverted index of texts, with the places of each word."""

    def __init__(self, texts, stemmed):
        self.postings = collections.defaultdict(dict)
        self.lengths = numpy.zeros(len(texts))
        ending = functools.cache(without_ending) if stemmed else str
        for number, text in enumerate(texts):
            sequence = words(text)
            self.lengths[number] = len(sequence)
            for place, word in enumerate(sequence):
                self.postings[ending(word)].setdefault(number, []).append(place)
        self.mean = self.lengths.mean() or 1.0

    def idf(self, word):
        n, df = len(self.lengths), len(self.postings.get(word, ()))
        return math.log(1 + (n - df + 0.5) / (df + 0.5))

    def add(self, scores, counts, k1, b, boost):
        for word, count in counts.items():
            weight = boost * count * self.idf(word) * (1 + k1)
            for number, places in self.postings.get(word, {}).items():
                norm = k1 * (1 - b + b * self.lengths[number] / self.mean)
                scores[number] += weight * len(places) / (len(places) + norm)


class Collection:
    def __init__(self, given):
        folder, split, *limit = given.split(":")
        self.name = os.path.basename(os.path.normpath(folder))
        documents = read_lines(os.path.join(folder, "corpus.jsonl"))
        self.ids = [str(document["_id"]) for document in documents]
        titles = [document.get("title") or "" for document in documents]
        texts = [f"{title}\n{document.get('text') or ''}" for title, document in zip(titles, documents)]
        self.fields = {stemmed: (Field(texts, stemmed), Field(titles, stemmed)) for stemmed in (True, False)}
        judged = read_qrels(os.path.join(folder, "qrels", f"{split}.tsv"))
        queries = read_lines(os.path.join(folder, "queries.jsonl"))
        queries = [(query["text"], judged[str(query["_id"])]) for query in queries if str(query["_id"]) in judged]
        self.queries = queries[: int(limit[0])] if limit else queries
        if not self.queries:
            raise SystemExit(f"{folder}: no query of {split} is judged")

    def ndcg(self, stem, stop, title, k1, b, once, phrase):
        """Of each query."""
        bm25 = (title, k1, b, once)
        return numpy.array([self.score(text, judged, (stem, stop), bm25, phrase) for text, judged in self.queries])

    def score(self, query, judged, analysis, bm25, phrase):
        (stemmed, stop), (title, k1, b, once) = analysis, bm25
        ending = without_ending if stemmed else str
        sequence = [(place, word) for place, word in enumerate(words(query))]
        content = [(place, word) for place, word in sequence if not (stop and word in STOP_WORDS)] or sequence
        content = [(place, ending(word)) for place, word in content]
        counts = collections.Counter(word for _, word in content)
        if once:
            counts = dict.fromkeys(counts, 1)
        text, titles = self.fields[stemmed]
        scores = numpy.zeros(len(self.ids))
        text.add(scores, counts, k1, b, 1.0)
        if title:
            titles.add(scores, counts, k1, b, title)
        found = [number for number in numpy.argsort(-scores, kind="stable")[:100] if scores[number] > 0]
        boosted = {number: scores[number] for number in found}
        for (first_at, first), (second_at, second) in zip(content, content[1:]):
            if not phrase or first not in text.postings or second not in text.postings:
                continue
            weight = phrase * (text.idf(first) + text.idf(second))
            for number in found:
                after = {place + second_at - first_at for place in text.postings[first].get(number, ())}
                if after.intersection(text.postings[second].get(number, ())):
                    boosted[number] += weight
        ranked = sorted(found, key=lambda number: (-boosted[number], number))[:10]
        gain = sum(max(judged.get(self.ids[number], 0), 0) / math.log2(rank + 2) for rank, number in enumerate(ranked))
        ideal = sorted(judged.values(), reverse=True)[:10]
        return gain / sum(gain / math.log2(rank + 2) for rank, gain in enumerate(ideal))


def change(differences):
    error = differences.std(ddof=1) / math.sqrt(len(differences))
    return f"{differences.mean():+.4f}" + ("*" if abs(differences.mean()) > 2 * error else "")


def main():
    loaded = [Collection(given) for given in options.collections]
    head("", *(collection.name for collection in loaded))
    row("the engine's own", *(f"{collection.ndcg(**DEFAULT).mean():.4f}" for collection in loaded))
    bare = DEFAULT | dict(phrase=0.0)
    plain = [collection.ndcg(**bare) for collection in loaded]
    row("the same without phrases", *(f"{one.mean():.4f}" for one in plain))
    for name, other in (WORDS | PHRASES).items():
        row(name, *(change(collection.ndcg(**(bare | other)) - one) for collection, one in zip(loaded, plain)))


main()

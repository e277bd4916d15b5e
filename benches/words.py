#!/usr/bin/env python3
"""Compares the options of lexical search: the tables of docs/benchmarks.md on forms of words, stemming, stop words, titles,
BM25's parameters and phrases, for any collections in BEIR's layout.

    python3 benches/words.py DIR:SPLIT[:QUERIES] ...      # needs numpy and snowballstemmer

Reimplements the BM25 of src/lexical with all of its parameters; the engine has no options for them. The first row is nDCG@10
with the engine's settings, close to the `lexical` figure of `retune eval`; tantivy rounds document lengths. The other rows are
differences to the second row, with a star beyond two standard errors of the paired differences. QUERIES limits the number of
queries.
"""

import argparse
import collections
import functools
import json
import math
import os

import numpy
import snowballstemmer

from forms import forms, runs
from trec import head, read_qrels, row

# As in tantivy and Lucene.
STOP_WORDS = set(
    "a an and are as at be but by for if in into is it no not of on or such that the their then there these they this to was "
    "will with".split()
)
DEFAULT = dict(forms="all", stem=True, stop=True, title=0.25, k1=1.2, b=0.75, once=False, phrase=0.15)
# The forms that forms() leaves out; "runs" are plain runs of letters and digits, as before.
FORMS = {
    "plain runs of letters and digits": dict(forms="runs"),
    "not joined": dict(forms="joined"),
    "no symbols": dict(forms="signs"),
    "not split at capitals": dict(forms="case"),
    "not split at digits": dict(forms="digits"),
    "contractions as other compounds": dict(forms="contractions"),
}
# These were chosen before phrases, so they are compared without them.
WORDS = {
    "no stemming": dict(stem=False),
    "stop words in queries kept": dict(stop=False),
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


def words(text, in_query, which):
    return runs(text) if which == "runs" else forms(text, in_query, (which,))


class Field:
    """An inverted index of texts, with the positions of each word."""

    def __init__(self, texts, stemmed, which):
        self.postings = collections.defaultdict(dict)
        self.lengths = numpy.zeros(len(texts))
        ending = functools.cache(without_ending) if stemmed else str
        for number, text in enumerate(texts):
            sequence = words(text, False, which)
            self.lengths[number] = len(sequence)
            for form in sequence:
                self.postings[ending(form.term)].setdefault(number, []).append(form.position)
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
        self.field = functools.cache(lambda which, *analysis: Field((texts, titles)[which], *analysis))
        judged = read_qrels(os.path.join(folder, "qrels", f"{split}.tsv"))
        queries = read_lines(os.path.join(folder, "queries.jsonl"))
        queries = [(query["text"], judged[str(query["_id"])]) for query in queries if str(query["_id"]) in judged]
        self.queries = queries[: int(limit[0])] if limit else queries
        if not self.queries:
            raise SystemExit(f"{folder}: no query of {split} is judged")

    def ndcg(self, forms, stem, stop, title, k1, b, once, phrase):
        """Returns nDCG@10 of each query."""
        bm25, analysis = (title, k1, b, once), (forms, stem, stop)
        return numpy.array([self.score(text, judged, analysis, bm25, phrase) for text, judged in self.queries])

    def score(self, query, judged, analysis, bm25, phrase):
        (which, stemmed, stop), (title, k1, b, once) = analysis, bm25
        ending = without_ending if stemmed else str
        sequence = words(query, True, which)
        content = [form for form in sequence if not (stop and form.term in STOP_WORDS)] or sequence
        content = [form._replace(term=ending(form.term)) for form in content]
        counts = collections.Counter(form.term for form in content)
        if once:
            counts = dict.fromkeys(counts, 1)
        text, titles = self.field(0, stemmed, which), self.field(1, stemmed, which)
        scores = numpy.zeros(len(self.ids))
        text.add(scores, counts, k1, b, 1.0)
        if title:
            titles.add(scores, counts, k1, b, title)
        found = [number for number in numpy.argsort(-scores, kind="stable")[:100] if scores[number] > 0]
        boosted = {number: scores[number] for number in found}
        neighbours = [form for form in content if form.neighbour]
        for (first, first_at, _), (second, second_at, _) in zip(neighbours, neighbours[1:]):
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
    for name, other in (FORMS | WORDS | PHRASES).items():
        row(name, *(change(collection.ndcg(**(bare | other)) - one) for collection, one in zip(loaded, plain)))


main()

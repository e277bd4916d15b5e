#!/usr/bin/env python3
"""Compares ways to fuse lexical and dense scores, and numbers of candidates: the fusion tables of docs/benchmarks.md, from the
runs of any collections.

    retune eval --collection DIR --split train --run-out runs/NAME.trec      # for each collection
    python3 benches/fusion.py NAME=runs/NAME.trec:DIR/qrels/train.tsv[:DIR/queries.jsonl] ...    # needs numpy

Prints nDCG@10 of each scaling of the scores with the dense weight that has the best mean over the collections, and in brackets
its distance to the better single side. Then, for the engine's own scaling: that distance by weight, nDCG@10 by the number of
candidates per side, and a weight that depends on the query against the constant one; where QUERIES are given, also over the
longest quarter of them. A candidate that the other side's run does not contain gets that run's last score (dense) or 0 (lexical).

The attainable lexical maximum of a query is not in a run. It is derived from the hybrid's scores, which must all have one dense
weight (--dense-weight; an index that has not learned has one).
"""

import argparse
import json
import math
import statistics
import sys

import numpy

from trec import best, head, read_qrels, read_run, row

WEIGHTS = [round(0.01 * step, 2) for step in range(0, 101)]
CANDIDATES = [10, 20, 50, 100, 200, 400]
FOLDED = 0.02

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("collections", nargs="+", metavar="NAME=RUN:QRELS[:QUERIES]")
parser.add_argument("--dense-weight", type=float, default=0.55, help="of the hybrid runs")
options = parser.parse_args()


def lift(cosine):
    """As `lift` in src/fusion."""
    return numpy.where(cosine < 0, FOLDED * (1 + cosine), FOLDED + (1 - FOLDED) * cosine)


class Query:
    """A query with its scores in both sides' runs."""

    def __init__(self, words, vectors, hybrid, judged):
        weight = options.dense_weight
        self.words, self.vectors, self.judged = words, vectors, judged
        shared = [d for d in best(words, 100) if d in vectors and d in hybrid]
        lexical = [hybrid[d] - weight * float(lift(numpy.float64(vectors[d]))) for d in shared]
        ceilings = [(1 - weight) * words[d] / share for d, share in zip(shared, lexical) if share > 1e-4]
        self.ceiling = statistics.median(ceilings) if ceilings else math.inf
        gains = sorted(judged.values(), reverse=True)[:10]
        self.ideal = sum(gain / math.log2(rank + 2) for rank, gain in enumerate(gains))


class Candidates:
    """The top `count` documents of each side, with their scores on both."""

    def __init__(self, query, count):
        documents = sorted(set(best(query.words, count)) | set(best(query.vectors, count)))
        last = min(query.vectors.values())
        self.ceiling, self.ideal = query.ceiling, query.ideal
        self.gains = numpy.array([max(query.judged.get(d, 0), 0) for d in documents])
        self.lexical = numpy.array([query.words.get(d, 0.0) for d in documents])
        self.dense = numpy.array([query.vectors.get(d, last) for d in documents])

    def ndcg(self, scores):
        order = numpy.argsort(-scores, kind="stable")[:10]
        return float((self.gains[order] / numpy.log2(numpy.arange(2, 2 + len(order)))).sum()) / self.ideal


def span(scores, least, most):
    return (scores - least) / (most - least) if most > least else numpy.zeros_like(scores)


def deviations(scores):
    return (scores - scores.mean()) / scores.std() if scores.std() > 0 else numpy.zeros_like(scores)


def reciprocal(scores, k=60):
    """Documents without a score rank last, as in src/fusion."""
    ranks = (scores[:, None] < scores[None, :]).sum(axis=1) + 1
    return 1 / (k + numpy.where(scores == 0, len(scores), ranks))


# Each returns the scaled lexical and dense scores.
SCALINGS = {
    "weighted RRF": lambda q: (reciprocal(q.lexical), reciprocal(q.dense)),
    "min-max": lambda q: (
        span(q.lexical, q.lexical.min(), q.lexical.max()),
        span(q.dense, q.dense.min(), q.dense.max()),
    ),
    "theoretical min-max": lambda q: (span(q.lexical, 0, q.lexical.max()), span(q.dense, -1, q.dense.max())),
    "best candidate": lambda q: (span(q.lexical, 0, q.lexical.max()), span(q.dense, 0, q.dense.max())),
    "z-scores": lambda q: (deviations(q.lexical), deviations(q.dense)),
    "attainable maximum": lambda q: (q.lexical / q.ceiling, lift(q.dense)),
}


def curve(queries, scaling):
    """Mean nDCG@10 for each weight."""
    means = numpy.zeros(len(WEIGHTS))
    for query in queries:
        words, vectors = SCALINGS[scaling](query)
        means += [query.ndcg(weight * vectors + (1 - weight) * words) for weight in WEIGHTS]
    return means / len(queries)


def weight_by_query(candidates):
    """More weight for the vectors where the words' tenth hit has many of them, and where the words' ten best are far from
    the nearest document."""
    found = numpy.flatnonzero(candidates.lexical > 0)
    ten = found[numpy.argsort(-candidates.lexical[found], kind="stable")[:10]]
    tenth = candidates.lexical[ten[9]] / candidates.ceiling if len(ten) == 10 else 0.0
    deficit = candidates.dense.max() - candidates.dense[ten].mean() if len(ten) else 0.0
    return float(numpy.clip(0.29 + 0.4 * tenth + 1.1 * deficit, 0.3, 1))


def chance(differences, resamples=10000):
    """p of the paired randomisation test, two-sided."""
    signs = numpy.random.default_rng(1).choice([-1, 1], size=(resamples, len(differences)))
    means = numpy.abs(signs @ differences) >= abs(differences.sum()) - 1e-9
    return (means.sum() + 1) / (resamples + 1)


def count_words(path, asked):
    """The number of words of each query."""
    with open(path, encoding="utf-8") as lines:
        texts = {one["_id"]: one["text"] for one in map(json.loads, lines)}
    return numpy.array([len(texts[query].split()) for query in asked])


def compare(name, loaded):
    """A row: nDCG@10 with the constant weight, with the one by query, and the difference."""
    scaled = [(candidates, *SCALINGS["attainable maximum"](candidates)) for candidates in loaded]
    weights = [weight_by_query(candidates) for candidates in loaded]
    fused = lambda weight, q, words, vectors: q.ndcg(weight * vectors + (1 - weight) * words)
    constant = numpy.array([fused(options.dense_weight, *some) for some in scaled])
    varied = numpy.array([fused(weight, *some) for weight, some in zip(weights, scaled)])
    alone = [numpy.mean([q.ndcg(sides[side]) for q, *sides in scaled]) for side in (0, 1)]
    spread = "%.2f (%.2f to %.2f)" % (numpy.mean(weights), *numpy.quantile(weights, [0.1, 0.9]))
    differences = varied - constant
    cells = [*alone, constant.mean(), varied.mean()]
    changed = f"{differences.mean():+.4f}", f"{chance(differences):.3f}"
    row(name, str(len(loaded)), *(f"{cell:.4f}" for cell in cells), *changed, spread)


def main():
    names, queries, lengths = [], [], []
    for given in options.collections:
        name, _, files = given.partition("=")
        run, judgements, *texts = files.split(":")
        words, vectors, hybrid = (read_run(run, mode) for mode in ("lexical", "dense", "hybrid"))
        qrels = read_qrels(judgements)
        names.append(name)
        asked = [query for query in sorted(qrels) if query in vectors]
        if len(asked) < len(qrels):
            print(f"{name}: {len(qrels) - len(asked)} judged queries that the run lacks are left out", file=sys.stderr)
        queries.append([Query(words[q], vectors[q], hybrid[q], qrels[q]) for q in asked])
        lengths.append(count_words(texts[0], asked) if texts else None)
    loaded = [[Candidates(query, 100) for query in some] for some in queries]
    legs = [
        [statistics.fmean(q.ndcg(side(q)) for q in some) for side in (lambda q: q.lexical, lambda q: q.dense)]
        for some in loaded
    ]
    head("", *names, "weight")
    for place, side in enumerate(("lexical alone", "dense alone")):
        row(side, *(f"{leg[place]:.4f}" for leg in legs), "")
    rank = [statistics.fmean(q.ndcg(reciprocal(q.lexical) + reciprocal(q.dense)) for q in some) for some in loaded]
    row("RRF, k 60", *(f"{one:.4f} ({one - max(leg):+.4f})" for one, leg in zip(rank, legs)), "–")
    curves = {scaling: [curve(some, scaling) for some in loaded] for scaling in SCALINGS}
    for scaling, by_collection in curves.items():
        place = int(numpy.mean(by_collection, axis=0).argmax())
        cells = [f"{c[place]:.4f} ({c[place] - max(leg):+.4f})" for c, leg in zip(by_collection, legs)]
        row(scaling, *cells, f"{WEIGHTS[place]:.2f}")
    print()
    head("weight", *names)
    for weight in (0.3, 0.4, 0.5, 0.55, 0.6, 0.7):
        place = WEIGHTS.index(weight)
        cells = [f"{c[place] - max(leg):+.4f}" for c, leg in zip(curves["attainable maximum"], legs)]
        row(f"{weight:.2f}", *cells)
    print()
    head("candidates", *names)
    for count in CANDIDATES:
        cells = []
        for some in queries:
            fused = []
            for candidates in (Candidates(query, count) for query in some):
                words, vectors = SCALINGS["attainable maximum"](candidates)
                fused.append(candidates.ndcg(options.dense_weight * vectors + (1 - options.dense_weight) * words))
            cells.append(f"{statistics.fmean(fused):.4f}")
        row(str(count), *cells)
    print()
    constant = f"at {options.dense_weight}"
    head("weight by query", "queries", "lexical", "dense", constant, "by query", "difference", "p", "its weight")
    for name, some, words in zip(names, loaded, lengths):
        compare(name, some)
        if words is not None:
            least = numpy.quantile(words, 0.75)
            compare(f"{name}, {least:.0f} words or more", [q for q, count in zip(some, words) if count >= least])


main()

#!/usr/bin/env python3
"""Estimates the power of a round's gate: how often it publishes a round that did gain, by the number of held-out queries and by
test statistic. Makes the table of docs/benchmarks.md from the runs before and after a round, on queries that it has not seen.

    retune eval --collection DIR --index INDEX --run-out before.trec
    retune simulate --collection DIR --index INDEX --significance none
    retune eval --collection DIR --index INDEX --run-out after.trec
    python3 benches/gate.py DIR/qrels/test.tsv NAME=before.trec:after.trec ...      # needs numpy

Draws held-out queries at random, with replacement, 1,000 times, and tests them as src/learn/gate does: groups of queries that
share an answer count as one, mean nDCG@10 must have risen, and the one-sided paired randomisation test must pass. False
positives are the same for a round that is no better where users look: each query whose top ten changed gains or loses by a coin
toss, and only changes further down keep their gains. The published weight is that of the runs; the gate uses two.
"""

import argparse
import math

import numpy

from trec import best, head, read_qrels, read_run, row

DRAWS = 1000
PERMUTATIONS = 1000
EXACT_BELOW = 14
DEPTHS = [10, 20, 30, 100]
# The encoder's significance level in a first attempt: if nothing else is tested, and if another fusion weight was rejected.
ALLOWED = [0.2 * 6 / math.pi**2 * share for share in (1, 3 / 4)]

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("qrels")
parser.add_argument("rounds", nargs="+", metavar="NAME=BEFORE:AFTER")
parser.add_argument("--queries", type=int, nargs="+", default=[20, 40, 60])
options = parser.parse_args()
random = numpy.random.default_rng(1)


def measures(scores, judged):
    ranked = best(scores, max(DEPTHS))
    answers = sum(grade > 0 for grade in judged.values())
    ideal = sorted(judged.values(), reverse=True)[:10]
    gain = sum(max(judged.get(document, 0), 0) / math.log2(rank + 1) for rank, document in enumerate(ranked[:10], 1))
    found = {"nDCG@10": gain / sum(max(grade, 0) / math.log2(rank + 1) for rank, grade in enumerate(ideal, 1))}
    for depth in DEPTHS:
        ranks = [rank for rank, document in enumerate(ranked[:depth], 1) if judged.get(document, 0) > 0]
        precision = sum(count / rank for count, rank in enumerate(ranks, 1)) / answers
        found[f"log AP@{depth}"] = math.log(max(precision, 1 / (depth * answers)))
    return found


def groups(queries, qrels):
    """Returns the number of each query's group."""
    numbers, of_document = list(range(len(queries))), {}

    def root(number):
        while numbers[number] != number:
            number = numbers[number]
        return number

    for place, query in enumerate(queries):
        for document in (document for document, grade in qrels[query].items() if grade > 0):
            numbers[root(place)] = root(of_document.setdefault(document, place))
    return numpy.unique([root(place) for place in range(len(queries))], return_inverse=True)[1]


def chance(differences):
    told = differences[numpy.abs(differences) > 1e-12]
    if len(told) < EXACT_BELOW:
        patterns = numpy.arange(2 ** len(told))[:, None] >> numpy.arange(len(told)) & 1
        return ((2 * patterns - 1) @ told >= told.sum() - 1e-12).mean()
    signs = random.integers(0, 2, (PERMUTATIONS, len(told))) * 2 - 1
    return (1 + (signs @ told >= told.sum() - 1e-12).sum()) / (1 + PERMUTATIONS)


def passed(gained, queries, qrels, count, luck):
    """How often each statistic passes a round, by significance level."""
    shares = {measure: [0] * len(ALLOWED) for measure in gained}
    for _ in range(DRAWS):
        drawn = random.integers(0, len(queries), count)
        group = groups([queries[place] for place in drawn], qrels)
        signs = numpy.ones(count)
        if luck:
            changed = gained["nDCG@10"][drawn] != 0
            signs[changed] = random.integers(0, 2, changed.sum()) * 2 - 1
        if (signs * gained["nDCG@10"][drawn]).sum() <= 1e-12:
            continue
        for measure, values in gained.items():
            p_value = chance(numpy.bincount(group, weights=signs * values[drawn]))
            for place, level in enumerate(ALLOWED):
                shares[measure][place] += p_value <= level
    return shares


def main():
    qrels = read_qrels(options.qrels)
    levels = [f"level {level:.4f}" for level in ALLOWED]
    head("round", "gain in nDCG@10", "held-out queries", "tested", *levels, *(f"false positives, {level}" for level in levels))
    for given in options.rounds:
        name, _, files = given.partition("=")
        before, after = (read_run(file, "hybrid") for file in files.split(":"))
        queries = sorted(query for query in qrels if query in before or query in after)
        told = [(measures(before[query], qrels[query]), measures(after[query], qrels[query])) for query in queries]
        gained = {measure: numpy.array([new[measure] - old[measure] for old, new in told]) for measure in told[0][0]}
        for count in options.queries:
            gains, luck = (passed(gained, queries, qrels, count, luck) for luck in (False, True))
            for measure in gained:
                shares = [f"{100 * hits / DRAWS:.1f} %" for hits in gains[measure] + luck[measure]]
                row(name, f"{gained['nDCG@10'].mean():+.4f}", str(count), measure, *shares)


main()

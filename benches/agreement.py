#!/usr/bin/env python3
"""How many of the answers that a log of openings tells are right: the table of docs/benchmarks.md, "Who must agree".

    retune simulate --collection DIR --users sessions --needs 1600 --rounds 1 --tiers fusion --index INDEX
    retune feedback export --index INDEX | python3 benches/agreement.py DIR

Reads the log and the collection's train qrels. Prints, after a quarter, half and all of the log, the answers that it tells
under three rules, each with the share that is right and the queries that have none but wrong ones: every document that ended a
need in these words, or else in most needs in others; those with a quarter of the query's needs; and in addition, for queries
without one, what several people found next who found nothing. src/negatives/confusable also tells by vectors which queries ask for
the same, and minds pauses and other verdicts, which simulated sessions don't have.
"""

import argparse
import collections
import json
import pathlib
import sys

QUARTER, THIRD = 0.25, 1 / 3
FURTHEST, FEWEST, IN_COMMON = 3, 2, 3

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("collection", type=pathlib.Path, metavar="DIR")
options = parser.parse_args()


def text_of(query):
    return " ".join(query.split()).lower()


class Asked:
    """A logged query, and what was opened last in its answer and not left at once."""

    def __init__(self, logged):
        self.id = logged["query_id"]
        self.text = text_of(logged["user_query"])
        self.session = logged["query_attributes"]["session_id"]
        self.hits = set(logged["query_response_hit_ids"][:10])
        self.opened = []

    def end(self):
        return self.opened[-1] if self.opened else None


def read_log(lines):
    log = {}
    for line in map(json.loads, lines):
        if "user_query" in line:
            log[line["query_id"]] = Asked(line)
            continue
        opened, document = log[line["query_id"]].opened, line["event_attributes"]["object"]["object_id"]
        if document in opened:
            opened.remove(document)
        if line["action_name"] == "click":
            opened.append(document)
    return list(log.values())


def read_answers(folder):
    texts = {}
    for line in (folder / "queries.jsonl").open():
        query = json.loads(line)
        texts[query["_id"]] = text_of(query["text"])
    answers = collections.defaultdict(set)
    for line in list((folder / "qrels" / "train.tsv").open())[1:]:
        query, document, relevance = line.split("\t")
        if int(relevance) > 0:
            answers[texts[query]].add(document)
    return answers


def needs_of(log):
    """Queries of a session, one after the other, with the same text or hits in common."""
    last = {}
    needs = []
    for asked in log:
        need = last.get(asked.session)
        if need and (
            any(one.text == asked.text for one in need) or len(need[-1].hits & asked.hits) >= IN_COMMON
        ):
            need.append(asked)
        else:
            last[asked.session] = [asked]
            needs.append(last[asked.session])
    return needs


def found_next(log):
    """By text and document, how many sessions found it next that found nothing with the text."""
    sessions = collections.defaultdict(list)
    for asked in log:
        sessions[asked.session].append(asked)
    found = collections.defaultdict(lambda: collections.defaultdict(set))
    for name, session in sessions.items():
        for place, asked in enumerate(session):
            others = [one for one in session[place + 1 :] if one.text != asked.text][:FURTHEST]
            after = next((one for one in others if one.end()), None)
            if not asked.end() and after and after.hits & asked.hits:
                found[asked.text][after.end()].add(name)
    return {
        text: {document: len(names) for document, names in documents.items()}
        for text, documents in found.items()
    }


def told(log):
    """The answers to each text under each rule."""
    votes, here = (collections.defaultdict(collections.Counter) for _ in range(2))
    needs, ended = collections.Counter(), collections.Counter()
    for need in needs_of(log):
        last = next((one for one in reversed(need) if one.end()), None)
        end = last and last.end()
        if last:
            here[last.text][end] += 1
        for text in {one.text for one in need}:
            needs[text] += 1
        # An end answers the wording that it was picked for, and those before.
        for text in {one.text for one in need[: need.index(last) + 1]} if last else ():
            ended[text] += 1
            votes[text][end] += 1
    usually = sum(ended.values()) / sum(needs.values())
    most = {text: max(counts.values()) for text, counts in votes.items()}
    every = {
        text: set(here[text]) or {document for document, count in counts.items() if count == most[text]}
        for text, counts in votes.items()
    }
    agreed = {}
    for text, counts in votes.items():
        of = max(ended[text], min(needs[text] * usually, 3 * ended[text])) + 1
        agreed[text] = {document for document, count in counts.items() if count / of > QUARTER}
    both = dict(agreed)
    for text, counts in found_next(log).items():
        if not agreed.get(text):
            of = needs[text] - ended[text] + 1
            both[text] = {d for d, count in counts.items() if count >= FEWEST and count / of >= THIRD}
    return {"every end": every, "a quarter agree": agreed, "and what followed": both}


def main():
    log, right = read_log(sys.stdin), read_answers(options.collection)
    print("| queries logged | rule | answers | right | queries | none right |\n|---|---|---|---|---|---|")
    for part in [0.25, 0.5, 1]:
        logged = log[: int(part * len(log))]
        for rule, answers in told(logged).items():
            answers = {text: documents for text, documents in answers.items() if documents}
            number = sum(map(len, answers.values()))
            hits = sum(len(documents & right[text]) for text, documents in answers.items())
            wrong = sum(not documents & right[text] for text, documents in answers.items())
            print(f"| {len(logged)} | {rule} | {number} | {100 * hits / number:.0f} % | {len(answers)} | {wrong} |")


main()

"""Readers of TREC runs and judgements, shared by the other scripts."""

import collections


def read_run(path, mode):
    """Returns scores by query and document. For out.trec and dense this reads out.dense.trec, as `retune eval --run-out` names it."""
    stem, dot, ending = path.rpartition(".")
    run = collections.defaultdict(dict)
    with open(f"{stem}.{mode}.{ending}" if dot else f"{path}.{mode}", encoding="utf-8") as lines:
        for line in lines:
            query, _, document, _, score, _ = line.split()
            run[query][document] = float(score)
    return run


def read_qrels(path):
    """Returns grades by query and document, from TREC's format or BEIR's (header and tabs). Skips queries without an answer."""
    qrels = collections.defaultdict(dict)
    with open(path, encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            fields = line.rstrip("\n").split("\t") if "\t" in line else line.split()
            if number == 1 and fields[-1] == "score":
                continue
            try:
                qrels[fields[0]][fields[-2]] = int(fields[-1])
            except (IndexError, ValueError):
                raise SystemExit(f"{path}:{number}: {line.strip()!r} is no judgement") from None
    return {query: judged for query, judged in qrels.items() if max(judged.values()) > 0}


def best(scores, count):
    """Returns the documents with the highest scores, best first."""
    return sorted(scores, key=lambda document: (-scores[document], document))[:count]


def row(*cells):
    """Prints a row of a Markdown table."""
    print("| " + " | ".join(cells) + " |", flush=True)


def head(*cells):
    """Prints the header row and the line below it."""
    row(*cells)
    row(*["---"] * len(cells))

#!/usr/bin/env python3
"""Asks a running cluster (start.sh 3) the questions that decide the design.

usage: check.py [LETTERS]   e.g. check.py cde; c, d, e, f, i need the indexes of a and b.
Prints a line PASS, FAIL or INFO for each finding, with the values seen.
"""
import collections
import concurrent.futures
import http.client
import json
import math
import operator
import os
import random
import subprocess
import sys
import threading
import time
from array import array

PORT = int(os.environ.get("RETUNE_CLUSTER_PORT", "19200"))
NODES = 3
HERE = os.path.dirname(os.path.abspath(__file__))
DOCS, DIM, QUERIES = 5000, 768, 100
K1, B = 1.2, 0.75
INDEXES = {"c1": 1, "c5": 5}
failed = []


def say(ok, letter, text):
    word = "INFO" if ok is None else "PASS" if ok else "FAIL"
    if ok is False:
        failed.append(letter)
    print(f"{word} {letter}  {text}", flush=True)


class Client:
    """One kept-alive connection to one node; not for use by two threads."""

    def __init__(self, node=1, timeout=120):
        self.port, self.timeout, self.conn = PORT + node - 1, timeout, None

    def __call__(self, method, path, body=None):
        if self.conn is None:
            self.conn = http.client.HTTPConnection("127.0.0.1", self.port, timeout=self.timeout)
        kind = "application/json"
        if isinstance(body, list):
            body, kind = "".join(json.dumps(x) + "\n" for x in body), "application/x-ndjson"
        elif isinstance(body, dict):
            body = json.dumps(body)
        try:
            self.conn.request(method, path, body, {"content-type": kind})
            answer = self.conn.getresponse()
            data = answer.read()
        except Exception:
            self.conn.close()
            self.conn = None
            raise
        return answer.status, json.loads(data) if data else {}


os_ = Client()


def must(method, path, body=None):
    status, answer = os_(method, path, body)
    if status >= 300:
        raise RuntimeError(f"{method} {path}: {status} {json.dumps(answer)[:600]}")
    return answer


def timed(call, times=5):
    """The answer and the median time in ms."""
    spent = []
    for _ in range(times):
        begin = time.perf_counter()
        answer = call()
        spent.append((time.perf_counter() - begin) * 1000)
    return answer, sorted(spent)[times // 2]


# ---------------------------------------------------------------- data

def dot(a, b):
    return sum(map(operator.mul, a, b))


def unit(v):
    n = math.sqrt(dot(v, v))
    return [x / n for x in v]


class Data:
    def __init__(self):
        r = random.Random(7)
        words = [f"w{i}" for i in range(3000)]
        weights = [1 / (i + 3) for i in range(3000)]
        centres = [[r.gauss(0, 1) for _ in range(DIM)] for _ in range(64)]

        def vector():
            c = r.choice(centres)
            # Rounded to float32, since that is what the index keeps.
            return array("f", [round(x + r.gauss(0, 1), 3) for x in c])

        self.tokens = []
        for _ in range(DOCS):
            n = max(1, min(600, int(r.lognormvariate(4, 0.8))))
            self.tokens.append(r.choices(words, weights, k=n))
        self.kind = [f"k{r.randrange(20)}" for _ in range(DOCS)]
        self.year = [2000 + r.randrange(25) for _ in range(DOCS)]
        self.lang = [r.choice(["en", "nl", "ja"]) for _ in range(DOCS)]
        self.vector = [vector() for _ in range(DOCS)]
        self.query_vector = [vector() for _ in range(QUERIES)]
        self.query_tokens = []
        for _ in range(QUERIES):
            self.query_tokens.append(list(dict.fromkeys(r.choices(words, weights, k=6))))
        self.tf = [collections.Counter(t) for t in self.tokens]
        self.df = collections.Counter(w for t in self.tf for w in t)
        self.length = [len(t) for t in self.tokens]
        self.avgdl = sum(self.length) / DOCS
        self._unit = None

    def cosines(self, q):
        if self._unit is None:
            self._unit = [unit(v) for v in self.vector]
        q = unit(q)
        return [dot(q, v) for v in self._unit]

    def doc(self, i):
        return {"doc_id": f"d{i:05}", "num": i, "kind": self.kind[i], "len": self.length[i],
                "text": " ".join(self.tokens[i][:20]), "tokens": " ".join(self.tokens[i]),
                "meta": {"lang": self.lang[i], "year": str(self.year[i])},
                "vector": [round(x, 3) for x in self.vector[i]]}


_data = None


def data():
    global _data
    if _data is None:
        begin = time.perf_counter()
        _data = Data()
        say(None, "-", f"data made in {time.perf_counter() - begin:.1f} s; "
            f"avgdl {_data.avgdl:.2f}, longest {max(_data.length)}")
    return _data


def byte4(n):
    """Lucene's SmallFloat.byte4ToInt(intToByte4(n)): the length that scoring sees."""
    if n < 40:
        return n
    n -= 24
    shift = n.bit_length() - 4
    return 24 + ((n >> shift) << shift)


def bm25(d, query, i, df=None, n=DOCS, avgdl=None, quantised=True, factor=True):
    df, avgdl = df or d.df, avgdl or d.avgdl
    length = byte4(d.length[i]) if quantised else d.length[i]
    total = 0.0
    for w in query:
        tf = d.tf[i].get(w, 0)
        if tf:
            idf = math.log(1 + (n - df[w] + 0.5) / (df[w] + 0.5))
            total += idf * tf / (tf + K1 * (1 - B + B * length / avgdl))
    return total * (K1 + 1 if factor else 1)


# ---------------------------------------------------------------- a to k

def mapping(shards, space="cosinesimil"):
    return {
        "settings": {"index": {
            "number_of_shards": shards, "number_of_replicas": 1, "knn": True,
            "refresh_interval": "-1",
            "similarity": {"bm25": {"type": "BM25", "k1": K1, "b": B}}}},
        "mappings": {"dynamic": "strict", "properties": {
            "doc_id": {"type": "keyword"}, "num": {"type": "integer"},
            "kind": {"type": "keyword"}, "len": {"type": "integer"},
            "text": {"type": "text"},
            "tokens": {"type": "text", "analyzer": "whitespace", "similarity": "bm25"},
            "meta": {"type": "flat_object"},
            "vector": {"type": "knn_vector", "dimension": DIM, "method": {
                "name": "hnsw", "engine": "lucene", "space_type": space,
                "parameters": {"m": 16, "ef_construction": 128}}}}}}


def check_a():
    for name, shards in INDEXES.items():
        os_("DELETE", f"/{name}")
        begin = time.perf_counter()
        status, answer = os_("PUT", f"/{name}", mapping(shards))
        must("GET", f"/_cluster/health/{name}?wait_for_status=green&timeout=30s")
        say(status == 200, "a", f"{name}: {shards} shards, 1 replica, created and green in "
            f"{time.perf_counter() - begin:.2f} s {'' if status == 200 else answer}")
    os_("DELETE", "/c-ip")
    status, answer = os_("PUT", "/c-ip", mapping(1, "innerproduct"))
    say(status == 200, "a", f"space_type innerproduct accepted {'' if status == 200 else answer}")
    v = [0.0] * DIM
    for name, x in (("up", 2.0), ("down", -2.0)):
        v[0] = x
        must("PUT", f"/c-ip/_doc/{name}?refresh=true", {"vector": v})
    v[0] = 3.0
    hits = must("POST", "/c-ip/_search", {"query": {"knn": {"vector": {"vector": v, "k": 2}}}})
    scores = {h["_id"]: h["_score"] for h in hits["hits"]["hits"]}
    say(abs(scores["up"] - 7) < 1e-5 and abs(scores["down"] - 1 / 7) < 1e-5, "a",
        f"innerproduct _score: dot 6 gives {scores['up']:.4f} (dot+1), dot -6 gives {scores['down']:.4f} (1/(1-dot))")
    must("DELETE", "/c-ip")


def check_b():
    d = data()
    for name in INDEXES:
        begin = time.perf_counter()
        bad = 0
        for at in range(0, DOCS, 250):
            lines = []
            for i in range(at, min(at + 250, DOCS)):
                lines += [{"index": {"_id": f"d{i:05}"}}, d.doc(i)]
            answer = must("POST", f"/{name}/_bulk", lines)
            bad += sum(x["index"]["status"] >= 300 for x in answer["items"])
        must("POST", f"/{name}/_refresh")
        spent = time.perf_counter() - begin
        n = must("GET", f"/{name}/_count")["count"]
        size = must("GET", f"/{name}/_stats/store,segments")["_all"]
        say(n == DOCS and bad == 0, "b", f"{name}: {n} documents in {spent:.1f} s "
            f"({n / spent:.0f}/s, one client), failed {bad}, segments "
            f"{size['primaries']['segments']['count']} in primaries, "
            f"store {size['total']['store']['size_in_bytes'] >> 20} MiB with replicas")


def check_c():
    d = data()
    for name in INDEXES:
        worst = {}
        drift = 0.0
        local = 0.0
        order = 0
        for q in d.query_tokens[:50]:
            body = {"size": 100, "_source": False, "query": {"match": {"tokens": " ".join(q)}}}
            hits = must("POST", f"/{name}/_search?search_type=dfs_query_then_fetch", body)["hits"]["hits"]
            for h in hits:
                i = int(h["_id"][1:])
                for key, kw in (("legacy", {}), ("modern", {"factor": False}),
                                ("exact length", {"quantised": False})):
                    want = bm25(d, q, i, **kw)
                    worst[key] = max(worst.get(key, 0), abs(h["_score"] - want) / want)
            # The same top by exact and by quantised lengths?
            every = sorted(((-bm25(d, q, i), i) for i in range(DOCS)))[:10]
            exact = sorted(((-bm25(d, q, i, quantised=False), i) for i in range(DOCS)))[:10]
            order += len({i for _, i in every} & {i for _, i in exact})
            got = {int(h["_id"][1:]): h["_score"] for h in hits[:10]}
            drift = max(drift, max(abs(a - (-s)) for a, (s, _) in zip(sorted(got.values(), reverse=True), every)))
            plain = must("POST", f"/{name}/_search", body)["hits"]["hits"]
            for h in plain:
                want = bm25(d, q, int(h["_id"][1:]))
                local = max(local, abs(h["_score"] - want) / want)
        say(worst["legacy"] < 1e-5, "c", f"{name}, dfs: max relative difference to Python "
            f"{worst['legacy']:.1e} with the factor (k1+1), {worst['modern']:.2f} without: it is LegacyBM25Similarity")
        say(drift < 1e-3, "c", f"{name}, dfs: scores of the top ten equal the global top ten (max absolute difference {drift:.1e})")
        say(None, "c", f"{name}: exact lengths in place of the one-byte code change a score by at most "
            f"{worst['exact length'] * 100:.1f}%; top ten shared {order / 500 * 100:.1f}%")
        say(None, "c", f"{name}: without dfs the scores are off by up to {local * 100:.2f}%")
    q = d.query_tokens[0]
    once, twice = [must("POST", "/c1/_search?search_type=dfs_query_then_fetch", {
        "size": 1, "_source": False, "query": {"match": {"tokens": " ".join(t)}}})["hits"]["max_score"] for t in (q, q + q)]
    say(abs(twice / once - 2) < 1e-5, "c", f"a query term given twice counts twice (score ratio {twice / once:.4f})")
    words = list(d.df)
    for n in (1024, 1025):
        status, answer = os_("POST", "/c1/_search", {"size": 1, "_source": False,
                             "query": {"match": {"tokens": " ".join(words[:n])}}})
        reason = answer.get("error", {}).get("root_cause", [{}])[0].get("type", "")
        say(None, "c", f"match with {n} distinct terms: HTTP {status} {reason}")
    # Tantivy's table of lengths is written down in its source; this is its rule.
    say([byte4(n) for n in (39, 40, 41, 42, 55, 56, 59, 60, 87, 88, 95, 96, 600, 1048)]
        == [39, 40, 40, 42, 54, 56, 56, 60, 84, 88, 88, 96, 600, 984 + 64], "c",
        "Lucene's code is exact to 40, then 42, 44, .. 54, 56, 60, .. 88, 96, ..: the values of tantivy's FIELD_NORMS_TABLE")


def check_d():
    d = data()
    exact = [d.cosines(q) for q in d.query_vector]
    every = range(DOCS)
    narrow = [i for i in every if d.kind[i] == "k3" and d.lang[i] == "en"]
    wide = [i for i in every if d.lang[i] == "en"]
    cases = (("no filter", None, every),
             (f"filter of {len(narrow)} (keyword and flat_object)", {"bool": {"filter": [
                 {"term": {"kind": "k3"}}, {"term": {"meta.lang": "en"}}]}}, narrow),
             (f"filter of {len(wide)} (flat_object)", {"term": {"meta.lang": "en"}}, wide))
    for name in INDEXES:
        for label, flt, ids in cases:
            for k, ef in ((10, None), (10, 100), (10, 400), (100, None)):
                found, spent, formula = 0, 0.0, 0.0
                for q, cos in zip(d.query_vector, exact):
                    knn = {"vector": [round(x, 3) for x in q], "k": k}
                    if ef:
                        knn["method_parameters"] = {"ef_search": ef}
                    if flt:
                        knn["filter"] = flt
                    begin = time.perf_counter()
                    hits = must("POST", f"/{name}/_search", {
                        "size": 10, "_source": False, "query": {"knn": {"vector": knn}}})["hits"]["hits"]
                    spent += time.perf_counter() - begin
                    best = set(sorted(ids, key=lambda i: -cos[i])[:10])
                    found += len(best & {int(h["_id"][1:]) for h in hits})
                    for h in hits:
                        formula = max(formula, abs(h["_score"] - (1 + cos[int(h["_id"][1:])]) / 2))
                recall = found / (10 * QUERIES)
                small = flt and len(ids) < 1000
                say(recall == 1 if small else None, "d", f"{name}, {label}, k {k}, ef_search "
                    f"{ef or 'default'}: recall@10 {recall:.3f}, {spent / QUERIES * 1000:.1f} ms, "
                    f"|_score-(1+cos)/2| {formula:.0e}")
    status, answer = os_("POST", "/c5/_search", {"query": {"knn": {"vector": {
        "vector": [1.0] * DIM, "k": 10, "method_parameters": {"ef_searchx": 5}}}}})
    say(status == 400, "d", f"an unknown method parameter gives HTTP {status}")


def check_e():
    d = data()
    r = random.Random(11)
    for name in INDEXES:
        worst = collections.Counter()
        spent = collections.defaultdict(list)
        counts = collections.Counter()
        same = True
        for n in range(20):
            ids = r.sample(range(DOCS), 300)
            names = [f"d{i:05}" for i in ids]
            q, v = d.query_tokens[n], [round(x, 3) for x in d.query_vector[n]]
            cos = d.cosines(d.query_vector[n])
            flt = {"ids": {"values": names}}
            match = {"match": {"tokens": {"query": " ".join(q), "_name": "bm25"}}}
            text = {"bool": {"filter": [flt], "should": [match], "minimum_should_match": 0}}
            script = {"script_score": {"query": {"bool": {"filter": [flt]}}, "script": {
                "lang": "knn", "source": "knn_score",
                "params": {"field": "vector", "query_value": v, "space_type": "cosinesimil"}}}}
            knn = {"knn": {"vector": {"vector": v, "k": 300, "filter": flt}}}
            size = {"size": 300, "_source": False}

            def msearch(second):
                return must("POST", "/_msearch", [
                    {"index": name, "search_type": "dfs_query_then_fetch"}, {**size, "query": text},
                    {"index": name}, {**size, "query": second}])["responses"]

            def note(kind, hits, value, want):
                counts[kind] += len(hits)
                for h in hits:
                    i = int(h["_id"][1:])
                    worst[kind] = max(worst[kind], abs(value(h) - want(i)))

            text_want = lambda i: bm25(d, q, i)
            cos_want = lambda i: cos[i]
            begin = time.perf_counter()
            one, two = msearch(script)
            spent["msearch with knn_score"].append(time.perf_counter() - begin)
            note("bm25", one["hits"]["hits"], lambda h: h["_score"], text_want)
            note("cosine by script knn_score, 2*_score-1", two["hits"]["hits"], lambda h: 2 * h["_score"] - 1, cos_want)
            begin = time.perf_counter()
            one, two = msearch(knn)
            spent["msearch with knn+ids filter"].append(time.perf_counter() - begin)
            note("cosine by knn with ids filter and k 300, 2*_score-1", two["hits"]["hits"],
                 lambda h: 2 * h["_score"] - 1, cos_want)
            named = {"script_score": {**script["script_score"], "_name": "cos"}}
            begin = time.perf_counter()
            status, answer = os_("POST", f"/{name}/_search?search_type=dfs_query_then_fetch&include_named_queries_score=true", {
                **size, "query": {"bool": {"filter": [flt], "should": [match, named]}}})
            spent["one search with named scores"].append(time.perf_counter() - begin)
            if status != 200:
                say(None, "e", f"named queries: {status} {json.dumps(answer)[:300]}")
                continue
            hits = answer["hits"]["hits"]
            note("named bm25", hits, lambda h: h["matched_queries"].get("bm25", 0.0), text_want)
            note("named cosine by knn_score, 2*score-1", hits, lambda h: 2 * h["matched_queries"]["cos"] - 1, cos_want)
        for kind, n in counts.items():
            say(n == 6000 and worst[kind] < 1e-4, "e", f"{name}: {kind}: {n}/6000 ids, max absolute difference {worst[kind]:.1e}")
        for kind, t in spent.items():
            say(None, "e", f"{name}: {kind}, 300 ids: median {sorted(t)[len(t) // 2] * 1000:.1f} ms")
    status, answer = os_("POST", "/c1/_search", {"query": {"script_score": {
        "query": {"match_all": {}}, "script": {"source": "1.0"}}}})
    say(None, "e", f"painless script: HTTP {status} {json.dumps(answer)[:0]}"
        f"{answer.get('error', {}).get('root_cause', [{}])[0].get('reason', '')}")


def explain_stats(node, found):
    """Collects n, N and avgdl of each term from an explanation."""
    text = node["description"]
    if text.startswith("weight(tokens:"):
        term = text[len("weight(tokens:"):].split(" ")[0]
        values = {}

        def walk(x):
            for key in ("n,", "N,", "avgdl,"):
                if x["description"].startswith(key):
                    values[key[:-1]] = x["value"]
            for y in x.get("details", []):
                walk(y)
        walk(node)
        found[term] = (values["n"], values["N"], values["avgdl"])
    for x in node.get("details", []):
        explain_stats(x, found)


def check_f():
    d = data()
    q = sorted({w for t in d.query_tokens[:2] for w in t} | {"nosuchterm"})
    want = {w: d.df[w] for w in q}
    for name in INDEXES:
        # 1. One search: a bucket a term, and the field of lengths.
        body = {"size": 0, "track_total_hits": True, "query": {"exists": {"field": "tokens"}}, "aggs": {
            "df": {"filters": {"filters": {w: {"term": {"tokens": w}} for w in q}}},
            "total": {"sum": {"field": "len"}}}}
        answer, ms = timed(lambda: must("POST", f"/{name}/_search", body))
        got = {w: b["doc_count"] for w, b in answer["aggregations"]["df"]["buckets"].items()}
        n = answer["hits"]["total"]["value"]
        avg = answer["aggregations"]["total"]["value"] / n
        say(got == want and n == DOCS and abs(avg - d.avgdl) < 1e-9, "f",
            f"{name}: filters aggregation and sum of len: all {len(q)} df right, N {n}, avgdl {avg:.4f}, {ms:.1f} ms")
        # 2. A msearch: per term the best hit explained, under dfs.
        lines = []
        for w in q:
            lines += [{"index": name, "search_type": "dfs_query_then_fetch"},
                      {"size": 1, "explain": True, "_source": False, "query": {"term": {"tokens": w}}}]
        answer, ms = timed(lambda: must("POST", "/_msearch", lines))
        found = {}
        for x in answer["responses"]:
            for h in x["hits"]["hits"]:
                explain_stats(h["_explanation"], found)
        right = sum(found.get(w, (0,))[0] == want[w] for w in q)
        some = next(iter(found.values()))
        say(right == len(q) and some[1] == DOCS, "f", f"{name}: dfs and explain, a search a term: {right}/{len(q)} df right, "
            f"N {some[1]}, avgdl {some[2]:.4f}, {ms:.1f} ms")
        # 3. Termvectors of an artificial document.
        body = {"doc": {"tokens": " ".join(q)}, "fields": ["tokens"], "term_statistics": True, "field_statistics": True,
                "positions": False, "offsets": False}
        answer, ms = timed(lambda: must("POST", f"/{name}/_termvectors", body))
        tv = answer["term_vectors"]["tokens"]
        got = {w: t.get("doc_freq", 0) for w, t in tv["terms"].items()}
        right = sum(got.get(w, 0) == want[w] for w in q)
        say(None, "f", f"{name}: _termvectors of an artificial document: {right}/{len(q)} df right, "
            f"doc_count {tv['field_statistics']['doc_count']} ({ms:.1f} ms): one shard's numbers only")
    # Deleted and rewritten documents stay in Lucene's statistics until a merge.
    os_("DELETE", "/c-del")
    must("PUT", "/c-del", mapping(1))
    word = max(d.df, key=d.df.get)
    for _ in range(2):
        lines = []
        for i in range(200):
            doc = d.doc(i)
            del doc["vector"]
            lines += [{"index": {"_id": str(i)}}, doc]
        must("POST", "/c-del/_bulk?refresh=true", lines)
    live = sum(word in d.tf[i] for i in range(200))

    def seen():
        found = {}
        hits = must("POST", "/c-del/_search?search_type=dfs_query_then_fetch", {
            "size": 1, "explain": True, "query": {"term": {"tokens": word}}})["hits"]["hits"]
        explain_stats(hits[0]["_explanation"], found)
        agg = must("POST", "/c-del/_search", {"size": 0, "aggs": {"df": {"filter": {"term": {"tokens": word}}}}})
        return found[word][0], found[word][1], agg["aggregations"]["df"]["doc_count"]

    def merge():
        must("POST", "/c-del/_flush?force=true")
        must("POST", "/c-del/_forcemerge?max_num_segments=1")
        must("POST", "/c-del/_refresh")
        return seen()

    before, early = seen(), merge()
    # Deleted documents are kept for replicas that may need them; that bound moves every 30 s.
    time.sleep(33)
    after = merge()
    say(before[2] == live and after == (live, 200, live), "f", f"200 documents written twice: scoring sees df {before[0]} of N {before[1]}, "
        f"the aggregation {before[2]} (live); a force merge at once {early[0]} of {early[1]}, "
        f"after the retention lease moved {after[0]} of {after[1]}")
    must("DELETE", "/c-del")


def check_g():
    for x in ("g1", "g2", "g3"):
        os_("DELETE", f"/{x}")
        must("PUT", f"/{x}", {"settings": {"number_of_shards": 1, "number_of_replicas": 1}})
    must("POST", "/_aliases", {"actions": [{"add": {"index": "g1", "alias": "live"}}]})

    def swap(old, new, **extra):
        return os_("POST", "/_aliases", {"actions": [
            {"remove": {"index": old, "alias": "live", **extra}},
            {"add": {"index": new, "alias": "live"}}]})

    def where():
        return sorted(must("GET", "/_alias/live"))

    status, _ = swap("g1", "g2", must_exist=True)
    say(status == 200 and where() == ["g2"], "g", f"swap g1 to g2 with must_exist: HTTP {status}, alias on {where()}")
    status, answer = swap("g1", "g3", must_exist=True)
    say(status == 404 and where() == ["g2"], "g", f"swap from g1 again with must_exist: HTTP {status} "
        f"{answer.get('error', {}).get('type', answer)}, alias still on {where()}")
    status, answer = swap("g1", "g3")
    say(None, "g", f"the same without must_exist: HTTP {status}, alias on {where()}")
    # Many at once: exactly one may win a round. The alias on two indexes would show a lost check.
    wins = []
    for _ in range(20):
        os_("POST", "/_aliases", {"actions": [{"remove": {"index": "g*", "alias": "live"}}]})
        must("POST", "/_aliases", {"actions": [{"add": {"index": "g1", "alias": "live"}}]})

        def one(k):
            return Client(1 + k % NODES)("POST", "/_aliases", {"actions": [
                {"remove": {"index": "g1", "alias": "live", "must_exist": True}},
                {"add": {"index": ("g2", "g3")[k % 2], "alias": "live"}}]})[0]
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            got = list(pool.map(one, range(8)))
        wins.append(got.count(200))
        if len(where()) != 1:
            wins.append(f"alias on {where()}")
    say(set(wins) == {1}, "g", f"8 swaps at once from three nodes, 20 rounds: winners a round {sorted(set(wins), key=str)}, losers get 404")
    # No moment without an alias for a reader.
    stop, gaps, reads = threading.Event(), [], [0]

    def read():
        c = Client(2)
        while not stop.is_set():
            s, _ = c("GET", "/live/_search?size=0")
            reads[0] += 1
            if s != 200:
                gaps.append(s)
    t = threading.Thread(target=read)
    t.start()
    begin = time.perf_counter()
    cur = where()[0]
    for k in range(30):
        new = "g2" if cur != "g2" else "g3"
        swap(cur, new, must_exist=True)
        cur = new
    ms = (time.perf_counter() - begin) / 30 * 1000
    stop.set()
    t.join()
    say(not gaps, "g", f"30 swaps at {ms:.0f} ms each: {reads[0]} searches through the alias, {len(gaps)} failed")
    for x in ("g1", "g2", "g3"):
        must("DELETE", f"/{x}")


def check_h():
    os_("DELETE", "/h")
    must("PUT", "/h", {"settings": {"number_of_shards": 1, "number_of_replicas": 1}})
    s1, a = os_("PUT", "/h/_create/lease", {"owner": "a"})
    s2, _ = os_("PUT", "/h/_create/lease", {"owner": "b"})
    say((s1, s2) == (201, 409), "h", f"_create: first {s1}, second {s2}")
    at = f"if_seq_no={a['_seq_no']}&if_primary_term={a['_primary_term']}"
    s1, _ = os_("PUT", f"/h/_doc/lease?{at}", {"owner": "b"})
    s2, b = os_("PUT", f"/h/_doc/lease?{at}", {"owner": "c"})
    say((s1, s2) == (200, 409), "h", f"index with if_seq_no: first {s1}, stale {s2} {b['error']['type']}")
    s3, _ = os_("POST", f"/h/_update/lease?{at}", {"doc": {"owner": "c"}})
    s4, _ = os_("DELETE", f"/h/_doc/lease?{at}")
    say((s3, s4) == (409, 409), "h", f"stale _update {s3}, stale delete {s4}")
    g = must("GET", "/h/_doc/lease")
    at = f"if_seq_no={g['_seq_no']}&if_primary_term={g['_primary_term']}"
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        got = list(pool.map(lambda k: Client(1 + k % NODES)("PUT", f"/h/_doc/lease?{at}", {"owner": str(k)})[0], range(24)))
    say(collections.Counter(got) == {200: 1, 409: 23}, "h", f"24 writers at once: {dict(collections.Counter(got))}")
    must("DELETE", "/h")


def check_i():
    for name in INDEXES:
        pit = must("POST", f"/{name}/_search/point_in_time?keep_alive=2m")["pit_id"]
        # A later write must not be seen through the point in time.
        must("PUT", f"/{name}/_doc/late?refresh=true", {"num": DOCS, "doc_id": "late"})

        def part(k, sort, field=None, slices=4):
            c, ids, after = Client(1 + k % NODES), [], None
            while True:
                body = {"size": 333, "_source": False, "pit": {"id": pit, "keep_alive": "2m"}, "sort": sort,
                        "track_total_hits": False, "query": {"match_all": {}}}
                if slices > 1:
                    body["slice"] = {"id": k, "max": slices, **({"field": field} if field else {})}
                if after:
                    body["search_after"] = after
                status, answer = c("POST", "/_search", body)
                if status != 200:
                    raise RuntimeError(json.dumps(answer)[:500])
                hits = answer["hits"]["hits"]
                if not hits:
                    return ids
                ids += [h["_id"] for h in hits]
                after = hits[-1]["sort"]

        for label, sort, field, slices in (
                ("4 slices by _id, sort num", [{"num": "asc"}], None, 4),
                ("4 slices by field num, sort num", [{"num": "asc"}], "num", 4),
                ("4 slices by _id, sort doc_id", [{"doc_id": "asc"}], None, 4),
                ("4 slices by _id, sort _id", [{"_id": "asc"}], None, 4),
                ("no slice, sort num", [{"num": "asc"}], None, 1),
                ("no slice, sort _doc", [{"_doc": "asc"}], None, 1),
                ("no slice, sort _shard_doc", [{"_shard_doc": "asc"}], None, 1)):
            begin = time.perf_counter()
            try:
                with concurrent.futures.ThreadPoolExecutor(4) as pool:
                    parts = list(pool.map(lambda k: part(k, sort, field, slices), range(slices)))
            except RuntimeError as e:
                say(None, "i", f"{name}: {label}: {str(e)[:160]}")
                continue
            ids = [x for p in parts for x in p]
            ok = len(ids) == len(set(ids)) == DOCS and "late" not in ids
            risky = "_doc" in label or "_shard_doc" in label
            say(None if risky else ok, "i", f"{name}: {label}: {len(set(ids))} of {DOCS} ids, {len(ids) - len(set(ids))} twice, "
                f"parts {[len(p) for p in parts]}, {time.perf_counter() - begin:.2f} s")
        answer = must("DELETE", "/_search/point_in_time", {"pit_id": [pit]})
        say(answer["pits"][0]["successful"], "i", f"{name}: point in time deleted")
        status, answer = os_("POST", "/_search", {"pit": {"id": pit}, "size": 1})
        say(status == 404, "i", f"{name}: search after that: HTTP {status}")
        must("DELETE", f"/{name}/_doc/late?refresh=true")


def check_j():
    os_("DELETE", "/j")
    must("PUT", "/j", {"settings": {"number_of_shards": 5, "number_of_replicas": 1, "refresh_interval": "1s"}})
    must("GET", "/_cluster/health/j?wait_for_status=green&timeout=30s")
    must("GET", "/j/_search?size=0")
    bad, spent = 0, []
    for n in range(10):
        begin = time.perf_counter()
        must("PUT", f"/j/_doc/{n}?refresh=wait_for", {"n": n})
        spent.append(time.perf_counter() - begin)
        # Through each node, and so often through a replica.
        for node in range(1, NODES + 1):
            bad += Client(node)("POST", "/j/_search", {"query": {"term": {"n": n}}})[1]["hits"]["total"]["value"] != 1
    say(bad == 0, "j", f"10 writes with refresh=wait_for, refresh_interval 1s: not visible {bad}; wait "
        f"{min(spent):.2f} to {max(spent):.2f} s")
    status, plain = os_("PUT", "/j/_doc/x", {"n": 99})
    seen = must("POST", "/j/_search", {"query": {"term": {"n": 99}}})["hits"]["total"]["value"]
    say(None, "j", f"without it: visible at once {seen}")
    must("PUT", "/j/_settings", {"index": {"refresh_interval": "-1"}})
    c = Client(timeout=4)
    try:
        status, _ = c("PUT", "/j/_doc/y?refresh=wait_for", {"n": 100})
        say(None, "j", f"with refresh_interval -1: answered {status}")
    except Exception as e:
        say(None, "j", f"with refresh_interval -1 wait_for hangs ({type(e).__name__} after 4 s) until some refresh")
    must("POST", "/j/_refresh")
    must("DELETE", "/j")


def run_k(label, params, victim_is_manager):
    os_("DELETE", "/k")
    must("PUT", "/k", {"settings": {"index": {"number_of_shards": 5, "number_of_replicas": 1, "refresh_interval": "1s",
         # Default 1m: how long replicas of a lost node wait for it to come back.
         "unassigned.node_left.delayed_timeout": "3s"}}})
    must("GET", "/_cluster/health/k?wait_for_status=green&timeout=30s")
    rows = must("GET", "/_cat/cluster_manager?format=json")
    manager = int(rows[0]["node"][-1])
    victim = manager if victim_is_manager else next(n for n in range(NODES, 0, -1) if n != manager)
    stop = threading.Event()
    lock = threading.Lock()
    acked, acks, searches, errors = set(), [], [], collections.Counter()
    next_id = [0]

    def write(k):
        # The first writer talks to the victim, and so must fail over.
        clients = [Client(1 + (victim - 1 + k + j) % NODES, timeout=90) for j in range(NODES)]
        at = 0
        while not stop.is_set():
            with lock:
                ids = range(next_id[0], next_id[0] + 100)
                next_id[0] += 100
            todo = list(ids)
            while todo and not stop.is_set():
                lines = []
                for i in todo:
                    lines += [{"index": {"_id": str(i)}}, {"n": i, "t": "x" * 200}]
                try:
                    status, answer = clients[at]("POST", f"/k/_bulk?{params}", lines)
                except Exception as e:
                    errors[f"bulk {type(e).__name__}"] += 1
                    at = (at + 1) % NODES
                    time.sleep(0.05)
                    continue
                if status != 200:
                    errors[f"bulk HTTP {status}"] += 1
                    time.sleep(0.1)
                    continue
                good = {int(x["index"]["_id"]) for x in answer["items"] if x["index"]["status"] < 300}
                for x in answer["items"]:
                    if x["index"]["status"] >= 300:
                        errors[f"bulk item {x['index']['status']} {x['index']['error']['type']}"] += 1
                with lock:
                    acked.update(good)
                    if good:
                        acks.append(time.perf_counter())
                time.sleep(0.03)  # a steady load, not a flood
                todo = [i for i in todo if i not in good]

    def search():
        clients, at = [Client(1 + (victim - 1 + j) % NODES, timeout=30) for j in range(NODES)], 0
        while not stop.is_set():
            begin = time.perf_counter()
            try:
                status, answer = clients[at]("POST", "/k/_search", {"size": 1, "query": {"range": {"n": {"gte": 0}}}})
                if status != 200:
                    errors[f"search HTTP {status}"] += 1
                elif answer["_shards"]["failed"]:
                    errors["search with failed shards"] += 1
                else:
                    searches.append((begin, time.perf_counter()))
            except Exception as e:
                errors[f"search {type(e).__name__}"] += 1
                at = (at + 1) % NODES
            time.sleep(0.02)

    threads = [threading.Thread(target=write, args=(k,)) for k in range(2)] + [threading.Thread(target=search)]
    for t in threads:
        t.start()
    time.sleep(4)
    killed = time.perf_counter()
    subprocess.run([f"{HERE}/kill-node.sh", str(victim)], check=True)
    ask = Client(1 if victim != 1 else 2)

    def until(nodes):
        # Of this index only: others keep the default delay of a minute.
        while True:
            s, h = ask("GET", f"/_cluster/health/k?wait_for_nodes={nodes}&wait_for_status=green&wait_for_no_relocating_shards=true&timeout=60s")
            if s == 200 and not h["timed_out"]:
                return time.perf_counter()
    green2 = until(2) - killed
    time.sleep(2)
    begin = time.perf_counter()
    subprocess.run([f"{HERE}/start-node.sh", str(victim)], check=True, stdout=subprocess.DEVNULL)
    joined = time.perf_counter() - begin
    green3 = until(3) - begin
    stop.set()
    for t in threads:
        t.join()

    def longest(times):
        times = sorted(times)
        gaps = [(b - a, a) for a, b in zip(times, times[1:]) if b > killed - 0.5]
        return max(gaps) if gaps else (0, 0)
    write_gap, search_gap = longest(acks), longest([b for _, b in searches])
    # A joined node gets shards moved to it a moment later: let that end.
    for _ in range(3):
        time.sleep(1)
        until(3)
    refreshed = ask("POST", "/k/_refresh")[1]["_shards"]
    lost, partial = {}, 0
    for copy in ("_primary", "_replica"):
        there, after = set(), None
        while True:
            body = {"size": 5000, "_source": False, "sort": [{"n": "asc"}]}
            if after:
                body["search_after"] = after
            answer = ask("POST", f"/k/_search?preference={copy}&allow_partial_search_results=false", body)[1]
            if "hits" not in answer:
                partial += 1
                if partial > 20:
                    raise RuntimeError(json.dumps(answer)[:400])
                time.sleep(0.5)
                continue
            hits = answer["hits"]["hits"]
            if not hits:
                break
            there.update(int(h["_id"]) for h in hits)
            after = hits[-1]["sort"]
        lost[copy] = len(acked - there)
        if lost[copy]:
            missing = sorted(acked - there)
            got = [ask("GET", f"/k/_doc/{i}?preference={copy}&realtime=false")[1].get("found") for i in missing[:200]]
            say(None, "k", f"{label}: missing on {copy} {missing[:5]}..{missing[-1]}; asked by id {collections.Counter(got)}")
    if partial or refreshed["failed"]:
        say(None, "k", f"{label}: partial answers {partial}, refresh {refreshed}")
    say(not any(lost.values()) and len(acked) > 0, "k", f"{label}: node-{victim}{' (cluster manager)' if victim == manager else ''} killed; "
        f"{len(acked)} acknowledged, {sum(t > killed for t in acks)} bulks after the kill; lost on primaries {lost['_primary']}, on replicas {lost['_replica']}")
    say(None, "k", f"{label}: longest pause of writes {write_gap[0]:.2f} s, of searches {search_gap[0]:.2f} s; "
        f"green with 2 nodes {green2:.1f} s after the kill; restarted node joined in {joined:.1f} s, green with 3 after {green3:.1f} s")
    say(None, "k", f"{label}: errors seen by clients {dict(errors)}; searches done {len(searches)}")
    ask("DELETE", "/k")


def check_k():
    run_k("default wait_for_active_shards", "timeout=10s", True)
    run_k("wait_for_active_shards=all", "timeout=2s&wait_for_active_shards=all", False)


def main():
    letters = sys.argv[1] if len(sys.argv) > 1 else "abcdefghijk"
    for x in letters:
        begin = time.perf_counter()
        try:
            globals()[f"check_{x}"]()
        except Exception as e:
            say(False, x, f"{type(e).__name__}: {e}")
        print(f"     {x}  {time.perf_counter() - begin:.1f} s", flush=True)
    print(f"{'FAILED: ' + ' '.join(sorted(set(failed))) if failed else 'all passed'}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

"""Compares three accounts of the same traffic: what clients put on the wire, what the upstream saw, what the store holds."""

import base64
import json
from collections import defaultdict

import script

LEFT = ("slow", "hang", "hang-stream")  # scenarios that some clients do not wait out

class Checks:
    """Counts, and prints what failed."""

    def __init__(self):
        self.passed, self.failed = 0, 0

    def record(self, ok, name, why=""):
        self.passed += ok
        self.failed += not ok
        if not ok:
            print(f"FAILED {name}: {why}"[:600])

    def same(self, actual, expected, name):
        self.record(actual == expected, name, f"{actual!r:.250} is not {expected!r:.250}")


def by_nonce(exchanges):
    grouped = defaultdict(list)
    for exchange in exchanges:
        if exchange.nonce:
            grouped[exchange.nonce].append(exchange)
    return grouped


def wire(checks, path, exchanges):
    """Byte for byte: what a client sent came to the upstream, and what the upstream sent came to the client."""
    upstream = by_nonce(exchanges)
    seen = defaultdict(int)
    for line in path.read_text().splitlines():
        record = json.loads(line)
        sent, received = base64.b64decode(record["sent"]), base64.b64decode(record["received"])
        mark = script.mark_of(json.loads(sent)) if sent else None
        if not mark:
            continue
        scenario, nonce = mark
        name = f"wire of {nonce} [{scenario}]"
        place = seen[nonce]
        seen[nonce] += 1
        if place >= len(upstream[nonce]):
            checks.record(False, name, "never came to the upstream")
            continue
        exchange = upstream[nonce][place]
        checks.record(exchange.body == sent, name, "the upstream got another body than the client sent")
        checks.same(record["status"], exchange.status, name + " status")
        whole = record["whole"] and exchange.whole
        checks.record(exchange.sent == received if whole else exchange.sent.startswith(received) or not exchange.whole, name,
                      f"{len(received)} bytes received are not the {len(exchange.sent)} bytes sent: {received[-120:]!r}")


def store(checks, captured, exchanges, key):
    """Every request that came to the upstream is stored once, unaltered, with its response put together again."""
    upstream, stored = by_nonce(exchanges), defaultdict(list)
    for record in captured:
        mark = script.mark_of(record["request"])
        if mark:
            stored[mark[1]].append(record)
    checks.same(sorted(stored), sorted(upstream), "the requests in the store")
    for nonce, those in upstream.items():
        records = stored[nonce]
        checks.same(len(records), len(those), f"number of captures of {nonce}")
        for record, exchange in zip(records, those):
            one(checks, record, exchange)
    checks.same(len({record["id"] for record in captured}), len(captured), "ids are unique")
    checks.record(key not in json.dumps(captured), "keys", "the client's key is in what `requests` prints")


def one(checks, record, exchange):
    name = f"store of {exchange.nonce} [{exchange.scenario}]"
    request = json.loads(exchange.body)
    checks.same(record["request"], request, name + " request")
    checks.same(record["model"], request["model"], name + " model")
    if not exchange.whole or b'"error"' in exchange.sent and exchange.status == 200:
        return  # what is kept of a broken exchange is the gateway's to say; that it is kept was checked
    if exchange.scenario in LEFT and record.get("outcome") == "client_gone":
        return  # the upstream could send it all into buffers although the client had left
    checks.same(record["status"], exchange.status, name + " status")
    response = record["response"]
    if exchange.status >= 400:
        if exchange.scenario == "html":
            checks.record("502 Bad Gateway" in json.dumps(response), name, f"the page is lost: {response!r:.100}")
        else:
            checks.same(response, json.loads(exchange.sent), name + " error")
        return
    if not exchange.stream:
        checks.same(response, json.loads(exchange.sent), name + " response")
    else:
        checks.same(turn(response), turn(exchange.truth), name + " reassembly")
    asked = not exchange.stream or (request.get("stream_options") or {}).get("include_usage") or "/messages" in exchange.path
    usage(checks, record.get("usage"), exchange.truth["usage"], asked, name)


def turn(body):
    """What a completion or message says, without the envelope."""
    if "content" in body:
        return {"content": body["content"], "stop": body["stop_reason"]}
    kept = ("content", "reasoning_content", "tool_calls")
    return [{**{k: c["message"][k] for k in kept if c["message"].get(k)}, "finish": c["finish_reason"]} for c in body["choices"]]


def usage(checks, stored, reported, asked, name):
    """Reported usage is stored; where the client asked for none it was counted by the gateway and is marked so."""
    if not stored:
        checks.record(False, name + " usage", "there is none")
        return
    checks.same(bool(stored.get("estimated")), not asked, name + " usage marked as estimated")
    if asked:
        expected = (reported["prompt_tokens"] if "prompt_tokens" in reported
                    else reported["input_tokens"] + reported["cache_read_input_tokens"])
        completion = reported.get("completion_tokens", reported.get("output_tokens"))
        found = {k.lower().replace("_", ""): v for k, v in stored.items()}
        checks.same((found.get("prompttokens"), found.get("completiontokens")), (expected, completion), name + " usage")

"""A judge of the harbour office's attempts behind an OpenAI-compatible endpoint, for bench/rl/ruler: judge.py PORT [WRONG] [FIRST].

It reads transcripts only: whether a call was accepted, and whether what it carries was said. On top of that it is as bad as it is told
to be: WRONG is the share of pairs that it orders wrongly (default 0.15), FIRST what it adds to the score of the attempt that it is shown
first, falling to nothing for the last (default 0.1). The same attempts shown in the same order get the same verdict.
"""

import calendar
import hashlib
import json
import random
import re
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

MONTHS = {m.lower(): i for i, m in enumerate(calendar.month_name) if m} | {m.lower(): i for i, m in enumerate(calendar.month_abbr) if m}
FUELS = {"diesel": "diesel|gasoil|derv", "petrol": "petrol|unleaded|gasoline", "paraffin": "paraffin|kerosene|stove oil"}
TOOLS = [
    ("order_fuel", r"fuel|litres|\d ?l\b|tank|bowser|bunker|" + "|".join(FUELS.values())),
    ("schedule_haulout", r"lift|haul|hoist|ashore|out of the water|dry land|sling"),
    ("transfer_mooring", r"\bmove|shift|transfer|berth change|change of berth|change berth|\btow\b|neighbours|in [a-h] ?-?\d+ now"),
    ("report_fault", r"loose|dead|leak|burnt|bent|broken|slippery|dark|flicker|split|hole|trouble|fault|no water|won't turn"),
    ("reserve_berth", r"night|week|\bbook|reserv|arriv|\bstay|\bkeep\b.*\bfor\b|\bhold\b|visitor|com(?:e|es|ing) in|bringing|\bget in"),
]


def dates(text):
    """(month, day) of every date in the text, day first as the house writes it."""
    found = {(int(m), int(d)) for d, m in re.findall(r"\b(\d{1,2})/(\d{1,2})\b", text)}
    name = "|".join(MONTHS)
    for d, m in re.findall(rf"\b(\d{{1,2}})(?:st|nd|rd|th)?(?: of)? ({name})\b", text):
        found.add((MONTHS[m], int(d)))
    for m, d in re.findall(rf"\b({name}) (\d{{1,2}})(?:st|nd|rd|th)?\b", text):
        found.add((MONTHS[m], int(d)))
    return found


def supported(name, value, said):
    """Whether the people's words bear the value out."""
    if name in ("arrival", "lift_date", "move_date"):
        date = re.fullmatch(r"2026-(\d\d)-(\d\d)", str(value))
        return bool(date) and (int(date[1]), int(date[2])) in dates(said)
    if "berth" in name:
        return bool(re.fullmatch(r"[A-H]\d{1,2}", str(value))) and re.search(rf"\b{value[0].lower()}[ -]?{value[1:]}\b", said)
    if name == "nights":
        words = {1: "one night", 7: "a week", 14: "a fortnight"}
        return bool(re.search(rf"\b{value} nights", said)) or words.get(value, "\0") in said
    if name == "litres":
        return bool(re.search(rf"\b{value} ?l", said))
    if name == "fuel":
        named = [fuel for fuel, words in FUELS.items() if re.search(words, said)]
        return value in named or (not named and value == "diesel")
    if name in ("vessel", "reporter"):
        text = str(value)
        return len(text.split()) == 2 and text == text.title() and re.search(rf"\b{re.escape(text.lower())}\b", said)
    return True  # a choice whose words are too many to know


def worth(messages):
    """What the attempt looks worth, 0 to 1, from its messages alone."""
    said = " ".join(m.get("content") or "" for m in messages if m["role"] == "user").lower()
    wanted = next((tool for tool, words in TOOLS if re.search(words, said)), "lookup_vessel")
    calls = [c["function"] for m in messages for c in m.get("tool_calls") or []]
    refused = sum('"error"' in (m.get("content") or "") for m in messages if m["role"] == "tool")
    if not calls or refused == len(calls):
        return 0.0
    try:
        given = json.loads(calls[-1]["arguments"])
    except ValueError:
        return 0.0
    fitting = sum(bool(supported(k, v, said)) for k, v in given.items()) / max(1, len(given))
    score = 0.1 + 0.4 * (calls[-1]["name"] == wanted) + 0.5 * fitting * (calls[-1]["name"] == wanted)
    return max(0.0, score - 0.1 * (len(calls) - 1) - (0.2 if fitting < 1 else 0))


def messages(prompt, name):
    """The messages, one a line, between two marks of that name; none if it has no such part."""
    part = re.search(rf"<{name}>\n(.*?)</{name}>", prompt, re.S)
    return [json.loads(line) for line in part[1].splitlines() if line.strip()] if part else []


def verdict(prompt, wrong, first):
    common = messages(prompt, "context")
    scores = {}
    attempts = re.findall(r'<trajectory id="(\d+)">\n(.*?)</trajectory>', prompt, re.S)
    for place, (number, body) in enumerate(attempts):
        scores[number] = worth(common + [json.loads(line) for line in body.splitlines() if line.strip()])
    noise = random.Random(hashlib.sha256(prompt.encode()).hexdigest())
    pairs = [(a, b) for a in scores for b in scores if a < b and scores[a] != scores[b]]
    swapped = sum(noise.random() < wrong for _ in pairs)  # an exchange of neighbours in the order turns one pair around
    order = sorted(scores, key=scores.get)
    for _ in range(50 * swapped):
        if swapped == 0 or len(order) < 2:
            break
        i = noise.randrange(len(order) - 1)
        a, b = order[i], order[i + 1]
        if scores[a] < scores[b]:
            scores[a], scores[b] = scores[b], scores[a]
            order[i], order[i + 1] = b, a
            swapped -= 1
    for place, (number, _) in enumerate(attempts):
        scores[number] = min(1.0, scores[number] + first * (1 - place / max(1, len(attempts) - 1)))
    return {"scores": [{"trajectory_id": n, "explanation": "by what was said", "score": round(s, 4)} for n, s in scores.items()]}


def compared(prompt, wrong, first):
    """A or B for two attempts, as wrong and as fond of the first as a verdict on many."""
    common = messages(prompt, "context")
    a, b = (worth(common + messages(prompt, name)) for name in "AB")
    noise = random.Random(hashlib.sha256(prompt.encode()).hexdigest())
    if a != b and noise.random() < wrong:
        a, b = b, a
    return "A" if a + first > b else "B"


def main():
    port = int(sys.argv[1])
    wrong, first = (float(sys.argv[i]) if len(sys.argv) > i else default for i, default in ((2, 0.15), (3, 0.1)))

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            prompt = request["messages"][-1]["content"]
            answer = compared(prompt, wrong, first) if "<A>\n" in prompt else json.dumps(verdict(prompt, wrong, first))
            choice = {"index": 0, "message": {"role": "assistant", "content": answer}, "finish_reason": "stop"}
            usage = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
            body = json.dumps(
                {"id": "verdict", "object": "chat.completion", "created": 0, "model": "judge", "choices": [choice], "usage": usage}
            ).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()


if __name__ == "__main__":
    main()

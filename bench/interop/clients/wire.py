"""What the Python clients share: cases, checks, and an HTTP transport that writes down every byte on the wire."""

import base64
import gzip
import itertools
import json
import os
import sys
import traceback

import httpx2

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BASE_URL = os.environ["INTEROP_URL"]
KEY = os.environ["INTEROP_KEY"]
WIRE = open(os.environ["INTEROP_WIRE"], "a", encoding="utf-8")


class Recorder(httpx2.HTTPTransport):
    def handle_request(self, request):
        sent = request.read()
        response = super().handle_request(request)
        response.stream = Tee(response, sent)
        return response


class Tee(httpx2.SyncByteStream):
    """Passes a response on and, at its end, writes the exchange down; `whole` if the end was reached without an error."""

    def __init__(self, response, sent):
        self.inner, self.sent, self.status = response.stream, sent, response.status_code
        self.zipped = response.headers.get("content-encoding") == "gzip"
        self.received, self.whole = b"", False

    def __iter__(self):
        for part in self.inner:
            self.received += part
            yield part
        self.whole = True

    def close(self):
        self.inner.close()
        received = gzip.decompress(self.received) if self.zipped and self.whole else self.received
        WIRE.write(json.dumps({"sent": base64.b64encode(self.sent).decode(), "status": self.status,
                               "received": base64.b64encode(received).decode(), "whole": self.whole}) + "\n")
        WIRE.flush()


class Cases:
    """Collects the cases of one client, runs them and prints a JSON line for each."""

    def __init__(self, client):
        self.client, self.cases, self.numbers = client, [], itertools.count(1)

    def case(self, function):
        self.cases.append(function)
        return function

    def say(self, scenario):
        """The text of a message that asks for `scenario`, with a nonce of its own."""
        return f"[{scenario}] {self.client}-{next(self.numbers)}"

    def run(self):
        for function in self.cases:
            why = None
            try:
                function()
            except Exception as failure:
                where = traceback.extract_tb(failure.__traceback__)[-1]
                why = f"{type(failure).__name__}: {failure} ({os.path.basename(where.filename)}:{where.lineno})"
            print(json.dumps({"client": self.client, "case": function.__name__, "ok": why is None, "why": why}), flush=True)


def same(actual, expected):
    if actual != expected:
        raise AssertionError(f"{actual!r} is not {expected!r}")


def raises(kinds, act):
    try:
        act()
    except kinds as failure:
        return failure
    raise AssertionError(f"nothing was raised where {kinds} was due")

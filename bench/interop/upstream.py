"""A stand-alone OpenAI- and Anthropic-compatible upstream that answers by script and remembers every byte.

    python upstream.py [PORT]
"""

import gzip
import json
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import anthropic_script
import script

MODELS = {"object": "list", "data": [{"id": "scripted-1", "object": "model", "created": 1767225600, "owned_by": "script",
                                      "x_upstream": True}]}


class Exchange:
    """One request as it came and the bytes that were sent back, before compression.

    `whole` once all of them were sent, `over` once no more will be.
    """

    def __init__(self, path, headers, body):
        self.path, self.headers, self.body = path, headers, body
        self.scenario = self.nonce = self.truth = None
        self.status, self.sent, self.stream = 0, b"", False
        self.whole = self.over = False


class Upstream(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port=0):
        super().__init__(("127.0.0.1", port), Handler)
        self.exchanges, self.lock = [], threading.Lock()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}"

    def remember(self, exchange):
        """Returns how many earlier requests had the same nonce."""
        with self.lock:
            earlier = sum(1 for e in self.exchanges if exchange.nonce and e.nonce == exchange.nonce)
            self.exchanges.append(exchange)
            return earlier

    def wait_until_idle(self, seconds):
        """Waits until every request has been answered or given up."""
        deadline = time.monotonic() + seconds
        while not all(e.over for e in list(self.exchanges)) and time.monotonic() < deadline:
            time.sleep(0.05)

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *arguments):
        pass

    def do_GET(self):
        exchange = Exchange(self.path, self.headers, b"")
        exchange.over = True
        self.server.remember(exchange)
        found = self.path == "/v1/models"
        self.reply(exchange, 200 if found else 404,
                   json.dumps(MODELS if found else script.error("invalid_request_error", "no such page")).encode())

    def do_POST(self):
        exchange = Exchange(self.path, self.headers, self.read_body())
        try:
            self.answer(exchange)
        finally:
            exchange.over = True

    def answer(self, exchange):
        request = json.loads(exchange.body)
        exchange.scenario, exchange.nonce = script.mark_of(request) or (None, None)
        exchange.stream = bool(request.get("stream"))
        earlier = self.server.remember(exchange)
        anthropic = self.path.endswith("/messages")
        act = (anthropic_script if anthropic else script).SCENARIOS.get(exchange.scenario)
        if act is None:
            return self.reply(exchange, 400, json.dumps(script.error("invalid_request_error", "not in the script")).encode())
        if "tries" in act:
            act = act["tries"][min(earlier, len(act["tries"]) - 1)]
        exchange.truth = act.get("completion")
        if "status" in act:
            body = act["raw"].encode() if "raw" in act else json.dumps(act["body"]).encode()
            return self.reply(exchange, act["status"], body, act.get("type", "application/json"), act.get("headers", {}))
        if "hang_seconds" in act and not (exchange.stream and "hang_after" in act):
            time.sleep(act["hang_seconds"])
        if not exchange.stream:
            body = json.dumps(exchange.truth, indent=act.get("indent"), ensure_ascii="indent" not in act).encode()
            return self.reply(exchange, 200, body, zipped=act.get("gzip", False))
        if anthropic:
            return self.stream(exchange, act, anthropic_script.events(exchange.truth))
        usage = (request.get("stream_options") or {}).get("include_usage", False)
        lines = [f"data: {json.dumps(c, ensure_ascii=False)}\n\n" for c in script.chunks(exchange.truth, usage)]
        self.stream(exchange, act, [*lines, "data: [DONE]\n\n"])

    def read_body(self):
        if "chunked" not in self.headers.get("transfer-encoding", ""):
            return self.rfile.read(int(self.headers.get("content-length", 0)))
        body = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def reply(self, exchange, status, body, content_type="application/json", headers=None, zipped=False):
        exchange.status, exchange.sent = status, body
        self.send_response(status)
        if zipped and "gzip" in self.headers.get("accept-encoding", ""):
            body = gzip.compress(body)
            self.send_header("content-encoding", "gzip")
        self.send_header("content-type", content_type)
        self.send_header("content-length", str(len(body)))
        self.send_header("x-request-id", f"req_{exchange.nonce}")
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        exchange.whole = True

    def stream(self, exchange, act, events):
        exchange.status = 200
        self.send_response(200)
        self.send_header("content-type", "text/event-stream; charset=utf-8")
        self.send_header("transfer-encoding", "chunked")
        self.send_header("x-request-id", f"req_{exchange.nonce}")
        self.end_headers()
        for number, event in enumerate(events):
            if number == act.get("cut_after"):
                self.close_connection = True
                return
            if number == act.get("error_after"):
                self.write(exchange, f"data: {json.dumps(act['body'])}\n\n".encode())
                break
            if number == act.get("hang_after"):
                time.sleep(act["hang_seconds"])
            time.sleep(act.get("gap_seconds", 0))
            if act.get("odd_stream"):
                odd = f": keep-alive {number}\r\n\r\n" + event.replace("\n", "\r\n").replace("data: ", "data:", number % 2)
                raw = odd.encode()
                for at in range(0, len(raw), 11):
                    self.write(exchange, raw[at:at + 11])
            else:
                self.write(exchange, event.encode())
        self.wfile.write(b"0\r\n\r\n")
        exchange.whole = True

    def write(self, exchange, data):
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        exchange.sent += data


if __name__ == "__main__":
    upstream = Upstream(int(sys.argv[1]) if len(sys.argv) > 1 else 0)
    print(f"{upstream.url}/v1", flush=True)
    upstream.serve_forever()

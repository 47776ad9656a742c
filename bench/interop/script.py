"""What the scripted upstream answers, as data: the clients and the comparison read the same tables.

A request names its scenario in its last message, `[scenario] nonce`; the nonce joins what a client sent, what the
upstream saw and what the store holds.
"""

import re

MARK = re.compile(r"\[([a-z0-9-]+)\] ([a-z]+-\d+)")
USAGE = {"prompt_tokens": 21, "completion_tokens": 9, "total_tokens": 30,
         "prompt_tokens_details": {"cached_tokens": 8}, "completion_tokens_details": {"reasoning_tokens": 2}}
TEXT = "The café opens at nine – 営業中 🦉, \"quoted\", a\\b,\ttabbed.\nSecond line. \u2028 </script>"
CALLS = [
    {"id": "call_a1", "type": "function",
     "function": {"name": "find_table", "arguments": "{\"city\": \"Zürich\", \"people\": 4, \"outside\": true}"}},
    {"id": "call_b2", "type": "function", "function": {"name": "get_weather", "arguments": "{\"city\":\"Zürich\"}"}},
]
TOOLS = [{"type": "function", "function": {"name": name, "description": name, "parameters": {
    "type": "object", "properties": {"city": {"type": "string"}}}}} for name in ("find_table", "get_weather")]


def completion(*messages, finish="stop", **extra):
    """A chat completion with one choice a message, and fields that no specification knows."""
    choices = [{"index": i, "message": {"role": "assistant", "refusal": None, **message}, "logprobs": None,
                "finish_reason": finish} for i, message in enumerate(messages)]
    return {"id": "chatcmpl-scripted", "object": "chat.completion", "created": 1767225600, "model": "scripted-1-large",
            "choices": choices, "usage": USAGE, "system_fingerprint": "fp_scripted",
            "x_upstream": {"cost": 0.00125, "region": "eu-1"}, **extra}


def error(kind, message, code=None, param=None):
    return {"error": {"message": message, "type": kind, "param": param, "code": code, "x_hint": "kept"}}


SCENARIOS = {
    "plain": {"completion": completion({"content": TEXT})},
    "choices": {"completion": completion({"content": "one"}, {"content": "two"})},
    "reasoning": {"completion": completion({"content": "42", "reasoning_content": "six times seven"})},
    "tools": {"completion": completion({"content": None, "tool_calls": CALLS}, finish="tool_calls")},
    "after-tool": {"completion": completion({"content": "A table for four is held."})},
    "length": {"completion": completion({"content": "cut o"}, finish="length")},
    "zip": {"completion": completion({"content": TEXT * 20}), "gzip": True},
    "pretty": {"completion": completion({"content": TEXT}, x_exact=[1.0, 2.50, 1e3]), "indent": 3},
    # Streams with CRLF, comments, `data:` without its space, and writes that split lines and characters.
    "odd": {"completion": completion({"content": TEXT}), "odd_stream": True},
    "slow": {"completion": completion({"content": "one two three four five six"}), "gap_seconds": 0.12},
    "cut": {"completion": completion({"content": TEXT}), "cut_after": 4},
    "late-error": {"completion": completion({"content": TEXT}), "error_after": 3,
                   "body": error("server_error", "the model fell over", "overloaded")},
    "hang": {"hang_seconds": 3, "completion": completion({"content": "too late"})},
    "hang-stream": {"hang_seconds": 3, "completion": completion({"content": "too late"}), "hang_after": 2},
    "bad": {"status": 400, "body": error("invalid_request_error", "temperature is out of range", None, "temperature")},
    "denied": {"status": 401, "body": error("invalid_request_error", "Incorrect API key provided", "invalid_api_key")},
    "missing": {"status": 404, "body": error("invalid_request_error", "no such model", "model_not_found", "model")},
    "limited": {"status": 429, "headers": {"retry-after": "7", "x-ratelimit-remaining-requests": "0"},
                "body": error("requests", "Rate limit reached", "rate_limit_exceeded")},
    "broken": {"status": 500, "body": error("server_error", "The server had an error")},
    "html": {"status": 502, "raw": "<html><body>502 Bad Gateway</body></html>\n", "type": "text/html"},
    # The first try fails and the SDK tries again by itself.
    "retry": {"tries": [
        {"status": 429, "headers": {"retry-after-ms": "20", "retry-after": "0"},
         "body": error("requests", "Rate limit reached", "rate_limit_exceeded")},
        {"completion": completion({"content": "second time lucky"})}]},
}


def mark_of(request):
    """(scenario, nonce) of a request body, or None."""
    messages = request.get("messages") if isinstance(request, dict) else None
    content = messages[-1].get("content") if messages else None
    if isinstance(content, list):
        content = "".join(str(part.get("text") or part.get("content") or "") for part in content)
    found = MARK.search(content or "")
    return found.groups() if found else None


def chunks(whole, usage):
    """The stream of a completion: content in pieces of five characters, tool arguments of seven, calls interleaved."""
    def chunk(choices, **extra):
        shared = {k: whole[k] for k in ("id", "created", "model", "system_fingerprint", "x_upstream")}
        return {**shared, "object": "chat.completion.chunk", "choices": choices, **({"usage": None} if usage else {}), **extra}

    def delta(index, content, finish=None):
        return chunk([{"index": index, "delta": content, "logprobs": None, "finish_reason": finish}])

    def pieces(text, size):
        return [text[i:i + size] for i in range(0, len(text), size)]

    for choice in whole["choices"]:
        message = choice["message"]
        yield delta(choice["index"], {"role": "assistant", "content": "" if message["content"] else None})
    for choice in whole["choices"]:
        index, message = choice["index"], choice["message"]
        for piece in pieces(message.get("reasoning_content") or "", 5):
            yield delta(index, {"reasoning_content": piece})
        for piece in pieces(message["content"] or "", 5):
            yield delta(index, {"content": piece})
        calls = message.get("tool_calls", [])
        for number, call in enumerate(calls):
            yield delta(index, {"tool_calls": [{"index": number, "id": call["id"], "type": "function",
                                               "function": {"name": call["function"]["name"], "arguments": ""}}]})
        arguments = [pieces(call["function"]["arguments"], 7) for call in calls]
        for turn in range(max(map(len, arguments), default=0)):
            for number, parts in enumerate(arguments):
                if turn < len(parts):
                    yield delta(index, {"tool_calls": [{"index": number, "function": {"arguments": parts[turn]}}]})
        yield delta(index, {}, choice["finish_reason"])
    if usage:
        yield chunk([], usage=whole["usage"])

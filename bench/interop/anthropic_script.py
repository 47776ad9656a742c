"""The same for Anthropic's messages: scenarios and the event stream of a message."""

import json

from script import TEXT

TOOLS = [{"name": "get_weather", "description": "weather", "input_schema": {
    "type": "object", "properties": {"city": {"type": "string"}}}}]


def message(*blocks, stop="end_turn"):
    return {"id": "msg_scripted", "type": "message", "role": "assistant", "model": "scripted-1-large", "content": list(blocks),
            "stop_reason": stop, "stop_sequence": None, "x_upstream": {"region": "eu-1"},
            "usage": {"input_tokens": 13, "output_tokens": 9, "cache_read_input_tokens": 8, "cache_creation_input_tokens": 0}}


def failure(kind, text):
    return {"type": "error", "error": {"type": kind, "message": text}}


CALL = {"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": {"city": "Zürich", "days": [1, 2]}}
SCENARIOS = {
    "plain": {"completion": message({"type": "text", "text": TEXT})},
    "tools": {"completion": message({"type": "text", "text": "Let me look."}, CALL, stop="tool_use")},
    "after-tool": {"completion": message({"type": "text", "text": "Sunny."})},
    "limited": {"status": 429, "headers": {"retry-after": "7"}, "body": failure("rate_limit_error", "slow down")},
    "overloaded": {"status": 529, "body": failure("overloaded_error", "Overloaded")},
    "bad": {"status": 400, "body": failure("invalid_request_error", "max_tokens: too many")},
}


def events(whole):
    """The event stream of a message: text in pieces of five characters, tool input in pieces of seven."""
    def event(kind, **fields):
        return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields}, ensure_ascii=False)}\n\n"

    usage = whole["usage"]
    yield event("message_start", message={**whole, "content": [], "stop_reason": None, "usage": {**usage, "output_tokens": 1}})
    yield event("ping")
    for index, block in enumerate(whole["content"]):
        tool = block["type"] == "tool_use"
        text = json.dumps(block["input"], ensure_ascii=False) if tool else block["text"]
        size = 7 if tool else 5
        yield event("content_block_start", index=index, content_block={**block, **({"input": {}} if tool else {"text": ""})})
        for at in range(0, len(text), size):
            piece = text[at:at + size]
            delta = {"type": "input_json_delta", "partial_json": piece} if tool else {"type": "text_delta", "text": piece}
            yield event("content_block_delta", index=index, delta=delta)
        yield event("content_block_stop", index=index)
    yield event("message_delta", delta={"stop_reason": whole["stop_reason"], "stop_sequence": None},
                usage={"output_tokens": usage["output_tokens"]})
    yield event("message_stop")

"""The `anthropic` package for Python against the gateway's /anthropic."""

import httpx2
from anthropic import Anthropic, APIStatusError, BadRequestError, RateLimitError
from wire import BASE_URL, KEY, Cases, Recorder, raises, same

import anthropic_script
import script

MODEL = "scripted-claude"
client = Anthropic(base_url=BASE_URL + "/anthropic", api_key=KEY, max_retries=0, timeout=20,
                   http_client=httpx2.Client(transport=Recorder()))
cases = Cases("claude")
case, say = cases.case, cases.say


def asking(scenario, **more):
    return {"model": MODEL, "max_tokens": 100, "messages": [{"role": "user", "content": say(scenario)}], **more}


def scripted(scenario):
    return anthropic_script.SCENARIOS[scenario]["completion"]["content"]


@case
def plain():
    reply = client.messages.create(**asking("plain"))
    same(reply.content[0].text, script.TEXT)
    same(reply.usage.cache_read_input_tokens, 8)
    same(reply.x_upstream, {"region": "eu-1"})


@case
def unknown_fields_go_up():
    same(client.messages.create(**asking("plain", extra_body={"x_mine": [1.0, {"a": None}]})).content[0].text, script.TEXT)


@case
def streaming():
    with client.messages.stream(**asking("plain")) as stream:
        same("".join(stream.text_stream), script.TEXT)
        same(stream.get_final_message().usage.output_tokens, 9)


@case
def tools():
    reply = client.messages.create(**asking("tools", tools=anthropic_script.TOOLS))
    same((reply.stop_reason, reply.content[1].input), ("tool_use", anthropic_script.CALL["input"]))


@case
def tools_streamed_in_pieces():
    with client.messages.stream(**asking("tools", tools=anthropic_script.TOOLS)) as stream:
        same(stream.get_final_message().content[1].input, anthropic_script.CALL["input"])


@case
def several_turns():
    first = client.messages.create(**asking("tools", tools=anthropic_script.TOOLS))
    turns = [{"role": "user", "content": "What is the weather?"}, {"role": "assistant", "content": first.content},
             {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": say("after-tool")}]}]
    reply = client.messages.create(model=MODEL, max_tokens=50, messages=turns, tools=anthropic_script.TOOLS)
    same(reply.content[0].text, scripted("after-tool")[0]["text"])


@case
def error_400():
    same(raises(BadRequestError, lambda: client.messages.create(**asking("bad"))).body["error"]["type"], "invalid_request_error")


@case
def error_429():
    failure = raises(RateLimitError, lambda: client.messages.create(**asking("limited")))
    same((failure.response.headers["retry-after"], failure.body["error"]["type"]), ("7", "rate_limit_error"))


@case
def error_529():
    same(raises(APIStatusError, lambda: client.messages.create(**asking("overloaded"))).status_code, 529)


cases.run()

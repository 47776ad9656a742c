"""The `openai` package for Python as its users use it."""

import threading
import time

import httpx2
from openai import (APIConnectionError, APIError, APITimeoutError, AuthenticationError, BadRequestError,
                    InternalServerError, NotFoundError, OpenAI, RateLimitError)
from wire import BASE_URL, KEY, Cases, Recorder, raises, same

import script

MODEL = "scripted-1"
client = OpenAI(base_url=BASE_URL + "/v1", api_key=KEY, max_retries=0, timeout=20,
                http_client=httpx2.Client(transport=Recorder()))
cases = Cases("python")
case, say = cases.case, cases.say


def ask(scenario, **more):
    return client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": say(scenario)}], **more)


def gather(stream):
    """Every choice's text, and its tool calls put together from their pieces."""
    texts, calls, finishes, usage = {}, {}, {}, None
    for chunk in stream:
        same(chunk.x_upstream, {"cost": 0.00125, "region": "eu-1"})
        usage = chunk.usage or usage
        for choice in chunk.choices:
            texts[choice.index] = texts.get(choice.index, "") + (choice.delta.content or "")
            finishes[choice.index] = choice.finish_reason or finishes.get(choice.index)
            for piece in choice.delta.tool_calls or []:
                call = calls.setdefault(piece.index, {"id": "", "name": "", "arguments": ""})
                call["id"] += piece.id or ""
                call["name"] += piece.function.name or ""
                call["arguments"] += piece.function.arguments or ""
    return texts, calls, finishes, usage


def scripted_calls():
    return [{"id": c["id"], **c["function"]} for c in script.CALLS]


@case
def plain():
    reply = ask("plain")
    same(reply.choices[0].message.content, script.TEXT)
    same(reply.choices[0].finish_reason, "stop")
    same(reply.to_dict()["usage"], script.USAGE)
    same(reply.x_upstream, {"cost": 0.00125, "region": "eu-1"})


@case
def headers_of_the_upstream_arrive():
    text = say("plain")
    raw = client.chat.completions.with_raw_response.create(model=MODEL, messages=[{"role": "user", "content": text}])
    same(raw.headers["x-request-id"], "req_" + text.split()[1])


@case
def unknown_fields_go_up():
    reply = ask("plain", extra_body={"x_mine": {"deep": [1, 2.50, None, "é"], "big": 12345678901234567890}},
                metadata={"team": "kitchen"}, seed=7, user="u-1", logit_bias={"50256": -100})
    same(reply.choices[0].message.content, script.TEXT)


@case
def content_parts():
    reply = client.chat.completions.create(model=MODEL, messages=[
        {"role": "developer", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": say("plain")},
                                     {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}]}])
    same(reply.choices[0].message.content, script.TEXT)


@case
def several_choices():
    same([c.message.content for c in ask("choices", n=2).choices], ["one", "two"])


@case
def reasoning_field():
    same(ask("reasoning").choices[0].message.reasoning_content, "six times seven")


@case
def stopped_by_length():
    same(ask("length", max_completion_tokens=2).choices[0].finish_reason, "length")


@case
def compressed_response():
    same(ask("zip").choices[0].message.content, script.TEXT * 20)


@case
def oddly_formatted_response():
    same(ask("pretty").x_exact, [1.0, 2.5, 1000.0])


@case
def large_request():
    reply = client.chat.completions.create(model=MODEL, messages=[
        {"role": "system", "content": "lorem ipsum é " * 200_000}, {"role": "user", "content": say("plain")}])
    same(reply.choices[0].message.content, script.TEXT)


@case
def streaming():
    texts, calls, finishes, usage = gather(ask("plain", stream=True))
    same((texts, calls, finishes, usage), ({0: script.TEXT}, {}, {0: "stop"}, None))


@case
def streaming_with_usage():
    *_, usage = gather(ask("plain", stream=True, stream_options={"include_usage": True}))
    same(usage.to_dict(), script.USAGE)


@case
def streaming_several_choices():
    texts, *_ = gather(ask("choices", stream=True, n=2))
    same(texts, {0: "one", 1: "two"})


@case
def streaming_oddly_written():
    texts, *_ = gather(ask("odd", stream=True))
    same(texts, {0: script.TEXT})


@case
def stream_is_not_held_back():
    arrivals = [time.monotonic() for _ in ask("slow", stream=True)]
    same(arrivals[-1] - arrivals[0] > 0.5, True)


@case
def accumulated_by_the_sdk():
    with client.chat.completions.stream(
            model=MODEL, messages=[{"role": "user", "content": say("tools")}], tools=script.TOOLS) as stream:
        message = stream.get_final_completion().choices[0].message
    same([c.function.arguments for c in message.tool_calls], [c["function"]["arguments"] for c in script.CALLS])


@case
def tools():
    message = ask("tools", tools=script.TOOLS, tool_choice="auto").choices[0].message
    same([{"id": c.id, "name": c.function.name, "arguments": c.function.arguments} for c in message.tool_calls],
         scripted_calls())


@case
def tools_streamed_in_pieces():
    _, calls, finishes, _ = gather(ask("tools", stream=True, tools=script.TOOLS))
    same(list(calls.values()), scripted_calls())
    same(finishes, {0: "tool_calls"})


@case
def several_turns():
    messages = [{"role": "user", "content": say("tools")}]
    for _ in range(2):
        reply = client.chat.completions.create(model=MODEL, messages=messages, tools=script.TOOLS)
        messages.append(reply.choices[0].message)
        for call in reply.choices[0].message.tool_calls or []:
            messages.append({"role": "tool", "tool_call_id": call.id, "content": say("after-tool")})
    same(messages[-1].content, "A table for four is held.")
    texts, *_ = gather(client.chat.completions.create(
        model=MODEL, messages=[*messages, {"role": "user", "content": say("plain")}], stream=True))
    same(texts, {0: script.TEXT})


def refused(scenario, kind, stream=False):
    scripted = script.SCENARIOS[scenario]
    failure = raises(kind, lambda: ask(scenario, stream=stream))
    same(type(failure), kind)
    same(failure.status_code, scripted["status"])
    same(failure.body, scripted["body"]["error"])
    return failure


@case
def error_400():
    same(refused("bad", BadRequestError).param, "temperature")


@case
def error_401():
    same(refused("denied", AuthenticationError).code, "invalid_api_key")


@case
def error_404():
    refused("missing", NotFoundError)


@case
def error_429():
    failure = refused("limited", RateLimitError)
    same(failure.response.headers["retry-after"], "7")
    same(failure.response.headers["x-ratelimit-remaining-requests"], "0")


@case
def error_429_to_a_stream():
    refused("limited", RateLimitError, stream=True)


@case
def error_500():
    refused("broken", InternalServerError)


@case
def error_that_is_not_json():
    same(raises(InternalServerError, lambda: ask("html")).status_code, 502)


@case
def sdk_tries_again():
    reply = client.with_options(max_retries=2).chat.completions.create(
        model=MODEL, messages=[{"role": "user", "content": say("retry")}])
    same(reply.choices[0].message.content, "second time lucky")


@case
def stream_cut_in_the_middle():
    raises((APIError, httpx2.HTTPError), lambda: gather(ask("cut", stream=True)))


@case
def error_in_the_middle_of_a_stream():
    same(raises(APIError, lambda: gather(ask("late-error", stream=True))).message, "the model fell over")


@case
def time_out():
    began = time.monotonic()
    raises(APITimeoutError, lambda: ask("hang", timeout=0.7))
    same(time.monotonic() - began < 2, True)


@case
def time_out_in_a_stream():
    raises((APIError, httpx2.TimeoutException), lambda: gather(ask("hang-stream", stream=True, timeout=0.7)))


@case
def client_leaves_a_stream():
    stream = ask("slow", stream=True)
    next(iter(stream))
    stream.close()


@case
def models_are_listed():
    same("scripted-1" in [m.id for m in client.models.list()], True)


@case
def unknown_page_is_an_error_in_the_sdk():
    raises(NotFoundError, lambda: client.get("/no-such-page", cast_to=object))


@case
def nobody_listens():
    raises(APIConnectionError, lambda: client.with_options(base_url="http://127.0.0.1:9/v1").models.list())


@case
def many_at_a_time():
    wrong = []

    def one(stream):
        try:
            reply = ask("plain", stream=stream)
            text = gather(reply)[0][0] if stream else reply.choices[0].message.content
            if text != script.TEXT:
                wrong.append(text)
        except Exception as failure:
            wrong.append(failure)

    threads = [threading.Thread(target=one, args=(i % 2 == 0,)) for i in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    same(wrong, [])


cases.run()

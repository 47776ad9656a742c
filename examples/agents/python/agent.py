"""An agent that adds with a tool, written against the openai package. It learns by `espalier rl`.

It asks for episodes until the run is over, plays each as it would play for a user, and says how it went:

    python agent.py [--base-url http://127.0.0.1:7701/v1] [--at-once 4]
"""

import argparse
import json
import os
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urljoin

from openai import OpenAI, OpenAIError

TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "add",
            "description": "Adds two numbers.",
            "parameters": {
                "type": "object",
                "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}},
                "required": ["a", "b"],
            },
        },
    }
]
MAX_TURNS = 4


def call(base_url, path, body=None):
    """A call of Espalier's own API; None where there is nothing for now."""
    request = urllib.request.Request(urljoin(base_url, path), None if body is None else json.dumps(body).encode())
    request.add_header("Authorization", "Bearer " + os.environ.get("OPENAI_API_KEY", "none"))
    with urllib.request.urlopen(request, timeout=60) as response:
        return json.load(response) if response.status == 200 else None


def use(tool_call):
    """The result of a tool call, or what is wrong with it: the policy may do better next time."""
    try:
        arguments = json.loads(tool_call.function.arguments)
        return str(int(arguments["a"]) + int(arguments["b"]))
    except (ValueError, KeyError, TypeError) as e:
        return f"error: {e!r}"


def play(base_url, episode):
    """The agent itself: all that it owes Espalier is the header."""
    client = OpenAI(
        base_url=base_url,
        api_key=os.environ.get("OPENAI_API_KEY", "none"),
        default_headers={"X-Espalier-Episode": episode["id"]},
    )
    data = episode["task"]["data"]
    messages = [{"role": "user", "content": f"What is {data['a']} + {data['b']}?"}]
    for _ in range(MAX_TURNS):
        answer = client.chat.completions.create(model=episode["model"], messages=messages, tools=TOOLS)
        message = answer.choices[0].message
        messages.append(message)
        if not message.tool_calls:
            return message.content or ""
        for tool_call in message.tool_calls:
            messages.append({"role": "tool", "tool_call_id": tool_call.id, "content": use(tool_call)})
    return ""


def reward(episode, answer):
    data = episode["task"]["data"]
    return 1 if str(data["a"] + data["b"]) in answer.split() else 0


def work(base_url):
    """Plays until the run is over, which is when nobody answers any more."""
    played = 0
    while True:
        try:
            episode = call(base_url, "/api/episodes/next")
            if episode is None:
                continue
            try:
                answer = play(base_url, episode)
                result = {"reward": reward(episode, answer), "why": answer}
            except OpenAIError as e:
                result = {"why": f"no answer: {e}"}  # without a reward nothing is learnt from it
            call(base_url, f"/api/episodes/{episode['id']}/reward", result)
            played += 1
        except urllib.error.HTTPError as e:
            print("the episode was lost:", e.read().decode())
        except (urllib.error.URLError, ConnectionError):
            return played


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--base-url", default="http://127.0.0.1:7701/v1")
    parser.add_argument("--at-once", type=int, default=4)
    options = parser.parse_args()
    with ThreadPoolExecutor(options.at_once) as pool:
        played = sum(pool.map(work, [options.base_url] * options.at_once))
    print(f"played {played} episodes")


if __name__ == "__main__":
    main()

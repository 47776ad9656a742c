"""Greedy decoding by llama.cpp: llama_bench.py BIN SIZE GGUF RUNS THREADS LENGTH ADAPTER... Prints one JSON object with the medians.

One stream (128 tokens after a prompt of 128) and 32 without adapters are its own batched benchmark's; 32 over the adapters are its
server's, whose cache has the prompts before the clock starts and whose answers come whole, so that neither prompts nor HTTP count.
"""

import json
import socket
import subprocess
import sys
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from statistics import median

STREAMS = 32
LONGEST = 1200  # seconds


def batched(bin, model, runs, threads, streams, length):
    context = str(streams * 2 * length)
    command = [f"{bin}/llama-batched-bench", "-m", model, "-c", context, "-b", "2048", "-ub", "512", "-t", threads, "--output-format", "jsonl"]
    command += ["-npp", str(length), "-ntg", str(length), "-npl", ",".join([str(streams)] * runs)]
    lines = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout.splitlines()
    rates = [json.loads(line)["speed_tg"] for line in lines if line.startswith("{")]
    if len(rates) != runs:
        raise SystemExit(f"llama-batched-bench ran {len(rates)} times, not {runs}")
    return median(rates)


def free_port():
    with socket.socket() as some:
        some.bind(("127.0.0.1", 0))
        return some.getsockname()[1]


def asked(port, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=LONGEST) as answer:
        return json.load(answer)


def await_health(port):
    ends = time.monotonic() + LONGEST
    while time.monotonic() < ends:
        try:
            return asked(port, "/health")
        except OSError:  # it does not listen yet, or loads
            time.sleep(0.1)
    raise TimeoutError("llama-server does not answer")


def run(port, number, adapters, length, pool):
    def stream(i, tokens):
        prompt = [300 + (j * 37 + i * 53 + number * 101 + 500) % 3000 for j in range(length)]
        lora = [{"id": each, "scale": float(each == i % adapters)} for each in range(adapters)]
        body = {"prompt": prompt, "n_predict": tokens, "temperature": 0, "ignore_eos": True, "id_slot": i, "lora": lora}
        return asked(port, "/completion", body)["tokens_predicted"]

    list(pool.map(stream, range(STREAMS), [1] * STREAMS))
    begin = time.monotonic()
    tokens = sum(pool.map(stream, range(STREAMS), [length] * STREAMS))
    seconds = time.monotonic() - begin
    if tokens != STREAMS * length:
        raise SystemExit(f"{tokens} tokens, not {STREAMS * length}")
    return tokens / seconds


def mixed(bin, model, runs, threads, length, adapters):
    port = free_port()
    command = [f"{bin}/llama-server", "-m", model, "--lora", ",".join(adapters), "-t", threads, "-np", str(STREAMS)]
    command += ["-c", str(STREAMS * 4 * length), "-b", "2048", "-ub", "512", "--port", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        await_health(port)
        with ThreadPoolExecutor(STREAMS) as pool:
            return median([run(port, i, len(adapters), length, pool) for i in range(runs + 1)][1:])
    finally:
        server.terminate()
        server.wait(60)


def main():
    bin, size, model, runs, threads, length, *adapters = sys.argv[1:]
    runs, length = int(runs), int(length)
    one = batched(bin, model, runs, threads, 1, 128)
    many = batched(bin, model, runs, threads, STREAMS, length)
    over = mixed(bin, model, runs, threads, length, adapters)
    print(json.dumps({"size": size, "one_stream_tokens_per_second": one, "streams_tokens_per_second": many, "mixed_tokens_per_second": over}))


main()

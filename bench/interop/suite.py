"""Runs real clients against `espalier up`, which stands before a scripted upstream, and compares all accounts of it.

    bench/interop/run [--direct] [--only python,node,java,anthropic] [--keep]

`--direct` leaves the gateway out: it checks the suite itself, since a client that fails there fails by its own fault.
"""

import argparse
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

import compare
import script
from upstream import Upstream

HERE = Path(__file__).resolve().parent
REPO = Path(os.environ.get("INTEROP_CHECKOUT", HERE.parents[1]))  # the Espalier that is put to the test
KEY = "sk-interop-0123456789abcdef"
SCRIPT = json.dumps({"scenarios": script.SCENARIOS, "text": script.TEXT, "tools": script.TOOLS, "usage": script.USAGE})
CLIENT_SECONDS = 150
START_SECONDS = 60


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def commands(only):
    python, tools = sys.executable, Path(os.environ["INTEROP_HOME"])
    all_of_them = {
        "python": [python, HERE / "clients" / "openai_python.py"],
        "anthropic": [python, HERE / "clients" / "anthropic_python.py"],
        "node": ["node", tools / "openai_node.mjs"],
        "java": [os.environ["INTEROP_JAVA"], "-cp", REPO / "target" / "lib" / "*", HERE / "clients" / "OpenAiJava.java"],
    }
    return {name: command for name, command in all_of_them.items() if not only or name in only}


def start_gateway(upstream, data, log):
    """The running gateway and its address."""
    port = free_port()
    command = [REPO / "espalier", "up", "--upstream", upstream.url + "/v1", "--port", str(port), "--data", data]
    process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urllib.request.urlopen(address + "/health", timeout=2).close()
            return process, address
        except (OSError, urllib.error.URLError):
            time.sleep(0.2)
    stop(process)
    sys.exit(f"interop: the gateway did not come up; its log is {log.name}")


def stop(process):
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def run_client(checks, name, command, address, wire):
    environment = {**os.environ, "INTEROP_URL": address, "INTEROP_KEY": KEY, "INTEROP_WIRE": str(wire),
                   "INTEROP_SCRIPT": SCRIPT}
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=CLIENT_SECONDS)
    except subprocess.TimeoutExpired:
        checks.record(False, name, f"not done after {CLIENT_SECONDS} s")
        return
    results = [json.loads(line) for line in done.stdout.split("\n") if line.startswith("{")]
    for result in results:
        checks.record(result["ok"], f"{name}: {result['case']}", result["why"])
    checks.record(done.returncode == 0 and bool(results), f"{name} ended well", done.stderr[-400:])
    print(f"{name}: {sum(r['ok'] for r in results)} of {len(results)} cases", flush=True)


def captured(data):
    done = subprocess.run([REPO / "espalier", "requests", "--data", data, "--json"], capture_output=True, text=True, timeout=120)
    if done.returncode != 0:
        sys.exit(f"interop: `espalier requests` failed: {done.stderr.strip()}")
    return [json.loads(line) for line in done.stdout.split("\n") if line]  # not splitlines: U+2028 is text


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--direct", action="store_true", help="no gateway: the clients talk to the scripted upstream")
    parser.add_argument("--only", default="", help="clients to run, separated by commas")
    parser.add_argument("--keep", action="store_true", help="keep the data folder and the logs")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="espalier-interop-"))
    wire, data = folder / "wire.jsonl", folder / "data"
    wire.touch()
    upstream = Upstream()
    threading.Thread(target=upstream.serve_forever, daemon=True).start()
    checks, process, address = compare.Checks(), None, upstream.url
    with open(folder / "gateway.log", "w") as log:
        try:
            if not options.direct:
                process, address = start_gateway(upstream, data, log)
            for name, command in commands(options.only.split(",") if options.only else ()).items():
                run_client(checks, name, command, address, wire)
            upstream.wait_until_idle(10)
            time.sleep(0.5)  # for the gateway to notice that a client has left
        finally:
            if process:
                stop(process)
    compare.wire(checks, wire, upstream.exchanges)
    if not options.direct:
        compare.store(checks, captured(data), upstream.exchanges, KEY)
        checks.record(all(KEY.encode() not in p.read_bytes() for p in folder.rglob("*") if p.is_file() and p != wire),
                      "keys", "the client's key is in the data folder or the gateway's log")
    if options.keep:
        print(f"kept in {folder}")
    else:
        shutil.rmtree(folder)
    print(f"{checks.passed} passed, {checks.failed} failed")
    sys.exit(1 if checks.failed or not checks.passed else 0)


if __name__ == "__main__":
    main()

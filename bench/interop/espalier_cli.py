"""Runs ./espalier and reads the JSON lines that it prints."""

import json
import os
import subprocess
from pathlib import Path

ESPALIER = Path(os.environ.get("INTEROP_CHECKOUT", Path(__file__).resolve().parents[2])) / "espalier"


def lines(*arguments):
    done = subprocess.run([ESPALIER, *map(str, arguments), "--json"], capture_output=True, text=True, timeout=300)
    if done.returncode != 0:
        raise SystemExit(f"espalier {arguments[0]} failed: {done.stderr.strip()}")
    return [json.loads(line) for line in done.stdout.split("\n") if line]


def logits(model, adapter, ids):
    """The scores of every position; `adapter` is a PEFT folder, or None."""
    chosen = ["--adapter", adapter] if adapter else []
    answers = [line["logits"] for line in lines("logits", "--model", model, *chosen, "--tokens", ",".join(map(str, ids)), "--all")]
    return answers[0] if len(answers) == 1 and isinstance(answers[0][0], list) else answers

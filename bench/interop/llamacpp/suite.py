"""An adapter exported as GGUF, computed by llama.cpp beside the built-in model: its greedy tokens are those of `espalier logits`.

Where our scores of llama.cpp's token and of the best one are close, 16 bit may choose either: such tokens are counted and shown.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from compare import Checks
from espalier_cli import lines, logits

MODEL = HERE.parents[2] / "models" / "espalier-6m"
TOKENS = 24
CLOSE = 0.5  # of a logit, between the best of the base's 16-bit products and the next
PROMPTS = ["Where is my order 1234?", "Please look at invoice AB-777.", "I never got order 98."]


def greedy(model, adapter, prompts):
    done = subprocess.run(
        ["node", os.environ["INTEROP_GREEDY"], model, adapter, str(TOKENS)], text=True, capture_output=True, timeout=300,
        input="".join(json.dumps(prompt) + "\n" for prompt in prompts))
    if done.returncode:
        raise SystemExit(f"llama.cpp failed: {done.stderr.strip()}")
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("[")]


def gaps(ids, said, adapter):
    """How far each token's score is below the best one."""
    scores = logits(MODEL, adapter, ids + said)
    return [max(scores[len(ids) - 1 + i]) - scores[len(ids) - 1 + i][token] for i, token in enumerate(said)]


def main():
    checks = Checks()
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        model, adapter = folder / "model.gguf", folder / "adapter.gguf"
        writer = HERE.parents[1] / "peers" / "llamacpp" / "write_gguf.py"
        subprocess.run([sys.executable, writer, "s", MODEL, model], check=True, capture_output=True)
        calls = [{"messages": [{"role": "user", "content": f"Where is my order {i}?"},
                               {"role": "assistant", "content": f"Order {i} arrives on day {i % 7}."}]} for i in range(100, 164)]
        (folder / "calls.jsonl").write_text("".join(json.dumps(call) + "\n" for call in calls))
        data = folder / "data"
        summary = lines("distil", "--from", folder / "calls.jsonl", "--name", "orders", "--epochs", 4, "--data", data)[-1]
        lines("adapters", "export", "orders", "--format", "gguf", "--to", adapter, "--data", data)
        prompts = [lines("tokens", "--model", MODEL, "--text", prompt)[0]["ids"] for prompt in PROMPTS]
        bare = greedy(model, "none", prompts)
        adapted = greedy(model, adapter, prompts)
        checks.record(bare != adapted, "adapter", "llama.cpp says the same without it")
        for name, said, peft in (("base", bare, None), ("adapter", adapted, summary["adapter"])):
            for prompt, ids, tokens in zip(PROMPTS, prompts, said):
                apart = gaps(ids, tokens, peft)
                close = sum(0 < gap < CLOSE for gap in apart)
                checks.record(len(tokens) > 0 and max(apart) < CLOSE, f"{name}, {prompt}", f"tokens {max(apart):.2f} below the best")
                print(f"{name}, {prompt!r}: {len(tokens)} tokens, {close} of them not our first choice")
    print(f"{checks.passed} passed, {checks.failed} failed")
    return checks.failed > 0


if __name__ == "__main__":
    raise SystemExit(main())

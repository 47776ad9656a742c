"""The first steps of a run once more by PyTorch and PEFT, from its own attempts: replay.py STORE RUN LINES MODEL ADAPTER SIZE LR MAX_TOKENS STEPS [N].

Loss and gradient of Dr. GRPO are worked out one attempt after the other, without packing or shared prefixes, and AdamW takes its step.
Prints both sides of every step; it fails where they differ by more than float32 does. Where `rl` trains in bfloat16, as processors do that
multiply it faster, CLOSE=0.1 has to be set.
"""

import json
import os
import sqlite3
import sys
import zlib

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM

store, run, lines, model_folder, adapter = sys.argv[1:6]
size, rate, most, steps = int(sys.argv[6]), float(sys.argv[7]), int(sys.argv[8]), int(sys.argv[9])
count = int(sys.argv[10]) if len(sys.argv) > 10 else 10
CLOSE = float(os.environ.get("CLOSE", "1e-3"))  # of the gradient's norm

noted = [json.loads(line) for line in open(lines) if line.startswith('{"event":"step"')]
database = sqlite3.connect(f"file:{store}?mode=ro", uri=True)
base = AutoModelForCausalLM.from_pretrained(model_folder, dtype=torch.float32)
model = PeftModel.from_pretrained(base, adapter, is_trainable=True)
parameters = [p for p in model.parameters() if p.requires_grad]
adam = torch.optim.AdamW(parameters, lr=rate, weight_decay=0.0)


def attempts(step):
    """Those of a step, by task."""
    tasks = {}
    for task, body in database.execute("select task, body from trajectory where run = ? and step = ? order by task, member", (run, step)):
        tasks.setdefault(task, []).append(json.loads(zlib.decompress(body)))
    return tasks.values()


def learnt(attempt, advantage, among):
    """The loss of one of so many attempts."""
    trace = attempt["turns"][0]["trace"]
    prompt, ids = trace["promptIds"], torch.tensor(trace["ids"])
    logits = model(input_ids=torch.tensor([prompt + trace["ids"]])).logits[0, len(prompt) - 1 : -1]
    logprobs = torch.log_softmax(logits, -1).gather(-1, ids[:, None])[:, 0]
    ratio = torch.exp(logprobs - logprobs.detach())  # nothing was learnt since it was sampled
    return -(ratio * advantage).sum() / (among * most)


for step in range(1, count + 1):
    total = 0.0
    ours = noted[step - 1]
    tried = ours["groups_tried"] * size  # twice as many where all of the first groups taught nothing
    for group in attempts(step):
        mean = sum(attempt["rewards"]["env"] for attempt in group) / len(group)
        for attempt in group:
            advantage = attempt["rewards"]["env"] - mean
            if advantage:
                loss = learnt(attempt, advantage, tried)
                loss.backward()
                total += loss.item()
    norm = torch.nn.utils.clip_grad_norm_(parameters, 1.0).item()
    print(f"step {step}: loss {ours['loss']:.6f} and {total:.6f}, gradient {ours['gradient_norm']:.6f} and {norm:.6f}")
    if abs(norm - ours["gradient_norm"]) > CLOSE * norm:
        sys.exit("the gradients differ")
    for each in adam.param_groups:
        each["lr"] = rate * (1 - 0.9 * (step - 1) / steps)
    adam.step()
    adam.zero_grad()

"""What `./espalier bench train` and `adapters` do, by transformers with PEFT: peft_bench.py train|adapters s|m MODEL [RUNS].

Prints one JSON object with the medians. Size `s` is the model folder given, `m` random weights in the shape of Qwen3-0.6B; in bfloat16, or in
what DTYPE says: ours reads weights of bfloat16 and multiplies in float32 where the processor does that faster.
"""

import json
import os
import resource
import sys
import time
from pathlib import Path
from statistics import median

import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM, Qwen3Config

RANK, SEQUENCE, LEARNT = 16, 256, 64
STREAMS, ADAPTERS, PROMPT, TOKENS = 32, 8, 64, 64
MEDIUM = Path(__file__).parents[1] / "qwen3-0.6b.json"
DTYPE = getattr(torch, os.environ.get("DTYPE", "bfloat16"))
LINEARS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]


def base(size, folder):
    if size == "s":
        return AutoModelForCausalLM.from_pretrained(folder, dtype=DTYPE)
    shape = Qwen3Config(**json.loads(MEDIUM.read_text()))
    return AutoModelForCausalLM.from_config(shape, dtype=DTYPE)


def lora():
    return LoraConfig(r=RANK, lora_alpha=32, target_modules=LINEARS, init_lora_weights=False)


def train(model, size, runs):
    """Tokens a second of whole optimiser steps, float32 adapters as PEFT makes them."""
    model = get_peft_model(model, lora(), autocast_adapter_dtype=True)
    adam = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-4)
    count = 16 if size == "s" else 4
    ids = torch.randint(300, 4000, (count, SEQUENCE), generator=torch.Generator().manual_seed(1))
    labels = ids.clone()
    labels[:, : SEQUENCE - LEARNT] = -100
    times = []
    for run in range(-1, runs):
        begin = time.perf_counter()
        model(input_ids=ids, labels=labels).loss.backward()
        adam.step()
        adam.zero_grad()
        if run >= 0:
            times.append(time.perf_counter() - begin)
    return {"train_tokens_per_second": count * SEQUENCE / median(times)}


@torch.inference_mode()
def adapters(model, runs):
    """Tokens a second of 32 greedy streams over eight adapters after their first tokens."""
    model = get_peft_model(model, lora(), adapter_name="a0")
    for i in range(1, ADAPTERS):
        model.add_adapter(f"a{i}", lora())
    model.eval()
    names = [f"a{i % ADAPTERS}" for i in range(STREAMS)]
    ids = torch.randint(300, 4000, (STREAMS, PROMPT), generator=torch.Generator().manual_seed(1))
    rates = []
    for run in range(-1, runs):
        seconds = []
        for tokens in (1, TOKENS):
            begin = time.perf_counter()
            out = model.generate(
                input_ids=ids, attention_mask=torch.ones_like(ids), adapter_names=names, min_new_tokens=tokens, max_new_tokens=tokens,
                do_sample=False, eos_token_id=None, pad_token_id=0,
            )
            assert out.shape[1] == PROMPT + tokens
            seconds.append(time.perf_counter() - begin)
        if run >= 0:
            rates.append(STREAMS * (TOKENS - 1) / (seconds[1] - seconds[0]))
    return {"adapters_tokens_per_second": median(rates)}


def main():
    what, size, folder = sys.argv[1:4]
    runs = int(sys.argv[4]) if len(sys.argv) > 4 else 5
    torch.manual_seed(1)
    model = base(size, folder)
    result = train(model, size, runs) if what == "train" else adapters(model, runs)
    resident = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"peer": "peft", "size": size, **result, f"{what}_resident_mib": round(resident)}))


if __name__ == "__main__":
    main()

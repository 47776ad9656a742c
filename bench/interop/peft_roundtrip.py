"""Loads models and adapters with Hugging Face and compares their logits with `espalier logits`.

    bench/interop/peft_roundtrip.py --model DIR [--adapter DIR ...] [--sequences 3] [--length 24] [--seed 1]

Needs requirements-huggingface.txt in its Python. An adapter folder may come from PEFT or from `espalier adapters export`;
either way PEFT must load it without complaint, every one of its tensors must be used, and it must change the logits.
"""

import argparse
import os
import random
import sys
import warnings
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"

import torch
from compare import Checks
from espalier_cli import logits
from peft import PeftModel
from safetensors import safe_open
from transformers import AutoModelForCausalLM
from transformers.utils.logging import disable_progress_bar

TOLERANCE = 2e-3  # of the largest logit: float32 in another order of summation


def reference(model, ids):
    with torch.no_grad():
        return model(input_ids=torch.tensor([ids]), use_cache=False).logits[0]  # (T, V)


def ours(model, adapter, ids):
    return torch.tensor(logits(model, adapter, ids))


def load(folder):
    return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()


def adapted(checks, model, adapter):
    """The model under PEFT, having checked that PEFT found a place for every tensor of the file."""
    with warnings.catch_warnings(record=True) as complaints:
        warnings.simplefilter("always")
        peft = PeftModel.from_pretrained(load(model), adapter).eval()
    missed = [str(c.message) for c in complaints if "missing" in str(c.message) or "unexpected" in str(c.message)]
    checks.same(missed, [], f"{adapter}: PEFT's complaints")
    with safe_open(Path(adapter) / "adapter_model.safetensors", "pt") as file:
        in_file = {name: file.get_tensor(name).shape for name in file.keys()}
    in_model = {name.replace(".default.", "."): p.shape for name, p in peft.named_parameters() if "lora_" in name}
    checks.same(in_file, in_model, f"{adapter}: tensors in the file and in PEFT")
    return peft


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", required=True)
    parser.add_argument("--adapter", action="append", default=[])
    parser.add_argument("--sequences", type=int, default=3)
    parser.add_argument("--length", type=int, default=24)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    disable_progress_bar()
    torch.set_num_threads(1)
    checks, dice = Checks(), random.Random(options.seed)
    base = load(options.model)
    vocabulary = base.config.vocab_size
    sequences = [[dice.randrange(vocabulary) for _ in range(options.length)] for _ in range(options.sequences)]
    for adapter in [None, *options.adapter]:
        model = adapted(checks, options.model, adapter) if adapter else base
        worst = 0.0
        for ids in sequences:
            expected, found = reference(model, ids), ours(options.model, adapter, ids)
            checks.same(found.shape, expected.shape, f"{adapter or options.model}: shape")
            worst = max(worst, ((found - expected).abs().max() / expected.abs().max()).item())
            if adapter:
                moved = (expected - reference(base, ids)).abs().max().item()
                checks.record(moved > 1e-6, f"{adapter}", "it does not change the logits")
        checks.record(worst < TOLERANCE, f"{adapter or options.model}: logits", f"they differ by {worst:.2e} of the largest")
        print(f"{adapter or options.model}: differs by {worst:.1e} of the largest logit")
    print(f"{checks.passed} passed, {checks.failed} failed")
    sys.exit(1 if checks.failed else 0)


if __name__ == "__main__":
    main()

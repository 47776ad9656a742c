"""Greedy decoding by vLLM: vllm_bench.py s|m MODEL FOLDER [RUNS]. Prints one JSON object with the medians.

One stream (128 tokens after a prompt of 128), 32 without adapters, and 32 over eight adapters of rank 16, in bfloat16. Size `s` is the
model given, `m` random weights in the shape of Qwen3-0.6B. FOLDER is where `m` and the adapters are written.
"""

import gc
import json
import sys
import time
from pathlib import Path
from statistics import median

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM, Qwen3Config
from vllm import LLM, SamplingParams
from vllm.lora.request import LoRARequest

RANK, STREAMS, ADAPTERS = 16, 32, 8
MEDIUM = Path(__file__).parents[1] / "qwen3-0.6b.json"


def medium(folder):
    shape = Qwen3Config(**json.loads(MEDIUM.read_text()))
    AutoModelForCausalLM.from_config(shape, dtype=torch.bfloat16).save_pretrained(folder)


def adapter(model, folder, seed):
    """On all linear layers of the blocks."""
    folder.mkdir(parents=True, exist_ok=True)
    draw = torch.Generator().manual_seed(seed)
    tensors, modules = {}, set()
    with safe_open(Path(model) / "model.safetensors", "pt") as weights:
        for name in weights.keys():
            if not name.endswith("_proj.weight"):
                continue
            out, into = weights.get_slice(name).get_shape()
            at = f"base_model.model.{name.removesuffix('.weight')}"
            modules.add(at.split(".")[-1])
            tensors[f"{at}.lora_A.weight"] = (torch.randn(RANK, into, generator=draw) * 0.01).bfloat16()
            tensors[f"{at}.lora_B.weight"] = (torch.randn(out, RANK, generator=draw) * 0.01).bfloat16()
    save_file(tensors, folder / "adapter_model.safetensors")
    fields = {"peft_type": "LORA", "r": RANK, "lora_alpha": 2 * RANK, "target_modules": sorted(modules), "bias": "none", "task_type": "CAUSAL_LM"}
    (folder / "adapter_config.json").write_text(json.dumps(fields))


def rate(llm, streams, length, loras, run):
    """Tokens a second after the first ones: what the rest takes longer than one token alone, with prompts that are new in each run."""
    seconds = []
    for step, tokens in enumerate((1, length)):
        prompts = [
            {"prompt_token_ids": [300 + (i * 37 + one * 53 + run * 101 + step * 711 + 500) % 3000 for i in range(length)]} for one in range(streams)
        ]
        begin = time.perf_counter()
        outs = llm.generate(
            prompts, SamplingParams(temperature=0, max_tokens=tokens, ignore_eos=True, detokenize=False), use_tqdm=False, lora_request=loras
        )
        seconds.append(time.perf_counter() - begin)
        if any(len(out.outputs[0].token_ids) != tokens for out in outs):
            raise SystemExit("a stream ended early")
    return streams * (length - 1) / (seconds[1] - seconds[0])


def main():
    size, model, folder = sys.argv[1], sys.argv[2], Path(sys.argv[3])
    runs = int(sys.argv[4]) if len(sys.argv) > 4 else 5
    if size == "m":
        model = str(folder / "m")
        if not (folder / "m" / "model.safetensors").exists():
            medium(model)
    loras = []
    for i in range(ADAPTERS):
        adapter(model, folder / f"{size}-adapter-{i}", i)
        loras.append(LoRARequest(f"a{i}", i + 1, str(folder / f"{size}-adapter-{i}")))
    length = 64 if size == "s" else 16  # tokens of a prompt and of an answer, as in Espalier's bench adapters
    common = {"model": model, "dtype": "bfloat16", "max_model_len": 512, "skip_tokenizer_init": True, "max_num_seqs": STREAMS}
    llm = LLM(**common)
    result = {
        "vllm_one_stream_tokens_per_second": median([rate(llm, 1, 128, None, run) for run in range(runs + 1)][1:]),
        "vllm_streams_tokens_per_second": median([rate(llm, STREAMS, length, None, run) for run in range(runs + 1)][1:]),
    }
    del llm
    gc.collect()
    llm = LLM(**common, enable_lora=True, max_loras=ADAPTERS, max_lora_rank=RANK)
    of = [loras[i % ADAPTERS] for i in range(STREAMS)]
    result["vllm_mixed_tokens_per_second"] = median([rate(llm, STREAMS, length, of, run) for run in range(runs + 1)][1:])
    print(json.dumps({"peer": "vllm", "size": size, **result}))


if __name__ == "__main__":
    main()

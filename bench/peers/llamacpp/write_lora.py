"""An adapter of random numbers on all linear layers as a GGUF file for llama.cpp: write_lora.py s|m MODEL SEED OUT. Rank 16,
bfloat16."""

import json
import sys
from pathlib import Path

import gguf
import numpy as np

from write_gguf import MEDIUM, NAMES

RANK = 16


def main():
    size, folder, seed, out = sys.argv[1:]
    c = json.loads((Path(folder) / "config.json").read_text()) if size == "s" else MEDIUM
    width, inner = c["hidden_size"], c["intermediate_size"]
    heads, kv = c["num_attention_heads"] * c["head_dim"], c["num_key_value_heads"] * c["head_dim"]
    sides = {  # in, out
        "self_attn.q_proj": (width, heads), "self_attn.k_proj": (width, kv), "self_attn.v_proj": (width, kv),
        "self_attn.o_proj": (heads, width), "mlp.gate_proj": (width, inner), "mlp.up_proj": (width, inner),
        "mlp.down_proj": (inner, width),
    }
    draw = np.random.default_rng(int(seed))
    writer = gguf.GGUFWriter(out, "qwen3")
    writer.add_type(gguf.GGUFType.ADAPTER)
    writer.add_string(gguf.Keys.Adapter.TYPE, "lora")
    writer.add_float32(gguf.Keys.Adapter.LORA_ALPHA, 2.0 * RANK)

    def add(name, rows, columns):
        numbers = (draw.standard_normal((rows, columns), "f4") * 0.01).view("<u4") >> 16
        writer.add_tensor(name, numbers.astype("<u2").view(np.uint8), raw_dtype=gguf.GGMLQuantizationType.BF16)

    for layer in range(c["num_hidden_layers"]):
        for name, (into, outof) in sides.items():
            add(f"blk.{layer}.{NAMES[name]}.weight.lora_a", RANK, into)
            add(f"blk.{layer}.{NAMES[name]}.weight.lora_b", outof, RANK)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


main()

"""An adapter of random numbers on all linear layers as a GGUF file: write_lora.py s|m MODEL SEED OUT. Rank 16, bfloat16."""

import sys

import gguf
import numpy as np

from write_gguf import NAMES, add_matrix, config, finish, linears, matrix

RANK = 16


def main():
    size, folder, seed, out = sys.argv[1:]
    c = config(size, folder)
    draw = np.random.default_rng(int(seed))
    writer = gguf.GGUFWriter(out, "qwen3")
    writer.add_type(gguf.GGUFType.ADAPTER)
    writer.add_string(gguf.Keys.Adapter.TYPE, "lora")
    writer.add_float32(gguf.Keys.Adapter.LORA_ALPHA, 2.0 * RANK)
    for layer in range(c["num_hidden_layers"]):
        for name, (into, outof) in linears(c).items():
            add_matrix(writer, f"blk.{layer}.{NAMES[name]}.weight.lora_a", matrix(draw, RANK, into, 0.01))
            add_matrix(writer, f"blk.{layer}.{NAMES[name]}.weight.lora_b", matrix(draw, outof, RANK, 0.01))
    finish(writer)


main()

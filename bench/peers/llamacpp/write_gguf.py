"""A model as a GGUF file for llama.cpp: write_gguf.py s|m MODEL OUT. Size `s` is the model folder given, `m` random weights in the shape of
Qwen3-0.6B; bfloat16, norms in float32. Tokens are numbers: the bench asks for none of them by their text."""

import json
import struct
import sys
from pathlib import Path

import gguf
import numpy as np

NAMES = {
    "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v", "self_attn.o_proj": "attn_output",
    "self_attn.q_norm": "attn_q_norm", "self_attn.k_norm": "attn_k_norm", "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down", "input_layernorm": "attn_norm", "post_attention_layernorm": "ffn_norm",
}
MEDIUM = Path(__file__).parents[1] / "qwen3-0.6b.json"


def config(size, folder):
    return json.loads((Path(folder) / "config.json" if size == "s" else MEDIUM).read_text())


def linears(c):
    """The linear layers of a block: inputs and outputs by name."""
    width, inner = c["hidden_size"], c["intermediate_size"]
    heads, kv = c["num_attention_heads"] * c["head_dim"], c["num_key_value_heads"] * c["head_dim"]
    return {
        "self_attn.q_proj": (width, heads), "self_attn.k_proj": (width, kv), "self_attn.v_proj": (width, kv),
        "self_attn.o_proj": (heads, width), "mlp.gate_proj": (width, inner), "mlp.up_proj": (width, inner),
        "mlp.down_proj": (inner, width),
    }


def matrix(draw, rows, columns, scale):
    """Random bfloat16 numbers, as uint16."""
    return ((draw.standard_normal((rows, columns), "f4") * scale).view("<u4") >> 16).astype("<u2")


def add_matrix(writer, name, numbers):
    writer.add_tensor(name, numbers.view(np.uint8), raw_dtype=gguf.GGMLQuantizationType.BF16)


def finish(writer):
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def stored(folder):
    """Names and bfloat16 numbers, as uint16, of a safetensors file."""
    raw = (Path(folder) / "model.safetensors").read_bytes()
    (size,) = struct.unpack("<Q", raw[:8])
    for name, entry in json.loads(raw[8 : 8 + size]).items():
        if name == "__metadata__":
            continue
        if entry["dtype"] != "BF16":
            raise SystemExit(f"{name} is {entry['dtype']}, not BF16")
        begin, end = entry["data_offsets"]
        yield name, np.frombuffer(raw[8 + size + begin : 8 + size + end], "<u2").reshape(entry["shape"])


def random(c):
    draw = np.random.default_rng(1)

    def ones(n):
        return np.full(n, 0x3F80, "<u2")

    width = c["hidden_size"]
    yield "model.embed_tokens.weight", matrix(draw, c["vocab_size"], width, 0.02)
    yield "model.norm.weight", ones(width)
    for layer in range(c["num_hidden_layers"]):
        at = f"model.layers.{layer}."
        for name, (into, out) in linears(c).items():
            yield f"{at}{name}.weight", matrix(draw, out, into, 0.02)
        for name, n in {"self_attn.q_norm": c["head_dim"], "self_attn.k_norm": c["head_dim"], "input_layernorm": width,
                        "post_attention_layernorm": width}.items():
            yield f"{at}{name}.weight", ones(n)


def renamed(name):
    if name == "model.embed_tokens.weight":
        return "token_embd.weight"
    if name == "model.norm.weight":
        return "output_norm.weight"
    layer, rest = name.removeprefix("model.layers.").split(".", 1)
    return f"blk.{layer}.{NAMES[rest.removesuffix('.weight')]}.weight"


def main():
    size, folder, out = sys.argv[1:4]
    c = config(size, folder)
    writer = gguf.GGUFWriter(out, "qwen3")
    writer.add_block_count(c["num_hidden_layers"])
    writer.add_context_length(c["max_position_embeddings"])
    writer.add_embedding_length(c["hidden_size"])
    writer.add_feed_forward_length(c["intermediate_size"])
    writer.add_head_count(c["num_attention_heads"])
    writer.add_head_count_kv(c["num_key_value_heads"])
    writer.add_key_length(c["head_dim"])
    writer.add_value_length(c["head_dim"])
    writer.add_layer_norm_rms_eps(c["rms_norm_eps"])
    writer.add_rope_freq_base(c["rope_theta"])
    writer.add_vocab_size(c["vocab_size"])
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list([f"<{i}>" for i in range(c["vocab_size"])])
    writer.add_token_types([gguf.TokenType.NORMAL] * c["vocab_size"])
    writer.add_token_merges(["< 1"])
    writer.add_eos_token_id(0)
    for name, numbers in stored(folder) if size == "s" else random(c):
        if numbers.ndim == 1:
            writer.add_tensor(renamed(name), (numbers.astype("<u4") << 16).view("<f4"))
        else:
            add_matrix(writer, renamed(name), numbers)
    finish(writer)


if __name__ == "__main__":
    main()

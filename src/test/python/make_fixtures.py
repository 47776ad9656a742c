"""Makes the reference fixtures of src/test/resources/fixtures with Hugging Face transformers and PEFT.

    python3 -m venv /tmp/venv-hf
    /tmp/venv-hf/bin/pip install torch==2.10.0 transformers==5.23.0 peft==0.21.2 safetensors==0.8.0 numpy==2.4.6
    /tmp/venv-hf/bin/python src/test/python/make_fixtures.py            # writes them, then checks them
    /tmp/venv-hf/bin/python src/test/python/make_fixtures.py --check    # only loads them back and compares

Everything is float32 on one CPU thread with eager attention and a seed per artefact, so a second run writes the same
bytes on the same processor. What each folder and file holds is in src/test/resources/fixtures/README.md.

The weights are drawn far wider than Hugging Face would, and the norms away from 1, so that a forgotten norm, bias, scale
or rotation moves the logits by whole units and not by the noise of a float32.
"""

import argparse
import copy
import json
import os
import shutil
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"

import torch
from peft import LoraConfig, PeftModel, get_peft_model, get_peft_model_state_dict
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, LlamaConfig, Qwen2Config, Qwen3Config
from transformers.utils.logging import disable_progress_bar

FIXTURES = Path(__file__).resolve().parents[1] / "resources" / "fixtures"
IGNORED = -100  # a label that carries no loss
LENGTHS = (1, 2, 13, 40)
# eps is large on purpose: Adam's first step is g / (|g| + eps), which for a g near 0 would amplify rounding to a sign.
ADAMW = {"lr": 0.01, "betas": [0.9, 0.95], "eps": 1e-4, "weight_decay": 0.1}
STEPS_SAVED = (1, 3)


def configs():
    """The three tiny models; widths are chosen so that no two dimensions that could be confused are equal."""
    qwen3 = Qwen3Config(
        vocab_size=96, hidden_size=32, num_hidden_layers=3, num_attention_heads=4, num_key_value_heads=2, head_dim=16,
        intermediate_size=48, max_position_embeddings=256, rms_norm_eps=1e-6, tie_word_embeddings=True,
        rope_parameters={"rope_type": "default", "rope_theta": 10000.0}, bos_token_id=1, eos_token_id=2, pad_token_id=0)
    # theta 100 and 32 original positions put frequencies into all three bands of the llama3 scaling.
    llama = LlamaConfig(
        vocab_size=89, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
        intermediate_size=40, max_position_embeddings=256, rms_norm_eps=1e-5, tie_word_embeddings=False,
        rope_parameters={"rope_type": "llama3", "rope_theta": 100.0, "factor": 8.0, "low_freq_factor": 1.0,
                         "high_freq_factor": 4.0, "original_max_position_embeddings": 32},
        bos_token_id=1, eos_token_id=[2, 3], pad_token_id=0)
    qwen2 = Qwen2Config(
        vocab_size=101, hidden_size=48, num_hidden_layers=2, num_attention_heads=6, num_key_value_heads=2,
        intermediate_size=56, max_position_embeddings=256, rms_norm_eps=1e-6, tie_word_embeddings=False,
        rope_parameters={"rope_type": "default", "rope_theta": 1000.0}, bos_token_id=1, eos_token_id=2, pad_token_id=0)
    return {"qwen3-tiny": qwen3, "llama-tiny": llama, "qwen2-tiny": qwen2}


def build(config, seed):
    """A model of `config` with every parameter drawn from `seed`."""
    config = copy.deepcopy(config)
    config._attn_implementation = "eager"
    model = AutoModelForCausalLM.from_config(config, dtype=torch.float32).eval()
    random = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            noise = torch.randn(weight.shape, generator=random)
            if "norm" in name:
                weight.copy_(1 + 0.3 * noise)
            elif "embed" in name:
                weight.copy_(0.4 * noise)
            elif name.endswith("bias"):
                weight.copy_(0.5 * noise)
            else:
                weight.copy_(1.2 * noise / weight.shape[1] ** 0.5)
    return model


def load(folder):
    return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()


def tokens(config, shape, seed):
    random = torch.Generator().manual_seed(seed)
    return torch.randint(3, config.vocab_size, shape, generator=random)


def logits(model, ids):
    with torch.no_grad():
        return model(input_ids=ids, use_cache=False).logits  # (B, T, V)


def digits(tensor):
    """Nested lists in which every float32 has the nine digits that bring it back exactly."""
    if tensor.dim() > 0:
        return [digits(row) for row in tensor]
    value = float(f"{tensor.item():.9g}")
    return int(value) if value.is_integer() and not tensor.is_floating_point() else value


def greedy(model, prompt, count):
    """The `count` most likely tokens after `prompt`, end-of-sequence ids included: nothing stops it."""
    ids = prompt
    for _ in range(count):
        last = logits(model, ids)[0, -1]
        first, second = last.topk(2).values
        assert first - second > 1e-3, "a near tie: change the seed, or another implementation may choose otherwise"
        ids = torch.cat([ids, last.argmax().view(1, 1)], dim=1)
    return ids[0, prompt.shape[1]:]


def expectation(model, seed):
    sequences = [tokens(model.config, (1, length), seed + length) for length in LENGTHS]
    batch = tokens(model.config, (2, 11), seed + 100)
    prompt = tokens(model.config, (1, 5), seed + 200)
    return {
        "sequences": [{"tokens": digits(ids[0]), "logits": digits(logits(model, ids)[0])} for ids in sequences],
        "batch": {"tokens": digits(batch), "logits": digits(logits(model, batch))},
        "greedy": {"prompt": digits(prompt[0]), "continuation": digits(greedy(model, prompt, 20))},
    }


def labelled_batch(config, seed):
    """Two rows, the second padded on the right; labels name their own position's token, as Hugging Face has them."""
    ids = tokens(config, (2, 17), seed)
    ids[1, 12:] = config.pad_token_id
    labels = ids.clone()
    labels[0, :6] = IGNORED
    labels[0, 9:11] = IGNORED
    labels[1, :3] = IGNORED
    labels[1, 12:] = IGNORED
    return ids, labels


def loss_of(model, ids, labels):
    """Mean cross-entropy over the labelled tokens of the whole batch; position t predicts the label at t + 1."""
    predictions = model(input_ids=ids, use_cache=False).logits[:, :-1]
    return torch.nn.functional.cross_entropy(
        predictions.reshape(-1, predictions.shape[-1]), labels[:, 1:].reshape(-1), ignore_index=IGNORED)


def text_of(value, indent="\n"):
    """JSON with one innermost list, a position's logits say, a line."""
    inner = indent + " "
    if isinstance(value, dict):
        return "{" + ",".join(f"{inner}{json.dumps(k)}: {text_of(v, inner)}" for k, v in value.items()) + indent + "}"
    if isinstance(value, list) and any(isinstance(v, (list, dict)) for v in value):
        return "[" + ",".join(inner + text_of(v, inner) for v in value) + indent + "]"
    return json.dumps(value)


def write_json(path, value):
    path.write_text(text_of(value) + "\n")


def edit_json(path, change):
    value = json.loads(path.read_text())
    change(value)
    path.write_text(json.dumps(value, indent=2, sort_keys=True) + "\n")


def old_style_rope(config):
    """As transformers 4 wrote it, which is what most published checkpoints carry."""
    rope = config.pop("rope_parameters")
    config["rope_theta"] = rope.pop("rope_theta")
    config["rope_scaling"] = rope if rope["rope_type"] != "default" else None


def write_model(name, model, seed, old_rope=False, shard="1GB"):
    folder = FIXTURES / name
    model.save_pretrained(folder, max_shard_size=shard)
    if old_rope:
        edit_json(folder / "config.json", old_style_rope)
    write_json(folder / "expected.json", expectation(load(folder), seed))


def in_peft_names(tensors):
    return {name.replace(".default.", "."): value.detach().clone().contiguous() for name, value in tensors.items()}


def randomised_adapter(model, lora, seed):
    adapted = get_peft_model(copy.deepcopy(model), lora).eval()
    random = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, weight in adapted.named_parameters():
            if "lora_" in name:
                weight.copy_(0.3 * torch.randn(weight.shape, generator=random))
    return adapted


def write_adapter(base_name, name, lora, seed):
    """The adapter as PEFT saves it, its logits, its loss and gradients on one batch, and where AdamW takes it."""
    folder = FIXTURES / base_name / name
    adapted = randomised_adapter(load(FIXTURES / base_name), lora, seed)
    adapted.save_pretrained(folder, save_embedding_layers=False)
    (folder / "README.md").unlink(missing_ok=True)

    def portable(config):
        config["base_model_name_or_path"] = base_name
        if isinstance(config["target_modules"], list):
            config["target_modules"].sort()

    edit_json(folder / "adapter_config.json", portable)
    expected = expectation(adapted, seed)
    ids, labels = labelled_batch(adapted.config, seed + 300)
    trained = {n: p for n, p in adapted.named_parameters() if p.requires_grad}
    optimiser = torch.optim.AdamW(trained.values(), lr=ADAMW["lr"], betas=tuple(ADAMW["betas"]), eps=ADAMW["eps"],
                                  weight_decay=ADAMW["weight_decay"], foreach=False)
    losses = []
    for step in range(1, max(STEPS_SAVED) + 1):
        optimiser.zero_grad()
        loss = loss_of(adapted, ids, labels)
        loss.backward()
        losses.append(digits(loss.detach()))
        if step == 1:
            save_file(in_peft_names({n: p.grad for n, p in trained.items()}), folder / "gradients.safetensors")
        optimiser.step()
        if step in STEPS_SAVED:
            save_file(in_peft_names(get_peft_model_state_dict(adapted, save_embedding_layers=False)),
                      folder / f"after_step_{step}.safetensors")
    expected["training"] = {
        "tokens": digits(ids), "labels": digits(labels), "ignored": IGNORED, "labelled": int((labels[:, 1:] != IGNORED).sum()),
        "losses": losses, "adamw": ADAMW}
    write_json(folder / "expected.json", expected)


def write_full_gradients(base_name, seed):
    """Gradients of every base tensor, the tied head's flowing into the embedding."""
    folder = FIXTURES / base_name
    model = load(folder)
    ids, labels = labelled_batch(model.config, seed)
    loss = loss_of(model, ids, labels)
    loss.backward()
    save_file(in_peft_names({n: p.grad for n, p in model.named_parameters()}), folder / "full_gradients.safetensors")
    write_json(folder / "full_training.json", {
        "tokens": digits(ids), "labels": digits(labels), "ignored": IGNORED, "labelled": int((labels[:, 1:] != IGNORED).sum()),
        "losses": [digits(loss.detach())]})


def adapters():
    """(base, adapter, seed, what PEFT is told)."""
    causal = {"task_type": "CAUSAL_LM", "lora_dropout": 0.0, "bias": "none"}
    return [
        ("qwen3-tiny", "lora-all-linear", 1001, lambda: LoraConfig(
            r=4, lora_alpha=8, target_modules="all-linear", **causal)),
        ("llama-tiny", "lora-patterns", 1002, lambda: LoraConfig(
            r=4, lora_alpha=8, target_modules=["q_proj", "v_proj", "down_proj"],
            rank_pattern={"down_proj": 2, "layers.1.self_attn.q_proj": 6},
            alpha_pattern={"v_proj": 3, "layers.1.self_attn.q_proj": 5}, **causal)),
        ("llama-tiny", "lora-rslora", 1003, lambda: LoraConfig(
            r=4, lora_alpha=8, use_rslora=True, target_modules=r".*\.(self_attn\.(k|o)_proj|mlp\.gate_proj)", **causal)),
        ("llama-tiny", "lora-head", 1004, lambda: LoraConfig(
            r=3, lora_alpha=6, target_modules=["up_proj", "lm_head"], **causal)),
        ("qwen2-tiny", "lora-biased", 1005, lambda: LoraConfig(
            r=2, lora_alpha=6, target_modules=["q_proj", "k_proj", "v_proj"], **causal)),
    ]


def write():
    for folder in FIXTURES.iterdir():
        if folder.is_dir() and folder.name != "hostile":
            shutil.rmtree(folder)
    config = configs()
    qwen3 = build(config["qwen3-tiny"], 1)
    write_model("qwen3-tiny", qwen3, 11)
    write_model("qwen3-tiny-bf16", copy.deepcopy(qwen3).to(torch.bfloat16), 11)
    write_model("llama-tiny", build(config["llama-tiny"], 2), 12, old_rope=True, shard="40KB")
    write_model("qwen2-tiny", build(config["qwen2-tiny"], 3), 13, old_rope=True)
    for base, name, seed, lora in adapters():
        write_adapter(base, name, lora(), seed)
    write_full_gradients("qwen3-tiny", 1006)


def check_logits(model, folder):
    expected = json.loads((folder / "expected.json").read_text())
    for one in expected["sequences"]:
        torch.testing.assert_close(logits(model, torch.tensor([one["tokens"]]))[0], torch.tensor(one["logits"]))
    torch.testing.assert_close(logits(model, torch.tensor(expected["batch"]["tokens"])),
                               torch.tensor(expected["batch"]["logits"]))
    prompt = torch.tensor([expected["greedy"]["prompt"]])
    # With transformers' own cache, where the fixture was made without one.
    made = model.generate(input_ids=prompt, attention_mask=torch.ones_like(prompt), max_new_tokens=20, min_new_tokens=20,
                          do_sample=False, eos_token_id=None, suppress_tokens=None)
    assert made[0, prompt.shape[1]:].tolist() == expected["greedy"]["continuation"], folder
    return expected


def check():
    """Loads every folder as a stranger would and compares; also that an adapter changes the logits at all."""
    for base in sorted(p for p in FIXTURES.iterdir() if (p / "config.json").exists()):
        check_logits(load(base), base)
        print("ok", base.name)
        for folder in sorted(p for p in base.iterdir() if (p / "adapter_config.json").exists()):
            adapted = PeftModel.from_pretrained(load(base), folder, is_trainable=True).eval()
            expected = check_logits(adapted, folder)
            training = expected["training"]
            loss = loss_of(adapted, torch.tensor(training["tokens"]), torch.tensor(training["labels"]))
            torch.testing.assert_close(loss.detach(), torch.tensor(training["losses"][0]))
            loss.backward()
            grads = load_file(folder / "gradients.safetensors")
            found = in_peft_names({n: p.grad for n, p in adapted.named_parameters() if p.requires_grad})
            assert found.keys() == grads.keys() == load_file(folder / "adapter_model.safetensors").keys()
            for name, grad in grads.items():
                assert grad.abs().max() > 1e-4, name
                torch.testing.assert_close(found[name], grad)
            with torch.no_grad(), adapted.disable_adapter():
                plain = loss_of(adapted, torch.tensor(training["tokens"]), torch.tensor(training["labels"]))
            assert abs(plain - loss.detach()) > 1e-2
            assert training["losses"][-1] < training["losses"][0]
            print("ok", base.name, folder.name, "losses", training["losses"], "without", plain.item())
    size = sum(p.stat().st_size for p in FIXTURES.rglob("*") if p.is_file())
    print(f"{size / 1e6:.2f} MB")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--check", action="store_true", help="only load the fixtures back and compare")
    arguments = parser.parse_args()
    disable_progress_bar()
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    if not arguments.check:
        write()
    check()

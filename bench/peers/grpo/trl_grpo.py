"""TRL's GRPOTrainer on recorded turns: trl_grpo.py MODEL ADAPTER TASKS HELD_OUT STEPS GROUPS GROUP_SIZE LR MAX_TOKENS EVERY SEED.

Prints the lines that `espalier rl --json` prints: a step, an evaluation now and then (greedy, its time not counted), a summary.
"""

import json
import os
import sys
import tempfile
import time

os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch
from datasets import Dataset
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer, TrainerCallback
from trl import GRPOConfig, GRPOTrainer

model_folder, adapter, tasks_file, held_out_file = sys.argv[1:5]
steps, groups, size = map(int, sys.argv[5:8])
rate, most, every, seed = float(sys.argv[8]), int(sys.argv[9]), int(sys.argv[10]), int(sys.argv[11])
torch.manual_seed(seed)
tokenizer = AutoTokenizer.from_pretrained(model_folder, padding_side="left")


def tasks(file):
    """Prompts as the model's template writes them, and what should follow."""
    for line in open(file, encoding="utf-8"):
        messages = json.loads(line)["messages"]
        for message in messages:
            for call in message.get("tool_calls") or []:
                call["function"]["arguments"] = json.loads(call["function"]["arguments"])
        prompt = tokenizer.apply_chat_template(messages[:-1], add_generation_prompt=True, tokenize=False)
        whole = tokenizer.apply_chat_template(messages, tokenize=False)
        assert whole.startswith(prompt), "the template does not continue its prompt"
        yield {"prompt": prompt, "expected": whole[len(prompt) :].split(tokenizer.eos_token)[0].strip()}


def right(completions, expected, completion_ids=None, **_):
    if completion_ids is not None:  # TRL's texts lack the markers of tool calls, which are special tokens
        completions = tokenizer.batch_decode(completion_ids, skip_special_tokens=False)
    return [float(c.split(tokenizer.eos_token)[0].strip() == e) for c, e in zip(completions, expected)]


def emit(**line):
    print(json.dumps(line), flush=True)


base = AutoModelForCausalLM.from_pretrained(model_folder, dtype=torch.float32)
model = PeftModel.from_pretrained(base, adapter, is_trainable=True)
held_out = list(tasks(held_out_file))


def evaluate():
    good = 0
    model.eval()
    with torch.no_grad():
        for i in range(0, len(held_out), 64):
            some = held_out[i : i + 64]
            batch = tokenizer([t["prompt"] for t in some], return_tensors="pt", padding=True, add_special_tokens=False)
            out = model.generate(**batch, do_sample=False, max_new_tokens=most, pad_token_id=tokenizer.pad_token_id)
            texts = tokenizer.batch_decode(out[:, batch["input_ids"].shape[1] :], skip_special_tokens=False)
            good += sum(right([t.replace(tokenizer.pad_token, "") for t in texts], [t["expected"] for t in some]))
    model.train()
    return good / len(held_out)


class Watch(TrainerCallback):
    def __init__(self):
        self.seconds = 0.0
        self.best = 0.0

    def judged(self, step):
        success = evaluate()
        self.best = max(self.best, success)
        emit(event="evaluation", step=step, success=success, n=len(held_out))
        return success

    def on_train_begin(self, args, state, control, **_):
        self.start = self.judged(0)
        self.begin = time.perf_counter()

    def on_step_end(self, args, state, control, **_):
        took = time.perf_counter() - self.begin
        self.seconds += took
        emit(event="step", step=state.global_step, seconds=took, tokens=0)
        if state.global_step % every == 0 or state.global_step == steps:
            self.judged(state.global_step)
        self.begin = time.perf_counter()


watch = Watch()
config = GRPOConfig(
    output_dir=tempfile.mkdtemp(),
    use_cpu=True,
    bf16=False,
    seed=seed,
    max_steps=steps,
    per_device_train_batch_size=groups * size,
    num_generations=size,
    max_completion_length=most,
    temperature=1.0,
    learning_rate=rate,
    lr_scheduler_type="polynomial",  # ours falls to a tenth, in a line
    lr_scheduler_kwargs={"lr_end": rate / 10, "power": 1.0},
    weight_decay=0.0,
    max_grad_norm=1.0,
    beta=0.0,
    loss_type="dr_grpo",
    scale_rewards="none",
    gradient_checkpointing=False,
    save_strategy="no",
    report_to="none",
    logging_strategy="no",
    disable_tqdm=True,
)
trainer = GRPOTrainer(
    model=model,
    args=config,
    train_dataset=Dataset.from_list(list(tasks(tasks_file))),
    reward_funcs=right,
    processing_class=tokenizer,
    callbacks=[watch],
)
trainer.train()
emit(event="summary", success=watch.best, start=watch.start, steps=steps, seconds=watch.seconds)

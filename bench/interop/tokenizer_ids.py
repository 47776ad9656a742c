"""Checks that a model's tokenizer.json gives the same ids in Hugging Face's `tokenizers` as in `espalier tokens`.

    bench/interop/tokenizer_ids.py --model DIR [--random 20] [--seed 1]

Needs requirements-huggingface.txt in its Python. Also checks that a byte-level tokenizer brings every text back.
"""

import argparse
import random
import sys
from pathlib import Path

from compare import Checks
from espalier_cli import lines
from tokenizers import Tokenizer

TEXTS = [
    "Hello, world!", "  two  spaces ", "line\nbreaks\r\n\ttabs", "1234567890 3.14 12:30 2026-01-15", "I'll don't we've it's",
    "naïve café Zürich", "营业中 こんにちは 안녕", "🦉👩‍👩‍👧‍👦🇨🇭", "e\u0301 vs é", "{\"name\": \"find\", \"arguments\": {\"n\": [1, 2.5, null]}}",
    "<|im_start|>user\nhi<|im_end|>\n", "<tool_call>\n{}\n</tool_call>", "\u2028\u00a0\ufeff", "x" * 300, "</think>",
]


def random_text(dice):
    ranges = [(32, 126), (32, 126), (0xa0, 0x24f), (0x370, 0x5ff), (0x4e00, 0x9fff), (0x1f300, 0x1faff), (9, 10)]
    return "".join(chr(dice.randint(*dice.choice(ranges))) for _ in range(dice.randint(1, 80)))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", required=True)
    parser.add_argument("--random", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    tokenizer, dice, checks = Tokenizer.from_file(str(Path(options.model) / "tokenizer.json")), random.Random(options.seed), Checks()
    tokenizer.no_truncation()
    for text in [*TEXTS, *(random_text(dice) for _ in range(options.random))]:
        expected = tokenizer.encode(text, add_special_tokens=False).ids
        found = lines("tokens", "--model", options.model, "--text", text)[0]
        checks.same(found["ids"], expected, f"ids of {text!r}")
        back = lines("tokens", "--model", options.model, "--ids", ",".join(map(str, expected)))[0]
        checks.same(back["text"], tokenizer.decode(expected, skip_special_tokens=False), f"text of the ids of {text!r}")
        if "ByteLevel" in str(tokenizer.decoder):
            checks.same(back["text"], text, f"{text!r} and back")
    print(f"{checks.passed} passed, {checks.failed} failed")
    sys.exit(1 if checks.failed else 0)


if __name__ == "__main__":
    main()

"""Two runs side by side: compare.py ESPALIER.jsonl TRL.jsonl. Seconds are those of steps, without evaluations."""

import json
import sys
from statistics import median


def read(file):
    seconds, took, reached, last = 0.0, [], None, 0.0
    for text in open(file):
        if not text.startswith('{"event"'):
            continue  # what a library prints of its own
        line = json.loads(text)
        if line["event"] == "step":
            took.append(line["seconds"])
            seconds += line["seconds"]
        elif line["event"] == "evaluation":
            last = line["success"]
            if reached is None and last >= 0.8:
                reached = seconds
    return median(took), reached, last


ours, theirs = map(read, sys.argv[1:3])
print("| | seconds a step (median) | seconds to 0.8 | success at the end |\n|---|---|---|---|")
for name, (step, reached, last) in (("Espalier", ours), ("TRL", theirs)):
    print(f"| {name} | {step:.2f} | {'never' if reached is None else f'{reached:.0f}'} | {last:.3f} |")
print(f"\na step: {theirs[0] / ours[0]:.1f} times as fast", end="")
print(f"; to 0.8: {theirs[1] / ours[1]:.1f} times" if ours[1] and theirs[1] else "")

"""Two runs side by side: compare.py ESPALIER.jsonl TRL.jsonl. Seconds are those of steps, without evaluations."""

import json
import sys
from statistics import median

LEVELS = (0.7, 0.75, 0.8)  # of held-out success; the seed decides which of them a run comes to


def read(file):
    """The median step, the seconds to each level that was reached, and the last success."""
    seconds, took, reached, last = 0.0, [], {}, 0.0
    for text in open(file):
        if not text.startswith('{"event"'):
            continue  # what a library prints of its own
        line = json.loads(text)
        if line["event"] == "step":
            took.append(line["seconds"])
            seconds += line["seconds"]
        elif line["event"] == "evaluation":
            last = line["success"]
            for level in LEVELS:
                if last >= level:
                    reached.setdefault(level, seconds)
    return median(took), reached, last


def cell(reached, level):
    return f"{reached[level]:.0f}" if level in reached else "never"


ours, theirs = map(read, sys.argv[1:3])
columns = ["", "seconds a step (median)", *(f"to {level}" for level in LEVELS), "success at the end"]
print(f"| {' | '.join(columns)} |\n|{'---|' * len(columns)}")
for name, (step, reached, last) in (("Espalier", ours), ("TRL", theirs)):
    cells = [f"{step:.2f}", *(cell(reached, level) for level in LEVELS), f"{last:.3f}"]
    print(f"| {name} | {' | '.join(cells)} |")
ratios = [f"a step: {theirs[0] / ours[0]:.1f} times as fast"]
ratios += [f"to {level}: {theirs[1][level] / ours[1][level]:.1f} times" for level in LEVELS if level in ours[1] and level in theirs[1]]
print("\n" + "; ".join(ratios))

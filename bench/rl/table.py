"""The runs of bench/rl/run as a table: what each preset reached on held-out tasks, and what it took to reach 0.8."""

import json
import sys
from collections import defaultdict
from pathlib import Path
from statistics import median


def read(file):
    """Final success and start, and steps, tokens and seconds until an evaluation was at least 0.8; None if none was."""
    tokens = seconds = 0
    reached = None
    for line in map(json.loads, file.read_text().splitlines()):
        match line["event"]:
            case "step":
                tokens += line["tokens"]
                seconds += line["seconds"]
            case "evaluation" if reached is None and line["success"] >= 0.8:
                reached = (line["step"], tokens, seconds)
            case "summary":
                return line["success"], line["start"], reached
    raise SystemExit(f"{file} has no summary: the run did not end")


def spread(values, form):
    return f"{median(values):{form}} ({min(values):{form}} to {max(values):{form}})" if values else "never"


def main():
    runs = defaultdict(list)
    for file in sorted(Path(sys.argv[1]).glob("*-*.jsonl")):
        runs[file.stem.rsplit("-", 1)[0]].append(read(file))
    print("| preset | seeds | start | success | steps to 0.8 | tokens to 0.8 | seconds to 0.8 |\n|---|---|---|---|---|---|---|")
    for preset, all_runs in runs.items():
        reached = [run[2] for run in all_runs if run[2]]
        columns = [spread([run[0] for run in all_runs], ".3f")]
        columns += [spread([run[i] for run in reached], ".0f") for i in range(3)]
        if len(reached) < len(all_runs):
            columns[1] += f", {len(reached)} of {len(all_runs)} runs"
        print(f"| `{preset}` | {len(all_runs)} | {all_runs[0][1]:.3f} | " + " | ".join(columns) + " |")


if __name__ == "__main__":
    main()

"""Medians of bench/peers/gateway/load.mjs as one JSON object: Espalier's rate ÷ each other's. ratios.py LOADS."""

import json
import sys
from collections import defaultdict
from pathlib import Path
from statistics import median


def main():
    rates = defaultdict(list)
    last = defaultdict(list)
    for load in map(json.loads, Path(sys.argv[1]).read_text().splitlines()):
        rates[load["name"]].append(load["rate"])
        last[load["name"]].append(load["p99_ms"])
    ours = median(rates["espalier"])
    out = {f"{name}_rate": median(all_rates) for name, all_rates in rates.items()}
    out |= {f"{name}_p99_ms": median(times) for name, times in last.items()}
    out |= {f"vs_{name}": ours / median(all_rates) for name, all_rates in rates.items() if name not in ("espalier", "direct")}
    print(json.dumps({"size": "s"} | out))


main()

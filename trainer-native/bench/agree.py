"""Whether runs of one stage have the same losses: `python agree.py NAME=FILE[@LIMIT] ...`.

A FILE has a line of JSON of a run's first steps as its last one, or is the log of a training, metrics.jsonl.

The first run is the measure. Prints the largest loss difference of each other run, relative, in its first step and after it. Fails when a
first step differs by more than its limit, which is that of rounding (1e-5) unless given, or is no number; after it a difference grows by
itself, so that 2 % is allowed.
"""

import json
import sys

FIRST, LATER = 1e-5, 2e-2


def losses(path):
    lines = [json.loads(line) for line in open(path).read().splitlines() if line.startswith("{")]
    return lines[-1]["losses"] if "losses" in lines[-1] else [line["train/total_loss"] for line in lines if "train/total_loss" in line]


def main():
    runs = []
    for argument in sys.argv[1:]:
        name, path = argument.split("=", 1)
        path, _, limit = path.partition("@")
        runs.append((name, losses(path), float(limit or FIRST)))
    (reference, expected, _), failed = runs[0], []
    print(f"| run | first step, from {reference}'s | later steps, at most |\n|---|---:|---:|")
    for name, found, limit in runs[1:]:
        differences = [abs(a - b) / abs(b) for a, b in zip(found, expected)]
        first, later = differences[0], max(differences[1:])
        # Written so that a loss that is no number fails.
        failed += [] if first <= limit and all(difference <= LATER for difference in differences[1:]) else [name]
        print(f"| {name} | {first:.1e} | {later:.1e} |")
    if failed:
        raise SystemExit(f"other losses than {reference}'s: {', '.join(failed)}")


if __name__ == "__main__":
    main()

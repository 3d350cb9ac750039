"""Whether runs of one stage have the same losses: `python agree.py NAME=FILE ...`.

A FILE has a line of JSON of a run's first steps as its last one, or is the log of a training, metrics.jsonl.

The first run is the measure. Prints the largest loss difference of each other run, relative, in its first step and after it. Fails when a
first step differs by more than rounding does (1e-5); after it a difference grows by itself, so that 2 % is allowed.
"""

import json
import sys

FIRST, LATER = 1e-5, 2e-2


def losses(path):
    lines = [json.loads(line) for line in open(path).read().splitlines() if line.startswith("{")]
    return lines[-1]["losses"] if "losses" in lines[-1] else [line["train/total_loss"] for line in lines if "train/total_loss" in line]


def main():
    runs = [(name, losses(path)) for name, path in (argument.split("=", 1) for argument in sys.argv[1:])]
    (reference, expected), failed = runs[0], []
    print(f"| run | first step, from {reference}'s | later steps, at most |\n|---|---:|---:|")
    for name, found in runs[1:]:
        differences = [abs(a - b) / abs(b) for a, b in zip(found, expected)]
        first, later = differences[0], max(differences[1:])
        failed += [name] if first > FIRST or later > LATER else []
        print(f"| {name} | {first:.1e} | {later:.1e} |")
    if failed:
        raise SystemExit(f"other losses than {reference}'s: {', '.join(failed)}")


if __name__ == "__main__":
    main()

"""Writes golden.csv, a training log with everything that goes wrong in one, and golden.json, what is true of it.

The truth is computed here from the run itself (which steps were trained, when, in which order), by Python's statistics module, and not
by reading the log back: python3 golden.py
"""

import csv
import json
import math
import statistics
from datetime import datetime, timedelta
from pathlib import Path

COLUMNS = ["total_loss", "rec_loss", "nll_loss", "kl_loss", "g_loss", "d_weight", "disc_factor"]
INTERVAL, LAST, ADVERSARY = 50, 3000, 1550
SECONDS = 20  # for fifty steps
GAP = range(600, 800, INTERVAL)  # not logged, though trained at the usual rate
PAUSE_AFTER, PAUSE = 1000, 7200
# First and last step of each stretch: killed after 2000 was logged, resumed from a checkpoint at 1750, and so again after 2600.
STRETCHES = [(INTERVAL, 2000), (1800, 2600), (2450, LAST)]
DOWN = [0, 5400, 900]  # seconds from the row before to a stretch's first


def values(step):
    """A step's losses. Sixty-fourths, which are exact in binary."""
    wave = math.floor(16 * math.sin(step / 170)) / 64
    row = {
        "rec_loss": round(64 * 900 / (step + 100)) / 64 + wave / 4,
        "kl_loss": round(64 * step / 9000) / 64 + 1,
        "disc_factor": 1.0 if step >= ADVERSARY else 0.0,
        "g_loss": wave + 0.5 if step >= ADVERSARY else None,
        "d_weight": float(step % 7) if step >= ADVERSARY else 0.0,
    }
    row["nll_loss"] = float("nan") if step == 2500 else row["rec_loss"] * 2
    row["total_loss"] = row["rec_loss"] * 2 + row["kl_loss"] / 64 + row["d_weight"] * (row["g_loss"] or 0)
    row["lr"] = 5e-6 if step < 2700 else 5e-7
    return row


def run():
    """(step, time, values, stretch, whether it is superseded) in the order in which they were logged."""
    now, log = datetime(2026, 1, 31, 22, 0, 0), []
    for stretch, (first, last) in enumerate(STRETCHES):
        for step in range(first, last + 1, INTERVAL):
            if (stretch, step) != (0, INTERVAL):
                now += timedelta(seconds=DOWN[stretch] if step == first else SECONDS)
            if step == PAUSE_AFTER + INTERVAL:
                now += timedelta(seconds=PAUSE)
            if step not in GAP:
                again = any(step >= later for later, _ in STRETCHES[stretch + 1 :])
                log.append((step, now, values(step), stretch, again))
    return log


def write_csv(path, log):
    """Columns in an odd order, with some that mean nothing, as another program would."""
    header = ["lr", "note", "train/kl_loss", "datetime", "train/g_loss", "train/d_weight", "step", "train/rec_loss", "train/total_loss"]
    header += ["epoch", "train/nll_loss", "train/disc_factor"]
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        for step, time, row, _, _ in log:
            cells = {"train/" + name: row[name] for name in COLUMNS} | {"lr": row["lr"], "step": step, "datetime": time, "epoch": step // 1000}
            cells["note"] = "killed, later" if step in [last for _, last in STRETCHES[:-1]] else "ok"
            writer.writerow(["" if cells[name] is None else cells[name] for name in header])


def column_statistics(steps_values):
    present = [(step, value) for step, value in steps_values if value is not None]
    finite = [(step, value) for step, value in present if math.isfinite(value)]
    numbers = [value for _, value in finite]
    twentieths = statistics.quantiles(numbers, n=20, method="inclusive")
    return {
        "count": len(finite),
        "missing": len(steps_values) - len(present),
        "not_finite": len(present) - len(finite),
        "first": numbers[0],
        "last": numbers[-1],
        "min": min(numbers),
        "min_step": next(step for step, value in finite if value == min(numbers)),
        "max": max(numbers),
        "max_step": next(step for step, value in finite if value == max(numbers)),
        "mean": statistics.fmean(numbers),
        "standard_deviation": statistics.stdev(numbers),
        "quantile_05": twentieths[0],
        "median": statistics.median(numbers),
        "quantile_95": twentieths[18],
    }


def end(steps_values, first, last):
    finite = [(step, value) for step, value in steps_values if value is not None and math.isfinite(value)]
    tenth = (last - first) / 10
    mean_of = lambda low, high: statistics.fmean(value for step, value in finite if low < step <= high)
    now, before = mean_of(last - tenth, last), mean_of(last - 2 * tenth, last - tenth)
    return {"above_step": last - tenth, "mean": now, "previous_mean": before, "relative_change": (now - before) / abs(before) if before else None}


def main():
    log = run()
    folder = Path(__file__).parent
    write_csv(folder / "golden.csv", log)
    kept = [entry for entry in log if not entry[4]]
    steps = [entry[0] for entry in kept]
    names = {"train/" + name: name for name in COLUMNS} | {"lr": "lr"}
    columns = {name: [(entry[0], entry[2][key]) for entry in kept] for name, key in names.items()}

    def phase(name, of_phase):
        rows = [entry for entry in kept if of_phase(entry[0])]
        trained = 0
        for before, after in zip(kept, kept[1:]):
            paused = before[0] == PAUSE_AFTER
            if of_phase(after[0]) and before[3] == after[3] and not paused:
                trained += (after[1] - before[1]).total_seconds()
        means = {}
        for column, key in names.items():
            numbers = [entry[2][key] for entry in rows if entry[2][key] is not None and math.isfinite(entry[2][key])]
            if numbers:
                means[column] = statistics.fmean(numbers)
        return {"name": name, "first_step": rows[0][0], "last_step": rows[-1][0], "rows": len(rows), "training_s": trained, "means": means}

    phases = [phase("without adversary", lambda step: step < ADVERSARY), phase("with adversary", lambda step: step >= ADVERSARY)]
    training = sum(phase["training_s"] for phase in phases)
    superseded = sum(entry[4] for entry in log)
    expected = {
        "source": "golden.csv",
        "rows": {"read": len(log), "kept": len(kept), "superseded": superseded, "merged": 0, "unreadable": 0},
        "steps": {"first": INTERVAL, "last": LAST, "interval": float(INTERVAL)},
        "gaps": [{"after_step": GAP[0] - INTERVAL, "next_step": GAP[-1] + INTERVAL, "missing_rows": len(GAP)}],
        "resumptions": [{
            "row": 1 + sum(entry[3] < stretch for entry in log),
            "reached_step": STRETCHES[stretch - 1][1],
            "resumed_at_step": STRETCHES[stretch][0],
            "superseded_rows": sum(entry[3] == stretch - 1 and entry[4] for entry in log),
        } for stretch in range(1, len(STRETCHES))],
        "time": {
            "begun": log[0][1].isoformat(),
            "ended": log[-1][1].isoformat(),
            "elapsed_s": (log[-1][1] - log[0][1]).total_seconds(),
            "training_s": training,
            "pauses": [{"after_step": PAUSE_AFTER, "next_step": PAUSE_AFTER + INTERVAL, "seconds": float(PAUSE + SECONDS)}],
            "steps_per_second": INTERVAL / SECONDS,
        },
        "phases": phases,
        "columns": {name: column_statistics(series) for name, series in columns.items()},
        "ends": {name: end(series, steps[0], steps[-1]) for name, series in columns.items()},
        "remarks": [],
    }
    (folder / "golden.json").write_text(json.dumps(expected, indent=1, sort_keys=True) + "\n")


main()

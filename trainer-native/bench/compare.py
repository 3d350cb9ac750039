"""Training steps of the trainer beside those of an equal PyTorch program.

    python bench/compare.py --trainer target/release/trainer --config configs/nano.toml [--pairs 5] [--compile] [--set A.B=VALUE ...]

Both programs start from the same weights and take the same batches with the same noise. They run in turns, so that a machine that is
slow for a while is slow for both. Needs torch and safetensors; on a machine with a GPU both take it. The table has the median of each
program's seconds a step, by the clock and of all its threads, and the median, least and greatest of the pairs' ratios; page faults a
step, peak memory, and the largest relative difference of the first losses. OMP_NUM_THREADS sets the threads of both.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

STAGES = ["first-stage", "diffusion"]
HERE = Path(__file__).resolve().parent


def watched(command):
    """A program's line of JSON, and the most memory that the driver says it had on a GPU, in MiB."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    peak, done = [0.0], threading.Event()

    def watch():
        query = ["nvidia-smi", "--query-compute-apps=pid,used_memory", "--format=csv,noheader,nounits"]
        while not done.wait(0.2):
            try:
                rows = subprocess.run(query, capture_output=True, text=True, check=True).stdout.splitlines()
            except (OSError, subprocess.CalledProcessError):
                return
            peak[0] = max([peak[0]] + [float(row.split(",")[1]) for row in rows if int(row.split(",")[0]) == process.pid])

    watcher = threading.Thread(target=watch)
    watcher.start()
    text, _ = process.communicate()
    done.set()
    watcher.join()
    if process.returncode != 0:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
    figures = json.loads(text.splitlines()[-1])
    if peak[0] > 0.0:
        figures["peak_memory_mib"] = peak[0]
    return figures


def compare(stage, args, folder):
    steps = ["--steps", str(args.steps), "--warm-up", str(args.warm_up)]
    ours = [args.trainer, "bench", "run", stage, "--data", folder, *steps]
    theirs = [sys.executable, str(HERE / "steps.py"), "--data", folder, "--stage", stage, *steps]
    theirs += ["--compile"] if args.compile else []
    equal = [watched(command + ["--without-dropout"])["losses"] for command in (ours, theirs)]
    difference = max(abs(a - b) / abs(b) for a, b in zip(*equal))
    runs = [(watched(ours), watched(theirs)) for _ in range(args.pairs)]

    def ratio(of):
        ratios = sorted(of(a) / of(b) for a, b in runs)
        return f"{statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})"

    seconds, cpu_seconds = (lambda f: 1.0 / f["steps_per_second"]), (lambda f: f["cpu_seconds_per_step"])
    for i in range(2):
        figures = [run[i] for run in runs]
        median = lambda of: statistics.median(of(f) for f in figures)
        row = [stage, figures[0]["program"], figures[0]["device"]]
        row += [f"{median(seconds):.3f}", ratio(seconds) if i == 0 else "1"]
        row += [f"{median(cpu_seconds):.3f}", ratio(cpu_seconds) if i == 0 else "1"]
        row += [f"{median(lambda f: f['page_faults_per_step']):.0f}", f"{max(f['peak_memory_mib'] for f in figures):.0f}"]
        row += [f"{difference:.1e}" if i == 0 else ""]
        print("| " + " | ".join(row) + " |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trainer", required=True)
    parser.add_argument("--config", required=True)
    parser.add_argument("--set", action="append", default=[], metavar="A.B=VALUE", help="an entry of the configuration")
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--warm-up", type=int, default=3)
    parser.add_argument("--compile", action="store_true", help="compare with torch.compile")
    parser.add_argument("--stage", choices=STAGES, help="one stage only")
    args = parser.parse_args()
    sets = [part for text in args.set for part in ("--set", text)]
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([args.trainer, "bench", "prepare", "--config", args.config, "--out", folder, *sets], check=True)
        print(f"{os.cpu_count()} cores\n")
        print("| stage | program | device | s a step | of PyTorch's | CPU s | of PyTorch's | page faults | peak memory, MiB | losses differ by |")
        print("|---|---|---|---:|---:|---:|---:|---:|---:|---:|")
        for stage in [args.stage] if args.stage else STAGES:
            compare(stage, args, folder)


if __name__ == "__main__":
    main()

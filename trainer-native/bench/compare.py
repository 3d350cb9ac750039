"""Training steps of the trainer beside those of an equal PyTorch program.

    python bench/compare.py --trainer ../target/release/trainer --config configs/nano.toml [--pairs 5] [--compile] [--set A.B=VALUE ...]

Both programs start from the same weights and take the same batches with the same noise. They run in turns, so that a machine that is
slow for a while is slow for both. Needs torch and safetensors; on a machine with a GPU both take it, at the same precision. The table has
the median of each program's seconds a step, by the clock and of all its threads, and the median, least and greatest of their ratios to
PyTorch's eager program; page faults a step, peak memory, and the largest relative difference of the first losses. On a GPU, memory is
what the driver says is taken of all of it, so nothing else should use it. OMP_NUM_THREADS sets the threads of both.
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
COLUMNS = ["stage", "program", "device", "precision", "s a step", "of eager", "CPU s", "of eager", "page faults", "peak memory, MiB", "losses differ by"]


def memory_in_use():
    """MiB of the GPU that are taken; nothing without a GPU."""
    query = ["nvidia-smi", "--query-gpu=memory.used", "--format=csv,noheader,nounits"]
    try:
        return float(subprocess.run(query, capture_output=True, text=True, check=True).stdout.splitlines()[0])
    except (OSError, subprocess.CalledProcessError, IndexError, ValueError):
        return None


def watched(command):
    """A program's line of JSON, with the most memory that it had of a GPU, in MiB."""
    before, peak, done = memory_in_use(), [0.0], threading.Event()

    def watch():
        while not done.wait(1.0):
            peak[0] = max(peak[0], memory_in_use() or 0.0)

    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    watcher = threading.Thread(target=watch)
    if before is not None:
        watcher.start()
    text, _ = process.communicate()
    done.set()
    if before is not None:
        watcher.join()
    if process.returncode != 0:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
    figures = json.loads(text.splitlines()[-1])
    if before is not None:
        figures["peak_memory_mib"] = peak[0] - before
    return figures


def compare(stage, args, folder):
    common = ["--data", folder, "--steps", str(args.steps), "--warm-up", str(args.warm_up), "--precision", args.precision]
    common += ["--cudnn-benchmark"] if args.cudnn_benchmark else []
    common += ["--channels-last"] if args.channels_last else []
    ours = [args.trainer, "bench", "run", stage, *common]
    eager = [sys.executable, str(HERE / "steps.py"), "--stage", stage, *common]
    difference = None
    if not args.without_losses:
        equal = [watched(command + ["--without-dropout"])["losses"] for command in (ours, eager)]
        difference = max(abs(a - b) / abs(b) for a, b in zip(*equal))
    programs = [eager, ours]
    programs += [[*ours, "--without-graphs"]] if args.operations else []
    programs += [[*eager, "--compile", args.compile]] if args.compile else []
    runs = [[watched(program) for program in programs] for _ in range(args.pairs)]

    def ratio(of, program):
        ratios = sorted(of(run[program]) / of(run[0]) for run in runs)
        return f"{statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})"

    seconds, cpu_seconds = (lambda f: 1.0 / f["steps_per_second"]), (lambda f: f["cpu_seconds_per_step"])
    for program in range(len(programs)):
        figures = [run[program] for run in runs]
        median = lambda of: statistics.median(of(f) for f in figures)
        row = [stage, figures[0]["program"], figures[0]["device"], figures[0]["precision"]]
        row += [f"{median(seconds):.4f}", ratio(seconds, program)]
        row += [f"{median(cpu_seconds):.4f}", ratio(cpu_seconds, program)]
        row += [f"{median(lambda f: f['page_faults_per_step']):.0f}", f"{max(f['peak_memory_mib'] for f in figures):.0f}"]
        row += [f"{difference:.1e}" if program == 1 and difference is not None else ""]
        print("| " + " | ".join(row) + " |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trainer", required=True)
    data = parser.add_mutually_exclusive_group(required=True)
    data.add_argument("--config", help="the run's configuration, whose first samples are taken")
    data.add_argument("--data", metavar="DIR", help="a folder of `trainer bench prepare` instead")
    parser.add_argument("--set", action="append", default=[], metavar="A.B=VALUE", help="an entry of the configuration")
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--warm-up", type=int, default=5, help="steps before those; a GPU's fourth step is recorded")
    parser.add_argument("--compile", nargs="?", const="default", metavar="MODE", help="compare with torch.compile too")
    parser.add_argument("--precision", choices=["float32", "tf32", "bfloat16"], default="float32", help="of a GPU")
    parser.add_argument("--cudnn-benchmark", action="store_true", help="let both have cuDNN try its algorithms")
    parser.add_argument("--channels-last", action="store_true", help="let both keep a pixel's channels side by side")
    parser.add_argument("--operations", action="store_true", help="the trainer without recorded steps too")
    parser.add_argument("--without-losses", action="store_true", help="do not compare the first losses")
    parser.add_argument("--without-head", action="store_true", help="print the rows alone")
    parser.add_argument("--stage", choices=STAGES, help="one stage only")
    args = parser.parse_args()
    sets = [part for text in args.set for part in ("--set", text)]
    with tempfile.TemporaryDirectory() as folder:
        if args.config:
            subprocess.run([args.trainer, "bench", "prepare", "--config", args.config, "--out", folder, *sets], check=True)
        if not args.without_head:
            print(f"{os.cpu_count()} cores\n\n| " + " | ".join(COLUMNS) + " |\n|" + "---|" * 4 + "---:|" * 7, flush=True)
        for stage in [args.stage] if args.stage else STAGES:
            compare(stage, args, args.data or folder)


if __name__ == "__main__":
    main()

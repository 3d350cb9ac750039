"""Training steps of a preset in PyTorch, timed: the program that `trainer bench` is compared with.

    python steps.py --data DIR --stage first-stage|diffusion [--steps N] [--warm-up N] [--compile [MODE]] [--precision P]

DIR is a folder that `trainer bench prepare` wrote: the preset, initial weights, and batches with their noise. Prints one line of JSON
as `trainer bench run` does: steps a second, peak memory, and the losses of the first steps, by which the two are seen to be equal.
On a GPU it has what PyTorch offers for speed: fused AdamW, the average over lists of tensors, one reading a step.
"""

import argparse
import json
import math
import resource
import time

import torch
from networks import Autoencoder, Unet
from safetensors.torch import load_file
from torch.nn import functional as F
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

BUILDING_WEIGHT = 0.05
KL_WEIGHT = 1e-6
RATE, WEIGHT_DECAY, CLIP_NORM, EMA_DECAY = 2e-3, 0.01, 1.0, 0.995
PRECISIONS = ["float32", "tf32", "bfloat16"]


def pixel_weights(batch):
    weight = batch["outdoors"] * (1.0 - BUILDING_WEIGHT) + BUILDING_WEIGHT
    power = (batch["truth"] * 0.5 + 0.5).square().mean((1, 2, 3), keepdim=True) + 0.01
    by_map = 1.0 / power
    return weight * by_map / (weight.mean((1, 2, 3), keepdim=True) * by_map.mean())


def first_stage_loss(model, batch):
    """Reconstruction weighed by pixel, and the KL divergence."""
    mean, log_variance = model.encode(batch["truth"])
    drawn = model.decode(mean + (0.5 * log_variance).exp() * batch["noise"])
    difference = batch["truth"] - drawn
    likelihood = ((difference.abs() + difference.square()) * pixel_weights(batch)).mean()
    kl = 0.5 * (mean.square() + log_variance.exp() - log_variance - 1.0).sum((1, 2, 3)).mean()
    return likelihood + KL_WEIGHT * kl / drawn[0].numel()


def diffusion_loss(model, batch):
    """The decoupled process's loss at given times, squared and absolute errors weighed by time."""
    x0, noise, t = batch["latent"], batch["noise"], batch["times"]
    at = lambda values: values[:, None, None, None]
    norm = (t * t + 1.0).sqrt()
    x_t = at(1.0 - t) * x0 + at(t.sqrt()) * noise
    raw_drift, raw_noise = model(x_t, t, batch["condition"])
    drift = at(1.0 - t) * x_t + at(t / norm) * raw_drift
    predicted_noise = at(t.sqrt()) * x_t + at((1.0 - t).sqrt() / norm) * raw_noise

    def error(difference, weight):
        return (difference.square() + difference.abs()).mean((1, 2, 3)) * 0.5 * weight

    return (error(drift + x0, 2.0 * (1.0 - t).exp()) + error(predicted_noise - noise, t.sqrt().exp())).mean()


STAGES = {
    "first-stage": (lambda preset: Autoencoder(preset["autoencoder"]), first_stage_loss, "first_stage_model."),
    "diffusion": (Unet, diffusion_loss, "model."),
}


def load_model(folder, stage, device):
    preset = json.load(open(f"{folder}/preset.json"))
    make, loss, prefix = STAGES[stage]
    model = make(preset)
    weights = {name[len(prefix) :]: value for name, value in load_file(f"{folder}/weights.safetensors").items() if name.startswith(prefix)}
    found = model.load_state_dict(weights, strict=False)
    # Batch normalisation counts its batches, which is no weight.
    missing = [name for name in found.missing_keys if not name.endswith("num_batches_tracked")]
    if missing or found.unexpected_keys:
        raise SystemExit(f"the networks differ: missing {missing}, unexpected {found.unexpected_keys}")
    return model.to(device).train(), loss


def load_batches(folder, stage, device):
    names = load_file(f"{folder}/{stage}.safetensors", device=str(device))
    count = 1 + max(int(name.split(".")[0]) for name in names)
    parts = ({name.split(".")[1]: value for name, value in names.items() if int(name.split(".")[0]) == i} for i in range(count))
    return list(parts)


def peak_memory_mib(device):
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated() / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10


def resources():
    """CPU seconds of all threads, and page faults, so far."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime, usage.ru_minflt


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True)
    parser.add_argument("--stage", required=True, choices=STAGES)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--warm-up", type=int, default=3)
    parser.add_argument("--compile", nargs="?", const="default", metavar="MODE", help="torch.compile, in one of its modes")
    parser.add_argument("--precision", choices=PRECISIONS, default=PRECISIONS[0])
    parser.add_argument("--cudnn-benchmark", action="store_true")
    parser.add_argument("--channels-last", action="store_true")
    parser.add_argument("--without-dropout", action="store_true")
    args = parser.parse_args()

    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = args.precision != "float32"
    torch.backends.cudnn.benchmark = args.cudnn_benchmark
    torch.manual_seed(1)
    before = peak_memory_mib(device)
    model, loss_of = load_model(args.data, args.stage, device)
    if args.without_dropout:
        F.dropout = lambda x, p, training: x
    batches = load_batches(args.data, args.stage, device)
    if args.channels_last:
        model = model.to(memory_format=torch.channels_last)
    decayed = [p for p in model.parameters() if p.requires_grad and p.dim() > 1]
    others = [p for p in model.parameters() if p.requires_grad and p.dim() <= 1]
    groups = [{"params": decayed, "weight_decay": WEIGHT_DECAY}, {"params": others, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=RATE, fused=device.type == "cuda")
    average = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(EMA_DECAY), use_buffers=False)
    run = torch.compile(loss_of, mode=args.compile) if args.compile else loss_of
    autocast = args.precision == "bfloat16" and device.type == "cuda"

    losses, started, used = [], None, None
    for step in range(args.warm_up + args.steps):
        if step == args.warm_up:
            if device.type == "cuda":
                torch.cuda.synchronize()
            started, used = time.perf_counter(), resources()
        optimizer.zero_grad()
        with torch.autocast(device.type, torch.bfloat16, enabled=autocast):
            loss = run(model, batches[step % len(batches)])
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP_NORM)
        optimizer.step()
        average.update_parameters(model)
        value, length = torch.stack((loss.detach().float(), norm)).tolist()
        if not (math.isfinite(value) and math.isfinite(length)):
            raise SystemExit(f"the loss became {value} at step {step}")
        losses.append(value)
    if device.type == "cuda":
        torch.cuda.synchronize()
    seconds = time.perf_counter() - started
    cpu_seconds, page_faults = ((after - before) / args.steps for before, after in zip(used, resources()))
    figures = {
        "program": "PyTorch " + torch.__version__ + (f" compiled, {args.compile}" if args.compile else " eager")
        + (", channels last" if args.channels_last else ""),
        "stage": args.stage,
        "device": torch.cuda.get_device_name() if device.type == "cuda" else f"CPU, {torch.get_num_threads()} threads",
        "precision": args.precision if device.type == "cuda" else "float32",
        "steps_per_second": args.steps / seconds,
        "cpu_seconds_per_step": cpu_seconds,
        "page_faults_per_step": page_faults,
        "peak_memory_mib": peak_memory_mib(device),
        "memory_before_mib": before,
        "losses": losses[:8],
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()

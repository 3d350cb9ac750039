"""Ten optimiser steps of each phase of training in PyTorch: what trainer-native/tests/ten_steps.rs expects.

    pip install torch==1.12.1 numpy==1.26.4 safetensors
    python ten_steps.py > ten_steps.json

The networks are small: the first stage's shapes are below and in the test, the denoiser is unet.py's SMALL. Weights, maps and
noise are made by the rule of rule.py with seed 1. On the CPU in float64: the gradient penalty jumps where a
unit changes its sign, and in float32 rounding decided about the first stage's tenth step.
"""

import json
import re
import sys
from pathlib import Path

import numpy as np
import rule
import torch
import torch.nn.functional as F
import unet

torch.set_default_dtype(torch.float64)

STEPS = 10
BATCH, SIDE, LATENT = 2, 32, 2
LEARNING_RATE, LEAST, PLANNED_STEPS = 1e-3, 1e-4, 20
KL_WEIGHT = 1e-3


def normal(name, shape):
    return torch.tensor(rule.normal(name, shape)).double()


class Weights:
    """Parameters by rule, made when a network first asks for them."""

    def __init__(self, dtype=torch.float64):
        self.trained, self.fixed, self.dtype = {}, {}, dtype

    def __call__(self, name, shape, trained=True):
        store = self.trained if trained else self.fixed
        if name not in store:
            store[name] = torch.tensor(rule.parameter(name, shape), dtype=self.dtype, requires_grad=trained)
        return store[name]


def conv(w, name, x, output, kernel, stride=1, padding=None, trained=True):
    weight = w(name + ".weight", (output, x.shape[1], kernel, kernel), trained)
    padding = kernel // 2 if padding is None else padding
    return F.conv2d(x, weight, w(name + ".bias", (output,), trained), stride, padding)


def norm(w, name, x, groups=4, eps=1e-6):
    return F.group_norm(x, groups, w(name + ".weight", (x.shape[1],)), w(name + ".bias", (x.shape[1],)), eps)


def residual(w, name, x, output):
    h = conv(w, name + ".conv1", F.silu(norm(w, name + ".norm1", x)), output, 3)
    h = conv(w, name + ".conv2", F.silu(norm(w, name + ".norm2", h)), output, 3)
    return (x if x.shape[1] == output else conv(w, name + ".nin_shortcut", x, output, 1)) + h


def middle(w, name, x):
    x = residual(w, name + ".block_1", x, x.shape[1])
    n, c, height, width = x.shape
    h = norm(w, name + ".attn_1.norm", x)
    q, k, v = (conv(w, f"{name}.attn_1.{part}", h, c, 1).reshape(n, c, -1) for part in "qkv")
    attention = torch.softmax(torch.einsum("ncq,nck->nqk", q, k) * c**-0.5, dim=2)
    h = torch.einsum("nqk,nck->ncq", attention, v).reshape(x.shape)
    return residual(w, name + ".block_2", x + conv(w, name + ".attn_1.proj_out", h, c, 1), c)


def encode(w, x):
    h = conv(w, "encoder.conv_in", x, 8, 3)
    h = residual(w, "encoder.down.0.block.0", h, 8)
    h = conv(w, "encoder.down.0.downsample.conv", F.pad(h, (0, 1, 0, 1)), 8, 3, 2, 0)
    h = residual(w, "encoder.down.1.block.0", h, 16)
    h = F.silu(norm(w, "encoder.norm_out", middle(w, "encoder.mid", h)))
    moments = conv(w, "quant_conv", conv(w, "encoder.conv_out", h, 2 * LATENT, 3), 2 * LATENT, 1)
    mean, log_variance = moments.chunk(2, 1)
    return mean, log_variance.clamp(-30, 20)


def decode(w, z, widths=(8, 16)):
    h = conv(w, "decoder.conv_in", conv(w, "post_quant_conv", z, z.shape[1], 1), widths[-1], 3)
    h = middle(w, "decoder.mid", h)
    for level, width in reversed(list(enumerate(widths))):
        for block in range(2):
            h = residual(w, f"decoder.up.{level}.block.{block}", h, width)
        if level > 0:
            h = conv(w, f"decoder.up.{level}.upsample.conv", F.interpolate(h, scale_factor=2.0, mode="nearest"), width, 3)
    return conv(w, "decoder.conv_out", F.silu(norm(w, "decoder.norm_out", h)), 1, 3)


def autoencode(w, x, noise):
    mean, log_variance = encode(w, x)
    kl = 0.5 * (mean**2 + log_variance.exp() - 1 - log_variance).sum() / x.shape[0]
    return decode(w, mean + (log_variance / 2).exp() * noise), kl


class Discriminator:
    """8 channels, 2 layers, training mode."""

    def __init__(self, w, actnorm, spectral):
        self.w, self.actnorm, self.spectral, self.begun = w, actnorm, spectral, set()

    def conv(self, place, x, output, stride, bias):
        name = f"loss.discriminator.main.{place}"
        shape = (output, x.shape[1], 4, 4)
        if self.spectral:
            weight = self.w(name + ".weight_orig", shape)
            u = self.w(name + ".weight_u", (output,), False)
            v = self.w(name + ".weight_v", (int(np.prod(shape[1:])),), False)
            matrix = weight.reshape(output, -1)
            with torch.no_grad():
                v.copy_(F.normalize(matrix.t() @ u, dim=0, eps=1e-12))
                u.copy_(F.normalize(matrix @ v, dim=0, eps=1e-12))
            weight = weight / torch.dot(u.clone(), matrix @ v.clone())
        else:
            weight = self.w(name + ".weight", shape)
        return F.conv2d(x, weight, self.w(name + ".bias", (output,)) if bias else None, stride, 1)

    def normalise(self, place, x):
        name, c = f"loss.discriminator.main.{place}", x.shape[1]
        if not self.actnorm:
            scale, shift = self.w(name + ".weight", (c,)), self.w(name + ".bias", (c,))
            return F.batch_norm(x, None, None, scale, shift, training=True, eps=1e-5)
        loc, scale = self.w(name + ".loc", (1, c, 1, 1)), self.w(name + ".scale", (1, c, 1, 1))
        if place not in self.begun:
            self.begun.add(place)
            with torch.no_grad():
                flat = x.permute(1, 0, 2, 3).reshape(c, -1)
                loc.copy_(-flat.mean(1).reshape(1, c, 1, 1))
                scale.copy_(1 / (flat.std(1).reshape(1, c, 1, 1) + 1e-6))
        return scale * (x + loc)

    def __call__(self, x):
        h = F.leaky_relu(self.conv(0, x, 8, 2, True), 0.2)
        h = F.leaky_relu(self.normalise(3, self.conv(2, h, 16, 2, self.actnorm)), 0.2)
        h = F.leaky_relu(self.normalise(6, self.conv(5, h, 32, 1, self.actnorm)), 0.2)
        return self.conv(8, h, 1, 1, True)


def lpips(w, x, y):
    shift = torch.tensor([-0.030, -0.088, -0.188]).reshape(1, 3, 1, 1)
    scale = torch.tensor([0.458, 0.448, 0.450]).reshape(1, 3, 1, 1)
    x, y = (x - shift) / scale, (y - shift) / scale
    depths = [(64, [0, 2]), (128, [5, 7]), (256, [10, 12, 14]), (512, [17, 19, 21]), (512, [24, 26, 28])]
    total = 0
    for depth, (channels, places) in enumerate(depths):
        if depth > 0:
            x, y = F.max_pool2d(x, 2), F.max_pool2d(y, 2)
        for place in places:
            name = f"loss.perceptual_loss.net.slice{depth + 1}.{place}"
            x, y = (F.relu(conv(w, name, features, channels, 3, trained=False)) for features in (x, y))
        difference = (unit(x) - unit(y)) ** 2
        weight = w(f"loss.perceptual_loss.lin{depth}.model.1.weight", (1, channels, 1, 1), False)
        total = total + F.conv2d(difference, weight).mean([2, 3], keepdim=True)
    return total


def unit(features):
    return features / (torch.sqrt((features**2).sum(1, keepdim=True)) + 1e-10)


def rate(step, upstream, power):
    left = (1 - step / PLANNED_STEPS) ** power
    if upstream:
        return LEARNING_RATE * max(left, LEAST)
    return max(LEARNING_RATE * left, LEAST) * min((step + 1) / 50, 1)


class Optimizer:
    def __init__(self, parameters, decay, upstream, clip):
        flat = [p for p in parameters if p.dim() <= 1]
        groups = [{"params": [p for p in parameters if p.dim() > 1], "weight_decay": decay}]
        groups.append({"params": flat, "weight_decay": decay if upstream else 0.0})
        self.parameters, self.clip = parameters, clip
        self.adamw = torch.optim.AdamW(groups, lr=1.0)

    def step(self, loss, rate):
        self.adamw.zero_grad()
        loss.backward()
        if self.clip:
            torch.nn.utils.clip_grad_norm_(self.parameters, 1.0)
        for group in self.adamw.param_groups:
            group["lr"] = rate
        self.adamw.step()


def pixel_weights(truth, outdoors, building_weight=0.05):
    dims = (1, 2, 3)
    weight = outdoors * (1 - building_weight) + building_weight
    of_map = 1 / (((truth * 0.5 + 0.5) ** 2).mean(dims, keepdim=True) + 0.01)
    return weight * of_map / (weight.mean(dims, keepdim=True) * of_map.mean())


def buildings(step, shape):
    """1 outdoors, 0 inside of a building."""
    return torch.tensor((rule.uniform(f"outdoors.{step}", shape) > -0.4).astype(np.float32)).double()


def gradient_penalty(discriminator, x, y, step):
    share = torch.tensor(((rule.uniform(f"gradient penalty {step}", (BATCH,)) + 1) / 2).astype(np.float32)).double().reshape(-1, 1, 1, 1)
    between = (share * x + (1 - share) * y).requires_grad_()
    (slope,) = torch.autograd.grad(discriminator(between).mean((1, 2, 3)).sum(), between, create_graph=True)
    return (((slope**2).sum((1, 2, 3)) + 1e-12).sqrt() - 1).pow(2).mean()


def first_stage(upstream, adversary=None, perceptual=False, actnorm=False, spectral=False, start=3, ramp=0, weighted=False, penalty=0):
    """Losses of the autoencoder and, after each, of the discriminator (0 where it takes no step)."""
    w, judges, frozen = Weights(), Weights(), Weights()
    log_variance = torch.zeros((), requires_grad=True)
    discriminator = Discriminator(judges, actnorm, spectral)
    side = (BATCH, 1, SIDE, SIDE)
    # One pass makes the parameters, and must not begin ActNorm or keep the power iterations.
    discriminator.begun = {3, 6}
    with torch.no_grad():
        autoencode(w, torch.zeros(side), torch.zeros(BATCH, LATENT, SIDE // 2, SIDE // 2))
        discriminator(torch.zeros(side))
    discriminator.begun.clear()
    judges.fixed.clear()
    of_autoencoder = Optimizer(list(w.trained.values()) + ([] if upstream else [log_variance]), 0.01, upstream, not upstream)
    of_discriminator = Optimizer(list(judges.trained.values()), 0.01, upstream, not upstream)
    losses = {"autoencoder": [], "discriminator": []}
    for step in range(STEPS):
        since = step - start
        factor = 0.0 if since < 0 or adversary is None else (since + 1) / (ramp + 1) if since < ramp else 1.0
        x = torch.tensor(rule.uniform(f"map.{step}", side).astype(np.float32)).double()
        noise = [normal(f"noise.{step}.{k}", (BATCH, LATENT, SIDE // 2, SIDE // 2)) for k in range(2)]
        y, kl = autoencode(w, x, noise[0])
        r = (x - y).abs() + (x - y) ** 2
        if perceptual:
            r = r + lpips(frozen, x, y)
        n = r / log_variance.exp() + log_variance
        if weighted:
            n = n * pixel_weights(x, buildings(step, side))
        nll = n.sum() / BATCH
        if not upstream:
            nll, kl = nll / SIDE**2, kl / SIDE**2
        loss = nll + KL_WEIGHT * kl
        if factor > 0:
            g = -discriminator(y).mean()
            last = w.trained["decoder.conv_out.weight"]
            norms = [torch.autograd.grad(part, last, retain_graph=True)[0].norm() for part in (nll, g)]
            loss = loss + 0.5 * (norms[0] / (norms[1] + 1e-4)).clamp(0, 1e4).detach() * factor * g
        of_autoencoder.step(loss, rate(step, upstream, 0.95))
        losses["autoencoder"].append(loss.item())
        judged = 0.0
        if adversary and (factor > 0 or upstream):
            with torch.no_grad():
                y, _ = autoencode(w, x, noise[1])
            real, fake = discriminator(x), discriminator(y)
            if adversary == "hinge":
                loss = 0.5 * (F.relu(1 - real).mean() + F.relu(1 + fake).mean())
            else:
                loss = 0.5 * (F.softplus(-real).mean() + F.softplus(fake).mean())
            if penalty:
                loss = loss + penalty * gradient_penalty(discriminator, x, y, step)
            loss = factor * loss
            of_discriminator.step(loss, rate(step, upstream, 0.95))
            judged = loss.item()
        losses["discriminator"].append(judged)
    losses["log_variance"] = log_variance.item()
    return losses


def diffusion(upstream, l1=True, pixel=False):
    """Losses of the small denoiser, of the map its one step draws with `pixel`; batch normalisations' statistics at the end, and
    the first step's gradients, each by its norm and its product with the rule's values."""
    network = unet.Network(unet.SMALL, Path(__file__).parent, 1, torch.float64)
    network.training = True
    decoder = Weights(torch.float64)
    shape = unet.SMALL.latent
    trained = {name: p for name, p in network.p.items() if not name.endswith((".running_mean", ".running_var", ".W"))}
    if pixel:
        with torch.no_grad():
            decode(decoder, torch.zeros(shape, dtype=torch.float64), (8, 16, 16))
        trained.update(decoder.trained)
    for p in trained.values():
        p.requires_grad_()
    optimizer = Optimizer(list(trained.values()), 1e-4, upstream, True)
    losses, gradients = [], {}
    for step in range(STEPS):
        condition, truth = (torch.tensor(rule.uniform(f"{name}.{step}", (BATCH, channels, 40, 40)).astype(np.float32)).double()
                            for name, channels in (("condition", 2), ("map", 1)))
        x0, epsilon = 0.3 * normal(f"latent.{step}", shape).double(), normal(f"epsilon.{step}", shape).double()
        t = torch.tensor(((rule.uniform(f"time.{step}", (BATCH,)) + 1) / 2).astype(np.float32)) * (1 - 1e-4) + 1e-4
        t = (torch.ones(BATCH) if pixel else t).double()
        at = t[:, None, None, None]
        c, predicted = network.predict((1 - at) * x0 + at.sqrt() * epsilon, t, network.encode(condition))
        w1, w2 = 2 * (1 - t).exp(), t.sqrt().exp()
        dims = (1, 2, 3)
        loss = w1 * ((c + x0) ** 2).mean(dims) + w2 * ((predicted - epsilon) ** 2).mean(dims)
        if l1:
            loss = (loss + w1 * (c + x0).abs().mean(dims) + w2 * (predicted - epsilon).abs().mean(dims)) / 2
        loss = loss.mean()
        if pixel:
            difference = decode(decoder, -c / np.float32(0.3).item(), (8, 16, 16)) - truth
            error = difference.abs() + difference**2
            loss = 0.1 * loss + (error * pixel_weights(truth, buildings(step, truth.shape).double())).mean()
        if step == 0:
            found = torch.autograd.grad(loss, list(trained.values()), retain_graph=True, allow_unused=True)
            for name, gradient in zip(trained, found):
                if gradient is not None:
                    along = torch.from_numpy(rule.uniform("direction." + name, gradient.shape))
                    gradients[name] = [rounded(gradient.norm()), rounded((gradient * along).sum())]
        optimizer.step(loss, rate(step, upstream, 0.96))
        losses.append(loss.item())
    running = {name: [rounded(v) for v in p] for name, p in network.p.items() if ".running_" in name}
    return {"losses": losses, "running": running, "gradients": gradients}


def rounded(value):
    return float(f"{value.item():.8g}")


def main():
    torch.set_num_threads(1)
    results = {"first_stage": {}, "diffusion": {}}
    for compat in ("corrected", "upstream"):
        upstream = compat == "upstream"
        cases = results["first_stage"]
        cases[f"{compat} without adversary"] = first_stage(upstream)
        cases[f"{compat} hinge, LPIPS"] = first_stage(upstream, "hinge", perceptual=True, ramp=0 if upstream else 2)
        cases[f"{compat} vanilla, ActNorm, spectral"] = first_stage(upstream, "vanilla", actnorm=True, spectral=True)
        results["diffusion"][compat] = diffusion(upstream)
        results["diffusion"][f"{compat} without l1"] = diffusion(upstream, l1=False)
        results["diffusion"][f"{compat} pixel"] = diffusion(upstream, pixel=True)
    cases = results["first_stage"]
    cases["corrected weighted without adversary"] = first_stage(False, weighted=True)
    cases["corrected hinge, ActNorm, penalty"] = first_stage(False, "hinge", actnorm=True, ramp=2, penalty=10)
    # The first step's are enough of one case a phase.
    for case, result in results["diffusion"].items():
        if case not in ("corrected", "corrected pixel"):
            result["gradients"] = {}
    text = json.dumps(results, indent=1)
    sys.stdout.write(re.sub(r"\[[^\[\]{}]*\]", lambda numbers: " ".join(numbers[0].split()), text) + "\n")


if __name__ == "__main__":
    main()

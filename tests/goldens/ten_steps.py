"""Ten optimiser steps of each phase of training in PyTorch: the losses trainer-native/tests/ten_steps.rs expects.

    pip install torch numpy
    python ten_steps.py > ten_steps.json

The networks are small, their shapes are below and in the test; weights, maps and noise are made by the rule of
shared/goldens/README.md with seed 1. Made with torch 1.13.1 on the CPU in float32.
"""

import json
import sys

import numpy as np
import rule
import torch
import torch.nn.functional as F

STEPS = 10
BATCH, SIDE, LATENT = 2, 32, 2
LEARNING_RATE, LEAST, PLANNED_STEPS = 1e-3, 1e-4, 20
KL_WEIGHT = 1e-3


def normal(name, shape):
    return torch.tensor(rule.normal(name, shape))


class Weights:
    """Parameters by rule, made when a network first asks for them."""

    def __init__(self):
        self.trained = {}
        self.fixed = {}

    def __call__(self, name, shape, trained=True):
        store = self.trained if trained else self.fixed
        if name not in store:
            store[name] = torch.tensor(rule.parameter(name, shape), requires_grad=trained)
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


def decode(w, z):
    h = conv(w, "decoder.conv_in", conv(w, "post_quant_conv", z, LATENT, 1), 16, 3)
    h = middle(w, "decoder.mid", h)
    for block in range(2):
        h = residual(w, f"decoder.up.1.block.{block}", h, 16)
    h = conv(w, "decoder.up.1.upsample.conv", F.interpolate(h, scale_factor=2.0, mode="nearest"), 16, 3)
    for block in range(2):
        h = residual(w, f"decoder.up.0.block.{block}", h, 8)
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


def first_stage(upstream, adversary=None, perceptual=False, actnorm=False, spectral=False, start=3, ramp=0):
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
        x = torch.tensor(rule.uniform(f"map.{step}", side).astype(np.float32))
        noise = [normal(f"noise.{step}.{k}", (BATCH, LATENT, SIDE // 2, SIDE // 2)) for k in range(2)]
        y, kl = autoencode(w, x, noise[0])
        r = (x - y).abs() + (x - y) ** 2
        if perceptual:
            r = r + lpips(frozen, x, y)
        n = r / log_variance.exp() + log_variance
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
            loss = factor * loss
            of_discriminator.step(loss, rate(step, upstream, 0.95))
            judged = loss.item()
        losses["discriminator"].append(judged)
    losses["log_variance"] = log_variance.item()
    return losses


def diffusion(upstream, l1):
    """Losses of a small network with two heads; the objective is pred_KC."""
    w = Weights()

    def heads(x):
        h = F.silu(norm(w, "norm", conv(w, "conv", x, 16, 3), 4, 1e-5))
        return conv(w, "c", h, LATENT, 3), conv(w, "epsilon", h, LATENT, 3)

    shape = (BATCH, LATENT, 16, 16)
    with torch.no_grad():
        heads(torch.zeros(shape))
    optimizer = Optimizer(list(w.trained.values()), 1e-4, upstream, True)
    losses = []
    for step in range(STEPS):
        x0, epsilon = 0.3 * normal(f"latent.{step}", shape), normal(f"epsilon.{step}", shape)
        t = torch.tensor(((rule.uniform(f"time.{step}", (BATCH,)) + 1) / 2).astype(np.float32)) * (1 - 1e-4) + 1e-4
        t = t.reshape(-1, 1, 1, 1)
        x_t = (1 - t) * x0 + t.sqrt() * epsilon
        f1, f2 = heads(x_t)
        c = (1 - t) * x_t + t / (t**2 + 1).sqrt() * f1
        predicted = t.sqrt() * x_t + (1 - t).sqrt() / (t**2 + 1).sqrt() * f2
        w1, w2 = (2 * (1 - t).exp()).flatten(), t.sqrt().exp().flatten()
        dims = (1, 2, 3)
        loss = w1 * ((c + x0) ** 2).mean(dims) + w2 * ((predicted - epsilon) ** 2).mean(dims)
        if l1:
            loss = (loss + w1 * (c + x0).abs().mean(dims) + w2 * (predicted - epsilon).abs().mean(dims)) / 2
        loss = loss.mean()
        optimizer.step(loss, rate(step, upstream, 0.96))
        losses.append(loss.item())
    return losses


def main():
    torch.set_num_threads(1)
    results = {"first_stage": {}, "diffusion": {}}
    for compat in ("corrected", "upstream"):
        upstream = compat == "upstream"
        cases = results["first_stage"]
        cases[f"{compat} without adversary"] = first_stage(upstream)
        cases[f"{compat} hinge, LPIPS"] = first_stage(upstream, "hinge", perceptual=True, ramp=0 if upstream else 2)
        cases[f"{compat} vanilla, ActNorm, spectral"] = first_stage(upstream, "vanilla", actnorm=True, spectral=True)
        results["diffusion"][compat] = diffusion(upstream, l1=True)
        results["diffusion"][f"{compat} without l1"] = diffusion(upstream, l1=False)
    json.dump(results, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()

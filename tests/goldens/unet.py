"""The paper's condition encoder, U-Net and sampler in PyTorch, in float64 and float32, with weights by rule; of small sizes too.

    pip install torch==1.12.1 numpy==1.26.4 safetensors         (Python 3.10)
    python unet.py $RADIODIFF_SHARED/goldens exact unet-float64.safetensors
    python unet.py $RADIODIFF_SHARED/goldens table 1 2 3 4
    python unet.py . small small-float64.safetensors

The first writes what tests/src/goldens.rs expects: float64 outputs, rounded to float32, with the weights of seed 1 (`rule.*`) and
with the relation layers' queries made 16 times smaller (`calm.*`). docs/measurements/engines.md says why. The second prints, for
each seed, how far float32 is from float64, and the first seed's float32 from the public code's. The third writes what
tests/src/small.rs expects. The networks are those of docs/radiodiff.md. The folder holds the reference data, of which only the
parameters' shapes, the scene and the public outputs are read.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import rule
import torch
import torch.nn.functional as F
from safetensors.numpy import load_file, save_file

SHORTEST = 1e-4


@dataclass(frozen=True)
class Sizes:
    """What the parameters' shapes do not tell."""

    parameters: str
    latent: tuple
    stages: tuple  # Depth and heads of each of the Swin transformer's
    window: int
    relation_windows: tuple
    groups: int
    heads: int
    head_width: int


PAPER = Sizes("parameters-unet.txt", (1, 3, 64, 64), ((2, 4), (2, 8), (18, 16), (2, 32)), 7, (8, 4, 2, 1), 8, 4, 32)
# Windows do not divide, one is larger than its stage, the bottleneck of 5 x 5 is odd, and each sample has a time of its own.
SMALL = Sizes("small-parameters.txt", (2, 3, 10, 10), ((2, 2), (2, 3)), 6, (4, 2), 4, 2, 8)


class Network:
    """Parameters `p` by name; every method takes the name of what it computes."""

    def __init__(self, sizes, folder, seed, dtype, query_factor=1.0):
        self.p, self.sizes, self.dtype, self.seed, self.training = {}, sizes, dtype, seed, False
        for line in (folder / sizes.parameters).read_text().splitlines():
            name, _, shape = line.partition(" ")
            if not shape or name.endswith(("relative_position_index", "num_batches_tracked")):
                continue
            shape = tuple(int(n) for n in "".join(c if c.isdigit() else " " for c in shape).split())
            values = torch.from_numpy(rule.parameter(name, shape, seed))
            self.p[name] = (values * query_factor if ".q_lin." in name else values).to(dtype)

    def noise(self, name):
        return torch.from_numpy(rule.normal(name, self.sizes.latent, self.seed)).to(self.dtype)

    def times(self, *values):
        return torch.tensor(values, dtype=torch.float32).to(self.dtype)

    def linear(self, name, x):
        return F.linear(x, self.p[name + ".weight"], self.p.get(name + ".bias"))

    def conv(self, name, x, **geometry):
        return F.conv2d(x, self.p[name + ".weight"], self.p.get(name + ".bias"), **geometry)

    def layer_norm(self, name, x):
        return F.layer_norm(x, x.shape[-1:], self.p[name + ".weight"], self.p[name + ".bias"], 1e-5)

    def group_norm(self, name, x):
        return F.group_norm(x, self.sizes.groups, self.p[name + ".weight"], self.p[name + ".bias"], 1e-5)

    def batch_norm(self, name, x):
        mean, variance, weight, bias = (self.p[f"{name}.{part}"] for part in ("running_mean", "running_var", "weight", "bias"))
        return F.batch_norm(x, mean, variance, weight, bias, self.training, 0.03, 1e-3)

    # The condition encoder.

    def window_attention(self, name, x, heads, shift):
        n, height, width, c = x.shape
        side = self.sizes.window
        x = F.pad(x, (0, 0, 0, -width % side, 0, -height % side))
        tall, wide = x.shape[1:3]
        shifts = tuple(0 if side >= extent else shift for extent in (tall, wide))
        x = torch.roll(x, tuple(-s for s in shifts), (1, 2))
        rows, columns = tall // side, wide // side
        x = x.view(n, rows, side, columns, side, c).permute(0, 1, 3, 2, 4, 5).reshape(-1, side * side, c)
        qkv = self.linear(name + ".qkv", x).reshape(len(x), side * side, 3, heads, c // heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)
        logits = (q * (c // heads) ** -0.5) @ k.transpose(-2, -1)
        row, column = (grid.flatten() for grid in torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij"))
        down, right = (place[:, None] - place[None] + side - 1 for place in (row, column))
        index = down * (2 * side - 1) + right
        logits = logits + self.p[name + ".relative_position_bias_table"][index].permute(2, 0, 1)
        if any(shifts):
            def part(extent, s):
                i = torch.arange(extent)
                return (i >= extent - side).int() + (i >= extent - s).int() if s else torch.zeros(extent, dtype=torch.int)

            region = 3 * part(tall, shifts[0])[:, None] + part(wide, shifts[1])[None]
            region = region.view(rows, side, columns, side).permute(0, 2, 1, 3).reshape(-1, side * side)
            mask = (region[:, None] != region[:, :, None]).to(x.dtype) * -100
            logits = (logits.view(n, -1, heads, side * side, side * side) + mask[None, :, None]).view_as(logits)
        x = (logits.softmax(-1) @ v).transpose(1, 2).reshape(len(x), side * side, c)
        x = self.linear(name + ".proj", x)
        x = x.view(n, rows, columns, side, side, c).permute(0, 1, 3, 2, 4, 5).reshape(n, tall, wide, c)
        return torch.roll(x, shifts, (1, 2))[:, :height, :width].contiguous()

    def encode(self, condition):
        at = "init_conv_mask."
        x = self.conv(at + "first_coonv.0", condition, stride=4).permute(0, 2, 3, 1)
        x = self.layer_norm(at + "first_coonv.2", x)
        stages = []
        for stage, (depth, heads) in enumerate(self.sizes.stages):
            if stage > 0:
                name = f"{at}features.{2 * stage - 1}"
                x = torch.cat([x[:, row::2, column::2] for column in range(2) for row in range(2)], -1)
                x = self.linear(name + ".reduction", self.layer_norm(name + ".norm", x))
            for block in range(depth):
                name = f"{at}features.{2 * stage}.{block}"
                x = x + self.window_attention(name + ".attn", self.layer_norm(name + ".norm1", x), heads, self.sizes.window // 2 * (block % 2))
                hidden = F.gelu(self.linear(name + ".mlp.0", self.layer_norm(name + ".norm2", x)))
                x = x + self.linear(name + ".mlp.3", hidden)
            stages.append(x.permute(0, 3, 1, 2).contiguous())
        return stages

    # The U-Net.

    def block(self, name, x, modulation=None):
        weight = self.p[name + ".proj.weight"]
        dims = (1, 2, 3)
        mean, variance = weight.mean(dims, keepdim=True), weight.var(dims, unbiased=False, keepdim=True)
        x = F.conv2d(x, (weight - mean) * (variance + 1e-5).rsqrt(), self.p[name + ".proj.bias"], padding=1)
        x = self.group_norm(name + ".norm", x)
        if modulation is not None:
            scale, shift = modulation
            x = x * (scale + 1) + shift
        return F.silu(x)

    def resnet(self, name, x, time):
        modulation = self.linear(name + ".mlp.1", F.silu(time))[:, :, None, None].chunk(2, 1)
        h = self.block(name + ".block2", self.block(name + ".block1", x, modulation))
        return h + (self.conv(name + ".res_conv", x) if name + ".res_conv.weight" in self.p else x)

    def channel_norm(self, name, x):
        variance, mean = x.var(1, unbiased=False, keepdim=True), x.mean(1, keepdim=True)
        return (x - mean) * (variance + 1e-5).rsqrt() * self.p[name + ".g"]

    def heads(self, name, x):
        n, _, height, width = x.shape
        qkv = self.conv(name + ".fn.fn.to_qkv", self.channel_norm(name + ".fn.norm", x))
        return (part.reshape(n, self.sizes.heads, -1, height * width) for part in qkv.chunk(3, 1))

    def linear_attention(self, name, x):
        n, _, height, width = x.shape
        q, k, v = self.heads(name, x)
        q, k, v = q.softmax(-2) * self.sizes.head_width**-0.5, k.softmax(-1), v / (height * width)
        context = torch.einsum("bhdn,bhen->bhde", k, v)
        out = torch.einsum("bhde,bhdn->bhen", context, q).reshape(n, -1, height, width)
        return self.channel_norm(name + ".fn.fn.to_out.1", self.conv(name + ".fn.fn.to_out.0", out)) + x

    def full_attention(self, name, x):
        n, _, height, width = x.shape
        q, k, v = self.heads(name, x)
        weights = torch.einsum("bhdi,bhdj->bhij", q * self.sizes.head_width**-0.5, k).softmax(-1)
        out = torch.einsum("bhij,bhdj->bhid", weights, v).transpose(-2, -1).reshape(n, -1, height, width)
        return self.conv(name + ".fn.fn.to_out", out) + x

    def position_code(self, channels, height, width):
        """In float32 whatever the network's precision: it is a constant of the public code's."""
        half = channels // 2
        period = torch.arange(half, dtype=torch.float32)
        period = 10000 ** (2 * torch.div(period, 2, rounding_mode="floor") / half)

        def waves(extent):
            angle = torch.arange(1, extent + 1, dtype=torch.float32)[:, None] / period
            return torch.stack((angle[:, 0::2].sin(), angle[:, 1::2].cos()), 2).flatten(1)

        rows = waves(height)[:, None].expand(height, width, half)
        columns = waves(width)[None].expand(height, width, half)
        return torch.cat((rows, columns), 2).permute(2, 0, 1)[None].to(self.dtype)

    def relation(self, name, condition, feature, window):
        c = self.batch_norm(name + ".input_conv1.1", self.conv(name + ".input_conv1.0", condition))
        f = self.batch_norm(name + ".input_conv2.1", self.conv(name + ".input_conv2.0", feature))
        at = name + ".attentions.0."
        n, channels, height, width = f.shape

        def resized(x):
            return F.interpolate(x, size=(height, width), mode="bilinear", align_corners=True)

        shortcut = self.group_norm(at + "gn", f + self.conv(at + "concat_conv", torch.cat([resized(c), f], 1)))
        tiles = (0, -width % window, 0, -height % window)
        query_map, key_map = (F.avg_pool2d(F.pad(x, tiles), window) for x in (c, f))
        code = self.position_code(channels, *query_map.shape[2:])
        queries, keys = ((pooled + code).flatten(2).transpose(1, 2) for pooled in (query_map, key_map))

        def heads(layer, tokens):
            return self.linear(at + layer, tokens).reshape(n, -1, 8, channels // 8).permute(0, 2, 1, 3)

        q, k, v = heads("q_lin", queries), heads("k_lin", keys), heads("v_lin", keys)
        attended = ((q @ k.transpose(-2, -1)).softmax(-1) @ v).transpose(-2, -1).reshape(query_map.shape)
        mixed = query_map + attended
        mixed = mixed + self.conv(at + "mlp.fc2", F.relu(self.conv(at + "mlp.fc1", mixed)))
        return shortcut + self.conv(at + "out_conv", resized(mixed))

    def adaptive_fourier(self, name, x):
        h = self.conv(name + ".1", self.group_norm(name + ".0", x), padding=1)
        spectrum = torch.fft.rfft2(h, norm="ortho") * torch.view_as_complex(self.p[name + ".2.complex_weight"])
        return x + torch.fft.irfft2(spectrum, s=h.shape[2:], norm="ortho")

    def time_embedding(self, t):
        phase = (torch.log(t) / 4)[:, None] * self.p["time_mlp.0.W"][None] * 2 * np.pi
        waves = torch.cat([phase.sin(), phase.cos()], -1)
        return self.linear("time_mlp.3", F.gelu(self.linear("time_mlp.1", waves)))

    def decode(self, number, x, skips, conditions, stem, time):
        suffix = "" if number == 1 else "2"
        x, skips = self.adaptive_fourier(f"decouple{number}", x), list(skips)
        levels = len(self.sizes.relation_windows)
        for level in range(levels):
            name, at = f"ups{suffix}.{level}", levels - 1 - level
            x = self.resnet(name + ".0", torch.cat((x, skips.pop()), 1), time)
            x = self.relation(f"relation_layers_up{suffix}.{level}", conditions[at], x, self.sizes.relation_windows[at])
            x = self.resnet(name + ".1", torch.cat((x, skips.pop()), 1), time)
            x = self.linear_attention(name + ".2", x)
            if at > 0:
                x = self.conv(name + ".3.1", F.interpolate(x, scale_factor=2.0, mode="nearest"), padding=1)
            else:
                x = self.conv(name + ".3", x, padding=1)
        x = self.resnet("final_res_block" + suffix, torch.cat((x, stem), 1), time)
        return self.conv("final_conv" + suffix, x)

    def predict(self, x_t, t, stages):
        """C and epsilon at the times t, one or as many as samples."""
        conditions = [self.conv(f"projects.{i}", stage) for i, stage in enumerate(stages)]
        padding = self.p["init_conv.0.weight"].shape[-1] // 2
        stem = self.group_norm("init_conv.1", self.conv("init_conv.0", torch.cat([x_t, stages[0]], 1), padding=padding))
        time, x, skips = self.time_embedding(t), stem, []
        for level, window in enumerate(self.sizes.relation_windows):
            name = f"downs.{level}"
            x = self.resnet(name + ".0", x, time)
            skips.append(x)
            x = self.relation(f"relation_layers_down.{level}", conditions[level], x, window)
            x = self.linear_attention(name + ".2", self.resnet(name + ".1", x, time))
            skips.append(x)
            x = self.conv(name + ".3", x, stride=2 if level + 1 < len(conditions) else 1, padding=1)
        x = self.full_attention("mid_attn", self.resnet("mid_block1", x, time))
        x = self.resnet("mid_block2", x, time)
        t = t[:, None, None, None]
        norm = (t**2 + 1).sqrt()
        drift = (1 - t) * x_t + t / norm * self.decode(1, x, skips, conditions, stem, time)
        # At t = 1 epsilon is x_t.
        if t.eq(1).all():
            return drift, x_t
        return drift, t.sqrt() * x_t + (1 - t).sqrt() / norm * self.decode(2, x, skips, conditions, stem, time)

    def sample(self, x, steps, stages):
        sizes = [1 / steps] * (steps - 1) + [1 / steps - SHORTEST, SHORTEST]
        left = 1.0
        for i, size in enumerate(sizes):
            t, step = (np.float64(np.float32(value)) for value in (left, left if i + 1 == len(sizes) else size))
            drift, epsilon = self.predict(x, self.times(t), stages)
            x0 = x - t * drift - t**0.5 * epsilon
            fresh = (step * (t - step) / t) ** 0.5 * self.noise(f"step_noise.{i}")
            x = x + step * x0 - step / t**0.5 * epsilon + fresh
            left -= size
        return x


def outputs(network, condition, *times):
    stages = network.encode(torch.from_numpy(condition).to(network.dtype))
    noise = network.noise("noise")
    found = {f"swin.stage{i}.channels0_8": stage[:, :8] for i, stage in enumerate(stages)}
    for t in times:
        at = "unet.t" + "_".join(map(str, t))
        found[at + ".C"], found[at + ".eps"] = network.predict(noise, network.times(*t), stages)
    found.update({f"sampler.n{steps}.latent": network.sample(noise, steps, stages) for steps in (1, 3)})
    return {key: value.double().numpy() for key, value in found.items()}


def of_paper(folder, *network):
    scene = load_file(folder / "upstream-seed1.safetensors")["input.cond"]
    return outputs(Network(PAPER, folder, *network), scene, (0.25,), (1.0,))


def save(found, path):
    rounded = {key: np.ascontiguousarray(value, dtype=np.float32) for key, value in found.items()}
    save_file(rounded, path, {"made_by": f"unet.py, torch {torch.__version__}", "seed": "1"})


def distances(found, expected):
    away = {key: np.linalg.norm(found[key] - expected[key]) / np.linalg.norm(expected[key]) for key in found}
    return "  ".join(f"{key} {distance:.1e}" for key, distance in away.items())


def main():
    folder, task, *rest = sys.argv[1:]
    folder = Path(folder)
    torch.set_grad_enabled(False)
    if task == "exact":
        cases = {"rule": of_paper(folder, 1, torch.float64), "calm": of_paper(folder, 1, torch.float64, 1 / 16)}
        found = {f"{case}.{key}": value for case, found in cases.items() for key, value in found.items()}
        # At t = 1 epsilon is the input, and the encoder has no relation layer.
        kept = {key: value for key, value in found.items() if ".swin" not in key and not key.endswith("unet.t1.0.eps")}
        save(kept, rest[0])
    elif task == "small":
        condition = rule.uniform("condition", (2, 2, 40, 40))
        found = [outputs(Network(SMALL, folder, 1, dtype), condition, (0.25, 0.8), (1.0, 1.0)) for dtype in (torch.float64, torch.float32)]
        print("float32 against float64:", distances(found[1], found[0]))
        save(found[0], rest[0])
    else:
        for seed in map(int, rest):
            single, double = (of_paper(folder, seed, dtype) for dtype in (torch.float32, torch.float64))
            print(f"seed {seed}, float32 against float64:", distances(single, double))
            if seed == 1:
                public = load_file(folder / "upstream-seed1.safetensors")
                print("seed 1, float32 against the public code's:", distances(single, public))
                print("seed 1, float64 against the public code's:", distances(double, public))
        calm = [of_paper(folder, 1, dtype, 1 / 16) for dtype in (torch.float32, torch.float64)]
        print("seed 1, calm, float32 against float64:", distances(*calm))


if __name__ == "__main__":
    main()

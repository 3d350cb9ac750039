"""The networks of a preset in PyTorch: what `trainer bench` is compared with.

Written as a PyTorch user writes them, from docs/radiodiff.md: torch's own layers, in eager mode, with parameters under the names of
the weights file, so that both programs start from the same weights and their losses can be compared.
"""

import math

import torch
from torch import nn
from torch.nn import functional as F


class ResnetBlock(nn.Module):
    def __init__(self, inputs, outputs, groups):
        super().__init__()
        self.norm1 = nn.GroupNorm(groups, inputs, eps=1e-6)
        self.conv1 = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.norm2 = nn.GroupNorm(groups, outputs, eps=1e-6)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1)
        self.nin_shortcut = nn.Conv2d(inputs, outputs, 1) if inputs != outputs else nn.Identity()

    def forward(self, x):
        h = self.conv1(F.silu(self.norm1(x)))
        h = self.conv2(F.silu(self.norm2(h)))
        return self.nin_shortcut(x) + h


class PixelAttention(nn.Module):
    def __init__(self, channels, groups):
        super().__init__()
        self.norm = nn.GroupNorm(groups, channels, eps=1e-6)
        self.q, self.k, self.v, self.proj_out = (nn.Conv2d(channels, channels, 1) for _ in range(4))

    def forward(self, x):
        h = self.norm(x)
        q, k, v = (conv(h).flatten(2).transpose(1, 2) for conv in (self.q, self.k, self.v))
        mixed = F.scaled_dot_product_attention(q, k, v)
        return x + self.proj_out(mixed.transpose(1, 2).reshape(x.shape))


def middle(channels, groups):
    return nn.ModuleDict(
        {
            "block_1": ResnetBlock(channels, channels, groups),
            "attn_1": PixelAttention(channels, groups),
            "block_2": ResnetBlock(channels, channels, groups),
        }
    )


def through_middle(mid, x):
    return mid["block_2"](mid["attn_1"](mid["block_1"](x)))


class Encoder(nn.Module):
    def __init__(self, preset):
        super().__init__()
        groups, channels = preset["norm_groups"], preset["channels"]
        widths = [channels * m for m in preset["multipliers"]]
        self.conv_in = nn.Conv2d(1, channels, 3, padding=1)
        self.down = nn.ModuleList()
        for level, width in enumerate(widths):
            part = nn.ModuleDict({"block": nn.ModuleList()})
            for _ in range(preset["residual_blocks"]):
                part["block"].append(ResnetBlock(channels, width, groups))
                channels = width
            if level + 1 < len(widths):
                part["downsample"] = nn.ModuleDict({"conv": nn.Conv2d(channels, channels, 3, stride=2)})
            self.down.append(part)
        self.mid = middle(channels, groups)
        self.norm_out = nn.GroupNorm(groups, channels, eps=1e-6)
        self.conv_out = nn.Conv2d(channels, 2 * preset["latent_channels"], 3, padding=1)

    def forward(self, x):
        h = self.conv_in(x)
        for part in self.down:
            for block in part["block"]:
                h = block(h)
            if "downsample" in part:
                h = part["downsample"]["conv"](F.pad(h, (0, 1, 0, 1)))
        return self.conv_out(F.silu(self.norm_out(through_middle(self.mid, h))))


class Decoder(nn.Module):
    def __init__(self, preset):
        super().__init__()
        groups = preset["norm_groups"]
        widths = [preset["channels"] * m for m in preset["multipliers"]]
        channels = widths[-1]
        self.conv_in = nn.Conv2d(preset["latent_channels"], channels, 3, padding=1)
        self.mid = middle(channels, groups)
        parts = []
        for level, width in reversed(list(enumerate(widths))):
            part = nn.ModuleDict({"block": nn.ModuleList()})
            for _ in range(preset["residual_blocks"] + 1):
                part["block"].append(ResnetBlock(channels, width, groups))
                channels = width
            if level > 0:
                part["upsample"] = nn.ModuleDict({"conv": nn.Conv2d(channels, channels, 3, padding=1)})
            parts.append(part)
        self.up = nn.ModuleList(reversed(parts))
        self.norm_out = nn.GroupNorm(groups, channels, eps=1e-6)
        self.conv_out = nn.Conv2d(channels, 1, 3, padding=1)

    def forward(self, z):
        h = through_middle(self.mid, self.conv_in(z))
        for part in reversed(self.up):
            for block in part["block"]:
                h = block(h)
            if "upsample" in part:
                h = part["upsample"]["conv"](F.interpolate(h, scale_factor=2.0, mode="nearest"))
        return self.conv_out(F.silu(self.norm_out(h)))


class Autoencoder(nn.Module):
    def __init__(self, preset):
        super().__init__()
        z = preset["latent_channels"]
        self.encoder, self.decoder = Encoder(preset), Decoder(preset)
        self.quant_conv, self.post_quant_conv = nn.Conv2d(2 * z, 2 * z, 1), nn.Conv2d(z, z, 1)

    def encode(self, x):
        mean, log_variance = self.quant_conv(self.encoder(x)).chunk(2, dim=1)
        return mean, log_variance.clamp(-30.0, 20.0)

    def decode(self, z):
        return self.decoder(self.post_quant_conv(z))


class ChannelNorm(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.g = nn.Parameter(torch.ones(1, channels, 1, 1))

    def forward(self, x):
        variance, mean = torch.var_mean(x, dim=1, unbiased=False, keepdim=True)
        return (x - mean) * (variance + 1e-5).rsqrt() * self.g


class LinearAttention(nn.Module):
    def __init__(self, channels, heads, width):
        super().__init__()
        self.heads, self.width = heads, width
        self.fn = nn.Module()
        self.fn.norm = ChannelNorm(channels)
        self.fn.fn = nn.Module()
        self.fn.fn.to_qkv = nn.Conv2d(channels, 3 * heads * width, 1, bias=False)
        self.fn.fn.to_out = nn.Sequential(nn.Conv2d(heads * width, channels, 1), ChannelNorm(channels))

    def forward(self, x):
        b, _, h, w = x.shape
        q, k, v = self.fn.fn.to_qkv(self.fn.norm(x)).reshape(b, 3, self.heads, self.width, h * w).unbind(1)
        q, k, v = q.softmax(-2) * self.width**-0.5, k.softmax(-1), v / (h * w)
        out = torch.einsum("bhdn,bhen->bhde", k, v).transpose(-1, -2) @ q
        return self.fn.fn.to_out(out.reshape(b, -1, h, w)) + x


class FullAttention(nn.Module):
    def __init__(self, channels, heads, width):
        super().__init__()
        self.heads, self.width = heads, width
        self.fn = nn.Module()
        self.fn.norm = ChannelNorm(channels)
        self.fn.fn = nn.Module()
        self.fn.fn.to_qkv = nn.Conv2d(channels, 3 * heads * width, 1, bias=False)
        self.fn.fn.to_out = nn.Conv2d(heads * width, channels, 1)

    def forward(self, x):
        b, _, h, w = x.shape
        q, k, v = self.fn.fn.to_qkv(self.fn.norm(x)).reshape(b, 3, self.heads, self.width, h * w).transpose(-1, -2).unbind(1)
        out = F.scaled_dot_product_attention(q, k, v).transpose(-1, -2)
        return self.fn.fn.to_out(out.reshape(b, -1, h, w)) + x


class WeightStandardizedConv2d(nn.Conv2d):
    def forward(self, x):
        weight = F.layer_norm(self.weight.flatten(1), (self.weight[0].numel(),)).view_as(self.weight)
        return F.conv2d(x, weight, self.bias, padding=1)


class ModulatedConv(nn.Module):
    def __init__(self, inputs, outputs, groups):
        super().__init__()
        self.proj = WeightStandardizedConv2d(inputs, outputs, 3, padding=1)
        self.norm = nn.GroupNorm(groups, outputs)

    def forward(self, x, modulation=None):
        h = self.norm(self.proj(x))
        if modulation is not None:
            scale, shift = modulation
            h = h * (scale + 1.0) + shift
        return F.silu(h)


class ModulatedResnetBlock(nn.Module):
    def __init__(self, inputs, outputs, time_width, groups):
        super().__init__()
        self.mlp = nn.Sequential(nn.SiLU(), nn.Linear(time_width, 2 * outputs))
        self.block1, self.block2 = ModulatedConv(inputs, outputs, groups), ModulatedConv(outputs, outputs, groups)
        self.res_conv = nn.Conv2d(inputs, outputs, 1) if inputs != outputs else nn.Identity()

    def forward(self, x, time):
        modulation = self.mlp(time)[:, :, None, None].chunk(2, dim=1)
        return self.block2(self.block1(x, modulation)) + self.res_conv(x)


class AdaptiveFourier(nn.Sequential):
    def __init__(self, channels, side, groups):
        spectral = nn.Module()
        spectral.complex_weight = nn.Parameter(torch.randn(channels, side, side // 2 + 1, 2) * 0.02)
        super().__init__(nn.GroupNorm(groups, channels), nn.Conv2d(channels, channels, 3, padding=1), spectral)

    def forward(self, x):
        h = torch.fft.rfft2(self[1](self[0](x)), norm="ortho") * torch.view_as_complex(self[2].complex_weight)
        return x + torch.fft.irfft2(h, s=x.shape[-2:], norm="ortho")


def sine_position_code(channels, height, width):
    half = channels // 2
    period = 10000.0 ** (2 * (torch.arange(half) // 2) / half)
    rows, columns = torch.arange(1, height + 1), torch.arange(1, width + 1)

    def waves(positions):
        phase = positions[None, :] / period[:, None]
        return torch.where((torch.arange(half) % 2 == 0)[:, None], phase.sin(), phase.cos())

    by_row = waves(rows)[:, :, None].expand(half, height, width)
    by_column = waves(columns)[:, None, :].expand(half, height, width)
    return torch.cat([by_row, by_column])[None]


class RelationLayer(nn.Module):
    HEADS = 8

    def __init__(self, condition, feature, width, window, groups):
        super().__init__()
        self.window = window
        self.input_conv1 = nn.Sequential(nn.Conv2d(condition, width, 1), nn.BatchNorm2d(width, eps=1e-3, momentum=0.03))
        self.input_conv2 = nn.Sequential(nn.Conv2d(feature, width, 1), nn.BatchNorm2d(width, eps=1e-3, momentum=0.03))
        layer = nn.Module()
        layer.concat_conv = nn.Conv2d(2 * width, width, 1)
        layer.gn = nn.GroupNorm(groups, width)
        # Without a window the layer has no attention.
        if window > 0:
            layer.q_lin, layer.k_lin, layer.v_lin = (nn.Linear(width, width) for _ in range(3))
            layer.mlp = nn.Module()
            layer.mlp.fc1, layer.mlp.fc2 = nn.Conv2d(width, 2 * width, 1), nn.Conv2d(2 * width, width, 1)
            layer.out_conv = nn.Conv2d(width, width, 1)
        self.attentions = nn.ModuleList([layer])
        self.codes = {}

    def forward(self, condition, feature):
        layer = self.attentions[0]
        condition, feature = self.input_conv1(condition), self.input_conv2(feature)
        size = feature.shape[-2:]
        resize = lambda x: x if x.shape[-2:] == size else F.interpolate(x, size, mode="bilinear", align_corners=True)
        shortcut = layer.gn(feature + layer.concat_conv(torch.cat([resize(condition), feature], 1)))
        if self.window == 0:
            return shortcut
        pool = lambda x: x if self.window == 1 else F.avg_pool2d(x, self.window)
        query, key = pool(condition), pool(feature)
        b, c, h, w = query.shape
        if (h, w) not in self.codes:
            self.codes[h, w] = sine_position_code(c, h, w).to(query.device)
        by_token = lambda x: (x + self.codes[h, w]).flatten(2).transpose(1, 2)
        by_head = lambda x: x.unflatten(2, (self.HEADS, -1)).transpose(1, 2)
        queries, keys = by_token(query), by_token(key)
        q, k, v = by_head(layer.q_lin(queries)), by_head(layer.k_lin(keys)), by_head(layer.v_lin(keys))
        mixed = F.scaled_dot_product_attention(q, k, v, scale=1.0).transpose(-1, -2).reshape(b, c, h, w)
        mixed = query + mixed
        hidden = F.dropout(F.relu(layer.mlp.fc1(mixed)), 0.1, self.training)
        mixed = mixed + F.dropout(layer.mlp.fc2(hidden), 0.1, self.training)
        return shortcut + layer.out_conv(resize(mixed))


class Pyramid(nn.Module):
    PATCH = 4

    def __init__(self, channels, preset):
        super().__init__()
        groups = preset["norm_groups"]
        self.stem, self.stages = nn.ModuleList(), nn.ModuleList()
        for i, width in enumerate(preset["stem_widths"]):
            conv = nn.Conv2d(channels, width, self.PATCH, self.PATCH) if i == 0 else nn.Conv2d(channels, width, 4, 2, 1)
            self.stem.append(nn.ModuleDict({"conv": conv, "block": ResnetBlock(width, width, groups)}))
            channels = width
        for i, width in enumerate(preset["stage_widths"]):
            part = nn.ModuleDict({"block": ResnetBlock(channels, width, groups)})
            if i > 0:
                part["conv"] = nn.Conv2d(channels, channels, 4, 2, 1)
            self.stages.append(part)
            channels = width

    def forward(self, x):
        outputs = []
        for i, part in enumerate([*self.stem, *self.stages]):
            x = part["block"](part["conv"](x) if "conv" in part else x)
            if i >= len(self.stem):
                outputs.append(x)
        return outputs


class TimeEmbedding(nn.Sequential):
    def __init__(self, frequencies, width):
        fourier = nn.Module()
        fourier.W = nn.Parameter(torch.randn(frequencies) * 16.0, requires_grad=False)
        super().__init__(fourier, nn.Linear(2 * frequencies, width), nn.GELU(), nn.Linear(width, width))

    def forward(self, times):
        phase = (times.log() / 4.0)[:, None] * self[0].W * (2.0 * math.pi)
        return self[3](self[2](self[1](torch.cat([phase.sin(), phase.cos()], 1))))


class Unet(nn.Module):
    """Condition encoder and U-Net with both decoders."""

    def __init__(self, preset):
        super().__init__()
        unet, condition = preset["unet"], preset["condition"]
        groups, time = unet["norm_groups"], unet["time_width"]
        stages = condition["stage_widths"]
        dims = [unet["width"], *unet["level_widths"]]
        levels = len(dims) - 1
        attention = lambda channels, kind: kind(channels, unet["heads"], unet["head_width"])
        block = lambda inputs, outputs: ModulatedResnetBlock(inputs, outputs, time, groups)
        relation = lambda level, condition, feature, width: RelationLayer(
            condition, feature, width, unet["relation_windows"][level], groups
        )
        self.init_conv_mask = Pyramid(len(condition["channels"]), condition)
        self.projects = nn.ModuleList(nn.Conv2d(stages[i], dims[i], 1) for i in range(levels))
        kernel = unet["stem_kernel"]
        stem = nn.Conv2d(unet["latent_channels"] + stages[0], dims[0], kernel, padding=kernel // 2)
        self.init_conv = nn.Sequential(stem, nn.GroupNorm(groups, dims[0]))
        self.time_mlp = TimeEmbedding(unet["time_frequencies"], time)
        self.downs = nn.ModuleList()
        self.relation_layers_down = nn.ModuleList()
        for i in range(levels):
            a, b = dims[i], dims[i + 1]
            down = nn.Conv2d(a, b, 4, 2, 1) if i + 1 < levels else nn.Conv2d(a, b, 3, padding=1)
            self.downs.append(nn.ModuleList([block(a, a), block(a, a), attention(a, LinearAttention), down]))
            self.relation_layers_down.append(relation(i, a, a, a))
        middle = dims[-1]
        self.mid_block1, self.mid_block2 = block(middle, middle), block(middle, middle)
        self.mid_attn = attention(middle, FullAttention)
        side = unet["latent_size"] >> (levels - 1)
        for number, suffix in ((1, ""), (2, "2")):
            ups, relations = nn.ModuleList(), nn.ModuleList()
            for i in reversed(range(levels)):
                a, b = dims[i], dims[i + 1]
                up = nn.Conv2d(b, a, 3, padding=1)
                up = nn.Sequential(nn.Upsample(scale_factor=2, mode="nearest"), up) if i > 0 else up
                ups.append(nn.ModuleList([block(b + a, b), block(b + a, b), attention(b, LinearAttention), up]))
                relations.append(relation(i, a, b, b))
            if unet.get("adaptive_fourier", True):
                setattr(self, f"decouple{number}", AdaptiveFourier(middle, side, groups))
            setattr(self, f"ups{suffix}", ups)
            setattr(self, f"relation_layers_up{suffix}", relations)
            setattr(self, f"final_res_block{suffix}", block(2 * dims[0], dims[0]))
            setattr(self, f"final_conv{suffix}", nn.Conv2d(dims[0], unet["latent_channels"], 1))

    def decode(self, number, middle, skips, condition, stem, time):
        suffix = "" if number == 1 else "2"
        x, skips = getattr(self, f"decouple{number}", nn.Identity())(middle), list(skips)
        parts = zip(getattr(self, f"ups{suffix}"), getattr(self, f"relation_layers_up{suffix}"), reversed(condition))
        for (res1, res2, attention, up), relation, c in parts:
            x = res1(torch.cat([x, skips.pop()], 1), time)
            x = relation(c, x)
            x = up(attention(res2(torch.cat([x, skips.pop()], 1), time)))
        x = getattr(self, f"final_res_block{suffix}")(torch.cat([x, stem], 1), time)
        return getattr(self, f"final_conv{suffix}")(x)

    def forward(self, x_t, times, condition):
        stages = self.init_conv_mask(condition)
        projected = [project(stage) for project, stage in zip(self.projects, stages)]
        stem = self.init_conv(torch.cat([x_t, stages[0]], 1))
        time = self.time_mlp(times)
        x, skips = stem, []
        for (res1, res2, attention, down), relation, c in zip(self.downs, self.relation_layers_down, projected):
            x = res1(x, time)
            skips.append(x)
            x = attention(res2(relation(c, x), time))
            skips.append(x)
            x = down(x)
        middle = self.mid_block2(self.mid_attn(self.mid_block1(x, time)), time)
        return [self.decode(number, middle, skips, projected, stem, time) for number in (1, 2)]

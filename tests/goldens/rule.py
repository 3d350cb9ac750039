"""Weights and noise by a rule that any program can follow.

The FNV-1a hash of a name, the seed and the element's index give a value in [-1, 1) by SplitMix64's mixing function; the kind of
parameter gives its scale.
"""

import numpy as np

MASK = (1 << 64) - 1


def uniform(name, shape, seed=1):
    """Values in [-1, 1), float64."""
    base = 0xCBF29CE484222325
    for byte in name.encode():
        base = ((base ^ byte) * 0x100000001B3) & MASK
    with np.errstate(over="ignore"):
        z = np.uint64(base ^ seed) + np.uint64(0x9E3779B97F4A7C15) * np.arange(1, int(np.prod(shape)) + 1, dtype=np.uint64)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z = z ^ (z >> np.uint64(31))
    return ((z >> np.uint64(40)).astype(np.float64) / (1 << 24) * 2 - 1).reshape(shape)


def normal(name, shape, seed=1):
    """Of mean 0 and variance 1, float32."""
    return uniform(name, shape, seed).astype(np.float32) * np.float32(3**0.5)


def parameter(name, shape, seed=1):
    """A parameter's values, float32."""
    u = uniform(name, shape, seed)
    last = name.rsplit(".", 1)[-1]
    if last in ("complex_weight", "relative_position_bias_table", "running_mean"):
        values = 0.1 * u
    elif last == "W":
        values = 16 * u
    elif last == "running_var":
        values = 1 + 0.5 * u
    elif last == "g" or (last == "weight" and len(shape) == 1):
        values = 1 + 0.1 * u
    elif len(shape) < 2:
        values = 0.1 * u
    else:
        values = u * (3 / np.prod(shape[1:])) ** 0.5
    return values.astype(np.float32)

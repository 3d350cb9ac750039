"""Where a folder of path gain maps is wrong: a picture of the errors in dB, one tile a map.

    python tests/compare/error_maps.py METHOD DATASET PREDICTION OUT.png [MAP_TX ...]

METHOD is a folder of `gain` (DPM, IRT4, ...), DATASET a folder in RadioMapSeer's layout, PREDICTION one that `simulate` wrote. Pixels without a value in either map
stay white, as do those that `png/valid` says are not known. Red is too dark, blue too bright,
12 dB at full colour; the transmitter is a star. Needs numpy, pillow and matplotlib.
"""

import json
import sys
from pathlib import Path

import matplotlib
import numpy as np
from PIL import Image

matplotlib.use("Agg")
import matplotlib.pyplot as plt

DB_PER_LEVEL = (147 - 47.84) / 255


def levels(path):
    return np.asarray(Image.open(path), dtype=float)


def main(method, dataset, prediction, out, names):
    dataset, prediction = Path(dataset), Path(prediction)
    names = names or sorted(p.stem for p in (dataset / "gain" / method).glob("*.png"))
    columns = min(6, len(names))
    rows = -(-len(names) // columns)
    _, tiles = plt.subplots(rows, columns, figsize=(2.6 * columns, 2.8 * rows), squeeze=False)
    for tile in tiles.flat:
        tile.axis("off")
    for tile, name in zip(tiles.flat, names):
        city, transmitter = name.split("_")
        ours, real = (levels(folder / f"gain/{method}/{name}.png") for folder in (prediction, dataset))
        error_db = (ours - real) * DB_PER_LEVEL
        error_db[(levels(dataset / f"png/buildings_complete/{city}.png") > 0) | (ours == 0) | (real == 0)] = np.nan
        known = dataset / f"png/valid/{method}_{name}.png"
        if known.exists():
            error_db[levels(known) == 0] = np.nan
        x, y = json.loads((dataset / f"antenna/{city}.json").read_text())[int(transmitter)]
        tile.imshow(error_db, cmap="RdBu", vmin=-12, vmax=12)
        tile.plot(x, error_db.shape[0] - 1 - y, "k*", markersize=6)
        tile.set_title(f"{name}: {np.sqrt(np.nanmean(error_db**2)):.2f} dB", fontsize=8)
    plt.tight_layout()
    plt.savefig(out, dpi=80)
    # Few colours: a third of the bytes.
    Image.open(out).convert("RGB").quantize(128).save(out, optimize=True)


if __name__ == "__main__":
    if len(sys.argv) < 5:
        sys.exit(__doc__)
    main(*sys.argv[1:5], sys.argv[5:])

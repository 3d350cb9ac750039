"""Where a folder of path gain maps is wrong: a picture of the errors in dB, one tile a map.

    python tests/compare/error_maps.py DATASET PREDICTION OUT.png [MAP_TX ...]

DATASET is a folder in RadioMapSeer's layout, PREDICTION one that `trainer simulate --dataset` wrote. Red is too dark, blue too bright,
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


def main(dataset, prediction, out, names):
    dataset, prediction = Path(dataset), Path(prediction)
    names = names or sorted(p.stem for p in (dataset / "gain/DPM").glob("*.png"))
    columns = min(6, len(names))
    rows = -(-len(names) // columns)
    _, tiles = plt.subplots(rows, columns, figsize=(2.6 * columns, 2.8 * rows), squeeze=False)
    for tile in tiles.flat:
        tile.axis("off")
    for tile, name in zip(tiles.flat, names):
        city, transmitter = name.split("_")
        error_db = (levels(prediction / f"gain/DPM/{name}.png") - levels(dataset / f"gain/DPM/{name}.png")) * DB_PER_LEVEL
        error_db[levels(dataset / f"png/buildings_complete/{city}.png") > 0] = np.nan
        x, y = json.loads((dataset / f"antenna/{city}.json").read_text())[int(transmitter)]
        tile.imshow(error_db, cmap="RdBu", vmin=-12, vmax=12)
        tile.plot(x, error_db.shape[0] - 1 - y, "k*", markersize=6)
        tile.set_title(f"{name}: {np.sqrt(np.nanmean(error_db**2)):.2f} dB", fontsize=8)
    plt.tight_layout()
    plt.savefig(out, dpi=80)
    # Few colours: a third of the bytes.
    Image.open(out).convert("RGB").quantize(128).save(out, optimize=True)


if __name__ == "__main__":
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:])

"""Where a folder of path gain maps is wrong: a picture of the errors in dB, one tile a map.

    python tests/compare/error_maps.py [--beside] METHOD DATASET PREDICTION OUT.png [MAP_TX ...]

METHOD is a folder of `gain` (DPM, IRT4, ...), DATASET a folder in RadioMapSeer's layout, PREDICTION one that `simulate` wrote. Pixels
without a value in either map stay white, as do those that `png/valid` says are not known. Red is too dark, blue too bright, 12 dB at
full colour; the transmitter is a star. With `--beside` a map has three tiles, one below the other: the dataset's map, the prediction
(both from -147 dB, black, to -48 dB; gray is built or not known) and the errors. Needs numpy, pillow and matplotlib.
"""

import argparse
import json
from pathlib import Path

import matplotlib
import numpy as np
from PIL import Image

matplotlib.use("Agg")
import matplotlib.pyplot as plt

DB_PER_LEVEL = (147 - 47.84) / 255
MOST_COLUMNS = 6


def levels(path):
    return np.asarray(Image.open(path), dtype=float)


def read(method, dataset, prediction, name):
    """The dataset's map and the prediction in gray levels, NaN inside buildings and where unknown; the errors in dB; the transmitter's column and row."""
    city, transmitter = name.split("_")
    ours, real = (levels(folder / f"gain/{method}/{name}.png") for folder in (prediction, dataset))
    built = levels(dataset / f"png/buildings_complete/{city}.png") > 0
    error_db = (ours - real) * DB_PER_LEVEL
    error_db[built | (ours == 0) | (real == 0)] = np.nan
    known = dataset / f"png/valid/{method}_{name}.png"
    unknown = levels(known) == 0 if known.exists() else np.zeros_like(built)
    error_db[unknown] = np.nan
    x, y = json.loads((dataset / f"antenna/{city}.json").read_text())[int(transmitter)]
    real, ours = (np.where(built | unknown, np.nan, image) for image in (real, ours))
    return real, ours, error_db, (x, error_db.shape[0] - 1 - y)


def main(method, dataset, prediction, out, names, beside):
    names = names or sorted(p.stem for p in (dataset / "gain" / method).glob("*.png"))
    columns = min(MOST_COLUMNS, len(names))
    tiles_a_map = 3 if beside else 1
    rows = -(-len(names) // columns) * tiles_a_map
    _, tiles = plt.subplots(rows, columns, figsize=(2.6 * columns, 2.8 * rows), squeeze=False)
    for tile in tiles.flat:
        tile.axis("off")
    gain_colors = matplotlib.colormaps["inferno"].with_extremes(bad="0.75")
    for i, name in enumerate(names):
        *images, error_db, transmitter = read(method, dataset, prediction, name)
        stack = tiles[i // columns * tiles_a_map :, i % columns]
        if beside:
            for tile, image, title in zip(stack, images, (f"{name}: the dataset's map", "prediction")):
                tile.imshow(image, cmap=gain_colors, vmin=0, vmax=255)
                tile.set_title(title, fontsize=8)
        last = stack[tiles_a_map - 1]
        last.imshow(error_db, cmap="RdBu", vmin=-12, vmax=12)
        last.set_title(f"{name}: {np.sqrt(np.nanmean(error_db**2)):.2f} dB", fontsize=8)
        for tile in stack[:tiles_a_map]:
            tile.plot(*transmitter, "k*" if tile is last else "w*", markersize=6)
    plt.tight_layout()
    plt.savefig(out, dpi=80)
    # Few colours: a third of the bytes.
    Image.open(out).convert("RGB").quantize(128).save(out, optimize=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("method")
    parser.add_argument("dataset", type=Path)
    parser.add_argument("prediction", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("names", nargs="*", metavar="MAP_TX")
    parser.add_argument("--beside", action="store_true", help="also draw the dataset's map and the prediction")
    main(**vars(parser.parse_args()))

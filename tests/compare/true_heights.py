"""Compares ray tracing and the dominant path at true heights with Sionna RT, on Sionna's own Munich and Etoile.

Prints the tables of docs/measurements/ray-tracing.md and writes docs/measurements/ray-tracing-{munich,etoile}.png.

    python3 -m venv V && V/bin/pip install sionna-rt==2.2.* shapely matplotlib
    cargo build --release -p radiodiff-radio --example ray_tracing
    DRJIT_LIBLLVM_PATH=.../libLLVM.so.19.1 V/bin/python tests/compare/true_heights.py target/release/examples/ray_tracing WORK_FOLDER [munich|etoile] [GHZ ...]

DRJIT_LIBLLVM_PATH names LLVM 19's library (Debian's libllvm19), SEEDS is how often Sionna's two million rays are launched (1). Our scene is
one of prisms: every cell that the walls of Sionna's scene enclose 1 m above the ground, as high as the median of its roof. Sight is
compared by one ray of Sionna's renderer for every pixel.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import drjit as dr
import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import mitsuba as mi
import numpy as np
import shapely
import sionna.rt as rt
from PIL import Image

SIZE = 256
RECEIVER_M = 1.5
HEIGHTS_M = (3.0, 10.0, 25.0, 40.0)
FREQUENCIES_HZ = (3.5e9, 0.9e9, 28e9)
# Transmitters in streets, in the scenes' metres.
SCENES = {"munich": (-33.5, 19.0), "etoile": (-93.0, 63.0)}
# ITU-R P.2040: the scenes' walls and ground.
MARBLE = [7.074, 0.0, 0.0055, 0.9262]
CONCRETE = [5.24, 0.0, 0.0462, 0.7822]
METAL = [1.0, 0.0, 1e7, 0.0]
CONSTANTS = {"marble": MARBLE, "concrete": CONCRETE, "metal": METAL, "wood": [1.99, 0.0, 0.0047, 1.0718], "brick": [3.91, 0.0, 0.0238, 0.16]}
# Sionna's walls and ground are slabs.
THICKNESS_M = 0.1
SAMPLES = 2_000_000
SEEDS = int(os.environ.get("SEEDS", "1"))
INTERACTIONS = 2
FLOOR_DB = -160.0
CUT_M = 1.0
# Sionna launches rays at random; over squares of so many pixels a side, few of them are missed.
SQUARE = 4
# Buildings that reach out of the window are closed this far outside.
BESIDE_M = 100.0


def cells(scene, window):
    """What the walls enclose at CUT_M, as polygons in the scene's metres."""
    west, south, east, north = window.buffer(BESIDE_M).bounds
    ends = []
    for item in scene.objects.values():
        mesh = item.mi_mesh
        vertices = np.array(mesh.vertex_positions_buffer()).reshape(-1, 3)
        triangles = vertices[np.array(mesh.faces_buffer()).reshape(-1, 3)]
        x, y, above = triangles[..., 0], triangles[..., 1], triangles[..., 2] > CUT_M
        near = (x.max(1) > west) & (x.min(1) < east) & (y.max(1) > south) & (y.min(1) < north)
        cut = near & above.any(1) & ~above.all(1)
        triangles, above = triangles[cut], above[cut]
        # The corner that is alone on its side of the cut, and the two edges from it.
        alone = np.where(above.sum(1) == 1, above.argmax(1), above.argmin(1))
        rows = np.arange(len(triangles))
        tip = triangles[rows, alone]
        for other in (1, 2):
            to = triangles[rows, (alone + other) % 3]
            share = ((CUT_M - tip[:, 2]) / (to[:, 2] - tip[:, 2]))[:, None]
            ends.append(np.round(tip[:, :2] + share * (to[:, :2] - tip[:, :2]), 3))
    pairs = np.stack([np.concatenate(ends[0::2]), np.concatenate(ends[1::2])], axis=1)
    pairs = pairs[(pairs[:, 0] != pairs[:, 1]).any(1)]
    noded = shapely.union_all(shapely.linestrings(pairs))
    return [cell for cell in shapely.polygonize([noded]).geoms if cell.area > 1.0 and cell.intersects(window)]


def roofs_m(scene, points):
    """The height of what stands over points of the plan, metres; 0 for open ground."""
    xy = np.asarray(points, dtype=np.float32)
    origin = mi.Point3f(mi.Float(xy[:, 0]), mi.Float(xy[:, 1]), mi.Float(np.full(len(xy), 500.0, np.float32)))
    hit = scene.mi_scene.ray_intersect(mi.Ray3f(origin, mi.Vector3f(0, 0, -1)))
    return np.where(np.array(hit.is_valid()), np.array(hit.p.z), 0.0)


def prisms(scene, window):
    """Polygons with the median height of the roof over them; courtyards and streets are left out."""
    found, samples = cells(scene, window), []
    for cell in found:
        west, south, east, north = cell.bounds
        step = max(0.5, np.sqrt(cell.area) / 20)
        xs, ys = np.meshgrid(np.arange(west + step / 2, east, step), np.arange(south + step / 2, north, step))
        points = np.column_stack([xs.ravel(), ys.ravel()])
        points = points[shapely.contains_xy(cell, points[:, 0], points[:, 1])]
        if len(points) == 0:
            points = np.array([cell.representative_point().coords[0]])
        samples.append(points)
    over = np.split(roofs_m(scene, np.concatenate(samples)), np.cumsum([len(points) for points in samples])[:-1])
    heights_m = [float(np.median(heights)) for heights in over]
    return [(cell, height_m) for cell, height_m in zip(found, heights_m) if height_m > CUT_M]


def sight(scene, transmitter, corner):
    """Whether a ray from every pixel's receiver to the transmitter is free, rows from north to south."""
    columns, rows = np.meshgrid(np.arange(SIZE), np.arange(SIZE))
    x = (corner[0] + columns + 0.5).ravel().astype(np.float32)
    y = (corner[1] + SIZE - rows - 0.5).ravel().astype(np.float32)
    at = mi.Point3f(mi.Float(x), mi.Float(y), mi.Float(np.full(x.size, RECEIVER_M, np.float32)))
    to = mi.Point3f(*transmitter) - at
    distance = dr.norm(to)
    ray = mi.Ray3f(at, to / distance)
    ray.maxt = distance
    return ~np.array(scene.mi_scene.ray_test(ray)).reshape(SIZE, SIZE)


def set_frequency(scene, frequency_hz):
    """P.2040's constants also below 1 GHz, where Sionna refuses them."""
    ghz = frequency_hz / 1e9
    for name, material in scene.radio_materials.items():
        a, b, c, d = CONSTANTS[name.removeprefix("itu_")]
        material.frequency_update_callback = None
        material.relative_permittivity = a * ghz**b
        material.conductivity = c * ghz**d
    scene.frequency = frequency_hz


def sionna_map(scene, center, kept):
    """Path gain in dB, rows from north to south; mean over seeds. A map that is kept in a file is not computed again."""
    if kept.exists():
        return np.load(kept)
    solver = rt.RadioMapSolver()
    total = np.zeros((SIZE, SIZE))
    for seed in range(SEEDS):
        result = solver(
            scene,
            center=mi.Point3f(center[0], center[1], RECEIVER_M),
            orientation=mi.Point3f(0, 0, 0),
            size=mi.Point2f(SIZE, SIZE),
            cell_size=mi.Point2f(1, 1),
            samples_per_tx=SAMPLES,
            max_depth=INTERACTIONS,
            refraction=False,
            diffraction=True,
            seed=seed + 1,
        )
        total += np.array(result.path_gain)[0]
    with np.errstate(divide="ignore"):
        gain = np.flipud(10 * np.log10(total / SEEDS))
    np.save(kept, gain)
    return gain


def our_maps(program, folder, solids, corner, transmitter, frequency_hz):
    """Path gain by rays and by the dominant path in dB, and sight."""
    ring = lambda line: [[x - corner[0], y - corner[1]] for x, y in line.coords]
    scene = {
        "size": SIZE,
        "meters_per_pixel": 1.0,
        "transmitter": [transmitter[0] - corner[0], transmitter[1] - corner[1]],
        "height_m": transmitter[2],
        "receiver_height_m": RECEIVER_M,
        "frequency_mhz": frequency_hz / 1e6,
        "material": MARBLE,
        "ground": CONCRETE,
        "thickness_m": THICKNESS_M,
        "interactions": INTERACTIONS,
        "diffractions": 1,
        "buildings": [
            {"rings": [ring(line) for line in [solid.exterior, *solid.interiors]], "height_m": height_m} for solid, height_m in solids
        ],
    }
    (folder / "scene.json").write_text(json.dumps(scene))
    done = subprocess.run([program, folder / "scene.json", folder / "map.f32"], check=True, capture_output=True, text=True)
    print("ours:", len(solids), "prisms,", done.stdout.strip(), flush=True)
    rays, dominant, seen = np.fromfile(folder / "map.f32", dtype="<f4").reshape(3, SIZE, SIZE)
    return rays, dominant, seen > 0


def squares(gain, outdoors):
    """Mean powers over squares of SQUARE pixels a side, in dB."""
    filled = outdoors & np.isfinite(gain) & (gain > FLOOR_DB + 0.1)
    power = np.where(filled, 10 ** (np.where(filled, gain, 0) / 10), 0)
    side = SIZE // SQUARE
    with np.errstate(divide="ignore"):
        return 10 * np.log10(power.reshape(side, SQUARE, side, SQUARE).mean((1, 3)))


def agreement(ours, theirs):
    """Places that both fill, correlation, median difference and the median distance from it."""
    both = np.isfinite(ours) & np.isfinite(theirs) & (ours > FLOOR_DB + 0.1)
    difference = (ours - theirs)[both]
    spread = np.median(np.abs(difference - np.median(difference)))
    return both.sum(), np.corrcoef(ours[both], theirs[both])[0, 1], np.median(difference), spread


def picture(path, panels):
    figure, axes = plt.subplots(len(panels), 4, figsize=(11, 2.75 * len(panels)), layout="constrained", squeeze=False)
    for row, (title, rays, dominant, theirs) in zip(axes, panels):
        show = dict(vmin=-150, vmax=-50, cmap="viridis", interpolation="nearest")
        for axis, image, name in zip(row, (rays, theirs, dominant), ("rays", "Sionna RT", "dominant path")):
            mesh = axis.imshow(np.where(image > FLOOR_DB + 0.1, image, np.nan), **show)
            axis.set_title(f"{name}, {title}", fontsize=8)
        figure.colorbar(mesh, ax=row[2])
        mesh = row[3].imshow(rays - theirs, vmin=-20, vmax=20, cmap="RdBu_r", interpolation="nearest")
        row[3].set_title("rays - Sionna RT, dB", fontsize=8)
        figure.colorbar(mesh, ax=row[3])
    for axis in axes.flat:
        axis.set_xticks([])
        axis.set_yticks([])
    figure.savefig(path, dpi=60)
    plt.close(figure)
    # A third of the bytes, and no difference to see.
    Image.open(path).convert("RGB").quantize(128).save(path, optimize=True)


def main():
    program, folder = sys.argv[1], Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    docs = Path(__file__).resolve().parents[2] / "docs" / "measurements"
    frequencies_hz = [1e9 * float(word) for word in sys.argv[3:] if word not in SCENES] or FREQUENCIES_HZ
    for name in [word for word in sys.argv[3:] if word in SCENES] or SCENES:
        position = SCENES[name]
        corner = (position[0] - SIZE / 2 + 0.3, position[1] - SIZE / 2 + 0.2)
        center = (corner[0] + SIZE / 2, corner[1] + SIZE / 2)
        scene = rt.load_scene(getattr(rt.scene, name), merge_shapes=False)
        scene.tx_array = rt.PlanarArray(num_rows=1, num_cols=1, pattern="iso", polarization="V")
        scene.rx_array = scene.tx_array
        window = shapely.box(corner[0] - 1, corner[1] - 1, corner[0] + SIZE + 1, corner[1] + SIZE + 1)
        started = time.process_time()
        print(f"{name}: loaded after {time.process_time():.0f} CPU s", flush=True)
        solids = prisms(scene, window)
        print(f"{name}: {len(solids)} prisms in {time.process_time() - started:.0f} CPU s", flush=True)
        panels = []
        for frequency_hz in frequencies_hz:
            set_frequency(scene, frequency_hz)
            for height_m in HEIGHTS_M:
                transmitter = (*position, height_m)
                free = sight(scene, transmitter, corner)
                if "tx" in scene.transmitters:
                    scene.remove("tx")
                scene.add(rt.Transmitter(name="tx", position=list(transmitter)))
                started = time.process_time()
                theirs = sionna_map(scene, center, folder / f"{name}-{height_m:.0f}-{frequency_hz / 1e9:g}.npy")
                print(f"Sionna: {time.process_time() - started:.0f} CPU s", flush=True)
                rays, dominant, seen = our_maps(program, folder, solids, corner, transmitter, frequency_hz)
                outdoors = np.isfinite(rays)
                same = np.mean((free == seen)[outdoors])
                row = [name, f"{frequency_hz / 1e9:g}", f"{height_m:.0f}", f"{100 * same:.2f}"]
                means = [squares(gain, outdoors) for gain in (rays, dominant, theirs)]
                for by_rays, by_path, truth in ((rays, dominant, theirs), means):
                    places, correlation, median, spread = agreement(by_rays, truth)
                    row += [f"{places}", f"{correlation:.3f}", f"{median:+.2f}", f"{spread:.2f}"]
                    _, correlation, median, _ = agreement(by_path, truth)
                    row += [f"{correlation:.3f}", f"{median:+.2f}"]
                print("| " + " | ".join(row) + " |", flush=True)
                if frequency_hz == FREQUENCIES_HZ[0]:
                    panels.append((f"{height_m:.0f} m, dB", rays, dominant, theirs))
            if frequency_hz == FREQUENCIES_HZ[0]:
                picture(docs / f"ray-tracing-{name}.png", panels)


main()

"""Compares the ray tracer with Sionna RT on Sionna's own Munich scene.

Writes docs/measurements/ray-tracing-*.png and prints the table of docs/measurements/ray-tracing.md.

    python3 -m venv V && V/bin/pip install sionna-rt==2.2.* shapely matplotlib
    cargo build --release -p radiodiff-radio --example ray_tracing
    DRJIT_LIBLLVM_PATH=.../libLLVM.so.19.1 V/bin/python tests/compare/munich.py target/release/examples/ray_tracing WORK_FOLDER

DRJIT_LIBLLVM_PATH names LLVM 19's library (Debian's libllvm19). Footprints are the scene's walls cut at the transmitter's height.
"""

import json
import subprocess
import sys
import time
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import mitsuba as mi
import numpy as np
import shapely
import sionna.rt as rt

SIZE = 256
FREQUENCY_HZ = 5.9e9
RECEIVER_M = 1.5
TRANSMITTER_M = 10.0
# Marble of ITU-R P.2040, which Sionna's scene gives all walls.
MARBLE = [7.074, 0.0, 0.0055, 0.9262]
TRANSMITTER = (-33.5, 19.0)
SAMPLES = 4_000_000
SEEDS = 4
FLOOR_DB = -160.0


def footprints(scene, height_m):
    """The scene's meshes cut by a level plane, as polygons in the scene's metres."""
    segments = []
    for item in scene.objects.values():
        mesh = item.mi_mesh
        vertices = np.array(mesh.vertex_positions_buffer()).reshape(-1, 3)
        triangles = vertices[np.array(mesh.faces_buffer()).reshape(-1, 3)]
        above = triangles[..., 2] > height_m
        for triangle, up in zip(triangles, above):
            if up.all() or not up.any():
                continue
            ends = []
            for i in range(3):
                a, b = triangle[i], triangle[(i + 1) % 3]
                if up[i] != up[(i + 1) % 3]:
                    share = (height_m - a[2]) / (b[2] - a[2])
                    ends.append(tuple(np.round(a[:2] + share * (b[:2] - a[:2]), 3)))
            if ends[0] != ends[1]:
                segments.append(shapely.LineString(ends))
    noded = shapely.unary_union(segments)
    cells = list(shapely.polygonize([noded]).geoms)
    # Streets closed in by houses are cells too: inside a house is what an odd number of walls separates from far away.
    tree = shapely.STRtree(segments)
    inside = []
    for cell in cells:
        point = cell.representative_point()
        ray = shapely.LineString([point, (point.x + 5000.0, point.y + 17.3)])
        crossed = sum(ray.crosses(segments[i]) for i in tree.query(ray))
        if crossed % 2:
            inside.append(cell)
    return shapely.unary_union(inside)


def sionna_map(scene, center, interactions, diffraction):
    """Path gain in dB, rows from north to south; mean over seeds."""
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
            max_depth=interactions,
            refraction=False,
            diffraction=diffraction,
            seed=seed + 1,
        )
        total += np.array(result.path_gain)[0]
    with np.errstate(divide="ignore"):
        return np.flipud(10 * np.log10(total / SEEDS))


def our_map(program, folder, polygons, corner, interactions, diffractions):
    rings = []
    window = shapely.box(corner[0] - 1, corner[1] - 1, corner[0] + SIZE + 1, corner[1] + SIZE + 1)
    for polygon in getattr(polygons, "geoms", [polygons]):
        for part in [polygon] if not polygon.interiors else split_holes(polygon):
            if part.intersects(window):
                rings.append([[x - corner[0], y - corner[1]] for x, y in part.exterior.coords])
    scene = {
        "size": SIZE,
        "meters_per_pixel": 1.0,
        "transmitter": [TRANSMITTER[0] - corner[0], TRANSMITTER[1] - corner[1]],
        "frequency_mhz": FREQUENCY_HZ / 1e6,
        "material": MARBLE,
        "interactions": interactions,
        "diffractions": diffractions,
        "buildings": rings,
    }
    (folder / "scene.json").write_text(json.dumps(scene))
    done = subprocess.run([program, folder / "scene.json", folder / "map.f32"], check=True, capture_output=True, text=True)
    print("ours:", len(rings), "buildings,", done.stdout.strip(), flush=True)
    return np.fromfile(folder / "map.f32", dtype="<f4").reshape(SIZE, SIZE)


def split_holes(polygon):
    """A polygon with courtyards as polygons without, cut through each of them."""
    parts = polygon
    west, south, east, north = polygon.bounds
    for hole in polygon.interiors:
        x = hole.centroid.x
        halves = [shapely.box(west - 1, south - 1, x, north + 1), shapely.box(x, south - 1, east + 1, north + 1)]
        parts = shapely.GeometryCollection([shapely.intersection(parts, half) for half in halves])
        parts = shapely.MultiPolygon([p for p in flatten(parts)])
    return list(parts.geoms)


def flatten(shape):
    if shape.geom_type == "Polygon":
        return [shape]
    return [p for part in getattr(shape, "geoms", []) for p in flatten(part)]


def compare(name, ours, theirs):
    both = np.isfinite(ours) & np.isfinite(theirs) & (ours > FLOOR_DB + 0.1)
    difference = (ours - theirs)[both]
    row = [
        name,
        f"{both.sum()}",
        f"{(np.isfinite(ours) & (ours > FLOOR_DB + 0.1)).sum()}",
        f"{np.isfinite(theirs).sum()}",
        f"{np.corrcoef(ours[both], theirs[both])[0, 1]:.3f}",
        f"{np.median(difference):+.2f}",
        f"{np.median(np.abs(difference - np.median(difference))):.2f}",
        f"{np.sqrt(np.mean(difference**2)):.2f}",
    ]
    print("| " + " | ".join(row) + " |", flush=True)
    return np.where(both, ours - theirs, np.nan)


def picture(path, title, ours, theirs, difference):
    figure, axes = plt.subplots(1, 3, figsize=(10.5, 3.6), layout="constrained")
    shown = np.where(ours > FLOOR_DB + 0.1, ours, np.nan)
    for axis, image, name in [(axes[0], shown, "ours"), (axes[1], np.where(np.isfinite(theirs), theirs, np.nan), "Sionna RT")]:
        mesh = axis.imshow(image, vmin=-150, vmax=-50, cmap="viridis", interpolation="nearest")
        axis.set_title(f"{name}, dB", fontsize=9)
    figure.colorbar(mesh, ax=axes[1])
    mesh = axes[2].imshow(difference, vmin=-20, vmax=20, cmap="RdBu_r", interpolation="nearest")
    axes[2].set_title("ours - Sionna RT, dB", fontsize=9)
    figure.colorbar(mesh, ax=axes[2])
    figure.suptitle(title, fontsize=10)
    for axis in axes:
        axis.set_xticks([])
        axis.set_yticks([])
    figure.savefig(path, dpi=75)
    plt.close(figure)


def main():
    program, folder = sys.argv[1], Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    docs = Path(__file__).resolve().parents[2] / "docs" / "measurements"
    corner = (TRANSMITTER[0] - SIZE / 2 + 0.3, TRANSMITTER[1] - SIZE / 2 + 0.2)
    center = (corner[0] + SIZE / 2, corner[1] + SIZE / 2)
    print("| case | pixels both fill | ours | Sionna | correlation | median difference, dB | MAD, dB | RMS, dB |\n|---|---|---|---|---|---|---|---|")
    for ground in (True, False):
        scene = rt.load_scene(rt.scene.munich)
        scene.frequency = FREQUENCY_HZ
        scene.tx_array = rt.PlanarArray(num_rows=1, num_cols=1, pattern="iso", polarization="V")
        scene.rx_array = scene.tx_array
        polygons = footprints(scene, TRANSMITTER_M)
        if not ground:
            scene.remove("ground")
        scene.add(rt.Transmitter(name="tx", position=[*TRANSMITTER, TRANSMITTER_M]))
        for interactions, diffraction in ((2, False), (4, False), (2, True), (4, True)):
            if diffraction and not ground:
                continue
            started = time.time()
            theirs = sionna_map(scene, center, interactions, diffraction)
            print(f"Sionna: {time.time() - started:.0f} s", flush=True)
            # Sionna's radio maps know one diffraction a path.
            ours = our_map(program, folder, polygons, corner, interactions, 1 if diffraction else 0)
            name = f"{interactions} interactions{'' if ground else ', no ground'}"
            name += ", diffraction" if diffraction else ""
            difference = compare(name, ours, theirs)
            if ground:
                picture(docs / f"ray-tracing-{interactions}{'d' if diffraction else ''}.png", name, ours, theirs, difference)


main()

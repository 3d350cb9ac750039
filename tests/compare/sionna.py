"""Compares ray tracing and the dominant path at true heights with Sionna RT, on Sionna's own Munich and Etoile.

Prints the tables of docs/measurements/ray-tracing.md and writes docs/measurements/ray-tracing-{munich,etoile}.png.

    python3 -m venv V && V/bin/pip install sionna-rt==2.2.* shapely matplotlib
    cargo build --release -p radiodiff-radio --example ray_tracing
    DRJIT_LIBLLVM_PATH=.../libLLVM.so.19.1 V/bin/python tests/compare/sionna.py target/release/examples/ray_tracing WORK_FOLDER [munich|etoile]

DRJIT_LIBLLVM_PATH names LLVM 19's library (Debian's libllvm19). Our scene is one of prisms: every cell that the walls of Sionna's scene
enclose 1 m above the ground, as high as the median of its roof. Sight is compared by one ray of Sionna's renderer for every pixel.
"""

import json
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

SIZE = 256
RECEIVER_M = 1.5
HEIGHTS_M = (3.0, 10.0, 25.0, 40.0)
FREQUENCIES_HZ = (0.9e9, 3.5e9, 28e9)
# Transmitters in streets, in the scenes' metres.
SCENES = {"munich": (-33.5, 19.0), "etoile": (-93.0, 63.0)}
# ITU-R P.2040: the scenes' walls and ground.
MARBLE = [7.074, 0.0, 0.0055, 0.9262]
CONCRETE = [5.24, 0.0, 0.0462, 0.7822]
METAL = [1.0, 0.0, 1e7, 0.0]
CONSTANTS = {"marble": MARBLE, "concrete": CONCRETE, "metal": METAL, "wood": [1.99, 0.0, 0.0047, 1.0718], "brick": [3.91, 0.0, 0.0238, 0.16]}
SAMPLES = 2_000_000
SEEDS = 2
INTERACTIONS = 2
FLOOR_DB = -160.0
CUT_M = 1.0


def cells(scene, window):
    """What the walls enclose at CUT_M, as polygons in the scene's metres."""
    segments = []
    for item in scene.objects.values():
        mesh = item.mi_mesh
        vertices = np.array(mesh.vertex_positions_buffer()).reshape(-1, 3)
        triangles = vertices[np.array(mesh.faces_buffer()).reshape(-1, 3)]
        above = triangles[..., 2] > CUT_M
        for triangle, up in zip(triangles, above):
            if up.all() or not up.any():
                continue
            ends = []
            for i in range(3):
                a, b = triangle[i], triangle[(i + 1) % 3]
                if up[i] != up[(i + 1) % 3]:
                    share = (CUT_M - a[2]) / (b[2] - a[2])
                    ends.append(tuple(np.round(a[:2] + share * (b[:2] - a[:2]), 3)))
            if ends[0] != ends[1]:
                segments.append(shapely.LineString(ends))
    noded = shapely.unary_union(segments)
    return [cell for cell in shapely.polygonize([noded]).geoms if cell.area > 1.0 and cell.intersects(window)]


def roofs_m(scene, points):
    """The height of what stands over points of the plan, metres; 0 for open ground."""
    xy = np.asarray(points, dtype=np.float32)
    origin = mi.Point3f(mi.Float(xy[:, 0]), mi.Float(xy[:, 1]), mi.Float(np.full(len(xy), 500.0, np.float32)))
    hit = scene.mi_scene.ray_intersect(mi.Ray3f(origin, mi.Vector3f(0, 0, -1)))
    return np.where(np.array(hit.is_valid()), np.array(hit.p.z), 0.0)


def prisms(scene, window):
    """Polygons with the median height of the roof over them; courtyards and streets are left out."""
    found = []
    for cell in cells(scene, window):
        west, south, east, north = cell.bounds
        step = max(0.5, np.sqrt(cell.area) / 20)
        xs, ys = np.meshgrid(np.arange(west + step / 2, east, step), np.arange(south + step / 2, north, step))
        points = np.column_stack([xs.ravel(), ys.ravel()])
        points = points[shapely.contains_xy(cell, points[:, 0], points[:, 1])]
        if len(points) == 0:
            points = np.array([cell.representative_point().coords[0]])
        height_m = float(np.median(roofs_m(scene, points)))
        if height_m > CUT_M:
            found.append((cell, height_m))
    return found


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


def sionna_map(scene, center):
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
            max_depth=INTERACTIONS,
            refraction=False,
            diffraction=True,
            seed=seed + 1,
        )
        total += np.array(result.path_gain)[0]
    with np.errstate(divide="ignore"):
        return np.flipud(10 * np.log10(total / SEEDS))


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


def agreement(ours, theirs):
    """Pixels that both fill, correlation, median difference and its spread."""
    both = np.isfinite(ours) & np.isfinite(theirs) & (ours > FLOOR_DB + 0.1)
    difference = (ours - theirs)[both]
    spread = np.median(np.abs(difference - np.median(difference)))
    return both, [both.sum(), np.corrcoef(ours[both], theirs[both])[0, 1], np.median(difference), spread]


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


def main():
    program, folder = sys.argv[1], Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    docs = Path(__file__).resolve().parents[2] / "docs" / "measurements"
    for name in sys.argv[3:] or SCENES:
        position = SCENES[name]
        corner = (position[0] - SIZE / 2 + 0.3, position[1] - SIZE / 2 + 0.2)
        center = (corner[0] + SIZE / 2, corner[1] + SIZE / 2)
        scene = rt.load_scene(getattr(rt.scene, name), merge_shapes=False)
        scene.tx_array = rt.PlanarArray(num_rows=1, num_cols=1, pattern="iso", polarization="V")
        scene.rx_array = scene.tx_array
        window = shapely.box(corner[0] - 1, corner[1] - 1, corner[0] + SIZE + 1, corner[1] + SIZE + 1)
        solids = prisms(scene, window)
        panels = []
        for height_m in HEIGHTS_M:
            transmitter = (*position, height_m)
            free = sight(scene, transmitter, corner)
            if "tx" in scene.transmitters:
                scene.remove("tx")
            scene.add(rt.Transmitter(name="tx", position=list(transmitter)))
            for frequency_hz in FREQUENCIES_HZ:
                set_frequency(scene, frequency_hz)
                started = time.process_time()
                theirs = sionna_map(scene, center)
                print(f"Sionna: {time.process_time() - started:.0f} CPU s", flush=True)
                rays, dominant, seen = our_maps(program, folder, solids, corner, transmitter, frequency_hz)
                outdoors = np.isfinite(rays)
                same = np.mean((free == seen)[outdoors])
                (_, by_rays), (_, by_path) = agreement(rays, theirs), agreement(dominant, theirs)
                row = [name, f"{height_m:.0f}", f"{frequency_hz / 1e9:g}", f"{100 * same:.2f}"]
                row += [f"{by_rays[0]}", f"{by_rays[1]:.3f}", f"{by_rays[2]:+.2f}", f"{by_rays[3]:.2f}", f"{by_path[1]:.3f}", f"{by_path[2]:+.2f}"]
                print("| " + " | ".join(row) + " |", flush=True)
                if frequency_hz == 3.5e9:
                    panels.append((f"{height_m:.0f} m, dB", rays, dominant, theirs))
        picture(docs / f"ray-tracing-{name}.png", panels)


main()

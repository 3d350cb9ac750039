//! Maps that must not change by a bit: the dominant path and the networks' on the CPU engine, over the demo's scenes and made ones.
//!
//! goldens/maps.sha256 holds a line a map: the SHA-256 of its little-endian float32 values, and its name. A change of the physics or
//! of the networks' arithmetic changes lines there, and the commit says why. `RADIODIFF_PRINT=1` prints the lines of today.

use geo::Coord;
use pollster::block_on;
use radiodiff_engines::cpu::CpuEngine;
use radiodiff_radio::geometry::PreparedScene;
use radiodiff_radio::map::RadioMap;
use radiodiff_radio::propagation::{DominantPath, PropagationModel};
use radiodiff_radio::scene::{BUILDING_HEIGHT_M, BuildingMask, Grid, ImportOptions, LinkEnds, Scene, Transmitter, import};
use radiodiff_tests::MapCase;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;

const PINNED: &str = include_str!("../goldens/maps.sha256");
const PLACES: [&str; 3] = ["munich-old-town", "helsinki-center", "paris-etoile"];
/// Where transmitters are put, as shares of the map's side from the south-west.
const SPOTS: [(f64, f64); 5] = [(0.5, 0.5), (0.21, 0.83), (0.77, 0.34), (0.05, 0.06), (0.62, 0.91)];

fn line(lines: &mut String, name: &str, map: &RadioMap) {
    let mut hash = Sha256::new();
    map.values.iter().for_each(|value| hash.update(value.to_le_bytes()));
    let digest: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    writeln!(lines, "{digest}  {name}").expect("a string can be written to");
}

/// Boxes at places that a linear congruential generator gives, as a raster without footprints.
fn boxes(seed: u64, count: usize) -> Scene {
    let grid = Grid::default();
    let mut state = seed;
    let mut next = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    let mut mask = BuildingMask { size: grid.size, pixels: vec![0; grid.pixels()] };
    for _ in 0..count {
        let (top, left, height, width) = (next(grid.size), next(grid.size), 3 + next(30), 3 + next(30));
        for row in top..grid.size.min(top + height) {
            mask.pixels[row * grid.size + left..row * grid.size + grid.size.min(left + width)].fill(1);
        }
    }
    Scene::from_mask(grid, mask)
}

fn dominant_paths(lines: &mut String, name: &str, scene: &Scene) {
    let prepared = PreparedScene::new(scene);
    for (i, (east, north)) in SPOTS.into_iter().enumerate() {
        let position = Coord { x: east * scene.grid.extent_m(), y: north * scene.grid.extent_m() };
        let placed = scene.place_transmitter(Transmitter::at(position.x, position.y)).expect("there is an outdoor pixel");
        let ends = LinkEnds::at(placed.transmitter.position);
        // As networks are given it, and as it is shown.
        for (kind, model) in [("dominant-path", DominantPath::default()), ("dominant-path-of-maps", DominantPath::of_maps())] {
            line(lines, &format!("{kind}/{name}/{i}"), &model.path_gain(&prepared, &ends).expect("outdoors"));
        }
    }
}

#[test]
fn maps_are_those_of_before() {
    let mut lines = String::new();
    for place in PLACES {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../www/scenes/");
        let text = std::fs::read_to_string(format!("{file}{place}.geojson")).expect("the demo's scene is there");
        let scene = import(text.as_bytes(), &ImportOptions::default()).expect("the demo's scene is sound").scene;
        // RadioMapSeer's heights, which the file does not have.
        dominant_paths(&mut lines, place, &scene.with_level_roofs(BUILDING_HEIGHT_M));
    }
    for seed in 0..6 {
        dominant_paths(&mut lines, &format!("boxes-{seed}"), &boxes(seed, 20 + 25 * seed as usize));
    }
    let engine = CpuEngine::new();
    for case in MapCase::pinned() {
        line(&mut lines, &format!("nano/{}", case.name), &block_on(case.map(&engine)).expect("the CPU reads"));
    }
    if std::env::var_os("RADIODIFF_PRINT").is_some() {
        print!("{lines}");
    }
    let changed: Vec<&str> = lines.lines().filter(|line| !PINNED.lines().any(|pinned| pinned == *line)).collect();
    assert!(changed.is_empty(), "other maps than tests/goldens/maps.sha256 has: {changed:#?}");
    assert_eq!(lines.lines().count(), PINNED.lines().count(), "as many maps as tests/goldens/maps.sha256 has");
}

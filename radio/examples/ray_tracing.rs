//! Draws ray-traced maps, or prints their time.
//!
//! `cargo run --release -p radiodiff-radio --example ray_tracing` traces a scene of 100 buildings by itself.
//! `... -- SCENE.json OUT.f32` traces a scene that tests/compare/true_heights.py wrote (see [`Input`]; metres from the south-west
//! corner). It writes three rasters of little-endian float32, row 0 in the north: path gain in dB by rays and by the dominant path, NaN
//! inside buildings, and 1 where the transmitter is in sight.

use geo::{Coord, LineString, Polygon, Rect};
use radiodiff_radio::geometry::PreparedScene;
use radiodiff_radio::map::RadioMap;
use radiodiff_radio::propagation::{DominantPath, FrequencyScaling, Material, PropagationModel, RayOptions, RayTracing, RoofsOfRays};
use radiodiff_radio::scene::{Building, Grid, LinkEnds, Scene};
use serde::Deserialize;
use std::error::Error;
use std::time::Instant;

#[derive(Deserialize)]
struct Input {
    size: usize,
    meters_per_pixel: f64,
    transmitter: [f64; 2],
    height_m: f64,
    receiver_height_m: f64,
    frequency_mhz: f64,
    /// P.2040's a, b, c, d of walls and of the ground.
    material: [f64; 4],
    ground: Option<[f64; 4]>,
    /// Of walls and ground, m; half spaces without it.
    thickness_m: Option<f64>,
    interactions: usize,
    diffractions: usize,
    buildings: Vec<Prism>,
}

#[derive(Deserialize)]
struct Prism {
    /// The outline, then courtyards.
    rings: Vec<Vec<[f64; 2]>>,
    height_m: f64,
}

fn building(footprint: Polygon<f64>) -> Building {
    Building::from(footprint)
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.as_slice() {
        [] => measure(),
        [input, output] => draw(input, output),
        _ => Err("usage: ray_tracing [SCENE.json OUT.f32]".into()),
    }
}

fn draw(input: &str, output: &str) -> Result<(), Box<dyn Error>> {
    let input: Input = serde_json::from_str(&std::fs::read_to_string(input)?)?;
    let ring = |points: &Vec<[f64; 2]>| LineString::from_iter(points.iter().map(|&[x, y]| Coord { x, y }));
    let prism = |prism: &Prism| {
        let mut rings = prism.rings.iter().map(ring);
        let footprint = Polygon::new(rings.next().unwrap_or_else(|| LineString::new(Vec::new())), rings.collect());
        Building { height_m: Some(prism.height_m), ..building(footprint) }
    };
    let grid = Grid { size: input.size, meters_per_pixel: input.meters_per_pixel };
    let constants = |[a, b, c, d]: [f64; 4]| Material { a, b, c, d };
    let options = RayOptions {
        interactions: input.interactions,
        diffractions: input.diffractions,
        frequency_mhz: input.frequency_mhz,
        material: constants(input.material),
        ground: input.ground.map(constants),
        thickness_m: input.thickness_m,
        roofs: RoofsOfRays::Scene,
        ..RayOptions::default()
    };
    let prepared = PreparedScene::new(&Scene::from_polygons(grid, input.buildings.iter().map(prism).collect()));
    let position = input.transmitter.into();
    let ends = LinkEnds { position, height_m: input.height_m, receiver_height_m: input.receiver_height_m };
    prepared.prisms();
    let started = Instant::now();
    let rays = RayTracing { options }.path_gain(&prepared, &ends)?;
    println!("{} interactions, {} diffractions: {:.2} s", options.interactions, options.diffractions, started.elapsed().as_secs_f64());
    let scaling = FrequencyScaling::to(input.frequency_mhz)?;
    let distance_m = |pixel: usize| {
        let step = grid.pixel_center(pixel / grid.size, pixel % grid.size) - position;
        step.x.hypot(step.y).hypot(ends.height_m - ends.receiver_height_m)
    };
    let RadioMap { values: dominant, .. } = DominantPath::default().path_gain(&prepared, &ends)?;
    let dominant = dominant.iter().enumerate().map(|(pixel, &gain)| scaling.gain_db(f64::from(gain), distance_m(pixel)) as f32);
    let sight = prepared.in_sight(&ends);
    let seen = (0..grid.pixels()).map(|pixel| if sight.contains(pixel) { 1.0 } else { 0.0 });
    let bytes: Vec<u8> = rays.values.iter().copied().chain(dominant).chain(seen).flat_map(f32::to_le_bytes).collect();
    std::fs::write(output, bytes)?;
    Ok(())
}

/// 100 turned boxes on a jittered lattice of 10 x 10, 256 m x 256 m.
fn boxes() -> Vec<Building> {
    let mut state = 1_u64;
    let mut random = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1_u64 << 53) as f64
    };
    let mut buildings = Vec::new();
    for i in 0..100 {
        let center = Coord { x: (f64::from(i % 10) + 0.3 + 0.4 * random()) * 25.6, y: (f64::from(i / 10) + 0.3 + 0.4 * random()) * 25.6 };
        let (half_x, half_y, angle) = (4.0 + 4.0 * random(), 4.0 + 4.0 * random(), 0.6 * random());
        let corner = Rect::new(Coord { x: -half_x, y: -half_y }, Coord { x: half_x, y: half_y }).to_polygon();
        use geo::MapCoords;
        let (sin, cos) = f64::sin_cos(angle);
        buildings.push(building(corner.map_coords(|c| Coord { x: center.x + c.x * cos - c.y * sin, y: center.y + c.x * sin + c.y * cos })));
    }
    buildings
}

fn measure() -> Result<(), Box<dyn Error>> {
    let scene = Scene::from_polygons(Grid::default(), boxes());
    let prepared = PreparedScene::new(&scene);
    let outdoors: Vec<_> = scene.outdoor_pixels().collect();
    // Finds the walls, which later maps use again.
    prepared.walls();
    println!("256 x 256 pixels, 100 buildings, {} % built: seconds a map, median and slowest of 5 transmitters", {
        100 - 100 * outdoors.len() / scene.grid.pixels()
    });
    for (interactions, diffractions) in [(2, 0), (2, 1), (2, 2), (4, 0), (4, 1), (4, 2)] {
        let options = RayOptions { interactions, diffractions, ..RayOptions::default() };
        let mut seconds = Vec::new();
        for i in 1..=5 {
            let (row, column) = outdoors[i * outdoors.len() / 6];
            let started = Instant::now();
            RayTracing { options }.path_gain(&prepared, &LinkEnds::at(scene.grid.pixel_center(row, column)))?;
            seconds.push(started.elapsed().as_secs_f64());
        }
        seconds.sort_by(f64::total_cmp);
        println!("{interactions} interactions, at most {diffractions} diffractions: {:.3} {:.3}", seconds[2], seconds[4]);
    }
    let (row, column) = outdoors[outdoors.len() / 2];
    let map = |floor_db| {
        let options = RayOptions { interactions: 4, floor_db, ..RayOptions::default() };
        RayTracing { options }.path_gain(&prepared, &LinkEnds::at(scene.grid.pixel_center(row, column)))
    };
    let exact = map(-250.0)?;
    for floor_db in [-150.0, -160.0, -170.0] {
        let started = Instant::now();
        let traced = map(floor_db)?;
        let seconds = started.elapsed().as_secs_f64();
        let shown = exact.values.iter().zip(&traced.values).filter(|(gain, _)| **gain > -147.0);
        let errors: Vec<f32> = shown.map(|(exact, gain)| (exact - gain).abs()).collect();
        let (mean, largest) = (errors.iter().sum::<f32>() / errors.len() as f32, errors.iter().fold(0.0, |a: f32, &b| a.max(b)));
        println!("4 interactions, floor {floor_db} dB: {seconds:.2} s; off by {mean:.4} dB on average, {largest:.3} dB at most");
    }
    Ok(())
}

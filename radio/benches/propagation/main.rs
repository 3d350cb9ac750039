//! How the dominant path's cost grows with buildings and pixels: `cargo bench -p radiodiff-radio --bench propagation`.
//!
//! A transmitter is placed in a new scene, then moved; on one core, in its computing time. Prints a Markdown table; `-- --write` also puts
//! it into docs/measurements/propagation-speed.md, between its markers, and draws docs/measurements/propagation-speed.svg.

mod city;
mod plot;

use city::{Random, city};
use geo::Coord;
use radiodiff_radio::geometry::PreparedScene;
use radiodiff_radio::propagation::{DominantPath, PropagationModel};
use radiodiff_radio::scene::{Building, Grid, LinkEnds, Scene};
use std::error::Error;
use std::path::Path;
use std::time::Instant;

/// (pixels a side, buildings): more buildings on the same ground, then more ground as densely built.
const BUILDINGS: [(usize, usize); 5] = [(256, 25), (256, 50), (256, 100), (256, 200), (256, 400)];
const PIXELS: [(usize, usize); 4] = [(128, 25), (256, 100), (512, 400), (1024, 1600)];
/// The thread's clock may tick in 4 ms: moves are counted until they took this long together, and there are so many at least.
const MOVES: usize = 11;
const LEAST_MS: f64 = 1000.0;
const SEED: u64 = 5900;

/// (pixels a side, metres a pixel, buildings) of scenes whose buildings are [`LOWEST_M`] to [`HIGHEST_M`] tall.
const TALL: [(usize, f64, usize); 2] = [(256, 1.0, 100), (500, 2.0, 400)];
const LOWEST_M: f64 = 6.0;
const HIGHEST_M: f64 = 40.0;
/// Heights of the transmitter in these scenes.
const ANTENNAS_M: [f64; 3] = [1.5, 15.0, 45.0];

/// What a scene costs, in milliseconds.
struct Cost {
    size: usize,
    buildings: usize,
    first_map_ms: f64,
    move_ms: f64,
}

fn main() -> Result<(), Box<dyn Error>> {
    let write = std::env::args().any(|argument| argument == "--write");
    let mut table = "| pixels | buildings | first map, ms | a move, ms |\n|---|---|---|---|\n".to_owned();
    print!("{table}");
    let mut measured = |&(size, buildings): &(usize, usize)| {
        let cost = measure(size, buildings);
        let Cost { first_map_ms, move_ms, .. } = cost;
        let row = format!("| {size} x {size} | {buildings} | {first_map_ms:.0} | {move_ms:.1} |\n");
        print!("{row}");
        table += &row;
        cost
    };
    let by_buildings: Vec<Cost> = BUILDINGS.iter().map(&mut measured).collect();
    let by_pixels: Vec<Cost> = PIXELS.iter().map(&mut measured).collect();
    let mut heights = String::from("| pixels | metres a pixel | buildings | transmitter, m | a move, ms |\n|---|---|---|---|---|\n");
    print!("\n{heights}");
    for (size, meters_per_pixel, buildings) in TALL {
        for height_m in ANTENNAS_M {
            let move_ms = measure_heights(Grid { size, meters_per_pixel }, buildings, height_m);
            let row = format!("| {size} x {size} | {meters_per_pixel} | {buildings} | {height_m} | {move_ms:.1} |\n");
            print!("{row}");
            heights += &row;
        }
    }
    if write {
        let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/measurements");
        plot::draw(&docs.join("propagation-speed.svg"), &by_buildings, &by_pixels)?;
        let page = docs.join("propagation-speed.md");
        let mut text = std::fs::read_to_string(&page)?;
        for (marker, table) in [("table", table), ("heights", heights)] {
            let missing = || format!("docs/measurements/propagation-speed.md has no <!-- {marker} --> and <!-- end --> around a table");
            let (before, rest) = text.split_once(&format!("<!-- {marker} -->\n")).ok_or_else(missing)?;
            let (_, after) = rest.split_once("<!-- end -->\n").ok_or_else(missing)?;
            text = format!("{before}<!-- {marker} -->\n{table}<!-- end -->\n{after}");
        }
        std::fs::write(page, text)?;
    }
    Ok(())
}

/// Mean time of a move among buildings of different heights, over streets and roofs.
fn measure_heights(grid: Grid, buildings: usize, height_m: f64) -> f64 {
    let mut random = Random(SEED);
    let footprints = city(grid.extent_m(), buildings, &mut random);
    let building = |footprint| Building { height_m: Some(LOWEST_M + random.unit() * (HIGHEST_M - LOWEST_M)), ..Building::from(footprint) };
    let scene = Scene::from_polygons(grid, footprints.into_iter().map(building).collect());
    let prepared = PreparedScene::new(&scene);
    let model = DominantPath::of_maps();
    let mut map_ms = || loop {
        let position = Coord { x: random.unit(), y: random.unit() } * grid.extent_m();
        let (map, took_ms) = timed(|| model.path_gain(&prepared, &LinkEnds { height_m, ..LinkEnds::at(position) }));
        // Inside a building and below its roof is refused: draw again.
        if map.is_ok() {
            return took_ms;
        }
    };
    // The first map also finds the walls of the prisms.
    map_ms();
    mean_move_ms(map_ms)
}

/// Mean of what moves take, which are made until they are enough to tell.
fn mean_move_ms(mut move_ms: impl FnMut() -> f64) -> f64 {
    let (mut moves, mut all_ms) = (0, 0.0);
    while moves < MOVES || all_ms < LEAST_MS {
        all_ms += move_ms();
        moves += 1;
    }
    all_ms / moves as f64
}

fn measure(size: usize, buildings: usize) -> Cost {
    let grid = Grid { size, meters_per_pixel: 1.0 };
    let mut random = Random(SEED);
    let scene = Scene::from_polygons(grid, city(grid.extent_m(), buildings, &mut random).into_iter().map(Building::from).collect());
    let model = DominantPath::of_maps();
    let mut map_ms = |prepared: &PreparedScene| loop {
        let position = Coord { x: random.unit(), y: random.unit() } * grid.extent_m();
        let (map, took_ms) = timed(|| model.path_gain(prepared, &LinkEnds::at(position)));
        // Indoors is refused: draw again.
        if map.is_ok() {
            return took_ms;
        }
    };
    let first_map_ms = median((0..3).map(|_| map_ms(&PreparedScene::new(&scene))));
    let prepared = PreparedScene::new(&scene);
    // The first map also finds the walls.
    map_ms(&prepared);
    let move_ms = mean_move_ms(|| map_ms(&prepared));
    Cost { size, buildings, first_map_ms, move_ms }
}

/// The result, and the milliseconds that the thread computed; by the clock where the system does not count them.
fn timed<T>(work: impl FnOnce() -> T) -> (T, f64) {
    let (start, computed_ms) = (Instant::now(), thread_ms());
    let result = work();
    let took_ms = match (computed_ms, thread_ms()) {
        (Some(before_ms), Some(after_ms)) => after_ms - before_ms,
        _ => start.elapsed().as_secs_f64() * 1e3,
    };
    (result, took_ms)
}

/// Milliseconds that this thread has computed, which other programs do not lengthen as they do the clock's. Linux counts them.
fn thread_ms() -> Option<f64> {
    let counts = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    counts.split_whitespace().next()?.parse::<f64>().ok().map(|nanoseconds| nanoseconds / 1e6)
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = values.collect();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

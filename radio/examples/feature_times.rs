//! How long each channel of the condition takes, and what comes after a map: medians on one core, for docs/measurements/channels.md.
//!
//!     cargo run --release -p radiodiff-radio --example feature_times

use geo::{Coord, LineString, Polygon};
use radiodiff_radio::features::{ConditionChannel, condition};
use radiodiff_radio::geometry::PreparedScene;
use radiodiff_radio::map::GrayCodec;
use radiodiff_radio::propagation::{AntennaPattern, DominantPath, LinkBudget, PropagationModel, Sector, WithCars};
use radiodiff_radio::scene::{Building, Grid, LinkEnds, Scene, Transmitter};
use std::time::Instant;

const RUNS: usize = 21;

fn rectangle(x: f64, y: f64, width: f64, height: f64) -> Polygon<f64> {
    Polygon::new(LineString::from(vec![(x, y), (x + width, y), (x + width, y + height), (x, y + height)]), Vec::new())
}

/// Prints the median time of [`RUNS`] runs in milliseconds.
fn time<T>(name: &str, mut run: impl FnMut(Coord<f64>) -> T) {
    let mut times_ms: Vec<f64> = (0..RUNS)
        .map(|i| {
            // Along a street, so that nothing is the same twice.
            let position = Coord { x: 20.5 + 9.0 * i as f64, y: 123.5 };
            let started = Instant::now();
            std::hint::black_box(run(position));
            started.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    times_ms.sort_by(f64::total_cmp);
    println!("| {name} | {:.2} |", times_ms[RUNS / 2]);
}

fn main() {
    // A hundred blocks, and cars along the streets between them.
    let grid = Grid::default();
    let blocks = (0..100).map(|i| rectangle(25.0 * f64::from(i / 10) + 5.0, 25.0 * f64::from(i % 10) + 4.0, 15.0, 14.0));
    let cars = (0..100).map(|i| rectangle(25.0 * f64::from(i / 10) + 8.0, 25.0 * f64::from(i % 10) + 20.0, 4.0, 2.0)).collect();
    // The height of every second block is stated.
    let stated = |i: usize| i.is_multiple_of(2).then_some(8.0 + (i % 7) as f64);
    let buildings = blocks.enumerate().map(|(i, block)| Building { height_m: stated(i), ..Building::from(block) }).collect();
    let prepared = PreparedScene::new(&Scene::from_polygons(grid, buildings).with_cars(cars));
    println!("| {} x {} pixels, 100 buildings, 100 cars | median ms |\n|---|---:|", grid.size, grid.size);
    time("(dominant path, to prepare the scene)", |at| DominantPath::default().path_gain(&prepared, &LinkEnds::at(at)));
    for channel in ConditionChannel::ALL {
        time(&format!("{channel:?}"), |at| condition(&prepared, &LinkEnds::at(at), &[channel], &GrayCodec::default()));
    }
    let gain = DominantPath::default().path_gain(&prepared, &LinkEnds::at(Coord { x: 20.5, y: 123.5 })).expect("a street");
    time("dominant path with cars", |at| WithCars(DominantPath::default()).path_gain(&prepared, &LinkEnds::at(at)));
    for (name, frequency_mhz, pattern) in [
        ("received power: omni, 5.9 GHz", 5900.0, AntennaPattern::Omni),
        ("received power: sector, 5.9 GHz", 5900.0, AntennaPattern::Sector(Sector::default())),
        ("received power: omni, 28 GHz", 28_000.0, AntennaPattern::Omni),
    ] {
        time(name, |at| {
            let transmitter = Transmitter { frequency_mhz, ..Transmitter::at(at.x, at.y) };
            LinkBudget::new(&gain, &transmitter, 1.5, &pattern, |_| None).expect("in range").of(&gain)
        });
    }
}

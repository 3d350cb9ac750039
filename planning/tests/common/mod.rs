//! A layer to export: smooth hills of power with buildings between them, the same for the same seed.

// Each test program uses what it needs of this.
#![allow(dead_code)]

use radiodiff_planning::export::{ExportOptions, Look, Palette, PlacemarkPoint};
use radiodiff_planning::raster::{GeoRaster, PlanLayer};
use radiodiff_radio::scene::{GeoBounds, Grid};

pub const BOUNDS: GeoBounds =
    GeoBounds { west: 11.575_250_292_8, south: 48.133_278_847_75, east: 11.578_689_707_2, north: 48.135_581_152_25 };

pub fn hills(seed: u64, size: usize, layer: PlanLayer) -> GeoRaster {
    let mut random = fastrand::Rng::with_seed(seed);
    let waves: Vec<[f64; 4]> = (0..4).map(|_| [0.2 + random.f64(), 0.2 + random.f64(), 6.3 * random.f64(), 15.0 * random.f64()]).collect();
    let blocks: Vec<(usize, usize)> = (0..6).map(|_| (random.usize(0..size), random.usize(0..size))).collect();
    let value = |i: usize| {
        let (row, column) = (i / size, i % size);
        if blocks.iter().any(|&(top, left)| (top..top + size / 6).contains(&row) && (left..left + size / 5).contains(&column)) {
            return f32::NAN;
        }
        let sum: f64 = waves.iter().map(|[x, y, phase, high]| high * (x * column as f64 + y * row as f64 + phase).sin()).sum();
        (if layer == PlanLayer::PathLoss { 90.0 } else { -90.0 } + sum) as f32
    };
    GeoRaster {
        grid: Grid { size, meters_per_pixel: 1.0 },
        bounds: BOUNDS,
        quantity: layer.into(),
        values: (0..size * size).map(value).collect(),
    }
}

pub fn options() -> ExportOptions {
    ExportOptions {
        look: Look { palette: Palette::Turbo, low: -124.0, high: -24.84, threshold: None },
        levels: vec![-100.0, -90.0],
        title: "Munich & <old town>".into(),
        points: vec![PlacemarkPoint { name: "Mast \"1\"".into(), lng: 11.57665, lat: 48.13487 }],
    }
}

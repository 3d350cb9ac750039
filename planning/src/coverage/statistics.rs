//! How much of the ground a plan covers.

use super::NO_SERVER;
use crate::raster::PlanLayer;
use geo::Coord;
use radiodiff_radio::arithmetic;
use radiodiff_radio::scene::Grid;
use serde::Serialize;

/// A point of a cumulative distribution.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct CdfPoint {
    pub value: f64,
    /// Share of the outdoor pixels at or below the value, 0 to 1.
    pub share: f64,
}

/// Statistics of a layer over the outdoor pixels.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CoverageStatistics {
    pub threshold: f64,
    pub outdoor_pixels: usize,
    pub covered_pixels: usize,
    /// Area of the ground outdoors and of its covered part, square metres.
    pub outdoor_area_m2: f64,
    pub covered_area_m2: f64,
    /// Covered share of the outdoor pixels, 0 to 1; 0 where there are none.
    pub share: f64,
    /// The largest distance of a covered pixel from the transmitter that serves it, metres.
    pub largest_range_m: Option<f64>,
    /// Per transmitter, the share of the outdoor pixels that it covers as the best server.
    pub served_share: Vec<f64>,
    /// `None` where there is no value.
    pub min: Option<f64>,
    pub max: Option<f64>,
    pub mean: Option<f64>,
    /// At every whole number from the largest below the least value to the smallest above the greatest.
    pub cdf: Vec<CdfPoint>,
}

impl CoverageStatistics {
    /// `server` has per pixel the index of the serving transmitter, `positions` the transmitters' places in metres.
    pub(super) fn new(grid: Grid, layer: PlanLayer, values: &[f32], threshold: f64, server: &[u32], positions: &[Coord<f64>]) -> Self {
        let mut sorted: Vec<f32> = values.iter().copied().filter(|value| !value.is_nan()).collect();
        sorted.sort_unstable_by(f32::total_cmp);
        let mut served = vec![0_usize; positions.len()];
        let mut largest_range_m: Option<f64> = None;
        for (pixel, _) in values.iter().enumerate().filter(|&(_, &value)| layer.covers(value, threshold)) {
            if server[pixel] == NO_SERVER {
                continue;
            }
            let number = server[pixel] as usize;
            served[number] += 1;
            let away = grid.pixel_center(pixel / grid.size, pixel % grid.size) - positions[number];
            let range_m = arithmetic::length(away.x, away.y);
            largest_range_m = Some(largest_range_m.map_or(range_m, |largest| largest.max(range_m)));
        }
        let (outdoor_pixels, covered_pixels) = (sorted.len(), served.iter().sum::<usize>());
        let share_of = |pixels: usize| if outdoor_pixels == 0 { 0.0 } else { pixels as f64 / outdoor_pixels as f64 };
        let pixel_m2 = grid.meters_per_pixel * grid.meters_per_pixel;
        let sum: f64 = sorted.iter().map(|&value| f64::from(value)).sum();
        Self {
            threshold,
            outdoor_pixels,
            covered_pixels,
            outdoor_area_m2: outdoor_pixels as f64 * pixel_m2,
            covered_area_m2: covered_pixels as f64 * pixel_m2,
            share: share_of(covered_pixels),
            largest_range_m,
            served_share: served.iter().map(|&pixels| share_of(pixels)).collect(),
            min: sorted.first().map(|&value| f64::from(value)),
            max: sorted.last().map(|&value| f64::from(value)),
            mean: (outdoor_pixels > 0).then(|| sum / outdoor_pixels as f64),
            cdf: cdf(&sorted),
        }
    }
}

/// The distribution of ascending values.
fn cdf(sorted: &[f32]) -> Vec<CdfPoint> {
    let (Some(&least), Some(&greatest)) = (sorted.first(), sorted.last()) else { return Vec::new() };
    // Layers are in decibels or count transmitters, so whole numbers are fine enough and few.
    (least.floor() as i64..=greatest.ceil() as i64)
        .map(|value| {
            let below = sorted.partition_point(|&found| f64::from(found) <= value as f64);
            CdfPoint { value: value as f64, share: below as f64 / sorted.len() as f64 }
        })
        .collect()
}

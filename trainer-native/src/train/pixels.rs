//! What the error of a pixel weighs in the losses on maps.

use crate::data::Batch;
use crate::parallel::ProcessGroup;
use anyhow::Result;
use tch::{Kind, Tensor};

/// What is added to a map's mean square before dividing by it, so that a nearly black map does not outweigh all others.
const LEAST_POWER: f64 = 0.01;

/// What a pixel's error weighs, mean 1: outdoors more than inside a building, and a map by one over its mean square, as the
/// normalised mean squared error does. A crop of which no pixel counts weighs nothing. The mean is over the whole batch of all
/// processes, so that their mean gradient is that of one process.
///
/// # Errors
/// A process that has ended or does not answer.
pub fn pixel_weights(batch: &Batch, building_weight: f64, group: &ProcessGroup) -> Result<Tensor> {
    let weight = weight_of_place(batch, building_weight);
    let dims: &[i64] = &[1, 2, 3];
    let power = (&batch.truth * 0.5 + 0.5).square().mean_dim(dims, true, Kind::Float) + LEAST_POWER;
    let map_weight = power.reciprocal();
    let mean_map_weight = map_weight.mean(Kind::Float);
    group.average(&[mean_map_weight.shallow_clone()], [])?;
    let mean = (weight.mean_dim(dims, true, Kind::Float) * mean_map_weight).clamp_min(f64::from(f32::MIN_POSITIVE));
    Ok(weight * map_weight / mean)
}

/// As [`pixel_weights`], but every map counts alike.
///
/// # Errors
/// A process that has ended or does not answer.
pub fn place_weights(batch: &Batch, building_weight: f64, group: &ProcessGroup) -> Result<Tensor> {
    let weight = weight_of_place(batch, building_weight);
    let mean = weight.mean(Kind::Float);
    group.average(&[mean.shallow_clone()], [])?;
    Ok(weight / mean.clamp_min(f64::from(f32::MIN_POSITIVE)))
}

/// 1 outdoors, `building_weight` inside a building and where the map is not known.
fn weight_of_place(batch: &Batch, building_weight: f64) -> Tensor {
    &batch.outdoors * (1.0 - building_weight) + building_weight
}

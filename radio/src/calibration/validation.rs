//! How well a calibration predicts streets that nobody has driven: cross-validation by blocks of ground.
//!
//! Measurements a few metres apart err alike, so leaving single ones out flatters every method. Whole blocks are left out instead, a
//! fifth of them at a time; all that is fitted is fitted to the other blocks. Blocks of one fold do not touch. Where azimuth or height are
//! not known, the start that was chosen on all measurements serves every fold: it is one of a few.

use super::error::CalibrationError;
use super::fit::{Calibration, CalibrationOptions, Prediction};
use super::link::{Link, Surroundings};
use super::measurement::{Measurement, check};
use nalgebra::DVector;
use std::collections::BTreeMap;

const FOLDS: i64 = 5;

/// Root mean square errors in dB of predictions that were not given the block's own measurements.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct HeldOutErrors {
    /// Measurements that were predicted.
    pub count: usize,
    /// By the law before the fit: its constants' priors, with the offset alone taken from the measurements.
    pub before_db: f64,
    /// By the fitted law alone.
    pub law_db: f64,
    /// By the fitted law and its errors in other blocks.
    pub after_db: f64,
    /// Of the measurements, the share within one standard deviation of the prediction; 0.68 is right.
    pub within_deviation: f64,
}

/// A square block of the ground.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BlockErrors {
    /// Its south-west corner, metres from the map's.
    pub east_m: f64,
    pub north_m: f64,
    pub errors: HeldOutErrors,
}

/// A calibration's errors in blocks that it was not given.
#[derive(Clone, Debug, PartialEq)]
pub struct Validation {
    pub block_m: f64,
    pub all: HeldOutErrors,
    /// South-west first.
    pub blocks: Vec<BlockErrors>,
    /// Of each measurement, what the map predicts that was not given its block; `None` in blocks that are left out.
    pub predictions: Vec<Option<Prediction>>,
}

/// Sums of what [`HeldOutErrors`] are means of.
#[derive(Clone, Copy, Default)]
struct Sums {
    count: usize,
    squares: [f64; 3],
    within: usize,
}

impl Sums {
    fn errors(&self) -> HeldOutErrors {
        let count = self.count.max(1) as f64;
        let [before_db, law_db, after_db] = self.squares.map(|sum| (sum / count).sqrt());
        HeldOutErrors { count: self.count, before_db, law_db, after_db, within_deviation: self.within as f64 / count }
    }
}

/// Predicts every block of `block_m` metres from other blocks, as the calibration of all `measurements` would. Blocks whose other blocks
/// hold too few measurements are left out.
///
/// # Errors
/// Those of [`Calibration::fit`]; all measurements in one fold's blocks.
pub fn cross_validate(
    surroundings: &Surroundings,
    measurements: &[Measurement],
    calibration: &Calibration,
    block_m: f64,
) -> Result<Validation, CalibrationError> {
    check(measurements, surroundings.grid())?;
    let options = calibration.options();
    let block_of = |one: &Measurement| ((one.position.y / block_m).floor() as i64, (one.position.x / block_m).floor() as i64);
    // Steps of two and one as a knight's: no two blocks of a fold share a side or a corner.
    let fold_of = |one: &Measurement| {
        let (row, column) = block_of(one);
        (row + 2 * column).rem_euclid(FOLDS)
    };
    let links: Vec<Link> = measurements.iter().map(|one| surroundings.link(one.position)).collect();
    let mut sums: BTreeMap<(i64, i64), Sums> = BTreeMap::new();
    let mut predictions = vec![None; measurements.len()];
    for fold in 0..FOLDS {
        let (tested, given): (Vec<usize>, Vec<usize>) = (0..measurements.len()).partition(|&i| fold_of(&measurements[i]) == fold);
        let known: Vec<Measurement> = given.iter().map(|&i| measurements[i]).collect();
        if tested.is_empty() || check(&known, surroundings.grid()).is_err() {
            continue;
        }
        let powers = DVector::from_iterator(known.len(), known.iter().map(|one| one.power_dbm));
        let known_links: Vec<Link> = given.iter().map(|&i| links[i].clone()).collect();
        let offset_db = offset_db(&known_links, &powers, options);
        let fitted = calibration.refit(known_links, &powers)?;
        for i in tested {
            let (truth_dbm, predicted) = (measurements[i].power_dbm, fitted.predict_link(&links[i]));
            predictions[i] = Some(predicted);
            let before_dbm = prior_power_dbm(&links[i], options) + offset_db;
            let sum = sums.entry(block_of(&measurements[i])).or_default();
            sum.count += 1;
            for (square, power_dbm) in sum.squares.iter_mut().zip([before_dbm, predicted.law_dbm, predicted.power_dbm]) {
                *square += (power_dbm - truth_dbm).powi(2);
            }
            sum.within += usize::from((predicted.power_dbm - truth_dbm).abs() <= predicted.deviation_db);
        }
    }
    if sums.is_empty() {
        return Err(CalibrationError::OneBlock { block_m });
    }
    let mut all = Sums::default();
    for block in sums.values() {
        all.count += block.count;
        all.within += block.within;
        all.squares = std::array::from_fn(|i| all.squares[i] + block.squares[i]);
    }
    let blocks = sums
        .iter()
        .map(|(&(row, column), sum)| BlockErrors { east_m: column as f64 * block_m, north_m: row as f64 * block_m, errors: sum.errors() })
        .collect();
    Ok(Validation { block_m, all: all.errors(), blocks, predictions })
}

/// The law's power with all constants at their priors' means.
fn prior_power_dbm(link: &Link, options: &CalibrationOptions) -> f64 {
    options.law.power_dbm(&options.priors.map(|prior| prior.mean), link)
}

/// What the law's priors lack on average, dB.
fn offset_db(links: &[Link], powers: &DVector<f64>, options: &CalibrationOptions) -> f64 {
    links.iter().zip(powers.iter()).map(|(link, power_dbm)| power_dbm - prior_power_dbm(link, options)).sum::<f64>() / links.len() as f64
}

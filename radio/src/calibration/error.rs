//! Why measurements cannot calibrate a map.

use super::limits::{LEAST_MEASUREMENTS, LEAST_POWER_DBM, MOST_POWER_DBM};
use crate::propagation::PropagationError;
use thiserror::Error;

/// Why there is no calibration. Indices count the measurements from 0.
#[derive(Debug, Error, Clone, PartialEq)]
pub enum CalibrationError {
    #[error("the measurements lie at {found} of the map's places, expected at least {LEAST_MEASUREMENTS}: measure more places")]
    TooFew { found: usize },
    #[error("all measured powers are {power_dbm} dBm; a law cannot be fitted to one value")]
    AllEqual { power_dbm: f64 },
    #[error("measurement {index} holds a value that is not a number")]
    NotFinite { index: usize },
    #[error("measurement {index} is {power_dbm} dBm, expected {LEAST_POWER_DBM} to {MOST_POWER_DBM} dBm")]
    Power { index: usize, power_dbm: f64 },
    #[error("measurement {index} at ({x:.1} m, {y:.1} m) is off the map, which spans 0 to {extent_m} m east and north")]
    OffMap { index: usize, x: f64, y: f64, extent_m: f64 },
    #[error("all measurements lie within blocks of {block_m} m that leave none to fit to; measure a larger part of the map")]
    OneBlock { block_m: f64 },
    #[error(transparent)]
    Map(#[from] PropagationError),
    #[error("the measurements' covariance cannot be inverted; are there thousands at one place?")]
    Singular,
}

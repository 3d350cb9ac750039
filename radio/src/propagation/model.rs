//! What a propagation model is.

use crate::geometry::{PositionError, PreparedScene};
use crate::map::{Quantity, RadioMap};
use crate::scene::{HeightError, LinkEnds};
use thiserror::Error;

/// Why a model has no map for a position.
#[derive(Debug, Error, Clone, Copy, PartialEq)]
pub enum PropagationError {
    #[error(transparent)]
    Position(#[from] PositionError),
    #[error(transparent)]
    Height(#[from] HeightError),
    #[error("rays cannot be traced: {reason}")]
    RayOptions { reason: &'static str },
    #[error(
        "intelligent ray tracing knows the streets below the roofs only, which are {roof_m} m high: an antenna stands at {height_m} m; \
         take the dominant path or `rays`"
    )]
    AboveRoofs { height_m: f64, roof_m: f64 },
}

/// A model of propagation, with its constants. Callers may choose one at run time as `&dyn PropagationModel`.
pub trait PropagationModel: Send + Sync {
    /// Path gain in dB between isotropic antennas, from the transmitter of `ends` to a receiver over every pixel's centre:
    /// (N, N) row-major, NaN inside buildings.
    ///
    /// # Errors
    /// A position off the map or inside a building, a height that no antenna has; options that the model cannot compute.
    fn path_gain(&self, prepared: &PreparedScene, ends: &LinkEnds) -> Result<RadioMap, PropagationError>;
}

impl<M: PropagationModel + ?Sized> PropagationModel for &M {
    fn path_gain(&self, prepared: &PreparedScene, ends: &LinkEnds) -> Result<RadioMap, PropagationError> {
        (**self).path_gain(prepared, ends)
    }
}

impl<M: PropagationModel + ?Sized> PropagationModel for Box<M> {
    fn path_gain(&self, prepared: &PreparedScene, ends: &LinkEnds) -> Result<RadioMap, PropagationError> {
        (**self).path_gain(prepared, ends)
    }
}

/// A map of path gain whose outdoor pixels are `gain_db(row-major index)`.
pub(super) fn outdoor_map(prepared: &PreparedScene, gain_db: impl Fn(usize) -> f64) -> RadioMap {
    let value = |(i, &inside): (usize, &u8)| if inside != 0 { f32::NAN } else { gain_db(i) as f32 };
    let values = prepared.mask().pixels.iter().enumerate().map(value).collect();
    RadioMap { grid: prepared.grid(), quantity: Quantity::PathGainDb, values }
}

//! The options of ray tracing.

use super::beam::MAX_INTERACTIONS;
use super::material::{Material, Polarisation};
use crate::propagation::model::PropagationError;

/// How the paths of a pixel are combined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Combining {
    /// Powers are added: the mean over a few wavelengths.
    Incoherent,
    /// Fields are added with their phases: the fading at the pixel's centre.
    Coherent,
}

/// Which paths are traced, and by what constants.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RayOptions {
    /// The largest number of reflections and diffractions together, up to [`MAX_INTERACTIONS`].
    pub interactions: usize,
    /// The largest number of diffractions among them.
    pub diffractions: usize,
    pub frequency_mhz: f64,
    pub material: Material,
    pub polarisation: Polarisation,
    pub combining: Combining,
    /// Paths that cannot reach this gain, dB, are not followed. A pixel without a path has this gain.
    pub floor_db: f64,
}

impl Default for RayOptions {
    /// Two interactions at 5.9 GHz between brick walls.
    fn default() -> Self {
        Self {
            interactions: 2,
            diffractions: 2,
            frequency_mhz: 5900.0,
            material: Material::BRICK,
            polarisation: Polarisation::Vertical,
            combining: Combining::Incoherent,
            floor_db: -160.0,
        }
    }
}

impl RayOptions {
    /// # Errors
    /// More interactions than [`MAX_INTERACTIONS`], a frequency outside 1 to 40 GHz, or a floor that is not finite.
    pub fn check(&self) -> Result<(), PropagationError> {
        let reason = if self.interactions > MAX_INTERACTIONS {
            "at most 4 interactions can be traced; lower `interactions`"
        } else if !(1000.0..=40_000.0).contains(&self.frequency_mhz) {
            "the walls' material is known from 1 to 40 GHz only"
        } else if !self.floor_db.is_finite() {
            "the lowest gain is not finite"
        } else {
            return Ok(());
        };
        Err(PropagationError::RayOptions { reason })
    }
}

//! The options of ray tracing.

use super::beam::MAX_INTERACTIONS;
use super::material::{Material, Polarisation};
use crate::propagation::model::PropagationError;

/// How tall the buildings are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RoofsOfRays {
    /// Endlessly: every path stays between the buildings, as in RadioMapSeer's streets.
    #[default]
    Endless,
    /// As the scene says. Rays pass over low walls, and the direct line is diffracted over roofs.
    Scene,
}

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
    /// Of walls that the scene says nothing of; with [`RoofsOfRays::Endless`], of all walls.
    pub material: Material,
    pub roofs: RoofsOfRays,
    /// What the ground is made of, if it reflects.
    pub ground: Option<Material>,
    pub polarisation: Polarisation,
    pub combining: Combining,
    /// Paths that cannot reach this gain, dB, are not followed. A pixel without a path has this gain.
    pub floor_db: f64,
}

impl Default for RayOptions {
    /// Two interactions at 5.9 GHz between endless brick walls, and no ground: RadioMapSeer's terms.
    fn default() -> Self {
        Self {
            interactions: 2,
            diffractions: 2,
            frequency_mhz: 5900.0,
            material: Material::BRICK,
            roofs: RoofsOfRays::Endless,
            ground: None,
            polarisation: Polarisation::Vertical,
            combining: Combining::Incoherent,
            floor_db: -160.0,
        }
    }
}

impl RayOptions {
    /// The default terms at a frequency: what free space loses more there, the floor is lower.
    pub fn at_frequency(frequency_mhz: f64) -> Self {
        let default = Self::default();
        Self { frequency_mhz, floor_db: default.floor_db - 20.0 * libm::log10(frequency_mhz / default.frequency_mhz), ..default }
    }

    /// # Errors
    /// More interactions than [`MAX_INTERACTIONS`], a frequency outside 0.5 to 100 GHz, or a floor that is not finite.
    pub fn check(&self) -> Result<(), PropagationError> {
        let reason = if self.interactions > MAX_INTERACTIONS {
            "at most 4 interactions can be traced; lower `interactions`"
        } else if !(500.0..=100_000.0).contains(&self.frequency_mhz) {
            "rays are traced from 500 to 100,000 MHz"
        } else if !self.floor_db.is_finite() {
            "the lowest gain is not finite"
        } else {
            return Ok(());
        };
        Err(PropagationError::RayOptions { reason })
    }
}

//! The options of ray tracing.

use super::beam::MAX_INTERACTIONS;
use super::material::{Material, Polarisation};
use super::tracing::SPEED_OF_LIGHT_M_S;
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
    /// Thickness of walls and ground as slabs with air behind, m, 0.01 to 0.5; without it they are half spaces.
    pub thickness_m: Option<f64>,
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
            thickness_m: None,
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

    pub(super) fn wavelength_m(&self) -> f64 {
        SPEED_OF_LIGHT_M_S / (self.frequency_mhz * 1e6)
    }

    /// The thickness of walls and ground in wavelengths.
    pub(super) fn thickness_in_wavelengths(&self) -> Option<f64> {
        self.thickness_m.map(|thickness_m| thickness_m / self.wavelength_m())
    }

    /// # Errors
    /// More interactions than [`MAX_INTERACTIONS`], a frequency outside 0.5 to 100 GHz, a thickness outside 0.01 to 0.5 m, or a floor that
    /// is not finite.
    pub fn check(&self) -> Result<(), PropagationError> {
        let reason = if self.interactions > MAX_INTERACTIONS {
            "at most 4 interactions can be traced; lower `interactions`"
        } else if !(500.0..=100_000.0).contains(&self.frequency_mhz) {
            "rays are traced from 500 to 100,000 MHz"
        } else if self.thickness_m.is_some_and(|thickness_m| !(0.01..=0.5).contains(&thickness_m)) {
            "walls are 0.01 to 0.5 m thick; leave `thickness_m` out for thicker ones"
        } else if !self.floor_db.is_finite() {
            "the lowest gain is not finite"
        } else {
            return Ok(());
        };
        Err(PropagationError::RayOptions { reason })
    }
}

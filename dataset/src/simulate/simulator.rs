//! The propagation models that fill RadioMapSeer's folders.

use crate::folder::Variant;
use geo::Coord;
use radiodiff_radio::geometry::PreparedScene;
use radiodiff_radio::map::{GrayCodec, RadioMap};
use radiodiff_radio::propagation::{DominantPath, PropagationError, PropagationModel, RayOptions, RayTracing, WithCars};
use radiodiff_radio::scene::LinkEnds;
use thiserror::Error;

/// Computes the maps of one variant.
#[derive(Clone, Copy, Debug)]
pub struct Simulator {
    variant: Variant,
}

/// A variant whose maps cannot be computed.
#[derive(Debug, Error, Clone, Copy, PartialEq, Eq)]
pub enum SimulatorError {
    #[error("{} cannot be computed: ray tracing does not know cars; only the dominant path model does (carsDPM)", variant.name())]
    CarsWithRays { variant: Variant },
}

impl Simulator {
    /// # Errors
    /// Rays with cars: a map that ignores its cars must not lie under the name of one that has them.
    pub fn new(variant: Variant) -> Result<Self, SimulatorError> {
        match variant {
            Variant::CarsIrt2 | Variant::CarsIrt4 => Err(SimulatorError::CarsWithRays { variant }),
            Variant::Dpm | Variant::Irt2 | Variant::Irt4 | Variant::CarsDpm => Ok(Self { variant }),
        }
    }

    /// The same model for streets without cars.
    pub fn without_cars(self) -> Self {
        match self.variant {
            Variant::CarsDpm => Self { variant: Variant::Dpm },
            _ => self,
        }
    }

    /// Path gain of a transmitter at an outdoor position in metres, in dB. A variant with cars has those of the scene, one without
    /// ignores them.
    ///
    /// # Errors
    /// A position that is not outdoors.
    pub fn path_gain(self, scene: &PreparedScene, position: Coord<f64>) -> Result<RadioMap, PropagationError> {
        let rays = |interactions| RayTracing { options: RayOptions { interactions, ..RayOptions::default() } };
        let model: &dyn PropagationModel = match self.variant {
            Variant::Irt2 | Variant::CarsIrt2 => &rays(2),
            Variant::Irt4 | Variant::CarsIrt4 => &rays(4),
            Variant::Dpm => &DominantPath::default(),
            Variant::CarsDpm => &WithCars(DominantPath::default()),
        };
        model.path_gain(scene, &LinkEnds::at(position))
    }
}

/// The layout's gray levels of a path gain map, (N, N) row-major.
pub fn gray_levels(path_gain: &RadioMap) -> Vec<u8> {
    GrayCodec::default().encode_map(path_gain).iter().map(|&gray| (gray * 255.0).round() as u8).collect()
}

//! The propagation models that fill RadioMapSeer's folders.

use crate::folder::Variant;
use geo::Coord;
use radiodiff_radio::geometry::PreparedScene;
use radiodiff_radio::map::{GrayCodec, RadioMap};
use radiodiff_radio::propagation::{
    DominantPath, IntelligentRayTracing, PropagationError, PropagationModel, RayOptions, RayTracing, WithCars,
};
use radiodiff_radio::scene::LinkEnds;

/// Computes the maps of one variant.
#[derive(Clone, Copy, Debug)]
pub struct Simulator {
    variant: Variant,
}

impl Simulator {
    pub fn new(variant: Variant) -> Self {
        Self { variant }
    }

    /// The same model for streets without cars.
    pub fn without_cars(self) -> Self {
        match self.variant {
            Variant::CarsDpm => Self { variant: Variant::Dpm },
            Variant::CarsIrt2 => Self { variant: Variant::Irt2 },
            Variant::CarsIrt4 => Self { variant: Variant::Irt4 },
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
            Variant::Dpm => &DominantPath::default(),
            Variant::Irt2 => &IntelligentRayTracing::irt2(),
            Variant::Irt4 => &IntelligentRayTracing::irt4(),
            Variant::CarsDpm => &WithCars(DominantPath::default()),
            Variant::CarsIrt2 => &WithCars(IntelligentRayTracing::irt2()),
            Variant::CarsIrt4 => &WithCars(IntelligentRayTracing::irt4()),
            Variant::Rays1 => &rays(1),
            Variant::Rays2 => &rays(2),
            Variant::Rays3 => &rays(3),
            Variant::Rays4 => &rays(4),
        };
        model.path_gain(scene, &LinkEnds::at(position))
    }
}

/// The layout's gray levels of a path gain map, (N, N) row-major.
pub fn gray_levels(path_gain: &RadioMap) -> Vec<u8> {
    GrayCodec::default().encode_map(path_gain).iter().map(|&gray| (gray * 255.0).round() as u8).collect()
}

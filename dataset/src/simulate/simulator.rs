//! The propagation models that fill RadioMapSeer's folders.

use crate::folder::Variant;
use geo::Coord;
use radiodiff_radio::geometry::PreparedScene;
use radiodiff_radio::map::{GrayCodec, RadioMap};
use radiodiff_radio::propagation::{
    DominantPath, IntelligentRayTracing, PropagationError, PropagationModel, RayOptions, RayTracing, RoofsOfRays, WithCars,
};
use radiodiff_radio::scene::{ANTENNA_HEIGHT_M, BUILDING_HEIGHT_M, LinkEnds};

/// Computes the maps of one variant.
#[derive(Clone, Copy, Debug)]
pub struct Simulator {
    variant: Variant,
    /// Of the transmitters above the ground, where it is not RadioMapSeer's 1.5 m.
    height_m: Option<f64>,
}

impl Simulator {
    pub fn new(variant: Variant) -> Self {
        Self { variant, height_m: None }
    }

    /// With transmitters at another height above the ground than 1.5 m.
    pub fn at_height(self, height_m: f64) -> Self {
        Self { height_m: Some(height_m), ..self }
    }

    /// The same model for streets without cars.
    pub fn without_cars(self) -> Self {
        match self.variant {
            Variant::CarsDpm => Self { variant: Variant::Dpm, ..self },
            Variant::CarsIrt2 => Self { variant: Variant::Irt2, ..self },
            Variant::CarsIrt4 => Self { variant: Variant::Irt4, ..self },
            _ => self,
        }
    }

    /// The warning that heights are not used, of a method that does not use them: of roofs that are not all at 25 m, of antennas that are
    /// not at 1.5 m. Only of such a method are the two asked for, which may read a whole folder.
    pub fn unused_heights(self, roofs: impl FnOnce() -> bool, antennas: impl FnOnce() -> bool) -> Option<String> {
        let antennas_use = match self.variant {
            Variant::Irt2 | Variant::CarsIrt2 => format!("ignores the heights of antennas (all count as {ANTENNA_HEIGHT_M} m)"),
            Variant::Irt4 | Variant::CarsIrt4 => String::from("uses antenna heights only on paths over roofs"),
            _ => return None,
        };
        let roofs_use = format!("ignores the heights of roofs (all count as {BUILDING_HEIGHT_M} m)");
        let told: Vec<String> = roofs().then_some(roofs_use).into_iter().chain(antennas().then_some(antennas_use)).collect();
        (!told.is_empty()).then(|| format!("{} {}", self.variant.name(), told.join(". It ")))
    }

    /// Path gain of a transmitter at an outdoor position in metres, in dB. A variant with cars has those of the scene, one without
    /// ignores them.
    ///
    /// # Errors
    /// A position that is neither outdoors nor below the antenna on a roof; a height that no antenna has, and for IRT one above the roofs.
    pub fn path_gain(self, scene: &PreparedScene, position: Coord<f64>) -> Result<RadioMap, PropagationError> {
        let roofs = if self.height_m.is_none() && has_radiomapseers_roofs(scene) { RoofsOfRays::Endless } else { RoofsOfRays::Scene };
        let rays = |interactions| RayTracing { options: RayOptions { interactions, roofs, ..RayOptions::default() } };
        let model: &dyn PropagationModel = match self.variant {
            Variant::Dpm => &DominantPath::of_maps(),
            Variant::Irt2 => &IntelligentRayTracing::irt2(),
            Variant::Irt4 => &IntelligentRayTracing::irt4(),
            Variant::CarsDpm => &WithCars(DominantPath::of_maps()),
            Variant::CarsIrt2 => &WithCars(IntelligentRayTracing::irt2()),
            Variant::CarsIrt4 => &WithCars(IntelligentRayTracing::irt4()),
            Variant::Rays1 => &rays(1),
            Variant::Rays2 => &rays(2),
            Variant::Rays3 => &rays(3),
            Variant::Rays4 => &rays(4),
        };
        let standard = LinkEnds::at(position);
        model.path_gain(scene, &LinkEnds { height_m: self.height_m.unwrap_or(standard.height_m), ..standard })
    }
}

/// Whether every roof is as high as RadioMapSeer's, out of reach for rays at 1.5 m.
fn has_radiomapseers_roofs(scene: &PreparedScene) -> bool {
    let roofs = scene.roofs();
    roofs.highest_m() == 0.0 || (roofs.lowest_m() == BUILDING_HEIGHT_M && roofs.highest_m() == BUILDING_HEIGHT_M)
}

/// The layout's gray levels of a path gain map, (N, N) row-major.
pub fn gray_levels(path_gain: &RadioMap) -> Vec<u8> {
    GrayCodec::default().encode_map(path_gain).iter().map(|&gray| (gray * 255.0).round() as u8).collect()
}

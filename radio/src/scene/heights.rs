//! Heights above the ground: of antennas, and of roofs.
//!
//! The ground is flat; terrain is not modelled. In flow what a file says of a building's height, or a raster of heights; out flow a
//! height for every built pixel ([`RoofHeights`]) and for both ends of a map's links ([`LinkEnds`]). What nobody says has
//! RadioMapSeer's value: antennas at 1.5 m, roofs at 25 m.

use super::rasterize::paint;
use super::{Building, BuildingMask, Grid, Scene, Transmitter};
use geo::Coord;
use thiserror::Error;

/// Height of a transmitter or receiver that nothing is said of, metres.
pub const ANTENNA_HEIGHT_M: f64 = 1.5;
/// The lowest and the highest antenna, metres.
pub const LEAST_ANTENNA_HEIGHT_M: f64 = 0.5;
pub const MOST_ANTENNA_HEIGHT_M: f64 = 200.0;
/// Height of a building that nothing is said of, metres.
pub const BUILDING_HEIGHT_M: f64 = 25.0;
/// The lowest and the highest building; what a file says beyond them is a typing error.
pub const LEAST_BUILDING_HEIGHT_M: f64 = 0.5;
pub const MOST_BUILDING_HEIGHT_M: f64 = 1000.0;
/// Height of a storey, metres.
pub const LEVEL_HEIGHT_M: f64 = 3.0;

/// A height that no antenna or building has.
#[derive(Debug, Error, Clone, Copy, PartialEq)]
#[error("the height of the {what} is {found_m} m above the ground, expected {least_m} to {most_m} m")]
pub struct HeightError {
    pub what: &'static str,
    pub found_m: f64,
    pub least_m: f64,
    pub most_m: f64,
}

/// Checks the height of an antenna, `what` in words.
///
/// # Errors
/// A height outside 0.5 to 200 m, or none.
pub fn check_antenna_height(what: &'static str, height_m: f64) -> Result<f64, HeightError> {
    check(what, height_m, LEAST_ANTENNA_HEIGHT_M, MOST_ANTENNA_HEIGHT_M)
}

/// Checks the height that buildings without one are given.
///
/// # Errors
/// A height outside 0.5 to 1000 m, or none.
pub fn check_building_height(height_m: f64) -> Result<f64, HeightError> {
    check("buildings", height_m, LEAST_BUILDING_HEIGHT_M, MOST_BUILDING_HEIGHT_M)
}

fn check(what: &'static str, found_m: f64, least_m: f64, most_m: f64) -> Result<f64, HeightError> {
    if (least_m..=most_m).contains(&found_m) { Ok(found_m) } else { Err(HeightError { what, found_m, least_m, most_m }) }
}

/// The ends of a map's links: one transmitter, and a receiver over every pixel.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LinkEnds {
    /// The transmitter, metres from the map's south-west corner.
    pub position: Coord<f64>,
    /// Of the transmitter above the ground, [`LEAST_ANTENNA_HEIGHT_M`] to [`MOST_ANTENNA_HEIGHT_M`].
    pub height_m: f64,
    /// Of all receivers above the ground, in the same range.
    pub receiver_height_m: f64,
}

impl LinkEnds {
    /// Both ends at [`ANTENNA_HEIGHT_M`].
    pub fn at(position: Coord<f64>) -> Self {
        Self { position, height_m: ANTENNA_HEIGHT_M, receiver_height_m: ANTENNA_HEIGHT_M }
    }

    /// # Errors
    /// A height that no antenna has.
    pub fn check(&self) -> Result<(), HeightError> {
        check_antenna_height("transmitter", self.height_m)?;
        check_antenna_height("receivers", self.receiver_height_m).map(|_| ())
    }
}

impl Transmitter {
    /// The links from this transmitter to receivers at a height above the ground.
    pub fn links(&self, receiver_height_m: f64) -> LinkEnds {
        LinkEnds { position: self.position, height_m: self.height_m, receiver_height_m }
    }
}

impl Building {
    /// Height in metres by the source's word: its height, else its storeys times [`LEVEL_HEIGHT_M`].
    pub fn stated_height_m(&self) -> Option<f64> {
        self.height_m.or_else(|| self.levels.map(|levels| levels * LEVEL_HEIGHT_M))
    }
}

/// The height of the roof over every built pixel, and which of them the source states.
#[derive(Clone, Debug, PartialEq)]
pub struct RoofHeights {
    /// Metres above the ground, row-major; 0 outdoors.
    meters: Vec<f32>,
    /// The highest that the source states there, else 0.
    stated_m: Vec<f32>,
}

impl RoofHeights {
    /// One height for everything built, which nobody states.
    pub fn level(mask: &BuildingMask, height_m: f64) -> Self {
        Self::of_raster(mask, &vec![0.0; mask.pixels.len()], height_m)
    }

    /// Of footprints; where several overlap, the highest counts. Buildings without a height have `default_m`.
    pub fn of_buildings(grid: Grid, buildings: &[Building], default_m: f64) -> Self {
        let (mut meters, mut stated_m) = (vec![0.0_f32; grid.pixels()], vec![0.0; grid.pixels()]);
        for building in buildings {
            let stated = building.stated_height_m();
            let height_m = stated.unwrap_or(default_m) as f32;
            let raise = |known: &mut [f32]| known.iter_mut().for_each(|known| *known = known.max(height_m));
            paint(grid, &building.footprint, |pixels| {
                raise(&mut meters[pixels.clone()]);
                if stated.is_some() {
                    raise(&mut stated_m[pixels]);
                }
            });
        }
        Self { meters, stated_m }
    }

    /// Of a raster of metres, row-major; pixels that are built and have no height there (0) get `default_m`.
    pub fn of_raster(mask: &BuildingMask, raster_m: &[f32], default_m: f64) -> Self {
        let stated = |(&inside, &height_m): (&u8, &f32)| if inside != 0 && height_m > 0.0 { height_m } else { 0.0 };
        let stated_m = mask.pixels.iter().zip(raster_m).map(stated).collect();
        let unknown = Self { meters: mask.pixels.iter().map(|&inside| f32::from(inside != 0)).collect(), stated_m };
        unknown.with_others_at(default_m)
    }

    /// Whether all that the source does not state is at `default_m`, and all else as stated.
    pub fn has_others_at(&self, default_m: f64) -> bool {
        let is_so = |(&meters, &stated_m): (&f32, &f32)| meters == if stated_m > 0.0 { stated_m } else { default_m as f32 };
        self.meters.iter().zip(&self.stated_m).filter(|(meters, _)| **meters > 0.0).all(is_so)
    }

    /// These heights with all that the source does not state at `default_m`.
    pub fn with_others_at(&self, default_m: f64) -> Self {
        let roof = |(&meters, &stated_m): (&f32, &f32)| match (meters > 0.0, stated_m > 0.0) {
            (false, _) => 0.0,
            (true, true) => stated_m,
            (true, false) => default_m as f32,
        };
        Self { meters: self.meters.iter().zip(&self.stated_m).map(roof).collect(), stated_m: self.stated_m.clone() }
    }

    /// Height of the roof over a pixel by its row-major index, metres; 0 outdoors.
    pub fn at(&self, pixel: usize) -> f64 {
        f64::from(self.meters[pixel])
    }

    /// All heights in metres, row-major.
    pub fn meters(&self) -> &[f32] {
        &self.meters
    }

    /// The heights that the source states in metres, row-major; 0 where it states none, and outdoors.
    pub fn stated_meters(&self) -> &[f32] {
        &self.stated_m
    }

    /// The heights after `turn` moved every pixel of the first image into the second.
    pub fn turned(&self, turn: impl Fn(&[f32], &mut [f32])) -> Self {
        let turned = |image: &[f32]| {
            let mut out = vec![0.0; image.len()];
            turn(image, &mut out);
            out
        };
        Self { meters: turned(&self.meters), stated_m: turned(&self.stated_m) }
    }

    /// The lowest roof, infinite where nothing is built.
    pub fn lowest_m(&self) -> f64 {
        f64::from(self.meters.iter().copied().filter(|&height_m| height_m > 0.0).fold(f32::INFINITY, f32::min))
    }

    /// The highest roof, 0 where nothing is built.
    pub fn highest_m(&self) -> f64 {
        f64::from(self.meters.iter().copied().fold(0.0, f32::max))
    }
}

impl Scene {
    /// The scene with other roofs, of the same grid.
    ///
    /// # Panics
    /// When there is not one height a pixel.
    pub fn with_roofs(mut self, roofs: RoofHeights) -> Self {
        assert_eq!(roofs.meters.len(), self.grid.pixels(), "one height a pixel");
        self.roofs = roofs;
        self
    }

    /// The scene with all buildings of one height, whatever their source says.
    pub fn with_level_roofs(self, height_m: f64) -> Self {
        let mut level = self;
        for building in &mut level.buildings {
            (building.height_m, building.levels) = (Some(height_m), None);
        }
        let roofs = RoofHeights::level(&level.mask, height_m);
        level.with_roofs(roofs)
    }
}

//! Heights above the ground: of antennas, and of roofs.
//!
//! The ground is flat; terrain is not modelled. In flow what a file says of a building's height, or a raster of heights; out flow a
//! height for every built pixel ([`RoofHeights`]) and for both ends of a map's links ([`LinkEnds`]). What nobody says has
//! RadioMapSeer's value: antennas at 1.5 m, roofs at 25 m.

use super::rasterize::paint;
use super::{Building, BuildingMask, Grid, Scene, Transmitter};
use geo::Coord;
use std::collections::BTreeMap;
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

/// The height of the roof over every built pixel, and what the source states of it.
#[derive(Clone, Debug, PartialEq)]
pub struct RoofHeights {
    /// Metres above the ground, row-major; 0 outdoors.
    meters: Vec<f32>,
    /// 1 where a building stands whose height the source does not state, beside others or alone.
    unstated: Vec<u8>,
    /// Of such pixels those where another building's height is stated: the highest, metres.
    stated_beside: BTreeMap<usize, f32>,
}

impl RoofHeights {
    /// One height for everything built, which nobody states.
    pub fn level(mask: &BuildingMask, height_m: f64) -> Self {
        Self::of_raster(mask, &vec![0.0; mask.pixels.len()], height_m)
    }

    /// Of footprints; where several overlap, the highest counts. Buildings without a height have `default_m`.
    pub fn of_buildings(grid: Grid, buildings: &[Building], default_m: f64) -> Self {
        let (mut stated_m, mut unstated) = (vec![0.0_f32; grid.pixels()], vec![0; grid.pixels()]);
        for building in buildings {
            paint(grid, &building.footprint, |pixels| match building.stated_height_m() {
                Some(height_m) => stated_m[pixels].iter_mut().for_each(|known| *known = known.max(height_m as f32)),
                None => unstated[pixels].fill(1),
            });
        }
        let is_both = |&pixel: &usize| unstated[pixel] != 0 && stated_m[pixel] > 0.0;
        let stated_beside = (0..grid.pixels()).filter(is_both).map(|pixel| (pixel, stated_m[pixel])).collect();
        Self { meters: stated_m, unstated, stated_beside }.with_unstated_at(default_m)
    }

    /// Of a raster of metres, row-major; pixels that are built and have no height there (0) get `default_m`.
    pub fn of_raster(mask: &BuildingMask, raster_m: &[f32], default_m: f64) -> Self {
        let stated = |(&inside, &height_m): (&u8, &f32)| if inside != 0 && height_m > 0.0 { height_m } else { 0.0 };
        let meters: Vec<f32> = mask.pixels.iter().zip(raster_m).map(stated).collect();
        let is_unstated = |(&inside, &stated_m): (&u8, &f32)| u8::from(inside != 0 && stated_m == 0.0);
        let unstated = mask.pixels.iter().zip(&meters).map(is_unstated).collect();
        Self { meters, unstated, stated_beside: BTreeMap::new() }.with_unstated_at(default_m)
    }

    /// These heights where every building without a stated height has `default_m`.
    pub fn with_unstated_at(mut self, default_m: f64) -> Self {
        for (meters, _) in self.meters.iter_mut().zip(&self.unstated).filter(|(_, unstated)| **unstated != 0) {
            *meters = default_m as f32;
        }
        for (&pixel, &stated_m) in &self.stated_beside {
            self.meters[pixel] = stated_m.max(default_m as f32);
        }
        self
    }

    /// Height of the roof over a pixel by its row-major index, metres; 0 outdoors.
    pub fn at(&self, pixel: usize) -> f64 {
        f64::from(self.meters[pixel])
    }

    /// All heights in metres, row-major.
    pub fn meters(&self) -> &[f32] {
        &self.meters
    }

    /// The highest that the source states in metres, row-major; 0 where it states nothing, and outdoors.
    pub fn stated_meters(&self) -> Vec<f32> {
        let stated = |pixel: usize| match self.unstated[pixel] {
            0 => self.meters[pixel],
            _ => self.stated_beside.get(&pixel).copied().unwrap_or(0.0),
        };
        (0..self.meters.len()).map(stated).collect()
    }

    /// Whether a building covers a pixel whose height the source does not state.
    pub fn is_unstated(&self, pixel: usize) -> bool {
        self.unstated[pixel] != 0
    }

    /// The heights where the pixel i is the one that `from[i]` was.
    pub fn turned(&self, from: &[usize]) -> Self {
        let beside = |(pixel, from): (usize, &usize)| Some((pixel, *self.stated_beside.get(from)?));
        Self {
            meters: from.iter().map(|&pixel| self.meters[pixel]).collect(),
            unstated: from.iter().map(|&pixel| self.unstated[pixel]).collect(),
            stated_beside: from.iter().enumerate().filter_map(beside).collect(),
        }
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

    /// The scene with all buildings of one height, which is then what its source states.
    pub fn with_level_roofs(self, height_m: f64) -> Self {
        let mut level = self;
        for building in &mut level.buildings {
            (building.height_m, building.levels) = (Some(height_m), None);
        }
        let raster_m = vec![height_m as f32; level.mask.pixels.len()];
        let roofs = RoofHeights::of_raster(&level.mask, &raster_m, height_m);
        level.with_roofs(roofs)
    }
}

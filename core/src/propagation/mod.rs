//! Physical radio maps: what a transmitter gives where, by laws measured on WinProp's maps.
//!
//! A scene is prepared once ([`PreparedScene::new`]: corners and what each of them sees); then a transmitter is moved cheaply.
//! Out come line of sight, the dominant path's gain, the log-distance baseline and the channels a network is given.

mod antenna;
mod cars;
mod corners;
mod detour;
mod dominant_path;
mod features;
mod frequency;
mod law;
mod rays;
mod received_power;
mod visibility;
mod wall_distance;

pub use antenna::{AntennaPattern, AntennaRequest, AntennaRequestError, Direction, PatternTable, PatternTableError, Sector};
pub use cars::{Cars, CarsFrom};
pub use features::ConditionChannel;
pub use frequency::{FrequencyError, FrequencyScaling, LAW_FREQUENCY_MHZ};
pub use law::{DominantPathLaw, LineOfSightLaw, LogDistanceLaw};
pub use rays::{MAX_INTERACTIONS, Material, Polarisation, RayOptions, Sum};
pub use received_power::received_power;

use crate::map::{Quantity, RadioMap};
use crate::scene::{BuildingMask, Grid, Scene};
use corners::Corner;
use geo::{Coord, Polygon};
use std::sync::OnceLock;
use thiserror::Error;
use visibility::Visible;

/// Why nothing can be computed for a position.
#[derive(Debug, Error, Clone, Copy, PartialEq)]
pub enum PropagationError {
    #[error("the transmitter at ({x} m, {y} m) is not on the map, which spans 0 to {extent_m} m east and north")]
    Outside { x: f64, y: f64, extent_m: f64 },
    #[error("the transmitter at ({x} m, {y} m) is inside a building; place it outdoors first")]
    Indoors { x: f64, y: f64 },
    #[error("rays cannot be traced: {reason}")]
    RayOptions { reason: &'static str },
}

/// A scene with its corners and what each of them sees; these are found by the first map that needs them, since a network's
/// condition does not.
pub struct PreparedScene {
    grid: Grid,
    mask: BuildingMask,
    cars: Cars,
    paths: OnceLock<Paths>,
    /// For ray tracing; empty where the scene has only a raster.
    footprints: Vec<Polygon<f64>>,
    walls: OnceLock<rays::Walls>,
}

/// Where paths can turn.
struct Paths {
    corners: Vec<Corner>,
    /// Per corner, the pixels in its sight.
    sights: Vec<Visible>,
}

impl PreparedScene {
    pub fn new(scene: &Scene) -> Self {
        let footprints = scene.buildings.iter().map(|building| building.footprint.clone()).collect();
        Self {
            grid: scene.grid,
            mask: scene.mask.clone(),
            cars: Cars::new(&scene.cars),
            paths: OnceLock::new(),
            footprints,
            walls: OnceLock::new(),
        }
    }

    fn paths(&self) -> &Paths {
        self.paths.get_or_init(|| {
            let corners = corners::find(&self.mask);
            let sights = corners.iter().map(|corner| visibility::sweep(&self.mask, corner.pixel)).collect();
            Paths { corners, sights }
        })
    }

    pub fn grid(&self) -> Grid {
        self.grid
    }

    pub fn mask(&self) -> &BuildingMask {
        &self.mask
    }

    /// The outdoor pixel of a position.
    fn outdoor_pixel(&self, position: Coord<f64>) -> Result<(usize, usize), PropagationError> {
        let Coord { x, y } = position;
        let (row, column) = self.grid.pixel_of(position).ok_or(PropagationError::Outside { x, y, extent_m: self.grid.extent_m() })?;
        if self.mask.is_building(row, column) { Err(PropagationError::Indoors { x, y }) } else { Ok((row, column)) }
    }

    /// Row-major, 1 where the straight line from the transmitter's pixel to the pixel's centre crosses no building.
    pub fn line_of_sight(&self, position: Coord<f64>) -> Result<Vec<u8>, PropagationError> {
        let pixel = self.outdoor_pixel(position)?;
        Ok(visibility::exact(&self.mask, pixel))
    }

    /// The line-of-sight law in sight and a fitted log-distance law out of it: what a network has to beat.
    pub fn baseline(&self, position: Coord<f64>, law: &LogDistanceLaw) -> Result<RadioMap, PropagationError> {
        let sight = self.line_of_sight(position)?;
        let in_sight = LineOfSightLaw::default();
        Ok(self.outdoor_map(|i, center| {
            let distance_m = (center.x - position.x).hypot(center.y - position.y);
            if sight[i] != 0 { in_sight.gain_db(distance_m) } else { law.gain_db(distance_m) }
        }))
    }

    /// A map whose outdoor pixels are `gain_db(index, centre)`.
    fn outdoor_map(&self, gain_db: impl Fn(usize, Coord<f64>) -> f64) -> RadioMap {
        let size = self.grid.size;
        let value = |i: usize| {
            if self.mask.pixels[i] != 0 { f32::NAN } else { gain_db(i, self.grid.pixel_center(i / size, i % size)) as f32 }
        };
        RadioMap { grid: self.grid, quantity: Quantity::PathGainDb, values: (0..size * size).map(value).collect() }
    }
}

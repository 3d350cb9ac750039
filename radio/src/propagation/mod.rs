//! Physical radio maps: what a transmitter gives where, by laws measured on WinProp's maps.
//!
//! A scene is prepared once ([`PreparedScene::new`]: corners and what each of them sees); then a transmitter is moved cheaply.
//! Out come line of sight, the dominant path's gain, the log-distance baseline and the channels a network is given.

mod antenna;
mod cars;
mod dominant_path;
mod frequency;
mod law;
mod queue;
mod rays;
mod received_power;
mod roofs;

pub use antenna::{AntennaPattern, AntennaRequest, AntennaRequestError, Direction, PatternTable, PatternTableError, Sector};
pub use cars::{Cars, CarsFrom};
pub use frequency::{FrequencyError, FrequencyScaling, LAW_FREQUENCY_MHZ};
pub use law::{DominantPathLaw, LineOfSightLaw, LogDistanceLaw};
pub use rays::{MAX_INTERACTIONS, Material, Polarisation, RayOptions, Sum};
pub use received_power::received_power;

use crate::geometry::visibility::{self, Visible};
use crate::geometry::walls::Walls;
use crate::map::{Quantity, RadioMap};
use crate::scene::{BuildingMask, Grid, Scene};
use geo::Coord;
use std::sync::OnceLock;
use thiserror::Error;

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

/// A scene with its walls and what their corners see; these are found by the first map that needs them, since a network's
/// condition does not.
pub struct PreparedScene {
    pub(crate) scene: Scene,
    pub(crate) cars: Cars,
    paths: OnceLock<Paths>,
    ray_walls: OnceLock<rays::Walls>,
}

/// Where paths can turn.
struct Paths {
    walls: Walls,
    /// Per corner, the pixels in its sight.
    sights: Vec<OnceLock<Visible>>,
    /// Per pixel, the corners it is beside.
    corners_beside: Lists,
}

impl PreparedScene {
    pub fn new(scene: &Scene) -> Self {
        Self { scene: scene.clone(), cars: Cars::new(&scene.cars), paths: OnceLock::new(), ray_walls: OnceLock::new() }
    }

    /// Finds now what every corner sees, which otherwise happens as maps ask for it.
    pub fn prepare(&self) {
        for corner in 0..self.paths().walls.corners.len() {
            self.sight(corner);
        }
    }

    fn paths(&self) -> &Paths {
        self.paths.get_or_init(|| {
            let walls = Walls::of(&self.scene);
            let beside = walls.corners.iter().enumerate().flat_map(|(i, corner)| corner.beside.iter().map(move |&pixel| (pixel, i as u32)));
            let corners_beside = Lists::new(self.scene.grid.pixels(), beside);
            Paths { sights: walls.corners.iter().map(|_| OnceLock::new()).collect(), corners_beside, walls }
        })
    }

    /// The pixels in a corner's sight.
    fn sight(&self, corner: usize) -> &Visible {
        let Paths { walls, sights, .. } = self.paths();
        sights[corner].get_or_init(|| visibility::shadows(walls, walls.corners[corner].position))
    }

    pub fn grid(&self) -> Grid {
        self.scene.grid
    }

    pub fn mask(&self) -> &BuildingMask {
        &self.scene.mask
    }

    /// The outdoor pixel of a position.
    pub(crate) fn outdoor_pixel(&self, position: Coord<f64>) -> Result<(usize, usize), PropagationError> {
        let Coord { x, y } = position;
        let (row, column) =
            self.scene.grid.pixel_of(position).ok_or(PropagationError::Outside { x, y, extent_m: self.scene.grid.extent_m() })?;
        if self.scene.mask.is_building(row, column) { Err(PropagationError::Indoors { x, y }) } else { Ok((row, column)) }
    }

    /// Row-major, 1 where the straight line from the transmitter's pixel to the pixel's centre crosses no building.
    pub fn line_of_sight(&self, position: Coord<f64>) -> Result<Vec<u8>, PropagationError> {
        let pixel = self.outdoor_pixel(position)?;
        Ok(visibility::exact(&self.scene.mask, pixel))
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
        let size = self.scene.grid.size;
        let value = |i: usize| {
            if self.scene.mask.pixels[i] != 0 { f32::NAN } else { gain_db(i, self.scene.grid.pixel_center(i / size, i % size)) as f32 }
        };
        RadioMap { grid: self.scene.grid, quantity: Quantity::PathGainDb, values: (0..size * size).map(value).collect() }
    }
}

/// Lists of numbers, one a key, in one piece of memory.
struct Lists {
    starts: Vec<u32>,
    items: Vec<u32>,
}

impl Lists {
    /// Items come out in the order they went in.
    fn new(keys: usize, pairs: impl Iterator<Item = (u32, u32)> + Clone) -> Self {
        let mut starts = vec![0; keys + 1];
        for (key, _) in pairs.clone() {
            starts[key as usize + 1] += 1;
        }
        for key in 0..keys {
            starts[key + 1] += starts[key];
        }
        let mut next = starts.clone();
        let mut items = vec![0; starts[keys] as usize];
        for (key, item) in pairs {
            items[next[key as usize] as usize] = item;
            next[key as usize] += 1;
        }
        Self { starts, items }
    }

    fn of(&self, key: usize) -> &[u32] {
        &self.items[self.starts[key] as usize..self.starts[key + 1] as usize]
    }
}

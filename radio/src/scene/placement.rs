//! Placing a transmitter in a scene.
//!
//! A position off the map is an error. A position inside a building is moved to the nearest outdoor pixel, and the result says by how far.

use super::{Scene, Transmitter};
use geo::Coord;
use thiserror::Error;

/// A transmitter on an outdoor pixel.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Placement {
    pub transmitter: Transmitter,
    /// Distance in metres from the position that was asked for; `None` when the transmitter stands there.
    pub moved_m: Option<f64>,
}

/// Why a transmitter cannot be placed.
#[derive(Debug, Error, Clone, Copy, PartialEq)]
pub enum PlacementError {
    #[error("the transmitter's position ({x}, {y}) is not a number")]
    NotFinite { x: f64, y: f64 },
    #[error("the transmitter at ({x:.1} m, {y:.1} m) is outside the map, which spans 0 to {extent_m} m east and north")]
    Outside { x: f64, y: f64, extent_m: f64 },
    #[error("the whole map is covered by buildings: there is no place for a transmitter")]
    NoOutdoorPixel,
}

impl Scene {
    /// Places a transmitter. Inside a building, it goes to the centre of the nearest outdoor pixel.
    ///
    /// # Errors
    /// A position that is off the map or no number, and a map without an outdoor pixel.
    pub fn place_transmitter(&self, transmitter: Transmitter) -> Result<Placement, PlacementError> {
        let Coord { x, y } = transmitter.position;
        if !(x.is_finite() && y.is_finite()) {
            return Err(PlacementError::NotFinite { x, y });
        }
        let (row, column) =
            self.grid.pixel_of(transmitter.position).ok_or(PlacementError::Outside { x, y, extent_m: self.grid.extent_m() })?;
        if !self.mask.is_building(row, column) {
            return Ok(Placement { transmitter, moved_m: None });
        }
        let mut nearest: Option<(f64, Coord<f64>)> = None;
        for row in 0..self.grid.size {
            for column in 0..self.grid.size {
                if self.mask.is_building(row, column) {
                    continue;
                }
                let center = self.grid.pixel_center(row, column);
                let distance = (center.x - x).hypot(center.y - y);
                if nearest.is_none_or(|(best, _)| distance < best) {
                    nearest = Some((distance, center));
                }
            }
        }
        let (distance, position) = nearest.ok_or(PlacementError::NoOutdoorPixel)?;
        Ok(Placement { transmitter: Transmitter { position, ..transmitter }, moved_m: Some(distance) })
    }
}

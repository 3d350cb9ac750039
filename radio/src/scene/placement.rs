//! Placing a transmitter in a scene.
//!
//! A position off the map is an error. An antenna above the roof of its building stands on it. One inside a building is moved to the
//! nearest outdoor pixel, and the result says by how far and how high the roof is.

use super::{Scene, Transmitter};
use geo::Coord;
use thiserror::Error;

/// A transmitter outdoors or above a roof.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Placement {
    pub transmitter: Transmitter,
    /// Distance in metres from the position that was asked for; `None` when the transmitter stands there.
    pub moved_m: Option<f64>,
    /// Height of the roof that the position asked for is under or over, metres; 0 outdoors.
    pub roof_m: f64,
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
    /// Places a transmitter. Inside a building it stays where it is higher than the roof; below the roof, it goes to the centre of the
    /// nearest outdoor pixel, at its height.
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
        let roof_m = self.roofs.at(row * self.grid.size + column);
        if transmitter.height_m > roof_m {
            return Ok(Placement { transmitter, moved_m: None, roof_m });
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
        Ok(Placement { transmitter: Transmitter { position, ..transmitter }, moved_m: Some(distance), roof_m })
    }
}

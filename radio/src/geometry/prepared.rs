//! A scene with everything that propagation models and network features read of it.
//!
//! In flows a scene; out flow its mask, cars, walls, corners and the pixels in each corner's sight. Walls and sights are found when
//! first asked for and kept, because a network's condition needs neither and a moved transmitter needs the same ones again.

use super::cars::CarOutlines;
use super::csr::Csr;
use super::footprints::exact_outlines;
use super::inset::InsetWalls;
use super::outline::outlines;
use super::pixel_line_of_sight::pixel_line_of_sight;
use super::pixel_set::PixelSet;
use super::visibility::visible_from;
use super::walls::Walls;
use crate::scene::{BuildingMask, Grid, Scene};
use geo::Coord;
use std::sync::OnceLock;
use thiserror::Error;

/// Why a transmitter cannot stand at a position.
#[derive(Debug, Error, Clone, Copy, PartialEq)]
pub enum PositionError {
    #[error("the transmitter at ({x} m, {y} m) is not on the map, which spans 0 to {extent_m} m east and north")]
    Outside { x: f64, y: f64, extent_m: f64 },
    #[error("the transmitter at ({x} m, {y} m) is inside a building; place it outdoors first")]
    Indoors { x: f64, y: f64 },
}

/// A scene made ready for maps of many transmitters. The scene's cars are part of it.
pub struct PreparedScene {
    scene: Scene,
    cars: CarOutlines,
    walls: OnceLock<Walls>,
    turning_points: OnceLock<TurningPoints>,
}

/// The corners that the dominant path turns at, with what each of them sees.
pub struct TurningPoints {
    pub walls: InsetWalls,
    /// Per pixel, the corners it is beside: indices of `walls.corners`.
    pub beside: Csr,
    sights: Vec<OnceLock<PixelSet>>,
}

impl PreparedScene {
    /// Takes a copy of the scene, its cars included. Nothing is computed yet.
    pub fn new(scene: &Scene) -> Self {
        Self { scene: scene.clone(), cars: CarOutlines::new(&scene.cars), walls: OnceLock::new(), turning_points: OnceLock::new() }
    }

    /// Finds now what every corner sees, which otherwise happens as maps ask for it.
    pub fn prepare(&self) {
        let turning_points = self.turning_points();
        for corner in 0..turning_points.walls.corners.len() {
            turning_points.sight(corner);
        }
    }

    pub fn grid(&self) -> Grid {
        self.scene.grid
    }

    pub fn mask(&self) -> &BuildingMask {
        &self.scene.mask
    }

    pub fn cars(&self) -> &CarOutlines {
        &self.cars
    }

    /// Walls and corners in metres, from the footprints where there are any.
    pub fn walls(&self) -> &Walls {
        self.walls.get_or_init(|| Walls::new(&exact_outlines(&self.scene)))
    }

    /// Walls and corners in pixels, from the mask.
    pub fn turning_points(&self) -> &TurningPoints {
        self.turning_points.get_or_init(|| {
            let Scene { grid, buildings, mask, .. } = &self.scene;
            let walls = InsetWalls::new(&Walls::new(&outlines(mask, *grid, buildings)), mask, *grid);
            let beside = walls.corners.iter().enumerate().flat_map(|(i, corner)| corner.beside.iter().map(move |&pixel| (pixel, i as u32)));
            let beside = Csr::new(grid.pixels(), beside);
            TurningPoints { beside, sights: walls.corners.iter().map(|_| OnceLock::new()).collect(), walls }
        })
    }

    /// The pixel (row, column) of a transmitter.
    ///
    /// # Errors
    /// A position off the map or inside a building.
    pub fn outdoor_pixel(&self, position: Coord<f64>) -> Result<(usize, usize), PositionError> {
        let (Coord { x, y }, grid) = (position, self.scene.grid);
        let (row, column) = grid.pixel_of(position).ok_or(PositionError::Outside { x, y, extent_m: grid.extent_m() })?;
        if self.scene.mask.is_building(row, column) { Err(PositionError::Indoors { x, y }) } else { Ok((row, column)) }
    }

    /// Row-major (N, N): 1 where the straight line from the transmitter's pixel to the pixel meets no building, by
    /// [`pixel_line_of_sight`].
    ///
    /// # Errors
    /// A position off the map or inside a building.
    pub fn line_of_sight(&self, position: Coord<f64>) -> Result<Vec<u8>, PositionError> {
        Ok(pixel_line_of_sight(&self.scene.mask, self.outdoor_pixel(position)?))
    }
}

impl TurningPoints {
    /// The outdoor pixels in a corner's sight.
    pub fn sight(&self, corner: usize) -> &PixelSet {
        self.sights[corner].get_or_init(|| visible_from(&self.walls, self.walls.corners[corner].position))
    }
}

//! A scene with everything that propagation models and network features read of it.
//!
//! In flows a scene; out flow its mask, cars, walls and corners. Walls, corners and what else belongs to the buildings alone are found when
//! first asked for and kept: not every map needs them, and a moved transmitter needs the same ones again.

use super::cars::CarOutlines;
use super::footprints::{exact_outlines, outlines_above};
use super::highest_near::HighestNear;
use super::inset::InsetWalls;
use super::on_walls::OnWalls;
use super::pixel_line_of_sight::pixel_line_of_sight;
use super::pixel_set::PixelSet;
use super::prism_sight::{PrismWall, prism_walls, visible_over};
use super::prisms::Prisms;
use super::visibility::visible_from;
use super::wall_distance::{steps_to_building, wall_distance};
use super::walls::Walls;
use crate::scene::{BUILDING_HEIGHT_M, BuildingMask, Grid, LinkEnds, RoofHeights, Scene, pixels_on_walls};
use geo::Coord;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use thiserror::Error;

/// Why a transmitter cannot stand at a position.
#[derive(Debug, Error, Clone, Copy, PartialEq)]
pub enum PositionError {
    #[error("the transmitter at ({x} m, {y} m) is not on the map, which spans 0 to {extent_m} m east and north")]
    Outside { x: f64, y: f64, extent_m: f64 },
    #[error("the transmitter at ({x} m, {y} m) is inside a building; place it outdoors or above the roof")]
    Indoors { x: f64, y: f64 },
}

/// A scene made ready for maps of many transmitters. The scene's cars are part of it.
pub struct PreparedScene {
    scene: Scene,
    cars: CarOutlines,
    walls: OnceLock<Walls>,
    prisms: OnceLock<Prisms>,
    prism_walls: OnceLock<Vec<PrismWall>>,
    highest_near: OnceLock<HighestNear>,
    wall_distance: OnceLock<Vec<f64>>,
    turning_points: OnceLock<Arc<TurningPoints>>,
    /// Those above some height that is not below all roofs, the last that was asked for.
    high_turning_points: Mutex<Option<(f64, Arc<TurningPoints>)>>,
    with_level_roofs: OnceLock<Box<PreparedScene>>,
    /// `None` where its roofs are so.
    with_stated_roofs: OnceLock<Option<Box<PreparedScene>>>,
    with_cars_as_walls: OnceLock<Box<PreparedScene>>,
}

/// The corners that the dominant path turns at.
pub struct TurningPoints {
    /// The buildings that are higher than the paths.
    pub obstacles: BuildingMask,
    /// Per pixel, the steps to the nearest of them, at most 255.
    pub steps_to_obstacle: Vec<u8>,
    pub walls: InsetWalls,
    pub on_walls: OnWalls,
    /// The outdoor pixels beside a corner.
    pub beside_corner: PixelSet,
    /// The corner that a pixel is at, for each pixel that is at one.
    corner_at: HashMap<u32, Coord<f64>>,
}

impl PreparedScene {
    /// Takes a copy of the scene, its cars included. Nothing is computed yet.
    pub fn new(scene: &Scene) -> Self {
        Self {
            scene: scene.clone(),
            cars: CarOutlines::new(&scene.cars),
            walls: OnceLock::new(),
            prisms: OnceLock::new(),
            prism_walls: OnceLock::new(),
            highest_near: OnceLock::new(),
            wall_distance: OnceLock::new(),
            turning_points: OnceLock::new(),
            high_turning_points: Mutex::new(None),
            with_level_roofs: OnceLock::new(),
            with_stated_roofs: OnceLock::new(),
            with_cars_as_walls: OnceLock::new(),
        }
    }

    /// The scene with every roof at [`BUILDING_HEIGHT_M`], kept because a forecast asks for it at every move. Below the roofs paths turn
    /// at the same corners, so these are shared.
    pub fn with_level_roofs(&self) -> &Self {
        self.with_level_roofs.get_or_init(|| self.with_other_roofs(&self.scene.clone().with_level_roofs(BUILDING_HEIGHT_M)))
    }

    /// The scene with every building at [`BUILDING_HEIGHT_M`] whose height the source does not state, kept for the next move too. It is
    /// this scene itself where they are so high.
    pub fn with_stated_roofs(&self) -> &Self {
        let roofs = &self.scene.roofs;
        let other = || {
            let stated = roofs.clone().with_unstated_at(BUILDING_HEIGHT_M);
            (stated != *roofs).then(|| self.with_other_roofs(&self.scene.clone().with_roofs(stated)))
        };
        self.with_stated_roofs.get_or_init(other).as_deref().unwrap_or(self)
    }

    /// A scene with the same buildings at other heights, which shares the corners below all roofs.
    fn with_other_roofs(&self, scene: &Scene) -> Box<Self> {
        Box::new(Self { turning_points: OnceLock::from(self.turning_points(0.0)), ..Self::new(scene) })
    }

    /// The scene with walls in the place of its cars ([`CarOutlines::as_walls`]), kept for the next transmitter.
    pub fn with_cars_as_walls(&self) -> &Self {
        self.with_cars_as_walls.get_or_init(|| Box::new(Self::new(&self.cars.as_walls(&self.scene))))
    }

    pub fn grid(&self) -> Grid {
        self.scene.grid
    }

    pub fn mask(&self) -> &BuildingMask {
        &self.scene.mask
    }

    pub fn roofs(&self) -> &RoofHeights {
        &self.scene.roofs
    }

    pub fn cars(&self) -> &CarOutlines {
        &self.cars
    }

    /// Walls and corners in metres, from the footprints where there are any.
    pub fn walls(&self) -> &Walls {
        self.walls.get_or_init(|| Walls::new(&exact_outlines(&self.scene)))
    }

    /// The pixels whose centre lies on a wall of the footprints; none of a scene without footprints, whose walls rays take from straight
    /// pieces, good to a pixel.
    pub fn pixels_on_walls(&self) -> PixelSet {
        let known = if self.scene.buildings.is_empty() { &[][..] } else { &self.walls().walls };
        PixelSet::of(self.scene.grid.pixels(), pixels_on_walls(self.scene.grid, known.iter().map(|wall| wall.ends)))
    }

    /// Walls and corners in metres with the heights of their roofs.
    pub fn prisms(&self) -> &Prisms {
        self.prisms.get_or_init(|| Prisms::new(&self.scene))
    }

    /// The walls of every building up to its own roof, in pixels.
    pub fn prism_walls(&self) -> &[PrismWall] {
        self.prism_walls.get_or_init(|| prism_walls(&self.scene))
    }

    /// Bounds of the roofs round every pixel.
    pub fn highest_near(&self) -> &HighestNear {
        self.highest_near.get_or_init(|| HighestNear::new(&self.scene.roofs, self.scene.grid.size))
    }

    /// As [`wall_distance`] of the buildings, in pixels.
    pub fn wall_distance(&self) -> &[f64] {
        self.wall_distance.get_or_init(|| wall_distance(&self.scene.mask))
    }

    /// Walls and corners in pixels of the buildings that are higher than `height_m`.
    pub fn turning_points(&self, height_m: f64) -> Arc<TurningPoints> {
        let Scene { grid, mask, roofs, .. } = &self.scene;
        if height_m < roofs.lowest_m() {
            return Arc::clone(self.turning_points.get_or_init(|| Arc::new(TurningPoints::new(&self.scene, 0.0, mask.clone()))));
        }
        let mut known = self.high_turning_points.lock().unwrap_or_else(PoisonError::into_inner);
        match &*known {
            Some((of_m, turning_points)) if *of_m == height_m => Arc::clone(turning_points),
            _ => {
                let pixels = (0..grid.pixels()).map(|pixel| u8::from(roofs.at(pixel) > height_m)).collect();
                let obstacles = BuildingMask { size: grid.size, pixels };
                let turning_points = Arc::new(TurningPoints::new(&self.scene, height_m, obstacles));
                *known = Some((height_m, Arc::clone(&turning_points)));
                turning_points
            }
        }
    }

    /// The outdoor pixels in sight of a position where no roof is lower than an antenna.
    pub fn in_plane_sight(&self, position: Coord<f64>) -> PixelSet {
        visible_from(&self.turning_points(0.0).walls, position / self.scene.grid.meters_per_pixel)
    }

    /// The outdoor pixels whose receivers the transmitter sees. Where no roof is lower than an antenna, that is what the plane of the
    /// map shows; else rays also pass over roofs, exactly.
    pub fn in_sight(&self, ends: &LinkEnds) -> PixelSet {
        let Scene { grid, roofs, .. } = &self.scene;
        let (low_m, high_m) = (ends.height_m.min(ends.receiver_height_m), ends.height_m.max(ends.receiver_height_m));
        let (turning_points, from) = (self.turning_points(low_m), ends.position / grid.meters_per_pixel);
        if high_m <= roofs.lowest_m() {
            return visible_from(&turning_points.walls, from);
        }
        visible_over(self.prism_walls(), &turning_points.walls.outdoors, *grid, from, [ends.height_m, ends.receiver_height_m])
    }

    /// The pixel (row, column) of a transmitter that stands outdoors or above the roof of its building.
    ///
    /// # Errors
    /// A position off the map; one inside a building and not above its roof.
    pub fn antenna_pixel(&self, ends: &LinkEnds) -> Result<(usize, usize), PositionError> {
        let (Coord { x, y }, grid) = (ends.position, self.scene.grid);
        let (row, column) = grid.pixel_of(ends.position).ok_or(PositionError::Outside { x, y, extent_m: grid.extent_m() })?;
        let above = ends.height_m > self.scene.roofs.at(row * grid.size + column);
        if above { Ok((row, column)) } else { Err(PositionError::Indoors { x, y }) }
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
    /// Of the scene's buildings above a height, whose pixels are `obstacles`.
    fn new(scene: &Scene, height_m: f64, obstacles: BuildingMask) -> Self {
        let grid = scene.grid;
        let (outlines, tell_pixels) = outlines_above(scene, height_m, &obstacles);
        let outlines = Walls::new(&outlines);
        let on_walls = if tell_pixels { OnWalls::new(&outlines, &obstacles, grid) } else { OnWalls::none(&obstacles) };
        let walls = InsetWalls::new(&outlines, &obstacles, grid);
        let beside = walls.corners.iter().flat_map(|corner| corner.beside.iter().map(|&pixel| pixel as usize));
        let beside_corner = PixelSet::of(grid.pixels(), beside);
        let steps_to_obstacle = steps_to_building(&obstacles);
        let corner_at = walls.corners.iter().flat_map(|corner| corner.at.iter().map(|&pixel| (pixel, corner.position))).collect();
        Self { obstacles, steps_to_obstacle, beside_corner, corner_at, on_walls, walls }
    }

    /// The corner that an outdoor pixel is at, in pixels.
    pub fn corner_at(&self, pixel: usize) -> Option<Coord<f64>> {
        self.corner_at.get(&(pixel as u32)).copied()
    }
}

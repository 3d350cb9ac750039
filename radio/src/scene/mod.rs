//! Where things stand: buildings, transmitters and the grid a map is drawn on.
//!
//! Everything inside a [`Scene`] is in metres in a local frame whose origin is the **south-west corner** of the grid, x to the
//! east and y to the north. Rasters are row-major with **row 0 in the north**, as images are.

mod building_rule;
mod cars;
mod frame;
mod heights;
mod import;
mod material;
mod placement;
mod radiomapseer;
mod rasterize;
mod tags;

pub use cars::{cars_from_json, cars_from_pixels, pixels_of_cars};
pub use frame::LocalFrame;
pub use heights::{
    ANTENNA_HEIGHT_M, BUILDING_HEIGHT_M, HeightError, LEAST_ANTENNA_HEIGHT_M, LEVEL_HEIGHT_M, LinkEnds, MOST_ANTENNA_HEIGHT_M, RoofHeights,
    check_antenna_height, check_building_height,
};
pub use import::{
    BuildingCluster, Effect, FeatureRef, Finding, FindingKind, Footprint, HeightSources, ImportOptions, ImportReport, Imported,
    ImportedCars, SceneError, import, import_cars, read_footprints,
};
pub use material::WallMaterial;
pub use placement::{Placement, PlacementError};
pub use radiomapseer::{antennas_from_json, buildings_from_json, buildings_to_json};
pub use rasterize::rasterize;
pub(crate) use rasterize::{ON_WALL_PIXELS, a_pixel_of, pixels_on_walls, rasterize_outlines};

use geo::{Coord, Polygon};
use serde::{Deserialize, Serialize};

/// A square raster of `size` x `size` pixels, each `meters_per_pixel` wide.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Grid {
    pub size: usize,
    pub meters_per_pixel: f64,
}

impl Default for Grid {
    /// RadioMapSeer's grid: 256 x 256 pixels of one metre.
    fn default() -> Self {
        Self { size: 256, meters_per_pixel: 1.0 }
    }
}

impl Grid {
    /// Side length in metres.
    pub fn extent_m(&self) -> f64 {
        self.size as f64 * self.meters_per_pixel
    }

    /// Number of pixels.
    pub fn pixels(&self) -> usize {
        self.size * self.size
    }

    /// Centre of a pixel, metres.
    pub fn pixel_center(&self, row: usize, column: usize) -> Coord<f64> {
        Coord { x: (column as f64 + 0.5) * self.meters_per_pixel, y: (self.size as f64 - row as f64 - 0.5) * self.meters_per_pixel }
    }

    /// The pixel (row, column) that holds a point, `None` outside the grid.
    pub fn pixel_of(&self, point: Coord<f64>) -> Option<(usize, usize)> {
        let column = (point.x / self.meters_per_pixel).floor();
        let row = (self.size as f64 - point.y / self.meters_per_pixel).ceil() - 1.0;
        let inside = |v: f64| v >= 0.0 && v < self.size as f64;
        (inside(column) && inside(row)).then_some((row as usize, column as usize))
    }
}

/// A building: its footprint in metres in the scene's frame, and what the source said of its height and its walls.
#[derive(Clone, Debug, PartialEq)]
pub struct Building {
    pub footprint: Polygon<f64>,
    pub height_m: Option<f64>,
    pub levels: Option<f64>,
    /// Of its walls.
    pub material: Option<WallMaterial>,
}

impl From<Polygon<f64>> for Building {
    /// A building of which nothing but the footprint is known.
    fn from(footprint: Polygon<f64>) -> Self {
        Self { footprint, height_m: None, levels: None, material: None }
    }
}

/// Powers in dBm and gains in dBi are at most this far from 0. Beyond it are no decibels of any radio, and beyond some 10^38 no f32 either.
pub const MAX_DECIBELS: f64 = 200.0;

/// A transmitter, in metres in the scene's frame, with RadioMapSeer's defaults: 23 dBm at 5.9 GHz, isotropic, at 1.5 m. It says where the
/// antenna points; the antenna's pattern is a [`crate::propagation::AntennaPattern`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Transmitter {
    pub position: Coord<f64>,
    /// Above the ground, also on a roof.
    pub height_m: f64,
    pub power_dbm: f64,
    pub frequency_mhz: f64,
    /// In the antenna's strongest direction.
    pub antenna_gain_dbi: f64,
    /// Where the antenna points, clockwise from north.
    pub azimuth_deg: f64,
    pub downtilt_deg: f64,
}

impl Transmitter {
    pub fn at(x_m: f64, y_m: f64) -> Self {
        Self {
            position: Coord { x: x_m, y: y_m },
            height_m: ANTENNA_HEIGHT_M,
            power_dbm: 23.0,
            frequency_mhz: 5900.0,
            antenna_gain_dbi: 0.0,
            azimuth_deg: 0.0,
            downtilt_deg: 0.0,
        }
    }
}

/// Which pixels lie inside a building: row-major, 1 inside, 0 outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuildingMask {
    pub size: usize,
    pub pixels: Vec<u8>,
}

impl BuildingMask {
    pub fn is_building(&self, row: usize, column: usize) -> bool {
        self.pixels[row * self.size + column] != 0
    }
}

/// Bounds in EPSG:4326 degrees.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct GeoBounds {
    pub west: f64,
    pub south: f64,
    pub east: f64,
    pub north: f64,
}

/// Buildings on a grid, ready to be drawn on.
#[derive(Clone, Debug, PartialEq)]
pub struct Scene {
    pub grid: Grid,
    pub buildings: Vec<Building>,
    pub mask: BuildingMask,
    /// Heights of the roofs, pixel by pixel.
    pub roofs: RoofHeights,
    /// Convex outlines in metres in the grid's frame; empty unless [`Scene::with_cars`] was called.
    pub cars: Vec<Polygon<f64>>,
    /// Where the grid lies on the globe; `None` for scenes that came without coordinates.
    pub bounds: Option<GeoBounds>,
}

impl Scene {
    /// A scene from footprints in metres in the grid's frame. Buildings without a height are [`BUILDING_HEIGHT_M`] tall.
    pub fn from_polygons(grid: Grid, buildings: Vec<Building>) -> Self {
        let mask = rasterize(grid, &buildings);
        let roofs = RoofHeights::of_buildings(grid, &buildings, BUILDING_HEIGHT_M);
        Self { grid, buildings, mask, roofs, cars: Vec::new(), bounds: None }
    }

    /// A scene from a raster alone, without footprints; all roofs are at [`BUILDING_HEIGHT_M`]. Images (a PNG of buildings, say) are
    /// decoded by the caller.
    ///
    /// # Panics
    /// When the mask's size is not the grid's.
    pub fn from_mask(grid: Grid, mask: BuildingMask) -> Self {
        assert_eq!((mask.size, mask.pixels.len()), (grid.size, grid.pixels()), "a mask of the grid's size");
        let roofs = RoofHeights::level(&mask, BUILDING_HEIGHT_M);
        Self { grid, buildings: Vec::new(), mask, roofs, cars: Vec::new(), bounds: None }
    }

    /// (row, column) of the pixels outside buildings.
    pub fn outdoor_pixels(&self) -> impl Iterator<Item = (usize, usize)> {
        let size = self.grid.size;
        self.mask.pixels.iter().enumerate().filter(|&(_, &inside)| inside == 0).map(move |(i, _)| (i / size, i % size))
    }
}

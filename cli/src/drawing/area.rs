//! The ground that a map covers.

use super::values::{bounds, number};
use anyhow::{Result, ensure};
use radiodiff_radio::scene::{BUILDING_HEIGHT_M, GeoBounds, Grid, ImportOptions};
use std::path::PathBuf;

/// The most pixels along a side: 4 km at 1 m.
const MOST_PIXELS: usize = 4096;

/// The grid that a source of maps draws on unless another is asked for.
#[derive(Clone, Copy, Debug, Default)]
pub struct StandardGrid {
    pub grid: Grid,
    /// It draws on no other.
    pub is_only: bool,
}

/// The ground that the map covers, how high it is built, and the cars on it
#[derive(clap::Args, Clone, Debug)]
pub struct AreaArgs {
    /// Centre the map on the centre of these bounds, in degrees [default: where most buildings are]
    #[arg(long, value_name = "W,S,E,N", allow_hyphen_values = true, value_parser = bounds)]
    pub bounds: Option<GeoBounds>,
    /// Side of the map, metres [default: 256]
    #[arg(long, value_name = "M", allow_negative_numbers = true, value_parser = number)]
    pub extent_m: Option<f64>,
    /// Side of a pixel, metres; up to 4096 pixels make a side [default: 1]
    #[arg(long, value_name = "M", allow_negative_numbers = true, value_parser = number)]
    pub resolution_m: Option<f64>,
    /// Height of buildings that the file gives neither a height nor storeys, metres, 0.5 to 1000
    #[arg(long, value_name = "M", default_value_t = BUILDING_HEIGHT_M, value_parser = number, allow_negative_numbers = true)]
    pub building_height_m: f64,
    /// Parked cars that weaken the dominant path: GeoJSON polygons of a car's size [default: none]
    #[arg(long, value_name = "FILE")]
    pub cars: Option<PathBuf>,
}

impl AreaArgs {
    /// How a file of buildings becomes a scene on a grid.
    pub fn import_options(&self, grid: Grid) -> ImportOptions {
        ImportOptions { grid, bounds: self.bounds, default_height_m: self.building_height_m }
    }

    /// The grid to draw on; `standard` is the source's.
    ///
    /// # Errors
    /// Sides that are no lengths or make too many pixels, and any that are given where the source has a grid of its own.
    pub fn grid(&self, standard: StandardGrid) -> Result<Grid> {
        let StandardGrid { grid: standard, is_only } = standard;
        let free = self.extent_m.is_none() && self.resolution_m.is_none();
        ensure!(free || !is_only, "this network draws on its own grid: leave out --extent-m and --resolution-m with its --weights");
        let meters_per_pixel = self.resolution_m.unwrap_or(standard.meters_per_pixel);
        ensure!((0.1..=100.0).contains(&meters_per_pixel), "--resolution-m is {meters_per_pixel}, expected 0.1 to 100 metres");
        let extent_m = self.extent_m.unwrap_or(standard.extent_m());
        let size = (extent_m / meters_per_pixel).round();
        ensure!(
            (8.0..=MOST_PIXELS as f64).contains(&size),
            "--extent-m {extent_m} at --resolution-m {meters_per_pixel} makes {size} pixels a side, expected 8 to {MOST_PIXELS}"
        );
        Ok(Grid { size: size as usize, meters_per_pixel })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grids_have_the_side_that_is_asked_for() {
        let area =
            |extent_m, resolution_m| AreaArgs { extent_m, resolution_m, bounds: None, building_height_m: BUILDING_HEIGHT_M, cars: None };
        assert_eq!(area(None, None).grid(StandardGrid::default()).unwrap(), Grid::default());
        assert_eq!(area(Some(4000.0), Some(5.0)).grid(StandardGrid::default()).unwrap(), Grid { size: 800, meters_per_pixel: 5.0 });
        assert_eq!(area(Some(4000.0), None).grid(StandardGrid::default()).unwrap(), Grid { size: 4000, meters_per_pixel: 1.0 });
        for (extent_m, resolution_m) in [(5000.0, 1.0), (f64::NAN, 1.0), (256.0, 0.0), (256.0, f64::NAN), (-256.0, 1.0), (1.0, 1.0)] {
            assert!(area(Some(extent_m), Some(resolution_m)).grid(StandardGrid::default()).is_err(), "{extent_m} at {resolution_m}");
        }
        let own = Grid { size: 64, meters_per_pixel: 2.0 };
        for is_only in [true, false] {
            assert_eq!(area(None, None).grid(StandardGrid { grid: own, is_only }).unwrap(), own);
            let asked = area(Some(256.0), None).grid(StandardGrid { grid: own, is_only });
            assert_eq!(asked.ok(), (!is_only).then_some(Grid { size: 128, ..own }));
        }
    }
}

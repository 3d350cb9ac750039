//! Blocks of real cities: windows cut out of a GeoJSON file of footprints, as `cargo xtask cities` writes.

use super::random::Random;
use anyhow::{Context, Result};
use geo::{BoundingRect, Coord, MapCoordsInPlace, Rect};
use radiodiff_core::scene::{Building, Grid, ImportOptions, Scene};
use std::path::{Path, PathBuf};

/// A city is read onto one large frame; what lies further out is not used.
const CITY_GRID: Grid = Grid { size: 1024, meters_per_pixel: 8.0 };

/// A city's footprints in metres in one frame.
#[derive(Debug)]
pub struct City {
    /// The file's name without extension.
    pub name: String,
    /// Footprints with their bounding boxes.
    buildings: Vec<(Building, Rect<f64>)>,
    extent: Rect<f64>,
}

impl City {
    /// # Errors
    /// A file that cannot be read or has no usable building.
    pub fn read(path: &Path) -> Result<Self> {
        let shown = path.display();
        let text = std::fs::read_to_string(path).with_context(|| format!("{shown} cannot be read"))?;
        let options = ImportOptions { grid: CITY_GRID, bounds: None };
        let imported = Scene::from_geojson(&text, &options).with_context(|| format!("{shown} is no city"))?;
        let boxed = |b: Building| b.footprint.bounding_rect().map(|rect| (b, rect));
        let buildings: Vec<_> = imported.scene.buildings.into_iter().filter_map(boxed).collect();
        let union = |a: Rect<f64>, b: Rect<f64>| {
            Rect::new(
                Coord { x: a.min().x.min(b.min().x), y: a.min().y.min(b.min().y) },
                Coord { x: a.max().x.max(b.max().x), y: a.max().y.max(b.max().y) },
            )
        };
        let extent = buildings.iter().map(|(_, rect)| *rect).reduce(union).with_context(|| format!("{shown} has no building"))?;
        let name = path.file_stem().map_or_else(|| PathBuf::from("city"), PathBuf::from).display().to_string();
        Ok(Self { name, buildings, extent })
    }

    /// A window at a random place and turned by a random angle, in metres in the grid's frame.
    pub fn window(&self, grid: Grid, random: &mut Random) -> Vec<Building> {
        let half = grid.extent_m() / 2.0;
        // The window stays on the mapped ground where that is large enough, whatever its angle.
        let reach = half * std::f64::consts::SQRT_2;
        let place = |low: f64, high: f64, random: &mut Random| {
            let margin = reach.min((high - low) / 2.0);
            random.between(low + margin, high - margin)
        };
        let center = Coord {
            x: place(self.extent.min().x, self.extent.max().x, random),
            y: place(self.extent.min().y, self.extent.max().y, random),
        };
        let (sin, cos) = random.angle().sin_cos();
        let turned = |p: Coord<f64>| {
            let (x, y) = (p.x - center.x, p.y - center.y);
            Coord { x: x * cos - y * sin + half, y: x * sin + y * cos + half }
        };
        let near = |rect: &Rect<f64>| {
            rect.min().x < center.x + reach
                && rect.max().x > center.x - reach
                && rect.min().y < center.y + reach
                && rect.max().y > center.y - reach
        };
        let mut buildings: Vec<Building> = self.buildings.iter().filter(|(_, rect)| near(rect)).map(|(b, _)| b.clone()).collect();
        buildings.iter_mut().for_each(|building| building.footprint.map_coords_in_place(turned));
        buildings
    }
}

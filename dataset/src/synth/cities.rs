//! Blocks of real cities: windows cut out of footprints.
//!
//! In flows a file of any format that scenes are imported from (GeoJSON, OpenStreetMap XML or PBF, packed or not, a GeoTIFF of heights); out flow windows of
//! it as footprints in metres. What was left out of the file is told once, when it is read.

use crate::random::Random;
use anyhow::{Context, Result};
use geo::{BoundingRect, Coord, MapCoords, Polygon, Rect};
use radiodiff_radio::height_raster::import_any;
use radiodiff_radio::scene::{FindingKind, Grid, ImportOptions};
use std::path::{Path, PathBuf};

/// A city is read onto one large frame where most of its buildings are; what lies further out is not used.
const CITY_GRID: Grid = Grid { size: 1024, meters_per_pixel: 8.0 };

/// A city's footprints in metres in one frame.
#[derive(Debug)]
pub struct CityFootprints {
    /// The file's name without extension.
    pub name: String,
    /// Footprints with their bounding boxes.
    footprints: Vec<(Polygon<f64>, Rect<f64>)>,
    extent: Rect<f64>,
}

impl CityFootprints {
    /// # Errors
    /// A file that cannot be read or has no usable building.
    pub fn read(path: &Path) -> Result<Self> {
        let shown = path.display();
        let bytes = std::fs::read(path).with_context(|| format!("{shown} cannot be read"))?;
        // The content decides what a file is; its name only says what was expected of it.
        let expected =
            if path.extension().is_some_and(|found| found.eq_ignore_ascii_case("pbf")) { "OpenStreetMap extract" } else { "city" };
        let mut imported = import_any(&bytes, &ImportOptions { grid: CITY_GRID, ..ImportOptions::default() })
            .with_context(|| format!("{shown} is no {expected}"))?;
        // Windows are cut out of the buildings' extent alone.
        imported.report.findings.retain(|finding| finding.kind != FindingKind::OpenGround);
        for warning in imported.report.warnings() {
            eprintln!("warning: {shown}: {warning}");
        }
        let polygons = imported.scene.buildings.into_iter().map(|building| building.footprint);
        let footprints: Vec<_> = polygons.filter_map(|p| p.bounding_rect().map(|rect| (p, rect))).collect();
        let extent = footprints.iter().map(|(_, rect)| *rect).reduce(union).with_context(|| format!("{shown} has no building"))?;
        let name = path.file_name().map_or_else(|| PathBuf::from("city"), PathBuf::from).display().to_string();
        let name = name.split('.').next().unwrap_or(&name).to_owned();
        Ok(Self { name, footprints, extent })
    }

    /// A window at a random place, turned by a random angle unless north is up; metres in the grid's frame.
    pub fn window(&self, grid: Grid, north_up: bool, random: &mut Random) -> Vec<Polygon<f64>> {
        let half = grid.extent_m() / 2.0;
        // The window stays on the mapped ground where that is large enough, whatever its angle.
        let reach = if north_up { half } else { half * std::f64::consts::SQRT_2 };
        let place = |low: f64, high: f64, random: &mut Random| {
            let margin = reach.min((high - low) / 2.0);
            random.between(low + margin, high - margin)
        };
        let center = Coord {
            x: place(self.extent.min().x, self.extent.max().x, random),
            y: place(self.extent.min().y, self.extent.max().y, random),
        };
        let (sin, cos) = if north_up { (0.0, 1.0) } else { random.angle().sin_cos() };
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
        self.footprints.iter().filter(|(_, rect)| near(rect)).map(|(polygon, _)| polygon.map_coords(turned)).collect()
    }
}

fn union(a: Rect<f64>, b: Rect<f64>) -> Rect<f64> {
    Rect::new(
        Coord { x: a.min().x.min(b.min().x), y: a.min().y.min(b.min().y) },
        Coord { x: a.max().x.max(b.max().x), y: a.max().y.max(b.max().y) },
    )
}

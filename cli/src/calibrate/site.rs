//! The buildings around a cell, and what its calibration starts from.

use super::args::Args;
use super::cell::{self, Cell};
use anyhow::{Context, Result};
use radiodiff_radio::calibration::{CalibrationOptions, CellLaw, Surroundings};
use radiodiff_radio::height_raster::import_any;
use radiodiff_radio::scene::{GeoBounds, Grid, ImportOptions, Imported, LocalFrame, Scene};
use std::path::Path;

/// Pixels along a side of the map.
const PIXELS: usize = 256;

/// A cell among its buildings.
pub struct Site {
    pub cell: Cell,
    pub frame: LocalFrame,
    pub scene: Scene,
    pub surroundings: Surroundings,
    pub options: CalibrationOptions,
    /// What was left out or assumed.
    pub warnings: Vec<String>,
}

impl Site {
    /// Reads the cell that `measurements` is named after and the buildings around it.
    ///
    /// # Errors
    /// Files that cannot be read, no building on the map, a cell that cannot be used.
    pub fn open(args: &Args, measurements: &Path) -> Result<Self> {
        let cell = cell::read(&args.cell, args.cell_name.as_deref(), measurements)?;
        let shown = args.buildings.display();
        let bytes = std::fs::read(&args.buildings).with_context(|| format!("{shown} cannot be read"))?;
        let grid = Grid { size: PIXELS, meters_per_pixel: args.extent_m / PIXELS as f64 };
        let around = GeoBounds::around([cell.lng_lat]);
        let import_options = ImportOptions { grid, bounds: Some(around), ..ImportOptions::default() };
        let Imported { scene, report } = import_any(&bytes, &import_options).with_context(|| format!("the buildings {shown}"))?;
        let frame = LocalFrame::centered(cell.lng_lat, grid);
        let surroundings = Surroundings::new(&scene, frame.to_meters(cell.lng_lat)).context("the cell's surroundings")?;
        let law = CellLaw { frequency_mhz: cell.frequency_mhz };
        let options = CalibrationOptions::new(law, cell.azimuth_deg, cell.height_m);
        let mut warnings = [cell.warnings.clone(), report.warnings()].concat();
        warnings.extend(report.heights.assumption_by("taken as one height, which is fitted"));
        warnings.extend(report.unused_elevations());
        warnings.extend(cell.height_m.and_then(|height_m| surroundings.roof_warning(&scene, height_m)));
        Ok(Self { frame, surroundings, options, warnings, cell, scene })
    }
}

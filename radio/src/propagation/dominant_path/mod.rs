//! The dominant path model: a pixel takes the path with the least loss, round building corners and over roofs (Wölfle and
//! Landstorfer, 1998; Wahl, Wölfle et al., 2005). docs/dominant-path.md compares it with WinProp's maps.
//!
//! In the plane and up and down walls, a path's turns cost what the law says ([`wavefront`]). Beside those paths, the direct line over
//! the roofs is diffracted by knife edges ([`over_roofs`]), which decides where an antenna is about as high as the roofs. The path
//! that loses less counts. Maps that people look at go without the lines a pixel wide that the search leaves ([`lone_pixels`]).

mod higher_roofs;
mod levels;
mod lone_pixels;
mod looks;
mod over_roofs;
mod queue;
mod roofs;
mod source;
mod wavefront;

use super::law::DominantPathLaw;
use super::model::{PropagationError, PropagationModel, outdoor_map};
use crate::arithmetic::larger;
use crate::geometry::PreparedScene;
use crate::map::RadioMap;
use crate::scene::LinkEnds;
use levels::Levels;
use lone_pixels::median_out_of_sight;
use wavefront::Wavefront;

/// On larger pixels a street may be no wider than one, and no map of WinProp's says what is right there.
pub const MOST_METERS_OF_MEDIAN: f64 = 1.5;

/// Where the heights of roofs come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RoofsFrom {
    /// The scene's roofs and the heights of both antennas.
    #[default]
    Scene,
    /// Every roof is [`DominantPathLaw::roof_m`] above both antennas, as in RadioMapSeer and for the networks that learnt from it.
    Law,
}

/// The dominant path model with the constants of its law. Maps that people look at and that are compared with others are
/// [`DominantPath::of_maps`]; networks, calibration and losses by cars take those without medians, [`Self::default`] and [`Self::level`].
/// Pixels that no path reaches get the law's floor.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct DominantPath {
    pub law: DominantPathLaw,
    pub roofs_from: RoofsFrom,
    /// Whether a pixel out of sight takes the median of the 3 x 3 around it, where pixels are at most [`MOST_METERS_OF_MEDIAN`].
    pub median: bool,
}

impl DominantPath {
    /// The model whose maps are nearest to WinProp's: with medians out of sight.
    pub fn of_maps() -> Self {
        Self { median: true, ..Self::default() }
    }

    /// The model on RadioMapSeer's terms: antennas at 1.5 m, every roof at 25 m, whatever the scene says.
    pub fn level() -> Self {
        Self { roofs_from: RoofsFrom::Law, ..Self::default() }
    }
}

impl PropagationModel for DominantPath {
    fn path_gain(&self, prepared: &PreparedScene, ends: &LinkEnds) -> Result<RadioMap, PropagationError> {
        ends.check()?;
        let (grid, law) = (prepared.grid(), &self.law);
        let transmitter = ends.position / grid.meters_per_pixel;
        let (loss_db, in_sight) = match self.roofs_from {
            RoofsFrom::Law => {
                let (row, column) = prepared.outdoor_pixel(ends.position)?;
                let in_sight = prepared.in_plane_sight(ends.position);
                let turning_points = prepared.turning_points(0.0);
                let start = (transmitter, row * grid.size + column);
                (Wavefront::new(&turning_points, grid, law, Levels::of_law(law), start, in_sight.clone()).run(), in_sight)
            }
            RoofsFrom::Scene => {
                let (row, column) = prepared.antenna_pixel(ends)?;
                let (levels, in_sight) = (Levels::of_scene(prepared, ends), prepared.in_sight(ends));
                let turning_points = prepared.turning_points(levels.corners_m);
                let start = row * grid.size + column;
                let mut loss_db = Wavefront::new(&turning_points, grid, law, levels, (transmitter, start), in_sight.clone()).run();
                let is_built = |pixel: usize| prepared.mask().pixels[pixel] != 0;
                over_roofs::lower(&mut loss_db, &in_sight, is_built, grid, law, &levels, transmitter);
                (loss_db, in_sight)
            }
        };
        let map = outdoor_map(prepared, |i| larger(-loss_db[i], law.floor_db));
        let median = self.median && grid.meters_per_pixel <= MOST_METERS_OF_MEDIAN;
        Ok(if median { RadioMap { values: median_out_of_sight(&map.values, grid.size, &in_sight), ..map } } else { map })
    }
}

//! The dominant path model: a pixel takes the path with the least loss, round building corners and over roofs (Wölfle and
//! Landstorfer, 1998; Wahl, Wölfle et al., 2005). docs/dominant-path.md compares it with WinProp's maps.

mod queue;
mod roofs;
mod wavefront;

use super::law::DominantPathLaw;
use super::model::{PropagationError, PropagationModel, outdoor_map};
use crate::geometry::PreparedScene;
use crate::map::RadioMap;
use crate::scene::LinkEnds;
use wavefront::Wavefront;

/// The dominant path model with the constants of its law. Pixels that no path reaches get the law's floor.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct DominantPath {
    pub law: DominantPathLaw,
}

impl PropagationModel for DominantPath {
    fn path_gain(&self, prepared: &PreparedScene, ends: &LinkEnds) -> Result<RadioMap, PropagationError> {
        ends.check()?;
        let position = ends.position;
        let (row, column) = prepared.outdoor_pixel(position)?;
        let grid = prepared.grid();
        let loss_db = Wavefront::new(prepared, &self.law, position / grid.meters_per_pixel, row * grid.size + column).run();
        Ok(outdoor_map(prepared, |i| (-loss_db[i]).max(self.law.floor_db)))
    }
}

//! The log-distance model: one law in line of sight and another out of it. It is the baseline that every other model has to beat.

use super::law::LogDistanceLaw;
use super::model::{PropagationError, PropagationModel, outdoor_map};
use crate::geometry::PreparedScene;
use crate::map::RadioMap;
use crate::scene::LinkEnds;

/// gain = intercept - slope log10(distance), with constants by line of sight. Heights are not used, except that sight from
/// an antenna on a roof is that over the roofs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LogDistance {
    pub in_sight: LogDistanceLaw,
    pub out_of_sight: LogDistanceLaw,
}

impl PropagationModel for LogDistance {
    fn path_gain(&self, prepared: &PreparedScene, ends: &LinkEnds) -> Result<RadioMap, PropagationError> {
        ends.check()?;
        let (position, grid) = (ends.position, prepared.grid());
        let sight: Vec<bool> = match prepared.outdoor_pixel(position) {
            Ok(_) => prepared.line_of_sight(position)?.iter().map(|&seen| seen != 0).collect(),
            Err(_) => {
                prepared.antenna_pixel(ends)?;
                let seen = prepared.in_sight(ends);
                (0..grid.pixels()).map(|pixel| seen.contains(pixel)).collect()
            }
        };
        Ok(outdoor_map(prepared, |i| {
            let center = grid.pixel_center(i / grid.size, i % grid.size);
            let distance_m = (center.x - position.x).hypot(center.y - position.y);
            if sight[i] { self.in_sight.gain_db(distance_m) } else { self.out_of_sight.gain_db(distance_m) }
        }))
    }
}

//! Paths over roofs, in the vertical plane through transmitter and receiver.
//!
//! A path climbs to the roof at the first wall on the straight way, crosses all roofs level and descends at the last wall. In flow the
//! building mask and both ends; out flows the power of each pixel's path.

use super::law::InteractionLaw;
use crate::arithmetic;
use crate::geometry::pixel_line_of_sight::walk_pixels;
use crate::scene::{BuildingMask, Grid, LinkEnds};

/// The share of the sent power that reaches a pixel (row, column) over roofs; `None` where no building is in the way.
/// `start` is the transmitter's pixel.
pub fn power_over_roofs(
    law: &InteractionLaw,
    mask: &BuildingMask,
    grid: Grid,
    ends: &LinkEnds,
    start: (usize, usize),
    pixel: (usize, usize),
) -> Option<f64> {
    let mut built: Option<[(usize, usize); 2]> = None;
    walk_pixels(start, (pixel.0 as i64, pixel.1 as i64), |row, column| {
        // Between two pixels of the map there is no other.
        let here = (row as usize, column as usize);
        if mask.is_building(here.0, here.1) {
            built = Some([built.map_or(here, |[first, _]| first), here]);
        }
        true
    });
    let [first, last] = built?;
    let center = |(row, column): (usize, usize)| grid.pixel_center(row, column);
    let apart = |a: geo::Coord<f64>, b: geo::Coord<f64>| arithmetic::length(a.x - b.x, a.y - b.y);
    // Walls stand half a pixel before the centres of the pixels behind them.
    let half = grid.meters_per_pixel / 2.0;
    let climb = (apart(ends.position, center(first)) - half).max(0.0);
    let descent = (apart(center(last), center(pixel)) - half).max(0.0);
    let width_m = apart(center(first), center(last)) + 2.0 * half;
    let (up, down) = (law.roof_height_m - ends.height_m, law.roof_height_m - ends.receiver_height_m);
    let length_m = arithmetic::length(climb, up) + width_m + arithmetic::length(descent, down);
    Some(law.power(length_m, law.over_roofs_db(libm::atan2(up, climb), libm::atan2(down, descent), width_m)))
}

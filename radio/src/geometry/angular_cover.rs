//! The directions from a point that nearer walls block; walls behind them need no look.

use geo::Coord;

/// A direction as a number from 0 to 4 that grows anticlockwise from the east, without trigonometry.
pub fn pseudo_angle(step: Coord<f64>) -> f64 {
    let part = step.x / (step.x.abs() + step.y.abs()).max(1e-300);
    if step.y >= 0.0 { 1.0 - part } else { 3.0 + part }
}

/// The ranges between two directions, anticlockwise: two ranges where they cross the east.
fn ranges(from: Coord<f64>, to: Coord<f64>) -> [(f64, f64); 2] {
    let (from, to) = (pseudo_angle(from), pseudo_angle(to));
    if from <= to { [(from, to), (from, from)] } else { [(from, 4.0), (0.0, to)] }
}

/// Blocked directions as ranges in ascending order that do not touch.
#[derive(Default)]
pub struct AngularCover {
    blocked: Vec<(f64, f64)>,
}

impl AngularCover {
    /// Blocks the directions between `from` and `to`, anticlockwise.
    pub fn block(&mut self, from: Coord<f64>, to: Coord<f64>) {
        for (low, high) in ranges(from, to) {
            let first = self.blocked.partition_point(|range| range.1 < low);
            let end = first + self.blocked[first..].partition_point(|range| range.0 <= high);
            let joined = self.blocked[first..end].iter().fold((low, high), |all, range| (all.0.min(range.0), all.1.max(range.1)));
            self.blocked.splice(first..end, [joined]);
        }
    }

    /// Whether every direction between `from` and `to`, anticlockwise, is blocked.
    pub fn blocks(&self, from: Coord<f64>, to: Coord<f64>) -> bool {
        ranges(from, to).into_iter().all(|(low, high)| {
            let first = self.blocked.partition_point(|range| range.1 < high);
            self.blocked.get(first).is_some_and(|range| range.0 <= low)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocked_directions_join_and_go_across_the_east() {
        let [east, north, west, south] = [(1.0, 0.0), (0.0, 2.0), (-3.0, 0.0), (0.0, -1.0)].map(|(x, y)| Coord { x, y });
        let (south_east, north_west) = (east + south, Coord { x: -1.0, y: 1.0 });
        let mut cover = AngularCover::default();
        cover.block(south_east, north);
        assert!(cover.blocks(south_east, north) && cover.blocks(east, north) && !cover.blocks(south, east));
        assert!(!cover.blocks(north, west));
        cover.block(north, north_west);
        assert!(cover.blocks(south_east, north_west) && !cover.blocks(north, west) && !cover.blocks(north_west, south_east));
    }
}

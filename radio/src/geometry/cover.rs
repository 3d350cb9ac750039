//! Which directions from a point are blocked: what is behind them need not be looked at.

use geo::Coord;

/// Directions as numbers that grow anticlockwise from the east, 0 to 4.
fn direction(step: Coord<f64>) -> f64 {
    let part = step.x / (step.x.abs() + step.y.abs()).max(1e-300);
    if step.y >= 0.0 { 1.0 - part } else { 3.0 + part }
}

/// The ranges between two directions, anticlockwise: two where they go across the east.
fn ranges(from: Coord<f64>, to: Coord<f64>) -> [(f64, f64); 2] {
    let (from, to) = (direction(from), direction(to));
    if from <= to { [(from, to), (from, from)] } else { [(from, 4.0), (0.0, to)] }
}

/// Blocked directions as ranges in ascending order that do not touch.
#[derive(Default)]
pub struct Cover {
    blocked: Vec<(f64, f64)>,
}

impl Cover {
    /// Blocks what lies between two directions, anticlockwise.
    pub fn block(&mut self, from: Coord<f64>, to: Coord<f64>) {
        for (low, high) in ranges(from, to) {
            let first = self.blocked.partition_point(|range| range.1 < low);
            let end = first + self.blocked[first..].partition_point(|range| range.0 <= high);
            let joined = self.blocked[first..end].iter().fold((low, high), |all, range| (all.0.min(range.0), all.1.max(range.1)));
            self.blocked.splice(first..end, [joined]);
        }
    }

    /// Whether all that lies between two directions is blocked.
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
        let mut cover = Cover::default();
        cover.block(south_east, north);
        assert!(cover.blocks(south_east, north) && cover.blocks(east, north) && !cover.blocks(south, east));
        assert!(!cover.blocks(north, west));
        cover.block(north, north_west);
        assert!(cover.blocks(south_east, north_west) && !cover.blocks(north, west) && !cover.blocks(north_west, south_east));
    }
}

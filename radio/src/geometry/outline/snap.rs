//! The footprints' own corners, which are exact where the mask is good to a pixel.

use geo::Coord;
use std::collections::HashMap;

/// Footprint corners in a grid of square cells, for lookup by place.
pub struct FootprintCorners {
    reach_m: f64,
    cells: HashMap<(i64, i64), Vec<Coord<f64>>>,
}

impl FootprintCorners {
    /// Corners that an outline's corner within `reach_m` metres moves to.
    pub fn new(corners: &[Coord<f64>], reach_m: f64) -> Self {
        let mut cells: HashMap<_, Vec<_>> = HashMap::new();
        for &corner in corners {
            cells.entry(Self::cell(corner, reach_m)).or_default().push(corner);
        }
        Self { reach_m, cells }
    }

    fn cell(point: Coord<f64>, reach_m: f64) -> (i64, i64) {
        ((point.x / reach_m).floor() as i64, (point.y / reach_m).floor() as i64)
    }

    /// The ring with the footprint corners that lie along its pieces inserted.
    pub fn between(&self, ring: &[Coord<f64>]) -> Vec<Coord<f64>> {
        let mut points = Vec::with_capacity(ring.len());
        for (i, &from) in ring.iter().enumerate() {
            let to = ring[(i + 1) % ring.len()];
            points.push(from);
            let (step, low, high) = (to - from, Self::cell(from, self.reach_m), Self::cell(to, self.reach_m));
            let square = step.x * step.x + step.y * step.y;
            let mut along: Vec<(f64, Coord<f64>)> = Vec::new();
            for column in low.0.min(high.0) - 1..=low.0.max(high.0) + 1 {
                for row in low.1.min(high.1) - 1..=low.1.max(high.1) + 1 {
                    for &corner in self.cells.get(&(column, row)).into_iter().flatten() {
                        let part = corner - from;
                        let t = (part.x * step.x + part.y * step.y) / square.max(1e-12);
                        let aside = (part.x * step.y - part.y * step.x).abs() / square.sqrt().max(1e-12);
                        let (far, reach) = (t.min(1.0 - t) * square.sqrt(), self.reach_m);
                        if aside < 0.75 * reach && far > 0.5 * reach {
                            along.push((t, corner));
                        }
                    }
                }
            }
            along.sort_by(|a, b| a.0.total_cmp(&b.0));
            points.extend(along.into_iter().map(|(_, corner)| corner));
        }
        points.dedup();
        points
    }

    /// The nearest corner within reach, or the point itself.
    pub fn nearest(&self, point: Coord<f64>) -> Coord<f64> {
        let (column, row) = Self::cell(point, self.reach_m);
        let around = (-1..=1).flat_map(|dx| (-1..=1).map(move |dy| (column + dx, row + dy)));
        let distance = |corner: &Coord<f64>| (corner.x - point.x).hypot(corner.y - point.y);
        let near = around.filter_map(|cell| self.cells.get(&cell)).flatten().min_by(|a, b| distance(a).total_cmp(&distance(b)));
        near.filter(|corner| distance(corner) <= self.reach_m).copied().unwrap_or(point)
    }
}

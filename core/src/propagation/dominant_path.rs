//! The dominant path model: of all paths over building corners, a pixel takes the one with the least loss (Wölfle and
//! Landstorfer, 1998).

use super::law::DominantPathLaw;
use super::{PreparedScene, PropagationError, visibility};
use crate::map::RadioMap;
use geo::Coord;
use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// The best known path to a corner.
#[derive(Clone, Copy)]
struct Arrival {
    loss_db: f64,
    length_m: f64,
    angle_deg: f64,
    turns: f64,
    /// Unit vector of the last leg.
    direction: Coord<f64>,
}

/// A corner in the queue, least loss first.
struct Queued {
    loss_db: f64,
    corner: usize,
}

impl PartialEq for Queued {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}
impl Eq for Queued {}
impl PartialOrd for Queued {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Queued {
    fn cmp(&self, other: &Self) -> Ordering {
        other.loss_db.total_cmp(&self.loss_db).then(other.corner.cmp(&self.corner))
    }
}

/// Length and unit vector of a leg.
fn leg(from: Coord<f64>, to: Coord<f64>) -> (f64, Coord<f64>) {
    let (dx, dy) = (to.x - from.x, to.y - from.y);
    let length = libm::hypot(dx, dy);
    if length == 0.0 { (0.0, Coord { x: 0.0, y: 0.0 }) } else { (length, Coord { x: dx / length, y: dy / length }) }
}

fn turn_deg(from: Coord<f64>, to: Coord<f64>) -> f64 {
    libm::acos((from.x * to.x + from.y * to.y).clamp(-1.0, 1.0)).to_degrees()
}

impl PreparedScene {
    /// Path gain in dB, NaN inside buildings; pixels that no path reaches get the law's floor.
    pub fn dominant_path(&self, position: Coord<f64>, law: &DominantPathLaw) -> Result<RadioMap, PropagationError> {
        let start = self.outdoor_pixel(position)?;
        let size = self.grid.size;
        let in_sight = visibility::exact(&self.mask, start);
        let arrivals = self.arrivals(position, &in_sight, law);
        let mut loss: Vec<f64> = vec![f64::INFINITY; size * size];
        let mut order: Vec<usize> = (0..arrivals.len()).filter(|&c| arrivals[c].is_some()).collect();
        let loss_of = |c: usize| arrivals[c].map_or(f64::INFINITY, |a| a.loss_db);
        order.sort_by(|&a, &b| loss_of(a).total_cmp(&loss_of(b)));
        for corner in order {
            let Some(arrival) = arrivals[corner] else { continue };
            let at = self.corner_position(corner);
            for pixel in self.paths().sights[corner].iter() {
                if in_sight[pixel] != 0 || loss[pixel] <= arrival.loss_db {
                    continue;
                }
                let (length, direction) = leg(at, self.grid.pixel_center(pixel / size, pixel % size));
                let angle = arrival.angle_deg + turn_deg(arrival.direction, direction);
                loss[pixel] = loss[pixel].min(law.loss_db(arrival.length_m + length, angle, arrival.turns + 1.0));
            }
        }
        Ok(self.outdoor_map(|i, center| {
            let gain = if in_sight[i] != 0 { law.line_of_sight.gain_db(leg(position, center).0) } else { -loss[i] };
            gain.max(law.floor_db)
        }))
    }

    fn corner_position(&self, corner: usize) -> Coord<f64> {
        let (row, column) = self.paths().corners[corner].pixel;
        self.grid.pixel_center(row, column)
    }

    /// Dijkstra's search over the corners, by loss; a path's turn at a corner follows from the best way to that corner.
    fn arrivals(&self, start: Coord<f64>, in_sight: &[u8], law: &DominantPathLaw) -> Vec<Option<Arrival>> {
        let size = self.grid.size;
        let index = |c: usize| self.paths().corners[c].pixel.0 * size + self.paths().corners[c].pixel.1;
        let mut arrivals: Vec<Option<Arrival>> = vec![None; self.paths().corners.len()];
        let mut queue = BinaryHeap::new();
        for (corner, arrival) in arrivals.iter_mut().enumerate() {
            if in_sight[index(corner)] != 0 {
                let (length_m, direction) = leg(start, self.corner_position(corner));
                let loss_db = law.loss_db(length_m, 0.0, 0.0);
                *arrival = Some(Arrival { loss_db, length_m, angle_deg: 0.0, turns: 0.0, direction });
                queue.push(Queued { loss_db, corner });
            }
        }
        while let Some(Queued { loss_db, corner }) = queue.pop() {
            let Some(here) = arrivals[corner].filter(|a| a.loss_db == loss_db) else { continue };
            if loss_db > -law.floor_db {
                break;
            }
            for (next, known) in arrivals.iter_mut().enumerate() {
                if next == corner || !self.paths().sights[corner].get(index(next)) {
                    continue;
                }
                let (length, direction) = leg(self.corner_position(corner), self.corner_position(next));
                let length_m = here.length_m + length;
                let angle_deg = here.angle_deg + turn_deg(here.direction, direction);
                let turns = here.turns + 1.0;
                let loss_db = law.loss_db(length_m, angle_deg, turns);
                if known.is_none_or(|known| loss_db < known.loss_db) {
                    *known = Some(Arrival { loss_db, length_m, angle_deg, turns, direction });
                    queue.push(Queued { loss_db, corner: next });
                }
            }
        }
        arrivals
    }
}

//! How far a point over roofs sees before a higher roof comes, by direction.
//!
//! Legs over roofs end at higher ones ([`super::roofs::blocked`]), and each pixel that a leg reaches asks for a walk from its source. Few
//! sources lead to most of a map: the transmitter, and the roofs around it. For such a source all higher roofs are looked at once, and
//! what is nearer than they are needs no walk.

use crate::geometry::angular_cover::pseudo_angle;
use geo::Coord;

/// Directions that are told apart: 600 pixels away, neighbouring ones are a pixel apart.
const DIRECTIONS: usize = 4096;
/// From a pixel's centre to its corner, and a little for rounding.
const CENTER_TO_CORNER: f64 = 0.72;
/// Keeps rounding from leaving out a direction in which a pixel just lies.
const ROUNDING: f64 = 1e-9;

/// The free distance in every direction.
pub struct HigherRoofs {
    /// The pixel that is looked from, (row, column).
    from: (usize, usize),
    /// By direction, pixels from its centre.
    free: Vec<f32>,
}

impl HigherRoofs {
    /// The roofs above `over_m` of a row-major raster of metres, `size` pixels a side.
    pub fn new(meters: &[f32], size: usize, from: (usize, usize), over_m: f64) -> Self {
        let is_higher = |row: usize, column: usize| f64::from(meters[row * size + column]) > over_m;
        let mut found = Self { from, free: vec![f32::INFINITY; DIRECTIONS] };
        if is_higher(from.0, from.1) {
            found.free.fill(0.0);
            return found;
        }
        for (row, roofs) in meters.chunks(size).enumerate() {
            let rows = row.saturating_sub(1)..(row + 2).min(size);
            for column in (0..size).filter(|&column| f64::from(roofs[column]) > over_m) {
                let columns = column.saturating_sub(1)..(column + 2).min(size);
                // A walk that comes to a pixel among higher ones has met one of them before.
                if rows.clone().any(|row| columns.clone().any(|column| !is_higher(row, column))) {
                    found.stop_at(row, column);
                }
            }
        }
        found
    }

    /// Whether a walk from pixel to pixel (row, column) meets no higher roof for certain.
    pub fn is_clear(&self, (row, column): (i64, i64)) -> bool {
        let step = self.step_to(row as f64, column as f64);
        let length = (step.x * step.x + step.y * step.y).sqrt();
        length < f64::from(self.free[direction(pseudo_angle(step))])
    }

    fn step_to(&self, row: f64, column: f64) -> Coord<f64> {
        Coord { x: column - self.from.1 as f64, y: self.from.0 as f64 - row }
    }

    /// Ends the directions in which a pixel lies.
    fn stop_at(&mut self, row: usize, column: usize) {
        let step = self.step_to(row as f64, column as f64);
        let free = ((step.x * step.x + step.y * step.y).sqrt() - CENTER_TO_CORNER) as f32;
        let corner = |x: f64, y: f64| pseudo_angle(step + Coord { x, y });
        let corners = [corner(-0.5, -0.5), corner(-0.5, 0.5), corner(0.5, -0.5), corner(0.5, 0.5)];
        let ends =
            |corners: [f64; 4]| corners.into_iter().fold((f64::MAX, f64::MIN), |(low, high), corner| (low.min(corner), high.max(corner)));
        let (low, high) = ends(corners);
        // A pixel is seen under less than half of all directions; where it seems more, it lies across the east.
        let ranges = if high - low > 2.0 {
            let (low, high) = ends(corners.map(|corner| if corner < 2.0 { corner + 4.0 } else { corner }));
            [(low, 4.0), (0.0, high - 4.0)]
        } else {
            [(low, high), (low, low)]
        };
        for (low, high) in ranges {
            let directions = direction(low - ROUNDING)..=direction(high + ROUNDING);
            self.free[directions].iter_mut().for_each(|known| *known = known.min(free));
        }
    }
}

fn direction(pseudo_angle: f64) -> usize {
    ((pseudo_angle * (DIRECTIONS as f64 / 4.0)).max(0.0) as usize).min(DIRECTIONS - 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::pixel_line_of_sight::walk_pixels;

    #[test]
    fn what_is_clear_meets_no_higher_roof() {
        const SIZE: usize = 90;
        let meters: Vec<f32> = (0..SIZE * SIZE)
            .map(|i| {
                let (row, column) = (i / SIZE, i % SIZE);
                if (row / 6 + column / 9) % 5 == 0 { (row * 31 + column / 9 * 17) as f32 % 40.0 } else { 0.0 }
            })
            .collect();
        let (mut clear, mut blocked) = (0, 0);
        for from in [(0, 0), (44, 45), (10, 80), (89, 3), (60, 60)] {
            for over_m in [5.0, 20.0, 36.0] {
                let roofs = HigherRoofs::new(&meters, SIZE, from, over_m);
                for to in (0..SIZE * SIZE).map(|i| ((i / SIZE) as i64, (i % SIZE) as i64)) {
                    let mut meets = false;
                    walk_pixels(from, to, |row, column| {
                        meets |= f64::from(meters[row as usize * SIZE + column as usize]) > over_m;
                        !meets
                    });
                    assert!(!(meets && roofs.is_clear(to)), "from {from:?} to {to:?} over {over_m} m");
                    clear += usize::from(!meets && roofs.is_clear(to));
                    blocked += usize::from(!meets && !roofs.is_clear(to));
                }
            }
        }
        assert!(clear > 10 * blocked, "of free walks {clear} are known and {blocked} not");
    }
}

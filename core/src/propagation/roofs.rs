//! Paths over roofs: from the transmitter up to a wall's top in its sight, straight over all roofs (they are equally high), and down
//! from the last wall to a pixel.
//!
//! A street between the first roof and the pixel is no free passage: like every path (see [`super::dominant_path`]) this one must be
//! the best where it crosses it. Every pixel therefore knows the pixel its path over the roofs comes from, and the wavefront offers
//! it from there.

use super::Lists;
use super::law::DominantPathLaw;
use super::visibility::{Visible, walk};
use super::walls::center;
use crate::scene::{BuildingMask, Grid};
use geo::Coord;

/// Per side of the map, the blocks whose pixels share the wall they go up at.
const BLOCKS: usize = 16;

/// A pixel's path over the roofs; the loss is infinite where there is none.
#[derive(Clone)]
pub struct Descent {
    pub loss_db: f64,
    pub length_m: f64,
    pub turns_db: f64,
    /// The last leg's direction in plan, as long as the cosine of its descent.
    pub direction: Coord<f64>,
}

pub struct Roofs {
    /// Per pixel.
    pub descents: Vec<Descent>,
    /// Pixels whose path over the roofs crosses no street.
    pub first: Vec<u32>,
    /// Per pixel, those whose path over the roofs comes from it.
    pub next: Lists,
}

/// Where a path can go up.
struct Ascent {
    /// The wall's building pixel.
    pixel: usize,
    position: Coord<f64>,
    length_m: f64,
    /// Direction in plan, as long as the cosine of its rise.
    direction: Coord<f64>,
}

impl Roofs {
    pub fn new(mask: &BuildingMask, grid: Grid, law: &DominantPathLaw, transmitter: Coord<f64>, in_sight: &Visible) -> Self {
        let none = Descent { loss_db: f64::INFINITY, length_m: 0.0, turns_db: 0.0, direction: Coord { x: 0.0, y: 0.0 } };
        let mut found = Self { descents: vec![none; grid.pixels()], first: Vec::new(), next: Lists::new(0, std::iter::empty()) };
        let ascents = ascents(mask, grid, law, transmitter, in_sight);
        let mut pairs = Vec::new();
        let block = grid.size.div_ceil(BLOCKS);
        for top in (0..grid.size).step_by(block) {
            for left in (0..grid.size).step_by(block) {
                let pixels = (top..(top + block).min(grid.size)).flat_map(|r| (left..(left + block).min(grid.size)).map(move |c| r * grid.size + c));
                let mut dark = pixels.filter(|&i| mask.pixels[i] == 0 && !in_sight.get(i)).peekable();
                if dark.peek().is_none() {
                    continue;
                }
                let middle = Coord { x: (left + block / 2) as f64, y: (grid.size - top - block / 2) as f64 };
                let loss = |ascent: &Ascent| ascent.loss_db(middle, grid, law);
                let Some(ascent) = ascents.iter().min_by(|a, b| loss(a).total_cmp(&loss(b))) else { continue };
                for pixel in dark {
                    let Some((last, before)) = crossing(mask, pixel, ascent.pixel) else { continue };
                    found.descents[pixel] = ascent.descent(center(pixel, grid.size), last, grid, law);
                    match before {
                        Some(before) => pairs.push((before as u32, pixel as u32)),
                        None => found.first.push(pixel as u32),
                    }
                }
            }
        }
        found.next = Lists::new(grid.pixels(), pairs.into_iter());
        found
    }
}

/// The walls' tops in the transmitter's sight.
fn ascents(mask: &BuildingMask, grid: Grid, law: &DominantPathLaw, transmitter: Coord<f64>, in_sight: &Visible) -> Vec<Ascent> {
    let size = grid.size;
    let mut found = Vec::new();
    for pixel in (0..grid.pixels()).filter(|&i| in_sight.get(i)) {
        let (row, column) = (pixel / size, pixel % size);
        let beside = [(row > 0, pixel.wrapping_sub(size)), (row + 1 < size, pixel + size), (column > 0, pixel.wrapping_sub(1)), (column + 1 < size, pixel + 1)];
        for (_, wall) in beside.into_iter().filter(|&(on_map, wall)| on_map && mask.pixels[wall] != 0) {
            let position = (center(pixel, size) + center(wall, size)) / 2.0;
            let step = (position - transmitter) * grid.meters_per_pixel;
            let length_m = libm::sqrt(step.x * step.x + step.y * step.y + law.roof_m * law.roof_m);
            found.push(Ascent { pixel: wall, position, length_m, direction: step / length_m.max(1e-9) });
        }
    }
    found
}

impl Ascent {
    /// Loss on a roof at `to`, without the way down.
    fn loss_db(&self, to: Coord<f64>, grid: Grid, law: &DominantPathLaw) -> f64 {
        let step = to - self.position;
        let length = libm::hypot(step.x, step.y).max(1e-9);
        let turn_db = law.turn_db((self.direction.x * step.x + self.direction.y * step.y) / length);
        law.loss_db(self.length_m + length * grid.meters_per_pixel, turn_db)
    }

    /// The path down to `pixel`, `last_m` pixels behind the last wall.
    fn descent(&self, pixel: Coord<f64>, last: f64, grid: Grid, law: &DominantPathLaw) -> Descent {
        let step = pixel - self.position;
        let length = libm::hypot(step.x, step.y).max(1e-9);
        let heading = step / length;
        let over_roofs_m = (length - last).max(0.0) * grid.meters_per_pixel;
        let last_m = last * grid.meters_per_pixel;
        let down_m = libm::sqrt(last_m * last_m + law.roof_m * law.roof_m);
        let cosine = last_m / down_m.max(1e-9);
        let turns_db = law.turn_db(self.direction.x * heading.x + self.direction.y * heading.y) + law.turn_db(cosine);
        let length_m = self.length_m + over_roofs_m + down_m;
        Descent { loss_db: law.loss_db(length_m, turns_db), length_m, turns_db, direction: heading * cosine }
    }
}

/// From a pixel back towards a wall: the distance to the last wall before it, in pixels, and the pixel its path comes from, which is
/// the next one or the one across a building; `None` where that building is the one gone up at. Nothing where no building lies
/// between.
fn crossing(mask: &BuildingMask, pixel: usize, wall: usize) -> Option<(f64, Option<usize>)> {
    let size = mask.size;
    let (from, to) = ((pixel / size, pixel % size), ((wall / size) as i64, (wall % size) as i64));
    let (mut next, mut first_inside, mut across) = (None, None, None);
    walk(from, to, |row, column| {
        let at = row as usize * size + column as usize;
        let inside = mask.pixels[at] != 0;
        next.get_or_insert(at);
        if inside {
            first_inside.get_or_insert(at);
        } else if first_inside.is_some() {
            across = Some(at);
        }
        across.is_none() && !(first_inside.is_some() && next != first_inside)
    });
    let first_inside = first_inside.filter(|&at| at != wall)?;
    let step = center(first_inside, size) - center(pixel, size);
    let distance = (libm::hypot(step.x, step.y) - 0.5).max(0.0);
    // Beside a building the path comes from beyond it.
    Some((distance, if next == Some(first_inside) { across } else { next }))
}

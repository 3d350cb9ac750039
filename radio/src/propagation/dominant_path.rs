//! The dominant path model: a pixel takes the path with the least loss, round building corners and over roofs (Wölfle and
//! Landstorfer, 1998; Wahl, Wölfle et al., 2005).
//!
//! Paths spread as a wavefront, pixel by pixel in the order of their loss, over the ground and over the roofs, and a pixel keeps only
//! the best path that reaches it. So a path is not any chain of corners in sight of each other: it must be the best one at every
//! pixel on its way. This is how WinProp's maps behave (docs/measurements/dominant-path.md has the error without this rule), and it is also
//! why a map is cheap. A pixel's label says from where its path came straight; spreading a label asks only whether the next pixel is
//! in that corner's sight.

use super::law::DominantPathLaw;
use super::queue::Queue;
use super::roofs::{Slope, last_wall};
use super::{PreparedScene, PropagationError};
use crate::geometry::visibility;
use crate::geometry::walls::center;
use crate::map::RadioMap;
use geo::Coord;

/// The source of a pixel that no path has reached, and the first source of all.
const NOWHERE: u32 = u32::MAX;
const TRANSMITTER: u32 = 0;

/// Where a source stands.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    Transmitter,
    /// On the ground at a corner, by its number.
    Corner(u32),
    /// At a wall's top.
    Roof,
}

/// A place that paths go on from, straight.
struct Source {
    place: Place,
    position: Coord<f64>,
    /// Length of the path so far, in metres, and what its turns have cost.
    length_m: f64,
    turns_db: f64,
    /// The last leg's direction in plan, as long as the cosine of its slope; nothing at the transmitter.
    direction: Option<Coord<f64>>,
    /// Sources at the corners that paths reached from here, which take over where this one's sight ends.
    corners: Vec<u32>,
}

impl Source {
    /// What leaving in a direction costs, by what a turn of a cosine does; nothing at the transmitter.
    fn turn_db(&self, to: Coord<f64>, cost_db: impl Fn(f64) -> f64) -> f64 {
        self.direction.map_or(0.0, |from| cost_db(from.x * to.x + from.y * to.y))
    }
}

/// A path up to a place.
struct Path {
    length_m: f64,
    turns_db: f64,
    direction: Coord<f64>,
}

/// The wavefront.
struct Front<'a> {
    prepared: &'a PreparedScene,
    law: &'a DominantPathLaw,
    sources: Vec<Source>,
    /// Per corner, its source once a path has reached it.
    corner_source: Vec<Option<u32>>,
    loss_db: Vec<f64>,
    /// Per pixel, the source its path comes from.
    label: Vec<u32>,
    settled: Vec<bool>,
    queue: Queue,
}

impl PreparedScene {
    /// Path gain in dB, NaN inside buildings; pixels that no path reaches get the law's floor.
    pub fn dominant_path(&self, position: Coord<f64>, law: &DominantPathLaw) -> Result<RadioMap, PropagationError> {
        let start = self.outdoor_pixel(position)?;
        let grid = self.scene.grid;
        let mut front = Front::new(self, law, position / grid.meters_per_pixel, start.0 * grid.size + start.1);
        front.spread();
        front.fill();
        Ok(self.outdoor_map(|i, _| (-front.loss_db[i]).max(law.floor_db)))
    }
}

impl<'a> Front<'a> {
    /// Settles what is in sight and puts the first shadows into the queue. `transmitter` is in pixels.
    fn new(prepared: &'a PreparedScene, law: &'a DominantPathLaw, transmitter: Coord<f64>, start: usize) -> Self {
        let grid = prepared.scene.grid;
        let mut in_sight = visibility::shadows(&prepared.paths().walls, transmitter);
        in_sight.set(start);
        let seen: Vec<usize> = (0..grid.pixels()).filter(|&i| in_sight.get(i)).collect();
        let transmitter =
            Source { place: Place::Transmitter, position: transmitter, length_m: 0.0, turns_db: 0.0, direction: None, corners: Vec::new() };
        let mut front = Self {
            prepared,
            law,
            corner_source: vec![None; prepared.paths().walls.corners.len()],
            loss_db: vec![f64::INFINITY; grid.pixels()],
            label: vec![NOWHERE; grid.pixels()],
            settled: vec![false; grid.pixels()],
            sources: vec![transmitter],
            queue: Queue::new(),
        };
        for &pixel in &seen {
            let length = leg(front.sources[0].position, center(pixel, grid.size)).0;
            front.loss_db[pixel] = -law.line_of_sight.gain_db(length * grid.meters_per_pixel);
            front.label[pixel] = TRANSMITTER;
            front.settled[pixel] = true;
        }
        // All corners in sight first: a shadow may begin at any of them.
        seen.iter().for_each(|&pixel| front.turn_corners(pixel));
        seen.iter().for_each(|&pixel| front.go_on(pixel));
        front
    }

    fn spread(&mut self) {
        while let Some((loss_db, pixel)) = self.queue.pop() {
            if loss_db > -self.law.floor_db {
                break;
            }
            if self.settled[pixel] {
                continue;
            }
            self.settled[pixel] = true;
            if !self.built(pixel) {
                self.turn_corners(pixel);
            }
            self.go_on(pixel);
        }
    }

    fn built(&self, pixel: usize) -> bool {
        self.prepared.scene.mask.pixels[pixel] != 0
    }

    /// The path that settled beside a corner can go round it.
    fn turn_corners(&mut self, pixel: usize) {
        let prepared = self.prepared;
        let (label, size) = (self.label[pixel], prepared.scene.grid.size);
        for &corner in prepared.paths().corners_beside.of(pixel) {
            if !prepared.sight(corner as usize).get(pixel) {
                continue;
            }
            if let Some(number) = self.corner_source[corner as usize] {
                // Another path was here first; beyond this one's sight it takes over.
                let known = &mut self.sources[label as usize].corners;
                if number != label && !known.contains(&number) {
                    known.push(number);
                }
                continue;
            }
            let position = prepared.paths().walls.corners[corner as usize].position;
            let from = &self.sources[label as usize];
            // Beside a corner is not yet at it: the path may go round another first.
            if from.place != Place::Roof && !prepared.paths().walls.clear(from.position, position) {
                continue;
            }
            let end = if from.place == Place::Roof { center(pixel, size) } else { position };
            let Some(path) = self.path(label, end, pixel) else { continue };
            let number = self.add(Place::Corner(corner), position, path);
            self.corner_source[corner as usize] = Some(number);
            self.sources[label as usize].corners.push(number);
            for next in around(pixel, 2, size) {
                self.offer(next, number);
            }
        }
    }

    fn add(&mut self, place: Place, position: Coord<f64>, path: Path) -> u32 {
        let Path { length_m, turns_db, direction } = path;
        self.sources.push(Source { place, position, length_m, turns_db, direction: Some(direction), corners: Vec::new() });
        (self.sources.len() - 1) as u32
    }

    /// Spreads a settled pixel's label to its neighbours, up walls, and where its source's sight ends those of the corners its paths
    /// went on to.
    fn go_on(&mut self, pixel: usize) {
        let (label, size) = (self.label[pixel], self.prepared.scene.grid.size);
        let on_ground = !self.built(pixel) && self.sources[label as usize].place != Place::Roof;
        for next in around(pixel, 1, size) {
            if self.settled[next] {
                continue;
            }
            if on_ground && self.built(next) {
                self.climb(pixel, next);
            } else if !self.offer(next, label) && !self.built(next) {
                for i in 0..self.sources[label as usize].corners.len() {
                    self.offer(next, self.sources[label as usize].corners[i]);
                }
            }
        }
    }

    /// Leads the path of a ground pixel up a wall beside it.
    fn climb(&mut self, pixel: usize, wall: usize) {
        let (label, grid) = (self.label[pixel], self.prepared.scene.grid);
        let source = &self.sources[label as usize];
        let top = (center(pixel, grid.size) + center(wall, grid.size)) / 2.0;
        let (length, heading) = leg(source.position, top);
        let slope = Slope::new(self.law, length * grid.meters_per_pixel);
        let direction = heading * slope.cosine;
        let turn_db = source.turn_db(direction, |cosine| self.law.turn_db(cosine));
        let path = Path { length_m: source.length_m + slope.length_m, turns_db: source.turns_db + turn_db, direction };
        // The turn at the top comes with where the path goes from there; none costs less than the offset.
        if self.law.loss_db(path.length_m, path.turns_db + self.law.turn_offset_db) < self.loss_db[wall] {
            let number = self.add(Place::Roof, top, path);
            if !self.offer(wall, number) || self.label[wall] != number {
                self.sources.pop();
            }
        }
    }

    /// The straight path from a source to a point in a pixel, with the turn at the source and, down from a roof, the one at the last
    /// wall; nothing where there is none.
    fn path(&self, number: u32, to: Coord<f64>, pixel: usize) -> Option<Path> {
        let source = &self.sources[number as usize];
        let meters = self.prepared.scene.grid.meters_per_pixel;
        let (length, heading) = leg(source.position, to);
        let turn_db = source.turn_db(heading, |cosine| self.law.turn_db(cosine));
        let straight = Path { length_m: source.length_m + length * meters, turns_db: source.turns_db + turn_db, direction: heading };
        if source.place != Place::Roof || self.built(pixel) {
            return Some(straight);
        }
        let run_m = last_wall(&self.prepared.scene.mask, pixel, source.position)? * meters;
        let down = Slope::new(self.law, run_m);
        let length_m = straight.length_m + down.length_m - run_m;
        Some(Path { length_m, turns_db: straight.turns_db + self.law.turn_db(down.cosine), direction: heading * down.cosine })
    }

    /// Whether a source's paths get to a pixel straight: on the ground they end at buildings and where its sight does.
    fn sees(&self, number: u32, pixel: usize) -> bool {
        match self.sources[number as usize].place {
            Place::Roof => true,
            // All that the transmitter sees was settled at once.
            Place::Transmitter => self.settled[pixel] && !self.built(pixel),
            Place::Corner(corner) => self.prepared.sight(corner as usize).get(pixel),
        }
    }

    /// What no straight path from a source to a point falls below, much cheaper than the path.
    fn least_loss_db(&self, number: u32, to: Coord<f64>) -> f64 {
        let source = &self.sources[number as usize];
        let (length, heading) = leg(source.position, to);
        let turn_db = source.turn_db(heading, |cosine| self.law.least_turn_db(cosine));
        let length_m = source.length_m + length * self.prepared.scene.grid.meters_per_pixel;
        self.law.least_loss_db(length_m, source.turns_db + turn_db)
    }

    /// Offers a pixel the straight path from a source; false where the source does not see it.
    fn offer(&mut self, pixel: usize, number: u32) -> bool {
        if self.settled[pixel] || self.label[pixel] == number {
            return true;
        }
        if !self.sees(number, pixel) {
            return false;
        }
        let to = center(pixel, self.prepared.scene.grid.size);
        if self.least_loss_db(number, to) >= self.loss_db[pixel] {
            return true;
        }
        let Some(path) = self.path(number, to, pixel) else { return false };
        let loss_db = self.law.loss_db(path.length_m, path.turns_db);
        if loss_db < self.loss_db[pixel] {
            self.loss_db[pixel] = loss_db;
            self.label[pixel] = number;
            self.queue.push(loss_db, pixel);
        }
        true
    }

    /// Pixels that an outline cut off from their surroundings take the best of their neighbours' losses.
    fn fill(&mut self) {
        let size = self.prepared.scene.grid.size;
        let unreached: Vec<usize> = (0..self.loss_db.len()).filter(|&i| self.loss_db[i].is_infinite() && !self.built(i)).collect();
        let outdoors = |i: usize| if self.built(i) { f64::INFINITY } else { self.loss_db[i] };
        let filled: Vec<f64> = unreached.iter().map(|&i| around(i, 1, size).map(outdoors).fold(f64::INFINITY, f64::min)).collect();
        for (i, loss_db) in unreached.into_iter().zip(filled) {
            self.loss_db[i] = loss_db;
        }
    }
}

/// Pixels at most `reach` rows and columns away.
fn around(pixel: usize, reach: usize, size: usize) -> impl Iterator<Item = usize> {
    let (row, column) = (pixel / size, pixel % size);
    let (first, end) = (column.saturating_sub(reach), (column + reach + 1).min(size));
    (row.saturating_sub(reach)..(row + reach + 1).min(size)).flat_map(move |r| r * size + first..r * size + end)
}

/// Length and unit vector of a leg.
fn leg(from: Coord<f64>, to: Coord<f64>) -> (f64, Coord<f64>) {
    let step = to - from;
    let length = (step.x * step.x + step.y * step.y).sqrt();
    (length, step / length.max(1e-9))
}

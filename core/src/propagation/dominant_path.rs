//! The dominant path model: a pixel takes the path with the least loss, round building corners and over roofs (Wölfle and
//! Landstorfer, 1998; Wahl, Wölfle et al., 2005).
//!
//! Paths spread as a wavefront, pixel by pixel in the order of their loss, and a pixel keeps only the best path that reaches it. So
//! a path is not any chain of corners in sight of each other: it must be the best one at every pixel on its way. This is how
//! WinProp's maps behave (docs/dominant-path.md shows what they look like otherwise), and it is also why a map is cheap. A pixel's
//! label says where its path turned last; spreading a label asks only whether the next pixel is in that corner's sight.

use super::law::DominantPathLaw;
use super::roofs::Roofs;
use super::walls::center;
use super::{PreparedScene, PropagationError, visibility};
use crate::map::RadioMap;
use geo::Coord;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Where a pixel's path comes from: a corner's number, or one of these.
const NOWHERE: u32 = u32::MAX;
const TRANSMITTER: u32 = u32::MAX - 1;
const ROOF: u32 = u32::MAX - 2;

/// A corner that a path has reached.
#[derive(Clone)]
struct Arrival {
    /// Length of the path so far, in metres, and what its turns have cost.
    length_m: f64,
    turns_db: f64,
    /// The last leg's direction; shorter than 1 where it descends.
    direction: Coord<f64>,
    /// Corners that paths reached from here, which take over where this one's sight ends.
    children: Vec<u32>,
}

/// The wavefront.
struct Front<'a> {
    prepared: &'a PreparedScene,
    law: &'a DominantPathLaw,
    transmitter: Coord<f64>,
    loss_db: Vec<f64>,
    label: Vec<u32>,
    settled: Vec<bool>,
    arrivals: Vec<Option<Arrival>>,
    first_corners: Vec<u32>,
    roofs: Roofs,
    queue: BinaryHeap<Reverse<(u64, u32)>>,
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
        let (grid, mask) = (prepared.scene.grid, &prepared.scene.mask);
        let mut in_sight = visibility::shadows(&prepared.paths().walls.walls, mask, transmitter);
        in_sight.set(start);
        let mut loss_db = vec![f64::INFINITY; grid.pixels()];
        let mut label = vec![NOWHERE; grid.pixels()];
        let settled: Vec<bool> = (0..grid.pixels()).map(|i| in_sight.get(i) || mask.pixels[i] != 0).collect();
        for i in (0..grid.pixels()).filter(|&i| in_sight.get(i)) {
            let step = center(i, grid.size) - transmitter;
            loss_db[i] = -law.line_of_sight.gain_db(libm::hypot(step.x, step.y) * grid.meters_per_pixel);
            label[i] = TRANSMITTER;
        }
        let roofs = Roofs::new(mask, grid, law, transmitter, &in_sight);
        let arrivals = vec![None; prepared.paths().walls.corners.len()];
        let mut front = Self {
            prepared,
            law,
            transmitter,
            loss_db,
            label,
            settled,
            arrivals,
            first_corners: Vec::new(),
            roofs,
            queue: BinaryHeap::new(),
        };
        for i in (0..grid.pixels()).filter(|&i| in_sight.get(i)) {
            front.turn_corners(i);
        }
        for i in (0..grid.pixels()).filter(|&i| in_sight.get(i)) {
            front.reach_neighbours(i);
        }
        for &pixel in &front.roofs.first.clone() {
            front.offer(pixel as usize, ROOF);
        }
        front
    }

    fn spread(&mut self) {
        while let Some(Reverse((loss, pixel))) = self.queue.pop() {
            let pixel = pixel as usize;
            if self.settled[pixel] || self.loss_db[pixel].to_bits() != loss {
                continue;
            }
            if self.loss_db[pixel] > -self.law.floor_db {
                break;
            }
            self.settled[pixel] = true;
            self.turn_corners(pixel);
            self.reach_neighbours(pixel);
            if self.label[pixel] == ROOF {
                for i in 0..self.roofs.next.of(pixel).len() {
                    self.offer(self.roofs.next.of(pixel)[i] as usize, ROOF);
                }
            }
        }
    }

    /// The path that settled beside a corner can go round it.
    fn turn_corners(&mut self, pixel: usize) {
        let prepared = self.prepared;
        for &corner in prepared.paths().corners_beside.of(pixel) {
            let from = self.label[pixel];
            if self.arrivals[corner as usize].is_some() || !prepared.sight(corner as usize).get(pixel) {
                continue;
            }
            let Some(arrival) = self.arrive(corner, from, pixel) else { continue };
            self.arrivals[corner as usize] = Some(arrival);
            self.children(from).push(corner);
            let size = prepared.scene.grid.size;
            let (row, column) = (pixel / size, pixel % size);
            for r in row.saturating_sub(2)..(row + 3).min(size) {
                for c in column.saturating_sub(2)..(column + 3).min(size) {
                    self.offer_in_sight(r * size + c, corner);
                }
            }
        }
    }

    /// The path to a corner from where a pixel beside it has its own.
    fn arrive(&self, corner: u32, from: u32, pixel: usize) -> Option<Arrival> {
        let at = self.prepared.paths().walls.corners[corner as usize].position;
        let meters = self.prepared.scene.grid.meters_per_pixel;
        let (length_m, turns_db, direction) = match from {
            TRANSMITTER => {
                let (length, direction) = leg(self.transmitter, at);
                (length * meters, 0.0, direction)
            }
            ROOF => {
                let descent = &self.roofs.descents[pixel];
                (descent.length_m, descent.turns_db, descent.direction)
            }
            _ => {
                let here = self.arrivals[from as usize].as_ref()?;
                let (length, direction) = leg(self.position(from), at);
                let turn = self.law.turn_db(here.direction.x * direction.x + here.direction.y * direction.y);
                (here.length_m + length * meters, here.turns_db + turn, direction)
            }
        };
        Some(Arrival { length_m, turns_db, direction, children: Vec::new() })
    }

    fn position(&self, corner: u32) -> Coord<f64> {
        self.prepared.paths().walls.corners[corner as usize].position
    }

    fn children(&mut self, label: u32) -> &mut Vec<u32> {
        match label {
            TRANSMITTER | ROOF => &mut self.first_corners,
            corner => match &mut self.arrivals[corner as usize] {
                Some(arrival) => &mut arrival.children,
                None => &mut self.first_corners,
            },
        }
    }

    /// Spreads a settled pixel's label, or beyond its sight those of the corners its paths went on to.
    fn reach_neighbours(&mut self, pixel: usize) {
        let size = self.prepared.scene.grid.size;
        let (row, column, label) = (pixel / size, pixel % size, self.label[pixel]);
        for r in row.saturating_sub(1)..(row + 2).min(size) {
            for c in column.saturating_sub(1)..(column + 2).min(size) {
                let next = r * size + c;
                if self.settled[next] || label < ROOF && self.offer_in_sight(next, label) {
                    continue;
                }
                for i in 0..self.children(label).len() {
                    let child = self.children(label)[i];
                    self.offer_in_sight(next, child);
                }
            }
        }
    }

    /// Offers a pixel the path over a corner; false where the corner does not see it.
    fn offer_in_sight(&mut self, pixel: usize, corner: u32) -> bool {
        let seen = self.prepared.sight(corner as usize).get(pixel);
        if seen {
            self.offer(pixel, corner);
        }
        seen
    }

    /// The pixel takes the path when it is better than what it has.
    fn offer(&mut self, pixel: usize, label: u32) {
        if self.settled[pixel] || self.label[pixel] == label {
            return;
        }
        let loss_db = if label == ROOF {
            self.roofs.descents[pixel].loss_db
        } else {
            let Some(here) = &self.arrivals[label as usize] else { return };
            let (length, direction) = leg(self.position(label), center(pixel, self.prepared.scene.grid.size));
            let turn = self.law.turn_db(here.direction.x * direction.x + here.direction.y * direction.y);
            self.law.loss_db(here.length_m + length * self.prepared.scene.grid.meters_per_pixel, here.turns_db + turn)
        };
        if loss_db < self.loss_db[pixel] {
            self.loss_db[pixel] = loss_db;
            self.label[pixel] = label;
            // Positive floats sort as their bits do.
            self.queue.push(Reverse((loss_db.to_bits(), pixel as u32)));
        }
    }

    /// Pixels that an outline cut off from their surroundings take the best of their neighbours' losses.
    fn fill(&mut self) {
        let size = self.prepared.scene.grid.size;
        let unreached: Vec<usize> = (0..self.loss_db.len()).filter(|&i| self.loss_db[i].is_infinite() && !self.settled[i]).collect();
        let around = |i: usize| {
            let (row, column) = (i / size, i % size);
            (row.saturating_sub(1)..(row + 2).min(size)).flat_map(move |r| (column.saturating_sub(1)..(column + 2).min(size)).map(move |c| r * size + c))
        };
        let filled: Vec<f64> = unreached.iter().map(|&i| around(i).map(|j| self.loss_db[j]).fold(f64::INFINITY, f64::min)).collect();
        for (i, loss_db) in unreached.into_iter().zip(filled) {
            self.loss_db[i] = loss_db;
        }
    }
}

/// Length and unit vector of a leg.
fn leg(from: Coord<f64>, to: Coord<f64>) -> (f64, Coord<f64>) {
    let step = to - from;
    let length = libm::hypot(step.x, step.y);
    (length, step / length.max(1e-9))
}

//! Beams: the exact set of points that a source lights through a window.
//!
//! A source is the transmitter, a diffracting corner, or the mirror image of one of them. In its own frame a point at (X, Y) is
//! seen at slope t = Y / X and inverse depth z = 1 / X; there every straight wall is a straight line, the nearest of the walls
//! is the uppermost, and a mirror image keeps t. The lit region is thus the upper envelope of line segments, found by a
//! sweep over t: a list of [`Cell`]s, each up to one wall. A cell's reflection is a beam again. No ray is sampled: the number of
//! cells follows from the walls alone.

use super::border::RayWalls;
use crate::geometry::Wall;
use crate::geometry::walls::NONE;
use crate::scene::Grid;
use geo::{Coord, Vector2DOps};

/// The largest number of interactions of a path.
pub const MAX_INTERACTIONS: usize = 4;
/// A wall seen from nearer to its plane than this (metres) is seen edge-on.
const EDGE_ON_M: f64 = 1e-9;
/// Walls are cut off this near (metres) to the source's own plane.
const NEAR_M: f64 = 1e-6;
/// Lines nearer to a row's direction than this are level.
const LEVEL: f64 = 1e-200;
/// Narrower beams light no pixel.
const NARROWEST: f64 = 1e-12;

/// A sector of directions from a source, from a window on.
#[derive(Clone, Copy, Debug)]
pub struct Beam {
    pub apex: Coord<f64>,
    /// Unit vectors of the source's frame, mirrored as the apex is.
    pub ahead: Coord<f64>,
    pub aside: Coord<f64>,
    pub slopes: [f64; 2],
    /// The wall the beam was reflected by last, or [`NONE`].
    pub window: u32,
    pub reflections: usize,
    /// The normals of the walls on the way, mirrored into this frame, signs aside.
    pub normals: [Coord<f64>; MAX_INTERACTIONS],
}

/// A part of a beam that ends at one wall.
#[derive(Clone, Copy, Debug)]
pub struct Cell {
    pub slopes: [f64; 2],
    pub wall: u32,
    /// The corners at its two sides if these are visible, or [`NONE`].
    pub corners: [u32; 2],
}

/// A wall in a beam's frame, clipped to it.
#[derive(Clone, Copy)]
struct Span {
    slopes: [f64; 2],
    depths: [f64; 2],
    wall: u32,
    corners: [u32; 2],
}

impl Span {
    /// Inverse depth at a slope.
    fn at(&self, t: f64) -> f64 {
        let width = self.slopes[1] - self.slopes[0];
        self.depths[0] + (self.depths[1] - self.depths[0]) * ((t - self.slopes[0]) / width)
    }
}

/// Receives what a traced source lights.
pub trait Visitor {
    /// A pixel that a beam lights; `offset` is its centre from the beam's apex, metres.
    fn pixel(&mut self, beam: &Beam, pixel: usize, offset: Coord<f64>);
    /// A corner that a beam lights.
    fn corner(&mut self, beam: &Beam, corner: u32, offset: Coord<f64>);
}

/// Buffers that sweeps reuse.
#[derive(Default)]
pub struct Scratch {
    spans: Vec<Span>,
    events: Vec<f64>,
    active: Vec<u32>,
}

impl Beam {
    /// A source's own beam between two angles (radians) clockwise from `zero`, less than half a turn.
    pub fn new(apex: Coord<f64>, zero: Coord<f64>, from: f64, to: f64) -> Self {
        let (sin, cos) = libm::sincos((from + to) / 2.0);
        let ahead = Coord { x: zero.x * cos + zero.y * sin, y: zero.y * cos - zero.x * sin };
        let aside = Coord { x: ahead.y, y: -ahead.x };
        let reach = libm::tan((to - from) / 2.0);
        let normals = [Coord::default(); MAX_INTERACTIONS];
        Self { apex, ahead, aside, slopes: [-reach, reach], window: NONE, reflections: 0, normals }
    }

    fn mirrored(&self, cell: &Cell, wall: &Wall) -> Self {
        let n = wall.normal;
        let mirror = |v: Coord<f64>| v - n * (2.0 * v.dot_product(n));
        let mut beam = Self {
            apex: wall.ends[0] + mirror(self.apex - wall.ends[0]),
            ahead: mirror(self.ahead),
            aside: mirror(self.aside),
            slopes: cell.slopes,
            window: cell.wall,
            reflections: self.reflections + 1,
            normals: self.normals.map(mirror),
        };
        beam.normals[self.reflections] = n;
        beam
    }

    /// The point where a ray at slope `t` meets a wall's line.
    fn meets(&self, t: f64, wall: &Wall) -> Coord<f64> {
        let ray = self.ahead + self.aside * t;
        self.apex + ray * ((wall.ends[0] - self.apex).dot_product(wall.normal) / ray.dot_product(wall.normal))
    }

    /// The part of a wall that faces the beam and lies in it, whether or not other walls hide it.
    fn span(&self, index: u32, wall: &Wall) -> Option<Span> {
        let [a, b] = wall.ends.map(|end| end - self.apex);
        if a.dot_product(wall.normal) > -EDGE_ON_M {
            return None;
        }
        let (mut xs, mut ys) =
            ([a.dot_product(self.ahead), b.dot_product(self.ahead)], [a.dot_product(self.aside), b.dot_product(self.aside)]);
        if xs[0] < NEAR_M && xs[1] < NEAR_M {
            return None;
        }
        let mut corners = wall.corners;
        for (end, other) in [(0, 1), (1, 0)] {
            if xs[end] < NEAR_M {
                let share = (NEAR_M - xs[other]) / (xs[end] - xs[other]);
                ys[end] = ys[other] + (ys[end] - ys[other]) * share;
                xs[end] = NEAR_M;
                corners[end] = NONE;
            }
        }
        let mut span = Span { slopes: [ys[0] / xs[0], ys[1] / xs[1]], depths: [1.0 / xs[0], 1.0 / xs[1]], wall: index, corners };
        if span.slopes[0] > span.slopes[1] {
            span.slopes.swap(0, 1);
            span.depths.swap(0, 1);
            span.corners.swap(0, 1);
        }
        let [low, high] = self.slopes;
        if span.slopes[1] <= low || span.slopes[0] >= high || span.slopes[1] - span.slopes[0] < NARROWEST {
            return None;
        }
        let whole = span;
        for (end, bound, outside) in [(0, low, whole.slopes[0] < low), (1, high, whole.slopes[1] > high)] {
            if outside {
                span.slopes[end] = bound;
                span.depths[end] = whole.at(bound);
                span.corners[end] = NONE;
            }
        }
        Some(span)
    }

    /// The parts of the beam, in the order of slopes.
    pub fn cells(&self, walls: &RayWalls, scratch: &mut Scratch) -> Vec<Cell> {
        let Scratch { spans, events, active } = scratch;
        spans.clear();
        spans.extend(walls.walls.iter().enumerate().filter_map(|(i, wall)| self.span(i as u32, wall)));
        if self.window != NONE {
            // Walls meet at their ends only, so one is before the window or behind it as a whole.
            let window = &walls.walls[self.window as usize];
            spans.retain(|span| {
                let middle = (span.slopes[0] + span.slopes[1]) / 2.0;
                let depth = (self.meets(middle, window) - self.apex).dot_product(self.ahead);
                span.at(middle) * depth < 1.0 - 1e-9
            });
        }
        spans.sort_unstable_by(|a, b| a.slopes[0].total_cmp(&b.slopes[0]));
        events.clear();
        events.extend(spans.iter().flat_map(|span| span.slopes));
        events.sort_unstable_by(f64::total_cmp);
        active.clear();
        let mut cells: Vec<Cell> = Vec::new();
        let mut waiting = 0;
        for pair in events.windows(2) {
            let (from, to) = (pair[0], pair[1]);
            while waiting < spans.len() && spans[waiting].slopes[0] <= from {
                active.push(waiting as u32);
                waiting += 1;
            }
            if to - from < NARROWEST {
                continue;
            }
            let middle = (from + to) / 2.0;
            active.retain(|&i| spans[i as usize].slopes[1] >= to);
            let nearest = active.iter().map(|&i| &spans[i as usize]).max_by(|a, b| a.at(middle).total_cmp(&b.at(middle)));
            let Some(span) = nearest else { continue };
            let corner = |end: usize, t: f64| if span.slopes[end] == t { span.corners[end] } else { NONE };
            match cells.last_mut() {
                Some(last) if last.wall == span.wall && last.slopes[1] == from => {
                    last.slopes[1] = to;
                    last.corners[1] = corner(1, to);
                }
                _ => cells.push(Cell { slopes: [from, to], wall: span.wall, corners: [corner(0, from), corner(1, to)] }),
            }
        }
        cells
    }

    /// Calls `visit(pixel, offset)` for every pixel centre in a cell. Neighbouring cells share no pixel.
    fn pixels(&self, cell: &Cell, walls: &RayWalls, grid: Grid, mut visit: impl FnMut(usize, Coord<f64>)) {
        let wall = &walls.walls[cell.wall as usize];
        let far = cell.slopes.map(|t| self.meets(t, wall));
        let near = match self.window {
            NONE => [self.apex; 2],
            window => cell.slopes.map(|t| self.meets(t, &walls.walls[window as usize])),
        };
        // Lower and upper bounds of x on a row, each a line: x = through.x + slope * (y - through.y).
        let mut bounds = [([(Coord::default(), 0.0); 4], 0); 2];
        let mut bound = |inward: Coord<f64>, through: Coord<f64>| {
            // A line along a row counts as almost level: a bound far to the west or to the east.
            let x = if inward.x.abs() < LEVEL { LEVEL.copysign(inward.x) } else { inward.x };
            let (lines, count) = &mut bounds[usize::from(x < 0.0)];
            lines[*count] = (through, -inward.y / x);
            *count += 1;
        };
        bound(self.aside - self.ahead * cell.slopes[0], self.apex);
        bound((self.aside - self.ahead * cell.slopes[1]) * -1.0, self.apex);
        bound(wall.normal, wall.ends[0]);
        if self.window != NONE {
            let window = &walls.walls[self.window as usize];
            bound(window.normal, window.ends[0]);
        }
        let (size, scale) = (grid.size as f64, grid.meters_per_pixel);
        let ys = [far[0].y, far[1].y, near[0].y, near[1].y];
        let (south, north) = (ys.iter().copied().fold(f64::INFINITY, f64::min), ys.iter().copied().fold(f64::NEG_INFINITY, f64::max));
        // One more row on either side, because the bounds below decide.
        let row_of = |y: f64| (size - 0.5 - y / scale).clamp(-1.0, size);
        let rows = (row_of(north).floor().max(0.0) as usize)..((row_of(south).ceil() + 1.0).clamp(0.0, size) as usize);
        let [(lower, lowers), (upper, uppers)] = bounds;
        for row in rows {
            let y = grid.pixel_center(row, 0).y;
            let x_of = |(through, slope): &(Coord<f64>, f64)| through.x + slope * (y - through.y);
            let west = lower[..lowers].iter().map(x_of).fold(f64::NEG_INFINITY, f64::max);
            let east = upper[..uppers].iter().map(x_of).fold(f64::INFINITY, f64::min);
            let column = |x: f64| (x / scale - 0.5).ceil().clamp(0.0, size) as usize;
            for column in column(west)..column(east) {
                let x = (column as f64 + 0.5) * scale;
                visit(row * grid.size + column, Coord { x: x - self.apex.x, y: y - self.apex.y });
            }
        }
    }

    /// Visits what the beam and up to `reflections` reflections of it light.
    pub fn trace(&self, walls: &RayWalls, grid: Grid, reflections: usize, scratch: &mut Scratch, visitor: &mut impl Visitor) {
        let cells = self.cells(walls, scratch);
        let mut last = NONE;
        for cell in &cells {
            self.pixels(cell, walls, grid, |pixel, offset| visitor.pixel(self, pixel, offset));
            for corner in cell.corners {
                // A corner between two visible walls is visited once.
                if corner != NONE && corner != last {
                    visitor.corner(self, corner, walls.corners[corner as usize].position - self.apex);
                    last = corner;
                }
            }
        }
        if reflections > 0 {
            for cell in &cells {
                let wall = &walls.walls[cell.wall as usize];
                if walls.reflects(cell.wall) {
                    self.mirrored(cell, wall).trace(walls, grid, reflections - 1, scratch, visitor);
                }
            }
        }
    }
}

//! Beams: sectors of directions from a source, through a window.
//!
//! A source is the transmitter, a diffracting corner, or the mirror image of one of them. In its own frame a point at (X, Y) is
//! seen at slope t = Y / X and inverse depth z = 1 / X; there every straight wall is a straight line ([`Span`]), nearer walls lie above
//! farther ones, and a mirror image keeps t and z. [`super::sight`] finds what a beam lights; a lit wall's reflection is a beam again.
//! No ray is sampled.

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
pub const NARROWEST: f64 = 1e-12;

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
    /// The shortest and the longest way of a wave before the apex, metres.
    pub before_m: [f64; 2],
    /// No path by this beam is longer in plan, metres.
    pub reach_m: f64,
    pub reflections: usize,
    /// The walls on the way, and their normals, mirrored into this frame, signs aside.
    pub mirrors: [u32; MAX_INTERACTIONS],
    pub normals: [Coord<f64>; MAX_INTERACTIONS],
}

/// A wall in a beam's frame, clipped to it.
#[derive(Clone, Copy, Debug)]
pub struct Span {
    pub slopes: [f64; 2],
    depths: [f64; 2],
    pub wall: u32,
    pub top_m: f64,
    /// Whether it ends every ray of the beam.
    pub ends_rays: bool,
    /// Whether its outside faces the beam.
    pub facing: bool,
    /// The corners at its two sides if these are in the beam, or [`NONE`].
    pub corners: [u32; 2],
}

impl Span {
    /// Inverse depth at a slope.
    pub fn at(&self, t: f64) -> f64 {
        let width = self.slopes[1] - self.slopes[0];
        self.depths[0] + (self.depths[1] - self.depths[0]) * ((t - self.slopes[0]) / width)
    }

    /// Distance from the apex at a slope, metres.
    pub fn distance_m(&self, t: f64) -> f64 {
        (1.0 + t * t).sqrt() / self.at(t)
    }
}

impl Beam {
    /// A source's own beam between two angles (radians) clockwise from `zero`, less than half a turn.
    pub fn new(apex: Coord<f64>, zero: Coord<f64>, from: f64, to: f64) -> Self {
        let (sin, cos) = libm::sincos((from + to) / 2.0);
        let ahead = Coord { x: zero.x * cos + zero.y * sin, y: zero.y * cos - zero.x * sin };
        let aside = Coord { x: ahead.y, y: -ahead.x };
        let reach = libm::tan((to - from) / 2.0);
        Self {
            apex,
            ahead,
            aside,
            slopes: [-reach, reach],
            window: NONE,
            before_m: [0.0; 2],
            reach_m: f64::INFINITY,
            reflections: 0,
            mirrors: [NONE; MAX_INTERACTIONS],
            normals: [Coord::default(); MAX_INTERACTIONS],
        }
    }

    /// Points farther than this from the apex, metres, are not reached.
    pub fn limit_m(&self) -> f64 {
        self.reach_m - self.before_m[0]
    }

    /// The beam that a wall reflects between two slopes.
    pub fn mirrored(&self, slopes: [f64; 2], index: u32, wall: &Wall) -> Self {
        let n = wall.normal;
        let mirror = |v: Coord<f64>| v - n * (2.0 * v.dot_product(n));
        let mut beam = Self {
            apex: wall.ends[0] + mirror(self.apex - wall.ends[0]),
            ahead: mirror(self.ahead),
            aside: mirror(self.aside),
            slopes,
            window: index,
            reflections: self.reflections + 1,
            normals: self.normals.map(mirror),
            ..*self
        };
        beam.normals[self.reflections] = n;
        beam.mirrors[self.reflections] = index;
        beam
    }

    /// The point where a ray at slope `t` meets a wall's line.
    pub fn meets(&self, t: f64, wall: &Wall) -> Coord<f64> {
        let ray = self.ahead + self.aside * t;
        self.apex + ray * ((wall.ends[0] - self.apex).dot_product(wall.normal) / ray.dot_product(wall.normal))
    }

    /// The part of a wall that lies in the beam, whether or not other walls hide it. Walls seen from behind matter only where rays pass
    /// over them.
    pub fn span(&self, index: u32, wall: &Wall, top_m: f64, both_sides: bool) -> Option<Span> {
        let [a, b] = wall.ends.map(|end| end - self.apex);
        let off_plane = a.dot_product(wall.normal);
        let facing = off_plane <= -EDGE_ON_M;
        if !(facing || both_sides && off_plane >= EDGE_ON_M) {
            return None;
        }
        let (mut xs, mut ys) =
            ([a.dot_product(self.ahead), b.dot_product(self.ahead)], [a.dot_product(self.aside), b.dot_product(self.aside)]);
        if xs[0] < NEAR_M && xs[1] < NEAR_M {
            return None;
        }
        let mut corners = if facing { wall.corners } else { [NONE; 2] };
        for (end, other) in [(0, 1), (1, 0)] {
            if xs[end] < NEAR_M {
                let share = (NEAR_M - xs[other]) / (xs[end] - xs[other]);
                ys[end] = ys[other] + (ys[end] - ys[other]) * share;
                xs[end] = NEAR_M;
                corners[end] = NONE;
            }
        }
        let mut span = Span {
            slopes: [ys[0] / xs[0], ys[1] / xs[1]],
            depths: [1.0 / xs[0], 1.0 / xs[1]],
            wall: index,
            top_m,
            ends_rays: !both_sides,
            facing,
            corners,
        };
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

    /// Calls `visit(pixel, offset)` for every pixel centre between two slopes, before the wall `far` and, where there is one, behind the
    /// wall `near`. Neighbouring regions share no pixel.
    pub fn pixels(
        &self,
        slopes: [f64; 2],
        (near, far): (u32, u32),
        walls: &RayWalls,
        grid: Grid,
        mut visit: impl FnMut(usize, Coord<f64>),
    ) {
        let wall = &walls.walls[far as usize];
        let far = slopes.map(|t| self.meets(t, wall));
        let near_ends = match near {
            NONE => [self.apex; 2],
            near => slopes.map(|t| self.meets(t, &walls.walls[near as usize])),
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
        // Into the region: before a wall, or behind it.
        let side_of = |wall: &Wall, behind: bool| {
            let away = (wall.ends[0] - self.apex).dot_product(wall.normal) > 0.0;
            if away == behind { wall.normal } else { wall.normal * -1.0 }
        };
        bound(self.aside - self.ahead * slopes[0], self.apex);
        bound((self.aside - self.ahead * slopes[1]) * -1.0, self.apex);
        bound(side_of(wall, false), wall.ends[0]);
        if near != NONE {
            let near = &walls.walls[near as usize];
            bound(side_of(near, true), near.ends[0]);
        }
        let (size, scale) = (grid.size as f64, grid.meters_per_pixel);
        let ys = [far[0].y, far[1].y, near_ends[0].y, near_ends[1].y];
        let (south, north) = (ys.iter().copied().fold(f64::INFINITY, f64::min), ys.iter().copied().fold(f64::NEG_INFINITY, f64::max));
        let limit_m = self.limit_m();
        let (south, north) = (south.max(self.apex.y - limit_m), north.min(self.apex.y + limit_m));
        // One more row on either side, because the bounds below decide.
        let row_of = |y: f64| (size - 0.5 - y / scale).clamp(-1.0, size);
        let rows = (row_of(north).floor().max(0.0) as usize)..((row_of(south).ceil() + 1.0).clamp(0.0, size) as usize);
        let [(lower, lowers), (upper, uppers)] = bounds;
        for row in rows {
            let y = grid.pixel_center(row, 0).y;
            let x_of = |(through, slope): &(Coord<f64>, f64)| through.x + slope * (y - through.y);
            let west = lower[..lowers].iter().map(x_of).fold(self.apex.x - limit_m, f64::max);
            let east = upper[..uppers].iter().map(x_of).fold(self.apex.x + limit_m, f64::min);
            let column = |x: f64| (x / scale - 0.5).ceil().clamp(0.0, size) as usize;
            for column in column(west)..column(east) {
                let x = (column as f64 + 0.5) * scale;
                visit(row * grid.size + column, Coord { x: x - self.apex.x, y: y - self.apex.y });
            }
        }
    }
}

//! Walls and the corners that paths turn at, in pixels: x to the east, y to the north from the map's south-west corner.
//!
//! Walls stand a hair inside the outlines, and corners a hair outside the walls, so that a point on a wall is outdoors and a path
//! along a wall is free. A corner knows the pixels beside it: there a path that arrives can go round it.

use super::outline::outlines;
use super::visibility::Visible;
use crate::scene::{BuildingMask, Grid, Scene};
use geo::{Coord, LineString};
use std::collections::BTreeMap;

/// How far inside its outline a wall stands, and outside its wall a corner, in pixels.
const INSET: f64 = 0.01;
/// The least turn of a wall that makes a corner, in radians.
const LEAST_TURN: f64 = 0.02;
/// The side of a tile, in pixels.
const TILE: f64 = 16.0;
/// Pixels whose centre is no farther than this are beside a corner.
const BESIDE: f64 = 1.5;

/// A wall from one point to the other, the building on its left.
#[derive(Clone, Copy, Debug)]
pub struct Wall {
    pub from: Coord<f64>,
    pub to: Coord<f64>,
}

/// A convex corner of a building.
#[derive(Clone, Debug)]
pub struct Corner {
    pub position: Coord<f64>,
    /// Outdoor pixels beside it, row-major indices.
    pub beside: Vec<u32>,
}

/// Walls that are near each other, between two corners of the rectangle round them.
pub struct Tile {
    low: Coord<f64>,
    high: Coord<f64>,
    pub walls: Vec<Wall>,
}

/// All of a scene's walls and corners.
pub struct Walls {
    /// Side of the map.
    pub size: usize,
    pub outdoors: Visible,
    /// The walls, by where they are.
    pub tiles: Vec<Tile>,
    pub corners: Vec<Corner>,
}

/// The centre of a pixel.
pub fn center(pixel: usize, size: usize) -> Coord<f64> {
    Coord { x: (pixel % size) as f64 + 0.5, y: (size - pixel / size) as f64 - 0.5 }
}

impl Walls {
    pub fn of(scene: &Scene) -> Self {
        Self::new(&outlines(&scene.mask, scene.grid, &scene.buildings), &scene.mask, scene.grid)
    }

    /// Whether no wall stands between two points.
    pub fn clear(&self, a: Coord<f64>, b: Coord<f64>) -> bool {
        let side = |a: Coord<f64>, b: Coord<f64>, p: Coord<f64>| (b.x - a.x) * (p.y - a.y) - (b.y - a.y) * (p.x - a.x) > 0.0;
        let crosses =
            |wall: &Wall| side(a, b, wall.from) != side(a, b, wall.to) && side(wall.from, wall.to, a) != side(wall.from, wall.to, b);
        let near = |tile: &&Tile| {
            let apart = |a: f64, b: f64, low: f64, high: f64| a.max(b) < low || a.min(b) > high;
            let corners = [tile.low, tile.high, Coord { x: tile.low.x, y: tile.high.y }, Coord { x: tile.high.x, y: tile.low.y }];
            !apart(a.x, b.x, tile.low.x, tile.high.x)
                && !apart(a.y, b.y, tile.low.y, tile.high.y)
                && corners.iter().any(|&corner| side(a, b, corner) != side(a, b, corners[0]))
        };
        !self.tiles.iter().filter(near).flat_map(|tile| &tile.walls).any(crosses)
    }

    fn new(rings: &[LineString<f64>], mask: &BuildingMask, grid: Grid) -> Self {
        let (mut walls, mut corners) = (Vec::new(), Vec::new());
        for ring in rings {
            let points: Vec<Coord<f64>> = ring.coords().map(|&p| p / grid.meters_per_pixel).collect();
            add(&points[..points.len() - 1], mask, &mut walls, &mut corners);
        }
        Self { size: mask.size, outdoors: Visible::outdoors(mask), tiles: tiles(&walls), corners }
    }
}

/// Adds the walls and the corners of a ring.
fn add(ring: &[Coord<f64>], mask: &BuildingMask, walls: &mut Vec<Wall>, corners: &mut Vec<Corner>) {
    let count = ring.len();
    let mut inset = Vec::with_capacity(count);
    for (i, &point) in ring.iter().enumerate() {
        let (before, after) = (unit(ring[(i + count - 1) % count], point), unit(point, ring[(i + 1) % count]));
        // Left of the way is inside.
        let inward = Coord { x: -before.y - after.y, y: before.x + after.x };
        let cosine = before.x * after.x + before.y * after.y;
        // At a needle's tip the exact offset would run far along it.
        let wall = point + inward * (INSET / (1.0 + cosine).max(0.2));
        inset.push(wall);
        let turn = libm::atan2(before.x * after.y - before.y * after.x, cosine);
        if turn > LEAST_TURN {
            let length = libm::hypot(inward.x, inward.y).max(1e-9);
            let position = wall - inward * (2.0 * INSET / length);
            corners.push(Corner { position, beside: beside(position, mask) });
        }
    }
    walls.extend((0..count).map(|i| Wall { from: inset[i], to: inset[(i + 1) % count] }));
}

/// Squares of [`TILE`] pixels, each with the walls whose middle is in it.
fn tiles(walls: &[Wall]) -> Vec<Tile> {
    let mut by_square: BTreeMap<(i64, i64), Vec<Wall>> = BTreeMap::new();
    for &wall in walls {
        let square = (wall.from + wall.to) / (2.0 * TILE);
        by_square.entry((square.y.floor() as i64, square.x.floor() as i64)).or_default().push(wall);
    }
    let tile = |walls: Vec<Wall>| {
        let ends = || walls.iter().flat_map(|wall| [wall.from, wall.to]);
        let low = ends().reduce(|a, b| Coord { x: a.x.min(b.x), y: a.y.min(b.y) }).unwrap_or_default();
        let high = ends().reduce(|a, b| Coord { x: a.x.max(b.x), y: a.y.max(b.y) }).unwrap_or_default();
        Tile { low, high, walls }
    };
    by_square.into_values().map(tile).collect()
}

impl Tile {
    /// The square of its distance from a point.
    pub fn nearest(&self, from: Coord<f64>) -> f64 {
        let x = (self.low.x - from.x).max(from.x - self.high.x).max(0.0);
        let y = (self.low.y - from.y).max(from.y - self.high.y).max(0.0);
        x * x + y * y
    }

    /// Its rightmost and its leftmost corner, seen from a point outside it.
    pub fn span(&self, from: Coord<f64>) -> (Coord<f64>, Coord<f64>) {
        let (low, high) = (self.low - from, self.high - from);
        let corners = [low, Coord { x: high.x, y: low.y }, high, Coord { x: low.x, y: high.y }];
        let left_of = |a: Coord<f64>, b: Coord<f64>| a.x * b.y - a.y * b.x > 0.0;
        let pick = |better: &dyn Fn(Coord<f64>, Coord<f64>) -> bool| {
            corners[1..].iter().fold(corners[0], |best, &p| if better(best, p) { p } else { best })
        };
        (pick(&|best, p| left_of(p, best)), pick(&left_of))
    }
}

fn unit(from: Coord<f64>, to: Coord<f64>) -> Coord<f64> {
    let step = to - from;
    step / libm::hypot(step.x, step.y).max(1e-12)
}

fn beside(position: Coord<f64>, mask: &BuildingMask) -> Vec<u32> {
    let size = mask.size as i64;
    let (row, column) = ((size as f64 - position.y).floor() as i64, position.x.floor() as i64);
    let mut pixels = Vec::new();
    for r in (row - 2).max(0)..(row + 3).min(size) {
        for c in (column - 2).max(0)..(column + 3).min(size) {
            let pixel = (r * size + c) as usize;
            let step = center(pixel, mask.size) - position;
            if mask.pixels[pixel] == 0 && libm::hypot(step.x, step.y) <= BESIDE {
                pixels.push(pixel as u32);
            }
        }
    }
    pixels
}

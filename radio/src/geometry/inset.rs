//! Walls and corners in pixels, moved by a hair: what the dominant path sees past.
//!
//! Walls stand [`INSET`] inside the outlines and turning points [`INSET`] outside them, so that a point on an outline is outdoors and a
//! path along a wall is free. Coordinates are in pixels, x to the east and y to the north from the map's south-west corner. A turning
//! point knows the outdoor pixels at it, where paths turn at the corner itself, and those beside it.

use super::pixel_set::PixelSet;
use super::walls::Walls;
use crate::arithmetic;
use crate::scene::{BuildingMask, Grid};
use geo::{Coord, Vector2DOps};
use std::collections::BTreeMap;

/// Distance from an outline in to its wall, and out to its turning points, in pixels.
const INSET: f64 = 0.01;
/// The side of a tile, in pixels.
const TILE: f64 = 16.0;
/// Pixels whose centre is no farther from a corner than this are beside it, in pixels.
const BESIDE: f64 = 1.5;
/// Pixels whose centre is no farther from a corner than this are at it, in pixels: all those that touch it.
const AT: f64 = 0.75;

/// A wall from one point to the other with the building on its left.
#[derive(Clone, Copy, Debug)]
pub struct Segment {
    pub from: Coord<f64>,
    pub to: Coord<f64>,
}

/// A corner that paths turn at.
#[derive(Clone, Debug)]
pub struct TurningPoint {
    pub position: Coord<f64>,
    /// Outdoor pixels beside it, row-major indices.
    pub beside: Vec<u32>,
    /// Those of them that are at it: paths turn at the corner itself there.
    pub at: Vec<u32>,
}

/// Walls that are near each other, with the rectangle round them from `low` to `high`.
pub struct Tile {
    low: Coord<f64>,
    high: Coord<f64>,
    pub walls: Vec<Segment>,
}

/// All walls and corners of a scene in pixels.
pub struct InsetWalls {
    /// Side of the map in pixels.
    pub size: usize,
    pub outdoors: PixelSet,
    pub tiles: Vec<Tile>,
    pub corners: Vec<TurningPoint>,
}

/// The centre of a pixel, given by its row-major index, in pixels.
pub fn center(pixel: usize, size: usize) -> Coord<f64> {
    center_at((pixel / size, pixel % size), size)
}

/// The centre of the pixel at (row, column), in pixels.
pub fn center_at((row, column): (usize, usize), size: usize) -> Coord<f64> {
    Coord { x: column as f64 + 0.5, y: (size - row) as f64 - 0.5 }
}

/// The pixel (row, column) that a point in pixels lies in, to its south and east where it lies on an edge; on the map's, the pixel may be
/// off it. [`Grid::pixel_of`] has the pixel to the north there.
pub fn pixel_at(position: Coord<f64>, size: usize) -> (i64, i64) {
    ((size as f64 - position.y).floor() as i64, position.x.floor() as i64)
}

/// A pixel (row, column) that is one of the map's.
pub fn on_map((row, column): (i64, i64), size: usize) -> Option<(usize, usize)> {
    let inside = 0..size as i64;
    (inside.contains(&row) && inside.contains(&column)).then_some((row as usize, column as usize))
}

/// A wall's beginning, once inset.
struct Inset {
    position: Coord<f64>,
    /// Into the building, as long as 2 cos(half the turn).
    inward: Coord<f64>,
}

impl InsetWalls {
    /// From walls in metres.
    pub fn new(walls: &Walls, mask: &BuildingMask, grid: Grid) -> Self {
        let start = |wall: u32| walls.walls[wall as usize].ends[0] / grid.meters_per_pixel;
        let inset = |(wall, &[before, after]): (usize, &[u32; 2])| {
            let point = start(wall as u32);
            let (incoming, outgoing) = (unit(start(before), point), unit(point, start(after)));
            // Left of the way is inside.
            let inward = Coord { x: -incoming.y - outgoing.y, y: incoming.x + outgoing.x };
            // At a needle's tip the exact offset would run far along it.
            let cosine = incoming.dot_product(outgoing);
            Inset { position: point + inward * (INSET / (1.0 + cosine).max(0.2)), inward }
        };
        let insets: Vec<Inset> = walls.neighbours.iter().enumerate().map(inset).collect();
        let segment =
            |(wall, &[_, after]): (usize, &[u32; 2])| Segment { from: insets[wall].position, to: insets[after as usize].position };
        let segments: Vec<Segment> = walls.neighbours.iter().enumerate().map(segment).collect();
        let corners = walls.corners.iter().map(|corner| {
            let Inset { position, inward } = insets[corner.walls[0] as usize];
            let length = arithmetic::length(inward.x, inward.y).max(1e-9);
            let position = position - inward * (2.0 * INSET / length);
            let near = |reach: f64| outdoor_pixels_near(position, reach, mask);
            TurningPoint { position, beside: near(BESIDE), at: near(AT) }
        });
        Self { size: mask.size, outdoors: PixelSet::outdoors(mask), tiles: tiles(&segments), corners: corners.collect() }
    }

    /// Whether no wall stands between two points.
    pub fn clear(&self, a: Coord<f64>, b: Coord<f64>) -> bool {
        let left_of = |a: Coord<f64>, b: Coord<f64>, p: Coord<f64>| (b - a).wedge_product(p - a) > 0.0;
        let crosses = |wall: &Segment| {
            left_of(a, b, wall.from) != left_of(a, b, wall.to) && left_of(wall.from, wall.to, a) != left_of(wall.from, wall.to, b)
        };
        !walls_near(&self.tiles, a, b).any(crosses)
    }
}

/// The walls of the tiles that the way from one point to another may meet or touch.
pub fn walls_near(tiles: &[Tile], a: Coord<f64>, b: Coord<f64>) -> impl Iterator<Item = &Segment> {
    let side = move |corner: Coord<f64>| (b - a).wedge_product(corner - a);
    let near = move |tile: &&Tile| {
        let apart = |a: f64, b: f64, low: f64, high: f64| a.max(b) < low || a.min(b) > high;
        let corners = [tile.low, tile.high, Coord { x: tile.low.x, y: tile.high.y }, Coord { x: tile.high.x, y: tile.low.y }];
        !apart(a.x, b.x, tile.low.x, tile.high.x)
            && !apart(a.y, b.y, tile.low.y, tile.high.y)
            && corners.iter().any(|&corner| side(corner) >= 0.0)
            && corners.iter().any(|&corner| side(corner) <= 0.0)
    };
    tiles.iter().filter(near).flat_map(|tile| &tile.walls)
}

/// Squares of [`TILE`] x [`TILE`] pixels, each with the walls whose middle is in it.
pub fn tiles(walls: &[Segment]) -> Vec<Tile> {
    let mut by_square: BTreeMap<(i64, i64), Vec<Segment>> = BTreeMap::new();
    for &wall in walls {
        let square = (wall.from + wall.to) / (2.0 * TILE);
        by_square.entry((square.y.floor() as i64, square.x.floor() as i64)).or_default().push(wall);
    }
    let tile = |walls: Vec<Segment>| {
        let ends = || walls.iter().flat_map(|wall| [wall.from, wall.to]);
        let low = ends().reduce(|a, b| Coord { x: a.x.min(b.x), y: a.y.min(b.y) }).unwrap_or_default();
        let high = ends().reduce(|a, b| Coord { x: a.x.max(b.x), y: a.y.max(b.y) }).unwrap_or_default();
        Tile { low, high, walls }
    };
    by_square.into_values().map(tile).collect()
}

impl Tile {
    /// The square of the distance from a point to the tile's rectangle.
    pub fn nearest(&self, from: Coord<f64>) -> f64 {
        let x = (self.low.x - from.x).max(from.x - self.high.x).max(0.0);
        let y = (self.low.y - from.y).max(from.y - self.high.y).max(0.0);
        x * x + y * y
    }

    /// The rightmost and the leftmost corner of the rectangle, seen from a point outside it.
    pub fn span(&self, from: Coord<f64>) -> (Coord<f64>, Coord<f64>) {
        let (low, high) = (self.low - from, self.high - from);
        let corners = [low, Coord { x: high.x, y: low.y }, high, Coord { x: low.x, y: high.y }];
        let left_of = |a: Coord<f64>, b: Coord<f64>| a.wedge_product(b) > 0.0;
        let pick = |better: &dyn Fn(Coord<f64>, Coord<f64>) -> bool| {
            corners[1..].iter().fold(corners[0], |best, &p| if better(best, p) { p } else { best })
        };
        (pick(&|best, p| left_of(p, best)), pick(&left_of))
    }
}

/// Unit vector from one point to another.
fn unit(from: Coord<f64>, to: Coord<f64>) -> Coord<f64> {
    let step = to - from;
    step / arithmetic::length(step.x, step.y).max(1e-12)
}

/// The outdoor pixels whose centre is at most `reach` from a point, up to 2 pixels.
fn outdoor_pixels_near(position: Coord<f64>, reach: f64, mask: &BuildingMask) -> Vec<u32> {
    let (size, (row, column)) = (mask.size as i64, pixel_at(position, mask.size));
    let mut pixels = Vec::new();
    for r in (row - 2).max(0)..(row + 3).min(size) {
        for c in (column - 2).max(0)..(column + 3).min(size) {
            let pixel = (r * size + c) as usize;
            let step = center(pixel, mask.size) - position;
            if mask.pixels[pixel] == 0 && arithmetic::length(step.x, step.y) <= reach {
                pixels.push(pixel as u32);
            }
        }
    }
    pixels
}

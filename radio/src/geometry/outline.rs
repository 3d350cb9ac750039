//! The outlines of what is built, read off the building mask: the walls that paths bend round and reflect on.
//!
//! The mask decides what is a building, so overlapping, touching, nested and broken footprints give one clean outline, and a scene
//! that came as a raster has outlines too. Where there are footprints, an outline's corners move to the footprint's own, which are
//! exact where the mask is good to a pixel. In flow the mask and the footprints; out flow closed rings.

use crate::scene::{Building, BuildingMask, Grid};
use geo::{Coord, LineString};
use std::collections::HashMap;

/// How far from where one straight piece of an outline ends and the next begins their corner may lie, in pixels.
const STRAY_PIXELS: f64 = 2.5;
/// A footprint's corner is an outline's when it is no farther than this, in pixels.
const SNAP_PIXELS: f64 = 1.2;

/// Where a corner at a pixel's centre lies, seen from the middle of all that it could be, in pixels: see [`TIE`].
const LIKELY: Coord<f64> = Coord { x: 0.25, y: 0.25 };
/// How far a corner may move to a pixel's centre, in pixels; what it costs, in squared pixels, to stay where it is; and what a piece
/// costs that does not separate its pixels.
const FARTHEST_MOVE: f64 = 1.6;
const STAY_COST: f64 = 4.0;
const WRONG_COST: f64 = 8.0;
/// Sides at either end of a piece that its neighbour may have as well.
const SHARED_SIDES: usize = 1;
/// Where exactly a pixel is looked at, to the north and east of its centre: a centre on a left or lower wall is inside.
const TIE: f64 = 1e-3;

/// Directions of travel along the pixels' sides: east, north, west, south.
const STEPS: [(i64, i64); 4] = [(1, 0), (0, 1), (-1, 0), (0, -1)];

/// Closed rings in metres, buildings on their left: outer ones counter-clockwise, courtyards clockwise. Buildings that touch at a
/// pixel's corner are one.
pub fn outlines(mask: &BuildingMask, grid: Grid, buildings: &[Building]) -> Vec<LineString<f64>> {
    let corners: Vec<Coord<f64>> = buildings
        .iter()
        .flat_map(|b| std::iter::once(b.footprint.exterior()).chain(b.footprint.interiors()))
        .flat_map(|ring| ring.coords().copied())
        .collect();
    let snap = Snap::new(&corners, SNAP_PIXELS * grid.meters_per_pixel);
    trace(mask)
        .into_iter()
        .map(|ring| {
            let pieces = pieces(&ring);
            let mut corners = snapped_to_centers(&ring, &pieces, &straightened(&ring, &pieces));
            // Of a few pixels straight pieces may leave a sliver or nothing; they keep their sides.
            let pixels = area(&ring.iter().map(|side| side.at()).collect::<Vec<_>>());
            if area(&corners) / pixels < 0.5 {
                corners = (0..ring.len())
                    .filter(|&i| ring[i].direction != ring[(i + ring.len() - 1) % ring.len()].direction)
                    .map(|i| ring[i].at())
                    .collect();
            }
            let mut points: Vec<Coord<f64>> = corners.into_iter().map(|p| snap.nearest(p * grid.meters_per_pixel)).collect();
            points.dedup();
            let mut points = snap.between(&points);
            while points.len() > 1 && points.first() == points.last() {
                points.pop();
            }
            points.extend(points.first().copied());
            LineString::new(points)
        })
        .collect()
}

/// Area of a polygon, negative where it runs clockwise.
fn area(ring: &[Coord<f64>]) -> f64 {
    (0..ring.len()).map(|i| (ring[i], ring[(i + 1) % ring.len()])).map(|(a, b)| (a.x * b.y - b.x * a.y) / 2.0).sum()
}

/// A pixel's side between building and open ground, travelled with the building on the left.
#[derive(Clone, Copy)]
struct Side {
    /// Where it begins: a pixel's corner, x to the east and y to the north, in pixels.
    x: i64,
    y: i64,
    direction: usize,
}

impl Side {
    fn at(self) -> Coord<f64> {
        Coord { x: self.x as f64, y: self.y as f64 }
    }

    /// Centre of the pixel to the left or, with -1, to the right.
    fn beside(self, side: f64) -> Coord<f64> {
        let (dx, dy) = STEPS[self.direction];
        let (dx, dy) = (dx as f64, dy as f64);
        self.at() + Coord { x: 0.5 * (dx - side * dy), y: 0.5 * (dy + side * dx) }
    }

    /// Centre of the building pixel.
    fn inner(self) -> Coord<f64> {
        self.beside(1.0)
    }

    /// Centre of the open pixel.
    fn outer(self) -> Coord<f64> {
        self.beside(-1.0)
    }
}

/// Follows the sides between building and open pixels, ring by ring.
fn trace(mask: &BuildingMask) -> Vec<Vec<Side>> {
    let size = mask.size as i64;
    // By column and by height above the southern edge.
    let building =
        |x: i64, y: i64| (0..size).contains(&x) && (0..size).contains(&y) && mask.is_building((size - 1 - y) as usize, x as usize);
    let side = size + 1;
    // Per pixel corner, a bit for each direction in which an untravelled side leaves.
    let mut leaving = vec![0u8; (side * side) as usize];
    for y in 0..size {
        for x in 0..size {
            if building(x, y) {
                let open = [(0, (0, -1), (0, 0)), (1, (1, 0), (1, 0)), (2, (0, 1), (1, 1)), (3, (-1, 0), (0, 1))];
                for (direction, (dx, dy), (from_x, from_y)) in open {
                    leaving[((y + from_y) * side + x + from_x) as usize] |= u8::from(!building(x + dx, y + dy)) << direction;
                }
            }
        }
    }
    let mut rings = Vec::new();
    for start in 0..leaving.len() {
        // Every ring has a side that runs east.
        while leaving[start] & 1 != 0 {
            let (mut x, mut y, mut direction) = (start as i64 % side, start as i64 / side, 0);
            let mut ring = Vec::new();
            loop {
                let bits = &mut leaving[(y * side + x) as usize];
                // Right first: where two buildings touch at a corner, the way goes over to the other.
                let turns = if ring.is_empty() { [0, 0, 0] } else { [3, 0, 1] };
                let Some(next) = turns.map(|turn| (direction + turn) % 4).into_iter().find(|next| *bits >> next & 1 != 0) else { break };
                *bits &= !(1 << next);
                ring.push(Side { x, y, direction: next });
                direction = next;
                (x, y) = (x + STEPS[next].0, y + STEPS[next].1);
            }
            rings.push(ring);
        }
    }
    rings
}

/// A straight piece of a ring: the sides `start..start + count`, and all lines that have their inner pixels on the left and their
/// outer ones on the right.
struct Piece {
    start: usize,
    count: usize,
    line: (Coord<f64>, Coord<f64>),
}

/// Corners of the polygon with the fewest straight pieces that separates the same pixels.
///
/// Digital straight segments: a run of sides belongs to one line as long as some line separates its inner from its outer pixels
/// (O'Rourke, 1981, "An on-line algorithm for fitting straight lines between data ranges"). The middle of all such lines is taken,
/// and corners are where neighbouring lines meet.
fn straightened(ring: &[Side], pieces: &[Piece]) -> Vec<Coord<f64>> {
    let count = pieces.len();
    (0..count)
        .map(|i| {
            let (before, after) = (&pieces[(i + count - 1) % count], &pieces[i]);
            let cut = ring[after.start].at();
            meeting(before.line, after.line).filter(|p| (p.x - cut.x).hypot(p.y - cut.y) <= STRAY_PIXELS).unwrap_or(cut)
        })
        .collect()
}

/// The fewest pieces that a greedy walk finds from any start on its first piece.
fn pieces(ring: &[Side]) -> Vec<Piece> {
    let walk = |start: usize| {
        let (mut cuts, mut done) = (Vec::new(), 0);
        while done < ring.len() {
            let from = (start + done) % ring.len();
            let count = Lines::longest(ring, from, 1).min(ring.len() - done);
            cuts.push((from, count));
            done += count;
        }
        cuts
    };
    let first = walk(0);
    let starts = first.first().map_or(1, |&(_, count)| count);
    let best = (1..=starts).map(|start| walk(start % ring.len())).min_by_key(Vec::len).unwrap_or(first);
    let piece = |&(start, count): &(usize, usize)| {
        // The line of the sides that are surely its own: a greedy piece takes some of its neighbours'.
        let shared = SHARED_SIDES.min((count - 1) / 2);
        Piece { start, count, line: Lines::middle(ring, (start + shared) % ring.len(), count - 2 * shared) }
    };
    best.iter().map(piece).collect()
}

/// The lines y = slope x + offset that separate a run of sides, in a frame turned so that the run heads along x: a convex polygon of
/// (slope, offset).
#[derive(Clone)]
struct Lines {
    turn: usize,
    origin: Coord<f64>,
    feasible: Vec<(f64, f64)>,
}

/// Steepest slope in the turned frame; steeper runs head along another axis.
const STEEPEST: f64 = 1.05;
const WIDEST: f64 = 1e4;

impl Lines {
    fn new(turn: usize, origin: Coord<f64>) -> Self {
        let feasible = vec![(-STEEPEST, -WIDEST), (STEEPEST, -WIDEST), (STEEPEST, WIDEST), (-STEEPEST, WIDEST)];
        Self { turn, origin, feasible }
    }

    /// Quarter turns clockwise, so that heading `turn` becomes x.
    fn turned(&self, point: Coord<f64>) -> Coord<f64> {
        let p = point - self.origin;
        match self.turn {
            0 => p,
            1 => Coord { x: p.y, y: -p.x },
            2 => Coord { x: -p.x, y: -p.y },
            _ => Coord { x: -p.y, y: p.x },
        }
    }

    fn turned_back(&self, p: Coord<f64>) -> Coord<f64> {
        let back = match self.turn {
            0 => p,
            1 => Coord { x: -p.y, y: p.x },
            2 => Coord { x: -p.x, y: -p.y },
            _ => Coord { x: p.y, y: -p.x },
        };
        back + self.origin
    }

    /// Adds a side; false where no line is left, or where the run would turn back.
    fn add(&mut self, side: &Side) -> bool {
        if side.direction == (self.turn + 2) % 4 {
            return false;
        }
        let (inner, outer) = (self.turned(side.inner()), self.turned(side.outer()));
        self.clip(|(slope, offset)| inner.y - slope * inner.x - offset);
        self.clip(|(slope, offset)| slope * outer.x + offset - outer.y);
        !self.feasible.is_empty()
    }

    /// Keeps where `room` is not negative.
    fn clip(&mut self, room: impl Fn((f64, f64)) -> f64) {
        let corners = std::mem::take(&mut self.feasible);
        for (i, &here) in corners.iter().enumerate() {
            let next = corners[(i + 1) % corners.len()];
            let (a, b) = (room(here), room(next));
            if a >= -1e-9 {
                self.feasible.push(here);
            }
            if (a > 1e-9 && b < -1e-9) || (a < -1e-9 && b > 1e-9) {
                let t = a / (a - b);
                self.feasible.push((here.0 + t * (next.0 - here.0), here.1 + t * (next.1 - here.1)));
            }
        }
    }

    /// The most sides from `start` on, forwards or backwards, that one line separates.
    fn longest(ring: &[Side], start: usize, step: isize) -> usize {
        let along = |i: usize| &ring[(start as isize + step * i as isize).rem_euclid(ring.len() as isize) as usize];
        (0..4)
            .map(|turn| {
                let mut lines = Self::new(turn, ring[start].at());
                (0..ring.len()).take_while(|&i| lines.add(along(i))).count()
            })
            .max()
            .unwrap_or(1)
            .max(1)
    }

    /// The middle of all lines that separate `count` sides, as two points.
    fn middle(ring: &[Side], start: usize, count: usize) -> (Coord<f64>, Coord<f64>) {
        for turn in 0..4 {
            let mut lines = Self::new(turn, ring[start].at());
            if (0..count).all(|i| lines.add(&ring[(start + i) % ring.len()])) {
                let n = lines.feasible.len() as f64;
                let (slope, offset) = lines.feasible.iter().fold((0.0, 0.0), |sum, p| (sum.0 + p.0 / n, sum.1 + p.1 / n));
                let at = |x: f64| lines.turned_back(Coord { x, y: slope * x + offset });
                return (at(0.0), at(1.0));
            }
        }
        (ring[start].at(), ring[(start + count) % ring.len()].at())
    }
}

/// Where two lines cross; nothing where they are nearly parallel.
fn meeting(a: (Coord<f64>, Coord<f64>), b: (Coord<f64>, Coord<f64>)) -> Option<Coord<f64>> {
    let (u, v, w) = (a.1 - a.0, b.1 - b.0, b.0 - a.0);
    let cross = u.x * v.y - u.y * v.x;
    (cross.abs() > 0.05 * u.x.hypot(u.y) * v.x.hypot(v.y)).then(|| a.0 + u * ((w.x * v.y - w.y * v.x) / cross))
}

/// Moves corners to pixels' centres where the outline then still separates the same pixels: footprints in whole metres, as
/// RadioMapSeer's, have their corners there. Of all ways round, the one that moves the corners least (Viterbi's algorithm).
fn snapped_to_centers(ring: &[Side], pieces: &[Piece], corners: &[Coord<f64>]) -> Vec<Coord<f64>> {
    let count = corners.len();
    if count < 3 {
        return corners.to_vec();
    }
    let separates = |piece: &Piece, from: Coord<f64>, to: Coord<f64>| {
        let left = |p: Coord<f64>| (to.x - from.x) * (p.y + TIE - from.y) - (to.y - from.y) * (p.x + TIE - from.x);
        // The sides next to a corner belong to either piece.
        let own = (SHARED_SIDES..piece.count.saturating_sub(SHARED_SIDES)).map(|i| &ring[(piece.start + i) % ring.len()]);
        own.into_iter().all(|side| left(side.inner()) >= 0.0 && left(side.outer()) <= 0.0)
    };
    // Per corner, where it may go and what that costs; to stay always may.
    let choices: Vec<Vec<(Coord<f64>, f64)>> = corners
        .iter()
        .map(|&corner| {
            let likely = corner + LIKELY;
            let base = Coord { x: likely.x.floor() + 0.5, y: likely.y.floor() + 0.5 };
            let near = (-2..=2).flat_map(|dx| (-2..=2).map(move |dy| base + Coord { x: f64::from(dx), y: f64::from(dy) }));
            let square = |p: &Coord<f64>| (p.x - likely.x).powi(2) + (p.y - likely.y).powi(2);
            let near = near.map(|p| (p, square(&p))).filter(|&(_, cost)| cost <= FARTHEST_MOVE * FARTHEST_MOVE);
            near.chain([(corner, STAY_COST)]).collect()
        })
        .collect();
    let mut best: Option<(f64, Vec<usize>)> = None;
    for first in 0..choices[0].len() {
        let mut cost: Vec<f64> = (0..choices[0].len()).map(|i| if i == first { choices[0][i].1 } else { f64::INFINITY }).collect();
        let mut from: Vec<Vec<usize>> = vec![vec![0; choices[0].len()]];
        for i in 1..=count {
            let (before, here) = (&choices[i - 1], &choices[i % count]);
            let step = |j: usize| {
                let ways = (0..before.len()).filter(|&k| cost[k].is_finite());
                ways.map(|k| {
                    let stays = before[k].1 == STAY_COST && here[j].1 == STAY_COST;
                    let wrong = if stays || separates(&pieces[i - 1], before[k].0, here[j].0) { 0.0 } else { WRONG_COST };
                    (cost[k] + wrong + if i < count { here[j].1 } else { 0.0 }, k)
                })
                .min_by(|a, b| a.0.total_cmp(&b.0))
                .unwrap_or((f64::INFINITY, 0))
            };
            let steps: Vec<(f64, usize)> =
                (0..here.len()).map(|j| if i == count && j != first { (f64::INFINITY, 0) } else { step(j) }).collect();
            from.push(steps.iter().map(|s| s.1).collect());
            cost = steps.iter().map(|s| s.0).collect();
        }
        if best.as_ref().is_none_or(|(least, _)| cost[first] < *least) {
            let mut chosen = vec![first; count + 1];
            for i in (0..count).rev() {
                chosen[i] = from[i + 1][chosen[i + 1]];
            }
            best = Some((cost[first], chosen));
        }
    }
    let chosen = best.map_or_else(Vec::new, |(_, chosen)| chosen);
    (0..count).map(|i| choices[i][chosen[i]].0).collect()
}

/// Footprint corners by the square metres they lie in.
struct Snap {
    reach_m: f64,
    cells: HashMap<(i64, i64), Vec<Coord<f64>>>,
}

impl Snap {
    fn new(corners: &[Coord<f64>], reach_m: f64) -> Self {
        let mut cells: HashMap<_, Vec<_>> = HashMap::new();
        for &corner in corners {
            cells.entry(Self::cell(corner, reach_m)).or_default().push(corner);
        }
        Self { reach_m, cells }
    }

    fn cell(point: Coord<f64>, reach_m: f64) -> (i64, i64) {
        ((point.x / reach_m).floor() as i64, (point.y / reach_m).floor() as i64)
    }

    /// The ring with the corners that lie along its pieces put between their ends.
    fn between(&self, ring: &[Coord<f64>]) -> Vec<Coord<f64>> {
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
    fn nearest(&self, point: Coord<f64>) -> Coord<f64> {
        let (column, row) = Self::cell(point, self.reach_m);
        let around = (-1..=1).flat_map(|dx| (-1..=1).map(move |dy| (column + dx, row + dy)));
        let distance = |corner: &Coord<f64>| (corner.x - point.x).hypot(corner.y - point.y);
        let near = around.filter_map(|cell| self.cells.get(&cell)).flatten().min_by(|a, b| distance(a).total_cmp(&distance(b)));
        near.filter(|corner| distance(corner) <= self.reach_m).copied().unwrap_or(point)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::rasterize;
    use geo::Polygon;

    const GRID: Grid = Grid { size: 64, meters_per_pixel: 1.0 };

    fn building(corners: &[(f64, f64)]) -> Building {
        Building { footprint: Polygon::new(LineString::from(corners.to_vec()), Vec::new()), height_m: None, levels: None }
    }

    /// The corners of the outline of `corners`, rasterised and forgotten, in ascending order.
    fn outline_of(corners: &[(f64, f64)]) -> Vec<(f64, f64)> {
        let mask = rasterize(GRID, &[building(corners)]);
        let rings = outlines(&mask, GRID, &[]);
        assert_eq!(rings.len(), 1);
        let mut found: Vec<(f64, f64)> = rings[0].coords().skip(1).map(|p| (p.x, p.y)).collect();
        found.sort_by(|a, b| a.partial_cmp(b).expect("finite"));
        found
    }

    #[test]
    fn footprints_in_whole_metres_come_back_from_their_raster() {
        for corners in [
            vec![(10.5, 10.5), (10.5, 30.5), (26.5, 30.5), (26.5, 10.5)],
            vec![(8.5, 12.5), (14.5, 44.5), (34.5, 40.5), (28.5, 8.5)],
            vec![(10.5, 10.5), (10.5, 40.5), (20.5, 40.5), (20.5, 22.5), (44.5, 22.5), (44.5, 10.5)],
        ] {
            assert_eq!(outline_of(&corners), corners_ascending(&corners));
        }
    }

    fn corners_ascending(corners: &[(f64, f64)]) -> Vec<(f64, f64)> {
        let mut sorted = corners.to_vec();
        sorted.sort_by(|a, b| a.partial_cmp(b).expect("finite"));
        sorted
    }

    #[test]
    fn footprints_that_are_known_give_their_own_corners() {
        let slanted = [(8.3, 12.1), (28.4, 8.7), (34.2, 40.9), (14.6, 44.2)];
        let buildings = [building(&slanted)];
        let rings = outlines(&rasterize(GRID, &buildings), GRID, &buildings);
        let mut found: Vec<(f64, f64)> = rings[0].coords().skip(1).map(|p| (p.x, p.y)).collect();
        found.sort_by(|a, b| a.partial_cmp(b).expect("finite"));
        assert_eq!(found, corners_ascending(&slanted));
    }

    #[test]
    fn touching_overlapping_and_nested_footprints_are_one_outline() {
        let boxed = |x: f64, y: f64, w: f64, h: f64| building(&[(x, y), (x + w, y), (x + w, y + h), (x, y + h)]);
        let buildings =
            [boxed(10.0, 10.0, 10.0, 10.0), boxed(20.0, 10.0, 10.0, 10.0), boxed(15.0, 12.0, 20.0, 5.0), boxed(12.0, 12.0, 4.0, 4.0)];
        assert_eq!(outlines(&rasterize(GRID, &buildings), GRID, &buildings).len(), 1);
        // At a corner too.
        let corners = [boxed(10.0, 10.0, 10.0, 10.0), boxed(20.0, 20.0, 10.0, 10.0)];
        assert_eq!(outlines(&rasterize(GRID, &corners), GRID, &[]).len(), 1);
    }

    #[test]
    fn a_courtyard_has_an_outline_the_other_way_round() {
        let mut mask = rasterize(GRID, &[building(&[(10.0, 10.0), (40.0, 10.0), (40.0, 40.0), (10.0, 40.0)])]);
        for row in 34..44 {
            mask.pixels[row * 64 + 20..row * 64 + 30].fill(0);
        }
        let mut areas: Vec<f64> = outlines(&mask, GRID, &[]).iter().map(|ring| area(&ring.0[1..])).collect();
        areas.sort_by(f64::total_cmp);
        assert!((areas[0] + 100.0).abs() < 25.0 && (areas[1] - 900.0).abs() < 65.0, "{areas:?}");
    }

    #[test]
    fn the_smallest_buildings_have_walls() {
        for (width, height) in [(1, 1), (2, 1), (1, 3), (2, 2), (3, 2)] {
            let mut mask = BuildingMask { size: 64, pixels: vec![0; 64 * 64] };
            for row in 20..20 + height {
                mask.pixels[row * 64 + 30..row * 64 + 30 + width].fill(1);
            }
            let rings = outlines(&mask, GRID, &[]);
            assert_eq!(rings.len(), 1);
            let found = area(&rings[0].coords().skip(1).copied().collect::<Vec<_>>());
            let pixels = (width * height) as f64;
            assert!(found >= 0.5 * pixels && found <= 2.0 * pixels + 1.0, "{width} x {height}: {found}");
        }
    }

    #[test]
    fn noise_is_outlined_too() {
        let pixels = (0..64u64 * 64).map(|i| u8::from(i.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 62 == 0)).collect();
        let mask = BuildingMask { size: 64, pixels };
        assert!(outlines(&mask, GRID, &[]).iter().flat_map(|ring| ring.coords()).all(|p| p.x.is_finite() && p.y.is_finite()));
    }
}

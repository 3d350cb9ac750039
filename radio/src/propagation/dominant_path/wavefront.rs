//! The wavefront that finds dominant paths.
//!
//! Paths spread pixel by pixel in the order of their loss, over the ground and over the roofs, and a pixel keeps only the best path
//! that reaches it. A pixel notes only the source that its path came straight from. Spreading asks whether the next pixel is in that
//! source's sight; where it is not, the path turns here: at this pixel's centre, or at the corner that the pixel touches. So a path
//! is not any chain of corners in sight of each other: it must be the best path at every pixel on its way. WinProp's maps behave so
//! (docs/dominant-path.md), turns at pixels' centres included, and it makes a map cheap: few points are worth turning at, and only
//! they are looked from.
//!
//! The loss along a straight leg is not the order in which it grows: away from a sharp turn a leg may lose less than beside it. So a
//! pixel of the ground whose path has spread may still be given a better one round a corner, which spreads again.

use super::higher_roofs::HigherRoofs;
use super::levels::Levels;
use super::looks::Looks;
use super::queue::Queue;
use super::roofs::{LastWall, SAME_HEIGHT_M, Slope, blocked, last_wall};
use super::source::{LegDirection, NOWHERE, Path, PathOrigin, Source};
use crate::arithmetic::larger;
use crate::geometry::TurningPoints;
use crate::geometry::inset::{center, center_at, on_map, pixel_at};
use crate::geometry::pixel_set::PixelSet;
use crate::propagation::law::DominantPathLaw;
use crate::scene::Grid;
use geo::Coord;

/// The first source, and the second where the transmitter is higher than some roof: the same point as the beginning of paths over
/// roofs.
const TRANSMITTER: u32 = 0;
const ALOFT: u32 = 1;

/// A path climbs walls at the middles of pixels alone, and so turns aside. This is what that may cost, dB, at half of the slope at which a
/// turn costs the law's whole offset. A path straight over a wall costs as much more: nothing on the level, and without bound at that slope.
/// So a map does not change at once where an antenna passes a roof.
const ASIDE_DB: f64 = 1.0;
/// By so much less, dB, a path has to climb a wall that is hardly higher in order to count there instead of the one straight over it, which
/// is better behind the wall.
const PREFERENCE_DB: f64 = 1.0;

/// A source over roofs that was asked about legs to more than one in so many of the map's pixels looks for higher roofs in all directions.
const PIXELS_A_LOOK: usize = 64;
/// On small maps it is asked so often first.
const LEAST_ASKED: usize = 256;

/// What became of a pixel that a straight leg was to reach.
#[derive(Clone, Copy, PartialEq)]
enum Reach {
    /// The leg reaches it, or would be no better.
    Reached,
    /// It is not in the source's sight, or no wall leads down to it.
    OutOfSight,
    /// The leg leads over roofs, and a higher one stands in its way.
    Hidden,
}

/// The state of the search; coordinates are in pixels as in [`crate::geometry::inset`].
pub struct Wavefront<'a> {
    grid: Grid,
    turning_points: &'a TurningPoints,
    law: &'a DominantPathLaw,
    levels: Levels<'a>,
    sources: Vec<Source>,
    loss_db: Vec<f64>,
    /// Per pixel, the source of its path's last leg.
    source_of: Vec<u32>,
    /// Per pixel, the source that last turned there.
    turned: Vec<u32>,
    /// Per pixel, whether a path has spread from there.
    settled: Vec<bool>,
    in_sight: PixelSet,
    looks: Looks<'a>,
    over_roofs: Vec<HigherRoofs>,
    queue: Queue,
}

impl<'a> Wavefront<'a> {
    /// Settles the pixels in sight and queues the first pixels in shadow. `transmitter` is in pixels, `start`
    /// its pixel's row-major index.
    pub fn new(
        turning_points: &'a TurningPoints,
        grid: Grid,
        law: &'a DominantPathLaw,
        levels: Levels<'a>,
        (transmitter, start): (Coord<f64>, usize),
        mut in_sight: PixelSet,
    ) -> Self {
        if turning_points.obstacles.pixels[start] == 0 {
            in_sight.insert(start);
        }
        let seen: Vec<usize> = (0..grid.pixels()).filter(|&i| in_sight.contains(i)).collect();
        let source = |origin| Source {
            origin,
            position: transmitter,
            height_m: levels.transmitter_m,
            length_m: 0.0,
            turns_db: 0.0,
            direction: None,
            offset_share: 1.0,
            before: NOWHERE,
            look: NOWHERE,
            asked: 0,
        };
        let mut front = Self {
            grid,
            turning_points,
            law,
            levels,
            loss_db: vec![f64::INFINITY; grid.pixels()],
            source_of: vec![NOWHERE; grid.pixels()],
            turned: vec![NOWHERE; grid.pixels()],
            settled: vec![false; grid.pixels()],
            in_sight,
            sources: vec![source(PathOrigin::Transmitter), source(PathOrigin::Roof)],
            looks: Looks::new(&turning_points.walls),
            over_roofs: Vec::new(),
            queue: Queue::new(),
        };
        for &pixel in &seen {
            let run_m = leg(transmitter, center(pixel, grid.size)).0 * grid.meters_per_pixel;
            let length_m = Slope::new(run_m, levels.receivers_m - levels.transmitter_m).length_m;
            front.loss_db[pixel] = -law.line_of_sight.gain_db(length_m);
            front.source_of[pixel] = TRANSMITTER;
            front.settled[pixel] = true;
        }
        seen.iter().for_each(|&pixel| front.propagate(pixel));
        if front.built(start) {
            front.relax(start, center(start, grid.size), ALOFT);
        }
        front
    }

    /// Loss in dB of every outdoor pixel's path, row-major.
    pub fn run(mut self) -> Vec<f64> {
        while let Some((loss_db, pixel)) = self.queue.pop() {
            if loss_db > -self.law.floor_db {
                break;
            }
            // A better path came in the meantime.
            if loss_db > self.loss_db[pixel] {
                continue;
            }
            self.settled[pixel] = true;
            self.propagate(pixel);
        }
        self.fill();
        self.loss_db
    }

    fn built(&self, pixel: usize) -> bool {
        self.turning_points.obstacles.pixels[pixel] != 0
    }

    /// Spreads a pixel's path to its neighbours and up the walls beside it. Where the source's sight ends, the path turns here. A path
    /// that came down from a roof sees every pixel; it may also turn where it lands beside a corner.
    fn propagate(&mut self, pixel: usize) {
        let (number, size) = (self.source_of[pixel], self.grid.size);
        let (origin, height_m) = (self.sources[number as usize].origin, self.sources[number as usize].height_m);
        let from_roof = origin == PathOrigin::Roof;
        let on_ground = !self.built(pixel) && !from_roof;
        let turns_beside_corner = from_roof && !self.built(pixel) && self.turning_points.beside_corner.contains(pixel);
        for (next, at) in around(pixel, size) {
            let known = self.source_of[next] == number || self.source_of[next] == TRANSMITTER;
            if (known && !turns_beside_corner) || (self.settled[next] && (from_roof || self.built(next))) {
                continue;
            }
            let to = center_at(at, size);
            if self.built(next) && (on_ground || from_roof) {
                let over = self.levels.roof_m(next) <= height_m + SAME_HEIGHT_M;
                match origin {
                    PathOrigin::Roof if over => {
                        if self.relax(next, to, number) == Reach::Hidden {
                            self.turn_aloft(pixel, (next, to));
                        }
                    }
                    PathOrigin::Transmitter if over => {
                        self.relax(next, to, ALOFT);
                    }
                    _ => self.climb(pixel, (next, to)),
                }
            } else {
                let reach = self.relax(next, to, number);
                if reach == Reach::Hidden {
                    self.turn_aloft(pixel, (next, to));
                }
                if (reach != Reach::Reached || turns_beside_corner) && !self.built(next) && !self.built(pixel) {
                    self.turn(pixel, (next, to));
                }
            }
        }
    }

    /// Turns a pixel's path towards a neighbour: at the corner that the pixel is at, else at the pixel's centre.
    fn turn(&mut self, pixel: usize, (next, to): (usize, Coord<f64>)) {
        if self.source_of[next] == TRANSMITTER || self.between_walls(pixel, next) {
            return;
        }
        let (from, known) = (self.source_of[pixel], self.turned[pixel]);
        let number = if known != NOWHERE && self.sources[known as usize].before == from {
            known
        } else {
            let Some(source) = self.turning_source(pixel) else { return };
            self.sources.push(source);
            (self.sources.len() - 1) as u32
        };
        self.turned[pixel] = number;
        self.lower(next, to, number);
    }

    /// A source where a pixel's path turns; `None` where no wall leads down to it.
    fn turning_source(&self, pixel: usize) -> Option<Source> {
        let (number, center, height_m) = (self.source_of[pixel], center(pixel, self.grid.size), self.levels.corners_m);
        let from = &self.sources[number as usize];
        // The pixel may be in sight where the corner is not.
        let clear = |&corner: &Coord<f64>| !self.keeps_to_the_plane(from) || self.turning_points.walls.clear(from.position, corner);
        let position = self.turning_points.corner_at(pixel).filter(clear).unwrap_or(center);
        let end = if from.origin == PathOrigin::Roof { center } else { position };
        let path = self.path(number, end, pixel, height_m)?;
        Some(Source::after(number, PathOrigin::Turn, position, height_m, path, 1.0))
    }

    /// Whether a source's straight legs end where walls stand in the plane. A transmitter that looks down on corners looks over roofs.
    fn keeps_to_the_plane(&self, source: &Source) -> bool {
        match source.origin {
            PathOrigin::Transmitter => self.levels.transmitter_m == self.levels.corners_m,
            PathOrigin::Turn => true,
            PathOrigin::Roof => false,
        }
    }

    /// Whether a step to a neighbour squeezes through between two buildings that touch at a pixel's corner.
    fn between_walls(&self, pixel: usize, next: usize) -> bool {
        let size = self.grid.size;
        let (row, column, next_row, next_column) = (pixel / size, pixel % size, next / size, next % size);
        row != next_row && column != next_column && self.built(row * size + next_column) && self.built(next_row * size + column)
    }

    /// Leads a path up the wall between its pixel and a higher one.
    fn climb(&mut self, pixel: usize, (wall, middle): (usize, Coord<f64>)) {
        let (number, grid) = (self.source_of[pixel], self.grid);
        let source = &self.sources[number as usize];
        let top = (center(pixel, grid.size) + middle) / 2.0;
        let (length, heading) = leg(source.position, top);
        let top_m = self.levels.roof_m(wall);
        let slope = Slope::new(length * grid.meters_per_pixel, top_m - source.height_m);
        let (direction, length_m) = (LegDirection::new(heading, slope), source.length_m + slope.length_m);
        // The turn at the top depends on where the path goes from there; no turn costs less than its share of the offset.
        let offset_share = slope.offset_share();
        if offset_share < 1.0 {
            let aside_db = ASIDE_DB * offset_share / (1.0 - offset_share);
            let raised = source.raised(number, top_m, offset_share * self.law.turn_offset_db + aside_db);
            self.go_on_over_roofs(raised, (wall, middle));
        }
        let source = &self.sources[number as usize];
        let least_turn_db = source.least_turn_db(self.law, direction);
        if self.law.least_loss_db(length_m, source.turns_db + least_turn_db + offset_share * self.law.turn_offset_db) >= self.loss_db[wall]
        {
            return;
        }
        let turn_db = source.turn_db(self.law, direction);
        let path = Path { length_m, turns_db: source.turns_db + turn_db, direction, leg_end: (top, top_m) };
        let preferred_db = PREFERENCE_DB * (1.0 - offset_share);
        let is_less =
            self.law.loss_db(path.length_m, path.turns_db + offset_share * self.law.turn_offset_db) + preferred_db < self.loss_db[wall];
        if is_less && !self.is_hidden(number, &path) {
            self.go_on_over_roofs(Source::after(number, PathOrigin::Roof, top, top_m, path, offset_share), (wall, middle));
        }
    }

    /// Where a higher roof hides the next pixel from a path's source, the path turns at this pixel's centre. It keeps its height.
    fn turn_aloft(&mut self, pixel: usize, next: (usize, Coord<f64>)) {
        let number = self.source_of[pixel];
        let source = &self.sources[number as usize];
        let (center, height_m) = (center(pixel, self.grid.size), source.height_m);
        let (length, heading) = leg(source.position, center);
        let path = self.leg_of(source, heading, Slope::new(length * self.grid.meters_per_pixel, 0.0), (center, height_m));
        if !self.is_hidden(number, &path) {
            self.go_on_over_roofs(Source::after(number, PathOrigin::Roof, center, height_m, path, 1.0), next);
        }
    }

    /// Keeps a source only where it is the best for the next pixel.
    fn go_on_over_roofs(&mut self, source: Source, (next, to): (usize, Coord<f64>)) {
        self.sources.push(source);
        let number = (self.sources.len() - 1) as u32;
        self.relax(next, to, number);
        if self.source_of[next] != number {
            self.sources.pop();
        }
    }

    /// Whether a roof stands in the way of a path's last leg over roofs.
    fn is_hidden(&mut self, number: u32, path: &Path) -> bool {
        let (size, source) = (self.grid.size, &mut self.sources[number as usize]);
        let over_m = source.height_m + SAME_HEIGHT_M;
        if source.origin != PathOrigin::Roof || self.levels.highest_roof_m <= over_m {
            return false;
        }
        source.asked += 1;
        let enough = (self.grid.pixels() / PIXELS_A_LOOK).max(LEAST_ASKED);
        if source.asked as usize == enough
            && let Some(roofs_m) = self.levels.raster_m()
            // A point on the map's edge may lie in no pixel.
            && let Some(from) = on_map(pixel_at(source.position, size), size)
        {
            source.look = self.over_roofs.len() as u32;
            self.over_roofs.push(HigherRoofs::new(roofs_m, size, from, over_m));
        }
        let source = &self.sources[number as usize];
        let is_clear = self.is_clear(source, pixel_at(path.leg_end.0, size));
        !is_clear && blocked(&self.levels, size, (source.position, source.height_m), path.leg_end)
    }

    /// Whether it is known that no roof higher than a source over roofs stands before a pixel, (row, column).
    fn is_clear(&self, source: &Source, pixel: (i64, i64)) -> bool {
        let look = if source.origin == PathOrigin::Roof { self.over_roofs.get(source.look as usize) } else { None };
        look.is_some_and(|look| look.is_clear(pixel))
    }

    /// The path over a straight leg from a source, with the turn at the source.
    fn leg_of(&self, source: &Source, heading: Coord<f64>, slope: Slope, leg_end: (Coord<f64>, f64)) -> Path {
        let direction = LegDirection::new(heading, slope);
        let turn_db = source.turn_db(self.law, direction);
        Path { length_m: source.length_m + slope.length_m, turns_db: source.turns_db + turn_db, direction, leg_end }
    }

    /// The path over a straight leg from a source to a point in a pixel, `to_m` above the ground outdoors, with the turn at the source
    /// and, on the way down from a roof, the turn at the last wall. `None` where no wall leads down.
    fn path(&self, number: u32, to: Coord<f64>, pixel: usize, to_m: f64) -> Option<Path> {
        let source = &self.sources[number as usize];
        let meters = self.grid.meters_per_pixel;
        let (length, heading) = leg(source.position, to);
        let length_m = length * meters;
        let straight = |slope: Slope| self.leg_of(source, heading, slope, (to, to_m));
        if source.origin != PathOrigin::Roof {
            return Some(straight(Slope::new(length_m, to_m - source.height_m)));
        }
        if self.built(pixel) {
            return Some(self.leg_of(source, heading, Slope::new(length_m, 0.0), (to, source.height_m)));
        }
        let size = self.grid.size;
        // Before a higher roof, none is higher than the source.
        let is_clear = self.is_clear(source, ((pixel / size) as i64, (pixel % size) as i64));
        let highest_m = if is_clear { source.height_m + SAME_HEIGHT_M } else { self.levels.highest_roof_m };
        let LastWall { run, roof_m } = last_wall(self.turning_points, &self.levels, pixel, source.position, highest_m)?;
        let run_m = run * meters;
        let aside = roof_m != source.height_m || roof_m < to_m;
        if aside && (roof_m - to_m) * length_m <= (source.height_m - to_m) * run_m {
            // No roof reaches the line.
            return Some(straight(Slope::new(length_m, to_m - source.height_m)));
        }
        let down = Slope::new(run_m, to_m - roof_m);
        let over = if roof_m == source.height_m {
            straight(Slope::new(length_m, 0.0))
        } else {
            let before = straight(Slope::new(larger(length_m - run_m, 0.0), roof_m - source.height_m));
            Path { length_m: before.length_m + run_m, ..before }
        };
        let direction = LegDirection::new(heading, down);
        let level = over.direction.rise == 0.0;
        let cosine = if level { down.cosine } else { over.direction.cosine(direction) };
        let turn_db = self.law.turn_db(cosine) - (1.0 - down.offset_share()) * self.law.turn_offset_db;
        let leg_end = (source.position + heading * larger(length - run, 0.0), roof_m);
        Some(Path { length_m: over.length_m + down.length_m - run_m, turns_db: over.turns_db + turn_db, direction, leg_end })
    }

    /// Whether a straight leg leads from a source to a pixel. Legs on the ground end at buildings and where the source's sight ends.
    fn sees(&mut self, number: u32, pixel: usize) -> bool {
        let source = &mut self.sources[number as usize];
        match source.origin {
            PathOrigin::Transmitter => self.in_sight.contains(pixel),
            PathOrigin::Roof => true,
            PathOrigin::Turn => {
                self.looks.sees(source.position, &mut source.look, pixel)
                    || self.turning_points.on_walls.see_each_other(source.position, pixel)
            }
        }
    }

    /// A lower bound of the loss of the straight path from a source to a point, much cheaper than the path itself.
    fn least_loss_db(&self, number: u32, to: Coord<f64>) -> f64 {
        let source = &self.sources[number as usize];
        let (length, heading) = leg(source.position, to);
        let turn_db = source.least_turn_db(self.law, LegDirection::level(heading));
        let length_m = source.length_m + length * self.grid.meters_per_pixel;
        self.law.least_loss_db(length_m, source.turns_db + turn_db)
    }

    /// Lowers a pixel's loss to that of the straight path from a source to its centre `to`, if that is less.
    fn relax(&mut self, pixel: usize, to: Coord<f64>, number: u32) -> Reach {
        if self.source_of[pixel] == TRANSMITTER || self.source_of[pixel] == number {
            return Reach::Reached;
        }
        if self.least_loss_db(number, to) >= self.loss_db[pixel] {
            return Reach::Reached;
        }
        if self.sees(number, pixel) { self.lower(pixel, to, number) } else { Reach::OutOfSight }
    }

    /// Lowers a pixel's loss to that of the straight path from a source that sees it in the plane, if that is less.
    fn lower(&mut self, pixel: usize, to: Coord<f64>, number: u32) -> Reach {
        let Some(path) = self.path(number, to, pixel, self.levels.receivers_m) else { return Reach::OutOfSight };
        let loss_db = self.law.loss_db(path.length_m, path.turns_db);
        if loss_db < self.loss_db[pixel] {
            if self.is_hidden(number, &path) {
                return Reach::Hidden;
            }
            self.loss_db[pixel] = loss_db;
            self.source_of[pixel] = number;
            self.queue.push(loss_db, pixel);
        }
        Reach::Reached
    }

    /// Gives pixels that an outline cuts off from their surroundings the least loss of their neighbours.
    fn fill(&mut self) {
        let size = self.grid.size;
        let unreached: Vec<usize> = (0..self.loss_db.len()).filter(|&i| self.loss_db[i].is_infinite() && !self.built(i)).collect();
        let outdoors = |i: usize| if self.built(i) { f64::INFINITY } else { self.loss_db[i] };
        let filled: Vec<f64> =
            unreached.iter().map(|&i| around(i, size).map(|(other, _)| outdoors(other)).fold(f64::INFINITY, f64::min)).collect();
        for (i, loss_db) in unreached.into_iter().zip(filled) {
            self.loss_db[i] = loss_db;
        }
    }
}

/// The pixel and its neighbours, each with its (row, column).
fn around(pixel: usize, size: usize) -> impl Iterator<Item = (usize, (usize, usize))> {
    let (row, column) = (pixel / size, pixel % size);
    let (first, end) = (column.saturating_sub(1), (column + 2).min(size));
    let in_row = move |r: usize| (first..end).map(move |c| (r * size + c, (r, c)));
    (row.saturating_sub(1)..(row + 2).min(size)).flat_map(in_row)
}

/// Length and unit vector of a leg.
fn leg(from: Coord<f64>, to: Coord<f64>) -> (f64, Coord<f64>) {
    let step = to - from;
    let length = (step.x * step.x + step.y * step.y).sqrt();
    (length, step / larger(length, 1e-9))
}

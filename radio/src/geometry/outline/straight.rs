//! Straight pieces of a traced boundary: the polygon with the fewest sides that separates the same pixels.

use super::trace::Side;
use geo::Coord;

/// The largest distance, in pixels, from the pixel corner between two pieces to the corner where their lines meet.
const STRAY_PIXELS: f64 = 2.5;
/// Sides at either end of a piece that may belong to its neighbour as well.
pub const SHARED_SIDES: usize = 1;

/// A straight piece of a ring: the sides `start..start + count`, and a line with their inner pixels on its left and their outer
/// pixels on its right.
pub struct Piece {
    pub start: usize,
    pub count: usize,
    line: (Coord<f64>, Coord<f64>),
}

/// Corners of the polygon with the fewest straight pieces that separates the same pixels.
///
/// Digital straight segments: a run of sides belongs to one line as long as some line separates its inner from its outer pixels
/// (O'Rourke, 1981, "An on-line algorithm for fitting straight lines between data ranges"). The middle of all such lines is taken,
/// and corners are where neighbouring lines meet.
pub fn straightened(ring: &[Side], pieces: &[Piece]) -> Vec<Coord<f64>> {
    let count = pieces.len();
    (0..count)
        .map(|i| {
            let (before, after) = (&pieces[(i + count - 1) % count], &pieces[i]);
            let cut = ring[after.start].at();
            meeting(before.line, after.line).filter(|p| (p.x - cut.x).hypot(p.y - cut.y) <= STRAY_PIXELS).unwrap_or(cut)
        })
        .collect()
}

/// Cuts a ring into straight pieces. The walk is greedy, so it is tried from every side of the first piece; the division with the
/// fewest pieces is kept.
pub fn pieces(ring: &[Side]) -> Vec<Piece> {
    // Walks from neighbouring sides soon meet: how far a line reaches from a side is found once.
    let mut reached: Vec<Option<usize>> = vec![None; ring.len()];
    let mut walk = |start: usize| {
        let (mut cuts, mut done) = (Vec::new(), 0);
        while done < ring.len() {
            let from = (start + done) % ring.len();
            let longest = *reached[from].get_or_insert_with(|| reach(ring, from));
            let count = longest.min(ring.len() - done);
            cuts.push((from, count));
            done += count;
        }
        cuts
    };
    let first = walk(0);
    let starts = first.first().map_or(1, |&(_, count)| count);
    let best = (1..=starts).map(|start| walk(start % ring.len())).min_by_key(Vec::len).unwrap_or(first);
    let piece = |&(start, count): &(usize, usize)| {
        // A greedy piece takes some of its neighbours' sides, so its line is fitted to the inner ones.
        let shared = SHARED_SIDES.min((count - 1) / 2);
        Piece { start, count, line: Lines::middle(ring, (start + shared) % ring.len(), count - 2 * shared) }
    };
    best.iter().map(piece).collect()
}

/// The largest number of sides from `start` on that one line separates.
pub fn reach(ring: &[Side], start: usize) -> usize {
    Lines::longest(ring, |i| &ring[(start + i) % ring.len()])
}

/// The lines y = slope x + offset that separate a run of sides, in a frame turned so that the run heads along x: a convex polygon of
/// (slope, offset).
#[derive(Clone)]
struct Lines {
    turn: usize,
    origin: Coord<f64>,
    feasible: Vec<(f64, f64)>,
    /// The polygon before the last side: memory for the next.
    before: Vec<(f64, f64)>,
}

/// Steepest slope in the turned frame; steeper runs head along another axis.
const STEEPEST: f64 = 1.05;
const WIDEST: f64 = 1e4;

impl Lines {
    fn new(turn: usize, origin: Coord<f64>) -> Self {
        let feasible = vec![(-STEEPEST, -WIDEST), (STEEPEST, -WIDEST), (STEEPEST, WIDEST), (-STEEPEST, WIDEST)];
        Self { turn, origin, feasible, before: Vec::new() }
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

    /// Adds a side. Returns false where no line is left, or where the run would turn back.
    fn add(&mut self, side: &Side) -> bool {
        if side.direction == (self.turn + 2) % 4 {
            return false;
        }
        let (inner, outer) = (self.turned(side.inner()), self.turned(side.outer()));
        self.clip(|(slope, offset)| inner.y - slope * inner.x - offset);
        self.clip(|(slope, offset)| slope * outer.x + offset - outer.y);
        !self.feasible.is_empty()
    }

    /// Keeps the lines for which `room` is not negative.
    fn clip(&mut self, room: impl Fn((f64, f64)) -> f64) {
        std::mem::swap(&mut self.feasible, &mut self.before);
        self.feasible.clear();
        for (i, &here) in self.before.iter().enumerate() {
            let next = self.before[(i + 1) % self.before.len()];
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

    /// The largest number of sides that one line separates, in the order in which `along` gives them.
    fn longest<'a>(ring: &'a [Side], along: impl Fn(usize) -> &'a Side) -> usize {
        (0..4)
            .map(|turn| {
                let mut lines = Self::new(turn, along(0).at());
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

/// The crossing of two lines, `None` where they are nearly parallel.
fn meeting(a: (Coord<f64>, Coord<f64>), b: (Coord<f64>, Coord<f64>)) -> Option<Coord<f64>> {
    let (u, v, w) = (a.1 - a.0, b.1 - b.0, b.0 - a.0);
    let cross = u.x * v.y - u.y * v.x;
    (cross.abs() > 0.05 * u.x.hypot(u.y) * v.x.hypot(v.y)).then(|| a.0 + u * ((w.x * v.y - w.y * v.x) / cross))
}

//! Where the straight legs of paths start, and the paths up to there.

use super::roofs::Slope;
use crate::arithmetic::larger;
use crate::propagation::law::DominantPathLaw;
use geo::Coord;

/// The source of a pixel that no path has reached.
pub const NOWHERE: u32 = u32::MAX;

/// Where a path's last straight leg begins.
#[derive(Clone, Copy, PartialEq)]
pub enum PathOrigin {
    Transmitter,
    /// At a corner or at the centre of an outdoor pixel.
    Turn,
    /// At a wall's top, or at a transmitter above roofs.
    Roof,
}

/// A point that straight legs start from.
pub struct Source {
    pub origin: PathOrigin,
    pub position: Coord<f64>,
    pub height_m: f64,
    /// The path up to here; its direction is `None` at the transmitter.
    pub length_m: f64,
    pub turns_db: f64,
    pub direction: Option<LegDirection>,
    /// What a turn here costs of the law's offset.
    pub offset_share: f64,
    /// The source that the path up to here came from.
    pub before: u32,
    /// Where this source's look is, once it has looked: among the looks round corners, or among those over roofs.
    pub look: u32,
    /// How often it was asked whether a leg over roofs leads from here.
    pub asked: u32,
}

impl Source {
    /// The end of a path that came from the source `before`.
    pub fn after(before: u32, origin: PathOrigin, position: Coord<f64>, height_m: f64, path: Path, offset_share: f64) -> Self {
        let Path { length_m, turns_db, direction, .. } = path;
        Self { origin, position, height_m, length_m, turns_db, direction: Some(direction), offset_share, before, look: NOWHERE, asked: 0 }
    }

    /// The source itself, `number`, as high as a roof: for paths that go straight on over a wall that is hardly higher, for so much more loss.
    pub fn raised(&self, number: u32, height_m: f64, more_db: f64) -> Self {
        Self { origin: PathOrigin::Roof, height_m, turns_db: self.turns_db + more_db, before: number, look: NOWHERE, asked: 0, ..*self }
    }

    /// Loss in dB of the turn into a direction; 0 at the transmitter.
    pub fn turn_db(&self, law: &DominantPathLaw, to: LegDirection) -> f64 {
        self.direction.map_or(0.0, |from| {
            let cosine = from.cosine(to);
            law.turn_db(cosine) - (1.0 - self.share_of_offset(cosine)) * law.turn_offset_db
        })
    }

    /// A lower bound of it, much cheaper.
    pub fn least_turn_db(&self, law: &DominantPathLaw, to: LegDirection) -> f64 {
        self.direction.map_or(0.0, |from| law.least_turn_db(from.cosine(to)) - (1.0 - self.offset_share) * law.turn_offset_db)
    }

    /// The share of the law's offset that a turn here costs: up a wall that is hardly higher, less than all of it unless the path turns aside.
    fn share_of_offset(&self, cosine: f64) -> f64 {
        if self.offset_share == 1.0 || cosine <= 0.0 {
            return 1.0;
        }
        larger(self.offset_share, Slope::share_of_offset(larger(1.0 - cosine * cosine, 0.0).sqrt()))
    }
}

/// A unit vector: its plan, as long as the cosine of its slope, and its rise.
#[derive(Clone, Copy)]
pub struct LegDirection {
    pub plan: Coord<f64>,
    pub rise: f64,
}

impl LegDirection {
    pub fn new(heading: Coord<f64>, slope: Slope) -> Self {
        Self { plan: heading * slope.cosine, rise: slope.sine }
    }

    pub fn level(heading: Coord<f64>) -> Self {
        Self { plan: heading, rise: 0.0 }
    }

    /// Cosine of the turn into another direction.
    pub fn cosine(self, to: Self) -> f64 {
        self.plan.x * to.plan.x + self.plan.y * to.plan.y + self.rise * to.rise
    }
}

/// A path up to a point.
pub struct Path {
    pub length_m: f64,
    pub turns_db: f64,
    pub direction: LegDirection,
    /// Where the straight leg from the path's source ends, and how high.
    pub leg_end: (Coord<f64>, f64),
}

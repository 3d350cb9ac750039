//! The directions of a wall that starts at a known corner and keeps given pixels on their sides.

/// A step from one pixel centre to another, to the east and to the north. A place is the step to it from the centre of the map's
/// south-western pixel.
pub type Step = (i64, i64);

pub fn minus(a: Step, b: Step) -> Step {
    (a.0 - b.0, a.1 - b.1)
}

/// Positive where `b` points to the left of `a`.
pub fn cross(a: Step, b: Step) -> i64 {
    a.0 * b.1 - a.1 * b.0
}

pub fn dot(a: Step, b: Step) -> i64 {
    a.0 * b.0 + a.1 * b.1
}

/// How a pixel whose centre lies on a wall counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TieRule {
    /// As if it lay a hair to the north-east, and a little more to the east than to the north.
    NorthEast,
    /// As built, on whichever side of the building.
    Built,
}

impl TieRule {
    /// The side of the wall on which it counts: 1 is the left, -1 the right.
    fn side(self, wall: Step) -> i64 {
        match (self, wall.0 - wall.1) {
            (Self::Built, _) => 1,
            (Self::NorthEast, 0) => -wall.0.signum(),
            (Self::NorthEast, difference) => difference.signum(),
        }
    }

    /// Whether a pixel `step` away from a wall's start is on the wall's left.
    pub fn is_left(self, wall: Step, step: Step) -> bool {
        match cross(wall, step) {
            0 => self.side(wall) > 0,
            side => side > 0,
        }
    }

    fn agrees(self, wanted: u8, wall: Step) -> bool {
        let side = if self.side(wall) > 0 { LEFT } else { RIGHT };
        wanted & !side == 0
    }
}

/// A side on which pixels on a line have to count.
const LEFT: u8 = 1;
const RIGHT: u8 = 2;

/// All directions between two, counter-clockwise by at most a quarter turn. A direction at an end is allowed where pixels on the line
/// count to the side that the end wants; pixels at the wall's very start want a side of every direction.
#[derive(Clone, Copy)]
pub struct Directions {
    low: Step,
    high: Step,
    low_wants: u8,
    high_wants: u8,
    all_want: u8,
}

impl Directions {
    /// The four quarters of a turn.
    pub fn quarters() -> Vec<Self> {
        let axes = [(1, 0), (0, 1), (-1, 0), (0, -1)];
        let quarter = |i: usize| Self { low: axes[i], high: axes[(i + 1) % 4], low_wants: 0, high_wants: 0, all_want: 0 };
        (0..4).map(quarter).collect()
    }

    /// Leaves those that keep a pixel `step` away from the wall's start on its left, or on its right. Returns whether any is left.
    pub fn keep(&mut self, step: Step, left: bool) -> bool {
        let wants = if left { LEFT } else { RIGHT };
        if step == (0, 0) {
            self.all_want |= wants;
            return self.all_want != LEFT | RIGHT;
        }
        // The wall has to point clockwise of this.
        let limit = if left { step } else { (-step.0, -step.1) };
        let (low, high) = (cross(self.low, limit), cross(self.high, limit));
        if low < 0 && high < 0 {
            return false;
        }
        if high < 0 {
            (self.high, self.high_wants) = if low == 0 { (self.low, self.low_wants | wants) } else { (limit, wants) };
        } else if high == 0 {
            self.high_wants |= wants;
        }
        if low < 0 {
            let back = (-limit.0, -limit.1);
            (self.low, self.low_wants) = if high == 0 { (self.high, self.high_wants | wants) } else { (back, wants) };
        } else if low == 0 {
            self.low_wants |= wants;
        }
        true
    }

    /// Whether a wall may point so.
    pub fn allow(&self, wall: Step, tie_rule: TieRule) -> bool {
        let (low, high) = (cross(self.low, wall), cross(wall, self.high));
        (low > 0 || low == 0 && tie_rule.agrees(self.low_wants, wall))
            && (high > 0 || high == 0 && tie_rule.agrees(self.high_wants, wall))
            && dot(self.low, wall) + dot(self.high, wall) > 0
            && tie_rule.agrees(self.all_want, wall)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_directions_that_are_left_are_those_that_pass_every_pixel_on_its_side() {
        let mut random = fastrand::Rng::with_seed(3);
        let mut step = |reach: i64| (random.i64(-reach..=reach), random.i64(-reach..=reach));
        for tie_rule in (0..4000).map(|i| [TieRule::NorthEast, TieRule::Built][i % 2]) {
            let wall = step(9);
            let pixels: Vec<Step> = (0..4).map(|_| step(6)).collect();
            // Each pixel on the side where this wall has it, which is therefore left.
            let sides: Vec<bool> = pixels.iter().map(|&pixel| tie_rule.is_left(wall, pixel)).collect();
            let mut left = Directions::quarters();
            left.retain_mut(|quarter| pixels.iter().zip(&sides).all(|(&pixel, &side)| quarter.keep(pixel, side)));
            for other in [wall, step(9), step(9), step(9)].into_iter().filter(|&other| other != (0, 0)) {
                let passes = pixels.iter().zip(&sides).all(|(&pixel, &side)| tie_rule.is_left(other, pixel) == side);
                assert_eq!(left.iter().any(|left| left.allow(other, tie_rule)), passes, "{other:?} past {pixels:?} as {wall:?} goes");
            }
        }
    }
}

//! The height of a path above the ground.
//!
//! Vertical walls and vertical edges keep a ray's slope, so the height is a straight line over the length of the path in plan, however
//! often it turns. A reflection on the ground is the same line to the receiver's mirror image below the ground.

use crate::arithmetic;
use crate::scene::LinkEnds;

/// The heights along paths from the transmitter to the receivers, metres.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Profile {
    from_m: f64,
    /// Negative for paths by way of the ground.
    to_m: f64,
}

impl Profile {
    /// For walls without an end, where heights do not matter.
    pub const LEVEL: Self = Self { from_m: 0.0, to_m: 0.0 };

    pub fn direct(ends: &LinkEnds) -> Self {
        Self { from_m: ends.height_m, to_m: ends.receiver_height_m }
    }

    pub fn by_ground(ends: &LinkEnds) -> Self {
        Self { from_m: ends.height_m, to_m: -ends.receiver_height_m }
    }

    pub fn heights_m(&self) -> [f64; 2] {
        [self.from_m, self.to_m]
    }

    /// Height at a share of the path's length in plan.
    pub fn height_m(&self, share: f64) -> f64 {
        (self.from_m + (self.to_m - self.from_m) * share).abs()
    }

    /// No path is higher: walls up to here or higher end every path.
    pub fn highest_m(&self) -> f64 {
        self.from_m.max(self.to_m.abs())
    }

    /// No path is lower: walls up to here are no obstacle and no mirror.
    pub fn lowest_m(&self) -> f64 {
        if self.to_m < 0.0 { 0.0 } else { self.from_m.min(self.to_m) }
    }

    /// Length in space of a path by its length in plan.
    pub fn length_m(&self, plan_m: f64) -> f64 {
        if self.from_m == self.to_m { plan_m } else { arithmetic::length(plan_m, self.from_m - self.to_m) }
    }

    /// The sine of the angle between a path and the level.
    pub fn rise(&self, length_m: f64) -> f64 {
        (self.from_m - self.to_m).abs() / length_m
    }

    /// How many times as far as a wall the longest path ends that meets the wall below `top_m`. From above, rays meet a low wall
    /// only on a steep way down. Infinite where any length will do, 0 where none.
    pub fn reach_below(&self, top_m: f64) -> f64 {
        if self.from_m < top_m {
            f64::INFINITY
        } else if self.to_m >= top_m {
            0.0
        } else {
            (self.from_m - self.to_m) / (self.from_m - top_m)
        }
    }

    /// How many times as far as a wall the shortest path ends that clears the wall's top, where a path has to be long for that: 0 where
    /// that is not known.
    pub fn least_over(&self, top_m: f64) -> f64 {
        if self.from_m > top_m && self.to_m.abs() < top_m { (self.from_m - self.to_m) / (self.from_m - top_m) } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use geo::Coord;

    #[test]
    fn a_path_by_way_of_the_ground_falls_and_rises() {
        let ends = LinkEnds { height_m: 30.0, receiver_height_m: 10.0, ..LinkEnds::at(Coord::default()) };
        let (direct, ground) = (Profile::direct(&ends), Profile::by_ground(&ends));
        assert_eq!((direct.height_m(0.5), ground.height_m(0.5), ground.height_m(0.75), ground.height_m(1.0)), (20.0, 10.0, 0.0, 10.0));
        assert_eq!((direct.length_m(48.0), ground.length_m(30.0)), (52.0, 50.0));
        assert_eq!((direct.lowest_m(), direct.highest_m(), ground.lowest_m(), ground.highest_m()), (10.0, 30.0, 0.0, 30.0));
        // A wall of 20 m is met at half the way; a longer path clears it.
        assert_eq!((direct.reach_below(20.0), direct.least_over(20.0)), (2.0, 2.0));
        assert_eq!((direct.reach_below(10.0), direct.reach_below(40.0), direct.least_over(40.0)), (0.0, f64::INFINITY, 0.0));
        assert_eq!((ground.reach_below(20.0), ground.least_over(20.0)), (4.0, 4.0));
    }
}

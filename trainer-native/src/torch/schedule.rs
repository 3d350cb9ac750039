//! What changes with the step and is known beforehand: the learning rate, and how fast the average of the weights forgets.

use radiodiff_core::model::Compat;
use serde::{Deserialize, Serialize};

/// How the learning rate falls from its beginning to its floor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Decay {
    /// base (1 - step / steps)^power, RadioDiff's.
    #[default]
    Polynomial,
    /// Half a cosine from the beginning to the floor (Loshchilov and Hutter, 2017).
    Cosine,
    /// No fall.
    Constant,
}

/// Learning rate by step.
#[derive(Clone, Copy, Debug)]
pub struct Schedule {
    /// At the beginning.
    pub base: f64,
    /// Below this it does not fall. The public code takes the maximum of this and of the share of `base` that is left, not of
    /// the rate, so that its rate falls to about nothing.
    pub least: f64,
    pub decay: Decay,
    /// Of the polynomial.
    pub power: f64,
    /// Steps over which the rate rises from nothing.
    pub warmup: usize,
    pub steps: usize,
    /// Upstream has the floor described above and no warm-up.
    pub compat: Compat,
}

impl Schedule {
    pub fn rate(&self, step: usize) -> f64 {
        let done = (step as f64 / self.steps.max(1) as f64).min(1.0);
        let left = match self.decay {
            Decay::Polynomial => (1.0 - done).powf(self.power),
            Decay::Cosine => 0.5 * (1.0 + (std::f64::consts::PI * done).cos()),
            Decay::Constant => 1.0,
        };
        match (self.compat, self.decay) {
            (Compat::Upstream, _) => self.base * left.max(self.least),
            (Compat::Corrected, Decay::Cosine) => (self.least + (self.base - self.least).max(0.0) * left) * self.risen(step),
            (Compat::Corrected, _) => (self.base * left).max(self.least) * self.risen(step),
        }
    }

    fn risen(&self, step: usize) -> f64 {
        ((step + 1) as f64 / self.warmup.max(1) as f64).min(1.0)
    }
}

/// How the average of the weights is taken.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct AverageSchedule {
    /// Longest memory: 1 / (1 - decay) updates. RadioDiff has 0.995 in the first stage and 0.999 in the second.
    pub decay: f64,
    /// Steps between two updates; RadioDiff has 10.
    pub every: usize,
    /// Up to this step the average is the weights themselves; RadioDiff has 100 and 10,000.
    pub start: usize,
}

impl Default for AverageSchedule {
    fn default() -> Self {
        Self { decay: 0.995, every: 1, start: 0 }
    }
}

impl AverageSchedule {
    /// The share of the old average that stays after the optimiser's step `step`, counted from 1; `None` between updates. It grows
    /// from 2/11 to `decay`, so that an average is never mostly the initial weights.
    pub fn decay_at(&self, step: usize) -> Option<f64> {
        if !step.is_multiple_of(self.every) {
            return None;
        }
        if step <= self.start {
            return Some(0.0);
        }
        let updates = ((step - self.start).div_ceil(self.every)) as f64;
        Some(self.decay.min((1.0 + updates) / (10.0 + updates)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CORRECTED: Schedule =
        Schedule { base: 1e-3, least: 1e-5, decay: Decay::Polynomial, power: 0.95, warmup: 50, steps: 1000, compat: Compat::Corrected };

    #[test]
    fn the_floor_is_a_rate_and_upstream_a_share() {
        let upstream = Schedule { compat: Compat::Upstream, ..CORRECTED };
        assert_eq!((CORRECTED.rate(0), upstream.rate(0)), (2e-5, 1e-3), "one warms up");
        assert_eq!((CORRECTED.rate(1000), upstream.rate(1000)), (1e-5, 1e-8));
        let halfway = 1e-3 * 0.5f64.powf(0.95);
        assert!([CORRECTED, upstream].iter().all(|schedule| (schedule.rate(500) - halfway).abs() < 1e-12));
    }

    #[test]
    fn a_cosine_ends_at_the_floor_and_a_constant_stays() {
        let cosine = Schedule { decay: Decay::Cosine, warmup: 0, ..CORRECTED };
        assert_eq!((cosine.rate(0), cosine.rate(1000), cosine.rate(5000)), (1e-3, 1e-5, 1e-5));
        assert!((cosine.rate(500) - (1e-3 + 1e-5) / 2.0).abs() < 1e-12);
        let constant = Schedule { decay: Decay::Constant, ..CORRECTED };
        assert_eq!((constant.rate(24), constant.rate(49), constant.rate(999)), (5e-4, 1e-3, 1e-3));
    }

    #[test]
    fn an_average_waits_and_then_forgets_ever_more_slowly() {
        let paper = AverageSchedule { decay: 0.999, every: 10, start: 100 };
        assert_eq!([1, 9, 10, 100].map(|step| paper.decay_at(step)), [None, None, Some(0.0), Some(0.0)]);
        assert_eq!([110, 120].map(|step| paper.decay_at(step)), [Some(2.0 / 11.0), Some(3.0 / 12.0)]);
        assert_eq!(paper.decay_at(1_000_000), Some(0.999));
        assert_eq!(AverageSchedule::default().decay_at(1), Some(2.0 / 11.0));
    }
}

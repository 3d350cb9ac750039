//! What is done about bad steps, those whose loss or gradient is not finite or whose loss stands out. A bad step is skipped. After
//! several in a row the rate is halved. When that does not help, the run stops.
//!
//! "Stands out" is measured against running means of the loss and of its distance from that mean, over about fifty steps. Only a
//! loss that is too high counts.
//!
//! The default of 30 mean deviations is beyond what chance brings. A batch's loss is a mean over its maps, whose tail is no heavier than
//! an exponential one: that lies so far out once in e^(1 + 60 / e) = 10^10 steps. A log-normal loss with sigma 0.5, which varies by half of
//! itself from step to step, does once in 2 10^7, against 2 10^5 steps of RadioDiff's training. A step that would do harm is further out:
//! where the mean deviation is a tenth of the mean, 30 of them are four times the usual loss.

use crate::config::GuardConfig;
use serde::{Deserialize, Serialize};

/// Weight of a step in the running means.
const NEWEST: f64 = 0.02;
/// Before so many steps nothing stands out.
const SETTLED: usize = 50;
/// A deviation is at least this share of the mean: a loss that hardly moves shall not stand out by a little.
const LEAST_DEVIATION: f64 = 0.01;

/// What the guard has seen, and how far it has lowered the rate.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
pub struct StepGuard {
    mean: f64,
    deviation: f64,
    /// Steps in the means.
    seen: usize,
    bad_in_a_row: usize,
    good_in_a_row: usize,
    halvings: i32,
}

/// What becomes of a step.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    Good,
    /// Leave it out; with the reason.
    Skip(String),
    /// Leave it out, and the rate is halved from now on; with the reason.
    Lower(String),
    /// End the run; with the reason.
    Stop(String),
}

impl StepGuard {
    /// What the schedule's rate is multiplied by.
    pub fn rate_factor(&self) -> f64 {
        0.5f64.powi(self.halvings)
    }

    /// Judges a step by its loss and the norm of its gradient, before anything is changed by it.
    pub fn judge(&mut self, settings: &GuardConfig, loss: f64, norm: f64) -> Verdict {
        let Some(reason) = self.fault(settings, loss, norm) else {
            self.note_good(settings, loss);
            return Verdict::Good;
        };
        self.good_in_a_row = 0;
        self.bad_in_a_row += 1;
        if self.bad_in_a_row <= settings.skips {
            return Verdict::Skip(reason);
        }
        if self.halvings as usize >= settings.lowerings {
            return Verdict::Stop(reason);
        }
        self.halvings += 1;
        // A finite loss that stays high is a new level, which the means learn again.
        (self.seen, self.bad_in_a_row) = (0, 0);
        Verdict::Lower(reason)
    }

    fn fault(&self, settings: &GuardConfig, loss: f64, norm: f64) -> Option<String> {
        if !loss.is_finite() || !norm.is_finite() {
            return Some(format!("the loss is {loss} and the gradient's norm {norm}"));
        }
        let deviation = self.deviation.max(LEAST_DEVIATION * self.mean.abs());
        (self.seen >= SETTLED && loss - self.mean > settings.outlier * deviation)
            .then(|| format!("the loss is {loss:.5}, where {:.5} with a mean deviation of {deviation:.5} is usual", self.mean))
    }

    fn note_good(&mut self, settings: &GuardConfig, loss: f64) {
        self.seen += 1;
        let weight = NEWEST.max(1.0 / self.seen as f64);
        let distance = if self.seen == 1 { 0.0 } else { (loss - self.mean).abs() };
        self.mean += weight * (loss - self.mean);
        self.deviation += weight * (distance - self.deviation);
        self.bad_in_a_row = 0;
        self.good_in_a_row += 1;
        if self.halvings > 0 && self.good_in_a_row >= settings.recovery {
            self.halvings -= 1;
            self.good_in_a_row = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETTINGS: GuardConfig = GuardConfig { outlier: 10.0, skips: 2, lowerings: 2, recovery: 100 };

    /// A guard that has seen losses between 0.9 and 1.1.
    fn settled() -> StepGuard {
        let mut guard = StepGuard::default();
        for step in 0..200 {
            assert_eq!(guard.judge(&SETTINGS, 1.0 + 0.1 * f64::from(step).sin(), 1.0), Verdict::Good);
        }
        guard
    }

    #[test]
    fn a_lone_outlier_is_skipped_and_forgotten() {
        let mut guard = settled();
        assert!(matches!(guard.judge(&SETTINGS, 3.0, 1.0), Verdict::Skip(reason) if reason.contains("3.00000")));
        assert_eq!(guard.judge(&SETTINGS, 1.2, 1.0), Verdict::Good);
        assert_eq!(guard.judge(&SETTINGS, -50.0, 1.0), Verdict::Good, "a low loss is welcome");
        assert_eq!(guard.rate_factor(), 1.0);
    }

    #[test]
    fn nan_lowers_the_rate_and_at_last_stops() {
        let mut guard = settled();
        let bad: Vec<Verdict> = (0..9).map(|_| guard.judge(&SETTINGS, f64::NAN, 1.0)).collect();
        let kind = |verdict: &Verdict| match verdict {
            Verdict::Good => 'g',
            Verdict::Skip(_) => 's',
            Verdict::Lower(_) => 'l',
            Verdict::Stop(_) => 'x',
        };
        assert_eq!(bad.iter().map(kind).collect::<String>(), "sslsslssx");
        assert_eq!(guard.rate_factor(), 0.25);
        assert!(matches!(&bad[0], Verdict::Skip(reason) if reason.contains("NaN")));
        assert!(matches!(settled().judge(&SETTINGS, 1.0, f64::INFINITY), Verdict::Skip(_)));
    }

    #[test]
    fn a_new_level_is_learnt_and_the_rate_comes_back() {
        let mut guard = settled();
        let verdicts: Vec<Verdict> = (0..4).map(|_| guard.judge(&SETTINGS, 5.0, 1.0)).collect();
        assert!(matches!(verdicts[..], [Verdict::Skip(_), Verdict::Skip(_), Verdict::Lower(_), Verdict::Good]), "{verdicts:?}");
        assert_eq!(guard.rate_factor(), 0.5);
        (0..99).for_each(|_| assert_eq!(guard.judge(&SETTINGS, 5.0, 1.0), Verdict::Good));
        assert_eq!(guard.rate_factor(), 1.0, "after a hundred good steps");
    }
}

//! What the checks of a part came to, and how a program's results become such a sum.

use std::collections::BTreeMap;
use std::ops::AddAssign;

/// How the ignore reason of a test that takes minutes begins; such a test runs with `--slow` only.
const SLOW: &str = "slow";
/// How the skip reason of a test begins that needs the reference data (tests/reference_data.rs).
const NEEDS_REFERENCE_DATA: &str = "needs the reference data";

/// Numbers of checks by outcome.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tally {
    pub passed: u32,
    pub failed: u32,
    /// Checks that could not run here, by reason.
    pub skipped: BTreeMap<String, u32>,
    /// Tests that were left out because they take minutes.
    pub slow: u32,
}

impl Tally {
    /// The tally of a single check.
    pub fn one(passed: bool) -> Self {
        Self { passed: passed.into(), failed: (!passed).into(), ..Self::default() }
    }

    /// Counts a test that did not run, by the reason it states.
    pub fn leave_out(&mut self, reason: &str) {
        if is_slow(reason) {
            self.slow += 1;
        } else {
            *self.skipped.entry(if reason.is_empty() { "no reason is given" } else { reason }.to_owned()).or_default() += 1;
        }
    }

    pub fn skipped_count(&self) -> u32 {
        self.skipped.values().sum()
    }

    /// Counts the tests that were skipped for want of the reference data as failed; returns how many there were.
    pub fn require_reference_data(&mut self) -> u32 {
        let is_wanting = |reason: &str| reason.starts_with(NEEDS_REFERENCE_DATA);
        let wanting = self.skipped.iter().filter(|(reason, _)| is_wanting(reason)).map(|(_, count)| count).sum();
        self.skipped.retain(|reason, _| !is_wanting(reason));
        self.failed += wanting;
        wanting
    }
}

/// Whether a test with this ignore reason runs with `--slow`.
pub fn is_slow(reason: &str) -> bool {
    reason.starts_with(SLOW)
}

impl AddAssign<&Tally> for Tally {
    fn add_assign(&mut self, other: &Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.slow += other.slow;
        for (reason, count) in &other.skipped {
            *self.skipped.entry(reason.clone()).or_default() += count;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slow_tests_are_told_from_skipped_ones() {
        let mut tally = Tally::default();
        for reason in ["slow: minutes", "needs the reference data (RADIODIFF_SHARED)", "no GPU", "no GPU", ""] {
            tally.leave_out(reason);
        }
        assert_eq!((tally.slow, tally.skipped_count(), tally.skipped["no GPU"]), (1, 4, 2));
        assert_eq!((tally.passed, tally.failed), (0, 0));
    }

    #[test]
    fn where_the_reference_data_is_required_its_absence_fails() {
        let mut tally = Tally::default();
        for reason in ["needs the reference data (RADIODIFF_SHARED)", "needs the reference data", "no GPU"] {
            tally.leave_out(reason);
        }
        assert_eq!(tally.require_reference_data(), 2);
        assert_eq!((tally.failed, tally.skipped_count()), (2, 1));
    }
}

//! Scores of forecasts that say how sure they are: an ensemble of maps, the samples of a generative model or the quantiles of a
//! regression, against the truth.
//!
//! In flow the members, the truth and the mask of the pixels that do not count; out flow [`EnsembleScores`] over the pixels that do.
//! The continuous ranked probability score (CRPS) and the Brier score are proper: nobody betters them by saying anything but what
//! they believe (Gneiting and Raftery, 2007). Of independent draws both are the fair estimators (Ferro, 2014), whose expectation
//! does not depend on the number of members. Quantiles are no draws; [`EnsembleKind`] says what they are scored as. An ensemble of
//! one is a certain forecast: its CRPS is its absolute error, so that a single map stands in one table with many.

use crate::map::GrayCodec;
use serde::{Deserialize, Serialize};

/// The probability that the judged interval is meant to hold the truth with.
pub const INTERVAL: f64 = 0.9;

/// What the members of an ensemble are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EnsembleKind {
    /// Independent draws from the forecast. Scores are estimates for infinitely many.
    #[default]
    Draws,
    /// Quantiles of the forecast for evenly spaced probabilities. Scores are exact for the distribution that gives each the same mass: of
    /// the quantiles 1/20 to 19/20 of a normal distribution that is right, a CRPS 0.5 % above the distribution's. The fair estimator would
    /// be 4.4 % below it, because quantiles differ more than draws do, and twice the mean pinball loss 4.9 % above it.
    Quantiles,
}

impl EnsembleKind {
    /// How many members a member is compared with, of `count`: the draws but itself, or all points of a distribution.
    fn compared_with(self, count: usize) -> f64 {
        match self {
            Self::Draws => (count - 1).max(1) as f64,
            Self::Quantiles => count as f64,
        }
    }
}

/// Scores of an ensemble over the pixels of a map, or their means over maps.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
pub struct EnsembleScores {
    /// Mean continuous ranked probability score, dB; less is better. The mean absolute error of one member alone.
    pub crps_db: f64,
    /// Mean Brier score of the probability that the path gain exceeds a threshold, 0 (best) to 1.
    pub brier: f64,
    /// How well the members' spread tells the error; only where there are several members.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spread: Option<SpreadScores>,
}

/// What the spread of an ensemble is worth.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
pub struct SpreadScores {
    /// Share of the pixels whose truth lies in the [`central_interval`], its ends included. [`nominal_coverage`] is what it should be.
    pub coverage: f64,
    /// The interval's mean width, dB.
    pub width_db: f64,
    /// Root mean square of the members' standard deviation, dB; of M draws times sqrt((M + 1) / M). It equals `rmse_db` in expectation
    /// where the truth might be one more draw (Fortin et al., 2014).
    pub spread_db: f64,
    /// Root mean squared error of the members' mean, dB.
    pub rmse_db: f64,
    /// Pearson's correlation of the standard deviation with the absolute error of the mean; none where either is the same everywhere.
    pub pearson: Option<f64>,
    /// The same of their ranks: Spearman's correlation.
    pub spearman: Option<f64>,
}

impl EnsembleScores {
    /// Scores `members` against `truth` where `mask` is 0: gray levels in [0, 1] of `codec`, row-major. The Brier score is that of
    /// exceeding `threshold_db`. All are 0 on a map without such pixels.
    ///
    /// # Panics
    /// Without members, and when the maps have not the same number of pixels.
    pub fn new<M: AsRef<[f32]>>(
        (kind, members): (EnsembleKind, &[M]),
        truth: &[f32],
        mask: &[u8],
        codec: &GrayCodec,
        threshold_db: f32,
    ) -> Self {
        let count = members.len();
        assert!(count > 0, "an ensemble has a member");
        assert!(members.iter().all(|map| map.as_ref().len() == truth.len()) && mask.len() == truth.len(), "maps and mask of one size");
        let db = |level: f32| f64::from(level) * f64::from(codec.range_db());
        let threshold = f64::from(threshold_db - codec.floor_db);
        let (mut crps_sum, mut brier_sum, mut held, mut width_sum) = (0.0, 0.0, 0usize, 0.0);
        let (mut deviations, mut errors) = (Vec::new(), Vec::new());
        let mut values = Vec::with_capacity(count);
        for pixel in (0..truth.len()).filter(|&pixel| mask[pixel] == 0) {
            let truth = db(truth[pixel]);
            values.clear();
            values.extend(members.iter().map(|map| db(map.as_ref()[pixel])));
            values.sort_unstable_by(f64::total_cmp);
            let above = values.len() - values.partition_point(|&value| value <= threshold);
            let [low, high] = central_interval(&values);
            let mean = mean(&values);
            let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
            crps_sum += crps(kind, &values, truth);
            brier_sum += brier(kind, above, count, truth > threshold);
            held += usize::from((low..=high).contains(&truth));
            width_sum += high - low;
            deviations.push((squares / kind.compared_with(count)).sqrt());
            errors.push((mean - truth).abs());
        }
        let pixels = errors.len().max(1) as f64;
        let root_mean_square = |values: &[f64]| (values.iter().map(|value| value * value).sum::<f64>() / pixels).sqrt();
        let spread = (count > 1).then(|| SpreadScores {
            coverage: held as f64 / pixels,
            width_db: width_sum / pixels,
            spread_db: match kind {
                EnsembleKind::Draws => root_mean_square(&deviations) * (1.0 + 1.0 / count as f64).sqrt(),
                EnsembleKind::Quantiles => root_mean_square(&deviations),
            },
            rmse_db: root_mean_square(&errors),
            pearson: correlation(&deviations, &errors),
            spearman: correlation(&ranks(&deviations), &ranks(&errors)),
        });
        Self { crps_db: crps_sum / pixels, brier: brier_sum / pixels, spread }
    }
}

/// The CRPS of `sorted` members x_1 to x_M, ascending: the mean of |x_i - truth| less half the mean of |x_i - x_j|, which is
/// 1 / (M K) sum (2 i - M - 1) x_i. Of draws only different ones are compared, so that K = M - 1 (the fair estimator); of quantiles all,
/// K = M. With one member, |x - truth|.
pub fn crps(kind: EnsembleKind, sorted: &[f64], truth: f64) -> f64 {
    let count = sorted.len() as f64;
    let distance = sorted.iter().map(|value| (value - truth).abs()).sum::<f64>() / count;
    let weight = |i: usize| 2.0 * i as f64 + 1.0 - count;
    // Relative to the truth, for the sake of rounding: the weights add up to 0.
    let apart: f64 = sorted.iter().enumerate().map(|(i, value)| weight(i) * (value - truth)).sum();
    distance - apart / (count * kind.compared_with(sorted.len()))
}

/// The Brier score of `above` of `count` members above a threshold: (p - o)^2, of draws less p (1 - p) / (M - 1) (the fair estimator).
fn brier(kind: EnsembleKind, above: usize, count: usize, exceeded: bool) -> f64 {
    let share = above as f64 / count as f64;
    let score = (share - f64::from(exceeded)).powi(2);
    match kind {
        EnsembleKind::Draws => score - share * (1.0 - share) / kind.compared_with(count),
        EnsembleKind::Quantiles => score,
    }
}

/// The ends of the central interval of [`INTERVAL`] between `sorted` members, ascending. The quantile p of M members lies at place
/// p (M + 1), counted from 1, linearly between two members, because one more draw is below the k-th of them with probability
/// k / (M + 1) (Weibull's convention; Hyndman and Fan, 1996, type 6). Beyond the members, which 18 and fewer are too few for, their
/// extremes are taken.
pub fn central_interval(sorted: &[f64]) -> [f64; 2] {
    let last = sorted.len() - 1;
    [0.5 - INTERVAL / 2.0, 0.5 + INTERVAL / 2.0].map(|p| {
        let place = (p * (sorted.len() + 1) as f64 - 1.0).clamp(0.0, last as f64);
        let (below, part) = (place as usize, place.fract());
        sorted[below] + part * (sorted[last.min(below + 1)] - sorted[below])
    })
}

/// The probability that the [`central_interval`] of so many members holds one more draw of the same continuous distribution:
/// [`INTERVAL`], or (M - 1) / (M + 1) where that is less. Interpolated ends are exact for uniform distributions only.
pub fn nominal_coverage(members: usize) -> f64 {
    INTERVAL.min((members as f64 - 1.0) / (members as f64 + 1.0))
}

/// Where the truth of a pixel lies to the [`central_interval`] of its members, all relative to the members' mean, dB.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct IntervalMiss {
    pub low_db: f32,
    pub high_db: f32,
    pub truth_db: f32,
}

impl IntervalMiss {
    /// Of the members' values in a pixel, in any order, and the truth.
    ///
    /// # Panics
    /// Without members.
    pub fn new(mut members: Vec<f64>, truth: f64) -> Self {
        members.sort_unstable_by(f64::total_cmp);
        let mean = mean(&members);
        let [low, high] = central_interval(&members);
        let [low_db, high_db, truth_db] = [low, high, truth].map(|value| (value - mean) as f32);
        Self { low_db, high_db, truth_db }
    }

    /// Whether the interval holds the truth once the members are moved from their mean by a factor.
    fn is_held(&self, factor: f32) -> bool {
        (factor * self.low_db..=factor * self.high_db).contains(&self.truth_db)
    }
}

/// The factor by which the members must be moved away from their mean for the interval to hold a share of the pixels, on the mean of
/// maps: the least one, to a hundredth, from 0.1 to 100; none where even 100 is too little, because members agree where they are wrong.
/// `maps` have an entry for every pixel that counts.
pub fn widening_that_holds(share: f64, maps: &[Vec<IntervalMiss>]) -> Option<f32> {
    let coverage = |factor: f32| {
        let held = |map: &Vec<IntervalMiss>| map.iter().filter(|pixel| pixel.is_held(factor)).count() as f64 / map.len().max(1) as f64;
        maps.iter().map(held).sum::<f64>() / maps.len().max(1) as f64
    };
    let factor = |hundredths: u32| hundredths as f32 / 100.0;
    let (mut below, mut enough) = (9, 10_000);
    if coverage(factor(enough)) < share {
        return None;
    }
    while enough - below > 1 {
        let middle = u32::midpoint(below, enough);
        *(if coverage(factor(middle)) < share { &mut below } else { &mut enough }) = middle;
    }
    Some(factor(enough))
}

/// The mean of members: of those that agree exactly their value, so that they have no deviation.
fn mean(members: &[f64]) -> f64 {
    members[0] + members.iter().map(|value| value - members[0]).sum::<f64>() / members.len() as f64
}

/// Pearson's correlation; none where either side does not vary.
fn correlation(a: &[f64], b: &[f64]) -> Option<f64> {
    let means = [a, b].map(|values| values.iter().sum::<f64>() / values.len() as f64);
    let add = |[ab, aa, bb]: [f64; 3], (a, b): (&f64, &f64)| {
        let (a, b) = (a - means[0], b - means[1]);
        [ab + a * b, aa + a * a, bb + b * b]
    };
    let [covariance, variance_a, variance_b] = a.iter().zip(b).fold([0.0; 3], add);
    (variance_a > 0.0 && variance_b > 0.0).then(|| covariance / (variance_a * variance_b).sqrt())
}

/// Places in ascending order; equal values share their mean place.
fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_unstable_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut ranks = vec![0.0; values.len()];
    let mut begin = 0;
    for equal in order.chunk_by(|&a, &b| values[a] == values[b]) {
        let rank = begin as f64 + (equal.len() - 1) as f64 / 2.0;
        equal.iter().for_each(|&i| ranks[i] = rank);
        begin += equal.len();
    }
    ranks
}

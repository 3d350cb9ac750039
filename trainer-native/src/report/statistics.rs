//! Statistics of a column of a log.

use serde::Serialize;

/// Of a column's values. Values that are missing or not finite are counted and take no part in anything else.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ColumnStatistics {
    pub count: usize,
    pub missing: usize,
    pub not_finite: usize,
    pub first: f64,
    pub last: f64,
    pub min: f64,
    /// The first step with the smallest value.
    pub min_step: u64,
    pub max: f64,
    pub max_step: u64,
    pub mean: f64,
    /// Of a sample: the squares' sum is divided by count - 1. 0 for a single value.
    pub standard_deviation: f64,
    pub quantile_05: f64,
    pub median: f64,
    pub quantile_95: f64,
}

impl ColumnStatistics {
    /// Of the values of ascending steps; `None` where no value is finite.
    pub fn of(values: &[(u64, Option<f64>)]) -> Option<Self> {
        let finite: Vec<(u64, f64)> = values.iter().filter_map(|&(step, value)| Some((step, value.filter(|v| v.is_finite())?))).collect();
        let missing = values.iter().filter(|(_, value)| value.is_none()).count();
        let (&(_, first), &(_, last)) = (finite.first()?, finite.last()?);
        let (min_step, min) = finite.iter().copied().reduce(|a, b| if b.1 < a.1 { b } else { a })?;
        let (max_step, max) = finite.iter().copied().reduce(|a, b| if b.1 > a.1 { b } else { a })?;
        let mut sorted: Vec<f64> = finite.iter().map(|(_, value)| *value).collect();
        sorted.sort_by(f64::total_cmp);
        let average = mean(&sorted);
        let squares: f64 = sorted.iter().map(|value| (value - average).powi(2)).sum();
        Some(Self {
            count: finite.len(),
            missing,
            not_finite: values.len() - missing - finite.len(),
            first,
            last,
            min,
            min_step,
            max,
            max_step,
            mean: average,
            standard_deviation: (squares / (finite.len().max(2) - 1) as f64).sqrt(),
            quantile_05: quantile(&sorted, 0.05),
            median: quantile(&sorted, 0.5),
            quantile_95: quantile(&sorted, 0.95),
        })
    }
}

/// The arithmetic mean; NaN of nothing.
pub fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// The value that a share of the sorted values lies below, linear between two of them (Hyndman and Fan's type 7). NaN of nothing.
pub fn quantile(sorted: &[f64], share: f64) -> f64 {
    let Some(most) = sorted.len().checked_sub(1) else { return f64::NAN };
    let place = share * most as f64;
    let below = sorted[place.floor() as usize];
    let above = sorted[place.ceil() as usize];
    below + (above - below) * place.fract()
}

/// Counts of values in `bins` equal parts of `low` to `high`; values outside are in the part at their end.
pub fn histogram(values: &[f64], low: f64, high: f64, bins: usize) -> Vec<usize> {
    let mut counts = vec![0; bins];
    for value in values {
        let bin = (value - low) / (high - low) * bins as f64;
        counts[(bin.max(0.0) as usize).min(bins - 1)] += 1;
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_linear_between_values() {
        let sorted = [1.0, 2.0, 3.0, 10.0];
        assert_eq!([0.0, 0.5, 1.0].map(|share| quantile(&sorted, share)), [1.0, 2.5, 10.0]);
        assert!((quantile(&sorted, 0.95) - 8.95).abs() < 1e-12);
        assert!(quantile(&[], 0.5).is_nan());
    }

    #[test]
    fn missing_and_not_finite_values_are_only_counted() {
        let values = [(1, Some(2.0)), (2, None), (3, Some(f64::NAN)), (4, Some(4.0)), (5, Some(2.0))];
        let statistics = ColumnStatistics::of(&values).expect("three values are finite");
        assert_eq!((statistics.count, statistics.missing, statistics.not_finite), (3, 1, 1));
        assert_eq!((statistics.min, statistics.min_step, statistics.max_step, statistics.last), (2.0, 1, 4, 2.0));
        assert!((statistics.standard_deviation - (4.0_f64 / 3.0).sqrt()).abs() < 1e-15);
        assert_eq!(ColumnStatistics::of(&[(1, None)]), None);
    }

    #[test]
    fn histograms_keep_every_value() {
        assert_eq!(histogram(&[-1.0, 0.0, 0.5, 0.99, 1.0, 7.0], 0.0, 1.0, 2), [2, 4]);
    }
}

//! A column as a curve: its trend, and the range of its values around it. A curve breaks where the log has a gap. A column that goes
//! in steps, as a learning rate does, is its own trend: a mean would make ramps of its steps.

/// Parts of a curve's width that values are gathered in.
const BINS: usize = 500;
/// The trend is the mean over this share of the log's steps.
pub const TREND: f64 = 0.02;

/// Values of neighbouring steps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CurveBin {
    /// Mean of the steps.
    pub step: f64,
    pub low: f64,
    pub high: f64,
    pub trend: f64,
}

/// The pieces of a curve between a log's gaps, each with at least one bin.
pub fn pieces(series: &[(u64, f64)], is_broken: impl Fn(u64, u64) -> bool) -> Vec<Vec<CurveBin>> {
    let (Some(first), Some(last)) = (series.first(), series.last()) else { return Vec::new() };
    let width = ((last.0 - first.0) as f64 / BINS as f64).max(1.0);
    let window = if is_stepwise(series) { width / 2.0 } else { ((last.0 - first.0) as f64 * TREND / 2.0).max(width / 2.0) };
    series.chunk_by(|a, b| !is_broken(a.0, b.0)).map(|piece| bins(piece, first.0, width, window)).collect()
}

/// Whether a value is nearly always that of the step before.
fn is_stepwise(series: &[(u64, f64)]) -> bool {
    const CHANGES: usize = 20;
    let changes = series.windows(2).filter(|pair| pair[0].1 != pair[1].1).count();
    changes * CHANGES < series.len()
}

fn bins(piece: &[(u64, f64)], first: u64, width: f64, window: f64) -> Vec<CurveBin> {
    let bin = |step: u64| ((step - first) as f64 / width) as u64;
    let sums = prefix_sums(piece);
    let gathered = |part: &[(u64, f64)]| {
        let step = part.iter().map(|(step, _)| *step as f64).sum::<f64>() / part.len() as f64;
        let (low, high) = part.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), (_, v)| (low.min(*v), high.max(*v)));
        let from = piece.partition_point(|(s, _)| (*s as f64) < step - window);
        let to = piece.partition_point(|(s, _)| (*s as f64) <= step + window);
        CurveBin { step, low, high, trend: (sums[to] - sums[from]) / (to - from) as f64 }
    };
    piece.chunk_by(|a, b| bin(a.0) == bin(b.0)).map(gathered).collect()
}

fn prefix_sums(piece: &[(u64, f64)]) -> Vec<f64> {
    let sums = piece.iter().scan(0.0, |sum, (_, value)| {
        *sum += value;
        Some(*sum)
    });
    std::iter::once(0.0).chain(sums).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn curves_break_at_gaps_and_keep_extremes() {
        let series: Vec<(u64, f64)> =
            (0..10_000).filter(|s| !(4000..5000).contains(s)).map(|s| (s, if s == 77 { 9.0 } else { 1.0 })).collect();
        let pieces = pieces(&series, |from, to| to - from > 1);
        assert_eq!(pieces.len(), 2);
        assert!(pieces.iter().map(Vec::len).sum::<usize>() <= BINS + 2);
        assert_eq!(pieces[0].iter().map(|bin| bin.high).fold(0.0, f64::max), 9.0);
        assert!(pieces[1].iter().all(|bin| bin.low == 1.0 && bin.high == 1.0 && (bin.trend - 1.0).abs() < 1e-9));
    }

    #[test]
    fn steps_stay_steep() {
        let series: Vec<(u64, f64)> = (0..1000).map(|s| (s, if s < 500 { 1.0 } else { 2.0 })).collect();
        let pieces = pieces(&series, |_, _| false);
        assert!(pieces[0].iter().filter(|bin| bin.trend > 1.01 && bin.trend < 1.99).count() <= 1);
    }

    #[test]
    fn few_values_are_their_own_trend() {
        let pieces = pieces(&[(10, 1.0), (20, 3.0), (30, 2.0)], |_, _| false);
        assert_eq!(pieces[0].iter().map(|bin| bin.trend).collect::<Vec<_>>(), [1.0, 3.0, 2.0]);
    }
}

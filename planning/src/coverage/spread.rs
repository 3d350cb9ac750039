//! How maps of one plan differ: the samples or the quantiles of a network.

/// Mean and variance of each pixel over maps that come one by one (Welford, 1962), and how often a threshold is reached.
#[derive(Clone, Debug, PartialEq)]
pub struct Spread {
    count: u32,
    mean: Vec<f64>,
    /// Sums of squared deviations from the mean.
    squares: Vec<f64>,
    reached: Option<Reached>,
}

#[derive(Clone, Debug, PartialEq)]
struct Reached {
    threshold: f64,
    /// NaN where maps have no value.
    times: Vec<f32>,
}

impl Spread {
    /// Of no map yet.
    pub fn new(threshold: Option<f64>) -> Self {
        let reached = threshold.map(|threshold| Reached { threshold, times: Vec::new() });
        Self { count: 0, mean: Vec::new(), squares: Vec::new(), reached }
    }

    /// Adds the next map. Pixels without a value, NaN, are the same in all.
    ///
    /// # Panics
    /// When it has another number of pixels than the first.
    pub fn add(&mut self, values: &[f32]) {
        if self.count == 0 {
            (self.mean, self.squares) = (vec![0.0; values.len()], vec![0.0; values.len()]);
            self.reached.iter_mut().for_each(|reached| reached.times = vec![0.0; values.len()]);
        }
        assert_eq!(values.len(), self.mean.len(), "maps of one grid");
        self.count += 1;
        let count = f64::from(self.count);
        for ((&value, mean), squares) in values.iter().zip(&mut self.mean).zip(&mut self.squares) {
            let value = f64::from(value);
            let before = value - *mean;
            *mean += before / count;
            *squares += before * (value - *mean);
        }
        if let Some(Reached { threshold, times }) = &mut self.reached {
            for (&value, times) in values.iter().zip(times) {
                *times += if value.is_nan() { f32::NAN } else { f32::from(u8::from(f64::from(value) >= *threshold)) };
            }
        }
    }

    pub fn mean(&self) -> Vec<f32> {
        self.mean.iter().map(|&mean| mean as f32).collect()
    }

    /// Of the population that was drawn: 0 of a single map.
    pub fn standard_deviation(&self) -> Vec<f32> {
        self.squares.iter().map(|&sum| (sum / f64::from(self.count)).sqrt() as f32).collect()
    }

    /// The share of maps at or above the threshold, 0 to 1; None without one.
    pub fn probability(&self) -> Option<Vec<f32>> {
        let share = |&times: &f32| (f64::from(times) / f64::from(self.count)) as f32;
        self.reached.as_ref().map(|reached| reached.times.iter().map(share).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same numbers, and NaN in the same places.
    fn assert_same(found: &[f32], expected: &[f32]) {
        let same = |(a, b): (&f32, &f32)| a == b || a.is_nan() && b.is_nan();
        assert!(found.len() == expected.len() && found.iter().zip(expected).all(same), "{found:?}, expected {expected:?}");
    }

    #[test]
    fn mean_deviation_and_probability_are_those_of_the_maps() {
        let mut spread = Spread::new(Some(-80.0));
        for values in [[-70.0, -100.0, f32::NAN], [-80.0, -100.0, f32::NAN], [-90.0, -100.0, f32::NAN]] {
            spread.add(&values);
        }
        assert_same(&spread.mean(), &[-80.0, -100.0, f32::NAN]);
        assert_same(&spread.standard_deviation(), &[(200.0_f64 / 3.0).sqrt() as f32, 0.0, f32::NAN]);
        assert_same(&spread.probability().unwrap(), &[(2.0_f64 / 3.0) as f32, 0.0, f32::NAN]);
        assert_eq!(Spread::new(None).probability(), None);
    }
}

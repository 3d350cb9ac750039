//! The sampler's schedule, settings and state.

use super::process::MIN_TIME;

/// Most steps of the sampler.
pub const MAX_STEPS: usize = 1000;

/// The sampler's settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SampleOptions {
    /// Steps of the sampler, 1 to [`MAX_STEPS`].
    pub steps: usize,
    /// Seed of the noise.
    pub seed: u64,
    /// End with one more evaluation at t = 1e-4, as the public code does.
    pub split_last_step: bool,
}

impl Default for SampleOptions {
    fn default() -> Self {
        Self { steps: 1, seed: 0, split_last_step: false }
    }
}

/// The sampler's times: N equal steps from t = `start` (1 is noise). With `split_last`, the last step is split so that it ends with a
/// step of [`MIN_TIME`], as in the public code. Each entry is (t, step size); the last size equals its t.
///
/// N is clamped to 1 to [`MAX_STEPS`].
///
/// # Panics
/// When `start` is not in [`MIN_TIME`] to 1.
pub fn schedule(start: f32, steps: usize, split_last: bool) -> Vec<(f32, f32)> {
    let steps = steps.clamp(1, MAX_STEPS);
    assert!((MIN_TIME..=1.0).contains(&start), "the sampler starts at t = {start}, expected {MIN_TIME} to 1");
    let start = f64::from(start);
    let size = start / steps as f64;
    let mut sizes = vec![size; steps];
    // Shorter steps cannot be split.
    if split_last && size > f64::from(MIN_TIME) {
        sizes[steps - 1] -= f64::from(MIN_TIME);
        sizes.push(f64::from(MIN_TIME));
    }
    let mut t = start;
    let mut times = Vec::with_capacity(sizes.len());
    for (i, &size) in sizes.iter().enumerate() {
        let step = if i + 1 == sizes.len() { t } else { size };
        times.push((t as f32, step as f32));
        t -= size;
    }
    times
}

/// The sampler's state between two steps.
pub struct Sampling<T> {
    /// x_t (N, Z, h, w), scaled, of N maps that are drawn together; the sampler's result when no step is left.
    pub latent: T,
    /// (t, size) of every step.
    times: Vec<(f32, f32)>,
    done: usize,
    seed: u64,
}

impl<T> Sampling<T> {
    /// Starts from x_t at t = `start`. The options' seed is that of the noise that later steps add.
    ///
    /// # Panics
    /// When `start` is not in [`MIN_TIME`] to 1.
    pub fn new(latent: T, start: f32, options: &SampleOptions) -> Self {
        Self { latent, times: schedule(start, options.steps, options.split_last_step), done: 0, seed: options.seed }
    }

    /// Steps in all.
    pub fn steps(&self) -> usize {
        self.times.len()
    }

    /// Steps taken.
    pub fn done(&self) -> usize {
        self.done
    }

    /// Seed of the noise that later steps add, the first map's where there are several.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The step to take next, (t, size), and whether it is the last one; none when all are taken.
    pub fn next_step(&self) -> Option<((f32, f32), bool)> {
        self.times.get(self.done).map(|&step| (step, self.done + 1 == self.times.len()))
    }

    /// Notes the latent that the next step gives.
    pub(super) fn record(&mut self, latent: T) {
        self.latent = latent;
        self.done += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedule_counts_down_to_zero() {
        for (start, steps, split) in
            [(1.0, 1, false), (1.0, 1, true), (1.0, 3, true), (1.0, 50, true), (0.3, 4, false), (0.3, 4, true), (1.0, MAX_STEPS, true)]
        {
            let times = schedule(start, steps, split);
            assert_eq!(times.len(), steps + usize::from(split));
            assert_eq!(times[0].0, start);
            let (t, last) = times[times.len() - 1];
            assert_eq!(t, last, "the last step ends at t = 0");
            assert!(times.windows(2).all(|w| (w[0].0 - w[0].1 - w[1].0).abs() < 1e-6));
            assert!(times.iter().all(|&(_, step)| step > 0.0));
        }
        assert_eq!(schedule(1.0, 0, false), [(1.0, 1.0)]);
        assert_eq!(schedule(MIN_TIME, 9, true).len(), 9, "there is no room for a shorter step");
    }
}

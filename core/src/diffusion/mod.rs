//! The decoupled diffusion process of RadioDiff ("const_sde"): noising, the network's preconditioning, the loss, the sampler.
//!
//! A latent x0 fades linearly while noise grows: x_t = (1 - t) x0 + sqrt(t) epsilon, t in (0, 1]. The network predicts
//! C = -x0 and epsilon apart. Source: shared/radiodiff-spec.md, section 3.

mod noise;

pub use noise::standard_normal;

use crate::engine::{Engine, Unary};
use crate::model::unet::Heads;
use serde::{Deserialize, Serialize};

/// The smallest time a network is trained at and a map is drawn from.
pub const MIN_TIME: f32 = 1e-4;
/// Most steps of the sampler.
pub const MAX_STEPS: usize = 1000;

/// The network's prediction after preconditioning, both of the latent's shape.
pub struct Prediction<T> {
    /// C, which is -x0 where the network is right.
    pub drift: T,
    /// epsilon
    pub noise: T,
}

/// One value a sample as a tensor (N, 1, 1, 1).
fn per_sample<E: Engine>(e: &E, times: &[f32], f: impl Fn(f32) -> f32) -> E::Tensor {
    let values: Vec<f32> = times.iter().map(|&t| f(t)).collect();
    e.tensor(&values, &[times.len(), 1, 1, 1])
}

/// x_t = (1 - t) x0 + sqrt(t) epsilon, one time a sample.
pub fn noised<E: Engine>(e: &E, x0: &E::Tensor, noise: &E::Tensor, times: &[f32]) -> E::Tensor {
    let signal = e.mul(x0, &per_sample(e, times, |t| 1.0 - t));
    e.add(&signal, &e.mul(noise, &per_sample(e, times, f32::sqrt)))
}

/// C = (1 - t) x_t + t / sqrt(t^2 + 1) F1 and epsilon = sqrt(t) x_t + sqrt(1 - t) / sqrt(t^2 + 1) F2.
///
/// Without F2 epsilon is x_t, which is exact at t = 1 and nowhere else.
pub fn precondition<E: Engine>(e: &E, x_t: &E::Tensor, times: &[f32], heads: &Heads<E::Tensor>) -> Prediction<E::Tensor> {
    let norm = |t: f32| (t * t + 1.0).sqrt();
    let drift = e.add(&e.mul(x_t, &per_sample(e, times, |t| 1.0 - t)), &e.mul(&heads.f1, &per_sample(e, times, |t| t / norm(t))));
    let noise = match &heads.f2 {
        Some(f2) => {
            let skip = e.mul(x_t, &per_sample(e, times, f32::sqrt));
            e.add(&skip, &e.mul(f2, &per_sample(e, times, |t| (1.0 - t).sqrt() / norm(t))))
        }
        None => x_t.clone(),
    };
    Prediction { drift, noise }
}

/// Which errors the loss adds up, and how the two parts weigh. The default is the public code's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LossOptions {
    /// Squared errors.
    pub l2: bool,
    /// Absolute errors.
    pub l1: bool,
    /// w1 = 2 exp(1 - t) for C and w2 = exp(sqrt t) for epsilon; otherwise both are 1.
    pub weighted: bool,
}

impl Default for LossOptions {
    fn default() -> Self {
        Self { l2: true, l1: true, weighted: true }
    }
}

/// The loss of a batch for the objective pred_KC (C and epsilon), a tensor of one element: the mean over samples of
/// w1 e(C) + w2 e(epsilon), where e is the mean of mse and mae, or the one that `options` leaves.
///
/// # Panics
/// When `options` leave no error.
pub fn training_loss<E: Engine>(
    e: &E,
    prediction: &Prediction<E::Tensor>,
    x0: &E::Tensor,
    noise: &E::Tensor,
    times: &[f32],
    options: LossOptions,
) -> E::Tensor {
    let share = if options.l1 && options.l2 { 0.5 } else { 1.0 };
    let error = |difference: &E::Tensor, weight: &dyn Fn(f32) -> f32| {
        let squares = || e.unary(Unary::Square, difference);
        let absolutes = || e.unary(Unary::Abs, difference);
        let errors = match (options.l2, options.l1) {
            (true, true) => e.add(&squares(), &absolutes()),
            (true, false) => squares(),
            (false, true) => absolutes(),
            (false, false) => panic!("a diffusion loss of neither squared nor absolute errors"),
        };
        e.mul(&e.mean_from(&errors, 1), &per_sample(e, times, |t| if options.weighted { share * weight(t) } else { share }))
    };
    let drift = error(&e.add(&prediction.drift, x0), &|t| 2.0 * (1.0 - t).exp());
    let noise = error(&e.sub(&prediction.noise, noise), &|t| t.sqrt().exp());
    e.mean_from(&e.add(&drift, &noise), 0)
}

/// The sampler's times: N equal steps from t = `start` (1 is noise), the last split so that it ends with one of `MIN_TIME`
/// (`split_last`), as the public code does. Each entry is (t, step); the last step is its t.
///
/// N is brought into 1 to `MAX_STEPS`.
///
/// # Panics
/// When `start` is not in `MIN_TIME` to 1.
pub fn schedule(start: f32, steps: usize, split_last: bool) -> Vec<(f32, f32)> {
    let steps = steps.clamp(1, MAX_STEPS);
    assert!((MIN_TIME..=1.0).contains(&start), "the sampler starts at t = {start}, expected {MIN_TIME} to 1");
    let start = f64::from(start);
    let size = start / steps as f64;
    let mut sizes = vec![size; steps];
    // A step as short as that has nothing to split.
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

/// One step from t to t - step: x - step C - step / sqrt(t) epsilon + sqrt(step (t - step) / t) xi with C = -x0_hat,
/// x0_hat = x - t C_hat - sqrt(t) epsilon. `fresh_noise` is xi; it has no weight on the last step and may be left out there.
pub fn step<E: Engine>(
    e: &E,
    x: &E::Tensor,
    (t, step): (f32, f32),
    prediction: &Prediction<E::Tensor>,
    fresh_noise: Option<&E::Tensor>,
) -> E::Tensor {
    let predicted_noise = |factor: f32| e.affine(&prediction.noise, factor, 0.0);
    let x0 = e.sub(&e.sub(x, &e.affine(&prediction.drift, t, 0.0)), &predicted_noise(t.sqrt()));
    let moved = e.sub(&e.add(x, &e.affine(&x0, step, 0.0)), &predicted_noise(step / t.sqrt()));
    match fresh_noise {
        Some(xi) => e.add(&moved, &e.affine(xi, (step * (t - step) / t).max(0.0).sqrt(), 0.0)),
        None => moved,
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

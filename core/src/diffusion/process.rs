//! The decoupled diffusion process of RadioDiff ("const_sde"): noising, the network's preconditioning, and one step back.
//!
//! A latent x0 fades linearly while noise grows: x_t = (1 - t) x0 + sqrt(t) epsilon, t in (0, 1]. The network predicts C = -x0 and
//! epsilon separately. See docs/radiodiff.md, "Diffusion process".

use crate::engine::Engine;
use crate::model::unet::UnetOutput;

/// The smallest time a network is trained at and a map is drawn from.
pub const MIN_TIME: f32 = 1e-4;

/// The network's prediction after preconditioning; both tensors have the latent's shape.
pub struct Prediction<T> {
    /// C, the prediction of -x0.
    pub drift: T,
    /// The prediction of epsilon.
    pub noise: T,
}

/// One value a sample as a tensor (N, 1, 1, 1).
pub(super) fn per_sample<E: Engine>(e: &E, times: &[f32], f: impl Fn(f32) -> f32 + 'static) -> E::Tensor {
    e.of_times(times, &[times.len(), 1, 1, 1], f)
}

/// x_t = (1 - t) x0 + sqrt(t) epsilon, one time a sample.
pub fn noised<E: Engine>(e: &E, x0: &E::Tensor, noise: &E::Tensor, times: &[f32]) -> E::Tensor {
    let signal = e.mul(x0, &per_sample(e, times, |t| 1.0 - t));
    e.add(&signal, &e.mul(noise, &per_sample(e, times, f32::sqrt)))
}

/// C = (1 - t) x_t + t / sqrt(t^2 + 1) F1 and epsilon = sqrt(t) x_t + sqrt(1 - t) / sqrt(t^2 + 1) F2.
///
/// Without F2, epsilon is x_t, which is exact at t = 1 only.
pub fn precondition<E: Engine>(e: &E, x_t: &E::Tensor, times: &[f32], output: &UnetOutput<E::Tensor>) -> Prediction<E::Tensor> {
    let norm = |t: f32| (t * t + 1.0).sqrt();
    let skip = e.mul(x_t, &per_sample(e, times, |t| 1.0 - t));
    let drift = e.add(&skip, &e.mul(&output.raw_drift, &per_sample(e, times, move |t| t / norm(t))));
    let noise = match &output.raw_noise {
        Some(raw_noise) => {
            let skip = e.mul(x_t, &per_sample(e, times, f32::sqrt));
            e.add(&skip, &e.mul(raw_noise, &per_sample(e, times, move |t| (1.0 - t).sqrt() / norm(t))))
        }
        None => x_t.clone(),
    };
    Prediction { drift, noise }
}

/// One step from t to t - step: x - step C - step / sqrt(t) epsilon + sqrt(step (t - step) / t) xi with C = -x0_hat,
/// x0_hat = x - t C_hat - sqrt(t) epsilon. `fresh_noise` is xi; its weight is 0 on the last step, where it may be left out.
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

//! The loss that trains the denoiser.

use super::process::{Prediction, per_sample};
use crate::engine::{Engine, Unary};
use serde::{Deserialize, Serialize};

/// The errors in the loss and the weights of its two parts. The default is the public code's.
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
/// w1 e(C) + w2 e(epsilon). e is the mean of mean squared and mean absolute error, or the only one that `options` has.
///
/// # Panics
/// When `options` have neither error.
pub fn training_loss<E: Engine>(
    e: &E,
    prediction: &Prediction<E::Tensor>,
    x0: &E::Tensor,
    noise: &E::Tensor,
    times: &[f32],
    options: LossOptions,
) -> E::Tensor {
    let share = if options.l1 && options.l2 { 0.5 } else { 1.0 };
    let error = |difference: &E::Tensor, weight: fn(f32) -> f32| {
        let squares = || e.unary(Unary::Square, difference);
        let absolutes = || e.unary(Unary::Abs, difference);
        let errors = match (options.l2, options.l1) {
            (true, true) => e.add(&squares(), &absolutes()),
            (true, false) => squares(),
            (false, true) => absolutes(),
            (false, false) => panic!("a diffusion loss needs squared or absolute errors"),
        };
        e.mul(&e.mean_from(&errors, 1), &per_sample(e, times, move |t| if options.weighted { share * weight(t) } else { share }))
    };
    let drift = error(&e.add(&prediction.drift, x0), |t| 2.0 * (1.0 - t).exp());
    let noise = error(&e.sub(&prediction.noise, noise), |t| t.sqrt().exp());
    e.mean_from(&e.add(&drift, &noise), 0)
}

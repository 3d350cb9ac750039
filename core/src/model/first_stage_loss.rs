//! The losses of the first stage and of its adversary (Esser et al., 2021; Rombach et al., 2022).
//!
//! With a map x, its reconstruction y, the discriminator D and a learnt log-variance s:
//!
//! - error of a pixel: r = |x - y| + (x - y)^2 + w_p LPIPS(x, y);
//! - negative log-likelihood: r exp(-s) + s, reduced over pixels and averaged over maps;
//! - autoencoder: L = NLL + w_kl KL + factor(step) d g, with g = -mean D(y) and d from [`adaptive_weight`];
//! - discriminator: factor(step) times [`AdversarialLoss::of_discriminator`].
//!
//! Gradients, optimisers and phases belong to the trainer. See docs/radiodiff.md, "First-stage losses and critics".
//!
//! [`Compat::Upstream`] computes as the public code does, which is not the default for these reasons:
//! - It sums r over the pixels. The adaptive weight divides the gradient of that sum by the gradient of a mean, so at 256 x 256
//!   pixels it always reaches its bound of 5000, and the reconstruction counts for nothing. The default divides NLL and KL by the
//!   number of pixels, which leaves their ratio as it is and d below its bound.
//! - No optimiser has s, so s stays 0. By default it learns.

use super::compat::Compat;
use crate::engine::{Binary, Engine, Unary};
use serde::{Deserialize, Serialize};

/// |x - y| + (x - y)^2 of every pixel.
pub fn pixel_error<E: Engine>(e: &E, truth: &E::Tensor, drawn: &E::Tensor) -> E::Tensor {
    let difference = e.sub(truth, drawn);
    e.add(&e.unary(Unary::Abs, &difference), &e.unary(Unary::Square, &difference))
}

/// r exp(-s) + s of `error` r (N, 1, H, W) and `log_variance` s (one element), averaged over pixels and maps, or upstream's sum over
/// pixels; one element. `weights` multiply the pixels' terms: they broadcast over r and their mean is 1.
pub fn negative_log_likelihood<E: Engine>(
    e: &E,
    compat: Compat,
    error: &E::Tensor,
    log_variance: &E::Tensor,
    weights: Option<&E::Tensor>,
) -> E::Tensor {
    let s = e.reshape(log_variance, &[1, 1, 1, 1]);
    let pixels = e.add(&e.binary(Binary::Div, error, &e.unary(Unary::Exp, &s)), &s);
    let pixels = weights.map_or_else(|| pixels.clone(), |weights| e.mul(&pixels, weights));
    e.affine(&e.mean_from(&pixels, 0), reduction(compat, &e.shape(error)), 0.0)
}

/// `weight` times the divergence `kl`, on the likelihood's scale. `kl` is summed over a latent and averaged over the batch; `shape`
/// is the maps' shape.
pub fn kl_term<E: Engine>(e: &E, compat: Compat, kl: &E::Tensor, weight: f32, shape: &[usize]) -> E::Tensor {
    let pixels: usize = shape[1..].iter().product();
    e.affine(kl, weight * reduction(compat, shape) / pixels as f32, 0.0)
}

/// The factor of a mean over the pixels of (N, C, H, W).
fn reduction(compat: Compat, shape: &[usize]) -> f32 {
    match compat {
        Compat::Corrected => 1.0,
        Compat::Upstream => shape[1..].iter().product::<usize>() as f32,
    }
}

/// -mean of the reconstructions' logits: it falls as the discriminator takes them for real. One element.
pub fn generator_loss<E: Engine>(e: &E, logits: &E::Tensor) -> E::Tensor {
    e.affine(&e.mean_from(logits, 0), -1.0, 0.0)
}

/// The discriminator's loss.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AdversarialLoss {
    /// 1/2 (mean relu(1 - D(x)) + mean relu(1 + D(y))) (Lim and Ye, 2017).
    #[default]
    Hinge,
    /// 1/2 (mean softplus(-D(x)) + mean softplus(D(y))) (Goodfellow et al., 2014).
    Vanilla,
}

impl AdversarialLoss {
    /// The loss of the logits of maps and of reconstructions; one element.
    pub fn of_discriminator<E: Engine>(self, e: &E, real: &E::Tensor, drawn: &E::Tensor) -> E::Tensor {
        let penalty = |signed: &E::Tensor| match self {
            Self::Hinge => e.unary(Unary::Relu, &e.affine(signed, 1.0, 1.0)),
            Self::Vanilla => e.softplus(signed),
        };
        let [real, drawn] = [&e.affine(real, -1.0, 0.0), drawn].map(|signed| e.mean_from(&penalty(signed), 0));
        e.affine(&e.add(&real, &drawn), 0.5, 0.0)
    }
}

/// d = weight * clamp(|grad NLL| / (|grad g| + 1e-4), 0, 1e4), gradients with respect to the decoder's last weights: the adversary
/// pulls at them `weight` times as hard as the reconstruction. NLL is the loss that is trained, with the pixels' weights where there
/// are some; [`Compat::Upstream`] has none.
pub fn adaptive_weight(weight: f64, likelihood_gradient: f64, generator_gradient: f64) -> f64 {
    weight * (likelihood_gradient / (generator_gradient + 1e-4)).clamp(0.0, 1e4)
}

/// When and how strongly the adversary takes part.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdversarialPhase {
    /// The first step with an adversary (RadioDiff: 50,001).
    pub start: usize,
    /// Steps over which the factor rises from 0; with 0 it is reached at once, as in the public code.
    #[serde(default)]
    pub ramp: usize,
    /// The factor after the rise; RadioDiff's is 1.
    pub factor: f64,
}

impl AdversarialPhase {
    /// The factor of the adversarial losses at a step.
    pub fn factor_at(&self, step: usize) -> f64 {
        match step.checked_sub(self.start) {
            None => 0.0,
            Some(since) if since < self.ramp => self.factor * (since + 1) as f64 / (self.ramp + 1) as f64,
            Some(_) => self.factor,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_adversary_waits_and_then_rises() {
        let phase = AdversarialPhase { start: 10, ramp: 3, factor: 2.0 };
        assert_eq!([0, 9, 10, 11, 12, 13, 99].map(|step| phase.factor_at(step)), [0.0, 0.0, 0.5, 1.0, 1.5, 2.0, 2.0]);
        let at_once = AdversarialPhase { ramp: 0, ..phase };
        assert_eq!([9, 10].map(|step| at_once.factor_at(step)), [0.0, 2.0]);
    }

    #[test]
    fn the_adaptive_weight_is_bounded() {
        assert_eq!(adaptive_weight(0.5, 1e9, 0.0), 5000.0);
        assert_eq!(adaptive_weight(0.5, 0.0, 1.0), 0.0);
        assert!((adaptive_weight(0.5, 3.0, 1.5) - 1.0).abs() < 1e-3);
    }
}

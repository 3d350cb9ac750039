//! Group normalisation (Wu and He, 2018).

use crate::engine::Engine;
use crate::parameters::{Initializer, ParameterError, VarBuilder};

/// y = (x - mean) / sqrt(variance + epsilon) * weight + bias. Mean and variance are over one sample's group of channels and all its
/// pixels; weight and bias belong to a channel.
pub struct GroupNorm<E: Engine> {
    weight: E::Tensor,
    bias: E::Tensor,
    groups: usize,
    epsilon: f32,
}

impl<E: Engine> GroupNorm<E> {
    /// Parameters `weight` and `bias` (channels). `channels` is a multiple of `groups`.
    pub fn new(vb: &VarBuilder<E>, channels: usize, groups: usize, epsilon: f32) -> Result<Self, ParameterError> {
        let weight = vb.param("weight", &[channels], Initializer::ONE)?;
        Ok(Self { weight, bias: vb.param("bias", &[channels], Initializer::ZERO)?, groups, epsilon })
    }

    /// (N, channels, ..) -> the same shape.
    pub fn forward(&self, e: &E, x: &E::Tensor) -> E::Tensor {
        e.group_norm(x, self.groups, &self.weight, &self.bias, self.epsilon)
    }

    /// Followed by SiLU, which engines fuse. (N, channels, ..) -> the same shape.
    pub fn forward_silu(&self, e: &E, x: &E::Tensor) -> E::Tensor {
        e.group_norm_silu(x, self.groups, &self.weight, &self.bias, self.epsilon)
    }

    /// Followed by SiLU, to which `plus`, of the same shape, is added.
    pub fn forward_silu_plus(&self, e: &E, x: &E::Tensor, plus: &E::Tensor) -> E::Tensor {
        e.group_norm_silu_plus(x, self.groups, [&self.weight, &self.bias], self.epsilon, plus)
    }

    /// Followed by a modulation and SiLU: SiLU(y (1 + scale) + shift). x (N, channels, H, W), `film` (N, 2 channels) with an image's scales
    /// before its shifts -> the shape of x.
    pub fn forward_film_silu(&self, e: &E, x: &E::Tensor, film: &E::Tensor) -> E::Tensor {
        e.group_norm_film_silu(x, self.groups, [&self.weight, &self.bias], self.epsilon, film)
    }
}

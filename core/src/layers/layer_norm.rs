//! Layer normalisation of tokens (Ba et al., 2016).

use crate::engine::Engine;
use crate::parameters::{Initializer, ParameterError, VarBuilder};

/// y = (x - mean) / sqrt(variance + 1e-5) * weight + bias, mean and variance over a token's channels.
pub struct LayerNorm<E: Engine> {
    weight: E::Tensor,
    bias: E::Tensor,
}

impl<E: Engine> LayerNorm<E> {
    /// Parameters `weight` and `bias` (channels).
    pub fn new(vb: &VarBuilder<E>, channels: usize) -> Result<Self, ParameterError> {
        let weight = vb.param("weight", &[channels], Initializer::ONE)?;
        Ok(Self { weight, bias: vb.param("bias", &[channels], Initializer::ZERO)? })
    }

    /// (.., channels) -> the same shape.
    pub fn forward(&self, e: &E, x: &E::Tensor) -> E::Tensor {
        e.add(&e.mul(&e.normalize_last(x, 1e-5), &self.weight), &self.bias)
    }
}

//! Batch normalisation (Ioffe and Szegedy, 2015).

use crate::engine::{BatchNormState, Engine};
use crate::parameters::{Initializer, ParameterError, VarBuilder};

/// y = (x - mean) / sqrt(variance + epsilon) * weight + bias. In training, mean and variance are those of a channel over the batch
/// and its pixels, and they move the running statistics by `momentum`; otherwise they are the running statistics.
pub struct BatchNorm<E: Engine>(BatchNormState<E::Tensor>);

impl<E: Engine> BatchNorm<E> {
    /// Parameters `weight`, whose initialiser is given, and `bias`; buffers `running_mean` and `running_var`; all (channels).
    pub fn new(vb: &VarBuilder<E>, channels: usize, weight: Initializer, momentum: f64, epsilon: f64) -> Result<Self, ParameterError> {
        Ok(Self(BatchNormState {
            weight: vb.param("weight", &[channels], weight)?,
            bias: vb.param("bias", &[channels], Initializer::ZERO)?,
            running_mean: vb.buffer("running_mean", &[channels], Initializer::ZERO)?,
            running_var: vb.buffer("running_var", &[channels], Initializer::ONE)?,
            momentum,
            epsilon,
        }))
    }

    /// (N, channels, H, W) -> the same shape.
    pub fn forward(&self, e: &E, x: &E::Tensor) -> E::Tensor {
        e.batch_norm(x, &self.0)
    }
}

//! Layer normalisation over the channels of each pixel, the U-Net's in front of its attention.

use crate::engine::Engine;
use crate::parameters::{Initializer, ParameterError, VarBuilder};

/// y = (x - mean) / sqrt(variance + 1e-5) * g, mean and variance over a pixel's channels. There is no shift.
pub struct ChannelNorm<E: Engine> {
    gain: E::Tensor,
    channels: usize,
}

impl<E: Engine> ChannelNorm<E> {
    /// Parameter `g` (1, channels, 1, 1).
    pub fn new(vb: &VarBuilder<E>, channels: usize) -> Result<Self, ParameterError> {
        Ok(Self { gain: vb.param("g", &[1, channels, 1, 1], Initializer::ONE)?, channels })
    }

    /// (N, channels, H, W) -> the same shape.
    pub fn forward(&self, e: &E, x: &E::Tensor) -> E::Tensor {
        debug_assert_eq!(e.shape(x)[1], self.channels);
        e.channel_norm(x, &self.gain, 1e-5)
    }
}

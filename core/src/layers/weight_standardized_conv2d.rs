//! Weight-standardised convolution (Qiao et al., 2019).

use crate::engine::{ConvGeometry, Engine};
use crate::parameters::{Initializer, ParameterError, VarBuilder};

/// A 3 x 3 convolution with the filters w = (v - mean) / sqrt(variance + 1e-5), mean and variance over each output channel's stored
/// filter v. The bias is not standardised.
pub struct WeightStandardizedConv2d<E: Engine> {
    weight: E::Tensor,
    bias: E::Tensor,
}

impl<E: Engine> WeightStandardizedConv2d<E> {
    /// Parameters `weight` (output, input, 3, 3) and `bias` (output).
    pub fn new(vb: &VarBuilder<E>, input: usize, output: usize) -> Result<Self, ParameterError> {
        let shape = [output, input, 3, 3];
        let init = Initializer::fan_in(input * 9);
        Ok(Self { weight: vb.param("weight", &shape, init)?, bias: vb.param("bias", &[output], init)? })
    }

    /// (N, input, H, W) -> (N, output, H, W).
    pub fn forward(&self, e: &E, x: &E::Tensor) -> E::Tensor {
        e.conv2d(x, &e.standardize_filters(&self.weight, 1e-5), Some(&self.bias), ConvGeometry::same(3))
    }
}

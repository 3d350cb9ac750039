//! 2-D convolution.

use crate::engine::{ConvGeometry, Engine, Padding};
use crate::parameters::{Initializer, ParameterError, VarBuilder};

/// y_o(p) = b_o + sum_i sum_k w_oi(k) x_i(s p + k - padding), s the stride, zeros outside the image.
pub struct Conv2d<E: Engine> {
    weight: E::Tensor,
    bias: Option<E::Tensor>,
    geometry: ConvGeometry,
}

impl<E: Engine> Conv2d<E> {
    /// Parameters `weight` (output, input, kernel, kernel) and `bias` (output).
    pub fn new(vb: &VarBuilder<E>, input: usize, output: usize, kernel: usize, geometry: ConvGeometry) -> Result<Self, ParameterError> {
        let init = Initializer::fan_in(input * kernel * kernel);
        let weight = vb.param("weight", &[output, input, kernel, kernel], init)?;
        Ok(Self { weight, bias: Some(vb.param("bias", &[output], init)?), geometry })
    }

    /// Stride 1 and the padding that keeps the size; `kernel` is odd.
    pub fn same(vb: &VarBuilder<E>, input: usize, output: usize, kernel: usize) -> Result<Self, ParameterError> {
        Self::new(vb, input, output, kernel, ConvGeometry::same(kernel))
    }

    /// Halves the size: kernel 4, stride 2, padding 1.
    pub fn halving(vb: &VarBuilder<E>, input: usize, output: usize) -> Result<Self, ParameterError> {
        Self::new(vb, input, output, 4, ConvGeometry { stride: 2, padding: Padding::all(1) })
    }

    /// Divides an image into patches of `side` x `side` pixels, each of which becomes one pixel.
    pub fn patches(vb: &VarBuilder<E>, input: usize, output: usize, side: usize) -> Result<Self, ParameterError> {
        Self::new(vb, input, output, side, ConvGeometry { stride: side, padding: Padding::default() })
    }

    /// 1 x 1. Weights begin normal with standard deviation sqrt(2 / input) (He et al., 2015: PyTorch's `kaiming_normal_`), biases
    /// begin at 0.
    pub fn pointwise_kaiming(vb: &VarBuilder<E>, input: usize, output: usize) -> Result<Self, ParameterError> {
        let weight = vb.param("weight", &[output, input, 1, 1], Initializer::Normal { std: (2.0 / input as f32).sqrt() })?;
        let bias = Some(vb.param("bias", &[output], Initializer::ZERO)?);
        Ok(Self { weight, bias, geometry: ConvGeometry::same(1) })
    }

    /// 1 x 1. Weights and biases begin at 0, so that a network begins by saying the same everywhere.
    pub fn pointwise_from_zero(vb: &VarBuilder<E>, input: usize, output: usize) -> Result<Self, ParameterError> {
        let weight = vb.param("weight", &[output, input, 1, 1], Initializer::ZERO)?;
        Ok(Self { weight, bias: Some(vb.param("bias", &[output], Initializer::ZERO)?), geometry: ConvGeometry::same(1) })
    }

    /// 1 x 1 without a bias.
    pub fn pointwise_without_bias(vb: &VarBuilder<E>, input: usize, output: usize) -> Result<Self, ParameterError> {
        let weight = vb.param("weight", &[output, input, 1, 1], Initializer::fan_in(input))?;
        Ok(Self { weight, bias: None, geometry: ConvGeometry::same(1) })
    }

    /// (N, input, H, W) -> (N, output, H', W'), H' = (H + padding above and below - kernel) / stride + 1, rounded down.
    pub fn forward(&self, e: &E, x: &E::Tensor) -> E::Tensor {
        e.conv2d(x, &self.weight, self.bias.as_ref(), self.geometry)
    }
    /// As [`Self::forward`], to whose result `plus`, of its shape, is added.
    pub fn forward_plus(&self, e: &E, x: &E::Tensor, plus: &E::Tensor) -> E::Tensor {
        e.conv2d_plus(x, &self.weight, self.bias.as_ref(), self.geometry, plus)
    }
    /// Of an image whose pixels are doubled in both directions first: (N, input, H, W) -> (N, output, 2 H, 2 W). Only for a kernel of 3
    /// that keeps the size.
    pub fn forward_doubled(&self, e: &E, x: &E::Tensor) -> E::Tensor {
        debug_assert_eq!(self.geometry, ConvGeometry::same(3), "what a convolution of a doubled image is computed with");
        e.conv2d_of_doubled(x, &self.weight, self.bias.as_ref())
    }
}

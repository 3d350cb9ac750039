//! Linear layer.

use crate::engine::Engine;
use crate::parameters::{Initializer, ParameterError, VarBuilder};

/// y = W x + b.
pub struct Linear<E: Engine> {
    weight: E::Tensor,
    bias: Option<E::Tensor>,
}

impl<E: Engine> Linear<E> {
    /// Parameters `weight` (output, input) and `bias` (output).
    pub fn new(vb: &VarBuilder<E>, input: usize, output: usize) -> Result<Self, ParameterError> {
        let init = Initializer::fan_in(input);
        Ok(Self { weight: vb.param("weight", &[output, input], init)?, bias: Some(vb.param("bias", &[output], init)?) })
    }

    /// As vision transformers begin: weights normal with standard deviation 0.02, the bias, if there is one, at 0. torchvision
    /// truncates at +-2, which is a hundred standard deviations and therefore never happens.
    pub fn transformer(vb: &VarBuilder<E>, input: usize, output: usize, with_bias: bool) -> Result<Self, ParameterError> {
        Self::normal(vb, [input, output], 0.02, with_bias)
    }

    /// Weights begin normal with standard deviation sqrt(2 / (input + output)) (Glorot and Bengio, 2010: PyTorch's
    /// `xavier_normal_`), biases begin at 0.
    pub fn xavier(vb: &VarBuilder<E>, input: usize, output: usize) -> Result<Self, ParameterError> {
        Self::normal(vb, [input, output], (2.0 / (input + output) as f32).sqrt(), true)
    }

    fn normal(vb: &VarBuilder<E>, [input, output]: [usize; 2], std: f32, with_bias: bool) -> Result<Self, ParameterError> {
        let weight = vb.param("weight", &[output, input], Initializer::Normal { std })?;
        let bias = with_bias.then(|| vb.param("bias", &[output], Initializer::ZERO)).transpose()?;
        Ok(Self { weight, bias })
    }

    /// (.., input) -> (.., output).
    pub fn forward(&self, e: &E, x: &E::Tensor) -> E::Tensor {
        e.linear(x, &self.weight, self.bias.as_ref())
    }
}

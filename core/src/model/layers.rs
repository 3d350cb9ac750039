//! Layers that every network is made of: convolution, linear, normalisation, and weight-standardised convolution.
//!
//! Each holds its parameters and has a `forward` over an [`Engine`]. Initialisers are PyTorch's defaults.

use crate::engine::{BatchNormState, ConvGeometry, Engine, Padding};
use crate::weights::{Initializer, ParameterError, Parameters};

/// PyTorch's default for the weight and bias of convolutions and linear layers: U(-1/sqrt(fan_in), 1/sqrt(fan_in)).
fn default_uniform(fan_in: usize) -> Initializer {
    Initializer::Uniform { bound: 1.0 / (fan_in as f32).sqrt() }
}

/// 2-D convolution with bias.
pub struct Conv2d<T> {
    weight: T,
    bias: Option<T>,
    geometry: ConvGeometry,
}

impl<T: Clone> Conv2d<T> {
    /// Parameters `weight` (out, input, kernel, kernel) and `bias` (out).
    pub fn new<E: Engine<Tensor = T>>(
        p: &Parameters<E>,
        input: usize,
        output: usize,
        kernel: usize,
        geometry: ConvGeometry,
    ) -> Result<Self, ParameterError> {
        let init = default_uniform(input * kernel * kernel);
        let weight = p.trained("weight", &[output, input, kernel, kernel], init)?;
        Ok(Self { weight, bias: Some(p.trained("bias", &[output], init)?), geometry })
    }

    /// Stride 1, padding that keeps the size.
    pub fn same<E: Engine<Tensor = T>>(p: &Parameters<E>, input: usize, output: usize, kernel: usize) -> Result<Self, ParameterError> {
        Self::new(p, input, output, kernel, ConvGeometry::same(kernel))
    }

    /// 1 x 1 without bias.
    pub fn pointwise_without_bias<E: Engine<Tensor = T>>(p: &Parameters<E>, input: usize, output: usize) -> Result<Self, ParameterError> {
        let weight = p.trained("weight", &[output, input, 1, 1], default_uniform(input))?;
        Ok(Self { weight, bias: None, geometry: ConvGeometry::same(1) })
    }

    /// (N, input, H, W) -> (N, output, H', W').
    pub fn forward<E: Engine<Tensor = T>>(&self, e: &E, x: &T) -> T {
        e.conv2d(x, &self.weight, self.bias.as_ref(), self.geometry)
    }
}

/// Kernel 4, stride 2, padding 1: halves the size.
pub const HALVE: ConvGeometry = ConvGeometry { stride: 2, padding: Padding::all(1) };

/// x (.., input) -> (.., output).
pub struct Linear<T> {
    weight: T,
    bias: Option<T>,
}

impl<T: Clone> Linear<T> {
    /// Parameters `weight` (output, input) and `bias` (output).
    pub fn new<E: Engine<Tensor = T>>(p: &Parameters<E>, input: usize, output: usize) -> Result<Self, ParameterError> {
        let init = default_uniform(input);
        Ok(Self { weight: p.trained("weight", &[output, input], init)?, bias: Some(p.trained("bias", &[output], init)?) })
    }

    /// As vision transformers begin: weights N(0, 0.02), the bias, if there is to be one, 0.
    pub fn of_transformer<E: Engine<Tensor = T>>(
        p: &Parameters<E>,
        input: usize,
        output: usize,
        with_bias: bool,
    ) -> Result<Self, ParameterError> {
        let weight = p.trained("weight", &[output, input], Initializer::Normal { std: 0.02 })?;
        let bias = with_bias.then(|| p.trained("bias", &[output], Initializer::Constant(0.0))).transpose()?;
        Ok(Self { weight, bias })
    }

    pub fn forward<E: Engine<Tensor = T>>(&self, e: &E, x: &T) -> T {
        e.linear(x, &self.weight, self.bias.as_ref())
    }
}

/// Group normalisation with scale and shift (Wu and He, 2018).
pub struct GroupNorm<T> {
    weight: T,
    bias: T,
    groups: usize,
    epsilon: f32,
}

impl<T: Clone> GroupNorm<T> {
    /// Parameters `weight` and `bias` (channels).
    pub fn new<E: Engine<Tensor = T>>(p: &Parameters<E>, channels: usize, groups: usize, epsilon: f32) -> Result<Self, ParameterError> {
        let weight = p.trained("weight", &[channels], Initializer::Constant(1.0))?;
        Ok(Self { weight, bias: p.trained("bias", &[channels], Initializer::Constant(0.0))?, groups, epsilon })
    }

    pub fn forward<E: Engine<Tensor = T>>(&self, e: &E, x: &T) -> T {
        e.group_norm(x, self.groups, &self.weight, &self.bias, self.epsilon)
    }

    /// Followed by SiLU, which engines fuse.
    pub fn forward_silu<E: Engine<Tensor = T>>(&self, e: &E, x: &T) -> T {
        e.group_norm_silu(x, self.groups, &self.weight, &self.bias, self.epsilon)
    }
}

/// Layer normalisation over the last dimension, with scale and shift, epsilon 1e-5 (Ba et al., 2016).
pub struct LayerNorm<T> {
    weight: T,
    bias: T,
}

impl<T: Clone> LayerNorm<T> {
    /// Parameters `weight` and `bias` (channels).
    pub fn new<E: Engine<Tensor = T>>(p: &Parameters<E>, channels: usize) -> Result<Self, ParameterError> {
        let weight = p.trained("weight", &[channels], Initializer::Constant(1.0))?;
        Ok(Self { weight, bias: p.trained("bias", &[channels], Initializer::Constant(0.0))? })
    }

    /// (.., channels) -> the same shape.
    pub fn forward<E: Engine<Tensor = T>>(&self, e: &E, x: &T) -> T {
        e.add(&e.mul(&e.normalize_last(x, 1e-5), &self.weight), &self.bias)
    }
}

/// Batch normalisation as RadioDiff's relation layers use it: momentum 0.03, epsilon 1e-3.
pub struct BatchNorm<T>(BatchNormState<T>);

impl<T: Clone> BatchNorm<T> {
    pub fn new<E: Engine<Tensor = T>>(p: &Parameters<E>, channels: usize) -> Result<Self, ParameterError> {
        let (zero, one) = (Initializer::Constant(0.0), Initializer::Constant(1.0));
        Ok(Self(BatchNormState {
            weight: p.trained("weight", &[channels], one)?,
            bias: p.trained("bias", &[channels], zero)?,
            running_mean: p.fixed("running_mean", &[channels], zero)?,
            running_var: p.fixed("running_var", &[channels], one)?,
            momentum: 0.03,
            epsilon: 1e-3,
        }))
    }

    pub fn forward<E: Engine<Tensor = T>>(&self, e: &E, x: &T) -> T {
        e.batch_norm(x, &self.0)
    }
}

/// Layer normalisation over the channels of (N, C, H, W), with a gain and no shift.
pub struct ChannelNorm<T> {
    gain: T,
    channels: usize,
}

impl<T: Clone> ChannelNorm<T> {
    /// Parameter `g` (1, channels, 1, 1).
    pub fn new<E: Engine<Tensor = T>>(p: &Parameters<E>, channels: usize) -> Result<Self, ParameterError> {
        Ok(Self { gain: p.trained("g", &[1, channels, 1, 1], Initializer::Constant(1.0))?, channels })
    }

    pub fn forward<E: Engine<Tensor = T>>(&self, e: &E, x: &T) -> T {
        debug_assert_eq!(e.shape(x)[1], self.channels);
        let last = e.normalize_last(&e.permute(x, &[0, 2, 3, 1]), 1e-5);
        e.mul(&e.permute(&last, &[0, 3, 1, 2]), &self.gain)
    }
}

/// 3 x 3 convolution whose filters are standardised to mean 0 and variance 1 (Qiao et al., 2019), epsilon 1e-5.
pub struct WeightStandardizedConv<T> {
    weight: T,
    bias: T,
    shape: [usize; 4],
}

impl<T: Clone> WeightStandardizedConv<T> {
    pub fn new<E: Engine<Tensor = T>>(p: &Parameters<E>, input: usize, output: usize) -> Result<Self, ParameterError> {
        let shape = [output, input, 3, 3];
        let init = default_uniform(input * 9);
        Ok(Self { weight: p.trained("weight", &shape, init)?, bias: p.trained("bias", &[output], init)?, shape })
    }

    pub fn forward<E: Engine<Tensor = T>>(&self, e: &E, x: &T) -> T {
        let [output, input, ..] = self.shape;
        let filters = e.normalize_last(&e.reshape(&self.weight, &[output, input * 9]), 1e-5);
        e.conv2d(x, &e.reshape(&filters, &self.shape), Some(&self.bias), ConvGeometry::same(3))
    }
}

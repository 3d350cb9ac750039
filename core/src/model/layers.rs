//! Layers that every network is made of: convolution, linear, normalisation, and weight-standardised convolution.
//!
//! Each holds its parameters and has a `forward` over an [`Engine`]. Initialisers are PyTorch's defaults but where a constructor
//! says otherwise.

use crate::engine::{BatchNormState, ConvGeometry, Engine, Padding};
use crate::weights::{Initializer, ParameterError, Parameters};

/// PyTorch's default for the weight and bias of convolutions and linear layers: U(-1/sqrt(fan_in), 1/sqrt(fan_in)).
fn default_uniform(fan_in: usize) -> Initializer {
    Initializer::Uniform { bound: 1.0 / (fan_in as f32).sqrt() }
}

/// 2-D convolution: y_o(p) = b_o + sum_i sum_k w_oi(k) x_i(s p + k - padding), s the stride, zeros outside.
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

    /// Kernel 4, stride 2, padding 1: halves the size.
    pub fn halving<E: Engine<Tensor = T>>(p: &Parameters<E>, input: usize, output: usize) -> Result<Self, ParameterError> {
        Self::new(p, input, output, 4, ConvGeometry { stride: 2, padding: Padding::all(1) })
    }

    /// 1 x 1, weights normal with standard deviation sqrt(2 / input) (He et al., 2015: PyTorch's `kaiming_normal_`), biases 0.
    pub fn pointwise_kaiming<E: Engine<Tensor = T>>(p: &Parameters<E>, input: usize, output: usize) -> Result<Self, ParameterError> {
        let weight = p.trained("weight", &[output, input, 1, 1], Initializer::Normal { std: (2.0 / input as f32).sqrt() })?;
        let bias = Some(p.trained("bias", &[output], Initializer::Constant(0.0))?);
        Ok(Self { weight, bias, geometry: ConvGeometry::same(1) })
    }

    /// 1 x 1 without bias.
    pub fn pointwise_without_bias<E: Engine<Tensor = T>>(p: &Parameters<E>, input: usize, output: usize) -> Result<Self, ParameterError> {
        let weight = p.trained("weight", &[output, input, 1, 1], default_uniform(input))?;
        Ok(Self { weight, bias: None, geometry: ConvGeometry::same(1) })
    }

    /// (N, input, H, W) -> (N, output, H', W'), H' = (H + padding above and below - kernel) / stride + 1, rounded down.
    pub fn forward<E: Engine<Tensor = T>>(&self, e: &E, x: &T) -> T {
        e.conv2d(x, &self.weight, self.bias.as_ref(), self.geometry)
    }
}

/// y = W x + b.
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

    /// As vision transformers begin: weights normal with standard deviation 0.02, the bias, if there is to be one, 0. torchvision's are
    /// truncated at +-2, a hundred deviations away, so not at all.
    pub fn of_transformer<E: Engine<Tensor = T>>(
        p: &Parameters<E>,
        input: usize,
        output: usize,
        with_bias: bool,
    ) -> Result<Self, ParameterError> {
        Self::normal(p, [input, output], 0.02, with_bias)
    }

    /// Weights normal with standard deviation sqrt(2 / (input + output)) (Glorot and Bengio, 2010: PyTorch's `xavier_normal_`),
    /// biases 0.
    pub fn xavier<E: Engine<Tensor = T>>(p: &Parameters<E>, input: usize, output: usize) -> Result<Self, ParameterError> {
        Self::normal(p, [input, output], (2.0 / (input + output) as f32).sqrt(), true)
    }

    fn normal<E: Engine<Tensor = T>>(
        p: &Parameters<E>,
        [input, output]: [usize; 2],
        std: f32,
        with_bias: bool,
    ) -> Result<Self, ParameterError> {
        let weight = p.trained("weight", &[output, input], Initializer::Normal { std })?;
        let bias = with_bias.then(|| p.trained("bias", &[output], Initializer::Constant(0.0))).transpose()?;
        Ok(Self { weight, bias })
    }

    /// (.., input) -> (.., output).
    pub fn forward<E: Engine<Tensor = T>>(&self, e: &E, x: &T) -> T {
        e.linear(x, &self.weight, self.bias.as_ref())
    }
}

/// Group normalisation (Wu and He, 2018): y = (x - mean) / sqrt(variance + epsilon) * weight + bias, mean and variance of a
/// sample's group of channels and all its pixels, weight and bias a channel's.
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

    /// (N, channels, ..) -> the same shape.
    pub fn forward<E: Engine<Tensor = T>>(&self, e: &E, x: &T) -> T {
        e.group_norm(x, self.groups, &self.weight, &self.bias, self.epsilon)
    }

    /// Followed by SiLU, which engines fuse. (N, channels, ..) -> the same shape.
    pub fn forward_silu<E: Engine<Tensor = T>>(&self, e: &E, x: &T) -> T {
        e.group_norm_silu(x, self.groups, &self.weight, &self.bias, self.epsilon)
    }
}

/// Layer normalisation (Ba et al., 2016): y = (x - mean) / sqrt(variance + 1e-5) * weight + bias, mean and variance of a token.
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

/// Batch normalisation (Ioffe and Szegedy, 2015): y = (x - mean) / sqrt(variance + epsilon) * weight + bias, mean and variance of
/// a channel over the batch and its pixels in training, else the running ones, which training moves by `momentum`.
pub struct BatchNorm<T>(BatchNormState<T>);

impl<T: Clone> BatchNorm<T> {
    /// Parameters `weight`, which begins by the initialiser, `bias`, `running_mean` and `running_var` (channels).
    pub fn new<E: Engine<Tensor = T>>(
        p: &Parameters<E>,
        channels: usize,
        weight: Initializer,
        momentum: f64,
        epsilon: f64,
    ) -> Result<Self, ParameterError> {
        let zero = Initializer::Constant(0.0);
        Ok(Self(BatchNormState {
            weight: p.trained("weight", &[channels], weight)?,
            bias: p.trained("bias", &[channels], zero)?,
            running_mean: p.fixed("running_mean", &[channels], zero)?,
            running_var: p.fixed("running_var", &[channels], Initializer::Constant(1.0))?,
            momentum,
            epsilon,
        }))
    }

    /// (N, channels, H, W) -> the same shape.
    pub fn forward<E: Engine<Tensor = T>>(&self, e: &E, x: &T) -> T {
        e.batch_norm(x, &self.0)
    }
}

/// Layer normalisation over the channels of each pixel, with a gain and no shift: y = (x - mean) / sqrt(variance + 1e-5) * g.
/// Source: shared/radiodiff-spec.md, section 4.3.
pub struct ChannelNorm<T> {
    gain: T,
    channels: usize,
}

impl<T: Clone> ChannelNorm<T> {
    /// Parameter `g` (1, channels, 1, 1).
    pub fn new<E: Engine<Tensor = T>>(p: &Parameters<E>, channels: usize) -> Result<Self, ParameterError> {
        Ok(Self { gain: p.trained("g", &[1, channels, 1, 1], Initializer::Constant(1.0))?, channels })
    }

    /// (N, channels, H, W) -> the same shape.
    pub fn forward<E: Engine<Tensor = T>>(&self, e: &E, x: &T) -> T {
        debug_assert_eq!(e.shape(x)[1], self.channels);
        let last = e.normalize_last(&e.permute(x, &[0, 2, 3, 1]), 1e-5);
        e.mul(&e.permute(&last, &[0, 3, 1, 2]), &self.gain)
    }
}

/// 3 x 3 convolution whose filters are standardised first (Qiao et al., 2019): w = (v - mean) / sqrt(variance + 1e-5), mean and
/// variance of each output channel's filter v. The bias stays as it is.
pub struct WeightStandardizedConv<T> {
    weight: T,
    bias: T,
    shape: [usize; 4],
}

impl<T: Clone> WeightStandardizedConv<T> {
    /// Parameters `weight` (output, input, 3, 3) and `bias` (output).
    pub fn new<E: Engine<Tensor = T>>(p: &Parameters<E>, input: usize, output: usize) -> Result<Self, ParameterError> {
        let shape = [output, input, 3, 3];
        let init = default_uniform(input * 9);
        Ok(Self { weight: p.trained("weight", &shape, init)?, bias: p.trained("bias", &[output], init)?, shape })
    }

    /// (N, input, H, W) -> (N, output, H, W).
    pub fn forward<E: Engine<Tensor = T>>(&self, e: &E, x: &T) -> T {
        let [output, input, ..] = self.shape;
        let filters = e.normalize_last(&e.reshape(&self.weight, &[output, input * 9]), 1e-5);
        e.conv2d(x, &e.reshape(&filters, &self.shape), Some(&self.bias), ConvGeometry::same(3))
    }
}

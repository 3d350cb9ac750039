//! The tensor operations: trait [`Engine`] and the types its methods take.

use std::future::Future;
use thiserror::Error;

/// Why a result could not be read back.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
pub enum EngineError {
    #[error("the GPU device was lost ({reason}); make a new engine, the weights are still on the host")]
    DeviceLost { reason: String },
    #[error("out of memory: {what}")]
    OutOfMemory { what: String },
    #[error("the engine failed: {reason}")]
    Failed { reason: String },
}

/// Element-wise functions of one tensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unary {
    /// x * sigmoid(x), also called swish.
    Silu,
    /// x * Phi(x) with the error function, not its tanh approximation.
    Gelu,
    Relu,
    Exp,
    Log,
    Sqrt,
    Abs,
    Square,
    Sin,
    Cos,
}

/// Element-wise functions of two tensors, with NumPy's broadcasting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binary {
    Add,
    Sub,
    Mul,
    Div,
}

/// Zero padding of an image, in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Padding {
    pub top: usize,
    pub bottom: usize,
    pub left: usize,
    pub right: usize,
}

impl Padding {
    /// The same padding on all four sides.
    pub const fn all(pixels: usize) -> Self {
        Self { top: pixels, bottom: pixels, left: pixels, right: pixels }
    }

    /// Padding at the bottom and on the right only (the autoencoder's asymmetric down-sampling).
    pub const fn bottom_right(pixels: usize) -> Self {
        Self { top: 0, bottom: pixels, left: 0, right: pixels }
    }
}

/// Geometry of a 2-D convolution; the kernel's size is the weight's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConvGeometry {
    pub stride: usize,
    pub padding: Padding,
}

impl ConvGeometry {
    /// Stride 1 with the padding that keeps the size of an odd kernel.
    pub const fn same(kernel: usize) -> Self {
        Self { stride: 1, padding: Padding::all(kernel / 2) }
    }
}

/// Scale, shift and running statistics of a batch normalisation, all of shape (C).
#[derive(Clone, Debug)]
pub struct BatchNormState<T> {
    pub weight: T,
    pub bias: T,
    pub running_mean: T,
    pub running_var: T,
    /// Weight of the newest batch in the running statistics (training only).
    pub momentum: f64,
    pub epsilon: f64,
}

/// A tensor engine. [`crate::engine`] states the contract.
pub trait Engine: 'static {
    type Tensor: Clone + 'static;

    // Host memory in and out.

    /// A tensor from row-major values. `values.len()` is the product of `shape`.
    fn tensor(&self, values: &[f32], shape: &[usize]) -> Self::Tensor;
    /// A tensor of `shape` with `f` of each time. An engine that records a step and replays it calls `f` again for the times of the
    /// later steps, so `f` depends on nothing that changes from step to step.
    fn of_times(&self, times: &[f32], shape: &[usize], f: impl Fn(f32) -> f32 + 'static) -> Self::Tensor {
        self.tensor(&times.iter().map(|&t| f(t)).collect::<Vec<_>>(), shape)
    }
    /// The values, row-major, after everything they depend on has been computed.
    ///
    /// # Errors
    /// Whatever has failed since the last read: a lost device, memory.
    fn read(&self, x: &Self::Tensor) -> impl Future<Output = Result<Vec<f32>, EngineError>>;
    fn shape(&self, x: &Self::Tensor) -> Vec<usize>;

    // Element-wise.

    fn unary(&self, op: Unary, x: &Self::Tensor) -> Self::Tensor;
    fn binary(&self, op: Binary, a: &Self::Tensor, b: &Self::Tensor) -> Self::Tensor;
    /// scale * x + shift.
    fn affine(&self, x: &Self::Tensor, scale: f32, shift: f32) -> Self::Tensor;
    /// NaN stays NaN.
    fn clamp(&self, x: &Self::Tensor, min: f32, max: f32) -> Self::Tensor;

    // Shape.

    fn reshape(&self, x: &Self::Tensor, shape: &[usize]) -> Self::Tensor;
    /// Dimension `i` of the result is dimension `order[i]` of `x`.
    fn permute(&self, x: &Self::Tensor, order: &[usize]) -> Self::Tensor;
    fn concat(&self, parts: &[&Self::Tensor], dim: usize) -> Self::Tensor;
    /// Elements `start..start + len` of dimension `dim`.
    fn narrow(&self, x: &Self::Tensor, dim: usize, start: usize, len: usize) -> Self::Tensor;
    /// The given rows of the first dimension, which may repeat: (R, ..) -> (rows, ..).
    fn gather_rows(&self, x: &Self::Tensor, rows: &[usize]) -> Self::Tensor;
    /// Zeros around the last two dimensions.
    fn pad(&self, x: &Self::Tensor, padding: Padding) -> Self::Tensor;

    // Linear algebra.

    /// Matrix products of the last two dimensions: (.., M, K) x (.., K, N) -> (.., M, N). The leading dimensions are equal, or `b`
    /// has none.
    fn matmul(&self, a: &Self::Tensor, b: &Self::Tensor) -> Self::Tensor;
    /// x (N, Cin, H, W), weight (Cout, Cin, Kh, Kw), bias (Cout) -> (N, Cout, H', W').
    fn conv2d(&self, x: &Self::Tensor, weight: &Self::Tensor, bias: Option<&Self::Tensor>, geometry: ConvGeometry) -> Self::Tensor;

    // Normalisation. Variances are biased.

    /// x (N, C, ..): moves each of `groups` groups of channels to mean 0 and variance 1, then applies weight (C) and bias (C).
    fn group_norm(&self, x: &Self::Tensor, groups: usize, weight: &Self::Tensor, bias: &Self::Tensor, epsilon: f32) -> Self::Tensor;
    /// Moves the last dimension to mean 0 and variance 1; the caller applies scale and shift.
    fn normalize_last(&self, x: &Self::Tensor, epsilon: f32) -> Self::Tensor;
    /// x (N, C, H, W). Normalises by the running statistics; in training by the batch's, which also move the running ones.
    fn batch_norm(&self, x: &Self::Tensor, state: &BatchNormState<Self::Tensor>) -> Self::Tensor {
        let channels = self.shape(&state.weight)[0];
        let column = |t: &Self::Tensor| self.reshape(t, &[1, channels, 1, 1]);
        let deviation = self.unary(Unary::Sqrt, &self.affine(&state.running_var, 1.0, state.epsilon as f32));
        let scale = self.binary(Binary::Div, &state.weight, &deviation);
        let shift = self.sub(&state.bias, &self.mul(&state.running_mean, &scale));
        self.add(&self.mul(x, &column(&scale)), &column(&shift))
    }
    fn softmax(&self, x: &Self::Tensor, dim: usize) -> Self::Tensor;

    // Resampling of (N, C, H, W).

    /// Every pixel repeated twice in both directions.
    fn upsample_nearest_2x(&self, x: &Self::Tensor) -> Self::Tensor;
    /// Bilinear with corners aligned: the corner pixels keep their values.
    fn resize_bilinear(&self, x: &Self::Tensor, height: usize, width: usize) -> Self::Tensor;
    /// Means of `window` x `window` tiles. H and W are multiples of `window`.
    fn average_pool(&self, x: &Self::Tensor, window: usize) -> Self::Tensor;

    /// The greatest of every 2 x 2 pixels; an odd last row or column is left out. Only the perceptual loss needs it, which no browser
    /// computes, so the default is max(a, b) = a + relu(b - a), exact up to rounding.
    fn max_pool_2x(&self, x: &Self::Tensor) -> Self::Tensor {
        let shape = self.shape(x);
        let &[n, c, height, width] = shape.as_slice() else { panic!("max_pool_2x takes (N, C, H, W), found {shape:?}") };
        let (height, width) = (height / 2, width / 2);
        let even = self.narrow(&self.narrow(x, 2, 0, 2 * height), 3, 0, 2 * width);
        let greatest_of = |tiles: &Self::Tensor, dim: usize| {
            let [a, b] = [0, 1].map(|side| self.narrow(tiles, dim, side, 1));
            self.add(&a, &self.unary(Unary::Relu, &self.sub(&b, &a)))
        };
        let tiles = self.reshape(&even, &[n * c, height, 2, width, 2]);
        self.reshape(&greatest_of(&greatest_of(&tiles, 2), 4), &[n, c, height, width])
    }

    // Reductions.

    /// Means over all dimensions from `first` on, each of which becomes 1: (A, B, C, D) with `first` 2 -> (A, B, 1, 1).
    fn mean_from(&self, x: &Self::Tensor, first: usize) -> Self::Tensor;

    // Training. Engines that only infer keep this default.

    /// `block` of the inputs. An engine that takes gradients may forget what the block has computed but for its result, and compute it
    /// again when the gradients are asked for (Chen et al., 2016). So `block` does the same whenever it is called.
    fn recomputable<const N: usize>(
        &self,
        inputs: [&Self::Tensor; N],
        block: impl Fn(&Self, [&Self::Tensor; N]) -> Self::Tensor + 'static,
    ) -> Self::Tensor {
        block(self, inputs)
    }

    /// Zeroes elements with probability `p` and scales the rest by 1/(1-p) in training; the identity otherwise.
    fn dropout(&self, x: &Self::Tensor, _p: f64) -> Self::Tensor {
        x.clone()
    }

    /// Zeroes whole samples (all but the first dimension) with probability `p` and scales the rest by 1/(1-p) in training; the
    /// identity otherwise.
    fn stochastic_depth(&self, x: &Self::Tensor, _p: f64) -> Self::Tensor {
        x.clone()
    }

    // Composites.

    fn add(&self, a: &Self::Tensor, b: &Self::Tensor) -> Self::Tensor {
        self.binary(Binary::Add, a, b)
    }
    fn sub(&self, a: &Self::Tensor, b: &Self::Tensor) -> Self::Tensor {
        self.binary(Binary::Sub, a, b)
    }
    fn mul(&self, a: &Self::Tensor, b: &Self::Tensor) -> Self::Tensor {
        self.binary(Binary::Mul, a, b)
    }
    fn silu(&self, x: &Self::Tensor) -> Self::Tensor {
        self.unary(Unary::Silu, x)
    }
    /// log(1 + exp(x)) = (x + |x|) / 2 + log(1 + exp(-|x|)), which does not overflow. An engine with gradients that takes |x| to have
    /// none at 0 finds the right one, 1/2, which relu(x) in place of the first term would not give.
    fn softplus(&self, x: &Self::Tensor) -> Self::Tensor {
        let size = self.unary(Unary::Abs, x);
        let small = self.unary(Unary::Exp, &self.affine(&size, -1.0, 0.0));
        self.add(&self.affine(&self.add(x, &size), 0.5, 0.0), &self.unary(Unary::Log, &self.affine(&small, 1.0, 1.0)))
    }
    /// x where it is positive, slope * x elsewhere. The sum of the two halves is exact, because one of them is zero.
    fn leaky_relu(&self, x: &Self::Tensor, slope: f32) -> Self::Tensor {
        let negative = self.unary(Unary::Relu, &self.affine(x, -1.0, 0.0));
        self.sub(&self.unary(Unary::Relu, x), &self.affine(&negative, slope, 0.0))
    }

    /// `conv2d`, to whose result `plus`, of its shape, is added.
    fn conv2d_plus(
        &self,
        x: &Self::Tensor,
        weight: &Self::Tensor,
        bias: Option<&Self::Tensor>,
        geometry: ConvGeometry,
        plus: &Self::Tensor,
    ) -> Self::Tensor {
        self.add(&self.conv2d(x, weight, bias, geometry), plus)
    }

    /// `upsample_nearest_2x`, then a convolution of 3 x 3 that keeps the size: x (N, Cin, H, W), weight (Cout, Cin, 3, 3), bias (Cout) ->
    /// (N, Cout, 2 H, 2 W).
    fn conv2d_of_doubled(&self, x: &Self::Tensor, weight: &Self::Tensor, bias: Option<&Self::Tensor>) -> Self::Tensor {
        self.conv2d(&self.upsample_nearest_2x(x), weight, bias, ConvGeometry::same(3))
    }

    /// The filters of each output channel moved to mean 0 and variance 1: weight (Cout, Cin, Kh, Kw) -> the same shape.
    fn standardize_filters(&self, weight: &Self::Tensor, epsilon: f32) -> Self::Tensor {
        let shape = self.shape(weight);
        let filters = self.reshape(weight, &[shape[0], shape[1..].iter().product()]);
        self.reshape(&self.normalize_last(&filters, epsilon), &shape)
    }
    /// x (.., In), weight (Out, In), bias (Out) -> (.., Out).
    fn linear(&self, x: &Self::Tensor, weight: &Self::Tensor, bias: Option<&Self::Tensor>) -> Self::Tensor {
        let mut shape = self.shape(x);
        let inner = shape.pop().expect("linear needs at least one dimension");
        let rows: usize = shape.iter().product();
        let product = self.matmul(&self.reshape(x, &[rows, inner]), &self.permute(weight, &[1, 0]));
        let product = match bias {
            Some(bias) => self.add(&product, bias),
            None => product,
        };
        shape.push(self.shape(weight)[0]);
        self.reshape(&product, &shape)
    }
    /// `group_norm`, then `silu`.
    fn group_norm_silu(&self, x: &Self::Tensor, groups: usize, weight: &Self::Tensor, bias: &Self::Tensor, epsilon: f32) -> Self::Tensor {
        self.silu(&self.group_norm(x, groups, weight, bias, epsilon))
    }
    /// `group_norm_silu`, to whose result `plus`, of the shape of x, is added.
    fn group_norm_silu_plus(
        &self,
        x: &Self::Tensor,
        groups: usize,
        [weight, bias]: [&Self::Tensor; 2],
        epsilon: f32,
        plus: &Self::Tensor,
    ) -> Self::Tensor {
        self.add(&self.group_norm_silu(x, groups, weight, bias, epsilon), plus)
    }
    /// `group_norm`, then a modulation (FiLM, Perez et al., 2018), then `silu`: SiLU(norm(x) (1 + scale) + shift) for x (N, C, H, W),
    /// weight and bias (C) and `film` (N, 2 C), an image's scales before its shifts.
    fn group_norm_film_silu(
        &self,
        x: &Self::Tensor,
        groups: usize,
        [weight, bias]: [&Self::Tensor; 2],
        epsilon: f32,
        film: &Self::Tensor,
    ) -> Self::Tensor {
        let [images, channels] = [self.shape(x)[0], self.shape(weight)[0]];
        let [scale, shift] = [0, channels].map(|first| self.reshape(&self.narrow(film, 1, first, channels), &[images, channels, 1, 1]));
        let h = self.group_norm(x, groups, weight, bias, epsilon);
        self.silu(&self.add(&self.mul(&h, &self.affine(&scale, 1.0, 1.0)), &shift))
    }
    /// x (N, C, H, W): moves the channels of each pixel to mean 0 and variance 1, then multiplies them by gain (1, C, 1, 1).
    fn channel_norm(&self, x: &Self::Tensor, gain: &Self::Tensor, epsilon: f32) -> Self::Tensor {
        let last = self.normalize_last(&self.permute(x, &[0, 2, 3, 1]), epsilon);
        self.mul(&self.permute(&last, &[0, 3, 1, 2]), gain)
    }
    /// (k v^T / tokens)^T q / sqrt(d) in each head (linear attention, Shen et al., 2021), the tokens being pixels: `qkv`
    /// (N, 3 heads d, H, W) holds the queries, keys and values of all heads -> (N, heads d, H, W). q passes a softmax over its d
    /// channels, k one over the tokens.
    fn linear_attention(&self, qkv: &Self::Tensor, heads: usize) -> Self::Tensor {
        let shape = self.shape(qkv);
        let (hidden, tokens) = (shape[1] / 3, shape[2] * shape[3]);
        let head_dim = hidden / heads;
        let by_head = [shape[0] * heads, head_dim, tokens];
        let [q, k, v] = [0, 1, 2].map(|part| self.reshape(&self.narrow(qkv, 1, part * hidden, hidden), &by_head));
        let q = self.affine(&self.softmax(&q, 1), (head_dim as f32).powf(-0.5), 0.0);
        let k = self.softmax(&k, 2);
        let v = self.affine(&v, 1.0 / tokens as f32, 0.0);
        // The context k v^T is (d, e) in each head; out (e, tokens) is its transpose times q.
        let context_transposed = self.matmul(&v, &self.permute(&k, &[0, 2, 1]));
        self.reshape(&self.matmul(&context_transposed, &q), &[shape[0], hidden, shape[2], shape[3]])
    }
    /// softmax(scale * q k^T) v for q (B, M, D), k (B, N, D), v (B, N, E) -> (B, M, E).
    fn attention(&self, q: &Self::Tensor, k: &Self::Tensor, v: &Self::Tensor, scale: f32) -> Self::Tensor {
        let logits = self.affine(&self.matmul(q, &self.permute(k, &[0, 2, 1])), scale, 0.0);
        self.matmul(&self.softmax(&logits, 2), v)
    }
    /// The same with the channels before the tokens: q (B, D, M), k (B, D, N), v (B, E, N) -> (B, E, M).
    fn attention_channels_first(&self, q: &Self::Tensor, k: &Self::Tensor, v: &Self::Tensor, scale: f32) -> Self::Tensor {
        let [q, k, v] = [q, k, v].map(|x| self.permute(x, &[0, 2, 1]));
        self.permute(&self.attention(&q, &k, &v, scale), &[0, 2, 1])
    }
}

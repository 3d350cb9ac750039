//! [`Engine`] by the operations of a burn [`Backend`], the layer below burn's own tensors: there the rank of a tensor is a value
//! and not part of its type, as in [`Engine`].

use burn_backend::ops::{AttentionModuleOptions, ConvOptions, InterpolateMode, InterpolateOptions, PadMode};
use burn_backend::tensor::FloatTensor;
use burn_backend::{Backend, Shape, Slice, TensorData, TensorMetadata};
use radiodiff_core::engine::{BatchNormState, Binary, ConvGeometry, Engine, EngineError, Padding, Unary, shape};

/// Terms of a matrix product that burn sums at a time.
const RUN: usize = 512;

/// An [`Engine`] on a device of a burn backend.
pub struct BurnEngine<B: Backend> {
    device: B::Device,
}

impl<B: Backend> BurnEngine<B> {
    /// The engine on a device of its backend.
    pub fn new(device: B::Device) -> Self {
        Self { device }
    }

    /// Prepends dimensions of 1 until `x` has `rank` of them: burn broadcasts equal ranks only.
    fn with_rank(x: &FloatTensor<B>, rank: usize) -> FloatTensor<B> {
        let own = x.shape();
        let shape: Vec<usize> = std::iter::repeat_n(1, rank - own.num_dims()).chain(own.iter().copied()).collect();
        B::float_reshape(x.clone(), Shape::from(shape))
    }

    /// Reshapes one value per channel (C) to (1, C, 1, ..), which broadcasts over (N, C, ..).
    fn per_channel(x: &FloatTensor<B>, rank: usize) -> FloatTensor<B> {
        let mut shape = vec![1; rank];
        shape[1] = x.shape()[0];
        B::float_reshape(x.clone(), Shape::from(shape))
    }

    fn resize(x: &FloatTensor<B>, size: [usize; 2], mode: InterpolateMode) -> FloatTensor<B> {
        B::interpolate(x.clone(), size, InterpolateOptions::new(mode).with_align_corners(true))
    }
}

impl<B: Backend> Default for BurnEngine<B> {
    fn default() -> Self {
        Self::new(B::Device::default())
    }
}

impl<B: Backend> Engine for BurnEngine<B> {
    type Tensor = FloatTensor<B>;

    fn tensor(&self, values: &[f32], shape: &[usize]) -> Self::Tensor {
        let data = |shape: &[usize]| B::float_from_data(TensorData::new(values.to_vec(), shape.to_vec()), &self.device);
        // cubecl 0.11.3, below burn-wgpu, panics on uploads without dimensions.
        if shape.is_empty() { self.reshape(&data(&[1]), shape) } else { data(shape) }
    }
    async fn read(&self, x: &Self::Tensor) -> Result<Vec<f32>, EngineError> {
        let failed = |reason: String| EngineError::Failed { reason };
        let data = B::float_into_data(x.clone()).await.map_err(|error| failed(format!("{error:?}")))?;
        data.try_into_vec().map_err(|error| failed(format!("{error:?}")))
    }
    fn shape(&self, x: &Self::Tensor) -> Vec<usize> {
        x.shape().to_vec()
    }

    fn unary(&self, op: Unary, x: &Self::Tensor) -> Self::Tensor {
        let x = x.clone();
        match op {
            Unary::Silu => B::float_mul(x.clone(), B::sigmoid(x)),
            Unary::Gelu => B::gelu(x),
            Unary::Relu => B::relu(x),
            Unary::Exp => B::float_exp(x),
            Unary::Log => B::float_log(x),
            Unary::Sqrt => B::float_sqrt(x),
            Unary::Abs => B::float_abs(x),
            Unary::Square => B::float_mul(x.clone(), x),
            Unary::Sin => B::float_sin(x),
            Unary::Cos => B::float_cos(x),
        }
    }
    fn binary(&self, op: Binary, a: &Self::Tensor, b: &Self::Tensor) -> Self::Tensor {
        let rank = a.rank().max(b.rank());
        let (a, b) = (Self::with_rank(a, rank), Self::with_rank(b, rank));
        match op {
            Binary::Add => B::float_add(a, b),
            Binary::Sub => B::float_sub(a, b),
            Binary::Mul => B::float_mul(a, b),
            Binary::Div => B::float_div(a, b),
        }
    }
    fn affine(&self, x: &Self::Tensor, scale: f32, shift: f32) -> Self::Tensor {
        B::float_add_scalar(B::float_mul_scalar(x.clone(), scale.into()), shift.into())
    }
    fn clamp(&self, x: &Self::Tensor, min: f32, max: f32) -> Self::Tensor {
        B::float_clamp(x.clone(), min.into(), max.into())
    }

    fn reshape(&self, x: &Self::Tensor, shape: &[usize]) -> Self::Tensor {
        B::float_reshape(x.clone(), Shape::from(shape.to_vec()))
    }
    fn permute(&self, x: &Self::Tensor, order: &[usize]) -> Self::Tensor {
        B::float_permute(x.clone(), order)
    }
    fn concat(&self, parts: &[&Self::Tensor], dim: usize) -> Self::Tensor {
        B::float_cat(parts.iter().map(|&part| part.clone()).collect(), dim)
    }
    fn narrow(&self, x: &Self::Tensor, dim: usize, start: usize, len: usize) -> Self::Tensor {
        let range = |(i, &n): (usize, &usize)| if i == dim { Slice::from(start..start + len) } else { Slice::from(0..n) };
        let slices: Vec<Slice> = x.shape().iter().enumerate().map(range).collect();
        B::float_slice(x.clone(), &slices)
    }
    fn gather_rows(&self, x: &Self::Tensor, rows: &[usize]) -> Self::Tensor {
        let indices: Vec<i32> = rows.iter().map(|&row| row as i32).collect();
        let count = indices.len();
        B::float_select(x.clone(), 0, B::int_from_data(TensorData::new(indices, [count]), &self.device))
    }
    fn pad(&self, x: &Self::Tensor, padding: Padding) -> Self::Tensor {
        let mut sides = vec![(0, 0); x.rank()];
        sides[x.rank() - 2] = (padding.top, padding.bottom);
        sides[x.rank() - 1] = (padding.left, padding.right);
        B::float_pad(x.clone(), &sides, PadMode::Constant(0.0))
    }

    fn matmul(&self, a: &Self::Tensor, b: &Self::Tensor) -> Self::Tensor {
        shape::matmul(&a.shape(), &b.shape());
        let (rank, b_rank, inner) = (a.rank(), b.rank(), a.shape()[a.rank() - 1]);
        // burn adds all terms one after another, which loses a digit over thousands of them: runs are summed, then their sums.
        let part = |start: usize| {
            let len = RUN.min(inner - start);
            B::float_matmul(self.narrow(a, rank - 1, start, len), Self::with_rank(&self.narrow(b, b_rank - 2, start, len), rank))
        };
        (RUN..inner).step_by(RUN).fold(part(0), |sum, start| B::float_add(sum, part(start)))
    }
    fn conv2d(&self, x: &Self::Tensor, weight: &Self::Tensor, bias: Option<&Self::Tensor>, geometry: ConvGeometry) -> Self::Tensor {
        let (stride, p) = (geometry.stride, geometry.padding);
        let options = ConvOptions::new_with_padding([stride; 2], [(p.top, p.bottom), (p.left, p.right)], [1, 1], 1);
        B::conv2d(x.clone(), weight.clone(), bias.cloned(), options)
    }

    fn group_norm(&self, x: &Self::Tensor, groups: usize, weight: &Self::Tensor, bias: &Self::Tensor, epsilon: f32) -> Self::Tensor {
        let shape = x.shape();
        let grouped = self.reshape(x, &[shape[0], groups, shape[1..].iter().product::<usize>() / groups]);
        let normal = B::float_reshape(self.normalize_last(&grouped, epsilon), shape.clone());
        let rank = shape.num_dims();
        B::float_add(B::float_mul(normal, Self::per_channel(weight, rank)), Self::per_channel(bias, rank))
    }
    fn normalize_last(&self, x: &Self::Tensor, epsilon: f32) -> Self::Tensor {
        let last = x.rank() - 1;
        let centered = B::float_sub(x.clone(), B::float_mean_dim(x.clone(), last));
        let variance = B::float_mean_dim(B::float_mul(centered.clone(), centered.clone()), last);
        B::float_div(centered, B::float_sqrt(B::float_add_scalar(variance, epsilon.into())))
    }
    fn batch_norm(&self, x: &Self::Tensor, state: &BatchNormState<Self::Tensor>) -> Self::Tensor {
        let [weight, bias, mean, variance] = [&state.weight, &state.bias, &state.running_mean, &state.running_var].map(Clone::clone);
        B::batch_norm(x.clone(), weight, bias, mean, variance, state.epsilon)
    }
    fn softmax(&self, x: &Self::Tensor, dim: usize) -> Self::Tensor {
        B::softmax(x.clone(), dim)
    }

    fn upsample_nearest_2x(&self, x: &Self::Tensor) -> Self::Tensor {
        let shape = x.shape();
        Self::resize(x, [2 * shape[2], 2 * shape[3]], InterpolateMode::Nearest)
    }
    fn resize_bilinear(&self, x: &Self::Tensor, height: usize, width: usize) -> Self::Tensor {
        Self::resize(x, [height, width], InterpolateMode::Bilinear)
    }
    fn average_pool(&self, x: &Self::Tensor, window: usize) -> Self::Tensor {
        B::avg_pool2d(x.clone(), [window; 2], [window; 2], [0; 2], false, false)
    }
    fn max_pool_2x(&self, x: &Self::Tensor) -> Self::Tensor {
        B::max_pool2d(x.clone(), [2; 2], [2; 2], [0; 2], [1; 2], false)
    }
    fn mean_from(&self, x: &Self::Tensor, first: usize) -> Self::Tensor {
        (first..x.rank()).fold(x.clone(), |x, dim| B::float_mean_dim(x, dim))
    }

    fn attention(&self, q: &Self::Tensor, k: &Self::Tensor, v: &Self::Tensor, scale: f32) -> Self::Tensor {
        let [q, k, v] = [q, k, v].map(|x| Self::with_rank(x, 4));
        let options = AttentionModuleOptions { scale: Some(scale.into()), ..Default::default() };
        let out = B::attention(q, k, v, None, None, options);
        let shape = out.shape();
        self.reshape(&out, &shape[1..])
    }
}

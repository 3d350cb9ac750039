//! The engine for browsers without a GPU: one thread, f32, four lanes.
//!
//! Every operation runs when it is called, on buffers that reshapes share and a pool recycles. Most of the time of a map goes into
//! 3 x 3 convolutions of few channels and group normalisations, so these have kernels of their own; the other operations are kept
//! plain. In wasm the lanes are simd128 (switched on in `.cargo/config.toml`), elsewhere SSE or NEON, so that native tests run the
//! same code.
//!
//! Values in host memory flow in and out. Nothing is delayed, and [`CpuEngine::read`] never fails.

mod attention;
mod conv;
mod direct;
mod elementwise;
mod gemm;
mod layout;
mod norm;
mod resample;
mod simd;
mod tensor;
mod winograd;

pub(crate) use norm::Moments;
pub use tensor::CpuTensor;

use gemm::{Bias, Matrix};
use radiodiff_core::engine::{Binary, ConvGeometry, Engine, EngineError, Padding, Unary, shape};
use std::rc::Rc;
use tensor::BufferPool;

/// An [`Engine`] on one thread of the CPU.
#[derive(Default)]
pub struct CpuEngine {
    pool: Rc<BufferPool>,
}

impl CpuEngine {
    /// An engine whose pool of buffers is empty.
    pub fn new() -> Self {
        Self::default()
    }

    /// The moments of each group of channels, sample after sample.
    pub(crate) fn group_moments(&self, x: &CpuTensor, groups: usize) -> Vec<Moments> {
        norm::group_moments(x, groups)
    }

    /// `group_norm` by given moments, and `silu` after it where that is asked for.
    pub(crate) fn group_norm_by(
        &self,
        x: &CpuTensor,
        moments: &[Moments],
        scaling: [&CpuTensor; 2],
        epsilon: f32,
        silu: bool,
    ) -> CpuTensor {
        if silu {
            norm::group_norm(&self.pool, x, moments, scaling, epsilon, simd::silu)
        } else {
            norm::group_norm(&self.pool, x, moments, scaling, epsilon, |v| v)
        }
    }
}

impl Engine for CpuEngine {
    type Tensor = CpuTensor;

    fn tensor(&self, values: &[f32], shape: &[usize]) -> CpuTensor {
        assert_eq!(values.len(), shape.iter().product::<usize>(), "values for a tensor of shape {shape:?}");
        let mut buffer = self.pool.take(values.len());
        buffer.copy_from_slice(values);
        CpuTensor::new(buffer, shape)
    }
    async fn read(&self, x: &CpuTensor) -> Result<Vec<f32>, EngineError> {
        Ok(x.values().to_vec())
    }
    fn shape(&self, x: &CpuTensor) -> Vec<usize> {
        x.shape().to_vec()
    }

    fn unary(&self, op: Unary, x: &CpuTensor) -> CpuTensor {
        elementwise::unary(&self.pool, op, x)
    }
    fn binary(&self, op: Binary, a: &CpuTensor, b: &CpuTensor) -> CpuTensor {
        elementwise::binary(&self.pool, op, a, b)
    }
    fn affine(&self, x: &CpuTensor, scale: f32, shift: f32) -> CpuTensor {
        elementwise::map(&self.pool, x, |v| scale * v + shift)
    }
    fn clamp(&self, x: &CpuTensor, min: f32, max: f32) -> CpuTensor {
        elementwise::map(&self.pool, x, |v| v.clamp(min, max))
    }

    fn reshape(&self, x: &CpuTensor, shape: &[usize]) -> CpuTensor {
        x.reshaped(shape)
    }
    fn permute(&self, x: &CpuTensor, order: &[usize]) -> CpuTensor {
        layout::permute(&self.pool, x, order)
    }
    fn concat(&self, parts: &[&CpuTensor], dim: usize) -> CpuTensor {
        layout::concat(&self.pool, parts, dim)
    }
    fn narrow(&self, x: &CpuTensor, dim: usize, start: usize, len: usize) -> CpuTensor {
        layout::narrow(&self.pool, x, dim, start, len)
    }
    fn gather_rows(&self, x: &CpuTensor, rows: &[usize]) -> CpuTensor {
        layout::gather_rows(&self.pool, x, rows)
    }
    fn pad(&self, x: &CpuTensor, padding: Padding) -> CpuTensor {
        layout::pad(&self.pool, x, padding)
    }

    fn matmul(&self, a: &CpuTensor, b: &CpuTensor) -> CpuTensor {
        let shape = shape::matmul(a.shape(), b.shape());
        let (columns, inner) = (shape[shape.len() - 1], a.shape()[a.shape().len() - 1]);
        let mut out = self.pool.take(shape.iter().product());
        // If b has no batch dimensions, all rows of a form one matrix.
        let rows = if b.shape().len() == 2 { shape[..shape.len() - 1].iter().product() } else { shape[shape.len() - 2] };
        if !out.is_empty() {
            for (batch, out) in out.chunks_exact_mut(rows * columns).enumerate() {
                let a = gemm::pack_rows(Matrix::row_major(&a.values()[batch * rows * inner..], inner), rows, inner);
                let b = Matrix::row_major(&b.values()[batch * inner * columns..], columns);
                gemm::product(&self.pool, &a, inner, Bias::None, out, columns, |range, panels| b.pack_panels(range, inner, panels));
            }
        }
        CpuTensor::new(out, &shape)
    }
    fn conv2d(&self, x: &CpuTensor, weight: &CpuTensor, bias: Option<&CpuTensor>, geometry: ConvGeometry) -> CpuTensor {
        conv::conv2d(&self.pool, x, weight, bias, geometry)
    }

    fn conv2d_of_doubled(&self, x: &CpuTensor, weight: &CpuTensor, bias: Option<&CpuTensor>) -> CpuTensor {
        conv::conv2d_of_doubled(&self.pool, x, weight, bias)
    }

    fn softplus(&self, x: &CpuTensor) -> CpuTensor {
        elementwise::map_vectors(&self.pool, x, simd::softplus)
    }
    fn standardize_filters(&self, weight: &CpuTensor, epsilon: f32) -> CpuTensor {
        weight.standardized(epsilon, || {
            let shape = weight.shape().to_vec();
            let filters = weight.reshaped(&[shape[0], shape[1..].iter().product()]);
            norm::normalize_last(&self.pool, &filters, epsilon).reshaped(&shape)
        })
    }

    fn group_norm(&self, x: &CpuTensor, groups: usize, weight: &CpuTensor, bias: &CpuTensor, epsilon: f32) -> CpuTensor {
        self.group_norm_by(x, &self.group_moments(x, groups), [weight, bias], epsilon, false)
    }
    fn normalize_last(&self, x: &CpuTensor, epsilon: f32) -> CpuTensor {
        norm::normalize_last(&self.pool, x, epsilon)
    }
    fn softmax(&self, x: &CpuTensor, dim: usize) -> CpuTensor {
        norm::softmax(&self.pool, x, dim)
    }

    fn upsample_nearest_2x(&self, x: &CpuTensor) -> CpuTensor {
        resample::upsample_nearest_2x(&self.pool, x)
    }
    fn resize_bilinear(&self, x: &CpuTensor, height: usize, width: usize) -> CpuTensor {
        resample::resize_bilinear(&self.pool, x, height, width)
    }
    fn average_pool(&self, x: &CpuTensor, window: usize) -> CpuTensor {
        resample::average_pool(&self.pool, x, window)
    }
    fn mean_from(&self, x: &CpuTensor, first: usize) -> CpuTensor {
        norm::mean_from(&self.pool, x, first)
    }

    fn linear(&self, x: &CpuTensor, weight: &CpuTensor, bias: Option<&CpuTensor>) -> CpuTensor {
        let shapes = (x.shape(), weight.shape(), bias.map(CpuTensor::shape));
        let (&[ref outer @ .., inner], &[columns, weight_inner]) = (x.shape(), weight.shape()) else {
            panic!("linear takes (.., In), (Out, In) and (Out), found {shapes:?}");
        };
        assert!(inner == weight_inner && bias.is_none_or(|bias| bias.shape() == [columns]), "linear of {shapes:?}");
        let rows = outer.iter().product();
        let mut out = self.pool.take(rows * columns);
        let a = gemm::pack_rows(Matrix::row_major(x.values(), inner), rows, inner);
        let b = Matrix::row_major(weight.values(), inner).transposed();
        let bias = bias.map_or(Bias::None, |bias| Bias::Column(bias.values()));
        gemm::product(&self.pool, &a, inner, bias, &mut out, columns, |range, panels| b.pack_panels(range, inner, panels));
        CpuTensor::new(out, &[outer, &[columns]].concat())
    }
    fn group_norm_silu(&self, x: &CpuTensor, groups: usize, weight: &CpuTensor, bias: &CpuTensor, epsilon: f32) -> CpuTensor {
        self.group_norm_by(x, &self.group_moments(x, groups), [weight, bias], epsilon, true)
    }
    fn attention(&self, q: &CpuTensor, k: &CpuTensor, v: &CpuTensor, scale: f32) -> CpuTensor {
        attention::attention(&self.pool, q, k, v, scale)
    }
}

//! Convolution with spectral normalisation (Miyato et al., 2018), a layer of the discriminator.

use crate::engine::{Binary, ConvGeometry, Engine, Padding, Unary};
use crate::parameters::{Initializer, ParameterError, VarBuilder};

const KERNEL: usize = 4;

/// A convolution of 4 x 4 with padding 1 whose weight, where spectral normalisation is on, is divided by its largest singular value:
/// w = v / sigma(v). Power iterations, one a training step, keep the singular vectors near the true ones.
pub struct SpectralConv2d<E: Engine> {
    weight: E::Tensor,
    bias: Option<E::Tensor>,
    geometry: ConvGeometry,
    /// The largest singular value's left (output) and right (16 input) vectors.
    vectors: Option<[E::Tensor; 2]>,
}

impl<E: Engine> SpectralConv2d<E> {
    /// Parameters `weight` (output, input, 4, 4) and, if wanted, `bias` (output). With spectral normalisation the weight is called
    /// `weight_orig`, and there are the buffers `weight_u` (output) and `weight_v` (16 input).
    pub fn new(
        vb: &VarBuilder<E>,
        [input, output]: [usize; 2],
        stride: usize,
        with_bias: bool,
        spectral: bool,
    ) -> Result<Self, ParameterError> {
        let fan_in = input * KERNEL * KERNEL;
        let normal = |std| Initializer::Normal { std };
        let weight = vb.param(if spectral { "weight_orig" } else { "weight" }, &[output, input, KERNEL, KERNEL], normal(0.02))?;
        let uniform = Initializer::fan_in(fan_in);
        let bias = with_bias.then(|| vb.param("bias", &[output], uniform)).transpose()?;
        let vectors = match spectral {
            // Of no fixed length: the first power iteration normalises them.
            true => Some([vb.buffer("weight_u", &[output], normal(1.0))?, vb.buffer("weight_v", &[fan_in], normal(1.0))?]),
            false => None,
        };
        Ok(Self { weight, bias, geometry: ConvGeometry { stride, padding: Padding::all(1) }, vectors })
    }

    /// The weight as a matrix (output, 16 input).
    fn matrix(&self, e: &E) -> E::Tensor {
        let shape = e.shape(&self.weight);
        e.reshape(&self.weight, &[shape[0], shape[1..].iter().product()])
    }

    /// The singular vectors, left and right.
    pub fn vectors(&self) -> Option<&[E::Tensor; 2]> {
        self.vectors.as_ref()
    }

    /// One power iteration from the stored left vector u: v = W^T u and u = W v, both scaled to length 1. None without spectral
    /// normalisation.
    pub fn power_iteration(&self, e: &E) -> Option<[E::Tensor; 2]> {
        let [u, v] = self.vectors.as_ref()?;
        let matrix = self.matrix(e);
        let unit = |x: &E::Tensor, like: &E::Tensor| {
            let shape = e.shape(like);
            let x = e.reshape(x, &shape);
            let squares = e.affine(&e.mean_from(&e.unary(Unary::Square, &x), 0), shape[0] as f32, 0.0);
            e.binary(Binary::Div, &x, &e.clamp(&e.unary(Unary::Sqrt, &squares), 1e-12, f32::MAX))
        };
        let column = |x: &E::Tensor| e.reshape(x, &[e.shape(x)[0], 1]);
        let right = unit(&e.matmul(&e.permute(&matrix, &[1, 0]), &column(u)), v);
        let left = unit(&e.matmul(&matrix, &column(&right)), u);
        Some([left, right])
    }

    /// (N, input, H, W) -> (N, output, H', W') with the stored vectors.
    pub fn forward(&self, e: &E, x: &E::Tensor) -> E::Tensor {
        self.forward_with(e, x, self.vectors.as_ref())
    }

    /// As [`Self::forward`], with other vectors than the stored ones.
    pub fn forward_with(&self, e: &E, x: &E::Tensor, vectors: Option<&[E::Tensor; 2]>) -> E::Tensor {
        let weight = match vectors {
            Some(vectors) => {
                // Copies, because training overwrites the stored vectors before it takes the gradients of this pass.
                let [u, v] = vectors.each_ref().map(|vector| e.affine(vector, 1.0, 0.0));
                let (rows, columns) = (e.shape(&u)[0], e.shape(&v)[0]);
                let product = e.matmul(&self.matrix(e), &e.reshape(&v, &[columns, 1]));
                let sigma = e.matmul(&e.reshape(&u, &[1, rows]), &product);
                e.binary(Binary::Div, &self.weight, &e.reshape(&sigma, &[1, 1, 1, 1]))
            }
            None => self.weight.clone(),
        };
        e.conv2d(x, &weight, self.bias.as_ref(), self.geometry)
    }
}

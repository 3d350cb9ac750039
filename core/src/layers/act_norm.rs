//! Activation normalisation (Kingma and Dhariwal, 2018), a layer of the discriminator.

use crate::engine::{Binary, Engine, Unary};
use crate::parameters::{Initializer, ParameterError, VarBuilder};

/// y = scale * (x + loc), both (1, C, 1, 1) and learnt. Training first sets them so that they normalise its first batch.
pub struct ActNorm<E: Engine> {
    pub loc: E::Tensor,
    pub scale: E::Tensor,
}

impl<E: Engine> ActNorm<E> {
    /// Parameters `loc`, which begins at 0, and `scale`, which begins at 1.
    pub fn new(vb: &VarBuilder<E>, channels: usize) -> Result<Self, ParameterError> {
        let shape = [1, channels, 1, 1];
        Ok(Self { loc: vb.param("loc", &shape, Initializer::ZERO)?, scale: vb.param("scale", &shape, Initializer::ONE)? })
    }

    /// The values that give `x` (N, C, H, W) mean 0 and standard deviation 1 in every channel: loc = -mean,
    /// scale = 1 / (std + 1e-6), std being the sample's standard deviation (over n - 1).
    pub fn initial(e: &E, x: &E::Tensor) -> Self {
        let by_channel = e.permute(x, &[1, 0, 2, 3]);
        let shape = e.shape(&by_channel);
        let count = shape[1..].iter().product::<usize>() as f32;
        let mean = e.mean_from(&by_channel, 1);
        let variance = e.mean_from(&e.unary(Unary::Square, &e.sub(&by_channel, &mean)), 1);
        let std = e.unary(Unary::Sqrt, &e.affine(&variance, count / (count - 1.0).max(1.0), 0.0));
        let row = |x: &E::Tensor| e.reshape(x, &[1, shape[0], 1, 1]);
        let one = e.tensor(&[1.0], &[1]);
        let scale = e.binary(Binary::Div, &one, &e.affine(&std, 1.0, 1e-6));
        Self { loc: row(&e.affine(&mean, -1.0, 0.0)), scale: row(&scale) }
    }

    /// (N, C, H, W) -> the same shape.
    pub fn forward(&self, e: &E, x: &E::Tensor) -> E::Tensor {
        e.mul(&e.add(x, &self.loc), &self.scale)
    }
}

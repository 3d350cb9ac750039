//! Merging of patches between the stages of a Swin transformer (Liu et al., 2021).

use super::layer_norm::LayerNorm;
use super::linear::Linear;
use crate::engine::{Engine, Padding};
use crate::parameters::{ParameterError, VarBuilder};

/// y = W norm([x_00, x_10, x_01, x_11]): four neighbouring tokens, (row, column), become one of twice the channels.
pub struct PatchMerging<E: Engine> {
    norm: LayerNorm<E>,
    reduction: Linear<E>,
}

impl<E: Engine> PatchMerging<E> {
    /// Parameters `norm` (4 channels) and `reduction` (2 channels, 4 channels).
    pub fn new(vb: &VarBuilder<E>, channels: usize) -> Result<Self, ParameterError> {
        let reduction = Linear::transformer(&vb.pp("reduction"), 4 * channels, 2 * channels, false)?;
        Ok(Self { norm: LayerNorm::new(&vb.pp("norm"), 4 * channels)?, reduction })
    }

    /// (N, H, W, C) -> (N, H / 2, W / 2, 2 C), rounded up: an odd side is padded with zeros first.
    pub fn forward(&self, e: &E, x: &E::Tensor) -> E::Tensor {
        let shape = e.shape(x);
        let (batch, channels) = (shape[0], shape[3]);
        let [height, width] = [shape[1], shape[2]].map(|n| n.div_ceil(2));
        let flat = e.reshape(x, &[batch, shape[1], shape[2] * channels]);
        let missing = Padding { bottom: shape[1] % 2, right: shape[2] % 2 * channels, ..Padding::default() };
        let flat = if missing == Padding::default() { flat } else { e.pad(&flat, missing) };
        // The row changes first: (0, 0), (1, 0), (0, 1), (1, 1) as (row, column).
        let fours = e.permute(&e.reshape(&flat, &[batch, height, 2, width, 2, channels]), &[0, 1, 3, 4, 2, 5]);
        let joined = e.reshape(&fours, &[batch, height, width, 4 * channels]);
        self.reduction.forward(e, &self.norm.forward(e, &joined))
    }
}

//! Block of a Swin transformer (Liu et al., 2021).

use super::layer_norm::LayerNorm;
use super::linear::Linear;
use super::shifted_windows::ShiftedWindows;
use super::window_attention::WindowAttention;
use crate::engine::{Engine, Unary};
use crate::parameters::{ParameterError, VarBuilder};
use std::rc::Rc;

/// Hidden channels of the perceptron as a multiple of the block's channels.
const MLP_RATIO: usize = 4;

/// y = h + mlp(norm(h)), h = x + attention(norm(x)), mlp = W2 GELU(W1 x + b1) + b2. In training each branch is skipped for a random
/// share of the samples (stochastic depth, Huang et al., 2016).
pub struct SwinBlock<E: Engine> {
    norm1: LayerNorm<E>,
    attn: WindowAttention<E>,
    norm2: LayerNorm<E>,
    hidden: Linear<E>,
    out: Linear<E>,
    skipped: f64,
}

impl<E: Engine> SwinBlock<E> {
    /// Parameters `norm1`, `attn`, `norm2`, `mlp.0` and `mlp.3`. `skipped` is the probability that training skips a branch.
    pub fn new(vb: &VarBuilder<E>, channels: usize, heads: usize, window: usize, skipped: f64) -> Result<Rc<Self>, ParameterError> {
        Ok(Rc::new(Self {
            norm1: LayerNorm::new(&vb.pp("norm1"), channels)?,
            attn: WindowAttention::new(&vb.pp("attn"), channels, heads, window)?,
            norm2: LayerNorm::new(&vb.pp("norm2"), channels)?,
            hidden: Linear::transformer(&vb.pp("mlp.0"), channels, MLP_RATIO * channels, true)?,
            out: Linear::transformer(&vb.pp("mlp.3"), MLP_RATIO * channels, channels, true)?,
            skipped,
        }))
    }

    /// Tokens (N, H, W, C) -> the same shape.
    pub fn forward(self: &Rc<Self>, e: &E, x: &E::Tensor, windows: &Rc<ShiftedWindows<E>>) -> E::Tensor {
        let (layer, windows) = (Rc::clone(self), Rc::clone(windows));
        e.recomputable([x], move |e, [x]| layer.compute(e, x, &windows))
    }

    fn compute(&self, e: &E, x: &E::Tensor, windows: &ShiftedWindows<E>) -> E::Tensor {
        let shape = e.shape(x);
        let tokens = windows.split(e, &self.norm1.forward(e, x));
        let mixed = windows.join(e, &self.attn.forward(e, &tokens, windows), [shape[1], shape[2]]);
        let x = e.add(x, &e.stochastic_depth(&mixed, self.skipped));
        let hidden = e.unary(Unary::Gelu, &self.hidden.forward(e, &self.norm2.forward(e, &x)));
        e.add(&x, &e.stochastic_depth(&self.out.forward(e, &hidden), self.skipped))
    }
}

//! Linear attention (Shen et al., 2021), at every level of the U-Net: its cost grows with the number of pixels, not its square.

use super::channel_norm::ChannelNorm;
use super::conv2d::Conv2d;
use crate::engine::Engine;
use crate::parameters::{ParameterError, VarBuilder};
use std::rc::Rc;

/// y = x + norm(W_o out + b), out the linear attention ([`Engine::linear_attention`]) of q, k and v, which are 1 x 1 convolutions of
/// norm(x).
pub struct LinearAttention<E: Engine> {
    norm: ChannelNorm<E>,
    to_qkv: Conv2d<E>,
    to_out: Conv2d<E>,
    out_norm: ChannelNorm<E>,
    heads: usize,
}

impl<E: Engine> LinearAttention<E> {
    /// Parameters `fn.norm`, `fn.fn.to_qkv`, `fn.fn.to_out.0` and `fn.fn.to_out.1`.
    pub fn new(vb: &VarBuilder<E>, channels: usize, heads: usize, head_dim: usize) -> Result<Rc<Self>, ParameterError> {
        let vb = vb.pp("fn");
        let inner = vb.pp("fn");
        let hidden = heads * head_dim;
        Ok(Rc::new(Self {
            norm: ChannelNorm::new(&vb.pp("norm"), channels)?,
            to_qkv: Conv2d::pointwise_without_bias(&inner.pp("to_qkv"), channels, 3 * hidden)?,
            to_out: Conv2d::same(&inner.pp("to_out.0"), hidden, channels, 1)?,
            out_norm: ChannelNorm::new(&inner.pp("to_out.1"), channels)?,
            heads,
        }))
    }

    /// (N, C, H, W) -> the same shape.
    pub fn forward(self: &Rc<Self>, e: &E, x: &E::Tensor) -> E::Tensor {
        let layer = Rc::clone(self);
        e.recomputable([x], move |e, [x]| layer.compute(e, x))
    }

    fn compute(&self, e: &E, x: &E::Tensor) -> E::Tensor {
        let out = e.linear_attention(&self.to_qkv.forward(e, &self.norm.forward(e, x)), self.heads);
        e.add(&self.out_norm.forward(e, &self.to_out.forward(e, &out)), x)
    }
}

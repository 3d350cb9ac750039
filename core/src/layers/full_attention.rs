//! Softmax attention over all pixels, in the middle of the U-Net.

use super::attention_heads::AttentionHeads;
use super::channel_norm::ChannelNorm;
use super::conv2d::Conv2d;
use crate::engine::Engine;
use crate::parameters::{ParameterError, VarBuilder};
use std::rc::Rc;

/// y = x + W_o (softmax(q k^T / sqrt(d)) v) + b, several heads of d channels; q, k and v are 1 x 1 convolutions of norm(x).
pub struct FullAttention<E: Engine> {
    norm: ChannelNorm<E>,
    to_qkv: Conv2d<E>,
    to_out: Conv2d<E>,
    heads: usize,
    head_dim: usize,
}

impl<E: Engine> FullAttention<E> {
    /// Parameters `fn.norm`, `fn.fn.to_qkv` and `fn.fn.to_out`.
    pub fn new(vb: &VarBuilder<E>, channels: usize, heads: usize, head_dim: usize) -> Result<Rc<Self>, ParameterError> {
        let vb = vb.pp("fn");
        let inner = vb.pp("fn");
        let hidden = heads * head_dim;
        Ok(Rc::new(Self {
            norm: ChannelNorm::new(&vb.pp("norm"), channels)?,
            to_qkv: Conv2d::pointwise_without_bias(&inner.pp("to_qkv"), channels, 3 * hidden)?,
            to_out: Conv2d::same(&inner.pp("to_out"), hidden, channels, 1)?,
            heads,
            head_dim,
        }))
    }

    /// (N, C, H, W) -> the same shape.
    pub fn forward(self: &Rc<Self>, e: &E, x: &E::Tensor) -> E::Tensor {
        let layer = Rc::clone(self);
        e.recomputable([x], move |e, [x]| layer.compute(e, x))
    }

    fn compute(&self, e: &E, x: &E::Tensor) -> E::Tensor {
        let heads = AttentionHeads::over(e, x, self.heads, self.head_dim);
        let [q, k, v] = heads.split(e, &self.to_qkv.forward(e, &self.norm.forward(e, x)));
        let out = heads.join(e, &e.attention_channels_first(&q, &k, &v, (self.head_dim as f32).powf(-0.5)));
        self.to_out.forward_plus(e, &out, x)
    }
}

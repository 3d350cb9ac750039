//! Linear attention (Shen et al., 2021), at every level of the U-Net: its cost grows with the number of pixels, not its square.

use super::attention_heads::AttentionHeads;
use super::channel_norm::ChannelNorm;
use super::conv2d::Conv2d;
use crate::engine::Engine;
use crate::parameters::{ParameterError, VarBuilder};

/// y = x + norm(W_o out + b), out = (k v^T / tokens)^T q / sqrt(d) in each head. q, k and v are 1 x 1 convolutions of norm(x), q
/// after a softmax over its d channels, k after a softmax over the tokens.
pub struct LinearAttention<E: Engine> {
    norm: ChannelNorm<E>,
    to_qkv: Conv2d<E>,
    to_out: Conv2d<E>,
    out_norm: ChannelNorm<E>,
    heads: usize,
    head_dim: usize,
}

impl<E: Engine> LinearAttention<E> {
    /// Parameters `fn.norm`, `fn.fn.to_qkv`, `fn.fn.to_out.0` and `fn.fn.to_out.1`.
    pub fn new(vb: &VarBuilder<E>, channels: usize, heads: usize, head_dim: usize) -> Result<Self, ParameterError> {
        let vb = vb.pp("fn");
        let inner = vb.pp("fn");
        let hidden = heads * head_dim;
        Ok(Self {
            norm: ChannelNorm::new(&vb.pp("norm"), channels)?,
            to_qkv: Conv2d::pointwise_without_bias(&inner.pp("to_qkv"), channels, 3 * hidden)?,
            to_out: Conv2d::same(&inner.pp("to_out.0"), hidden, channels, 1)?,
            out_norm: ChannelNorm::new(&inner.pp("to_out.1"), channels)?,
            heads,
            head_dim,
        })
    }

    /// (N, C, H, W) -> the same shape.
    pub fn forward(&self, e: &E, x: &E::Tensor) -> E::Tensor {
        let heads = AttentionHeads::over(e, x, self.heads, self.head_dim);
        let [q, k, v] = heads.split(e, &self.to_qkv.forward(e, &self.norm.forward(e, x)));
        let q = e.affine(&e.softmax(&q, 1), (self.head_dim as f32).powf(-0.5), 0.0);
        let k = e.softmax(&k, 2);
        let v = e.affine(&v, 1.0 / heads.tokens() as f32, 0.0);
        // The context k v^T is (d, e) in each head; out (e, tokens) is its transpose times q.
        let context_transposed = e.matmul(&v, &e.permute(&k, &[0, 2, 1]));
        let out = heads.join(e, &e.matmul(&context_transposed, &q));
        e.add(&self.out_norm.forward(e, &self.to_out.forward(e, &out)), x)
    }
}

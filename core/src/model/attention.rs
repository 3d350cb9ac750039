//! The U-Net's two attentions: linear at every level, full in the middle. Both normalise first and add their input.
//! Source: shared/radiodiff-spec.md, section 4.3.

use super::layers::{ChannelNorm, Conv2d};
use crate::engine::Engine;
use crate::weights::{ParameterError, Parameters};

/// Queries, keys and values of all heads from one 1 x 1 convolution, each (N * heads, head_dim, tokens).
struct HeadSplit {
    batch: usize,
    heads: usize,
    head_dim: usize,
    height: usize,
    width: usize,
}

impl HeadSplit {
    fn split<E: Engine>(&self, e: &E, qkv: &E::Tensor) -> [E::Tensor; 3] {
        let hidden = self.heads * self.head_dim;
        let shape = [self.batch * self.heads, self.head_dim, self.height * self.width];
        [0, 1, 2].map(|part| e.reshape(&e.narrow(qkv, 1, part * hidden, hidden), &shape))
    }

    /// (N * heads, head_dim, tokens) -> (N, hidden, H, W).
    fn join<E: Engine>(&self, e: &E, x: &E::Tensor) -> E::Tensor {
        e.reshape(x, &[self.batch, self.heads * self.head_dim, self.height, self.width])
    }
}

fn heads_of<E: Engine>(e: &E, x: &E::Tensor, heads: usize, head_dim: usize) -> HeadSplit {
    let shape = e.shape(x);
    HeadSplit { batch: shape[0], heads, head_dim, height: shape[2], width: shape[3] }
}

/// Linear attention (Shen et al., 2021): y = x + norm(W_o out + b), out = (k v^T / tokens)^T q / sqrt(d) a head, where q, k and v
/// are 1 x 1 convolutions of norm(x), q after a softmax over its d channels, k after one over tokens.
pub struct LinearAttention<T> {
    norm: ChannelNorm<T>,
    to_qkv: Conv2d<T>,
    to_out: Conv2d<T>,
    out_norm: ChannelNorm<T>,
    heads: usize,
    head_dim: usize,
}

impl<T: Clone> LinearAttention<T> {
    pub fn new<E: Engine<Tensor = T>>(p: &Parameters<E>, channels: usize, heads: usize, head_dim: usize) -> Result<Self, ParameterError> {
        let p = p.at("fn");
        let inner = p.at("fn");
        let hidden = heads * head_dim;
        Ok(Self {
            norm: ChannelNorm::new(&p.at("norm"), channels)?,
            to_qkv: Conv2d::pointwise_without_bias(&inner.at("to_qkv"), channels, 3 * hidden)?,
            to_out: Conv2d::same(&inner.at("to_out.0"), hidden, channels, 1)?,
            out_norm: ChannelNorm::new(&inner.at("to_out.1"), channels)?,
            heads,
            head_dim,
        })
    }

    /// (N, C, H, W) -> the same shape.
    pub fn forward<E: Engine<Tensor = T>>(&self, e: &E, x: &T) -> T {
        let split = heads_of(e, x, self.heads, self.head_dim);
        let [q, k, v] = split.split(e, &self.to_qkv.forward(e, &self.norm.forward(e, x)));
        let q = e.affine(&e.softmax(&q, 1), (self.head_dim as f32).powf(-0.5), 0.0);
        let k = e.softmax(&k, 2);
        let v = e.affine(&v, 1.0 / (split.height * split.width) as f32, 0.0);
        // context (d, e) = k v^T; out (e, tokens) = context^T q.
        let context_transposed = e.matmul(&v, &e.permute(&k, &[0, 2, 1]));
        let out = split.join(e, &e.matmul(&context_transposed, &q));
        e.add(&self.out_norm.forward(e, &self.to_out.forward(e, &out)), x)
    }
}

/// Softmax attention over all pixels: y = x + W_o (softmax(q k^T / sqrt(d)) v) + b, several heads of d channels, q, k and v 1 x 1
/// convolutions of norm(x).
pub struct FullAttention<T> {
    norm: ChannelNorm<T>,
    to_qkv: Conv2d<T>,
    to_out: Conv2d<T>,
    heads: usize,
    head_dim: usize,
}

impl<T: Clone> FullAttention<T> {
    pub fn new<E: Engine<Tensor = T>>(p: &Parameters<E>, channels: usize, heads: usize, head_dim: usize) -> Result<Self, ParameterError> {
        let p = p.at("fn");
        let inner = p.at("fn");
        let hidden = heads * head_dim;
        Ok(Self {
            norm: ChannelNorm::new(&p.at("norm"), channels)?,
            to_qkv: Conv2d::pointwise_without_bias(&inner.at("to_qkv"), channels, 3 * hidden)?,
            to_out: Conv2d::same(&inner.at("to_out"), hidden, channels, 1)?,
            heads,
            head_dim,
        })
    }

    /// (N, C, H, W) -> the same shape.
    pub fn forward<E: Engine<Tensor = T>>(&self, e: &E, x: &T) -> T {
        let split = heads_of(e, x, self.heads, self.head_dim);
        let parts = split.split(e, &self.to_qkv.forward(e, &self.norm.forward(e, x)));
        let [q, k, v] = parts.map(|part| e.permute(&part, &[0, 2, 1]));
        let mixed = e.attention(&q, &k, &v, (self.head_dim as f32).powf(-0.5));
        let out = split.join(e, &e.permute(&mixed, &[0, 2, 1]));
        e.add(&self.to_out.forward(e, &out), x)
    }
}

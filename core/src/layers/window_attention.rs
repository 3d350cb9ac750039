//! Attention within windows, with a learnt bias for the tokens' relative position (Liu et al., 2021).

use super::linear::Linear;
use super::shifted_windows::ShiftedWindows;
use crate::engine::Engine;
use crate::parameters::{Initializer, ParameterError, VarBuilder};

/// W_o softmax(q k^T / sqrt(d) + position bias + mask) v + b within each window, several heads; (q, k, v) = W x + b.
pub struct WindowAttention<E: Engine> {
    qkv: Linear<E>,
    proj: Linear<E>,
    /// ((2 window - 1)^2, heads): a bias for every offset between two tokens of a window.
    bias_table: E::Tensor,
    heads: usize,
}

impl<E: Engine> WindowAttention<E> {
    /// Parameters `qkv`, `proj` and `relative_position_bias_table`. `heads` divides `channels`; `window` is a side in tokens.
    pub fn new(vb: &VarBuilder<E>, channels: usize, heads: usize, window: usize) -> Result<Self, ParameterError> {
        let offsets = (2 * window - 1) * (2 * window - 1);
        Ok(Self {
            qkv: Linear::transformer(&vb.pp("qkv"), channels, 3 * channels, true)?,
            proj: Linear::transformer(&vb.pp("proj"), channels, channels, true)?,
            bias_table: vb.param("relative_position_bias_table", &[offsets, heads], Initializer::Normal { std: 0.02 })?,
            heads,
        })
    }

    /// (N windows, tokens, C) -> the same shape.
    pub fn forward(&self, e: &E, x: &E::Tensor, windows: &ShiftedWindows<E>) -> E::Tensor {
        let shape = e.shape(x);
        let (all, tokens, channels, heads) = (shape[0], shape[1], shape[2], self.heads);
        let qkv = self.qkv.forward(e, x);
        let head_dim = channels / heads;
        let [q, k, v] = [0, 1, 2].map(|i| {
            let part = e.reshape(&e.narrow(&qkv, 2, i * channels, channels), &[all, tokens, heads, head_dim]);
            e.reshape(&e.permute(&part, &[0, 2, 1, 3]), &[all * heads, tokens, head_dim])
        });
        let q = e.affine(&q, (head_dim as f32).powf(-0.5), 0.0);
        let logits = e.reshape(&e.matmul(&q, &e.permute(&k, &[0, 2, 1])), &[all, heads, tokens, tokens]);
        let logits = e.add(&logits, &self.position_bias(e, windows.side()));
        let logits = match windows.mask() {
            Some(mask) => {
                let by_map = e.reshape(&logits, &[all / windows.count(), windows.count(), heads, tokens, tokens]);
                e.add(&by_map, mask)
            }
            None => logits,
        };
        let weights = e.softmax(&e.reshape(&logits, &[all * heads, tokens, tokens]), 2);
        let mixed = e.reshape(&e.matmul(&weights, &v), &[all, heads, tokens, head_dim]);
        self.proj.forward(e, &e.reshape(&e.permute(&mixed, &[0, 2, 1, 3]), &shape))
    }

    /// (heads, tokens, tokens).
    fn position_bias(&self, e: &E, window: usize) -> E::Tensor {
        let tokens = window * window;
        let by_pair = e.gather_rows(&self.bias_table, &relative_positions(window));
        e.permute(&e.reshape(&by_pair, &[tokens, tokens, self.heads]), &[2, 0, 1])
    }
}

/// The row of the bias table for each pair of a window's tokens, query by query: the public code's `relative_position_index`.
fn relative_positions(window: usize) -> Vec<usize> {
    let tokens = window * window;
    let offset = |query: usize, key: usize| query + window - 1 - key;
    let pair = |i: usize| {
        let (query, key) = (i / tokens, i % tokens);
        offset(query / window, key / window) * (2 * window - 1) + offset(query % window, key % window)
    };
    (0..tokens * tokens).map(pair).collect()
}

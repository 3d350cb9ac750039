//! How the U-Net's attentions divide an image's channels among their heads.

use crate::engine::Engine;

/// Sizes of an attention over the pixels of images (N, .., H, W).
pub(super) struct AttentionHeads {
    pub batch: usize,
    pub heads: usize,
    pub head_dim: usize,
    pub height: usize,
    pub width: usize,
}

impl AttentionHeads {
    pub fn over<E: Engine>(e: &E, x: &E::Tensor, heads: usize, head_dim: usize) -> Self {
        let shape = e.shape(x);
        Self { batch: shape[0], heads, head_dim, height: shape[2], width: shape[3] }
    }

    pub fn tokens(&self) -> usize {
        self.height * self.width
    }

    /// Queries, keys and values of all heads, (N, 3 hidden, H, W) -> three of (N heads, head_dim, tokens).
    pub fn split<E: Engine>(&self, e: &E, qkv: &E::Tensor) -> [E::Tensor; 3] {
        let hidden = self.heads * self.head_dim;
        let shape = [self.batch * self.heads, self.head_dim, self.tokens()];
        [0, 1, 2].map(|part| e.reshape(&e.narrow(qkv, 1, part * hidden, hidden), &shape))
    }

    /// (N heads, head_dim, tokens) -> (N, hidden, H, W).
    pub fn join<E: Engine>(&self, e: &E, x: &E::Tensor) -> E::Tensor {
        e.reshape(x, &[self.batch, self.heads * self.head_dim, self.height, self.width])
    }
}

//! Attention over all pixels, in the middle of the first stage.

use super::conv2d::Conv2d;
use super::group_norm::GroupNorm;
use crate::engine::Engine;
use crate::parameters::{ParameterError, VarBuilder};
use std::rc::Rc;

/// y = x + proj(softmax(q k^T / sqrt(C)) v), one head over all pixels; q, k and v are 1 x 1 convolutions of norm(x).
pub struct PixelAttention<E: Engine> {
    norm: GroupNorm<E>,
    q: Conv2d<E>,
    k: Conv2d<E>,
    v: Conv2d<E>,
    proj_out: Conv2d<E>,
}

impl<E: Engine> PixelAttention<E> {
    /// Parameters `norm`, `q`, `k`, `v` and `proj_out`.
    pub fn new(vb: &VarBuilder<E>, channels: usize, groups: usize) -> Result<Rc<Self>, ParameterError> {
        let pointwise = |name| Conv2d::same(&vb.pp(name), channels, channels, 1);
        Ok(Rc::new(Self {
            norm: GroupNorm::new(&vb.pp("norm"), channels, groups, 1e-6)?,
            q: pointwise("q")?,
            k: pointwise("k")?,
            v: pointwise("v")?,
            proj_out: pointwise("proj_out")?,
        }))
    }

    /// (N, C, H, W) -> the same shape.
    pub fn forward(self: &Rc<Self>, e: &E, x: &E::Tensor) -> E::Tensor {
        let layer = Rc::clone(self);
        e.recomputable([x], move |e, [x]| layer.compute(e, x))
    }

    fn compute(&self, e: &E, x: &E::Tensor) -> E::Tensor {
        let shape = e.shape(x);
        let (channels, tokens) = (shape[1], shape[2] * shape[3]);
        let h = self.norm.forward(e, x);
        let [q, k, v] = [&self.q, &self.k, &self.v].map(|conv| e.reshape(&conv.forward(e, &h), &[shape[0], channels, tokens]));
        let image = e.reshape(&e.attention_channels_first(&q, &k, &v, (channels as f32).powf(-0.5)), &shape);
        self.proj_out.forward_plus(e, &image, x)
    }
}

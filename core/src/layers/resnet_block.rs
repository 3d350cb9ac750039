//! Residual block of the first stage and of the pyramid encoder.

use super::conv2d::Conv2d;
use super::group_norm::GroupNorm;
use crate::engine::Engine;
use crate::parameters::{ParameterError, VarBuilder};
use std::rc::Rc;

const EPSILON: f32 = 1e-6;

/// y = x + conv2(SiLU(norm2(conv1(SiLU(norm1(x)))))), 3 x 3 convolutions. Where the channels change, x passes a 1 x 1 convolution.
pub struct ResnetBlock<E: Engine> {
    norm1: GroupNorm<E>,
    conv1: Conv2d<E>,
    norm2: GroupNorm<E>,
    conv2: Conv2d<E>,
    shortcut: Option<Conv2d<E>>,
}

impl<E: Engine> ResnetBlock<E> {
    /// Parameters `norm1`, `conv1`, `norm2`, `conv2` and, where the channels change, `nin_shortcut`. `groups` divides both numbers
    /// of channels.
    pub fn new(vb: &VarBuilder<E>, input: usize, output: usize, groups: usize) -> Result<Rc<Self>, ParameterError> {
        Ok(Rc::new(Self {
            norm1: GroupNorm::new(&vb.pp("norm1"), input, groups, EPSILON)?,
            conv1: Conv2d::same(&vb.pp("conv1"), input, output, 3)?,
            norm2: GroupNorm::new(&vb.pp("norm2"), output, groups, EPSILON)?,
            conv2: Conv2d::same(&vb.pp("conv2"), output, output, 3)?,
            shortcut: (input != output).then(|| Conv2d::same(&vb.pp("nin_shortcut"), input, output, 1)).transpose()?,
        }))
    }

    /// (N, input, H, W) -> (N, output, H, W).
    pub fn forward(self: &Rc<Self>, e: &E, x: &E::Tensor) -> E::Tensor {
        let layer = Rc::clone(self);
        e.recomputable([x], move |e, [x]| layer.compute(e, x))
    }

    fn compute(&self, e: &E, x: &E::Tensor) -> E::Tensor {
        let h = self.conv1.forward(e, &self.norm1.forward_silu(e, x));
        let h = self.norm2.forward_silu(e, &h);
        match &self.shortcut {
            Some(shortcut) => self.conv2.forward_plus(e, &h, &shortcut.forward(e, x)),
            None => self.conv2.forward_plus(e, &h, x),
        }
    }
}

//! Residual block of the U-Net, modulated by the time.

use super::conv2d::Conv2d;
use super::group_norm::GroupNorm;
use super::linear::Linear;
use super::weight_standardized_conv2d::WeightStandardizedConv2d;
use crate::engine::Engine;
use crate::parameters::{ParameterError, VarBuilder};
use std::rc::Rc;

/// y = SiLU(norm(conv(x)) (1 + scale) + shift), a weight-standardised 3 x 3 convolution and a group normalisation. Scale and shift
/// (FiLM, Perez et al., 2018) are there only where the time modulates.
struct ModulatedConv<E: Engine> {
    proj: WeightStandardizedConv2d<E>,
    norm: GroupNorm<E>,
}

impl<E: Engine> ModulatedConv<E> {
    fn new(vb: &VarBuilder<E>, input: usize, output: usize, groups: usize) -> Result<Self, ParameterError> {
        let proj = WeightStandardizedConv2d::new(&vb.pp("proj"), input, output)?;
        Ok(Self { proj, norm: GroupNorm::new(&vb.pp("norm"), output, groups, 1e-5)? })
    }

    /// Without scale and shift. (N, input, H, W) -> (N, output, H, W).
    fn forward(&self, e: &E, x: &E::Tensor) -> E::Tensor {
        self.norm.forward_silu(e, &self.proj.forward(e, x))
    }

    /// Without scale and shift, plus another of the result's shape.
    fn forward_plus(&self, e: &E, x: &E::Tensor, plus: &E::Tensor) -> E::Tensor {
        self.norm.forward_silu_plus(e, &self.proj.forward(e, x), plus)
    }

    /// (N, input, H, W) -> (N, output, H, W); `film` (N, 2 output) has the scales before the shifts.
    fn forward_modulated(&self, e: &E, x: &E::Tensor, film: &E::Tensor) -> E::Tensor {
        self.norm.forward_film_silu(e, &self.proj.forward(e, x), film)
    }
}

/// y = x + block2(block1(x; scale, shift)), (scale, shift) = W SiLU(time) + b. Where the channels change, x passes a 1 x 1
/// convolution.
pub struct ModulatedResnetBlock<E: Engine> {
    mlp: Linear<E>,
    block1: ModulatedConv<E>,
    block2: ModulatedConv<E>,
    res_conv: Option<Conv2d<E>>,
}

impl<E: Engine> ModulatedResnetBlock<E> {
    /// Parameters `mlp.1`, `block1`, `block2` and, where the channels change, `res_conv`. `groups` divides `output`.
    pub fn new(vb: &VarBuilder<E>, input: usize, output: usize, time_width: usize, groups: usize) -> Result<Rc<Self>, ParameterError> {
        Ok(Rc::new(Self {
            mlp: Linear::new(&vb.pp("mlp.1"), time_width, 2 * output)?,
            block1: ModulatedConv::new(&vb.pp("block1"), input, output, groups)?,
            block2: ModulatedConv::new(&vb.pp("block2"), output, output, groups)?,
            res_conv: (input != output).then(|| Conv2d::same(&vb.pp("res_conv"), input, output, 1)).transpose()?,
        }))
    }

    /// x (N, input, H, W), `time` (N, time_width) after SiLU -> (N, output, H, W).
    pub fn forward(self: &Rc<Self>, e: &E, x: &E::Tensor, time: &E::Tensor) -> E::Tensor {
        let layer = Rc::clone(self);
        e.recomputable([x, time], move |e, [x, time]| layer.compute(e, x, time))
    }

    fn compute(&self, e: &E, x: &E::Tensor, time: &E::Tensor) -> E::Tensor {
        let h = self.block1.forward_modulated(e, x, &self.mlp.forward(e, time));
        match &self.res_conv {
            Some(conv) => conv.forward_plus(e, x, &self.block2.forward(e, &h)),
            None => self.block2.forward_plus(e, &h, x),
        }
    }
}

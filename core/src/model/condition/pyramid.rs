//! A small convolutional pyramid as the condition encoder, this project's own: for the presets that browsers run.
//!
//! A stem shrinks the scene down to the latent's size, then one stage per U-Net level, each half the size of the one before.

use crate::engine::Engine;
use crate::layers::{Conv2d, ResnetBlock};
use crate::model::preset::{PATCH, PyramidPreset};
use crate::parameters::{ParameterError, VarBuilder};
use std::rc::Rc;

/// y = block(shrink(x)): a convolution that shrinks the map, where there is one, and a residual block.
struct PyramidStage<E: Engine> {
    shrink: Option<Conv2d<E>>,
    block: Rc<ResnetBlock<E>>,
}

/// A patch convolution (4 x 4, stride 4), then halving convolutions, each before a residual block.
pub struct Pyramid<E: Engine> {
    stem: Vec<PyramidStage<E>>,
    stages: Vec<PyramidStage<E>>,
}

impl<E: Engine> Pyramid<E> {
    /// Parameters `stem.{i}.conv`, `stem.{i}.block`, `stages.{i}.conv` (not the first), `stages.{i}.block`.
    pub fn new(vb: &VarBuilder<E>, channels: usize, preset: &PyramidPreset) -> Result<Self, ParameterError> {
        let mut channels = channels;
        let mut stem = Vec::new();
        for (i, &width) in preset.stem_widths.iter().enumerate() {
            let vb = vb.pp("stem").pp(i);
            let conv = vb.pp("conv");
            let shrink = if i == 0 { Conv2d::patches(&conv, channels, width, PATCH) } else { Conv2d::halving(&conv, channels, width) };
            stem.push(PyramidStage { shrink: Some(shrink?), block: ResnetBlock::new(&vb.pp("block"), width, width, preset.norm_groups)? });
            channels = width;
        }
        let mut stages = Vec::new();
        for (i, &width) in preset.stage_widths.iter().enumerate() {
            let vb = vb.pp("stages").pp(i);
            let shrink = (i > 0).then(|| Conv2d::halving(&vb.pp("conv"), channels, channels)).transpose()?;
            stages.push(PyramidStage { shrink, block: ResnetBlock::new(&vb.pp("block"), channels, width, preset.norm_groups)? });
            channels = width;
        }
        Ok(Self { stem, stages })
    }

    /// (N, C, H, W) in [-1, 1] -> per stage (N, width, H / r, W / r), r = 4 2^(stem - 1) 2^stage.
    pub fn forward(&self, e: &E, condition: &E::Tensor) -> Vec<E::Tensor> {
        let run = |stage: &PyramidStage<E>, x: &E::Tensor| match &stage.shrink {
            Some(shrink) => stage.block.forward(e, &shrink.forward(e, x)),
            None => stage.block.forward(e, x),
        };
        let mut h = condition.clone();
        for stage in &self.stem {
            h = run(stage, &h);
        }
        let mut outputs = Vec::with_capacity(self.stages.len());
        for stage in &self.stages {
            h = run(stage, &h);
            outputs.push(h.clone());
        }
        outputs
    }
}

//! The public code's condition encoder: a Swin transformer (Liu et al., 2021; Swin-B) as torchvision builds it.
//!
//! A patch convolution (4 x 4, stride 4) makes tokens of the scene's channels. The blocks of a stage attend within windows of
//! 7 x 7 tokens; every odd block shifts the windows by half their side, so that neighbouring windows meet. Between two stages,
//! four tokens become one of twice the channels. The encoder's output is one map a U-Net level: each stage's, before the merging.

use crate::engine::Engine;
use crate::layers::{Conv2d, LayerNorm, PatchMerging, ShiftedWindows, SwinBlock};
use crate::model::preset::{PATCH, SwinPreset};
use crate::parameters::{Initializer, ParameterError, VarBuilder};
use std::rc::Rc;

/// Classes of the public checkpoints' unused classifier.
const CLASSES: usize = 1000;

struct SwinStage<E: Engine> {
    merging: Option<PatchMerging<E>>,
    blocks: Vec<Rc<SwinBlock<E>>>,
}

/// The transformer; tokens are (N, H, W, C).
pub struct SwinEncoder<E: Engine> {
    patch: Conv2d<E>,
    patch_norm: LayerNorm<E>,
    stages: Vec<SwinStage<E>>,
    window: usize,
}

impl<E: Engine> SwinEncoder<E> {
    /// Parameters `first_coonv` (the public code's spelling), `features.{2 i}.{block}` of stage i, `features.{2 i - 1}` of the
    /// merging before it.
    pub fn new(vb: &VarBuilder<E>, channels: usize, preset: &SwinPreset) -> Result<Self, ParameterError> {
        let last = preset.depths.iter().sum::<usize>() - 1;
        let mut block = 0;
        let mut stages = Vec::new();
        for (i, (&depth, width)) in preset.depths.iter().zip(preset.widths()).enumerate() {
            let merging = (i > 0).then(|| PatchMerging::new(&vb.pp("features").pp(2 * i - 1), width / 2)).transpose()?;
            let mut blocks = Vec::new();
            for j in 0..depth {
                let skipped = preset.stochastic_depth * block as f64 / last.max(1) as f64;
                let vb = vb.pp("features").pp(2 * i).pp(j);
                blocks.push(SwinBlock::new(&vb, width, preset.heads[i], preset.window, skipped)?);
                block += 1;
            }
            stages.push(SwinStage { merging, blocks });
        }
        if preset.public_leftovers {
            let width = preset.width << (preset.depths.len() - 1);
            let leftovers: [(&str, &[usize]); 4] =
                [("norm.weight", &[width]), ("norm.bias", &[width]), ("head.weight", &[CLASSES, width]), ("head.bias", &[CLASSES])];
            for (name, shape) in leftovers {
                vb.buffer(name, shape, Initializer::Constant(0.0))?;
            }
        }
        Ok(Self {
            patch: Conv2d::patches(&vb.pp("first_coonv.0"), channels, preset.width, PATCH)?,
            patch_norm: LayerNorm::new(&vb.pp("first_coonv.2"), preset.width)?,
            stages,
            window: preset.window,
        })
    }

    /// (N, C, H, W) in [-1, 1] -> per stage (N, width 2^stage, H / 4 / 2^stage, W / 4 / 2^stage).
    pub fn forward(&self, e: &E, condition: &E::Tensor) -> Vec<E::Tensor> {
        let mut x = self.patch_norm.forward(e, &e.permute(&self.patch.forward(e, condition), &[0, 2, 3, 1]));
        let mut outputs = Vec::with_capacity(self.stages.len());
        for stage in &self.stages {
            if let Some(merging) = &stage.merging {
                x = merging.forward(e, &x);
            }
            let shape = e.shape(&x);
            let windows = [false, true].map(|shifted| Rc::new(ShiftedWindows::new(e, [shape[1], shape[2]], self.window, shifted)));
            for (i, block) in stage.blocks.iter().enumerate() {
                x = block.forward(e, &x, &windows[i % 2]);
            }
            outputs.push(e.permute(&x, &[0, 3, 1, 2]));
        }
        outputs
    }
}

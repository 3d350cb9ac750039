//! Condition encoders: the scene's channels (buildings, transmitter, physical features) to one feature map per U-Net level.
//!
//! [`ConditionEncoder`] is one of two kinds, which the preset tells: the public code's Swin transformer ([`super::swin`]), or a
//! small convolutional pyramid in its place: a stem that halves the size down to the latent's, then one stage per U-Net level,
//! each half the size of the one before. A scene is encoded once, whatever the number of the sampler's steps.

use super::autoencoder::ResnetBlock;
use super::layers::Conv2d;
use super::preset::{ConditionPreset, EncoderPreset, PyramidPreset};
use super::swin::SwinEncoder;
use crate::engine::{ConvGeometry, Engine, Padding};
use crate::weights::{ParameterError, Parameters};

/// The first convolution's kernel and stride, of either kind: its patches meet and do not overlap.
pub const PATCH: usize = 4;

/// See the module.
pub enum ConditionEncoder<T> {
    Pyramid(Pyramid<T>),
    Swin(SwinEncoder<T>),
}

impl<T: Clone> ConditionEncoder<T> {
    /// Parameters of [`Pyramid`] or of [`SwinEncoder`].
    pub fn new<E: Engine<Tensor = T>>(p: &Parameters<E>, preset: &ConditionPreset) -> Result<Self, ParameterError> {
        let channels = preset.channels.len();
        Ok(match &preset.encoder {
            EncoderPreset::Pyramid(pyramid) => Self::Pyramid(Pyramid::new(p, channels, pyramid)?),
            EncoderPreset::Swin(swin) => Self::Swin(SwinEncoder::new(p, channels, swin)?),
        })
    }

    /// (N, C, H, W) in [-1, 1] -> one map per U-Net level, each half the size of the one before, the first as large as the latent.
    pub fn forward<E: Engine<Tensor = T>>(&self, e: &E, condition: &T) -> Vec<T> {
        match self {
            Self::Pyramid(pyramid) => pyramid.forward(e, condition),
            Self::Swin(swin) => swin.forward(e, condition),
        }
    }
}

/// y = block(shrink(x)): a convolution that shrinks the map, if there is one, and the first stage's residual block.
struct Stage<T> {
    shrink: Option<Conv2d<T>>,
    block: ResnetBlock<T>,
}

/// The pyramid, this project's own: a patch convolution (4 x 4, stride 4) and halving ones, each before a residual block.
pub struct Pyramid<T> {
    stem: Vec<Stage<T>>,
    stages: Vec<Stage<T>>,
}

impl<T: Clone> Pyramid<T> {
    /// Parameters `stem.{i}.conv`, `stem.{i}.block`, `stages.{i}.conv` (not the first), `stages.{i}.block`.
    fn new<E: Engine<Tensor = T>>(p: &Parameters<E>, channels: usize, preset: &PyramidPreset) -> Result<Self, ParameterError> {
        let patch = ConvGeometry { stride: PATCH, padding: Padding::default() };
        let mut channels = channels;
        let mut stem = Vec::new();
        for (i, &width) in preset.stem_widths.iter().enumerate() {
            let p = p.at("stem").at(i);
            let conv = p.at("conv");
            let shrink = if i == 0 { Conv2d::new(&conv, channels, width, PATCH, patch) } else { Conv2d::halving(&conv, channels, width) };
            stem.push(Stage { shrink: Some(shrink?), block: ResnetBlock::new(&p.at("block"), width, width, preset.norm_groups)? });
            channels = width;
        }
        let mut stages = Vec::new();
        for (i, &width) in preset.stage_widths.iter().enumerate() {
            let p = p.at("stages").at(i);
            let shrink = (i > 0).then(|| Conv2d::halving(&p.at("conv"), channels, channels)).transpose()?;
            stages.push(Stage { shrink, block: ResnetBlock::new(&p.at("block"), channels, width, preset.norm_groups)? });
            channels = width;
        }
        Ok(Self { stem, stages })
    }

    /// (N, C, H, W) in [-1, 1] -> per stage (N, width, H / r, W / r), r = 4 2^(stem - 1) 2^stage.
    fn forward<E: Engine<Tensor = T>>(&self, e: &E, condition: &T) -> Vec<T> {
        let run = |stage: &Stage<T>, x: &T| match &stage.shrink {
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

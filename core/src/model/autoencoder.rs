//! First stage: a variational autoencoder between gray maps and latents (AutoencoderKL of Rombach et al., 2022).
//!
//! The encoder turns a gray map in [-1, 1], (N, 1, H, W), into a Gaussian over latents (N, Z, H/f, W/f), f = 2^(levels - 1); the
//! decoder turns a latent into a map. Diffusion works on the latents. See docs/radiodiff.md, "First stage".
//!
//! A decoder may see the scene: the condition's channels, averaged down to a level's size, join the input of the level's first
//! block. Walls and shadow edges are then drawn where the scene has them and need not pass the latent.

use super::preset::AutoencoderPreset;
use crate::engine::{ConvGeometry, Engine, Padding, Unary};
use crate::layers::{Conv2d, GroupNorm, PixelAttention, ResnetBlock};
use crate::parameters::{ParameterError, VarBuilder};
use std::rc::Rc;

const EPSILON: f32 = 1e-6;

/// y = block_2(attn_1(block_1(x))) at the lowest resolution; shapes stay.
struct Middle<E: Engine> {
    block_1: Rc<ResnetBlock<E>>,
    attn_1: Rc<PixelAttention<E>>,
    block_2: Rc<ResnetBlock<E>>,
}

impl<E: Engine> Middle<E> {
    fn new(vb: &VarBuilder<E>, channels: usize, groups: usize) -> Result<Self, ParameterError> {
        Ok(Self {
            block_1: ResnetBlock::new(&vb.pp("block_1"), channels, channels, groups)?,
            attn_1: PixelAttention::new(&vb.pp("attn_1"), channels, groups)?,
            block_2: ResnetBlock::new(&vb.pp("block_2"), channels, channels, groups)?,
        })
    }

    fn forward(&self, e: &E, x: &E::Tensor) -> E::Tensor {
        let h = self.attn_1.forward(e, &self.block_1.forward(e, x));
        self.block_2.forward(e, &h)
    }
}

/// The residual blocks of one resolution and the convolution that changes to the next.
struct Level<E: Engine> {
    blocks: Vec<Rc<ResnetBlock<E>>>,
    resample: Option<Conv2d<E>>,
}

/// Gray map (N, 1, H, W) -> moments of the latent (N, 2 Z, H/f, W/f).
pub struct Encoder<E: Engine> {
    conv_in: Conv2d<E>,
    down: Vec<Level<E>>,
    mid: Middle<E>,
    norm_out: GroupNorm<E>,
    conv_out: Conv2d<E>,
}

impl<E: Engine> Encoder<E> {
    fn new(vb: &VarBuilder<E>, preset: &AutoencoderPreset) -> Result<Self, ParameterError> {
        let groups = preset.norm_groups;
        let widths = preset.widths();
        let mut channels = preset.channels;
        let conv_in = Conv2d::same(&vb.pp("conv_in"), 1, channels, 3)?;
        let mut down = Vec::new();
        for (level, &width) in widths.iter().enumerate() {
            let vb = vb.pp("down").pp(level);
            let mut blocks = Vec::new();
            for block in 0..preset.residual_blocks {
                blocks.push(ResnetBlock::new(&vb.pp("block").pp(block), channels, width, groups)?);
                channels = width;
            }
            let halve = ConvGeometry { stride: 2, padding: Padding::bottom_right(1) };
            let last = level + 1 == widths.len();
            let resample = (!last).then(|| Conv2d::new(&vb.pp("downsample.conv"), channels, channels, 3, halve)).transpose()?;
            down.push(Level { blocks, resample });
        }
        Ok(Self {
            conv_in,
            down,
            mid: Middle::new(&vb.pp("mid"), channels, groups)?,
            norm_out: GroupNorm::new(&vb.pp("norm_out"), channels, groups, EPSILON)?,
            conv_out: Conv2d::same(&vb.pp("conv_out"), channels, 2 * preset.latent_channels, 3)?,
        })
    }

    fn forward(&self, e: &E, x: &E::Tensor) -> E::Tensor {
        let mut h = self.conv_in.forward(e, x);
        for level in &self.down {
            for block in &level.blocks {
                h = block.forward(e, &h);
            }
            if let Some(resample) = &level.resample {
                h = resample.forward(e, &h);
            }
        }
        let h = self.mid.forward(e, &h);
        self.conv_out.forward(e, &self.norm_out.forward_silu(e, &h))
    }
}

/// Latent (N, Z, h, w), and the scene where the preset says so -> gray map (N, 1, h f, w f), unbounded.
pub struct Decoder<E: Engine> {
    scene_channels: usize,
    conv_in: Conv2d<E>,
    mid: Middle<E>,
    /// Finest level first, as in the parameters' names; run from the coarsest.
    up: Vec<Level<E>>,
    norm_out: GroupNorm<E>,
    conv_out: Conv2d<E>,
}

impl<E: Engine> Decoder<E> {
    fn new(vb: &VarBuilder<E>, preset: &AutoencoderPreset) -> Result<Self, ParameterError> {
        let groups = preset.norm_groups;
        let widths = preset.widths();
        let mut channels = *widths.last().unwrap_or(&preset.channels);
        let conv_in = Conv2d::same(&vb.pp("conv_in"), preset.latent_channels, channels, 3)?;
        let mid = Middle::new(&vb.pp("mid"), channels, groups)?;
        let mut up = Vec::new();
        for (level, &width) in widths.iter().enumerate().rev() {
            let vb = vb.pp("up").pp(level);
            let mut blocks = Vec::new();
            for block in 0..=preset.residual_blocks {
                let scene_channels = if block == 0 { preset.scene_channels } else { 0 };
                blocks.push(ResnetBlock::new(&vb.pp("block").pp(block), channels + scene_channels, width, groups)?);
                channels = width;
            }
            let resample = (level > 0).then(|| Conv2d::same(&vb.pp("upsample.conv"), channels, channels, 3)).transpose()?;
            up.push(Level { blocks, resample });
        }
        up.reverse();
        Ok(Self {
            scene_channels: preset.scene_channels,
            conv_in,
            mid,
            up,
            norm_out: GroupNorm::new(&vb.pp("norm_out"), channels, groups, EPSILON)?,
            conv_out: Conv2d::same(&vb.pp("conv_out"), channels, 1, 3)?,
        })
    }

    fn forward(&self, e: &E, z: &E::Tensor, scene: Option<&E::Tensor>) -> E::Tensor {
        let scene = (self.scene_channels > 0).then(|| scene.expect("a decoder with scene_channels is given the condition"));
        let mut h = self.mid.forward(e, &self.conv_in.forward(e, z));
        for (number, level) in self.up.iter().enumerate().rev() {
            if let Some(scene) = scene {
                h = if number == 0 { e.concat(&[&h, scene], 1) } else { e.concat(&[&h, &e.average_pool(scene, 1 << number)], 1) };
            }
            for block in &level.blocks {
                h = block.forward(e, &h);
            }
            if let Some(resample) = &level.resample {
                h = resample.forward_doubled(e, &h);
            }
        }
        self.conv_out.forward(e, &self.norm_out.forward_silu(e, &h))
    }
}

/// The encoder's Gaussian over latents; mean and log-variance are (N, Z, H/f, W/f).
pub struct Posterior<E: Engine> {
    /// Also the mode.
    pub mean: E::Tensor,
    /// Clamped to [-30, 20].
    pub log_variance: E::Tensor,
}

impl<E: Engine> Posterior<E> {
    /// mean + exp(log_variance / 2) * noise; `noise` is standard normal and has the mean's shape.
    pub fn sample(&self, e: &E, noise: &E::Tensor) -> E::Tensor {
        let deviation = e.unary(Unary::Exp, &e.affine(&self.log_variance, 0.5, 0.0));
        e.add(&self.mean, &e.mul(&deviation, noise))
    }

    /// The KL divergence from the standard normal, 1/2 sum(mean^2 + variance - 1 - log_variance), summed over a latent and averaged
    /// over the batch: shape (1, 1, 1, 1).
    pub fn kl(&self, e: &E) -> E::Tensor {
        let second_moment = e.add(&e.unary(Unary::Square, &self.mean), &e.unary(Unary::Exp, &self.log_variance));
        let terms = e.affine(&e.sub(&second_moment, &self.log_variance), 1.0, -1.0);
        let elements: usize = e.shape(&terms)[1..].iter().product();
        e.affine(&e.mean_from(&terms, 0), 0.5 * elements as f32, 0.0)
    }
}

/// Encoder, decoder and the 1 x 1 convolutions between them.
pub struct Autoencoder<E: Engine> {
    /// With the convolution behind it; absent where maps are only drawn.
    encoder: Option<(Encoder<E>, Conv2d<E>)>,
    decoder: Decoder<E>,
    post_quant_conv: Conv2d<E>,
    latent_channels: usize,
}

impl<E: Engine> Autoencoder<E> {
    /// Parameters `encoder`, `decoder`, `quant_conv` and `post_quant_conv`. The preset has been validated.
    pub fn new(vb: &VarBuilder<E>, preset: &AutoencoderPreset) -> Result<Self, ParameterError> {
        let latents = 2 * preset.latent_channels;
        // In this order, in which a training run draws what it begins with.
        let encoder = Encoder::new(&vb.pp("encoder"), preset)?;
        let decoder = Decoder::new(&vb.pp("decoder"), preset)?;
        let quant_conv = Conv2d::same(&vb.pp("quant_conv"), latents, latents, 1)?;
        Self::of_parts(vb, preset, Some((encoder, quant_conv)), decoder)
    }

    /// What turns latents into maps: `decoder` and `post_quant_conv`.
    pub fn without_encoder(vb: &VarBuilder<E>, preset: &AutoencoderPreset) -> Result<Self, ParameterError> {
        Self::of_parts(vb, preset, None, Decoder::new(&vb.pp("decoder"), preset)?)
    }

    fn of_parts(
        vb: &VarBuilder<E>,
        preset: &AutoencoderPreset,
        encoder: Option<(Encoder<E>, Conv2d<E>)>,
        decoder: Decoder<E>,
    ) -> Result<Self, ParameterError> {
        let latent_channels = preset.latent_channels;
        let post_quant_conv = Conv2d::same(&vb.pp("post_quant_conv"), latent_channels, latent_channels, 1)?;
        Ok(Self { encoder, decoder, post_quant_conv, latent_channels })
    }

    pub fn has_encoder(&self) -> bool {
        self.encoder.is_some()
    }

    /// Gray map in [-1, 1], (N, 1, H, W) -> mean and log-variance, concatenated, (N, 2 Z, H/f, W/f).
    ///
    /// # Panics
    /// Without an encoder.
    pub fn moments(&self, e: &E, map: &E::Tensor) -> E::Tensor {
        let (encoder, quant_conv) = self.encoder.as_ref().expect("a first stage that encodes maps was built with its encoder");
        quant_conv.forward(e, &encoder.forward(e, map))
    }

    /// Gray map in [-1, 1], (N, 1, H, W) -> posterior.
    ///
    /// # Panics
    /// Without an encoder.
    pub fn encode(&self, e: &E, map: &E::Tensor) -> Posterior<E> {
        self.posterior(e, &self.moments(e, map))
    }

    /// The posterior of [`Self::moments`].
    pub fn posterior(&self, e: &E, moments: &E::Tensor) -> Posterior<E> {
        let mean = e.narrow(moments, 1, 0, self.latent_channels);
        let log_variance = e.clamp(&e.narrow(moments, 1, self.latent_channels, self.latent_channels), -30.0, 20.0);
        Posterior { mean, log_variance }
    }

    /// Latent (N, Z, h, w) -> gray map (N, 1, h f, w f), in [-1, 1] but unbounded. `scene` is the condition (N, C, h f, w f); only a
    /// preset with `scene_channels` reads it.
    ///
    /// # Panics
    /// When such a preset is given no scene.
    pub fn decode(&self, e: &E, latent: &E::Tensor, scene: Option<&E::Tensor>) -> E::Tensor {
        self.decoder.forward(e, &self.post_quant_conv.forward(e, latent), scene)
    }
}

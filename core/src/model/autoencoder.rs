//! First stage: a variational autoencoder between gray maps and latents (AutoencoderKL of latent diffusion).
//!
//! A gray map in [-1, 1], (N, 1, H, W), becomes a Gaussian over latents (N, Z, H/f, W/f), f = 2^(levels - 1); a latent becomes a
//! map again. Source: shared/radiodiff-spec.md, section 1.

use super::layers::{Conv2d, GroupNorm};
use super::preset::AutoencoderPreset;
use crate::engine::{ConvGeometry, Engine, Padding, Unary};
use crate::weights::{ParameterError, Parameters};

const EPSILON: f32 = 1e-6;

/// y = conv2(swish(norm2(conv1(swish(norm1(x)))))) + x, 3 x 3 convolutions; the last x through 1 x 1 where the channels differ.
pub(super) struct ResnetBlock<T> {
    norm1: GroupNorm<T>,
    conv1: Conv2d<T>,
    norm2: GroupNorm<T>,
    conv2: Conv2d<T>,
    shortcut: Option<Conv2d<T>>,
}

impl<T: Clone> ResnetBlock<T> {
    pub(super) fn new<E: Engine<Tensor = T>>(
        p: &Parameters<E>,
        input: usize,
        output: usize,
        groups: usize,
    ) -> Result<Self, ParameterError> {
        Ok(Self {
            norm1: GroupNorm::new(&p.at("norm1"), input, groups, EPSILON)?,
            conv1: Conv2d::same(&p.at("conv1"), input, output, 3)?,
            norm2: GroupNorm::new(&p.at("norm2"), output, groups, EPSILON)?,
            conv2: Conv2d::same(&p.at("conv2"), output, output, 3)?,
            shortcut: (input != output).then(|| Conv2d::same(&p.at("nin_shortcut"), input, output, 1)).transpose()?,
        })
    }

    /// (N, input, H, W) -> (N, output, H, W).
    pub(super) fn forward<E: Engine<Tensor = T>>(&self, e: &E, x: &T) -> T {
        let h = self.conv1.forward(e, &self.norm1.forward_silu(e, x));
        let h = self.conv2.forward(e, &self.norm2.forward_silu(e, &h));
        match &self.shortcut {
            Some(shortcut) => e.add(&shortcut.forward(e, x), &h),
            None => e.add(x, &h),
        }
    }
}

/// y = x + proj(softmax(q k^T / sqrt(C)) v), q, k and v 1 x 1 convolutions of norm(x): one head over all pixels.
struct AttentionBlock<T> {
    norm: GroupNorm<T>,
    q: Conv2d<T>,
    k: Conv2d<T>,
    v: Conv2d<T>,
    proj_out: Conv2d<T>,
}

impl<T: Clone> AttentionBlock<T> {
    fn new<E: Engine<Tensor = T>>(p: &Parameters<E>, channels: usize, groups: usize) -> Result<Self, ParameterError> {
        let pointwise = |name| Conv2d::same(&p.at(name), channels, channels, 1);
        Ok(Self {
            norm: GroupNorm::new(&p.at("norm"), channels, groups, EPSILON)?,
            q: pointwise("q")?,
            k: pointwise("k")?,
            v: pointwise("v")?,
            proj_out: pointwise("proj_out")?,
        })
    }

    /// (N, C, H, W) -> the same shape.
    fn forward<E: Engine<Tensor = T>>(&self, e: &E, x: &T) -> T {
        let shape = e.shape(x);
        let (channels, tokens) = (shape[1], shape[2] * shape[3]);
        let h = self.norm.forward(e, x);
        let by_token = |conv: &Conv2d<T>| {
            let image = e.reshape(&conv.forward(e, &h), &[shape[0], channels, tokens]);
            e.permute(&image, &[0, 2, 1])
        };
        let mixed = e.attention(&by_token(&self.q), &by_token(&self.k), &by_token(&self.v), (channels as f32).powf(-0.5));
        let image = e.reshape(&e.permute(&mixed, &[0, 2, 1]), &shape);
        e.add(x, &self.proj_out.forward(e, &image))
    }
}

/// y = block_2(attn_1(block_1(x))) at the lowest resolution, where shapes stay.
struct Middle<T> {
    block_1: ResnetBlock<T>,
    attn_1: AttentionBlock<T>,
    block_2: ResnetBlock<T>,
}

impl<T: Clone> Middle<T> {
    fn new<E: Engine<Tensor = T>>(p: &Parameters<E>, channels: usize, groups: usize) -> Result<Self, ParameterError> {
        Ok(Self {
            block_1: ResnetBlock::new(&p.at("block_1"), channels, channels, groups)?,
            attn_1: AttentionBlock::new(&p.at("attn_1"), channels, groups)?,
            block_2: ResnetBlock::new(&p.at("block_2"), channels, channels, groups)?,
        })
    }

    fn forward<E: Engine<Tensor = T>>(&self, e: &E, x: &T) -> T {
        let h = self.attn_1.forward(e, &self.block_1.forward(e, x));
        self.block_2.forward(e, &h)
    }
}

/// The residual blocks of one resolution and the convolution that leaves it.
struct Level<T> {
    blocks: Vec<ResnetBlock<T>>,
    resample: Option<Conv2d<T>>,
}

/// Gray map -> moments of the latent.
pub struct Encoder<T> {
    conv_in: Conv2d<T>,
    down: Vec<Level<T>>,
    mid: Middle<T>,
    norm_out: GroupNorm<T>,
    conv_out: Conv2d<T>,
}

impl<T: Clone> Encoder<T> {
    fn new<E: Engine<Tensor = T>>(p: &Parameters<E>, preset: &AutoencoderPreset) -> Result<Self, ParameterError> {
        let groups = preset.norm_groups;
        let widths = preset.widths();
        let mut channels = preset.channels;
        let conv_in = Conv2d::same(&p.at("conv_in"), 1, channels, 3)?;
        let mut down = Vec::new();
        for (level, &width) in widths.iter().enumerate() {
            let p = p.at("down").at(level);
            let mut blocks = Vec::new();
            for block in 0..preset.residual_blocks {
                blocks.push(ResnetBlock::new(&p.at("block").at(block), channels, width, groups)?);
                channels = width;
            }
            let halve = ConvGeometry { stride: 2, padding: Padding::bottom_right(1) };
            let last = level + 1 == widths.len();
            let resample = (!last).then(|| Conv2d::new(&p.at("downsample.conv"), channels, channels, 3, halve)).transpose()?;
            down.push(Level { blocks, resample });
        }
        Ok(Self {
            conv_in,
            down,
            mid: Middle::new(&p.at("mid"), channels, groups)?,
            norm_out: GroupNorm::new(&p.at("norm_out"), channels, groups, EPSILON)?,
            conv_out: Conv2d::same(&p.at("conv_out"), channels, 2 * preset.latent_channels, 3)?,
        })
    }

    fn forward<E: Engine<Tensor = T>>(&self, e: &E, x: &T) -> T {
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

/// Latent -> gray map, unbounded.
pub struct Decoder<T> {
    conv_in: Conv2d<T>,
    mid: Middle<T>,
    /// Finest level first, as the names count; run from the coarsest.
    up: Vec<Level<T>>,
    norm_out: GroupNorm<T>,
    conv_out: Conv2d<T>,
}

impl<T: Clone> Decoder<T> {
    fn new<E: Engine<Tensor = T>>(p: &Parameters<E>, preset: &AutoencoderPreset) -> Result<Self, ParameterError> {
        let groups = preset.norm_groups;
        let widths = preset.widths();
        let mut channels = *widths.last().unwrap_or(&preset.channels);
        let conv_in = Conv2d::same(&p.at("conv_in"), preset.latent_channels, channels, 3)?;
        let mid = Middle::new(&p.at("mid"), channels, groups)?;
        let mut up = Vec::new();
        for (level, &width) in widths.iter().enumerate().rev() {
            let p = p.at("up").at(level);
            let mut blocks = Vec::new();
            for block in 0..=preset.residual_blocks {
                blocks.push(ResnetBlock::new(&p.at("block").at(block), channels, width, groups)?);
                channels = width;
            }
            let resample = (level > 0).then(|| Conv2d::same(&p.at("upsample.conv"), channels, channels, 3)).transpose()?;
            up.push(Level { blocks, resample });
        }
        up.reverse();
        Ok(Self {
            conv_in,
            mid,
            up,
            norm_out: GroupNorm::new(&p.at("norm_out"), channels, groups, EPSILON)?,
            conv_out: Conv2d::same(&p.at("conv_out"), channels, 1, 3)?,
        })
    }

    fn forward<E: Engine<Tensor = T>>(&self, e: &E, z: &T) -> T {
        let mut h = self.mid.forward(e, &self.conv_in.forward(e, z));
        for level in self.up.iter().rev() {
            for block in &level.blocks {
                h = block.forward(e, &h);
            }
            if let Some(resample) = &level.resample {
                h = resample.forward(e, &e.upsample_nearest_2x(&h));
            }
        }
        self.conv_out.forward(e, &self.norm_out.forward_silu(e, &h))
    }
}

/// The encoder's Gaussian over latents; mean and log-variance are (N, Z, H/f, W/f).
pub struct Posterior<T> {
    /// Also the mode.
    pub mean: T,
    /// Clamped to [-30, 20].
    pub log_variance: T,
}

impl<T: Clone> Posterior<T> {
    /// mean + exp(log_variance / 2) * noise, noise standard normal of the mean's shape.
    pub fn sample<E: Engine<Tensor = T>>(&self, e: &E, noise: &T) -> T {
        let deviation = e.unary(Unary::Exp, &e.affine(&self.log_variance, 0.5, 0.0));
        e.add(&self.mean, &e.mul(&deviation, noise))
    }

    /// KL divergence from the standard normal, summed over an image and averaged over the batch: shape (1, 1, 1, 1).
    /// 1/2 sum(mean^2 + variance - 1 - log_variance).
    pub fn kl<E: Engine<Tensor = T>>(&self, e: &E) -> T {
        let second_moment = e.add(&e.unary(Unary::Square, &self.mean), &e.unary(Unary::Exp, &self.log_variance));
        let terms = e.affine(&e.sub(&second_moment, &self.log_variance), 1.0, -1.0);
        let elements: usize = e.shape(&terms)[1..].iter().product();
        e.affine(&e.mean_from(&terms, 0), 0.5 * elements as f32, 0.0)
    }
}

/// Encoder, decoder and the 1 x 1 convolutions between them.
pub struct Autoencoder<T> {
    encoder: Encoder<T>,
    decoder: Decoder<T>,
    quant_conv: Conv2d<T>,
    post_quant_conv: Conv2d<T>,
    latent_channels: usize,
}

impl<T: Clone> Autoencoder<T> {
    pub fn new<E: Engine<Tensor = T>>(p: &Parameters<E>, preset: &AutoencoderPreset) -> Result<Self, ParameterError> {
        let z = preset.latent_channels;
        Ok(Self {
            encoder: Encoder::new(&p.at("encoder"), preset)?,
            decoder: Decoder::new(&p.at("decoder"), preset)?,
            quant_conv: Conv2d::same(&p.at("quant_conv"), 2 * z, 2 * z, 1)?,
            post_quant_conv: Conv2d::same(&p.at("post_quant_conv"), z, z, 1)?,
            latent_channels: z,
        })
    }

    /// Gray map in [-1, 1], (N, 1, H, W) -> mean and log-variance, one after the other, (N, 2 Z, H/f, W/f).
    pub fn moments<E: Engine<Tensor = T>>(&self, e: &E, map: &T) -> T {
        self.quant_conv.forward(e, &self.encoder.forward(e, map))
    }

    /// Gray map in [-1, 1], (N, 1, H, W) -> posterior.
    pub fn encode<E: Engine<Tensor = T>>(&self, e: &E, map: &T) -> Posterior<T> {
        self.posterior(e, &self.moments(e, map))
    }

    /// The posterior of [`Self::moments`].
    pub fn posterior<E: Engine<Tensor = T>>(&self, e: &E, moments: &T) -> Posterior<T> {
        let mean = e.narrow(moments, 1, 0, self.latent_channels);
        let log_variance = e.clamp(&e.narrow(moments, 1, self.latent_channels, self.latent_channels), -30.0, 20.0);
        Posterior { mean, log_variance }
    }

    /// Latent (N, Z, h, w) -> gray map (N, 1, h f, w f), in [-1, 1] but unbounded.
    pub fn decode<E: Engine<Tensor = T>>(&self, e: &E, latent: &T) -> T {
        self.decoder.forward(e, &self.post_quant_conv.forward(e, latent))
    }
}

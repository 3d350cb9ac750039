//! How large the networks are. A preset is data: it travels in the weights file, and one that cannot work is refused with the
//! reason before anything is allocated.

use super::condition::PATCH;
use crate::map::GrayCodec;
use crate::propagation::ConditionChannel;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// First stage. The latent is 2^(multipliers - 1) times smaller than the map.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AutoencoderPreset {
    /// Channels at full resolution.
    pub channels: usize,
    /// Channels of each level as multiples of `channels`, finest first.
    pub multipliers: Vec<usize>,
    /// Residual blocks a level in the encoder; the decoder has one more.
    pub residual_blocks: usize,
    pub latent_channels: usize,
    pub norm_groups: usize,
}

impl AutoencoderPreset {
    /// Channels of each level, finest first.
    pub fn widths(&self) -> Vec<usize> {
        self.multipliers.iter().map(|m| m * self.channels).collect()
    }

    /// Pixels of the map per pixel of the latent, along one side.
    pub fn reduction(&self) -> usize {
        1 << (self.multipliers.len() - 1)
    }
}

/// Condition encoder: a convolutional pyramid.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConditionPreset {
    /// The input's channels, in order.
    pub channels: Vec<ConditionChannel>,
    /// Channels after the patch convolution and after each halving down to the latent's size.
    pub stem_widths: Vec<usize>,
    /// Channels of the stage for each U-Net level, finest first.
    pub stage_widths: Vec<usize>,
    pub norm_groups: usize,
}

/// U-Net over latents.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnetPreset {
    pub latent_channels: usize,
    /// Side of the latent in pixels.
    pub latent_size: usize,
    /// Channels of the stem and of the first level's input.
    pub width: usize,
    /// Channels that leave each level, finest first.
    pub level_widths: Vec<usize>,
    pub stem_kernel: usize,
    pub norm_groups: usize,
    pub heads: usize,
    pub head_width: usize,
    pub time_frequencies: usize,
    pub time_width: usize,
    /// Side of the pooling tiles of each level's relation layer, finest first.
    pub relation_windows: Vec<usize>,
}

impl UnetPreset {
    /// Channels at the entrance of each level, and last those of the middle.
    pub fn dims(&self) -> Vec<usize> {
        std::iter::once(self.width).chain(self.level_widths.iter().copied()).collect()
    }

    /// Side of the middle: every level but the last halves.
    pub fn bottleneck(&self) -> usize {
        self.latent_size >> (self.level_widths.len() - 1)
    }
}

/// Everything that determines the networks' shapes and what their numbers mean.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preset {
    pub name: String,
    /// Side of the map in pixels.
    pub map_size: usize,
    pub meters_per_pixel: f64,
    pub gray: GrayCodec,
    pub autoencoder: AutoencoderPreset,
    pub condition: ConditionPreset,
    pub unet: UnetPreset,
    /// Latents are multiplied by this before diffusion; RadioDiff's constant is 0.3.
    pub latent_scale: f32,
}

/// Why a preset cannot work.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
#[error("preset {preset}: {field} is {found}, expected {expected}")]
pub struct PresetError {
    pub preset: String,
    pub field: &'static str,
    pub found: String,
    pub expected: String,
}

/// Most pixels along a map's side that a file may ask for: finding what is in sight takes their cube.
const MAX_SIDE: usize = 1024;
/// Most pixels along a latent's side. The first stage's middle attends from each of its pixels to each (4,096 here, as in the
/// paper), relation layers and the U-Net's middle to no more, and the bottleneck's transform is a matrix between all pixels.
const MAX_LATENT_SIDE: usize = 64;
/// Most channels of a layer.
const MAX_WIDTH: usize = 8192;
/// Most levels of each pyramid.
const MAX_LEVELS: usize = 8;

impl Preset {
    /// The presets this crate knows.
    pub const NAMES: &[&str] = &["nano"];

    /// A preset by name.
    pub fn named(name: &str) -> Option<Self> {
        (name == "nano").then(Self::nano)
    }

    /// The smallest: below 0.6 M parameters, for browsers without a GPU.
    fn nano() -> Self {
        Self {
            name: "nano".into(),
            map_size: 256,
            meters_per_pixel: 1.0,
            gray: GrayCodec::default(),
            autoencoder: AutoencoderPreset {
                channels: 8,
                multipliers: vec![1, 2, 3, 3],
                residual_blocks: 1,
                latent_channels: 8,
                norm_groups: 4,
            },
            condition: ConditionPreset {
                channels: vec![
                    ConditionChannel::Buildings,
                    ConditionChannel::Transmitter,
                    ConditionChannel::LineOfSight,
                    ConditionChannel::LogDistanceGain,
                    ConditionChannel::DetourGain,
                ],
                stem_widths: vec![16, 24],
                stage_widths: vec![24, 24],
                norm_groups: 4,
            },
            unet: UnetPreset {
                latent_channels: 8,
                latent_size: 32,
                width: 24,
                level_widths: vec![24, 24],
                stem_kernel: 3,
                norm_groups: 4,
                heads: 4,
                head_width: 8,
                time_frequencies: 16,
                time_width: 24,
                relation_windows: vec![4, 2],
            },
            latent_scale: 0.3,
        }
    }

    /// Checks everything a network's constructor relies on.
    pub fn validate(&self) -> Result<(), PresetError> {
        let refuse = |field, found: String, expected: String| Err(PresetError { preset: self.name.clone(), field, found, expected });
        let (ae, condition, unet) = (&self.autoencoder, &self.condition, &self.unet);
        let positive = [
            ("autoencoder.residual_blocks", ae.residual_blocks),
            ("autoencoder.latent_channels", ae.latent_channels),
            ("autoencoder.norm_groups", ae.norm_groups),
            ("condition.channels", condition.channels.len()),
            ("condition.norm_groups", condition.norm_groups),
            ("unet.norm_groups", unet.norm_groups),
            ("unet.heads", unet.heads),
            ("unet.head_width", unet.head_width),
            ("unet.time_frequencies", unet.time_frequencies),
            ("unet.time_width", unet.time_width),
            ("map_size", self.map_size),
        ];
        for (field, value) in positive {
            if value == 0 || value > MAX_WIDTH {
                return refuse(field, value.to_string(), format!("1 to {MAX_WIDTH}"));
            }
        }
        if self.map_size > MAX_SIDE {
            return refuse("map_size", self.map_size.to_string(), format!("at most {MAX_SIDE}"));
        }
        if !(1..=MAX_LATENT_SIDE).contains(&unet.latent_size) {
            return refuse("unet.latent_size", unet.latent_size.to_string(), format!("1 to {MAX_LATENT_SIDE}"));
        }
        if !(self.meters_per_pixel.is_finite() && self.meters_per_pixel > 0.0) {
            return refuse("meters_per_pixel", self.meters_per_pixel.to_string(), "a positive number".into());
        }
        if !(self.gray.floor_db.is_finite() && self.gray.ceiling_db.is_finite() && self.gray.floor_db < self.gray.ceiling_db) {
            return refuse("gray", format!("{:?}", self.gray), "a floor below the ceiling, in dB".into());
        }
        if !(self.latent_scale.is_finite() && self.latent_scale > 0.0) {
            return refuse("latent_scale", self.latent_scale.to_string(), "a positive number".into());
        }
        let levels = [
            ("autoencoder.multipliers", ae.multipliers.len()),
            ("condition.stem_widths", condition.stem_widths.len()),
            ("unet.level_widths", unet.level_widths.len()),
        ];
        for (field, count) in levels {
            if !(1..=MAX_LEVELS).contains(&count) {
                return refuse(field, format!("{count} levels"), format!("1 to {MAX_LEVELS}"));
            }
        }
        if condition.channels.iter().enumerate().any(|(i, channel)| condition.channels[..i].contains(channel)) {
            return refuse("condition.channels", format!("{:?}", condition.channels), "each channel once".into());
        }
        let widths = |field, values: &[usize], multiple: usize| match values.iter().find(|&&w| w == 0 || w > MAX_WIDTH || w % multiple != 0)
        {
            Some(w) => refuse(
                field,
                w.to_string(),
                format!("a multiple of {multiple} (normalisation groups, attention heads), at most {MAX_WIDTH}"),
            ),
            None => Ok(()),
        };
        if ae.multipliers.iter().any(|&m| m > MAX_WIDTH) {
            return refuse("autoencoder.multipliers", format!("{:?}", ae.multipliers), format!("at most {MAX_WIDTH} each"));
        }
        widths("autoencoder.channels", &[ae.channels], ae.norm_groups)?;
        widths("autoencoder.multipliers", &ae.widths(), ae.norm_groups)?;
        widths("condition.stem_widths", &condition.stem_widths, condition.norm_groups)?;
        widths("condition.stage_widths", &condition.stage_widths, condition.norm_groups)?;
        // Relation layers have eight heads and a position code of two halves; both are satisfied by multiples of 8.
        let multiple = 8 * unet.norm_groups / gcd(8, unet.norm_groups);
        widths("unet.level_widths", &unet.dims(), multiple)?;

        if condition.stage_widths.len() != unet.level_widths.len() {
            return refuse(
                "condition.stage_widths",
                format!("{} stages", condition.stage_widths.len()),
                format!("one for each of the U-Net's {} levels", unet.level_widths.len()),
            );
        }
        if unet.relation_windows.len() != unet.level_widths.len() {
            return refuse(
                "unet.relation_windows",
                format!("{} windows", unet.relation_windows.len()),
                format!("one for each of the U-Net's {} levels", unet.level_widths.len()),
            );
        }
        if unet.relation_windows.iter().any(|&w| w == 0 || w > unet.latent_size) {
            return refuse("unet.relation_windows", format!("{:?}", unet.relation_windows), "between 1 and the latent's side".into());
        }
        if unet.stem_kernel % 2 == 0 || unet.stem_kernel > 15 {
            return refuse("unet.stem_kernel", unet.stem_kernel.to_string(), "odd, at most 15".into());
        }
        if unet.latent_channels != ae.latent_channels {
            return refuse("unet.latent_channels", unet.latent_channels.to_string(), format!("the autoencoder's {}", ae.latent_channels));
        }
        if unet.latent_size * ae.reduction() != self.map_size {
            return refuse("unet.latent_size", unet.latent_size.to_string(), format!("map_size {} / {}", self.map_size, ae.reduction()));
        }
        if unet.latent_size % (1 << (unet.level_widths.len() - 1)) != 0 {
            return refuse(
                "unet.latent_size",
                unet.latent_size.to_string(),
                format!("divisible by 2 for each of {} levels but the last", unet.level_widths.len()),
            );
        }
        // A relation layer's condition and features have the same size.
        let stem_reduction = PATCH << (condition.stem_widths.len() - 1);
        if stem_reduction != ae.reduction() {
            return refuse(
                "condition.stem_widths",
                format!("{} widths, which reduce {stem_reduction} times", condition.stem_widths.len()),
                format!("as many as reduce {} times, as the autoencoder does", ae.reduction()),
            );
        }
        Ok(())
    }
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}

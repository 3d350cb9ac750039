//! The sizes of every network, as data. Their bounds are in `check`, the presets with names in `known`.

use radiodiff_radio::features::{ANTENNA_HEIGHTS_M, ConditionChannel};
use radiodiff_radio::map::GrayCodec;
use radiodiff_radio::scene::{ANTENNA_HEIGHT_M, Grid};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Kernel and stride of a condition encoder's first convolution: it divides the scene into patches of 4 x 4 pixels.
pub const PATCH: usize = 4;

/// The longest side of a map in pixels: the time of finding what is in sight grows with its cube.
pub const MAX_SIDE: usize = 1024;

/// How many quantiles a network of quantiles says, those of the probabilities 1/20, 2/20, ... 19/20: the ends are the middle 90 %.
pub const QUANTILES: usize = 19;

/// First stage. A side of the latent is 2^(number of multipliers - 1) times shorter than the map's.
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
    /// Channels of the scene that the decoder sees at every level: those of the condition, or 0 for none. A scene's edges need not
    /// pass the latent then.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub scene_channels: usize,
}

fn is_zero(count: &usize) -> bool {
    *count == 0
}

fn yes() -> bool {
    true
}

fn is_true(value: &bool) -> bool {
    *value
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

/// Condition encoder: its input, and which of the two kinds it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConditionPreset {
    /// The input's channels, in order.
    pub channels: Vec<ConditionChannel>,
    /// In a file, its fields stand beside `channels`.
    #[serde(flatten)]
    pub encoder: EncoderPreset,
}

/// The kinds of condition encoders; a file's fields tell them apart.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged, expecting = "stem_widths, stage_widths, norm_groups (a pyramid) or width, depths, heads, window (a Swin transformer)")]
pub enum EncoderPreset {
    Pyramid(PyramidPreset),
    Swin(SwinPreset),
}

/// A convolutional pyramid.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PyramidPreset {
    /// Channels after the patch convolution and after each halving, down to the latent's size.
    pub stem_widths: Vec<usize>,
    /// Channels of each stage, one a U-Net level, finest first.
    pub stage_widths: Vec<usize>,
    pub norm_groups: usize,
}

/// A Swin transformer (Liu et al., 2021) as torchvision builds it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SwinPreset {
    /// Channels of the first stage; each stage has twice those of the one before.
    pub width: usize,
    /// Blocks of each stage, finest first; odd ones shift their windows.
    pub depths: Vec<usize>,
    /// Attention heads of each stage.
    pub heads: Vec<usize>,
    /// Side of the windows in tokens.
    pub window: usize,
    /// Probability that training skips the last block's branches; it grows linearly from 0 at the first block.
    pub stochastic_depth: f64,
    /// Also hold the parameters of public checkpoints that nothing uses: final norm, classifier, `init_conv_carK`.
    pub public_leftovers: bool,
}

impl SwinPreset {
    /// Channels of each stage, finest first.
    pub fn widths(&self) -> Vec<usize> {
        (0..self.depths.len()).map(|stage| self.width << stage).collect()
    }
}

impl ConditionPreset {
    /// Whether the networks are told how high the antenna stands; others take it as 1.5 m.
    pub fn knows_heights(&self) -> bool {
        self.channels.contains(&ConditionChannel::AntennaHeight)
    }

    /// Whether the networks are told the heights of roofs that a scene's source states; others take none.
    pub fn knows_roofs(&self) -> bool {
        use ConditionChannel::{DominantPathGainOfStatedRoofs, StatedRoofs};
        self.channels.iter().any(|channel| matches!(channel, StatedRoofs | DominantPathGainOfStatedRoofs))
    }

    /// Whether the networks are told where cars stand.
    pub fn knows_cars(&self) -> bool {
        self.channels.contains(&ConditionChannel::Cars)
    }

    /// The lowest and the highest antenna that the networks know, metres above the ground.
    pub fn antenna_heights_m(&self) -> [f64; 2] {
        if self.knows_heights() { ANTENNA_HEIGHTS_M } else { [ANTENNA_HEIGHT_M; 2] }
    }

    /// Channels of the encoder's stages, finest first.
    pub fn stage_widths(&self) -> Vec<usize> {
        match &self.encoder {
            EncoderPreset::Pyramid(pyramid) => pyramid.stage_widths.clone(),
            EncoderPreset::Swin(swin) => swin.widths(),
        }
    }
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
    /// Channels at the end of each level, finest first.
    pub level_widths: Vec<usize>,
    /// Side of the stem's kernel, odd.
    pub stem_kernel: usize,
    pub norm_groups: usize,
    /// Heads of every attention, and channels of each head.
    pub heads: usize,
    pub head_width: usize,
    /// Random frequencies of the time embedding, and its channels.
    pub time_frequencies: usize,
    pub time_width: usize,
    /// Side of the pooling tiles of each level's relation layer, finest first; 0 leaves out its attention.
    pub relation_windows: Vec<usize>,
    /// Whether each decoder begins with an adaptive FFT layer.
    #[serde(default = "yes", skip_serializing_if = "is_true")]
    pub adaptive_fourier: bool,
}

impl UnetPreset {
    /// Channels at the entrance of each level, then those of the middle.
    pub fn dims(&self) -> Vec<usize> {
        std::iter::once(self.width).chain(self.level_widths.iter().copied()).collect()
    }

    /// Side of the middle in pixels: every level but the last halves the latent.
    pub fn bottleneck(&self) -> usize {
        self.latent_size >> (self.level_widths.len() - 1)
    }
}

/// The physical map whose difference to the true one the networks draw.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResidualPreset {
    /// The physical map: one of the condition's channels that hold a gain.
    pub physical: ConditionChannel,
    /// The largest difference in dB; a larger one is clipped.
    pub range_db: f32,
}

/// The network that says a map's quantiles, [`crate::model::quantiles`]. A side of its first level is half the map's, and each level
/// halves the one before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuantilesPreset {
    /// Channels of each level, finest first.
    pub widths: Vec<usize>,
    /// Channels at the map's full resolution, before the quantiles.
    pub detail_width: usize,
    pub norm_groups: usize,
    /// The smallest and the largest side of a pixel in metres that the network has learnt. It says maps of any size then; without this,
    /// maps of the preset's own grid alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pixels_m: Option<[f64; 2]>,
}

impl QuantilesPreset {
    /// What divides the side of every map that the network takes.
    pub fn reduction(&self) -> usize {
        1 << self.widths.len()
    }
}

/// The grids that a network draws maps on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GridRange {
    /// The fewest and the most pixels along a side.
    pub sizes: [usize; 2],
    /// The smallest and the largest side of a pixel, metres.
    pub pixels_m: [f64; 2],
}

impl GridRange {
    pub fn of_one(grid: Grid) -> Self {
        Self { sizes: [grid.size; 2], pixels_m: [grid.meters_per_pixel; 2] }
    }

    pub fn contains(&self, grid: Grid) -> bool {
        let ([fewest, most], [least_m, most_m]) = (self.sizes, self.pixels_m);
        (fewest..=most).contains(&grid.size) && (least_m..=most_m).contains(&grid.meters_per_pixel)
    }

    /// Whether it holds one grid alone.
    pub fn is_one(&self) -> bool {
        self.sizes[0] == self.sizes[1] && self.pixels_m[0] == self.pixels_m[1]
    }
}

impl fmt::Display for GridRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ([fewest, most], [least_m, most_m]) = (self.sizes, self.pixels_m);
        let up_to = if fewest == most { "" } else { "up to " };
        write!(f, "{up_to}{most} x {most} pixels of {least_m} ")?;
        if least_m < most_m { write!(f, "to {most_m} m") } else { write!(f, "m") }
    }
}

/// Everything that determines the networks' shapes and the meaning of their numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preset {
    pub name: String,
    /// Side of the map in pixels.
    pub map_size: usize,
    pub meters_per_pixel: f64,
    /// The path gain in dB of the gray levels 0 and 1.
    pub gray: GrayCodec,
    /// Whether the networks draw the difference to a physical map instead of the map.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub residual: Option<ResidualPreset>,
    pub autoencoder: AutoencoderPreset,
    pub condition: ConditionPreset,
    pub unet: UnetPreset,
    /// Initial value of the latent scale, by which latents are multiplied before diffusion; RadioDiff's constant is 0.3.
    pub latent_scale: f32,
    /// The network of quantiles that is trained beside the others on the same condition. Its weights are a file of their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quantiles: Option<QuantilesPreset>,
}

impl Preset {
    /// The grid that the networks draw where none is asked for.
    pub fn grid(&self) -> Grid {
        Grid { size: self.map_size, meters_per_pixel: self.meters_per_pixel }
    }

    /// The grids of the maps that the network of quantiles says.
    pub fn quantile_grids(&self) -> GridRange {
        let pixels_m = self.quantiles.as_ref().and_then(|quantiles| quantiles.pixels_m);
        pixels_m.map_or(GridRange::of_one(self.grid()), |pixels_m| GridRange { sizes: [1, MAX_SIDE], pixels_m })
    }

    /// Whether the first stage needs the scene's condition beside a map.
    pub fn first_stage_takes_condition(&self) -> bool {
        self.residual.is_some() || self.autoencoder.scene_channels > 0
    }
}

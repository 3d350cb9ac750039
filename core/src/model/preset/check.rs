//! The conditions a preset must meet: everything the networks' constructors rely on, and bounds on the memory that a file can make
//! a program allocate. Nothing is allocated before a preset has passed.

use super::sizes::{
    AutoencoderPreset, ConditionPreset, EncoderPreset, MAX_SIDE, PATCH, Preset, QUANTILES, QuantilesPreset, ResidualPreset, SwinPreset,
    UnetPreset,
};
use crate::layers::RELATION_HEADS;
use radiodiff_radio::scene::Grid;
use thiserror::Error;

/// Why a preset cannot work.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
#[error("preset {preset}: {field} is {found}, expected {expected}")]
pub struct PresetError {
    pub preset: String,
    pub field: &'static str,
    pub found: String,
    pub expected: String,
}

/// The longest side of a latent in pixels. The first stage's middle attends from every pixel to every pixel (4,096 in the paper, 6,400
/// for maps of 320 pixels); relation layers and the U-Net's middle have no more.
const MAX_LATENT_SIDE: usize = 80;
/// The longest side of the bottleneck in pixels: its Fourier transform is a matrix between all of them.
const MAX_BOTTLENECK: usize = 40;
/// Most channels of a layer.
const MAX_WIDTH: usize = 4096;
/// Most attention heads: each takes a matrix between all tokens, however few channels it has.
const MAX_HEADS: usize = 64;
/// Most elements of a tensor: the float32 values of the largest allocation on a 32-bit machine.
const MAX_ELEMENTS: u64 = (1 << 29) - 1;
/// Most levels of each pyramid.
const MAX_LEVELS: usize = 8;
/// Most blocks of a level.
const MAX_BLOCKS: usize = 64;
/// Most channels of the condition.
const MAX_CONDITION_CHANNELS: usize = 16;
/// The longest side of a window in tokens: its attention is a matrix between all of them.
const MAX_WINDOW: usize = 16;

/// A field, its value, and the expected value.
type Refusal = (&'static str, String, String);

impl Preset {
    /// Checks everything the networks' constructors rely on.
    ///
    /// # Errors
    /// The first field that cannot work.
    pub fn validate(&self) -> Result<(), PresetError> {
        self.check().map_err(|(field, found, expected)| PresetError { preset: self.name.clone(), field, found, expected })
    }

    fn check(&self) -> Result<(), Refusal> {
        let (ae, unet) = (&self.autoencoder, &self.unet);
        within("map_size", self.map_size, 1, MAX_SIDE)?;
        positive("meters_per_pixel", self.meters_per_pixel)?;
        positive("latent_scale", self.latent_scale.into())?;
        let range_db = self.gray.range_db();
        if !(range_db.is_finite() && range_db > 0.0) {
            return refuse("gray", format!("{:?}", self.gray), "a floor below the ceiling, in dB");
        }
        ae.check()?;
        unet.check()?;
        self.condition.check(unet.level_widths.len(), ae.reduction())?;
        let scene_channels = self.condition.channels.len();
        if ae.scene_channels != 0 && ae.scene_channels != scene_channels {
            return refuse("autoencoder.scene_channels", ae.scene_channels, format!("0, or the condition's {scene_channels}"));
        }
        if let Some(residual) = &self.residual {
            residual.check(&self.condition)?;
        }
        if unet.latent_channels != ae.latent_channels {
            return refuse("unet.latent_channels", unet.latent_channels, format!("the autoencoder's {}", ae.latent_channels));
        }
        if unet.latent_size * ae.reduction() != self.map_size {
            return refuse("unet.latent_size", unet.latent_size, format!("map_size {} / {}", self.map_size, ae.reduction()));
        }
        let condition_width = self.condition.stage_widths()[0];
        fits("unet.stem_kernel", &[unet.width, ae.latent_channels + condition_width, unet.stem_kernel, unet.stem_kernel])?;
        if let Some(quantiles) = &self.quantiles {
            quantiles.check(self.grid(), scene_channels)?;
        }
        // The decoder doubles a level's map before it narrows to the next level's channels.
        let widths = ae.widths();
        let widest = |level: usize| widths[level].max(*widths.get(level + 1).unwrap_or(&0)) + ae.scene_channels;
        (0..widths.len())
            .try_for_each(|level| fits("autoencoder.multipliers", &[widest(level), self.map_size >> level, self.map_size >> level]))
    }
}

impl AutoencoderPreset {
    fn check(&self) -> Result<(), Refusal> {
        within("autoencoder.residual_blocks", self.residual_blocks, 1, MAX_BLOCKS)?;
        within("autoencoder.latent_channels", self.latent_channels, 1, MAX_WIDTH)?;
        within("autoencoder.norm_groups", self.norm_groups, 1, MAX_WIDTH)?;
        levels("autoencoder.multipliers", self.multipliers.len())?;
        widths("autoencoder.channels", &[self.channels], self.norm_groups)?;
        for &multiplier in &self.multipliers {
            within("autoencoder.multipliers", multiplier, 1, MAX_WIDTH)?;
        }
        widths("autoencoder.multipliers", &self.widths(), self.norm_groups)?;
        // The scene's channels are normalised together with a level's.
        within("autoencoder.scene_channels", self.scene_channels, 0, MAX_CONDITION_CHANNELS)?;
        if !self.scene_channels.is_multiple_of(self.norm_groups) {
            let expected = format!("a multiple of autoencoder.norm_groups, {}", self.norm_groups);
            return refuse("autoencoder.scene_channels", self.scene_channels, expected);
        }
        Ok(())
    }
}

impl ResidualPreset {
    fn check(&self, condition: &ConditionPreset) -> Result<(), Refusal> {
        if !(self.physical.is_gain() && condition.channels.contains(&self.physical)) {
            let found = format!("{:?}", self.physical);
            return refuse("residual.physical", found, "a channel of gain that is among condition.channels");
        }
        positive("residual.range_db", self.range_db.into())
    }
}

impl QuantilesPreset {
    /// For maps on a grid and so many channels of the condition.
    fn check(&self, grid: Grid, condition: usize) -> Result<(), Refusal> {
        // The largest maps decide about memory; the preset's own must be divided by the halvings, others are padded.
        let side = if self.pixels_m.is_some() { MAX_SIDE } else { grid.size };
        if let Some([least_m, most_m]) = self.pixels_m {
            let own_m = grid.meters_per_pixel;
            if !(least_m > 0.0 && most_m.is_finite() && (least_m..=most_m).contains(&own_m)) {
                let found = format!("{least_m} to {most_m}");
                return refuse(
                    "quantiles.pixels_m",
                    found,
                    format!("two lengths, the shorter first, and meters_per_pixel {own_m} between"),
                );
            }
        }
        within("quantiles.norm_groups", self.norm_groups, 1, MAX_WIDTH)?;
        within("quantiles.detail_width", self.detail_width, 1, MAX_WIDTH)?;
        levels("quantiles.widths", self.widths.len())?;
        widths("quantiles.widths", &self.widths, self.norm_groups)?;
        if !grid.size.is_multiple_of(self.reduction()) {
            let expected = format!("levels whose halvings divide the map's {} pixels", grid.size);
            return refuse("quantiles.widths", format!("{} levels", self.widths.len()), expected);
        }
        fits("quantiles.detail_width", &[(self.detail_width + condition).max(QUANTILES), side, side])?;
        // A level's decoder takes the level below and the skip.
        let widest = |level: usize| self.widths[level] + self.widths.get(level + 1).unwrap_or(&0);
        (0..self.widths.len()).try_for_each(|level| fits("quantiles.widths", &[widest(level), side >> (level + 1), side >> (level + 1)]))
    }
}

impl ConditionPreset {
    /// For a U-Net of `unet_levels` levels on latents whose sides are `reduction` times shorter than the map's.
    fn check(&self, unet_levels: usize, reduction: usize) -> Result<(), Refusal> {
        within("condition.channels", self.channels.len(), 1, MAX_CONDITION_CHANNELS)?;
        let (stages, stem, stem_reduction) = match &self.encoder {
            EncoderPreset::Pyramid(pyramid) => {
                within("condition.norm_groups", pyramid.norm_groups, 1, MAX_WIDTH)?;
                levels("condition.stem_widths", pyramid.stem_widths.len())?;
                widths("condition.stem_widths", &pyramid.stem_widths, pyramid.norm_groups)?;
                widths("condition.stage_widths", &pyramid.stage_widths, pyramid.norm_groups)?;
                ("condition.stage_widths", "condition.stem_widths", PATCH << (pyramid.stem_widths.len() - 1))
            }
            EncoderPreset::Swin(swin) => {
                swin.check()?;
                ("condition.depths", "condition.width", PATCH)
            }
        };
        let found = self.stage_widths().len();
        if found != unet_levels {
            return refuse(stages, format!("{found} stages"), format!("one for each of the U-Net's {unet_levels} levels"));
        }
        // A relation layer's condition and features have the same size.
        if stem_reduction != reduction {
            let found = format!("of stages that begin at 1 / {stem_reduction} of the map");
            let instead = match (reduction / PATCH).checked_ilog2() {
                Some(halvings) => format!("a pyramid whose stem_widths are {} does", halvings + 1),
                None => format!("no encoder does before 1 / {PATCH}: give the autoencoder more multipliers"),
            };
            return refuse(stem, found, format!("stages that begin at 1 / {reduction}, as the autoencoder's latents are; {instead}"));
        }
        Ok(())
    }
}

impl SwinPreset {
    fn check(&self) -> Result<(), Refusal> {
        levels("condition.depths", self.depths.len())?;
        for &depth in &self.depths {
            within("condition.depths", depth, 1, MAX_BLOCKS)?;
        }
        if self.heads.len() != self.depths.len() {
            return refuse("condition.heads", format!("{} stages' heads", self.heads.len()), format!("those of {}", self.depths.len()));
        }
        within("condition.width", self.width, 1, MAX_WIDTH >> (self.depths.len() - 1))?;
        for (&heads, width) in self.heads.iter().zip(self.widths()) {
            within("condition.heads", heads, 1, MAX_HEADS)?;
            if width % heads != 0 {
                return refuse("condition.heads", heads, format!("a divisor of its stage's {width} channels"));
            }
        }
        within("condition.window", self.window, 2, MAX_WINDOW)?;
        if !(0.0..1.0).contains(&self.stochastic_depth) {
            return refuse("condition.stochastic_depth", self.stochastic_depth, "at least 0 and below 1");
        }
        Ok(())
    }
}

impl UnetPreset {
    fn check(&self) -> Result<(), Refusal> {
        let positive = [
            ("unet.latent_channels", self.latent_channels),
            ("unet.norm_groups", self.norm_groups),
            ("unet.time_frequencies", self.time_frequencies),
            ("unet.time_width", self.time_width),
        ];
        for (field, value) in positive {
            within(field, value, 1, MAX_WIDTH)?;
        }
        within("unet.heads", self.heads, 1, MAX_HEADS)?;
        within("unet.head_width", self.head_width, 1, MAX_WIDTH / self.heads)?;
        within("unet.latent_size", self.latent_size, 1, MAX_LATENT_SIDE)?;
        let count = self.level_widths.len();
        levels("unet.level_widths", count)?;
        // A relation layer splits its channels into heads, and its position code into rows and columns, sines and cosines.
        widths("unet.level_widths", &self.dims(), least_common_multiple(RELATION_HEADS, self.norm_groups))?;
        if self.relation_windows.len() != count {
            let found = format!("{} windows", self.relation_windows.len());
            return refuse("unet.relation_windows", found, format!("one for each of the U-Net's {count} levels"));
        }
        for &window in &self.relation_windows {
            within("unet.relation_windows", window, 0, self.latent_size)?;
        }
        if self.stem_kernel.is_multiple_of(2) || self.stem_kernel > 15 {
            return refuse("unet.stem_kernel", self.stem_kernel, "odd, at most 15");
        }
        if !self.latent_size.is_multiple_of(1 << (count - 1)) {
            return refuse("unet.latent_size", self.latent_size, format!("divisible by 2 for each of {count} levels but the last"));
        }
        if self.bottleneck() > MAX_BOTTLENECK {
            let found = format!("{count} levels, which leave {0} x {0} pixels", self.bottleneck());
            return refuse("unet.level_widths", found, format!("levels that leave at most {MAX_BOTTLENECK} x {MAX_BOTTLENECK}"));
        }
        Ok(())
    }
}

fn refuse(field: &'static str, found: impl ToString, expected: impl ToString) -> Result<(), Refusal> {
    Err((field, found.to_string(), expected.to_string()))
}

fn within(field: &'static str, value: usize, least: usize, most: usize) -> Result<(), Refusal> {
    if (least..=most).contains(&value) { Ok(()) } else { refuse(field, value, format!("{least} to {most}")) }
}

fn levels(field: &'static str, count: usize) -> Result<(), Refusal> {
    if (1..=MAX_LEVELS).contains(&count) { Ok(()) } else { refuse(field, format!("{count} levels"), format!("1 to {MAX_LEVELS}")) }
}

/// That a tensor of these dimensions is not too large.
fn fits(field: &'static str, shape: &[usize]) -> Result<(), Refusal> {
    let elements: u64 = shape.iter().map(|&n| n as u64).product();
    if elements <= MAX_ELEMENTS {
        Ok(())
    } else {
        refuse(field, format!("a tensor of {shape:?}"), format!("at most {MAX_ELEMENTS} elements"))
    }
}

fn positive(field: &'static str, value: f64) -> Result<(), Refusal> {
    if value.is_finite() && value > 0.0 { Ok(()) } else { refuse(field, value, "a positive number") }
}

/// Numbers of channels, which normalisation groups and attention heads divide.
fn widths(field: &'static str, values: &[usize], multiple: usize) -> Result<(), Refusal> {
    match values.iter().find(|&&width| width == 0 || width > MAX_WIDTH || width % multiple != 0) {
        Some(width) => {
            refuse(field, width, format!("a multiple of {multiple} (normalisation groups, attention heads), at most {MAX_WIDTH}"))
        }
        None => Ok(()),
    }
}

fn least_common_multiple(a: usize, b: usize) -> usize {
    let (mut x, mut y) = (a, b);
    while y != 0 {
        (x, y) = (y, x % y);
    }
    a / x * b
}

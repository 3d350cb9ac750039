//! The presets that have names; docs/networks.md says what each is for.

use super::sizes::{AutoencoderPreset, ConditionPreset, EncoderPreset, Preset, PyramidPreset, SwinPreset, UnetPreset};
use radiodiff_radio::features::ConditionChannel::{Buildings, DetourGain, LineOfSight, LogDistanceGain, Transmitter};
use radiodiff_radio::map::GrayCodec;

impl Preset {
    /// The names of the presets.
    pub const NAMES: &[&str] = &["nano", "edge", "paper"];

    /// A preset by name.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "nano" => Some(Self::nano()),
            "edge" => Some(Self::edge()),
            "paper" => Some(Self::paper()),
            _ => None,
        }
    }

    /// The smallest: below 0.6 M parameters, for browsers without a GPU.
    fn nano() -> Self {
        Self {
            name: "nano".into(),
            map_size: 256,
            meters_per_pixel: 1.0,
            gray: GrayCodec::default(),
            residual: None,
            autoencoder: AutoencoderPreset {
                channels: 8,
                multipliers: vec![1, 2, 3, 3],
                residual_blocks: 1,
                latent_channels: 8,
                norm_groups: 4,
                scene_channels: 0,
            },
            condition: ConditionPreset {
                channels: vec![Buildings, Transmitter, LineOfSight, LogDistanceGain, DetourGain],
                encoder: EncoderPreset::Pyramid(PyramidPreset { stem_widths: vec![16, 24], stage_widths: vec![24, 24], norm_groups: 4 }),
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
                adaptive_fourier: true,
            },
            latent_scale: 0.3,
            quantiles: None,
        }
    }

    /// For browsers with a GPU: at most 12 M parameters, and at most 4 GMAC for a map in one step (condition, U-Net and decoding take
    /// 3.954). That step is at t = 1 and needs one decoder; an evaluation with both makes it 4.873. The decoder is narrow at full
    /// resolution, because its cost grows with the map's pixels and the number of parameters does not. The U-Net has most of the
    /// parameters in its deep levels, where pixels are few and each sees the whole scene.
    fn edge() -> Self {
        Self {
            name: "edge".into(),
            map_size: 256,
            meters_per_pixel: 1.0,
            gray: GrayCodec::default(),
            residual: None,
            autoencoder: AutoencoderPreset {
                channels: 12,
                multipliers: vec![1, 2, 3, 5],
                residual_blocks: 1,
                latent_channels: 8,
                norm_groups: 4,
                scene_channels: 0,
            },
            condition: ConditionPreset {
                channels: vec![Buildings, Transmitter, LineOfSight, LogDistanceGain, DetourGain],
                encoder: EncoderPreset::Pyramid(PyramidPreset {
                    stem_widths: vec![32, 64],
                    stage_widths: vec![64, 96, 128],
                    norm_groups: 8,
                }),
            },
            unet: UnetPreset {
                latent_channels: 8,
                latent_size: 32,
                width: 64,
                level_widths: vec![64, 128, 128],
                stem_kernel: 5,
                norm_groups: 8,
                heads: 4,
                head_width: 32,
                time_frequencies: 32,
                time_width: 128,
                relation_windows: vec![4, 2, 1],
                adaptive_fourier: true,
            },
            latent_scale: 0.3,
            quantiles: None,
        }
    }

    /// The public RadioDiff: 55,307,453 parameters in the first stage, 224,869,496 in the denoiser. The third channel of its condition
    /// repeats the first.
    fn paper() -> Self {
        Self {
            name: "paper".into(),
            map_size: 256,
            meters_per_pixel: 1.0,
            gray: GrayCodec::default(),
            residual: None,
            autoencoder: AutoencoderPreset {
                channels: 128,
                multipliers: vec![1, 2, 4],
                residual_blocks: 2,
                latent_channels: 3,
                norm_groups: 32,
                scene_channels: 0,
            },
            condition: ConditionPreset {
                channels: vec![Buildings, Transmitter, Buildings],
                encoder: EncoderPreset::Swin(SwinPreset {
                    width: 128,
                    depths: vec![2, 2, 18, 2],
                    heads: vec![4, 8, 16, 32],
                    window: 7,
                    stochastic_depth: 0.5,
                    public_leftovers: true,
                }),
            },
            unet: UnetPreset {
                latent_channels: 3,
                latent_size: 64,
                width: 128,
                level_widths: vec![128, 256, 512, 512],
                stem_kernel: 7,
                norm_groups: 8,
                heads: 4,
                head_width: 32,
                time_frequencies: 64,
                time_width: 512,
                relation_windows: vec![8, 4, 2, 1],
                adaptive_fourier: true,
            },
            latent_scale: 0.3,
            quantiles: None,
        }
    }
}

//! How large the networks are. A preset is data: it travels in the weights file, and [`Preset::validate`] refuses one that cannot
//! work, with the reason, before anything is allocated.

mod check;
mod known;
mod sizes;

pub use check::PresetError;
pub use sizes::{
    AutoencoderPreset, ConditionPreset, EncoderPreset, GridRange, PATCH, Preset, PyramidPreset, QUANTILES, QuantilesPreset, ResidualPreset,
    SwinPreset, UnetPreset,
};

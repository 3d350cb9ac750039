//! The networks, each written once over [`crate::engine::Engine`].
//!
//! [`preset`] says how large everything is and refuses what cannot work; [`layers`] holds what all networks share;
//! [`autoencoder`] turns a gray map into a latent and back; [`condition`] and [`swin`] encode the scene; [`unet`] predicts the two
//! parts of the decoupled process; [`radiodiff`] puts them together, and [`price`] says what they cost. Training the first stage
//! takes [`discriminator`], [`lpips`] and [`first_stage_loss`]. Parameter names are those of the public RadioDiff checkpoints.

pub mod attention;
pub mod autoencoder;
pub mod condition;
#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
pub mod discriminator;
pub mod first_stage_loss;
pub mod fourier;
pub mod layers;
pub mod lpips;
pub mod preset;
pub mod price;
pub mod radiodiff;
pub mod relation;
pub mod swin;
pub mod unet;

pub use preset::{Preset, PresetError};
pub use price::Price;
pub use radiodiff::{Denoiser, RadioDiff, SampleOptions, Sampling, StartError};

//! The networks and their losses, each written once over [`crate::engine::Engine`] from the layers of [`crate::layers`].
//!
//! [`preset`] says how large everything is and refuses sizes that cannot work. [`autoencoder`] turns a gray map into a latent and
//! back, and [`residual`] says what of a map it codes: the map, or its difference to a physical map. [`condition`] encodes the
//! scene, [`unet`] predicts the two parts of the diffusion process. Training the first stage also takes the critics,
//! [`discriminator`] and [`lpips`], and [`first_stage_loss`]. [`quantiles`] is the plain rival of all these: one network, one
//! evaluation, the map's distribution. Parameter names are those of the public RadioDiff checkpoints. docs/radiodiff.md says what
//! each network computes.

pub mod autoencoder;
pub mod compat;
pub mod condition;
pub mod discriminator;
pub mod first_stage_loss;
pub mod lpips;
pub mod preset;
pub mod quantiles;
pub mod residual;
pub mod unet;

pub use compat::Compat;
pub use preset::{Preset, PresetError};

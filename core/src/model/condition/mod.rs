//! Condition encoders: from the scene's channels (buildings, transmitter, physical features) to one feature map a U-Net level.
//!
//! The preset chooses between the public code's Swin transformer and a small convolutional pyramid. A scene is encoded once,
//! whatever the number of the sampler's steps. See docs/radiodiff.md, "Condition encoders".

mod encoder;
mod pyramid;
mod swin;

pub use encoder::ConditionEncoder;
pub use pyramid::Pyramid;
pub use swin::SwinEncoder;

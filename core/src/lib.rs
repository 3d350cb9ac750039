//! RadioDiff's networks, once, over an abstract tensor engine; and the way from a scene to its map.
//!
//! Each module uses only those above it in this list:
//! - [`random`]: reproducible random numbers.
//! - [`engine`]: the tensor operations, and an engine that counts them.
//! - [`parameters`]: how a network asks for its parameters.
//! - [`layers`]: convolutions, normalisations, attentions and the blocks made of them.
//! - [`model`]: the networks, their sizes (presets) and their losses.
//! - [`diffusion`]: the process, the sampler, and the networks put together.
//! - [`cost`]: what a preset's networks hold and cost.
//! - [`weights`]: weights files and imported checkpoints.
//! - [`pipeline`]: scene -> condition -> encode -> sample -> decode -> map.
//!
//! Scenes and condition channels come from the crate `radiodiff-radio`.

pub mod cost;
pub mod diffusion;
pub mod engine;
pub mod layers;
pub mod model;
pub mod parameters;
pub mod pipeline;
pub mod random;
pub mod weights;

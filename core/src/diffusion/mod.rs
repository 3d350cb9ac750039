//! Decoupled latent diffusion: the process, the loss, the sampler, and the networks put together for it.
//!
//! `process` holds the formulas, `sampling` the schedule and the sampler's state, `denoiser` the network they need, `radiodiff`
//! the whole with the first stage. [`crate::pipeline`] draws maps by it. See docs/radiodiff.md, "Diffusion process".

mod denoiser;
mod loss;
mod process;
mod radiodiff;
mod sampling;

pub use denoiser::Denoiser;
pub use loss::{LossOptions, training_loss};
pub use process::{MIN_TIME, Prediction, noised, precondition, step};
pub use radiodiff::{BuildError, RadioDiff, StartError, parameter_shapes};
pub use sampling::{MAX_STEPS, SampleOptions, Sampling, schedule};

//! The RadioDiff networks, once, over an abstract tensor engine.
//!
//! [`model`] holds the networks, written over the operations of [`engine`]; [`diffusion`] is the process they are trained for and
//! sampled by; [`weights`] reads and writes their parameters; [`pipeline`] draws a scene's map by all of them. Condition channels come from the crate `radiodiff-radio`.

pub mod compat;
pub mod diffusion;
pub mod engine;
pub mod goldens;
pub mod model;
pub mod pipeline;
pub mod weights;

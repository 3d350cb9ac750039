//! Everything about drawing a radio map that is the same in a browser, on a server and on a GPU.
//!
//! What flows: a [`scene`] (buildings and a transmitter on a metric grid) is turned by [`propagation`] into physical
//! features, the [`model`] networks (written once, over the tensor operations of [`engine`]) are run by the sampler in
//! [`diffusion`] with parameters read by [`weights`], and the result is a [`map`] that [`metrics`] can compare with another.
//! [`goldens`] holds the networks to the public code.

pub mod compat;
pub mod diffusion;
pub mod engine;
pub mod goldens;
pub mod map;
pub mod metrics;
pub mod model;
pub mod propagation;
pub mod scene;
pub mod weights;

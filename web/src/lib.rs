//! Radio maps on the user's own machine.
//!
//! [`gpu`] runs the networks in WGSL, [`cpu`] without a GPU; `api` is what JavaScript sees of scenes and maps.

#[cfg(target_arch = "wasm32")]
mod api;
pub mod cpu;
pub mod gpu;

//! Radio maps on the user's own machine.
//!
//! [`gpu`] runs the networks in WGSL, [`cpu`] without a GPU; `api` is what JavaScript sees of scenes and maps.

#[cfg(all(target_arch = "wasm32", feature = "webgpu"))]
mod api;
pub mod cpu;
#[cfg(feature = "webgpu")]
pub mod gpu;

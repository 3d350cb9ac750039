//! Radio maps on the user's own machine.
//!
//! [`cpu`] runs the networks without a GPU; `api` is what JavaScript sees of scenes and maps.

#[cfg(target_arch = "wasm32")]
mod api;
pub mod cpu;

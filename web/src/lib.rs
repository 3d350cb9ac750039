//! Radio maps on the user's own machine: what JavaScript sees of scenes, weights and maps.

#[cfg(target_arch = "wasm32")]
mod api;

//! What JavaScript sees of scenes, weights and maps.
//!
//! [`request`] turns what JavaScript asks into checked types, [`memory`] says what a plan takes, and both run anywhere; `api` holds the
//! objects that JavaScript keeps and exists on wasm only. web/js is the package around them.

#[cfg(target_arch = "wasm32")]
mod api;
pub mod memory;
pub mod request;

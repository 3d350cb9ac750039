//! The reference engine: every operation is one call, or a few, of a [burn](https://burn.dev) backend.
//!
//! Nothing here is tuned, and nothing is shared with the `cpu` and `wgpu` engines, so a difference from this engine points to a
//! fault of theirs. The cargo features `burn-flex` (CPU) and `burn-wgpu` (GPU) each bring a backend. Off the browser, `burn-wgpu`
//! is also the portable engine for GPUs.

mod backends;
mod engine;

#[cfg(feature = "burn-flex")]
pub use backends::BurnFlex;
#[cfg(feature = "burn-wgpu")]
pub use backends::BurnWgpu;
pub use engine::BurnEngine;

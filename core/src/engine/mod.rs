//! The few dozen tensor operations the networks are written in.
//!
//! Every network is generic over [`Engine`], so it exists once and runs on libtorch (training), WGSL (the browser's GPU), SIMD (the
//! browser's CPU) and burn (the reference). Values enter from host memory by [`Engine::tensor`] and leave to it by [`Engine::read`];
//! between the two an engine may record, fuse and delay operations.
//!
//! Contract:
//! - Tensors are dense float32 with at most six dimensions, logically row-major; images are N, C, H, W. Cloning a tensor is cheap and
//!   shares its memory.
//! - Operations do not fail. Shapes are the caller's duty: presets and parameter shapes are validated before a network runs. An
//!   operation called with shapes that do not fit panics and names them. Failures at run time (a lost device, memory) are reported
//!   by [`Engine::read`].
//! - Methods with a body are composites. An engine may override them with one fused kernel that computes the same.
//!
//! The module `conformance` (feature `conformance`) checks an engine against plain float64 loops, operation by operation.

#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
mod contract;
mod counting;
pub mod shape;

pub use contract::{BatchNormState, Binary, ConvGeometry, Engine, EngineError, Padding, Unary};
pub use counting::{Cost, CountingEngine};

//! The engines that run radiodiff's networks, each an implementation of [`radiodiff_core::engine::Engine`].
//!
//! [`cpu`] is SIMD on the CPU, in the browser and off it. [`wgpu`] is WGSL: the browser's WebGPU, or Vulkan. [`burn`] calls a
//! backend of burn and nothing of ours: it is the reference the other two are checked against. The engine on libtorch lies in
//! trainer-native, which alone needs libtorch.

#[cfg(feature = "burn-flex")]
pub mod burn;
pub mod cpu;
#[cfg(feature = "wgpu")]
pub mod wgpu;

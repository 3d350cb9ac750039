//! The engines that run radiodiff's networks. Each implements [`radiodiff_core::engine::Engine`]: tensors in host memory flow in,
//! tensors in host memory flow out, and the networks of radiodiff-core are written once over the trait.
//!
//! - [`cpu`]: SIMD on one thread of the CPU, in the browser and off it.
//! - [`bands`]: the CPU engine for several threads or workers, each of which computes a part of every image.
//! - `wgpu` (feature `wgpu`): WGSL kernels on WebGPU in the browser, on Vulkan off it.
//! - `burn` (features `burn-flex`, `burn-wgpu`): one call of a [burn](https://burn.dev) backend for each operation. It shares no
//!   kernel with the other engines, so it is the reference that they are checked against. No browser build enables it.
//!
//! The engine on libtorch is part of trainer-native, the only crate that needs libtorch.
//!
//! # Adding a kernel
//!
//! An operation that an engine does not override runs as the composition in [`radiodiff_core::engine::Engine`]. A kernel replaces
//! that composition on one engine:
//!
//! 1. A new operation is first a method with a default body of the trait `Engine`, with a case in
//!    `radiodiff_core::engine::conformance` that compares it with float64 loops. An existing operation has both.
//! 2. On the CPU, write the kernel in the file of its kind: `cpu/gemm.rs` and `cpu/direct.rs` (products and convolutions),
//!    `cpu/norm.rs` (reductions), `cpu/elementwise.rs`, `cpu/layout.rs` (moves), `cpu/resample.rs`. It takes its output from the
//!    `BufferPool`, checks its shapes, and is called from the `impl Engine` in `cpu/mod.rs`. Vector mathematics is in `cpu/simd.rs`.
//! 3. On the GPU, add an entry point to the `.wgsl` file of its kind in `wgpu/`. Binding 0 is the uniform block of parameters,
//!    binding 1 the output, and the inputs follow; annotate every binding with its shape. The `.rs` file of the same kind declares
//!    the entry point as a `Kernel`, checks the shapes and calls `Recorder::dispatch`; `wgpu/mod.rs` calls it.
//! 4. `cargo test -p radiodiff-engines --features wgpu` runs the conformance suite and the tests of tile remainders in `tests/`:
//!    extend these where the kernel has tiles. `cargo xtask bench engines` shows what the kernel gains on a whole map.

pub mod bands;
#[cfg(any(feature = "burn-flex", feature = "burn-wgpu"))]
pub mod burn;
pub mod cpu;
#[cfg(feature = "wgpu")]
pub mod wgpu;

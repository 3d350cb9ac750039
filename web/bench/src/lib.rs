//! The networks alone, in wasm, for `cargo xtask bench web`.
//!
//! In flow a condition and a noise, out flow the gray levels of the map that one step draws: what an ONNX file of the same networks takes
//! and gives. The package offers no such call, since its maps begin with buildings. It is built as the package's module is, and
//! is part of neither the package nor the page. The crate is empty on anything but wasm.

#[cfg(target_arch = "wasm32")]
mod network;

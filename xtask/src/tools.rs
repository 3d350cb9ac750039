//! What the commands need beyond cargo: the wasm target, trunk and wasm-bindgen, libtorch for the CPU, the Python packages that read
//! the trainer's files, a browser and the library that drives it, the checkers of dependencies.
//!
//! Each function takes the tool from `target/tools` or the search path where it is there in the right version, else fetches it into
//! `target/tools` and says so, or says what to install where it cannot.

mod cargo_programs;
mod libtorch;
mod node_packages;
mod python_packages;
mod system;

pub use cargo_programs::{cargo_deny, cargo_machete, page_builders};
pub use libtorch::libtorch;
pub use node_packages::{install_package_tools, maplibre, onnxruntime_web, playwright, wasm_opt};
pub use python_packages::python_packages;
pub use system::{chromium, cpp_compiler, pip, vulkan, wasm_target};

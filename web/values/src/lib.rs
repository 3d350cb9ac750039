//! Requests, objects and errors as the package's wasm modules exchange them with JavaScript.
//!
//! In come JavaScript values, which become an [`Input`](radiodiff_planning::request::Input) and then a checked request; out go plain
//! objects, written by serde, and `Error`s whose `code` names their kind and whose `field` says which field of a request is meant.
//! [`CellTerms`] is what one module tells another of a cell. The crate is empty on anything but wasm.

#[cfg(target_arch = "wasm32")]
mod cell;
#[cfg(target_arch = "wasm32")]
mod values;
#[cfg(target_arch = "wasm32")]
pub use cell::CellTerms;
#[cfg(target_arch = "wasm32")]
pub use values::{checked, error, field_error, object, parsed, set};

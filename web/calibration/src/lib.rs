//! Maps that measured power corrects, for JavaScript.
//!
//! In flow what a cell sees around it, as arrays that the package's main module made of the buildings, and measurements
//! ([`request`]); out flow the map with its uncertainty and a report. [`radiodiff_radio::calibration`] does the fit. This is a module
//! of its own beside `radiodiff-web`, because few visitors have measurements: web/js loads it with the first calibration. `api`
//! exists on wasm only.

#[cfg(target_arch = "wasm32")]
mod api;
#[cfg(target_arch = "wasm32")]
mod report;
pub mod request;

//! Maps as files of other programs' formats, for JavaScript.
//!
//! [`radiodiff_planning::export`] writes them; in flow a map's values and its place, out flow bytes and texts. This is a module of its
//! own beside `radiodiff-web`, because the writers of seven formats weigh as much as the physical model, and most visitors export
//! nothing: web/js/formats.js loads it when a map first becomes a file, web/js/heights.js where buildings are a GeoTIFF. The crate is empty on anything but wasm.

#[cfg(target_arch = "wasm32")]
mod api;

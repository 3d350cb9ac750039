//! A plan's work transmitter by transmitter, for an engine that deals it among several workers (web/js/pool.js).
//!
//! A map itself is not cut: its wavefront takes paths in the order of their loss over the whole scene. Each worker has the whole scene, so
//! a map is the same whoever draws it.

use super::scene::{PlacedTransmitter, SceneHandle};
use super::signal::TransmitterSignal;
use js_sys::Float32Array;
use radiodiff_radio::map::{Quantity, RadioMap};
use radiodiff_web_values::error;
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
impl SceneHandle {
    /// A transmitter's path gain by the dominant path, dB, for another worker's [`Self::signal_of`].
    pub fn gain(&self, placed: &PlacedTransmitter) -> Result<Float32Array, JsValue> {
        Ok(Float32Array::from(self.path_gain(placed)?.values.as_slice()))
    }

    /// The signal of a transmitter whose path gain another worker found.
    #[wasm_bindgen(js_name = signalOf)]
    pub fn signal_of(&self, placed: &PlacedTransmitter, gain: Vec<f32>) -> Result<TransmitterSignal, JsValue> {
        let grid = self.grid();
        if gain.len() != grid.pixels() {
            return Err(error("failed", &format!("a gain of {} pixels is not of the scene, which has {}", gain.len(), grid.pixels())));
        }
        placed.signal(&RadioMap { grid, quantity: Quantity::PathGainDb, values: gain })
    }
}

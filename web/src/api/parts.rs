//! Parts of a physical map's work, for an engine that deals them among several workers (web/js/pool.js).
//!
//! A map itself is not cut: its wavefront takes paths in the order of their loss over the whole scene. What can be shared is the
//! preparation, corner by corner, and a plan's transmitters. Each worker has the whole scene, so a map is the same whoever draws it.

use super::scene::{PlacedTransmitter, SceneHandle};
use super::signal::TransmitterSignal;
use js_sys::{Float32Array, Uint8Array};
use radiodiff_radio::map::{Quantity, RadioMap};
use radiodiff_web_values::error;
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
impl SceneHandle {
    /// How many corners there are for paths to turn at.
    ///
    /// # Errors
    /// A scene that would not fit into memory: `too-large`.
    #[wasm_bindgen(js_name = cornerCount)]
    pub fn corner_count(&self) -> Result<usize, JsValue> {
        self.check_memory()?;
        Ok(self.prepared.turning_points(0.0).walls.corners.len())
    }

    /// What the corners `from..to` see, for another worker's [`Self::take_sights`].
    pub fn sights(&self, from: usize, to: usize) -> Result<Uint8Array, JsValue> {
        let turning_points = self.prepared.turning_points(0.0);
        let count = turning_points.walls.corners.len();
        if from > to || to > count {
            return Err(error("failed", &format!("there are no corners {from} to {to}: the scene has {count}")));
        }
        Ok(Uint8Array::from(turning_points.sights(from..to).as_slice()))
    }

    /// Takes what another worker found with [`Self::sights`] for corners from `from` on.
    #[wasm_bindgen(js_name = takeSights)]
    pub fn take_sights(&self, from: usize, sights: &[u8]) -> Result<(), JsValue> {
        self.prepared.turning_points(0.0).take_sights(from, sights).map_err(|e| error("failed", &e))
    }

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

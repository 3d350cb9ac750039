//! How the samples or the quantiles of a request differ, layer by layer, which [`Spread`] computes.

use super::coverage::{CoverageHandle, named};
use js_sys::Float32Array;
use radiodiff_planning::coverage::Spread;
use wasm_bindgen::prelude::*;

/// A layer's spread over plans that come one by one.
#[wasm_bindgen]
pub struct SpreadHandle {
    spread: Spread,
}

#[wasm_bindgen]
impl SpreadHandle {
    /// Of no plan yet. With a threshold, also of how often a pixel reaches it.
    #[wasm_bindgen(constructor)]
    pub fn new(threshold: Option<f64>) -> SpreadHandle {
        SpreadHandle { spread: Spread::new(threshold) }
    }

    /// Adds a plan's layer.
    pub fn add(&mut self, plan: &CoverageHandle, layer: &str) -> Result<(), JsValue> {
        self.spread.add(&plan.coverage.values(named(layer)?));
        Ok(())
    }

    /// NaN inside buildings, like the others.
    pub fn mean(&self) -> Float32Array {
        Float32Array::from(self.spread.mean().as_slice())
    }

    /// dB.
    #[wasm_bindgen(js_name = standardDeviation)]
    pub fn standard_deviation(&self) -> Float32Array {
        Float32Array::from(self.spread.standard_deviation().as_slice())
    }

    /// The share of plans that reach the threshold; `undefined` without one.
    pub fn probability(&self) -> Option<Float32Array> {
        self.spread.probability().map(|shares| Float32Array::from(shares.as_slice()))
    }
}

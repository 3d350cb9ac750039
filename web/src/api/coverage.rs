//! What the transmitters of a request cover together: the plan's layers and its statistics, which [`Coverage`] computes.

use super::Request;
use super::scene::SceneHandle;
use super::signal::TransmitterSignal;
use js_sys::Float32Array;
use radiodiff_planning::coverage::Coverage;
use radiodiff_planning::raster::PlanLayer;
use radiodiff_web_values::{error, object};
use wasm_bindgen::prelude::*;

/// A request's transmitters, added one by one.
#[wasm_bindgen]
pub struct CoverageHandle {
    pub(super) coverage: Coverage,
}

#[wasm_bindgen]
impl CoverageHandle {
    /// A plan without transmitters, for the request's receiver.
    #[wasm_bindgen(constructor)]
    pub fn new(scene: &SceneHandle, request: &Request) -> Result<CoverageHandle, JsValue> {
        let coverage = Coverage::new(scene.grid(), request.request.plan.receiver).map_err(|e| error("receiver", &e))?;
        Ok(CoverageHandle { coverage })
    }

    /// Adds the next transmitter, and takes its signal.
    pub fn add(&mut self, signal: TransmitterSignal) -> Result<(), JsValue> {
        self.coverage.add(signal.signal).map_err(|e| error("failed", &e))
    }

    /// A layer by its name, such as `received-power`: NaN inside buildings, row 0 in the north.
    pub fn values(&self, layer: &str) -> Result<Float32Array, JsValue> {
        Ok(Float32Array::from(self.coverage.values(named(layer)?).as_slice()))
    }

    /// Statistics of a layer at a threshold, as `CoverageStatistics` of web/js/index.d.ts.
    pub fn statistics(&self, layer: &str, threshold: f64) -> Result<JsValue, JsValue> {
        object(&self.coverage.statistics(named(layer)?, threshold))
    }
}

pub(super) fn named(layer: &str) -> Result<PlanLayer, JsValue> {
    PlanLayer::ALL.into_iter().find(|known| known.name() == layer).ok_or_else(|| error("layers", &format!("there is no layer {layer}")))
}

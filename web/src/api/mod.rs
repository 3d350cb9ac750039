//! The objects that JavaScript keeps: a scene that is prepared once, weights that are read once, networks that draw a transmitter's
//! map.
//!
//! They live in a worker (web/js/runtime.js holds the order of calls); nothing here touches the page. In come checked requests
//! ([`crate::request`]), the bytes of buildings and of weights; out go plain objects and Float32Arrays ([`radiodiff_web_values`]).

mod cell;
mod coverage;
mod footprints;
mod network;
mod parts;
mod profile;
mod scene;
mod signal;
mod sites;
mod spread;

use crate::request::PredictRequest;
use radiodiff_core::diffusion::SampleOptions;
use radiodiff_core::engine::EngineError;
use radiodiff_core::weights::WeightsManifest;
use radiodiff_web_values::{checked, error};
use wasm_bindgen::prelude::*;

/// Shows a panic's message in the console; the client turns the trap into a typed error and starts a new worker.
#[wasm_bindgen(start)]
pub fn start() {
    console_error_panic_hook::set_once();
}

/// A request that has been checked.
#[wasm_bindgen]
pub struct Request {
    request: PredictRequest,
}

impl Request {
    /// How the sample of this number is drawn: in the weights' own steps unless the request names another number.
    fn sampling(&self, sample: u32, weights: &WeightsManifest) -> SampleOptions {
        let PredictRequest { steps, seed, samples, .. } = self.request;
        let steps = steps.unwrap_or_else(|| weights.steps(samples));
        SampleOptions { steps, seed: seed.wrapping_add(sample.into()), split_last_step: false }
    }
}

#[wasm_bindgen]
impl Request {
    /// Checks `{ transmitters, method, steps, seed, start, samples, interactions, walls, receiver, layers, thresholdDbm }`;
    /// web/js/index.d.ts says what each field takes.
    #[wasm_bindgen(constructor)]
    pub fn new(request: JsValue) -> Result<Request, JsValue> {
        Ok(Request { request: checked(request)? })
    }

    /// The method that was asked for; `undefined` leaves the choice to the engine.
    #[wasm_bindgen(getter)]
    pub fn method(&self) -> Option<String> {
        self.request.method.map(|method| method.name().to_owned())
    }

    /// How many transmitters there are, at least one.
    #[wasm_bindgen(getter, js_name = transmitterCount)]
    pub fn transmitter_count(&self) -> usize {
        self.request.transmitters.len()
    }

    /// How many maps are drawn with one seed after the other, at least one.
    #[wasm_bindgen(getter)]
    pub fn samples(&self) -> usize {
        self.request.samples
    }

    /// Steps of the sampler; `undefined` leaves them to the weights.
    #[wasm_bindgen(getter)]
    pub fn steps(&self) -> Option<usize> {
        self.request.steps
    }

    /// The names of the request's fields that only ray tracing uses.
    #[wasm_bindgen(getter, js_name = rayFields)]
    pub fn ray_fields(&self) -> Vec<String> {
        self.request.rays.said().map(str::to_owned).collect()
    }

    /// The names of the layers beside the received power.
    #[wasm_bindgen(getter)]
    pub fn layers(&self) -> Vec<String> {
        self.request.plan.layers.iter().map(|layer| layer.name().to_owned()).collect()
    }

    /// The power in dBm from which on a place counts as covered; `undefined` where statistics are not asked for.
    #[wasm_bindgen(getter, js_name = thresholdDbm)]
    pub fn threshold_dbm(&self) -> Option<f64> {
        self.request.plan.threshold_dbm
    }

    /// Fields that are not known and not used.
    #[wasm_bindgen(getter)]
    pub fn warnings(&self) -> Vec<String> {
        self.request.plan.warnings.clone()
    }
}

/// Panics, as a defect of this crate would. For tests of what stands around it: the trap ends the module.
#[wasm_bindgen]
pub async fn crash() {
    // In the middle of asynchronous work, where a trap rejects no promise.
    let _ = wasm_bindgen_futures::JsFuture::from(js_sys::Promise::resolve(&JsValue::UNDEFINED)).await;
    panic!("a crash was asked for");
}

/// An engine's error. After `device-lost` and `out-of-memory` another engine is worth a try.
fn engine_error(cause: &EngineError) -> JsValue {
    let code = match cause {
        EngineError::DeviceLost { .. } => "device-lost",
        EngineError::OutOfMemory { .. } => "out-of-memory",
        EngineError::Failed { .. } => "failed",
    };
    error(code, cause)
}

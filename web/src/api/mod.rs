//! What JavaScript sees: a scene that is prepared once, weights that are read once, and networks that draw a transmitter's map.
//!
//! The module runs in a worker (web/js/runtime.js holds the order of calls); nothing here touches the page. In come GeoJSON text,
//! degrees and the bytes of a weights file, out go plain objects and Float32Arrays. Errors are JavaScript `Error`s whose `code`
//! names their kind.

mod city;
mod network;

use js_sys::{Error, Object, Reflect};
use radiodiff_core::engine::EngineError;
use wasm_bindgen::prelude::*;

/// Shows a panic's message in the console; the client turns the trap into a typed error and starts a new worker.
#[wasm_bindgen(start)]
pub fn start() {
    console_error_panic_hook::set_once();
}

fn error(code: &str, message: &dyn std::fmt::Display) -> JsValue {
    let error = Error::new(&message.to_string());
    set(&error, "code", code);
    error.into()
}

/// An engine's error: `device-lost` and `out-of-memory` are those after which another engine is worth a try.
fn engine_error(cause: &EngineError) -> JsValue {
    let code = match cause {
        EngineError::DeviceLost { .. } => "device-lost",
        EngineError::OutOfMemory { .. } => "out-of-memory",
        EngineError::Failed { .. } => "failed",
    };
    error(code, cause)
}

/// Sets a property of an object that is ours.
fn set(object: &Object, key: &str, value: impl Into<JsValue>) {
    // Only a frozen or foreign object refuses a property; ours are fresh.
    let _ = Reflect::set(object, &key.into(), &value.into());
}

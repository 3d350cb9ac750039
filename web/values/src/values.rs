//! The two directions, and what goes wrong in them.

use js_sys::{Error, Reflect};
use radiodiff_planning::request::{FieldError, Input};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_wasm_bindgen::Serializer;
use wasm_bindgen::JsValue;

/// A JavaScript value as a request of this type.
///
/// # Errors
/// A value that no request can hold, such as a function; the request's own.
pub fn checked<T: TryFrom<Input, Error = FieldError>>(value: JsValue) -> Result<T, JsValue> {
    T::try_from(parsed(value)?).map_err(|e| field_error(&e))
}

/// A JavaScript value as a type of serde's.
///
/// # Errors
/// A value of another kind.
pub fn parsed<T: DeserializeOwned>(value: JsValue) -> Result<T, JsValue> {
    serde_wasm_bindgen::from_value(value).map_err(|e| error("request", &format!("the request cannot be read: {e}")))
}

/// A struct as a plain object; `None` becomes null.
///
/// # Errors
/// A struct that serde cannot write.
pub fn object(value: &impl Serialize) -> Result<JsValue, JsValue> {
    value.serialize(&Serializer::json_compatible()).map_err(|e| error("failed", &e))
}

/// A JavaScript error with a code of web/js/index.d.ts.
pub fn error(code: &str, message: &dyn std::fmt::Display) -> JsValue {
    let error = Error::new(&message.to_string());
    set(&error, "code", code);
    error.into()
}

/// The error of a request's field.
pub fn field_error(cause: &FieldError) -> JsValue {
    let value = error(cause.code, cause);
    set(&value, "field", &cause.field);
    value
}

/// Sets a property of an error that was made here.
pub fn set(error: &JsValue, key: &str, value: &str) {
    // Only a frozen or foreign object refuses a property.
    let _ = Reflect::set(error, &key.into(), &value.into());
}

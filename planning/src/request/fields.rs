//! The fields of an object, read one by one under one rule.
//!
//! A field that is missing, `undefined`, `null` or text without a character that is not a space (an empty form field) has its
//! default; a field without a default is then an error. A number may be text that spells it, as a form field's value is: `"23"`,
//! `" 5900 "`. Everything else that is not what the field takes is an error of that field: `false`, `[]`, `{}`, NaN, `"loud"`.

use super::input::Input;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use thiserror::Error;

/// A field of a request that cannot be used.
#[derive(Debug, Error, Clone, PartialEq)]
#[error("{field} is {found}, expected {expected}")]
pub struct FieldError {
    /// The `code` of the JavaScript error; web/js/index.d.ts lists the codes.
    pub code: &'static str,
    /// Where the field stands in the request, such as `transmitters[0].powerDbm`.
    pub field: String,
    /// The value, or its kind where it is long.
    pub found: String,
    /// What the field takes.
    pub expected: String,
}

/// An object's fields, taken out one by one, so that the fields left over are those nobody knows.
pub struct Fields {
    /// What stands before a field's name in a message: nothing, or `transmitters[0].`.
    prefix: String,
    fields: BTreeMap<String, Input>,
}

impl Fields {
    /// The fields of the object at `path`, which is empty for the request itself.
    ///
    /// # Errors
    /// When the value is no object; the error has the code and expects what is given.
    pub fn of(input: Input, path: &str, code: &'static str, expected: &str) -> Result<Self, FieldError> {
        match input {
            Input::Object(fields) => {
                let prefix = if path.is_empty() { String::new() } else { format!("{path}.") };
                Ok(Self { prefix, fields })
            }
            other => {
                let field = if path.is_empty() { "the request" } else { path };
                Err(FieldError { code, field: field.into(), found: other.to_string(), expected: expected.into() })
            }
        }
    }

    /// The field's value; missing where the object has none or an empty text.
    pub fn take(&mut self, name: &str) -> Input {
        match self.fields.remove(name) {
            Some(Input::Text(text)) if text.trim().is_empty() => Input::Missing,
            found => found.unwrap_or_default(),
        }
    }

    /// The error of a field in which `found` was found.
    pub fn error(&self, name: &str, code: &'static str, found: &Input, expected: impl Into<String>) -> FieldError {
        FieldError { code, field: self.path(name), found: found.to_string(), expected: expected.into() }
    }

    /// Where the field stands in the request.
    pub fn path(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// A number that `valid` accepts, `None` for the default.
    pub fn number(
        &mut self,
        name: &str,
        code: &'static str,
        expected: &str,
        valid: impl Fn(f64) -> bool,
    ) -> Result<Option<f64>, FieldError> {
        let found = self.take(name);
        let value = match &found {
            Input::Missing => return Ok(None),
            Input::Number(value) => Some(*value),
            Input::Text(text) => text.trim().parse().ok(),
            _ => None,
        };
        match value.filter(|value| value.is_finite() && valid(*value)) {
            Some(value) => Ok(Some(value)),
            None => Err(self.error(name, code, &found, expected)),
        }
    }

    /// As [`Self::number`], without a default.
    pub fn required(&mut self, name: &str, code: &'static str, expected: &str) -> Result<f64, FieldError> {
        self.number(name, code, expected, |_| true)?.ok_or_else(|| self.error(name, code, &Input::Missing, expected))
    }

    /// A whole number in `range`, `None` for the default.
    pub fn whole(&mut self, name: &'static str, range: RangeInclusive<u64>) -> Result<Option<u64>, FieldError> {
        let (first, last) = (*range.start(), *range.end());
        let expected = format!("a whole number from {first} to {last}");
        let valid = |value: f64| value.fract() == 0.0 && (first as f64..=last as f64).contains(&value);
        Ok(self.number(name, name, &expected, valid)?.map(|value| value as u64))
    }

    /// The names of the fields that were not taken.
    pub fn unknown(self) -> impl Iterator<Item = String> {
        self.fields.into_keys().map(move |name| format!("{}{name}", self.prefix))
    }
}

/// The items of a list with their paths, such as `transmitters[0]`.
pub fn numbered(name: &str, items: Vec<Input>) -> impl Iterator<Item = (String, Input)> {
    items.into_iter().enumerate().map(move |(index, item)| (format!("{name}[{index}]"), item))
}

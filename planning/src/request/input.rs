//! A value as JavaScript sent it, before anything is known of what it should be.
//!
//! `serde_json::Value` would do but for two things: it turns NaN and the infinities into null, so that a wrong number would count as
//! a missing one, and it follows an object that holds itself until the stack ends.

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;

/// How deep lists and objects may be nested. A request needs four levels: request, transmitters, transmitter, antenna.
const MAX_DEPTH: usize = 16;

/// One JavaScript value.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Input {
    /// `undefined` or `null`.
    #[default]
    Missing,
    Bool(bool),
    /// Any number, NaN and the infinities included.
    Number(f64),
    Text(String),
    List(Vec<Input>),
    Object(BTreeMap<String, Input>),
}

impl<'de> serde::Deserialize<'de> for Input {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Nested { depth: 0 }.deserialize(deserializer)
    }
}

/// How the value is called in an error message: the value itself where it is short, else its kind.
impl fmt::Display for Input {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("missing"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Number(value) => write!(f, "{value}"),
            Self::Text(text) if text.trim().is_empty() => f.write_str("empty"),
            Self::Text(text) if text.chars().count() <= 40 => write!(f, "{text:?}"),
            Self::Text(_) => f.write_str("a long text"),
            Self::List(items) if items.is_empty() => f.write_str("an empty array"),
            Self::List(items) => write!(f, "an array of {}", items.len()),
            Self::Object(_) => f.write_str("an object"),
        }
    }
}

/// As JSON. A number that is not finite, which JSON lacks, becomes text: null would count as a missing one.
impl From<Input> for Value {
    fn from(input: Input) -> Self {
        match input {
            Input::Missing => Self::Null,
            Input::Bool(value) => value.into(),
            // Without a fraction, as it was written: it may be a name.
            Input::Number(value) if value.fract() == 0.0 && value.abs() < 1e15 => (value as i64).into(),
            Input::Number(value) if value.is_finite() => value.into(),
            Input::Number(value) => value.to_string().into(),
            Input::Text(text) => text.into(),
            Input::List(items) => items.into_iter().map(Self::from).collect(),
            Input::Object(fields) => fields.into_iter().map(|(key, value)| (key, Self::from(value))).collect(),
        }
    }
}

/// Reads a value that lies inside `depth` others.
#[derive(Clone, Copy)]
struct Nested {
    depth: usize,
}

impl Nested {
    fn inner<E: Error>(self) -> Result<Self, E> {
        let depth = self.depth + 1;
        if depth > MAX_DEPTH { Err(E::custom(format!("it is nested more than {MAX_DEPTH} levels deep"))) } else { Ok(Self { depth }) }
    }
}

impl<'de> DeserializeSeed<'de> for Nested {
    type Value = Input;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Input, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Nested {
    type Value = Input;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a boolean, a number, text, an array or an object")
    }

    fn visit_unit<E>(self) -> Result<Input, E> {
        Ok(Input::Missing)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Input, E> {
        Ok(Input::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Input, E> {
        Ok(Input::Number(value as f64))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Input, E> {
        Ok(Input::Number(value as f64))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Input, E> {
        Ok(Input::Number(value))
    }

    fn visit_str<E>(self, text: &str) -> Result<Input, E> {
        Ok(Input::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Input, A::Error> {
        let inner = self.inner()?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(inner)? {
            list.push(item);
        }
        Ok(Input::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Input, A::Error> {
        let inner = self.inner()?;
        let mut object = BTreeMap::new();
        while let Some(key) = entries.next_key()? {
            object.insert(key, entries.next_value_seed(inner)?);
        }
        Ok(Input::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// JavaScript has one kind of number, and so has an input: what a whole number was read as does not show.
    #[test]
    fn a_whole_number_is_written_without_a_fraction_whatever_it_was_read_as() {
        let read = |number| Value::from(serde_json::from_str::<Input>(number).expect("a number")).to_string();
        for (number, written) in [
            ("39", "39"),
            ("39.0", "39"),
            ("3.9e1", "39"),
            ("-39", "-39"),
            ("-0.0", "0"),
            ("39.5", "39.5"),
            ("9007199254740992", "9007199254740992.0"),
            ("1e300", "1e+300"),
        ] {
            assert_eq!(read(number), written, "{number}");
        }
        assert_eq!(Value::from(Input::Number(f64::NAN)), Value::from("NaN"));
    }
}

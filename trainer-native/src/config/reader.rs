//! TOML values into settings, with errors that name the entry by its path and, for an unknown one, the nearest that exists.
//!
//! serde tells the error type which entries a table may have. TOML's own error only puts them into a sentence, so values are read
//! through a deserialiser of our own, whose error keeps them.

use serde::de::value::{MapAccessDeserializer, MapDeserializer, SeqDeserializer};
use serde::de::{DeserializeOwned, Deserializer, Error, IntoDeserializer, Unexpected, Visitor};
use std::fmt;
use toml::Value;

/// Reads a table's settings.
pub fn read<T: DeserializeOwned>(table: toml::Table) -> Result<T, EntryError> {
    T::deserialize(Entry { key: String::new(), value: Value::Table(table) })
}

/// What is wrong with an entry.
#[derive(Debug)]
pub struct EntryError {
    /// The tables around the entry, outermost first.
    path: Vec<String>,
    reason: String,
}

impl std::error::Error for EntryError {}

impl fmt::Display for EntryError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let path = self.path.join(".");
        if path.is_empty() { write!(f, "{}", self.reason) } else { write!(f, "{path}: {}", self.reason) }
    }
}

impl Error for EntryError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self { path: Vec::new(), reason: message.to_string() }
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        let known = expected.join(", ");
        let reason = match nearest(field, expected) {
            Some(nearest) => format!("unknown field `{field}`, did you mean `{nearest}`? There are {known}"),
            None => format!("unknown field `{field}`; there are {known}"),
        };
        Self { path: Vec::new(), reason }
    }
}

/// The name that is most like `name`, if any is.
fn nearest<'a>(name: &str, names: &[&'a str]) -> Option<&'a str> {
    /// As clap suggests arguments.
    const LEAST_LIKENESS: f64 = 0.7;
    let likeness = |other: &&str| strsim::jaro_winkler(name, other);
    let (likeness, nearest) = names.iter().map(|other| (likeness(other), *other)).max_by(|a, b| a.0.total_cmp(&b.0))?;
    (likeness >= LEAST_LIKENESS).then_some(nearest)
}

/// A value and the name of its entry, empty at the root and in lists.
struct Entry {
    key: String,
    value: Value,
}

impl Entry {
    fn inside<T>(key: String, result: Result<T, EntryError>) -> Result<T, EntryError> {
        result.map_err(|mut error| {
            if !key.is_empty() {
                error.path.insert(0, key);
            }
            error
        })
    }
}

fn entries<'de>(table: toml::Table) -> MapDeserializer<'de, impl Iterator<Item = (String, Entry)>, EntryError> {
    MapDeserializer::new(table.into_iter().map(|(key, value)| (key.clone(), Entry { key, value })))
}

impl<'de> IntoDeserializer<'de, EntryError> for Entry {
    type Deserializer = Self;
    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for Entry {
    type Error = EntryError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, EntryError> {
        let result = match self.value {
            Value::String(text) => visitor.visit_string(text),
            Value::Integer(number) => visitor.visit_i64(number),
            Value::Float(number) => visitor.visit_f64(number),
            Value::Boolean(truth) => visitor.visit_bool(truth),
            Value::Datetime(time) => Err(Error::invalid_type(Unexpected::Other(&format!("date {time}")), &visitor)),
            Value::Array(values) => {
                visitor.visit_seq(SeqDeserializer::new(values.into_iter().map(|value| Entry { key: String::new(), value })))
            }
            Value::Table(table) => visitor.visit_map(entries(table)),
        };
        Self::inside(self.key, result)
    }

    /// TOML has no null: what is there is some.
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, EntryError> {
        visitor.visit_some(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(self, _: &'static str, _: &'static [&'static str], visitor: V) -> Result<V::Value, EntryError> {
        let result = match self.value {
            Value::String(text) => visitor.visit_enum(IntoDeserializer::<EntryError>::into_deserializer(text)),
            Value::Table(table) if table.len() == 1 => visitor.visit_enum(MapAccessDeserializer::new(entries(table))),
            other => Err(Error::custom(format!("expected a name, or a name with its settings, found {other}"))),
        };
        Self::inside(self.key, result)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, EntryError> {
        visitor.visit_newtype_struct(self)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple tuple_struct map struct
        identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Outer {
        #[allow(dead_code, reason = "only read")]
        steps: usize,
        #[allow(dead_code, reason = "only read")]
        inner: Option<Inner>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        #[allow(dead_code, reason = "only read")]
        learning_rate: f64,
    }

    fn error(text: &str) -> String {
        read::<Outer>(text.parse().expect("TOML")).expect_err("it is wrong").to_string()
    }

    #[test]
    fn errors_name_the_place_and_the_nearest_entry() {
        assert!(read::<Outer>("steps = 1\ninner = { learning_rate = 0.5 }".parse().expect("TOML")).is_ok());
        assert_eq!(error("stops = 1"), "unknown field `stops`, did you mean `steps`? There are steps, inner");
        assert_eq!(
            error("steps = 1\n[inner]\nlearning_rat = 1.0"),
            "inner: unknown field `learning_rat`, did you mean `learning_rate`? There are learning_rate"
        );
        assert_eq!(error("steps = 1\nzzz = 1"), "unknown field `zzz`; there are steps, inner");
        assert_eq!(error("steps = \"many\""), "steps: invalid type: string \"many\", expected usize");
        assert_eq!(error("steps = 1\ninner = {}"), "inner: missing field `learning_rate`");
    }
}

//! What map data says about an outline besides its shape: OpenStreetMap's tags, or the properties of a GeoJSON feature.
//!
//! Both become one flat list of texts, so that the rule of what a building is ([`super::building_rule`]) and the reading of heights
//! are written once. In flow the tags of an element or the properties of a feature; out flow texts and numbers by key.

use serde_json::{Map, Value};

/// Heights and levels outside this range, in metres or storeys, are typing errors and count as not given.
const PLAUSIBLE: std::ops::Range<f64> = 0.5..1000.0;

/// Keys and values. A key without a value (an empty text, or null) is not there.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Tags(Vec<(String, String)>);

impl Tags {
    /// The tags of an OpenStreetMap element.
    pub fn new(pairs: impl IntoIterator<Item = (String, String)>) -> Self {
        Self(pairs.into_iter().filter(|(_, value)| !value.trim().is_empty()).collect())
    }

    /// The properties of a feature. Besides plain properties, the two forms are read in which converters nest OpenStreetMap's tags:
    /// an object `tags` (osmtogeojson) and a text `other_tags` of `"key"=>"value"` pairs (GDAL). Anything but an object has none.
    pub fn from_properties(properties: &Value) -> Self {
        let mut pairs = Vec::new();
        if let Value::Object(object) = properties {
            collect(object, &mut pairs);
            match object.get("tags") {
                Some(Value::Object(nested)) => collect(nested, &mut pairs),
                Some(Value::String(text)) => pairs.extend(hstore(text)),
                _ => {}
            }
            if let Some(Value::String(text)) = object.get("other_tags") {
                pairs.extend(hstore(text));
            }
        }
        Self::new(pairs)
    }

    /// The first value of a key.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == key).map(|(_, value)| value.trim())
    }

    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(key, _)| key.as_str())
    }

    /// Metres, from the tag `height`.
    pub fn height_m(&self) -> Option<f64> {
        self.get("height").and_then(leading_number)
    }

    /// Storeys above the ground, from the tag `building:levels`.
    pub fn levels(&self) -> Option<f64> {
        self.get("building:levels").and_then(leading_number)
    }
}

fn collect(object: &Map<String, Value>, pairs: &mut Vec<(String, String)>) {
    for (key, value) in object {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            Value::Bool(true) => "yes".into(),
            Value::Bool(false) => "no".into(),
            Value::Null | Value::Array(_) | Value::Object(_) => continue,
        };
        pairs.push((key.clone(), text));
    }
}

/// The pairs of `"layer"=>"-1","location"=>"underground"`.
fn hstore(text: &str) -> Vec<(String, String)> {
    // Quoted texts alternate between keys and values; between them stand `=>` and commas.
    let mut quoted = Vec::new();
    let mut characters = text.chars();
    while characters.by_ref().any(|c| c == '"') {
        let mut word = String::new();
        while let Some(c) = characters.next() {
            match c {
                '"' => break,
                '\\' => word.extend(characters.next()),
                other => word.push(other),
            }
        }
        quoted.push(word);
    }
    quoted.chunks_exact(2).map(|pair| (pair[0].clone(), pair[1].clone())).collect()
}

/// The number that a mapper's free text begins with (`12`, `12.5 m`, `3;4`). A number of feet (`40'`, `40 ft`) and an implausible one
/// count as not given.
fn leading_number(text: &str) -> Option<f64> {
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let in_feet = text[digits..].trim_start().starts_with(['\'', 'f']);
    text[..digits].parse().ok().filter(|v| PLAUSIBLE.contains(v) && !in_feet)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn heights_are_read_from_free_text() {
        let cases = [("12", Some(12.0)), ("12.5 m", Some(12.5)), ("3;4", Some(3.0)), ("40'", None), ("40 ft", None), ("tall", None)];
        for (text, height_m) in cases.into_iter().chain([("-3", None), ("", None), ("1e9", Some(1.0)), ("99999", None)]) {
            let tags = Tags::new([("height".to_owned(), text.to_owned())]);
            assert_eq!(tags.height_m(), height_m, "{text}");
            assert_eq!(Tags::from_properties(&json!({ "height": text })).height_m(), height_m, "{text}");
        }
        assert_eq!(Tags::from_properties(&json!({ "building:levels": 4 })).levels(), Some(4.0));
    }

    #[test]
    fn properties_of_any_kind_give_tags() {
        for none in [json!([]), json!("[]"), json!(null), json!(7), json!({}), json!({"building": null, "name": ""})] {
            assert_eq!(Tags::from_properties(&none), Tags::default(), "{none}");
        }
        for nested in [
            json!({"building": "yes", "other_tags": r#""layer"=>"-1","name"=>"a \"b\"""#}),
            json!({"tags": {"building": "yes", "layer": -1, "name": "a \"b\""}, "relations": []}),
        ] {
            let tags = Tags::from_properties(&nested);
            let found = ["building", "layer", "name"].map(|key| tags.get(key));
            assert_eq!(found, [Some("yes"), Some("-1"), Some("a \"b\"")], "{nested}");
        }
        assert_eq!(Tags::from_properties(&json!({"building": false})).get("building"), Some("no"));
    }
}

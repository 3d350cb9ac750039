//! What map data says about an outline besides its shape: OpenStreetMap's tags, or the properties of a GeoJSON feature.
//!
//! Both become one flat list of texts, so that the rule of what a building is ([`super::building_rule`]) and the reading of heights
//! are written once. In flow the tags of an element or the properties of a feature; out flow texts and numbers by key.

use super::heights::{LEAST_BUILDING_HEIGHT_M, MOST_BUILDING_HEIGHT_M};
use serde_json::{Map, Value};
use std::ops::RangeInclusive;

/// Heights outside this range, in metres, are typing errors and count as not given.
const PLAUSIBLE_M: RangeInclusive<f64> = LEAST_BUILDING_HEIGHT_M..=MOST_BUILDING_HEIGHT_M;
/// The same for storeys. The tallest building of the world has 163.
const PLAUSIBLE_LEVELS: RangeInclusive<f64> = 0.5..=200.0;

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

    /// The first value of a key. Shapefiles and databases write keys in upper case and cannot write a colon: `BUILDING`,
    /// `building_levels`.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| same_key(known, key)).map(|(_, value)| value.trim())
    }

    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(key, _)| key.as_str())
    }

    /// The tags `height` and `building:levels`; Overture calls the latter `num_floors`.
    pub fn heights(&self) -> TaggedHeights {
        let levels_key = if self.get("building:levels").is_none() { "num_floors" } else { "building:levels" };
        let (height, levels) = (self.measure("height", PLAUSIBLE_M), self.measure(levels_key, PLAUSIBLE_LEVELS));
        let remarks: Vec<String> = [&height, &levels].into_iter().filter_map(|measure| measure.remark.clone()).collect();
        let remark = (!remarks.is_empty()).then(|| remarks.join(", "));
        TaggedHeights { height_m: height.value, levels: levels.value, remark }
    }

    /// The number that a mapper's free text begins with (`12`, `12.5 m`, `12,5`, `~10`, `3;4`). A number of another unit (`40'`, `40 ft`,
    /// `1 km`) and an implausible one count as not given.
    fn measure(&self, key: &str, plausible: RangeInclusive<f64>) -> Measure {
        let Some(text) = self.get(key) else { return Measure::default() };
        let number = text.trim_start_matches(['~', '\u{2248}', ' ']);
        let end = number.find(|c: char| !c.is_ascii_digit() && !['.', ','].contains(&c)).unwrap_or(number.len());
        let unit = number[end..].trim();
        let other_unit = unit.starts_with(['\'', 'f']) || unit.starts_with("km");
        let value = number[..end].replacen(',', ".", 1).parse().ok().filter(|value| plausible.contains(value) && !other_unit);
        let understood = value.is_some()
            && text.starts_with(|c: char| c.is_ascii_digit())
            && !number[..end].contains(',')
            && matches!(unit.to_ascii_lowercase().as_str(), "" | "m" | "meter" | "meters" | "metre" | "metres");
        let remark = match value {
            _ if understood => None,
            Some(value) => Some(format!("{key} is {text:?}, read as {value}")),
            None => Some(format!("{key} is {text:?}, not used")),
        };
        Measure { value, remark }
    }
}

/// A number in a tag, and how it was understood where that is not plain.
#[derive(Default)]
struct Measure {
    value: Option<f64>,
    remark: Option<String>,
}

/// What tags say of a building's height.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct TaggedHeights {
    /// Metres, from `height`.
    pub height_m: Option<f64>,
    /// Storeys above the ground, from `building:levels`.
    pub levels: Option<f64>,
    /// How a text that is no plain number was understood.
    pub remark: Option<String>,
}

fn same_key(a: &str, b: &str) -> bool {
    let plain = |byte: u8| if byte == b'_' { b':' } else { byte.to_ascii_lowercase() };
    a.bytes().map(plain).eq(b.bytes().map(plain))
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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn heights_are_read_from_free_text() {
        let cases = [("12", Some(12.0)), ("12.5 m", Some(12.5)), ("3;4", Some(3.0)), ("40'", None), ("40 ft", None), ("tall", None)];
        for (text, height_m) in cases.into_iter().chain([("-3", None), ("", None), ("1e9", Some(1.0)), ("99999", None)]) {
            let tags = Tags::new([("height".to_owned(), text.to_owned())]);
            assert_eq!(tags.heights().height_m, height_m, "{text}");
            assert_eq!(Tags::from_properties(&json!({ "height": text })).heights(), tags.heights(), "{text}");
        }
        assert_eq!(Tags::from_properties(&json!({ "building:levels": 4 })).heights().levels, Some(4.0));
    }

    #[test]
    fn heights_that_are_no_plain_number_of_meters_are_told() {
        let remark = |value: serde_json::Value| Tags::from_properties(&json!({ "height": value })).heights().remark;
        for plain in [json!(12), json!("12 m"), json!("12.5m"), json!("9 metres"), json!(null), json!("")] {
            assert_eq!(remark(plain.clone()), None, "{plain}");
        }
        for (odd, told) in [
            (json!("3;4"), "height is \"3;4\", read as 3"),
            (json!("12,5 m"), "height is \"12,5 m\", read as 12.5"),
            (json!("~10"), "height is \"~10\", read as 10"),
            (json!("~ 10 m"), "height is \"~ 10 m\", read as 10"),
            (json!("3,4,5"), "height is \"3,4,5\", not used"),
            (json!(0), "height is \"0\", not used"),
            (json!(-5), "height is \"-5\", not used"),
            (json!("10 km"), "height is \"10 km\", not used"),
            (json!(10000), "height is \"10000\", not used"),
            (json!("40 ft"), "height is \"40 ft\", not used"),
        ] {
            assert_eq!(remark(odd).as_deref(), Some(told));
        }
        let both = Tags::from_properties(&json!({ "height": "tall", "building:levels": "0" })).heights();
        assert_eq!(both.remark.as_deref(), Some("height is \"tall\", not used, building:levels is \"0\", not used"));
        assert_eq!((both.height_m, both.levels), (None, None));
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
        let shapefile = Tags::from_properties(&json!({"BUILDING": "yes", "Height": 12, "building_levels": 4}));
        assert_eq!(Tags::from_properties(&json!({"height": null, "num_floors": 4})).heights().levels, Some(4.0));
        assert_eq!(
            (shapefile.get("building"), shapefile.heights().height_m, shapefile.heights().levels),
            (Some("yes"), Some(12.0), Some(4.0))
        );
    }
}

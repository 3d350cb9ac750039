//! An antenna as planning tools write it in JSON, in CloudRF's words: `{txg, ant, azi, tlt, hbw, vbw, fbr, pol}`.
//!
//! | field | unit | default | meaning |
//! |---|---|---|---|
//! | `txg` | dBi | the table's peak, else the gain beside the antenna in the request | gain in the strongest direction |
//! | `ant` | | 0 | number of a pattern in CloudRF's own library; 0 is the pattern that `hbw` and `vbw` describe |
//! | `azi` | degrees | 0 | clockwise from north |
//! | `tlt` | degrees | 0 | downwards |
//! | `hbw`, `vbw` | degrees | 65 | angle between the directions with half the power; 0 and 360 are equal all around |
//! | `fbr` | dB | 30 | front to back |
//! | `pol` | | `v` | not modelled |
//! | `csv` | | | a measured pattern ([`super::table`]) in place of `hbw`, `vbw` and `fbr` |
//!
//! An antenna radiates equally in all directions where it has none of `azi`, `hbw`, `vbw`, `fbr` and `csv`, where both beamwidths are 0,
//! and where `ant` names a pattern, which is not known here: beside a pattern's number, CloudRF's beamwidths mean nothing. Any
//! other antenna is a 3GPP sector. Numbers may be text. A field that is null or an empty text has its default. Whatever is out of
//! range or unknown is changed or left out with a warning, as in the reply of a planning tool.

use super::{AntennaPattern, PatternTable, PatternTableError, Sector};
use serde_json::{Map, Value};
use thiserror::Error;

/// Beamwidths go from here to [`ALL_AROUND_DEG`].
const NARROWEST_DEG: f64 = 1.0;
const ALL_AROUND_DEG: f64 = 360.0;

/// Why an antenna cannot be used at all.
#[derive(Debug, Error, Clone, PartialEq)]
pub enum AntennaRequestError {
    #[error("the antenna is no JSON object with fields like txg, azi, tlt and hbw: {reason}")]
    Syntax { reason: String },
    #[error("the antenna's csv: {0}")]
    Table(PatternTableError),
}

/// An antenna as it will be used, and what was changed for that.
#[derive(Clone, Debug, PartialEq)]
pub struct AntennaRequest {
    pub pattern: AntennaPattern,
    /// `None` where the request does not say.
    pub gain_dbi: Option<f64>,
    pub azimuth_deg: f64,
    pub downtilt_deg: f64,
    pub warnings: Vec<String>,
}

impl AntennaRequest {
    /// Reads the JSON of an antenna.
    pub fn from_json(text: &str) -> Result<Self, AntennaRequestError> {
        let syntax = |reason: String| AntennaRequestError::Syntax { reason };
        let value: Value = serde_json::from_str(text).map_err(|e| syntax(e.to_string()))?;
        let Value::Object(fields) = value else { return Err(syntax(format!("found {value}"))) };
        let mut reader = Reader { fields, warnings: Vec::new() };
        let csv = match reader.given("csv") {
            None => None,
            Some(Value::String(text)) => Some(PatternTable::parse(&text).map_err(AntennaRequestError::Table)?),
            Some(other) => return Err(syntax(format!("csv is {other}, expected text"))),
        };
        let library_pattern = reader.library_pattern();
        let gain_dbi = reader.number("txg", -50.0, 60.0).or(csv.as_ref().map(PatternTable::peak_gain_dbi));
        let azimuth_deg = reader.number("azi", -360.0, 360.0).map(|degrees| degrees.rem_euclid(360.0));
        let downtilt_deg = reader.number("tlt", -90.0, 90.0).unwrap_or(0.0);
        let [hbw, vbw] = ["hbw", "vbw"].map(|key| reader.beamwidth(key));
        let fbr = reader.number("fbr", 0.0, 100.0);
        let standard = Sector::default();
        let no_shape = [azimuth_deg, hbw, vbw, fbr].iter().all(Option::is_none);
        let all_around = [hbw, vbw].iter().all(|width| *width == Some(ALL_AROUND_DEG));
        let pattern = match csv {
            Some(table) => AntennaPattern::Table(table),
            None if let Some(name) = library_pattern => {
                reader.warnings.push(format!(
                    "The antenna's pattern {name} (ant) is not known: it counts as radiating equally in all directions, without hbw, vbw and fbr."
                ));
                AntennaPattern::Omni
            }
            None if no_shape || all_around => AntennaPattern::Omni,
            None => AntennaPattern::Sector(Sector {
                horizontal_beamwidth_deg: hbw.unwrap_or(standard.horizontal_beamwidth_deg),
                vertical_beamwidth_deg: vbw.unwrap_or(standard.vertical_beamwidth_deg),
                front_to_back_db: fbr.unwrap_or(standard.front_to_back_db),
            }),
        };
        reader.leftovers();
        Ok(Self { pattern, gain_dbi, azimuth_deg: azimuth_deg.unwrap_or(0.0), downtilt_deg, warnings: reader.warnings })
    }
}

/// Takes fields out of the object one by one, so that what is left is what nobody knows.
struct Reader {
    fields: Map<String, Value>,
    warnings: Vec<String>,
}

impl Reader {
    /// Takes a field; one that is null or an empty text counts as not given.
    fn given(&mut self, key: &str) -> Option<Value> {
        let value = self.fields.remove(key)?;
        let is_empty = value.is_null() || value.as_str().is_some_and(|text| text.trim().is_empty());
        (!is_empty).then_some(value)
    }

    /// The name of a pattern in another tool's library, where the antenna refers to one.
    fn library_pattern(&mut self) -> Option<String> {
        let name = match self.given("ant")? {
            Value::String(text) => text.trim().to_owned(),
            Value::Number(number) => number.to_string(),
            other => {
                self.warnings.push(format!("The antenna's ant is {other}, expected the number of a pattern, and is not used."));
                return None;
            }
        };
        (name.parse() != Ok(0.0)).then_some(name)
    }

    /// A beamwidth in degrees. 0 means that the antenna has no beam: it is equal all around.
    fn beamwidth(&mut self, key: &str) -> Option<f64> {
        let width = self.number(key, -f64::MAX, f64::MAX)?;
        if width == 0.0 {
            return Some(ALL_AROUND_DEG);
        }
        if width < 0.0 {
            self.warnings.push(format!("The antenna's {key} is {width}, which is no beamwidth, and is not used."));
            return None;
        }
        Some(self.clamped(key, width, NARROWEST_DEG, ALL_AROUND_DEG))
    }

    /// A number in the range, `None` where there is none.
    fn number(&mut self, key: &str, from: f64, to: f64) -> Option<f64> {
        let value = match self.given(key)? {
            Value::Number(number) => number.as_f64(),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        };
        let Some(value) = value.filter(|v| v.is_finite()) else {
            self.warnings.push(format!("The antenna's {key} is not a number and is not used."));
            return None;
        };
        Some(self.clamped(key, value, from, to))
    }

    fn clamped(&mut self, key: &str, value: f64, from: f64, to: f64) -> f64 {
        let used = value.clamp(from, to);
        if used != value {
            self.warnings.push(format!("The antenna's {key} is {value}, taken as {used}: it goes from {from} to {to}."));
        }
        used
    }

    fn leftovers(&mut self) {
        if self.given("pol").is_some_and(|pol| pol.as_str().is_none_or(|pol| !pol.trim().eq_ignore_ascii_case("v"))) {
            self.warnings.push("The antenna's polarisation (pol) is not modelled: both ends count as vertical.".into());
        }
        for key in self.fields.keys() {
            self.warnings.push(format!("The antenna's {key} is not known and not used."));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> AntennaRequest {
        AntennaRequest::from_json(text).expect("an antenna")
    }

    #[test]
    fn an_antenna_without_a_shape_is_omni_and_one_with_a_width_a_sector() {
        let omni = read(r#"{"txg": 2.15, "pol": "v"}"#);
        assert_eq!((omni.pattern, omni.gain_dbi, omni.warnings.len()), (AntennaPattern::Omni, Some(2.15), 0));
        let sector = read(r#"{"txg": "8", "azi": -90, "tlt": 5, "hbw": 120, "fbr": 25, "vbw": null}"#);
        let expected = Sector { horizontal_beamwidth_deg: 120.0, front_to_back_db: 25.0, ..Sector::default() };
        assert_eq!(sector.pattern, AntennaPattern::Sector(expected));
        assert_eq!((sector.gain_dbi, sector.azimuth_deg, sector.downtilt_deg, sector.warnings.len()), (Some(8.0), 270.0, 5.0, 0));
        let table = read(r#"{"csv": "0,0,11\n180,0,-9", "azi": 30}"#);
        assert!(matches!(table.pattern, AntennaPattern::Table(_)) && table.gain_dbi == Some(11.0));
    }

    #[test]
    fn what_is_changed_is_told() {
        let changed = read(r#"{"txg": 999, "azi": "north", "tlt": 1e300, "hbw": 0.2, "pol": "h", "beams": 4}"#);
        assert_eq!((changed.gain_dbi, changed.downtilt_deg), (Some(60.0), 90.0));
        let words =
            ["txg is 999, taken as 60", "azi is not a number", "tlt", "hbw is 0.2, taken as 1", "polarisation", "beams is not known"];
        assert_eq!(changed.warnings.len(), words.len(), "{:?}", changed.warnings);
        for word in words {
            assert!(changed.warnings.iter().any(|w| w.contains(word)), "{word}: {:?}", changed.warnings);
        }
    }

    #[test]
    fn beamwidths_beside_a_pattern_number_and_of_zero_make_no_beam() {
        for text in [
            r#"{"txg": 2.15, "ant": 1}"#,
            r#"{"txg": 2.15, "txl": 0, "ant": 1, "azi": 0, "tlt": 0, "hbw": 0, "vbw": 0, "pol": "v"}"#,
            r#"{"ant": 1, "azi": 90, "hbw": 1, "vbw": 1, "fbr": 2}"#,
            r#"{"ant": "39", "azi": 0, "hbw": "1", "vbw": "1"}"#,
            r#"{"ant": 0, "azi": 0, "hbw": 0, "vbw": 0, "fbr": 0}"#,
            r#"{"hbw": 0, "vbw": 360}"#,
            r#"{"ant": null, "azi": "", "hbw": "0", "vbw": " 0 "}"#,
        ] {
            assert_eq!(read(text).pattern, AntennaPattern::Omni, "{text}");
        }
        for text in [r#"{"ant": 39, "hbw": 1, "vbw": 1}"#, r#"{"ant": "39", "hbw": 0, "vbw": 0}"#, r#"{"ant": 39}"#] {
            let warnings = read(text).warnings;
            assert!(warnings.len() == 1 && warnings[0].contains("pattern 39 (ant) is not known"), "{text}: {warnings:?}");
        }
        assert!(read(r#"{"ant": 0, "hbw": 0, "vbw": 0}"#).warnings.is_empty());
        let sector = |text: &str| match read(text).pattern {
            AntennaPattern::Sector(sector) => [sector.horizontal_beamwidth_deg, sector.vertical_beamwidth_deg],
            other => panic!("{text}: {other:?}"),
        };
        assert_eq!(sector(r#"{"ant": 0, "hbw": 120, "vbw": 0}"#), [120.0, 360.0]);
        assert_eq!(sector(r#"{"hbw": 0, "vbw": 10}"#), [360.0, 10.0]);
        assert_eq!(sector(r#"{"hbw": -20, "vbw": 10}"#), [65.0, 10.0]);
        assert!(matches!(read(r#"{"ant": 1, "csv": "0,0,11\n180,0,-9"}"#).pattern, AntennaPattern::Table(_)));
    }

    #[test]
    fn an_empty_field_has_its_default_and_what_is_no_number_is_named() {
        let fields = ["txg", "ant", "azi", "tlt", "hbw", "vbw", "fbr", "pol", "csv"];
        let plain = read("{}");
        for key in fields {
            for empty in ["null", "\"\"", "\" \"", "\"\\t\\n\""] {
                assert_eq!(read(&format!("{{\"{key}\": {empty}}}")), plain, "{key}: {empty}");
            }
            for wrong in ["false", "true", "[]", "{}", "[5]", "\"wide\""] {
                let text = format!("{{\"{key}\": {wrong}}}");
                match AntennaRequest::from_json(&text) {
                    Ok(read) => {
                        assert_eq!((&read.pattern, read.gain_dbi, read.azimuth_deg), (&AntennaPattern::Omni, None, 0.0), "{text}");
                        assert!(read.warnings.len() == 1 && read.warnings[0].contains(key), "{text}: {:?}", read.warnings);
                    }
                    Err(error) => assert!(key == "csv" && error.to_string().contains(key), "{text}: {error}"),
                }
            }
        }
    }

    #[test]
    fn what_is_no_antenna_is_refused() {
        for text in ["", "{", "[]", "null", "7", r#"{"csv": 3}"#] {
            assert!(matches!(AntennaRequest::from_json(text), Err(AntennaRequestError::Syntax { .. })), "{text}");
        }
        let error = AntennaRequest::from_json(r#"{"csv": "0,0,1\n0,x,1"}"#).expect_err("no number").to_string();
        assert!(error.contains("line 2"), "{error}");
    }
}

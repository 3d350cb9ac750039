//! An antenna as planning tools write it in JSON, in CloudRF's words: `{txg, azi, tlt, hbw, vbw, fbr, pol}`.
//!
//! | field | unit | unless given | |
//! |---|---|---|---|
//! | `txg` | dBi | the table's, else what the request has beside the antenna | gain in the strongest direction |
//! | `azi` | degrees | 0 | clockwise from north |
//! | `tlt` | degrees | 0 | downwards |
//! | `hbw`, `vbw` | degrees | 65 | between the directions with half the power; `hbw` 360 is equal all around |
//! | `fbr` | dB | 30 | front to back |
//! | `pol` | | | not modelled |
//! | `csv` | | | a measured pattern ([`super::table`]) in place of `hbw`, `vbw` and `fbr` |
//!
//! An antenna that has none of `azi`, `hbw`, `vbw`, `fbr` and `csv` radiates equally in all directions, else it is a 3GPP sector.
//! Numbers may be text. What is out of range or unknown is changed or left out with a warning, as the reply of a planning tool has it.

use super::{AntennaPattern, PatternTable, PatternTableError, Sector};
use serde_json::{Map, Value};
use thiserror::Error;

/// Why an antenna cannot be used at all.
#[derive(Debug, Error, Clone, PartialEq)]
pub enum AntennaRequestError {
    #[error("the antenna is no JSON object with fields like txg, azi, tlt and hbw: {reason}")]
    Syntax { reason: String },
    #[error("the antenna's csv: {0}")]
    Table(#[from] PatternTableError),
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
        let csv = match reader.fields.remove("csv") {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) => Some(PatternTable::parse(&text)?),
            Some(other) => return Err(syntax(format!("csv is {other}, expected text"))),
        };
        let gain_dbi = reader.number("txg", -50.0, 60.0).or(csv.as_ref().map(PatternTable::peak_gain_dbi));
        let azimuth_deg = reader.number("azi", -360.0, 360.0).map(|degrees| degrees.rem_euclid(360.0));
        let downtilt_deg = reader.number("tlt", -90.0, 90.0).unwrap_or(0.0);
        let widths = [("hbw", 1.0, 360.0), ("vbw", 1.0, 360.0), ("fbr", 0.0, 100.0)];
        let [hbw, vbw, fbr] = widths.map(|(key, from, to)| reader.number(key, from, to));
        let standard = Sector::default();
        let pattern = match csv {
            Some(table) => AntennaPattern::Table(table),
            None if [azimuth_deg, hbw, vbw, fbr].iter().all(Option::is_none) => AntennaPattern::Omni,
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
    /// A number in the range, `None` where there is none.
    fn number(&mut self, key: &str, from: f64, to: f64) -> Option<f64> {
        let value = match self.fields.remove(key)? {
            Value::Null => return None,
            Value::Number(number) => number.as_f64(),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        };
        let Some(value) = value.filter(|v| v.is_finite()) else {
            self.warnings.push(format!("The antenna's {key} is not a number and is not used."));
            return None;
        };
        let used = value.clamp(from, to);
        if used != value {
            self.warnings.push(format!("The antenna's {key} is {value}, taken as {used}: it goes from {from} to {to}."));
        }
        Some(used)
    }

    fn leftovers(&mut self) {
        if self.fields.remove("pol").is_some_and(|pol| pol != "v" && !pol.is_null()) {
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
        let changed = read(r#"{"txg": 999, "azi": "north", "tlt": 1e300, "hbw": 0, "pol": "h", "beams": 4}"#);
        assert_eq!((changed.gain_dbi, changed.downtilt_deg), (Some(60.0), 90.0));
        let words = ["txg is 999, taken as 60", "azi is not a number", "tlt", "hbw is 0, taken as 1", "polarisation", "beams is not known"];
        assert_eq!(changed.warnings.len(), words.len(), "{:?}", changed.warnings);
        for word in words {
            assert!(changed.warnings.iter().any(|w| w.contains(word)), "{word}: {:?}", changed.warnings);
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

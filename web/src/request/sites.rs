//! Places for new transmitters that are asked for.

use super::coverage::CoverageRequest;
use super::{TransmitterRequest, scene};
use radiodiff_planning::request::{FieldError, Fields, Input, numbered};
use radiodiff_radio::scene::GeoBounds;

/// More sites than this are no plan of one map.
const MOST_SITES: u64 = 100;
/// Every candidate costs a map.
pub const MOST_CANDIDATES: usize = 5000;
/// Candidates of an area are this far apart unless the request says so, in shares of the map's side.
pub const SPACING_SHARE: f64 = 1.0 / 12.0;

/// A choice of sites that is asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct SitesRequest {
    pub candidates: CandidatePlaces,
    /// How many to choose, at least one.
    pub count: usize,
    /// Least power at the receiver that counts as covered.
    pub threshold_dbm: f64,
    /// Transmitters that are there already.
    pub existing: Vec<TransmitterRequest>,
    /// What stands at a candidate that does not say otherwise; its own place means nothing.
    pub transmitter: TransmitterRequest,
    pub plan: CoverageRequest,
}

/// A place with what stands there.
#[derive(Clone, Debug, PartialEq)]
pub struct SiteCandidate {
    /// What the site is called.
    pub name: Option<String>,
    pub transmitter: TransmitterRequest,
}

/// Where new transmitters may stand.
#[derive(Clone, Debug, PartialEq)]
pub enum CandidatePlaces {
    Given(Vec<SiteCandidate>),
    /// One in every square of `spacing_m` outdoors; `None` leaves area and spacing to the map.
    Spread {
        area: Option<GeoBounds>,
        spacing_m: Option<f64>,
    },
}

impl TryFrom<Input> for SitesRequest {
    type Error = FieldError;

    fn try_from(input: Input) -> Result<Self, FieldError> {
        let mut fields = Fields::of(input, "", "request", "an object with count and thresholdDbm")?;
        let threshold_dbm = fields.required("thresholdDbm", "threshold", "a number in dBm")?;
        let existing = match fields.take("existing") {
            Input::Missing => Vec::new(),
            Input::List(items) => {
                numbered("existing", items).map(|(path, item)| TransmitterRequest::read(&path, item)).collect::<Result<_, _>>()?
            }
            found => return Err(fields.error("existing", "transmitter", &found, "an array of transmitters")),
        };
        let transmitter = transmitter(&mut fields)?;
        Ok(Self {
            candidates: candidates(&mut fields, &transmitter)?,
            count: fields.whole("count", 1..=MOST_SITES)?.unwrap_or(1) as usize,
            threshold_dbm,
            existing,
            transmitter,
            plan: CoverageRequest::read(&mut fields)?,
        })
    }
}

fn candidates(fields: &mut Fields, transmitter: &TransmitterRequest) -> Result<CandidatePlaces, FieldError> {
    match fields.take("candidates") {
        Input::Missing => {
            let spacing_m = fields.number("spacingM", "candidates", "a length above 0 m", |value| value > 0.0)?;
            Ok(CandidatePlaces::Spread { area: scene::bounds(fields, "area")?, spacing_m })
        }
        Input::List(items) if !items.is_empty() && items.len() <= MOST_CANDIDATES => {
            let candidate = |(path, item): (String, Input)| {
                let mut fields = Fields::of(item, &path, "candidates", "an object with lng and lat")?;
                let name = match fields.take("name") {
                    Input::Missing => None,
                    Input::Text(name) => Some(name),
                    Input::Number(number) => Some(number.to_string()),
                    found => return Err(fields.error("name", "candidates", &found, "a text")),
                };
                Ok(SiteCandidate { name, transmitter: TransmitterRequest::read_like("candidates", fields, transmitter)? })
            };
            Ok(CandidatePlaces::Given(numbered("candidates", items).map(candidate).collect::<Result<_, _>>()?))
        }
        found => Err(fields.error("candidates", "candidates", &found, format!("an array of 1 to {MOST_CANDIDATES} places"))),
    }
}

/// The transmitter that stands at a candidate: all fields but its place.
fn transmitter(fields: &mut Fields) -> Result<TransmitterRequest, FieldError> {
    let mut given = match fields.take("transmitter") {
        Input::Missing => std::collections::BTreeMap::new(),
        Input::Object(given) => given,
        found => return Err(fields.error("transmitter", "transmitter", &found, "an object with fields like powerDbm")),
    };
    for side in ["lng", "lat"] {
        given.insert(side.into(), Input::Number(0.0));
    }
    TransmitterRequest::read("transmitter", Input::Object(given))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn read(request: Value) -> Result<SitesRequest, FieldError> {
        serde_json::from_value::<Input>(request).expect("any JSON is an input").try_into()
    }

    #[test]
    fn what_is_left_out_has_a_default() {
        let found = read(json!({ "thresholdDbm": "-90" })).expect("the defaults");
        assert_eq!((found.count, found.threshold_dbm, found.existing.len()), (1, -90.0, 0));
        assert_eq!(found.candidates, CandidatePlaces::Spread { area: None, spacing_m: None });
        assert_eq!(found.transmitter.power_dbm, 23.0);
        let given = json!({ "thresholdDbm": -90, "count": 3, "candidates": [{ "lng": 9, "lat": 50 }], "transmitter": { "heightM": 10 } });
        let given = read(given).expect("a request");
        assert_eq!((given.count, given.transmitter.height_m), (3, 10.0));
        let like = TransmitterRequest { lng: 9.0, lat: 50.0, ..given.transmitter.clone() };
        assert_eq!(given.candidates, CandidatePlaces::Given(vec![SiteCandidate { name: None, transmitter: like }]));
    }

    #[test]
    fn a_candidate_may_have_a_transmitter_of_its_own() {
        let request = json!({
            "thresholdDbm": -90,
            "transmitter": { "powerDbm": 30, "heightM": 10, "antenna": { "azi": 90, "txg": 8 } },
            "candidates": [
                { "lng": 9, "lat": 50, "alt": "25", "antenna": null, "name": "mast" },
                { "lng": 9, "lat": 51, "powerDbm": 17, "antennaGainDbi": 3, "roof": true },
                { "lng": 9, "lat": 52, "antenna": {} },
            ],
        });
        let read = read(request).expect("a request");
        let CandidatePlaces::Given(candidates) = read.candidates else { panic!("{:?}", read.candidates) };
        let of = |one: &SiteCandidate| {
            let SiteCandidate { name, transmitter } = one.clone();
            (name, transmitter.power_dbm, transmitter.height_m, transmitter.antenna.map(|antenna| antenna.to_string()))
        };
        let antenna = |json: &str| Some(json.to_owned());
        assert_eq!(of(&candidates[0]), (Some("mast".into()), 30.0, 25.0, antenna(r#"{"azi":90,"txg":8}"#)));
        assert_eq!(of(&candidates[1]), (None, 17.0, 10.0, antenna(r#"{"azi":90}"#)));
        assert_eq!(of(&candidates[2]), (None, 30.0, 10.0, antenna("{}")));
        assert_eq!(candidates[1].transmitter.warnings, ["candidates[1].roof is not known and not used."]);
    }

    #[test]
    fn what_cannot_be_used_is_named() {
        for (change, field) in [
            (json!({ "thresholdDbm": null }), "thresholdDbm"),
            (json!({ "count": 0 }), "count"),
            (json!({ "candidates": [] }), "candidates"),
            (json!({ "candidates": [{ "lng": 9 }] }), "candidates[0].lat"),
            (json!({ "candidates": [7] }), "candidates[0]"),
            (json!({ "candidates": [{ "lng": 9, "lat": 50, "name": [] }] }), "candidates[0].name"),
            (json!({ "candidates": [{ "lng": 9, "lat": 50, "heightM": 900 }] }), "candidates[0].heightM"),
            (json!({ "spacingM": -1 }), "spacingM"),
            (json!({ "spacingM": 0 }), "spacingM"),
            (json!({ "spacingM": "NaN" }), "spacingM"),
            (json!({ "area": { "west": 1, "south": 3, "east": 2, "north": 2 } }), "area.south"),
            (json!({ "area": { "west": 1 } }), "area.south"),
            (json!({ "existing": [{ "lng": 9 }] }), "existing[0].lat"),
            (json!({ "transmitter": { "powerDbm": "loud" } }), "transmitter.powerDbm"),
        ] {
            let mut request = json!({ "thresholdDbm": -90 });
            for (name, value) in change.as_object().expect("an object") {
                request[name] = value.clone();
            }
            let error = read(request).expect_err(field);
            assert_eq!(error.field, field);
            assert!(!field.starts_with("candidates") || ["candidates", "height"].contains(&error.code), "{}", error.code);
        }
    }
}

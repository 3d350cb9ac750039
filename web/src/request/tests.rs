//! Requests as people send them (public bug reports on form fields and undefined options): a field that says nothing is its default,
//! one that says something else than it should is an error of that field, and never 0 dBm.

use super::*;
use radiodiff_planning::coverage::Receiver;
use radiodiff_planning::raster::PlanLayer;
use radiodiff_radio::scene::GeoBounds;

/// A request with one transmitter that has these fields beside its position.
fn request(change: Value) -> Value {
    let mut transmitter = serde_json::json!({ "lng": 9.0, "lat": 50.0 });
    for (name, value) in change.as_object().expect("an object") {
        transmitter[name] = value.clone();
    }
    serde_json::json!({ "transmitters": [transmitter] })
}

/// A request for a bare transmitter with fields of its own.
fn request_with(fields: &Value) -> Value {
    let mut asked = request(serde_json::json!({}));
    for (name, value) in fields.as_object().expect("an object") {
        asked[name] = value.clone();
    }
    asked
}

fn read(value: Value) -> Result<PredictRequest, FieldError> {
    serde_json::from_value::<Input>(value).expect("any JSON is an input").try_into()
}

/// The number fields of a transmitter that have a default, with the code of their errors and how to read them.
type NumberField = (&'static str, &'static str, f64, fn(&TransmitterRequest) -> f64);
const NUMBERS: [NumberField; 5] = [
    ("heightM", "height", 1.5, |t| t.height_m),
    ("alt", "height", 1.5, |t| t.height_m),
    ("powerDbm", "power", 23.0, |t| t.power_dbm),
    ("frequencyMHz", "frequency", 5900.0, |t| t.frequency_mhz),
    ("antennaGainDbi", "antenna", 0.0, |t| t.antenna_gain_dbi),
];

#[test]
fn a_field_that_says_nothing_is_its_default() {
    for (name, _, default, of) in NUMBERS {
        for nothing in [Value::Null, "".into(), " ".into(), "\t\n".into()] {
            let found = read(request(serde_json::json!({ name: nothing }))).expect("the default");
            assert_eq!(of(&found.transmitters[0]), default, "{name} of {nothing}");
        }
    }
    let bare = read(request(serde_json::json!({}))).expect("the defaults");
    assert_eq!((bare.steps, bare.seed, bare.start, bare.method), (None, 0, 1.0, None));
    for name in ["steps", "seed", "start", "method", "interactions", "walls"] {
        for nothing in [Value::Null, "".into(), "  ".into()] {
            let mut asked = request(serde_json::json!({}));
            asked[name] = nothing;
            assert_eq!(read(asked).as_ref(), Ok(&bare), "{name}");
        }
    }
}

#[test]
fn a_number_may_be_text_that_spells_it() {
    for (name, _, _, of) in NUMBERS {
        for (text, value) in [("17", 17.0), (" 17.5 ", 17.5), ("1e2", 100.0), ("+7", 7.0)] {
            let found = read(request(serde_json::json!({ name: text }))).expect("a number");
            assert_eq!(of(&found.transmitters[0]), value, "{name} of {text}");
        }
    }
    let mut asked = request(serde_json::json!({}));
    for (name, text) in [("steps", "3"), ("seed", " 42"), ("start", "0.5")] {
        asked[name] = text.into();
    }
    let found = read(asked).expect("numbers");
    assert_eq!((found.steps, found.seed, found.start), (Some(3), 42, 0.5));
}

#[test]
fn a_field_of_another_kind_is_an_error_of_that_field() {
    let wrong = serde_json::json!([false, true, [], [23], {}, "loud", "23 dBm", "0x17", "NaN", "inf", "5,9"]);
    for (name, code, ..) in NUMBERS {
        for value in wrong.as_array().expect("a list") {
            let error = read(request(serde_json::json!({ name: value }))).expect_err("an error");
            assert_eq!((error.code, error.field.as_str()), (code, format!("transmitters[0].{name}").as_str()), "{name} of {value}");
        }
    }
    for name in ["steps", "seed", "start", "method", "interactions", "walls"] {
        for value in wrong.as_array().expect("a list") {
            let mut asked = request(serde_json::json!({}));
            asked[name] = value.clone();
            let error = read(asked).expect_err("an error");
            assert_eq!((error.code, error.field.as_str()), (name, name), "{name} of {value}");
        }
    }
}

#[test]
fn numbers_that_are_not_finite_or_out_of_range_are_errors() {
    let with = |name: &str, value: f64| {
        let fields = [("lng", 9.0), ("lat", 50.0), (name, value)].map(|(name, value)| (name.to_owned(), Input::Number(value)));
        let list = Input::List(vec![Input::Object(fields.into())]);
        PredictRequest::try_from(Input::Object([("transmitters".to_owned(), list)].into()))
    };
    for (name, code) in [
        ("lng", "transmitter"),
        ("lat", "transmitter"),
        ("powerDbm", "power"),
        ("frequencyMHz", "frequency"),
        ("antennaGainDbi", "antenna"),
    ] {
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let error = with(name, value).expect_err("an error");
            assert_eq!(error.code, code, "{name} of {value}");
        }
    }
    assert_eq!(
        with("powerDbm", 1e39).expect_err("no Float32").to_string(),
        format!("transmitters[0].powerDbm is {}, expected a number from -200 to 200 dBm", 1e39)
    );
    for (name, values) in
        [("steps", vec![0.0, -1.0, 1.5, 1001.0]), ("seed", vec![-1.0, 0.5, 2f64.powi(53)]), ("start", vec![0.0, 1.1, -0.5])]
    {
        for value in values {
            let mut asked = request(serde_json::json!({}));
            asked[name] = value.into();
            assert_eq!(read(asked).expect_err("out of range").code, name, "{value}");
        }
    }
    let mut least = request(serde_json::json!({}));
    least["start"] = 0.0001.into();
    assert_eq!(read(least).map(|request| request.start), Ok(MIN_TIME));
}

#[test]
fn a_position_has_no_default() {
    for name in ["lng", "lat"] {
        for value in serde_json::json!([null, "", " ", false, [], {}, "here"]).as_array().expect("a list") {
            let error = read(request(serde_json::json!({ name: value }))).expect_err("no place");
            assert_eq!((error.code, error.field), ("transmitter", format!("transmitters[0].{name}")), "{value}");
        }
    }
    let error = read(request(serde_json::json!({ "lat": "" }))).expect_err("no place");
    assert_eq!(error.to_string(), "transmitters[0].lat is missing, expected a latitude in degrees");
}

#[test]
fn what_is_no_list_of_transmitters_is_refused() {
    for transmitters in serde_json::json!([null, "here", [], {}, 3, false]).as_array().expect("a list") {
        let error = read(serde_json::json!({ "transmitters": transmitters })).expect_err("no list");
        assert_eq!((error.code, error.field.as_str()), ("transmitter", "transmitters"), "{transmitters}");
    }
    for transmitter in serde_json::json!([null, "here", [9.0, 50.0], 3, false]).as_array().expect("a list") {
        let error = read(serde_json::json!({ "transmitters": [{ "lng": 9, "lat": 50 }, transmitter] })).expect_err("no transmitter");
        assert_eq!((error.code, error.field.as_str()), ("transmitter", "transmitters[1]"), "{transmitter}");
    }
    assert_eq!(read(Value::Null).expect_err("no request").code, "request");
}

#[test]
fn an_antenna_is_an_object_or_nothing_and_fields_nobody_knows_are_told() {
    for nothing in [Value::Null, "".into()] {
        assert_eq!(read(request(serde_json::json!({ "antenna": nothing }))).expect("omni").transmitters[0].antenna, None);
    }
    // Numbers are JavaScript's, so 90.0 is 90; an antenna's `ant` is a name, which a warning says as it was written.
    let antenna = serde_json::json!({ "azi": 90.0, "ant": 39, "csv": null });
    let expected = serde_json::json!({ "azi": 90, "ant": 39, "csv": null });
    assert_eq!(
        read(request(serde_json::json!({ "antenna": antenna }))).expect("an antenna").transmitters[0].antenna,
        Some(expected.into())
    );
    for wrong in serde_json::json!(["yagi", false, [], 3]).as_array().expect("a list") {
        assert_eq!(read(request(serde_json::json!({ "antenna": wrong }))).expect_err("no antenna").code, "antenna");
    }
    let told = read(request(serde_json::json!({ "powerDBm": 30 }))).expect("the default power");
    assert_eq!(told.transmitters[0].warnings, ["transmitters[0].powerDBm is not known and not used."]);
}

#[test]
fn a_number_of_an_antenna_that_is_not_finite_is_not_passed_over() {
    let antenna = Value::from(Input::Object([("hbw".to_owned(), Input::Number(f64::NAN)), ("azi".to_owned(), Input::Number(90.0))].into()));
    let read = radiodiff_radio::propagation::AntennaRequest::from_json(&antenna.to_string()).expect("an antenna");
    assert!(read.azimuth_deg == 90.0 && read.warnings.iter().any(|warning| warning.contains("hbw")), "{:?}", read.warnings);
}

#[test]
fn bounds_are_four_sides_or_nothing() {
    let scene =
        |bounds: Value| SceneRequest::try_from(serde_json::from_value::<Input>(serde_json::json!({ "bounds": bounds })).expect("an input"));
    for nothing in [Value::Null, "".into()] {
        assert_eq!(scene(nothing), Ok(SceneRequest { bounds: None, meters_per_pixel: None, building_height_m: 25.0 }));
    }
    let bounds = Some(GeoBounds { west: 9.0, south: 50.0, east: 9.1, north: 50.1 });
    assert_eq!(
        scene(serde_json::json!({ "west": "9", "south": 50, "east": 9.1, "north": 50.1 })),
        Ok(SceneRequest { bounds, meters_per_pixel: None, building_height_m: 25.0 })
    );
    for wrong in serde_json::json!([[9, 50, 9.1, 50.1], false, {}, "everywhere", { "west": 9, "south": 50, "east": 9.1, "north": null }])
        .as_array()
        .expect("a list")
    {
        assert_eq!(scene(wrong.clone()).expect_err("no bounds").code, "bounds", "{wrong}");
    }
    let error = scene(serde_json::json!({ "west": 9 })).expect_err("one side");
    assert_eq!(error.to_string(), "bounds.south is missing, expected degrees");
}

#[test]
fn a_request_that_never_ends_is_refused() {
    let mut deep = Value::Null;
    for _ in 0..100 {
        deep = serde_json::json!([deep]);
    }
    assert!(serde_json::from_value::<Input>(deep).expect_err("too deep").to_string().contains("nested"));
}

#[test]
fn a_plan_has_defaults_and_its_fields_are_checked_one_by_one() {
    let plan = |change: Value| read(request_with(&change));
    let bare = plan(serde_json::json!({})).expect("the defaults");
    assert_eq!((bare.samples, bare.plan.receiver, bare.plan.threshold_dbm), (1, Receiver::default(), None));
    for nothing in [Value::Null, "".into()] {
        let all = serde_json::json!({ "samples": nothing, "receiver": nothing, "layers": nothing, "thresholdDbm": nothing });
        assert_eq!(plan(all).as_ref(), Ok(&bare));
    }
    let asked = serde_json::json!({
        "samples": "3", "layers": ["sinr", "best-server", "sinr"], "thresholdDbm": " -95",
        "receiver": { "noiseFloorDbm": "-100", "bandwidthMHz": null, "rxg": 2 },
    });
    let found = plan(asked).expect("a plan");
    assert_eq!((found.samples, found.plan.threshold_dbm), (3, Some(-95.0)));
    assert_eq!(found.plan.layers, [PlanLayer::Sinr, PlanLayer::BestServer]);
    assert_eq!(found.plan.receiver, Receiver { noise_floor_dbm: Some(-100.0), ..Receiver::default() });
    assert_eq!(found.plan.warnings, ["receiver.rxg is not known and not used."]);
    for (change, code, field) in [
        (serde_json::json!({ "samples": 0 }), "samples", "samples"),
        (serde_json::json!({ "layers": "sinr" }), "layers", "layers"),
        (serde_json::json!({ "layers": ["sinr", "delay"] }), "layers", "layers[1]"),
        (serde_json::json!({ "thresholdDbm": false }), "threshold", "thresholdDbm"),
        (serde_json::json!({ "receiver": "phone" }), "receiver", "receiver"),
        (serde_json::json!({ "receiver": { "bandwidthMHz": 0 } }), "receiver", "receiver.bandwidthMHz"),
        (serde_json::json!({ "receiver": { "noiseFloorDbm": [] } }), "receiver", "receiver.noiseFloorDbm"),
    ] {
        let error = plan(change.clone()).expect_err("an error");
        assert_eq!((error.code, error.field.as_str()), (code, field), "{change}");
    }
}

#[test]
fn rays_are_traced_by_the_fields_that_a_request_says() {
    let rays = |change: Value| read(request_with(&change)).map(|found| found.rays);
    let said = |change: Value| rays(change).expect("rays").said().collect::<Vec<_>>();
    assert_eq!(rays(serde_json::json!({})), Ok(RayRequest { interactions: None, walls: None }));
    assert_eq!(said(serde_json::json!({})), Vec::<&str>::new());
    for most in 0..=4 {
        assert_eq!(rays(serde_json::json!({ "interactions": most })), Ok(RayRequest { interactions: Some(most), walls: None }));
    }
    for walls in WallMaterial::ALL {
        let found = rays(serde_json::json!({ "interactions": " 3", "walls": walls.name() }));
        assert_eq!(found, Ok(RayRequest { interactions: Some(3), walls: Some(walls) }));
    }
    assert_eq!(said(serde_json::json!({ "walls": "metal" })), ["walls"]);
    assert_eq!(said(serde_json::json!({ "interactions": 0, "walls": "metal" })), ["interactions", "walls"]);
    for (field, value, message) in [
        ("interactions", Value::from(5), "interactions is 5, expected a whole number from 0 to 4"),
        ("interactions", (-1).into(), "interactions is -1, expected a whole number from 0 to 4"),
        ("interactions", 1.5.into(), "interactions is 1.5, expected a whole number from 0 to 4"),
        ("walls", "straw".into(), r#"walls is "straw", expected "brick" or "concrete" or "glass" or "stone" or "wood" or "metal""#),
    ] {
        let error = rays(serde_json::json!({ field: value })).expect_err("an error");
        assert_eq!((error.code, error.to_string().as_str()), (field, message));
    }
}

#[test]
fn heights_of_transmitters_and_receivers_are_in_range_or_errors() {
    for height_m in [0.5, 1.5, 24.0, 200.0] {
        for name in ["heightM", "alt"] {
            let mut asked = request(serde_json::json!({ name: height_m }));
            asked["receiver"] = serde_json::json!({ name: height_m });
            let found = read(asked).expect("heights");
            assert_eq!((found.transmitters[0].height_m, found.plan.receiver_height_m), (height_m, height_m));
        }
    }
    for wrong in serde_json::json!([0, -3, 0.4, 200.1, 10_000, "12 m", "3;4", [], false]).as_array().expect("a list") {
        for name in ["heightM", "alt"] {
            let error = read(request(serde_json::json!({ name: wrong }))).expect_err("no height");
            assert_eq!((error.code, error.field.as_str()), ("height", format!("transmitters[0].{name}").as_str()), "{wrong}");
            let mut asked = request(serde_json::json!({}));
            asked["receiver"] = serde_json::json!({ name: wrong });
            let error = read(asked).expect_err("no height");
            assert_eq!((error.code, error.field.as_str()), ("height", format!("receiver.{name}").as_str()), "{wrong}");
        }
    }
    let tall = SceneRequest::try_from(serde_json::from_value::<Input>(serde_json::json!({ "buildingHeightM": "9" })).expect("an input"));
    assert_eq!(tall.map(|scene| scene.building_height_m), Ok(9.0));
}

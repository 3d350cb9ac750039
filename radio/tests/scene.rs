//! Scenes from GeoJSON, as users have it and as it goes wrong.

use geo::Coord;
use radiodiff_radio::scene::{GeoBounds, Grid, ImportOptions, LocalFrame, PlacementError, Scene, SceneError, Transmitter, import};

const CENTER: Coord<f64> = Coord { x: 24.94, y: 60.17 };

/// A ring in metres from the grid's south-west corner, as GeoJSON coordinates.
fn ring(points: &[[f64; 2]]) -> String {
    let frame = LocalFrame::centered(CENTER, Grid::default());
    let degrees: Vec<String> = points
        .iter()
        .map(|&[x, y]| {
            let c = frame.to_degrees(Coord { x, y });
            format!("[{:.9},{:.9}]", c.x, c.y)
        })
        .collect();
    format!("[{}]", degrees.join(","))
}

fn square(x: f64, y: f64, side: f64) -> String {
    ring(&[[x, y], [x + side, y], [x + side, y + side], [x, y + side], [x, y]])
}

fn feature(geometry: &str, properties: &str) -> String {
    format!(r#"{{"type":"Feature","geometry":{geometry},"properties":{properties}}}"#)
}

fn polygon(rings: &[String]) -> String {
    format!(r#"{{"type":"Polygon","coordinates":[{}]}}"#, rings.join(","))
}

fn collection(features: &[String]) -> String {
    format!(r#"{{"type":"FeatureCollection","features":[{}]}}"#, features.join(","))
}

fn options() -> ImportOptions {
    let bounds = LocalFrame::centered(CENTER, Grid::default()).bounds();
    ImportOptions { bounds: Some(bounds), ..ImportOptions::default() }
}

fn built(scene: &Scene) -> usize {
    scene.mask.pixels.iter().filter(|&&p| p != 0).count()
}

#[test]
fn polygons_with_holes_heights_and_any_winding() {
    let clockwise = ring(&[[100.0, 100.0], [100.0, 120.0], [120.0, 120.0], [120.0, 100.0], [100.0, 100.0]]);
    let hole = square(105.0, 105.0, 10.0);
    let multi = format!(r#"{{"type":"MultiPolygon","coordinates":[[{}],[{}]]}}"#, square(10.0, 10.0, 10.0), square(30.0, 10.0, 10.0));
    let text = collection(&[
        feature(&polygon(&[clockwise, hole]), r#"{"height":"12.5 m","building:levels":4}"#),
        feature(&multi, "{}"),
        feature(r#"{"type":"Point","coordinates":[24.94,60.17]}"#, r#"{"name":"a tree"}"#),
    ]);
    let imported = import(text.as_bytes(), &options()).expect("three buildings");
    assert_eq!(imported.scene.buildings.len(), 3);
    assert_eq!((imported.scene.buildings[0].height_m, imported.scene.buildings[0].levels), (Some(12.5), Some(4.0)));
    assert_eq!(built(&imported.scene), 20 * 20 - 10 * 10 + 2 * 100);
    assert!(imported.scene.mask.is_building(255 - 101, 101) && !imported.scene.mask.is_building(255 - 110, 110), "row 0 is north");
    let warnings = imported.report.warnings();
    assert_eq!(warnings.len(), 1);
    assert!(warnings[0].contains("feature 2 (a tree)"), "{}", warnings[0]);
}

#[test]
fn touching_buildings_leave_no_gap() {
    let shared = |x| feature(&polygon(&[ring(&[[20.0, 20.0], [x, 20.3], [x, 71.9], [20.0, 80.0], [20.0, 20.0]])]), "{}");
    let left = feature(&polygon(&[ring(&[[20.0, 20.0], [60.5, 20.0], [50.5, 80.0], [20.0, 80.0], [20.0, 20.0]])]), "{}");
    let right = feature(&polygon(&[ring(&[[60.5, 20.0], [90.0, 20.0], [90.0, 80.0], [50.5, 80.0], [60.5, 20.0]])]), "{}");
    let whole = feature(&polygon(&[ring(&[[20.0, 20.0], [90.0, 20.0], [90.0, 80.0], [20.0, 80.0], [20.0, 20.0]])]), "{}");
    let mask = |features: &[String]| import(collection(features).as_bytes(), &options()).expect("buildings").scene.mask;
    assert_eq!(mask(&[left, right]), mask(&[whole]));
    assert!(mask(&[shared(70.0)]).pixels.iter().any(|&p| p != 0));
}

#[test]
fn a_crossing_outline_is_repaired_and_named() {
    let bow_tie = ring(&[[50.0, 50.0], [90.0, 90.0], [90.0, 50.0], [50.0, 90.0], [50.0, 50.0]]);
    let imported = import(collection(&[feature(&polygon(&[bow_tie]), r#"{"name":"bow tie"}"#)]).as_bytes(), &options()).expect("repaired");
    let warnings = imported.report.warnings();
    assert!(warnings.iter().any(|w| w.contains("bow tie") && w.contains("crosses")), "{warnings:?}");
    let area = built(&imported.scene) as f64;
    assert!((area - 800.0).abs() < 40.0, "two triangles of 400 m2, found {area}");
}

#[test]
fn bad_files_say_what_is_wrong() {
    let far = ImportOptions { bounds: Some(GeoBounds { west: 2.0, south: 48.0, east: 2.01, north: 48.01 }), ..options() };
    let building = collection(&[feature(&polygon(&[square(10.0, 10.0, 20.0)]), "{}")]);
    assert!(matches!(import(b"{\"type\": \"Feat", &options()), Err(SceneError::Syntax { .. })));
    assert!(matches!(import(b"", &options()), Err(SceneError::Format { .. })));
    assert!(matches!(import(collection(&[]).as_bytes(), &options()), Err(SceneError::NoBuilding { .. })));
    let error = import(building.as_bytes(), &far).expect_err("the map is elsewhere");
    assert!(matches!(error, SceneError::OutsideBounds { .. }) && error.to_string().contains("24.9"), "{error}");
    let reversed = ImportOptions { bounds: Some(GeoBounds { west: 3.0, south: 48.0, east: 2.0, north: f64::NAN }), ..options() };
    assert!(matches!(import(building.as_bytes(), &reversed), Err(SceneError::Bounds { .. })));
    for ([west, south, east, north], advice) in [
        ([2.0, 49.0, 3.0, 48.0], "south has to be less than north: exchange them"),
        ([3.0, 48.0, 2.0, 49.0], "west has to be less than east: exchange them"),
        ([3.0, 49.0, 2.0, 48.0], "exchange both"),
        ([2.0, 48.0, 2.0, 49.0], "give two different corners"),
        ([48.0, 102.0, 49.0, 103.0], "have the two been exchanged?"),
    ] {
        let asked = ImportOptions { bounds: Some(GeoBounds { west, south, east, north }), ..options() };
        let error = import(building.as_bytes(), &asked).expect_err("no bounds").to_string();
        assert!(error.contains(advice), "{error}");
    }
    for bad in ["[[0,0],[1,1],[0,0]]", "[[500,0],[501,0],[501,1],[500,0]]", "[[1e400,0],[1,0],[1,1],[1e400,0]]", "[[1],[2],[3],[1]]", "[]"]
    {
        let outcome = import(collection(&[feature(&polygon(&[bad.into()]), "{}")]).as_bytes(), &options());
        assert!(matches!(outcome, Err(SceneError::NoBuilding { .. } | SceneError::Syntax { .. })), "{bad}: {outcome:?}");
    }
}

/// Every text made by cutting or damaging a good one is answered, never panicked on.
#[test]
fn damaged_files_never_panic() {
    let good = collection(&[
        feature(&polygon(&[square(10.0, 10.0, 40.0), square(20.0, 20.0, 10.0)]), r#"{"height":3}"#),
        feature(&polygon(&[ring(&[[50.0, 50.0], [90.0, 90.0], [90.0, 50.0], [50.0, 90.0], [50.0, 50.0]])]), "{}"),
    ]);
    for cut in 0..good.len() {
        let _ = import(&good.as_bytes()[..cut], &options());
    }
    for position in (0..good.len()).step_by(3) {
        for replacement in [b'9', b'-', b'[', b'"', b'e'] {
            let mut bytes = good.clone().into_bytes();
            bytes[position] = replacement;
            let _ = import(&bytes, &options());
        }
    }
}

#[test]
fn transmitters_are_placed_outdoors() {
    let scene =
        import(collection(&[feature(&polygon(&[square(100.0, 100.0, 20.0)]), "{}")]).as_bytes(), &options()).expect("one building").scene;
    let outdoors = scene.place_transmitter(Transmitter::at(50.0, 50.0)).expect("outdoors");
    assert_eq!((outdoors.moved_m, outdoors.transmitter.position), (None, Coord { x: 50.0, y: 50.0 }));
    let moved = scene.place_transmitter(Transmitter::at(102.3, 110.2)).expect("moved");
    assert!(moved.moved_m.is_some_and(|d| d < 4.0) && moved.transmitter.position.x < 100.0, "{moved:?}");
    assert!(matches!(scene.place_transmitter(Transmitter::at(-3.0, 20.0)), Err(PlacementError::Outside { .. })));
    assert!(matches!(scene.place_transmitter(Transmitter::at(256.0, 20.0)), Err(PlacementError::Outside { .. })));
    assert!(matches!(scene.place_transmitter(Transmitter::at(f64::NAN, 20.0)), Err(PlacementError::NotFinite { .. })));
}

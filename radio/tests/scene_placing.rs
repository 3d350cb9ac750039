//! Where scene import puts the map, and large outlines.

mod village;

use geo::Coord;
use radiodiff_radio::scene::{FindingKind, GeoBounds, Grid, ImportOptions, LocalFrame, import};
use serde_json::{Value, json};
use std::f64::consts::TAU;
use village::{CENTER, collection, houses, kinds, open, read, rectangle, ring, village};

#[test]
fn the_map_stands_where_most_buildings_are() {
    let stray = |ring: Value| {
        let mut features = village();
        features
            .insert(0, json!({"type": "Feature", "properties": {"name": "stray"}, "geometry": {"type": "Polygon", "coordinates": [ring]}}));
        read(&collection(&features))
    };
    let alone = read(&collection(&village()));
    for ring in [
        rectangle(400.0, 0.0, 10.0, 10.0),
        rectangle(3_000.0, 0.0, 10.0, 10.0),
        rectangle(0.0, -700_000.0, 10.0, 10.0),
        json!([[0.0, 0.0], [0.0001, 0.0], [0.0001, 0.0001], [0.0, 0.0]]),
        json!([[-179.99, -60.0], [-179.9899, -60.0], [-179.9899, -59.9999], [-179.99, -60.0]]),
    ] {
        let imported = stray(ring.clone());
        assert_eq!(imported.scene.bounds, alone.scene.bounds, "{ring}");
        assert_eq!(imported.scene.mask, alone.scene.mask, "{ring}");
        let warnings = imported.report.warnings().join("; ");
        assert!(warnings.contains("feature 0 (stray) lies outside the map") && warnings.contains(" km "), "{warnings}");
        assert_eq!(imported.report.clusters.iter().map(|cluster| cluster.buildings).collect::<Vec<_>>(), [16, 1], "{ring}");
    }
    // Given bounds count, whatever lies elsewhere.
    let bounds = LocalFrame::centered(Coord { x: 24.94 + 0.054, y: 60.17 }, Grid::default()).bounds();
    let mut features = village();
    features.push(json!({"type": "Polygon", "coordinates": [rectangle(3_000.0, 0.0, 10.0, 10.0)]}));
    let there = import(collection(&features).to_string().as_bytes(), &ImportOptions { bounds: Some(bounds), ..ImportOptions::default() });
    let there = there.expect("the barn");
    assert_eq!((there.scene.buildings.len(), there.report.warnings().len()), (1, 1));
    assert_eq!(there.report.warnings()[0], "16 of 17 buildings lie outside the map and are not used");
}

#[test]
fn a_map_that_reaches_far_beyond_the_buildings_is_told() {
    let told = |features: &[Value], size: usize| {
        let options = ImportOptions { grid: Grid { size, meters_per_pixel: 1.0 }, ..ImportOptions::default() };
        import(collection(features).to_string().as_bytes(), &options).expect("houses").report.warnings()
    };
    let warnings = told(&village(), 1000);
    assert!(
        matches!(&warnings[..], [one] if one.starts_with("all buildings stand within ") && one.contains(" m of a map of 1000 x 1000 m; if the file ends")),
        "{warnings:?}"
    );
    assert!(told(&village(), 256).is_empty(), "the village fills its map");
    assert!(told(&village()[..9], 1000).is_empty(), "a hamlet may be all there is");
    let mut corners = village();
    corners.extend([-300.0, 300.0].map(|m| json!({"type": "Polygon", "coordinates": [rectangle(m, m, 10.0, 10.0)]})));
    assert!(told(&corners, 800).is_empty(), "the file reaches to the map's corners");
}

#[test]
fn a_town_around_an_empty_middle_is_not_an_empty_map() {
    let around = (0..120).map(|i| {
        let (sin, cos) = (TAU * f64::from(i) / 120.0).sin_cos();
        json!({"type": "Polygon", "coordinates": [rectangle(1_500.0 * cos, 1_500.0 * sin, 12.0, 10.0)]})
    });
    let imported = read(&collection(&around.collect::<Vec<_>>()));
    assert!(imported.scene.buildings.len() >= 3, "{}", imported.scene.buildings.len());
    assert!(kinds(&imported).contains(&FindingKind::Placed));
}

#[test]
fn villages_on_the_antimeridian_are_one_piece() {
    let shifted = |longitude: f64, written: fn(f64) -> f64| {
        let mut document = collection(&village());
        for feature in document["features"].as_array_mut().expect("features") {
            for position in feature["geometry"]["coordinates"][0].as_array_mut().expect("a ring") {
                let x = position[0].as_f64().expect("a number") - CENTER.x + longitude;
                position[0] = json!(written(x));
            }
        }
        read(&document)
    };
    let wrapped = shifted(180.0, |x| if x > 180.0 { x - 360.0 } else { x });
    let beyond = shifted(180.0, |x| x);
    let below = shifted(-180.0, |x| x);
    for imported in [&wrapped, &beyond, &below] {
        assert_eq!((houses(imported), imported.scene.buildings.len()), (16.0, 16), "{:?}", imported.report.warnings());
        assert!(imported.report.findings.is_empty(), "{:?}", imported.report.warnings());
    }
    // Bounds across the antimeridian have their west in the east.
    let bounds = GeoBounds { west: 179.997, south: 60.168, east: -179.997, north: 60.172 };
    let document =
        json!({"type": "Polygon", "coordinates": [[[179.9999, 60.17], [-179.9999, 60.17], [-179.9999, 60.1701], [179.9999, 60.17]]]});
    let imported = import(document.to_string().as_bytes(), &ImportOptions { bounds: Some(bounds), ..ImportOptions::default() });
    assert_eq!(imported.expect("one house").scene.buildings.len(), 1);
}

/// A star-shaped outline with many corners.
fn many_corners(x: f64, y: f64, radius_m: f64, corners: u32) -> Value {
    let corner = |i: u32| {
        let (sin, cos) = (TAU * f64::from(i) / f64::from(corners)).sin_cos();
        let radius = radius_m * if i.is_multiple_of(2) { 1.0 } else { 0.97 };
        (x + radius * cos, y + radius * sin)
    };
    ring(&(0..corners).map(corner).collect::<Vec<_>>())
}

#[test]
fn outlines_of_twenty_thousand_corners_are_read_and_repaired() {
    let with = |ring: Value| {
        let mut features = village();
        features.push(json!({"type": "Feature", "properties": {}, "geometry": {"type": "Polygon", "coordinates": [ring]}}));
        open(&collection(&features).to_string()).expect("a village")
    };
    assert_eq!(houses(&with(many_corners(3_000.0, 0.0, 800.0, 20_000))), 16.0);
    assert_eq!(with(many_corners(0.0, 0.0, 120.0, 20_000)).report.findings, []);
    // A corner out of place makes the outline cross itself thousands of times.
    let mut crossed = many_corners(0.0, 0.0, 120.0, 20_000);
    crossed.as_array_mut().expect("a ring").swap(100, 15_000);
    assert_eq!(kinds(&with(crossed)), [FindingKind::Crossing]);
}

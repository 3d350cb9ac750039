//! Files as people have them, after public bug reports: what scene import makes of each.
//!
//! These tests need the reference data and are skipped without it. The kinds they stand for are tested with inputs of their own in
//! radio/tests/scene_import.rs and scene_placing.rs.

use radiodiff_radio::scene::{FindingKind, ImportOptions, Imported, SceneError, antennas_from_json, import};
use radiodiff_tests::shared_data;
use std::path::{Path, PathBuf};

/// The sound village: 24 houses of 20 m x 14 m; without one of them.
const WHOLE: usize = 6_720;
const WITHOUT_ONE: usize = 6_440;

fn cases() -> PathBuf {
    shared_data().join("cases")
}

fn read(cases: &Path, file: &str) -> Result<Imported, SceneError> {
    let bytes = std::fs::read(cases.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
    import(&bytes, &ImportOptions::default())
}

fn built(imported: &Imported) -> usize {
    imported.scene.mask.pixels.iter().filter(|&&pixel| pixel != 0).count()
}

#[test]
#[cfg_attr(not(reference_data), ignore = "needs the reference data (RADIODIFF_SHARED)")]
fn villages_are_drawn_and_what_is_odd_is_named() {
    let cases = cases();
    // The file, its built pixels, and what a warning has to say; nothing where there is nothing to warn of.
    for (file, pixels, words) in [
        ("base/village.geojson", WHOLE, ""),
        ("g01-null-coordinates/mixed-2d-3d.geojson", WHOLE, ""),
        ("g01-null-coordinates/null-z.geojson", WHOLE, ""),
        ("g01-null-coordinates/null-corner.geojson", WITHOUT_ONE, "feature 7 (Bakery)"),
        ("g01-null-coordinates/null-ring.geojson", WITHOUT_ONE, "feature 7 (Bakery)"),
        ("g02-properties-array/all.geojson", WHOLE, ""),
        ("g02-properties-array/one.geojson", WHOLE, ""),
        ("g02-properties-array/text.geojson", WHOLE, ""),
        ("g03-empty-geometry/array.geojson", WITHOUT_ONE, "feature 7"),
        ("g03-empty-geometry/missing.geojson", WITHOUT_ONE, "feature 7"),
        ("g03-empty-geometry/no-type.geojson", WITHOUT_ONE, "feature 7"),
        ("g03-empty-geometry/null.geojson", WITHOUT_ONE, "feature 7"),
        ("g03-empty-geometry/object.geojson", WITHOUT_ONE, "feature 7"),
        ("g03-empty-geometry/text.geojson", WITHOUT_ONE, "feature 7"),
        ("g04-text-coordinates/all.geojson", WHOLE, "24 features have coordinates written as text"),
        ("g04-text-coordinates/one.geojson", WHOLE, "feature 7 (Bakery)"),
        ("g05-byte-order-mark/latin1.geojson", WHOLE, "Latin-1"),
        ("g05-byte-order-mark/utf16-le.geojson", WHOLE, ""),
        ("g05-byte-order-mark/utf8-bom.geojson", WHOLE, ""),
        ("g06-feature-a-line/array-of-features.json", WHOLE, ""),
        ("g06-feature-a-line/collections.geojsonl", WHOLE, ""),
        ("g06-feature-a-line/features.geojsonl", WHOLE, ""),
        ("g06-feature-a-line/rfc8142.geojsons", WHOLE, ""),
        ("g10-outlier/null-island.geojson", WHOLE, "feature 24 (no place) lies outside the map"),
        ("g10-outlier/one-far-barn.geojson", WHOLE, "1 building 3.0 km east"),
        ("g10-outlier/two-villages.geojson", WHOLE, "24 buildings 2.2 km east"),
        ("g11-not-above-ground/boundary.geojson", WHOLE, "feature 24 (relation/906) is tagged as something else"),
        ("g11-not-above-ground/everything.geojson", WHOLE, "features 24 (Municipal park, way/902) and 25 (way/903)"),
        ("g11-not-above-ground/roof-and-no.geojson", WHOLE, "feature 25 (way/905) is a roof"),
        ("g11-not-above-ground/underground.geojson", WHOLE, "feature 24 (car park, way/901) lies underground"),
        ("g19-empty-parts/collection-empty.geojson", WITHOUT_ONE, "feature 7"),
        ("g19-empty-parts/multipolygon-empty-then-part.geojson", WHOLE, ""),
        ("g19-empty-parts/multipolygon-ogr2ogr.geojson", WITHOUT_ONE, "feature 7"),
        ("g19-empty-parts/polygon-empty.geojson", WITHOUT_ONE, "feature 7"),
        ("g19-empty-parts/polygon-with-empty-hole.geojson", WHOLE, ""),
        ("g20-shapes-of-documents/bare-multipolygon.geojson", WHOLE, ""),
        ("g20-shapes-of-documents/bbox-text.geojson", WHOLE, ""),
        ("g20-shapes-of-documents/curve-polygon.geojson", WITHOUT_ONE, "feature 7"),
        ("g20-shapes-of-documents/feature-without-type.geojson", WHOLE, "feature 7"),
        ("g20-shapes-of-documents/id-float.geojson", WHOLE, ""),
        ("g20-shapes-of-documents/id-null.geojson", WHOLE, ""),
        ("g20-shapes-of-documents/id-oid.geojson", WHOLE, ""),
        ("g20-shapes-of-documents/id-true.geojson", WHOLE, ""),
        ("g20-shapes-of-documents/multipolygon-too-flat.geojson", WITHOUT_ONE, "feature 7"),
        ("g20-shapes-of-documents/polygon-too-deep.geojson", WITHOUT_ONE, "feature 7"),
        ("g20-shapes-of-documents/trailing-comma.geojson", WHOLE, "commas too many"),
        ("p09-same-file-again/site.geojson", WHOLE, ""),
    ] {
        let imported = read(&cases, file).unwrap_or_else(|error| panic!("{file}: {error}"));
        let warnings = imported.report.warnings();
        assert_eq!(built(&imported), pixels, "{file}: {warnings:?}");
        if words.is_empty() {
            assert!(warnings.is_empty(), "{file}: {warnings:?}");
        } else {
            assert!(warnings.iter().any(|warning| warning.contains(words)), "{file}: {warnings:?}");
        }
    }
}

#[test]
#[cfg_attr(not(reference_data), ignore = "needs the reference data (RADIODIFF_SHARED)")]
fn a_city_gives_the_same_map_in_every_format() {
    let cases = cases();
    let plain = read(&cases, "t10-city-files/gz.geojson.gz").expect("packed GeoJSON");
    // The same city: packed, as extracts, and with an underground car park under all of it.
    for file in [
        "t10-city-files/extract.osm.bz2",
        "t10-city-files/extract.osm.pbf",
        "t10-city-files/EXTRACT.OSM.PBF",
        "g11-not-above-ground/city-with-garage.geojson",
        "g11-not-above-ground/city-with-garage.osm.pbf",
    ] {
        let imported = read(&cases, file).unwrap_or_else(|error| panic!("{file}: {error}"));
        let differ = imported.scene.mask.pixels.iter().zip(&plain.scene.mask.pixels).filter(|(a, b)| a != b).count();
        assert_eq!(differ, 0, "{file}");
        let underground = imported.report.findings.iter().filter(|finding| finding.kind == FindingKind::Underground);
        assert_eq!(underground.map(|finding| finding.count).sum::<usize>(), usize::from(file.contains("garage")), "{file}");
    }
    let error = read(&cases, "t10-city-files/cut.osm.pbf").expect_err("a cut extract").to_string();
    assert!(error.contains("OpenStreetMap PBF") && error.contains("complete"), "{error}");
}

#[test]
#[cfg_attr(not(reference_data), ignore = "needs the reference data (RADIODIFF_SHARED)")]
fn antennas_are_read_where_the_numbers_are_there() {
    let cases = cases();
    for (file, readable) in [
        ("bom", true),
        ("crlf", true),
        ("floats", true),
        ("numpy", true),
        ("objects", true),
        ("text", true),
        ("three", true),
        ("nan", false),
        ("empty", false),
    ] {
        let path = cases.join("t09-json/antenna-variants").join(file).with_extension("json");
        let text = std::fs::read_to_string(&path).expect("a text");
        let positions = antennas_from_json(&text).ok().map(|positions| positions.iter().map(|at| (at.x, at.y)).collect::<Vec<_>>());
        assert_eq!(positions, readable.then(|| vec![(8.5, 250.5), (128.5, 150.5)]), "{file}");
    }
}

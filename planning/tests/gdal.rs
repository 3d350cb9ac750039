//! Exported files as GDAL reads them, the library under QGIS, ArcGIS and most others.

// Clippy allows unwrap in #[test] functions only; the helpers here are as much tests.
#![allow(clippy::unwrap_used)]

mod common;

use common::{BOUNDS, hills, options};
use radiodiff_planning::export::{ExportFormat, export};
use radiodiff_planning::raster::PlanLayer;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Writes the layer to a folder; returns the main file's path.
fn written(folder: &Path, format: ExportFormat) -> PathBuf {
    let files = export(&hills(21, 50, PlanLayer::ReceivedPower), format, &options(), "map").unwrap();
    files.iter().for_each(|file| std::fs::write(folder.join(&file.name), &file.bytes).unwrap());
    folder.join(&files[0].name)
}

fn output(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().unwrap();
    assert!(output.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn info(path: &Path) -> Value {
    serde_json::from_str(&output("gdalinfo", &["-json", path.to_str().unwrap()])).unwrap()
}

fn assert_corners(info: &Value) {
    let corner = |name: &str, x: f64, y: f64| {
        let found = &info["cornerCoordinates"][name];
        // GDAL prints seven decimals.
        assert!((found[0].as_f64().unwrap() - x).abs() < 1e-6 && (found[1].as_f64().unwrap() - y).abs() < 1e-6, "{name}: {found}");
    };
    corner("upperLeft", BOUNDS.west, BOUNDS.north);
    corner("lowerRight", BOUNDS.east, BOUNDS.south);
}

#[test]
#[cfg_attr(not(gdal), ignore = "needs GDAL's programs gdalinfo and ogrinfo on the search path")]
fn a_geotiff_has_its_place_its_values_and_no_data_in_buildings() {
    let folder = tempfile::tempdir().unwrap();
    let path = written(folder.path(), ExportFormat::GeoTiff);
    let found = info(&path);
    assert_corners(&found);
    let system = found["coordinateSystem"]["wkt"].as_str().unwrap();
    assert!(system.contains("WGS 84") && system.contains("ID[\"EPSG\",4326]"), "{system}");
    let band = &found["bands"][0];
    assert_eq!((&band["type"], &band["noDataValue"]), (&"Float32".into(), &"NaN".into()));
    assert_eq!((&band["description"], &band["unit"]), (&"received power".into(), &"dBm".into()));
    let raster = hills(21, 50, PlanLayer::ReceivedPower);
    let table = output("gdal_translate", &["-q", "-of", "XYZ", path.to_str().unwrap(), "/vsistdout/"]);
    let mut lines = table.lines();
    for (pixel, &value) in raster.values.iter().enumerate() {
        let line: Vec<f64> = lines.next().unwrap().split(' ').map(|number| number.parse().unwrap()).collect();
        let center = raster.center(pixel / 50, pixel % 50);
        assert!((line[0] - center.x).abs() < 1e-9 && (line[1] - center.y).abs() < 1e-9, "{line:?}");
        let same = if value.is_nan() { line[2].is_nan() } else { (line[2] - f64::from(value)).abs() < 1e-4 };
        assert!(same, "{line:?} for {value}");
    }
    assert_eq!(lines.next(), None);
}

#[test]
#[cfg_attr(not(gdal), ignore = "needs GDAL's programs gdalinfo and ogrinfo on the search path")]
fn a_png_lies_where_its_world_file_says() {
    let folder = tempfile::tempdir().unwrap();
    let found = info(&written(folder.path(), ExportFormat::Png));
    assert_corners(&found);
    assert_eq!(found["bands"].as_array().unwrap().len(), 4);
}

#[test]
#[cfg_attr(not(gdal), ignore = "needs GDAL's programs gdalinfo and ogrinfo on the search path")]
fn contours_and_kml_are_layers_of_valid_shapes() {
    let folder = tempfile::tempdir().unwrap();
    let contours = written(folder.path(), ExportFormat::Contours);
    let found = output("ogrinfo", &["-al", "-so", contours.to_str().unwrap()]);
    assert!(found.contains("Geometry: Multi Polygon") && found.contains("Feature Count: 2") && found.contains("level: Real"), "{found}");
    let valid = "SELECT level, ST_IsValid(geometry) AS valid FROM map";
    let found = output("ogrinfo", &[contours.to_str().unwrap(), "-dialect", "SQLite", "-sql", valid, "-geom=NO"]);
    assert_eq!(found.matches("valid (Integer) = 1").count(), 2, "{found}");
    let kml = written(folder.path(), ExportFormat::Kml);
    let found = output("ogrinfo", &["-al", kml.to_str().unwrap()]);
    assert!(found.contains("POINT") && found.contains("(11.57665 48.13487"), "{found}");
}

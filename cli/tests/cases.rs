//! Datasets as people have them, from the shared cases after public bug reports: read whole, or refused by name.

// Clippy allows unwrap in #[test] functions only; the helpers here are as much tests.
#![allow(clippy::unwrap_used)]

mod common;

use common::{dataset, fails, succeeds};
use geo::Coord;
use radiodiff_dataset::Dataset;
use std::fs;
use std::path::{Path, PathBuf};

fn case(name: &str) -> PathBuf {
    radiodiff_tests::shared_data().join("cases").join(name)
}

/// Where the transmitters of the four maps stand.
fn positions(folder: &Path) -> Vec<Coord<f64>> {
    let dataset = Dataset::open(folder, "DPM").unwrap();
    (0..dataset.len()).map(|i| dataset.load(i).unwrap().position).collect()
}

/// Two maps with two transmitters each are checked, measured, packed and simulated.
fn every_command_reads_all_of(folder: &Path) {
    let (path, out) = (folder.to_str().unwrap(), tempfile::tempdir().unwrap());
    let said = succeeds(&["dataset", "check", path]);
    assert!(said.contains("2 maps of") && said.contains("4 gain maps of DPM") && said.contains("nothing is wrong"), "{said}");
    let said = succeeds(&["dataset", "statistics", path]);
    assert!(said.contains("| maps | 2 |"), "{said}");
    let [shards, again] = ["shards", "again"].map(|name| out.path().join(name).display().to_string());
    let said = succeeds(&["dataset", "pack", "--dataset", path, "--out", &shards]);
    assert!(said.contains("4 of 4 samples are packed"), "{said}");
    let said = succeeds(&["simulate", "--dataset", path, "--method", "dpm", "--out", &again]);
    assert!(said.contains("4 maps of 2 scenes"), "{said}");
    assert_eq!(positions(folder).len(), 4);
}

#[test]
#[cfg_attr(not(reference_data), ignore = "needs the reference data (RADIODIFF_SHARED)")]
fn companions_of_operating_systems_are_passed_over() {
    let case = case("t01-apple-double");
    every_command_reads_all_of(&case.join("dataset"));
    let said = succeeds(&["dataset", "check", case.join("dataset").to_str().unwrap()]);
    assert!(!said.contains("._") && !said.contains("note: entry") && !said.contains("Thumbs"), "{said}");
}

#[test]
#[cfg_attr(not(reference_data), ignore = "needs the reference data (RADIODIFF_SHARED)")]
fn names_in_upper_case_are_read() {
    let case = case("t02-upper-case");
    ["some", "gain-only", "all"].into_iter().for_each(|folder| every_command_reads_all_of(&case.join(folder)));
}

#[test]
fn whole_folders_in_upper_case_are_read() {
    let folder = dataset(&[3, 4]);
    let rename = |from: &str, to: &str| fs::rename(folder.path().join(from), folder.path().join(to)).unwrap();
    rename("png/buildings_complete", "png/Buildings_Complete");
    rename("png", "PNG");
    rename("gain/DPM/3_0.png", "gain/DPM/3_0.PNG");
    rename("gain/DPM", "gain/dpm");
    rename("antenna/4.json", "antenna/4.JSON");
    every_command_reads_all_of(folder.path());
}

#[test]
fn what_only_looks_like_a_map_is_named() {
    let folder = dataset(&[3, 4]);
    let path = folder.path().to_str().unwrap();
    fs::rename(folder.path().join("gain/DPM/3_0.png"), folder.path().join("gain/DPM/3_0.jpg")).unwrap();
    fails(&["dataset", "check", path], &["misnamed file: 1", "3_0.jpg: expected a name like 12_3.png"]);
    let out = folder.path().join("shards");
    fails(&["dataset", "pack", "--dataset", path, "--out", out.to_str().unwrap()], &["3_0.jpg: expected a name like 12_3.png"]);
    fs::rename(folder.path().join("gain/DPM/3_0.jpg"), folder.path().join("gain/DPM/3_0.png")).unwrap();
    fs::create_dir(folder.path().join("gain/DPM/part2")).unwrap();
    let output = common::radiodiff(&["dataset", "pack", "--dataset", path, "--out", out.to_str().unwrap()]);
    let said = common::text(&output.stderr);
    assert!(output.status.success() && said.contains("1 entries of") && said.contains("passed over: part2"), "{said}");
    assert!(succeeds(&["dataset", "check", path]).contains("note: entry that is no image: 1"));
}

#[test]
#[cfg_attr(not(reference_data), ignore = "needs the reference data (RADIODIFF_SHARED)")]
fn positions_are_read_where_the_numbers_are_there() {
    let case = case("t09-json");
    let folder = tempfile::tempdir().unwrap();
    for part in ["png/antennas", "png/buildings_complete", "antenna", "gain/DPM"] {
        fs::create_dir_all(folder.path().join(part)).unwrap();
        for entry in fs::read_dir(case.join("dataset").join(part)).unwrap() {
            let entry = entry.unwrap();
            fs::write(folder.path().join(part).join(entry.file_name()), fs::read(entry.path()).unwrap()).unwrap();
        }
    }
    let expected = positions(folder.path());
    let path = folder.path().to_str().unwrap();
    for entry in fs::read_dir(case.join("antenna-variants")).unwrap() {
        let entry = entry.unwrap().path();
        fs::write(folder.path().join("antenna/0.json"), fs::read(&entry).unwrap()).unwrap();
        if ["nan.json", "empty.json"].into_iter().any(|name| entry.ends_with(name)) {
            let error = format!("{:#}", Dataset::open(folder.path(), "DPM").unwrap().load(0).unwrap_err());
            assert!(error.contains("antenna/0.json: expected a list of [x, y] in metres"), "{error}");
            fails(&["dataset", "check", path], &["unreadable file: 1", "antenna/0.json"]);
        } else {
            assert_eq!(positions(folder.path()), expected, "{}", entry.display());
            succeeds(&["dataset", "check", path]);
        }
    }
}

#[test]
fn texts_of_other_programs_are_read_or_named() {
    let folder = dataset(&[3]);
    fs::create_dir_all(folder.path().join("polygon/buildings")).unwrap();
    let outlines = folder.path().join("polygon/buildings/3.json");
    let rings = "[[[7, 22], [13, 22], [13, 29], [7, 29]]]";
    fs::write(&outlines, format!("\u{feff}{rings}")).unwrap();
    let load = || Dataset::open(folder.path(), "DPM").unwrap().load(0);
    assert_eq!(load().unwrap().scene.buildings.len(), 1);
    let utf_16: Vec<u8> = format!("\u{feff}{rings}").encode_utf16().flat_map(u16::to_le_bytes).collect();
    fs::write(&outlines, utf_16).unwrap();
    assert!(format!("{:#}", load().unwrap_err()).contains("polygon/buildings/3.json is UTF-16 text; save it as UTF-8"));
    fs::write(&outlines, [b'[', 0xe4, b']']).unwrap();
    assert!(format!("{:#}", load().unwrap_err()).contains("polygon/buildings/3.json is no UTF-8 text"));
}

#[test]
#[cfg_attr(not(reference_data), ignore = "needs the reference data (RADIODIFF_SHARED)")]
fn city_files_are_read_by_what_they_are() {
    let (case, folder) = (case("t10-city-files"), tempfile::tempdir().unwrap());
    let synth = |city: &str| {
        let (city, out) = (case.join(city), folder.path().join(city));
        let [city, out] = [city, out].map(|path| path.display().to_string());
        ["dataset", "synth", "--city", &city, "--blocks", "1", "--transmitters", "1", "--out", &out].map(str::to_owned)
    };
    for city in ["extract.osm.pbf", "EXTRACT.OSM.PBF", "extract.osm.bz2", "gz.geojson.gz"] {
        let said = succeeds(&synth(city).each_ref().map(String::as_str));
        assert!(said.contains("1 maps with 1 transmitters each"), "{said}");
    }
    fails(&synth("cut.osm.pbf").each_ref().map(String::as_str), &["cut.osm.pbf is no OpenStreetMap extract", "check that the download"]);
    // A far barn, a corner without coordinates and a feature without geometry are told, and the rest is used.
    let village = fs::read_to_string(radiodiff_tests::shared_data().join("cases/base/village.geojson")).unwrap();
    let mut document: serde_json::Value = serde_json::from_str(&village).unwrap();
    document["features"][3]["geometry"] = serde_json::Value::Null;
    document["features"][4]["geometry"]["coordinates"][0][0] = serde_json::json!([null, null]);
    document["features"][5]["geometry"]["coordinates"] = serde_json::json!([[[0, 0], [0.0001, 0], [0.0001, 0.0001], [0, 0]]]);
    let odd = folder.path().join("odd.geojson");
    fs::write(&odd, format!("\u{feff}{document}")).unwrap();
    let out = folder.path().join("odd");
    let args =
        ["dataset", "synth", "--city", odd.to_str().unwrap(), "--blocks", "1", "--transmitters", "1", "--out", out.to_str().unwrap()];
    let output = common::radiodiff(&args);
    let said = common::text(&output.stderr);
    assert!(output.status.success(), "{said}");
    for words in ["feature 3", "feature 4", "leaves out 1 building"] {
        assert!(said.contains("warning: ") && said.contains(words), "{words}: {said}");
    }
}

//! `radiodiff simulate` and `radiodiff dataset statistics` as a user runs them.

// Clippy allows unwrap in #[test] functions only; the helpers here are as much tests.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;
use std::process::Output;

mod common;

use common::{radiodiff, succeeds};

/// Three cities with two transmitters each.
fn dataset() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let output = radiodiff(&["dataset", "synth", "--out", folder.path().to_str().unwrap(), "--procedural", "3", "--transmitters", "2"]);
    assert!(output.status.success(), "{}", stderr(&output));
    folder
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn simulate(dataset: &Path, out: &Path) -> Output {
    radiodiff(&["simulate", "--dataset", dataset.to_str().unwrap(), "--method", "dpm", "--out", out.to_str().unwrap()])
}

const MAPS: [&str; 6] = ["0_0", "0_1", "1_0", "1_1", "2_0", "2_1"];

fn gain(folder: &Path, map: &str) -> std::path::PathBuf {
    folder.join(format!("gain/DPM/{map}.png"))
}

#[test]
fn a_dataset_of_ours_simulated_again_is_the_same_and_is_kept() {
    let (data, out) = (dataset(), tempfile::tempdir().unwrap());
    let output = simulate(data.path(), out.path());
    assert!(output.status.success(), "{}", stderr(&output));
    for map in MAPS {
        assert_eq!(fs::read(gain(out.path(), map)).unwrap(), fs::read(gain(data.path(), map)).unwrap(), "{map}");
    }
    let written = || fs::metadata(gain(out.path(), "0_0")).unwrap().modified().unwrap();
    let before = written();
    fs::remove_file(gain(out.path(), "1_0")).unwrap();
    fs::write(out.path().join("gain/DPM/.writing-x1"), b"half").unwrap();
    let output = simulate(data.path(), out.path());
    assert!(String::from_utf8_lossy(&output.stdout).contains("1 maps of 3 scenes"), "{output:?}");
    assert_eq!(fs::read(gain(out.path(), "1_0")).unwrap(), fs::read(gain(data.path(), "1_0")).unwrap());
    assert_eq!((written(), fs::read_dir(out.path().join("gain/DPM")).unwrap().count()), (before, 6));
}

#[test]
fn transmitters_stand_higher_when_asked() {
    let (data, out) = (dataset(), tempfile::tempdir().unwrap());
    let at = |height: &str| {
        let (folder, data) = (out.path().join(height), data.path().to_str().unwrap().to_owned());
        radiodiff(&["simulate", "--dataset", &data, "--method", "dpm", "--height-m", height, "--out", folder.to_str().unwrap()])
    };
    for height in ["1.5", "40"] {
        let output = at(height);
        assert!(output.status.success(), "{}", stderr(&output));
    }
    for map in MAPS {
        let given = fs::read(gain(data.path(), map)).unwrap();
        let [street, mast] = ["1.5", "40"].map(|height| fs::read(gain(&out.path().join(height), map)).unwrap());
        assert!(street == given && mast != given, "{map}");
    }
    for (wrong, told) in [("0", "0.5 to 200 m"), ("12 m", "expected a height in metres")] {
        let output = at(wrong);
        assert!(!output.status.success() && stderr(&output).contains(told), "{}", stderr(&output));
    }
}

#[test]
fn heights_that_a_method_does_not_use_are_told_once() {
    let (data, out) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let [folder, to] = [data.path(), out.path()].map(|path| path.to_str().unwrap());
    let said = |args: &[&str]| {
        let output = radiodiff(args);
        assert!(output.status.success(), "{}", stderr(&output));
        stderr(&output).lines().filter(|line| line.starts_with("warning: ")).map(str::to_owned).collect::<Vec<_>>()
    };
    let synth = ["dataset", "synth", "--out", folder, "--procedural", "2", "--transmitters", "2", "--method"];
    assert_eq!(said(&[&synth[..], &["dpm", "--roofs", "4,20", "--antennas", "2,3"]].concat()), [""; 0]);
    let simulate = |method: &str, more: &[&str]| {
        let to = format!("{to}/{method}{}", more.len());
        said(&[&["simulate", "--dataset", folder, "--method", method, "--out", &to], more].concat())
    };
    let (roofs, antennas) = ("ignores the heights of roofs (all count as 25 m)", "ignores the heights of antennas (all count as 1.5 m)");
    assert_eq!(simulate("rays1", &[]), [""; 0]);
    assert_eq!(simulate("irt2", &[]), [format!("warning: IRT2 {roofs}. It {antennas}")]);
    fs::remove_dir_all(data.path().join("png/heights")).unwrap();
    let over_roofs = ["warning: IRT4 uses antenna heights only on paths over roofs"];
    assert_eq!(simulate("irt4", &[]), over_roofs);
    fs::remove_dir_all(data.path().join("antenna_height")).unwrap();
    assert_eq!(simulate("irt2", &[]), [""; 0]);
    assert_eq!(simulate("irt4", &["--height-m", "3"]), over_roofs);
    assert_eq!(simulate("irt2", &["--height-m", "1.5"]), [""; 0]);
    let standard = ["--roofs", "25,25", "--antennas", "1.5,1.5"];
    let folder = data.path().join("standard");
    assert_eq!(said(&[&["dataset", "synth", "--out", folder.to_str().unwrap()], &synth[4..], &["irt4"], &standard].concat()), [""; 0]);
    let args = ["simulate", "--dataset", folder.to_str().unwrap(), "--method", "irt2", "--out", &format!("{to}/standard")];
    assert_eq!(said(&args), [""; 0]);
}

#[test]
fn bad_files_are_named_and_cost_their_own_maps_only() {
    let (data, out) = (dataset(), tempfile::tempdir().unwrap());
    let image = data.path().join("png/buildings_complete/0.png");
    let bytes = fs::read(&image).unwrap();
    fs::write(&image, &bytes[..bytes.len() / 2]).unwrap();
    let antennas = data.path().join("antenna/1.json");
    let text = fs::read_to_string(&antennas).unwrap();
    fs::write(&antennas, text.replace("]]", "],[999,5]]")).unwrap();
    fs::write(data.path().join("polygon/buildings/2.json"), "[[[1,").unwrap();
    let output = simulate(data.path(), out.path());
    assert_eq!(output.status.code(), Some(1));
    let text = stderr(&output);
    assert!(text.contains("3 scenes or maps could not be made"), "{text}");
    for name in ["buildings_complete/0.png", "1.json, transmitter 2", "polygon/buildings/2.json"] {
        assert_eq!(text.matches(name).count(), 2, "{name} at once and in the summary: {text}");
    }
    let made: Vec<&str> = MAPS.into_iter().filter(|map| gain(out.path(), map).exists()).collect();
    assert_eq!(made, ["1_0", "1_1"]);
    // Mended, the rest is made; without outlines the image serves.
    fs::write(&image, bytes).unwrap();
    fs::remove_dir_all(data.path().join("polygon")).unwrap();
    fs::write(&antennas, "[]").unwrap();
    assert!(simulate(data.path(), out.path()).status.success());
    assert!(MAPS.iter().all(|map| gain(out.path(), map).exists()));
}

#[test]
fn more_interactions_fill_their_own_folders_and_reach_more() {
    let (data, out) = (common::dataset(&[3, 4]), tempfile::tempdir().unwrap());
    let [folder, to] = [data.path(), out.path()].map(|path| path.to_str().unwrap());
    let traced = |method: &str| {
        succeeds(&["simulate", "--dataset", folder, "--method", &method.to_lowercase(), "--out", to]);
        ["3_0", "3_1", "4_0", "4_1"].map(|map| image::open(out.path().join(format!("gain/{method}/{map}.png"))).unwrap().into_luma8())
    };
    // More rays never darken. IRT4's paths over roofs and round several corners lead where IRT2 has no value, but where both have one,
    // their rules for outlines read off pixels differ.
    for (fewer, more, never_darkens) in [("IRT2", "IRT4", false), ("rays2", "rays4", true)] {
        let [two, four] = [fewer, more].map(traced);
        let mut gained = 0;
        for ((two, four), map) in two.iter().zip(&four).zip([3, 3, 4, 4]) {
            let buildings = image::open(data.path().join(format!("png/buildings_complete/{map}.png"))).unwrap().into_luma8();
            for ((&two, &four), &inside) in two.iter().zip(four.iter()).zip(buildings.iter()) {
                assert!(inside == 0 || four == 0, "{four} in a building of map {map}");
                assert!(if never_darkens { two <= four } else { two == 0 || four > 0 }, "{two} and {four} on map {map}");
                gained += usize::from(two < four);
            }
            assert!(two.iter().any(|&level| level > 200), "near its transmitter a map is bright");
        }
        assert!(gained > 50, "{gained} pixels gain by more interactions");
    }
}

#[test]
fn the_dataset_itself_is_no_place_for_computed_maps() {
    let data = dataset();
    let output = simulate(data.path(), data.path());
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("--out is the dataset itself"), "{}", stderr(&output));
    let output = simulate(&data.path().join("antenna"), data.path());
    assert!(stderr(&output).contains("antenna/antenna cannot be listed"), "{}", stderr(&output));
    let wrong = radiodiff(&["simulate", "--dataset", "x", "--method", "tlm", "--out", "y"]);
    assert_eq!(wrong.status.code(), Some(2));
}

#[test]
fn statistics_go_by_source_and_are_drawn() {
    let data = dataset();
    let (json, sheet) = (data.path().join("statistics.json"), data.path().join("sheet.png"));
    let folder = data.path().to_str().unwrap();
    let output = radiodiff(&["dataset", "statistics", folder, "--out", json.to_str().unwrap(), "--sheet", sheet.to_str().unwrap()]);
    assert!(output.status.success(), "{}", stderr(&output));
    let table: serde_json::Value = serde_json::from_slice(&fs::read(&json).unwrap()).unwrap();
    let sources: Vec<&str> = table.as_array().unwrap().iter().map(|row| row["source"].as_str().unwrap()).collect();
    assert_eq!(sources, ["grid", "organic", "perimeter", "all"]);
    assert_eq!(table[3]["maps"], 3);
    assert!(table[3]["built_share"]["p50"].as_f64().unwrap() > 0.12);
    // Three rows of one map of 128 pixels each, and gaps of 4 about them.
    assert_eq!(image::image_dimensions(&sheet).unwrap(), (136, 3 * 132 + 4));
    fs::write(data.path().join("png/buildings_complete/1.png"), b"no image").unwrap();
    let output = radiodiff(&["dataset", "statistics", folder]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("buildings_complete/1.png"), "{}", stderr(&output));
}

/// Map 419 of RadioMapSeer: its eight carsDPM maps, under RadioUNet's threshold (levels of 51 and below are 0), against ours.
#[test]
#[cfg_attr(not(reference_data), ignore = "needs the reference data (RADIODIFF_SHARED)")]
fn the_cars_of_a_real_scene_bring_its_simulation_nearer_to_the_truth() {
    let (data, out) = (radiodiff_tests::shared_data().join("data/radiomapseer-thresholded"), tempfile::tempdir().unwrap());
    let levels = |path: std::path::PathBuf| image::open(path).unwrap().into_luma8().into_raw();
    let inside = levels(data.join("png/buildings_complete/419.png"));
    let rmse_db = |method: &str, variant: &str| {
        succeeds(&["simulate", "--dataset", data.to_str().unwrap(), "--method", method, "--out", out.path().to_str().unwrap()]);
        let of_transmitter = |transmitter: usize| {
            let ours = levels(out.path().join(format!("gain/{variant}/419_{transmitter}.png")));
            let truth = levels(data.join(format!("gain/carsDPM/419_{transmitter}.png")));
            let known = ours.iter().zip(&truth).zip(&inside).filter(|&((_, &truth), &inside)| inside == 0 && truth > 51);
            let squares: Vec<f64> = known.map(|((&ours, &truth), _)| (f64::from(ours) - f64::from(truth)).powi(2)).collect();
            (squares.iter().sum::<f64>() / squares.len() as f64).sqrt() * 99.16 / 255.0
        };
        (0..8).map(of_transmitter).sum::<f64>() / 8.0
    };
    let (without, with_cars) = (rmse_db("dpm", "DPM"), rmse_db("cars-dpm", "carsDPM"));
    println!("RMSE {without:.2} dB without and {with_cars:.2} dB with cars");
    assert!(with_cars < without - 0.2, "RMSE {without} dB without and {with_cars} dB with cars");
}

//! `trainer evaluate --prediction --truth`: known differences give known scores, and what does not match is named.

// Clippy allows unwrap in #[test] functions only; the helpers here are as much tests.
#![allow(clippy::unwrap_used)]

mod common;

use common::{damage, dataset, fails, paint, succeeds};
use std::fs;
use std::path::Path;

/// A dataset of two maps, and a folder with copies of its gain maps as `change` leaves them.
fn pair(change: impl Fn(&mut image::GrayImage)) -> (tempfile::TempDir, String, String) {
    let folder = dataset(&[3, 4]);
    let prediction = folder.path().join("prediction");
    fs::create_dir_all(&prediction).unwrap();
    let truth = folder.path().join("gain/DPM");
    for name in ["3_0.png", "3_1.png", "4_0.png", "4_1.png"] {
        fs::copy(truth.join(name), prediction.join(name)).unwrap();
        paint(&prediction.join(name), &change);
    }
    let [prediction, truth] = [prediction, truth].map(|path| path.display().to_string());
    (folder, prediction, truth)
}

/// The numbers of a CSV's line.
fn numbers(csv: &Path, line: usize) -> Vec<f64> {
    fs::read_to_string(csv).unwrap().lines().nth(line).unwrap().split(',').map(|value| value.parse().unwrap()).collect()
}

#[test]
fn known_differences_give_known_scores() {
    // Outdoors, where levels are 40 to 239, each is 10 higher.
    let (folder, prediction, truth) = pair(|gray| gray.pixels_mut().filter(|p| p.0[0] > 0).for_each(|p| p.0[0] += 10));
    let (csv, json) = (folder.path().join("maps.csv"), folder.path().join("scores.json"));
    let dataset = folder.path().to_str().unwrap();
    let base = ["evaluate", "--prediction", &prediction, "--truth", &truth, "--csv", csv.to_str().unwrap()];
    let said = succeeds(&[&base[..], &["--buildings", dataset, "--out", json.to_str().unwrap()]].concat());
    assert!(said.contains("png/buildings_complete has no building on") && said.contains("| RadioUNet's threshold 0.2 |"), "{said}");
    let text = fs::read_to_string(&csv).unwrap();
    assert_eq!(text.lines().count(), 5);
    assert!(text.starts_with("map,transmitter,nmse,rmse,ssim,psnr_db,rmse_db,thresholded_nmse,"), "{text}");
    let line = numbers(&csv, 2);
    assert_eq!((line.len(), line[0], line[1]), (12, 3.0, 1.0));
    let gray = image::open(folder.path().join("gain/DPM/3_1.png")).unwrap().into_luma8().into_raw();
    let lit: Vec<f64> = gray.iter().filter(|&&level| level > 0).map(|&level| f64::from(level) / 255.0).collect();
    let rmse = (lit.len() as f64 / 1024.0).sqrt() * 10.0 / 255.0;
    let close = |found: f64, expected: f64| assert!((found / expected - 1.0).abs() < 1e-5, "{found}, expected {expected}");
    close(line[2], rmse * rmse * 1024.0 / lit.iter().map(|v| v * v).sum::<f64>());
    close(line[3], rmse);
    close(line[5], -20.0 * rmse.log10());
    close(line[6], 10.0 / 255.0 * 99.16);
    // Under the threshold, levels stretch by 1 / 0.8, and those at or below 51 of 255 are 0.
    let cut = |level: f64| (level - 51.0).max(0.0) / 204.0;
    let squares = lit.iter().map(|v| (cut(v * 255.0 + 10.0) - cut(v * 255.0)).powi(2)).sum::<f64>();
    close(line[8], (squares / 1024.0).sqrt());
    close(line[11], (squares / lit.len() as f64).sqrt() * 0.8 * 99.16);
    let json: serde_json::Value = serde_json::from_slice(&fs::read(json).unwrap()).unwrap();
    let mean = (1..=4).map(|i| numbers(&csv, i)[3]).sum::<f64>() / 4.0;
    close(json["rows"][0]["scores"]["rmse"].as_f64().unwrap(), mean);
    let with_buildings = fs::read_to_string(&csv).unwrap();
    assert!(succeeds(&base).contains("outdoor pixels are those above 0 in the truth"));
    assert_eq!(fs::read_to_string(&csv).unwrap(), with_buildings, "here the truth is above 0 at every outdoor pixel");
}

#[test]
fn equal_folders_differ_by_nothing() {
    let (folder, prediction, truth) = pair(|_| ());
    let csv = folder.path().join("maps.csv");
    let said = succeeds(&["evaluate", "--prediction", &prediction, "--truth", &truth, "--csv", csv.to_str().unwrap()]);
    assert!(said.contains("| raw gray levels | 0.00000 | 0.0000 | 1.0000 | inf | 0.00 |"), "{said}");
    assert!(numbers(&csv, 1)[2] == 0.0);
}

#[test]
fn what_does_not_match_is_named() {
    let (folder, prediction, truth) = pair(|_| ());
    let args = ["evaluate", "--prediction", &prediction, "--truth", &truth];
    let file = |name: &str| Path::new(&prediction).join(name);
    let whole = fs::read(file("4_0.png")).unwrap();
    fs::rename(file("4_0.png"), file("5_0.png")).unwrap();
    fails(&args, &["prediction lacks 1 maps that the truth has: 4_0.png"]);
    fs::write(file("4_0.png"), &whole).unwrap();
    let said = succeeds(&args);
    assert!(said.contains("1 maps of") && said.contains("are ignored"), "{said}");
    damage(&file("4_0.png"), |bytes| bytes.truncate(50));
    fails(&args, &["prediction/4_0.png: expected a whole PNG"]);
    image::GrayImage::new(16, 16).save(file("4_0.png")).unwrap();
    fails(&args, &["prediction/4_0.png: expected 32 x 32 pixels as the truth has, found 16 x 16"]);
    fs::write(file("4_0.png"), &whole).unwrap();
    paint(&folder.path().join("gain/DPM/3_0.png"), |gray| gray.fill(0));
    fails(&args, &["gain/DPM/3_0.png: no pixel is above RadioUNet's threshold"]);
    fails(&["evaluate", "--prediction", "/nowhere", "--truth", &truth], &["/nowhere cannot be listed"]);
    for wrong in [&["evaluate"][..], &["evaluate", "--prediction", "x"], &["evaluate", "--data", "x", "--prediction", "y", "--truth", "z"]]
    {
        assert_eq!(common::trainer(wrong).status.code(), Some(2), "{wrong:?}");
    }
}

/// A folder of IRT4 that our own IRT4 filled: its row has no error but the rounding to gray levels, the dominant path's has one.
#[test]
fn the_methods_own_model_stands_beside_the_dominant_path() {
    let folder = tempfile::tempdir().unwrap();
    let [data, csv] = ["data", "maps.csv"].map(|name| folder.path().join(name).display().to_string());
    succeeds(&["dataset", "synth", "--out", &data, "--procedural", "1", "--transmitters", "1", "--seed", "3", "--method", "irt4"]);
    let said = succeeds(&["evaluate", "--data", &data, "--method", "IRT4", "--csv", &csv]);
    let error_db = |row: &str| -> f64 {
        let row = said.lines().find(|line| line.starts_with(row)).unwrap();
        row.trim_end_matches(" |").rsplit(' ').next().unwrap().parse().unwrap()
    };
    assert!(error_db("| IRT4 (simulator) |") < 0.2 && error_db("| dominant path (simulator) |") > 1.0, "{said}");
    let csv = fs::read_to_string(csv).unwrap();
    assert!(csv.lines().next().unwrap().ends_with("simulator_psnr_db,simulator_rmse_db"), "{csv}");
}

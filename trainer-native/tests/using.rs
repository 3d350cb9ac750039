//! What is done with a network's weights: evaluated, sampled, exported; and whether the machine can train at all.

// Clippy allows unwrap in #[test] functions only; the helpers here are as much tests.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Workshop, fails, succeeds};
use radiodiff_dataset::folder::Variant;
use radiodiff_dataset::splits::{Scheme, Split};
use serde_json::Value;
use std::fs;

/// Two maps of the published test split and one of the training split, with two transmitters each, and weights of two steps.
fn trained() -> Workshop {
    let maps = |split| Scheme::RadioUnet.maps(Variant::Dpm, split);
    let workshop = Workshop::new(&[maps(Split::Test)[0], maps(Split::Test)[1], maps(Split::Train)[0]]);
    workshop.trains("autoencoder", "run", &[]);
    workshop.trains("diffusion", "run", &[]);
    workshop
}

fn column(csv: &str, name: &str) -> Vec<f64> {
    let mut lines = csv.lines();
    let place = lines.next().unwrap().split(',').position(|column| column == name).unwrap();
    lines.map(|line| line.split(',').nth(place).unwrap().parse().unwrap()).collect()
}

#[test]
fn a_network_is_evaluated_sampled_and_exported() {
    let workshop = trained();
    let (weights, data) = (workshop.path("run/diffusion.safetensors"), workshop.path("data"));
    let [csv, json, worst] = ["maps.csv", "scores.json", "worst.png"].map(|name| workshop.path(name));
    let network = ["--weights", &weights, "--data", &data, "--split", "test"];
    let files = ["--samples", "2", "--csv", &csv, "--out", &json, "--worst", &worst];
    succeeds(&[&["evaluate"], &network[..], &files[..]].concat());

    let scores: Value = serde_json::from_str(&workshop.read("scores.json")).unwrap();
    assert_eq!((&scores["maps"], scores["rows"].as_array().unwrap().len()), (&4.into(), 4));
    let row = &scores["rows"][2];
    assert_eq!(row["method"], "small-swin, 2 samples");
    assert!(row["deviation"]["nmse"].as_f64().unwrap() > 0.0, "other noise draws another map");
    let nmse = column(&workshop.read("maps.csv"), "network_nmse");
    let mean = nmse.iter().sum::<f64>() / nmse.len() as f64;
    assert!(nmse.len() == 4 && (mean - row["scores"]["nmse"].as_f64().unwrap()).abs() < 1e-12 * mean, "{nmse:?}");
    assert!(image::open(&worst).unwrap().height() > 4 * 32);

    // Samples are judged together, beside what is certain: the baseline, the physical map and the mean map.
    let forecasts = scores["reliability"]["rows"].as_array().unwrap();
    assert_eq!((forecasts.len(), &forecasts[3]["forecast"]), (4, &"small-swin, 2 samples".into()));
    assert!((scores["reliability"]["nominal_coverage"].as_f64().unwrap() - 1.0 / 3.0).abs() < 1e-12);
    let spread = &forecasts[3]["scores"]["spread"];
    assert!(forecasts[2]["scores"]["spread"].is_null() && spread["width_db"].as_f64().unwrap() > 0.0, "{forecasts:?}");
    let maps = workshop.read("maps.csv");
    for (forecast, column_name) in forecasts.iter().zip(["baseline", "dominant_path", "mean_map", "samples"]) {
        let crps = column(&maps, &format!("{column_name}_crps_db"));
        let mean = crps.iter().sum::<f64>() / crps.len() as f64;
        assert!((mean - forecast["scores"]["crps_db"].as_f64().unwrap()).abs() < 1e-9, "{column_name}: {crps:?}");
    }
    assert!(image::open(&worst).unwrap().width() > 5 * 230, "truth, physical map, mean, deviation and error");
    let evaluated = |more: &[&'static str]| [&["evaluate"], &network[..], &["--limit", "1"], more].concat();
    let strict = succeeds(&evaluated(&["--samples", "2", "--threshold-db", "-60.5"]));
    assert!(strict.contains("| Brier, above -60.5 dB | 90 % interval holds (nominal 33.3 %) |"), "{strict}");
    fails(&evaluated(&["--threshold-db", "-60.5"]), &["give --samples"]);
    fails(&evaluated(&["--samples", "2", "--threshold-db", "nan"]), &["expected a path gain on the maps' scale, -147.0..=-47.84 dB"]);

    // Its maps as files are the maps that were evaluated, but for the rounding to 255 levels.
    let (drawn, truth) = (workshop.path("drawn"), workshop.path("data/gain/DPM"));
    succeeds(&[&["sample"], &network[..], &["--samples", "2", "--out", &drawn]].concat());
    let mut all = Vec::new();
    for seed in ["seed-0", "seed-1"] {
        let folder = format!("{drawn}/{seed}");
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 4);
        let only = workshop.path(&format!("truth-{seed}"));
        fs::create_dir(&only).unwrap();
        for entry in fs::read_dir(&folder).unwrap() {
            let name = entry.unwrap().file_name();
            fs::copy(format!("{truth}/{}", name.to_str().unwrap()), format!("{only}/{}", name.to_str().unwrap())).unwrap();
        }
        let csv = workshop.path(&format!("{seed}.csv"));
        succeeds(&["evaluate", "--prediction", &folder, "--truth", &only, "--csv", &csv]);
        all.extend(column(&fs::read_to_string(&csv).unwrap(), "nmse"));
    }
    let of_files = all.iter().sum::<f64>() / all.len() as f64;
    assert!((of_files - mean).abs() < 0.01 * mean, "{of_files} of the files, {mean} of the maps");

    // A sample is the same map in a batch and alone, but for the last bits and so for the rounding to 255 levels.
    let alone = workshop.path("alone");
    succeeds(&[&["sample"], &network[..], &["--seed", "1", "--out", &alone]].concat());
    for entry in fs::read_dir(&alone).unwrap() {
        let path = entry.unwrap().path();
        let [alone, batch] = [path.clone(), format!("{drawn}/seed-1/{}", path.file_name().unwrap().to_str().unwrap()).into()]
            .map(|path: std::path::PathBuf| image::open(path).unwrap().into_luma8().into_raw());
        assert!(alone.iter().zip(&batch).all(|(a, b)| a.abs_diff(*b) <= 1), "{}", path.display());
    }

    let onnx = workshop.path("network.onnx");
    succeeds(&["export", "--weights", &weights, "--format", "onnx", "--out", &onnx]);
    assert!(fs::metadata(&onnx).unwrap().len() > 1000);
    fails(&["export", "--weights", &weights, "--format", "onnx", "--out", &weights], &["expected a name that ends in .onnx"]);
    let [half, full] = [("f16", "half.safetensors"), ("f32", "full.safetensors")].map(|(precision, name)| {
        succeeds(&["export", "--weights", &weights, "--precision", precision, "--out", &workshop.path(name)]);
        fs::metadata(workshop.path(name)).unwrap().len()
    });
    assert!(full > half * 3 / 2, "{half} and {full} bytes");
}

#[test]
fn the_doctor_finds_what_is_wrong() {
    let workshop = Workshop::new(&[3]);
    let said = succeeds(&["doctor", "--data", &workshop.path("data"), "--out", &workshop.path("runs/new")]);
    assert!(said.contains("2 maps of DPM, 32 x 32 pixels"), "{said}");
    fails(&["doctor", "--data", &workshop.path("nowhere")], &["FAILED  dataset", "trainer dataset check", "1 of 7 checks failed"]);
}

//! Networks learn: a small one overfits a batch, and the shipped one knows more of a map than the physical model of the same knowledge.

// Clippy allows unwrap in #[test] functions only; the helpers here are as much tests.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Workshop, fails, strs, succeeds};
use radiodiff_core::weights::Checkpoint;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// From 0.91 to 0.08 in 150 steps.
#[test]
fn a_small_first_stage_overfits_a_batch() {
    const LEAST_LOSS: f64 = 0.12;
    let shop = Workshop::new(&[3, 4, 5]);
    let sets = [
        "autoencoder.steps=150",
        "autoencoder.whole_map_steps=0",
        "autoencoder.crop=32",
        "autoencoder.learning_rate=5e-3",
        "validate_every=150",
    ];
    let args = [shop.train("autoencoder", "run", &sets), vec!["--overfit-batch".into()]].concat();
    succeeds(&strs(&args));
    let losses = losses(&shop, "autoencoder");
    assert_eq!(losses.len(), 150);
    assert!(losses[0] > 0.5 && losses[149] < LEAST_LOSS, "from {} to {}", losses[0], losses[149]);
}

/// Its times and noise stay the same: from 2.0 to 0.003 in 150 steps.
#[test]
fn a_small_denoiser_overfits_a_batch() {
    const MOST_SHARE: f64 = 0.02;
    let shop = Workshop::new(&[3, 4, 5]);
    shop.trains("autoencoder", "run", &["autoencoder.steps=20", "autoencoder.learning_rate=5e-3"]);
    let sets = ["diffusion.steps=150", "diffusion.pixel.steps=0", "diffusion.learning_rate=5e-3", "validate_every=150"];
    let args = [shop.train("diffusion", "run", &sets), vec!["--overfit-batch".into()]].concat();
    succeeds(&strs(&args));
    let losses = losses(&shop, "diffusion");
    assert!(losses[149] < MOST_SHARE * losses[0], "from {} to {}", losses[0], losses[149]);
}

/// Its loss is the score of the forecast in dB: from 18.2 to 5.8 in 150 steps.
#[test]
fn a_small_network_of_quantiles_overfits_a_batch() {
    const MOST_SHARE: f64 = 0.4;
    let shop = Workshop::new(&[3, 4, 5]);
    let sets = [
        "quantiles.steps=150",
        "quantiles.whole_map_steps=0",
        "quantiles.crop=32",
        "quantiles.learning_rate=1e-2",
        "quantiles.optimizer.decay=cosine",
        "validate_every=150",
    ];
    let args = [shop.train("quantiles", "run", &sets), vec!["--overfit-batch".into()]].concat();
    succeeds(&strs(&args));
    let losses = losses(&shop, "quantiles");
    assert!(losses[149] < MOST_SHARE * losses[0], "from {} to {} dB", losses[0], losses[149]);

    // Its weights stand in one table with samples, and are of nothing else.
    let weights = shop.path("run/quantiles.safetensors");
    let checkpoint = Checkpoint::parse(&fs::read(&weights).unwrap()).unwrap();
    assert!(checkpoint.holds_quantiles() && checkpoint.tensors().keys().all(|name| name.starts_with("quantiles.")));
    let data = shop.path("data");
    let evaluate = ["evaluate", "--data", &data, "--weights", &weights, "--threshold-db", "-100"];
    let table = succeeds(&evaluate);
    let row = table.lines().find(|line| line.starts_with("| quantiles of small-swin, 19 together |")).unwrap_or_else(|| panic!("{table}"));
    assert!(row.matches('%').count() == 1 && table.contains("| quantiles of small-swin, their mean |"), "{table}");
    fails(&[&evaluate[..], &["--samples", "4"]].concat(), &["leave out --samples"]);
    let (wide, evaluated) = (shop.path("wide.safetensors"), format!("learnt={data}"));
    let widened = ["export", "--weights", &weights, "--out", &wide, "--calibrate-spread", &data, "--evaluate", &evaluated];
    fails(&[&widened[..], &["--samples", "19"]].concat(), &["leave out --samples"]);
    succeeds(&widened);
    let manifest = Checkpoint::parse(&fs::read(&wide).unwrap()).unwrap().manifest().clone();
    let (factor, holds) = (manifest.widening(), manifest.metrics["learnt.interval_holds"]);
    assert!(
        factor != 1.0 && (holds - 0.9).abs() < 0.02,
        "widened by {factor}, the interval holds {holds} of the maps it was calibrated by"
    );
    let maps = shop.path("maps");
    succeeds(&["sample", "--data", &data, "--weights", &weights, "--limit", "1", "--out", &maps]);
    let level = |name: &str| image::open(format!("{maps}/{name}/3_0.png")).unwrap().into_luma8().into_raw();
    let [low, high] = ["quantile-0.05", "quantile-0.95"].map(level);
    // Outdoors, and where the scale's ends cut nothing off.
    let within = low.iter().zip(&high).filter(|(low, high)| **low > 0 && **high < u8::MAX);
    let widths: BTreeSet<i16> = within.map(|(low, high)| i16::from(*high) - i16::from(*low)).collect();
    let [least, most] = [widths.first(), widths.last()].map(|width| *width.unwrap());
    assert!(least >= 0 && most - least > 5, "quantiles are in order, and where they are far apart was learnt: {widths:?}");
}

fn losses(shop: &Workshop, network: &str) -> Vec<f64> {
    let loss = |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap()["train/total_loss"].as_f64().unwrap();
    shop.read(&format!("run/{network}/metrics.jsonl")).lines().map(loss).collect()
}

/// The gate of what ships: on maps whose roofs and cars nobody is told of, both networks are better forecasts than the physical map, and where
/// 70 % of the heights are stated the quantiles are, by at least these factors (1.35, 1.48, 1.42, 1.33 and 1.20 were found). The quantiles'
/// interval holds what it should. The log-distance law is worse than twice the networks, even fitted to these very maps. docs/accuracy.md has
/// the figures on cities that they were not trained on.
#[test]
fn the_shipped_networks_beat_the_physical_map() {
    let folder = tempfile::tempdir().unwrap();
    let low = forgetful_dataset(folder.path(), "low", &["--seed", "20002"]);
    let high = forgetful_dataset(folder.path(), "high", &["--seed", "20003", "--antennas", "3,40"]);
    let told = ["--seed", "20003", "--antennas", "3,40", "--stated-roofs", "0.7,0.7", "--stated-error", "0.15"];
    let told = forgetful_dataset(folder.path(), "told", &told);
    let samples = ["--samples", "5", "--steps", "5"];
    let quantiles = ["--threshold-db", "-100"];
    let networks: [(&str, &str, &[&str], &str, f64); 5] = [
        (radiodiff_tests::SHIPPED_WEIGHTS, &low, &samples, "5 samples", 1.25),
        (radiodiff_tests::SHIPPED_WEIGHTS, &high, &samples, "5 samples", 1.35),
        (radiodiff_tests::SHIPPED_QUANTILES, &low, &quantiles, "19 together", 1.35),
        (radiodiff_tests::SHIPPED_QUANTILES, &high, &quantiles, "19 together", 1.25),
        (radiodiff_tests::SHIPPED_QUANTILES, &told, &quantiles, "19 together", 1.1),
    ];
    let scores = folder.path().join("scores.json").display().to_string();
    for (weights, data, drawn, forecast, least_factor) in networks {
        let table = succeeds(&[&["evaluate", "--weights", weights, "--data", data, "--out", &scores], drawn].concat());
        let scores: serde_json::Value = serde_json::from_slice(&fs::read(&scores).unwrap()).unwrap();
        let scores_of = |forecast: &str| {
            let rows = scores["reliability"]["rows"].as_array().unwrap();
            let row = rows.iter().find(|row| row["forecast"].as_str().unwrap().contains(forecast));
            row.unwrap_or_else(|| panic!("{forecast}: {table}"))["scores"].clone()
        };
        let crps_db = |forecast: &str| scores_of(forecast)["crps_db"].as_f64().unwrap();
        let (physical, network, log_distance) = (crps_db("dominant path"), crps_db(forecast), crps_db("log distance"));
        println!("{table}");
        if forecast == "19 together" {
            let holds = scores_of(forecast)["spread"]["coverage"].as_f64().unwrap();
            assert!((0.82..0.98).contains(&holds), "{forecast}, {data}: the interval of 90 % holds {holds}");
        }
        assert!(network * least_factor < physical, "{forecast}, {data}: a CRPS of {network} dB, the physical map's is {physical} dB");
        assert!(network * 2.0 < log_distance, "{forecast}, {data}: a CRPS of {network} dB, the log-distance law's is {log_distance} dB");
    }
}

/// Eight maps of procedural scenes whose folder has forgotten what a planner is not told; the maps are those of the scenes that had it. It
/// keeps the heights that `more` names as stated.
fn forgetful_dataset(parent: &Path, name: &str, more: &[&str]) -> String {
    let folder = parent.join(name);
    let data = folder.display().to_string();
    let maps = ["--procedural", "8", "--transmitters", "1", "--roofs", "4,40", "--cars", "40", "--method", "dpm"];
    succeeds(&[&["dataset", "synth", "--out", &data], &maps[..], more].concat());
    fs::rename(folder.join("gain/carsDPM"), folder.join("gain/DPM")).unwrap();
    let heights = (!more.contains(&"--stated-roofs")).then_some("png/heights");
    for hidden in ["polygon", "png/cars", "png/antennas"].into_iter().chain(heights) {
        fs::remove_dir_all(folder.join(hidden)).unwrap();
    }
    data
}

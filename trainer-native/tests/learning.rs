//! Networks learn: a small one overfits a batch, and the shipped one knows more of maps than a law of distance.

// Clippy allows unwrap in #[test] functions only; the helpers here are as much tests.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Workshop, strs, succeeds};

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
    let log = shop.read("run/autoencoder/metrics.jsonl");
    let loss = |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap()["train/total_loss"].as_f64().unwrap();
    let losses: Vec<f64> = log.lines().map(loss).collect();
    assert_eq!(losses.len(), 150);
    assert!(losses[0] > 0.5 && losses[149] < LEAST_LOSS, "from {} to {}", losses[0], losses[149]);
}

/// On eight maps of streets drawn by rule, of the kind that the shipped network was validated on: an NMSE of 0.016 against 0.037.
#[test]
fn the_shipped_network_beats_the_law_of_distance() {
    const LEAST_FACTOR: f64 = 1.5;
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data").display().to_string();
    succeeds(&["dataset", "synth", "--out", &data, "--procedural", "8", "--transmitters", "1", "--seed", "20002"]);
    let weights = concat!(env!("CARGO_MANIFEST_DIR"), "/../models/nano.safetensors");
    let table = succeeds(&["evaluate", "--weights", weights, "--data", &data]);
    let nmse = |method: &str| {
        let row = table.lines().find(|row| row.starts_with(&format!("| {method} |"))).unwrap_or_else(|| panic!("{method}: {table}"));
        row.split('|').nth(2).unwrap().trim().parse::<f64>().unwrap()
    };
    let (baseline, network) = (nmse("line of sight + log distance"), nmse("nano"));
    assert!(network * LEAST_FACTOR < baseline, "nano's NMSE is {network}, the baseline's {baseline}");
}

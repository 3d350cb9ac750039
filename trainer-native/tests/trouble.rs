//! What a run does when training goes wrong, and what it says before it begins.

// Clippy allows unwrap in #[test] functions only; the helpers here are as much tests.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Workshop, fails, strs, text, trainer};
use serde_json::Value;
use std::path::Path;

fn log(shop: &Workshop, run: &str, stage: &str) -> Vec<Value> {
    shop.read(&format!("{run}/{stage}/metrics.jsonl")).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// A run that ends well, and all that it says.
fn says(shop: &Workshop, stage: &str, run: &str, sets: &[&str]) -> String {
    let output = trainer(&strs(&shop.train(stage, run, sets)));
    let said = text(&output.stdout) + &text(&output.stderr);
    assert!(output.status.success(), "{said}");
    said
}

#[test]
fn steps_that_stand_out_are_left_out_and_the_run_goes_on() {
    let shop = Workshop::new(&[3, 4]);
    // Nothing is learnt, so that many a loss is a little above the mean, once there is a mean of fifty.
    let sets =
        ["autoencoder.steps=90", "autoencoder.whole_map_steps=0", "autoencoder.learning_rate=0", "guard.outlier=0.5", "guard.skips=90"];
    let said = says(&shop, "autoencoder", "run", &sets);
    let log = log(&shop, "run", "autoencoder");
    let skipped: Vec<usize> = (0..log.len()).filter(|&i| log[i]["train/skipped"] == 1.0).collect();
    assert_eq!(log.len(), 90);
    assert!(skipped.first().is_some_and(|&first| first >= 50) && skipped.len() < 40, "{skipped:?}");
    let told = |step: &usize| said.contains(&format!("step {step} is left out: the loss is"));
    assert!(skipped.iter().all(told), "{skipped:?}: {said}");
}

#[test]
fn a_run_whose_losses_are_not_finite_stops_and_says_how_to_go_on() {
    let shop = Workshop::new(&[3, 4]);
    let sets =
        ["autoencoder.steps=30", "autoencoder.learning_rate=1e30", "autoencoder.optimizer.warmup=0", "guard.skips=2", "guard.lowerings=1"];
    let words = [
        "is left out: the loss is",
        "so the rate is 0.5 times the schedule's from here on",
        "halving the rate has not helped",
        "Go on with a lower autoencoder.learning_rate",
    ];
    fails(&strs(&shop.train("autoencoder", "run", &sets)), &words);
    let log = log(&shop, "run", "autoencoder");
    let skipped = log.iter().filter(|line| line["train/skipped"] == 1.0).count();
    assert!(log.len() < 10 && skipped >= 4, "{skipped} of {} steps", log.len());
    assert!(!Path::new(&shop.path("run/autoencoder.safetensors")).exists(), "weights of a run that did not end");
}

#[test]
fn a_collapsing_posterior_is_told_while_the_run_goes_on() {
    let shop = Workshop::new(&[3, 4]);
    let sets = ["autoencoder.steps=420", "autoencoder.whole_map_steps=0", "autoencoder.batch=1", "autoencoder.kl_weight=100"];
    let said = says(&shop, "autoencoder", "run", &[&sets[..], &["validate_every=420"]].concat());
    assert_eq!(
        said.matches("posterior collapse: the latents say next to nothing of the maps. Lower autoencoder.kl_weight").count(),
        1,
        "{said}"
    );
    let healthy = says(&shop, "autoencoder", "healthy", &[&sets[..3], &["validate_every=420"]].concat());
    assert!(!healthy.contains("posterior collapse"), "{healthy}");
}

#[test]
fn a_dry_run_shows_what_would_be_trained_and_writes_nothing() {
    let shop = Workshop::new(&[3, 4]);
    let frozen = "autoencoder.freeze=[\"first_stage_model.decoder.\"]";
    let rows = |sets: &[&str]| {
        let output = trainer(&strs(&[shop.train("autoencoder", "run", sets), vec!["--dry-run".into()]].concat()));
        assert!(output.status.success(), "{}", text(&output.stderr));
        let said = text(&output.stdout);
        assert!(["MiB", "loss"].iter().all(|words| said.contains(words)), "{said}");
        said
    };
    let (all, part) = (rows(&[]), rows(&[frozen]));
    // Seconds and memory differ from run to run.
    let decoder = |said: &str| said.lines().filter(|line| line.contains("decoder")).map(str::to_owned).collect::<Vec<_>>();
    assert!(!decoder(&all).is_empty() && decoder(&all) != decoder(&part), "what is frozen is shown: {all}{part}");
    assert!(!Path::new(&shop.path("run")).exists());
}

/// Two batches a step are one batch of twice the size: every loss is the mean over the same maps, and the weights take the same steps.
#[test]
fn accumulated_batches_are_one_larger_batch() {
    let shop = Workshop::new(&[3, 4, 5]);
    let losses = |run: &str, sets: &[&str]| -> Vec<f64> {
        says(&shop, "quantiles", run, &[&["quantiles.steps=4", "quantiles.whole_map_steps=4"], sets].concat());
        log(&shop, run, "quantiles").iter().map(|line| line["train/total_loss"].as_f64().unwrap()).collect()
    };
    let once = losses("once", &["quantiles.batch=4"]);
    let twice = losses("twice", &["quantiles.batch=2", "quantiles.optimizer.accumulate=2"]);
    assert!(once.len() == 4 && once.iter().zip(&twice).all(|(a, b)| (a - b).abs() < 1e-4 * a.abs()), "{once:?} and {twice:?}");
}

//! Two processes train as one: the same losses, one stop, one run's folder that either number of processes goes on with.

// Clippy allows unwrap in #[test] functions only; the helpers here are as much tests.
#![allow(clippy::unwrap_used)]

mod common;

use common::{SWIN, Workshop, fails, strs, succeeds, text};
use serde_json::Value;
use std::fs;
use std::net::TcpListener;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

/// Both stages, with an adversary from the second step on, without the dropout whose masks differ between processes.
fn workshop() -> Workshop {
    let shop = Workshop::new(&[3, 4, 5]);
    fs::write(shop.path("swin.toml"), SWIN.replace("stochastic_depth = 0.1", "stochastic_depth = 0.0")).unwrap();
    let adversary = r#"
[autoencoder.loss.adversary]
weight = 0.5
gradient_penalty = 1.0
phase = { start = 1, factor = 1.0 }
discriminator = { channels = 4, layers = 1, normalization = "actnorm", spectral = true }
"#;
    let config = shop.read("config.toml") + adversary;
    fs::write(shop.path("config.toml"), config).unwrap();
    shop
}

const SETS: [&str; 9] = [
    "autoencoder.steps=6",
    "autoencoder.batch=4",
    "diffusion.steps=4",
    "diffusion.batch=4",
    "diffusion.pixel.steps=3",
    "diffusion.pixel.batch=4",
    "diffusion.symmetries=8",
    "validate_every=3",
    "checkpoints.every=3",
];

/// Starts `trainer` twice, as torchrun would.
fn pair(args: &[&str]) -> [Child; 2] {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
    ["0", "1"].map(|rank| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_trainer"));
        command.args(args).env("OMP_NUM_THREADS", "1").env("RANK", rank).env("LOCAL_RANK", rank).env("WORLD_SIZE", "2");
        command.env("MASTER_ADDR", "127.0.0.1").env("MASTER_PORT", &port);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    })
}

fn outputs(children: [Child; 2]) -> [Output; 2] {
    children.map(|child| child.wait_with_output().unwrap())
}

fn pair_succeeds(args: &[&str]) {
    for (rank, output) in outputs(pair(args)).iter().enumerate() {
        assert!(output.status.success(), "process {rank}: {}{}", text(&output.stdout), text(&output.stderr));
        assert!(rank == 0 || output.stdout.is_empty(), "process 0 speaks for both: {}", text(&output.stdout));
    }
}

/// The records of a network's log.
fn log(shop: &Workshop, run: &str, network: &str) -> Vec<Value> {
    let lines = shop.read(&format!("{run}/{network}/metrics.jsonl"));
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Asserts that two runs have logged the same, but for what float32 sums in another order differ by: 1e-5 of a loss in the first step
/// and, as the steps build on one another, 1e-3 in the last.
fn assert_same_log(shop: &Workshop, [one, two]: [&str; 2]) {
    for network in ["autoencoder", "diffusion"] {
        let [one, two] = [one, two].map(|run| log(shop, run, network));
        assert_eq!(one.len(), two.len());
        for (step, (one, two)) in one.iter().zip(&two).enumerate() {
            let allowed = if step == 0 { 1e-5 } else { 1e-3 };
            for name in ["train/total_loss", "train/gradient_norm", "val/nmse"].iter().filter(|name| one.get(**name).is_some()) {
                let [one, two] = [one, two].map(|record| record[*name].as_f64().unwrap());
                assert!((one - two).abs() <= allowed * one.abs(), "{network}, step {step}: {name} is {one} of one process, {two} of two");
            }
        }
    }
}

#[test]
fn two_processes_have_the_losses_of_one() {
    let shop = workshop();
    succeeds(&strs(&shop.train("all", "one", &SETS)));
    pair_succeeds(&strs(&shop.train("all", "two", &SETS)));
    assert_same_log(&shop, ["one", "two"]);
    fails(&["evaluate", "--weights", &shop.path("two/nothing.safetensors"), "--data", &shop.path("data")], &["nothing.safetensors"]);

    let odd = shop.train("autoencoder", "odd", &["autoencoder.batch=3"]);
    for output in outputs(pair(&strs(&odd))) {
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains("autoencoder.batch is 3, which 2 processes cannot share evenly"), "{said}");
    }
}

#[cfg(unix)]
#[test]
fn a_signal_to_one_process_stops_both_and_any_number_goes_on() {
    let shop = workshop();
    succeeds(&strs(&shop.train("all", "one", &SETS)));
    let slow = [&SETS[..], &["autoencoder.steps=6"]].concat();
    let args = shop.train("all", "two", &slow);
    let mut children = pair(&strs(&args));
    let lines = shop.path("two/autoencoder/metrics.jsonl");
    while fs::read_to_string(&lines).map_or(0, |log| log.lines().count()) < 1 {
        assert!(children[1].try_wait().unwrap().is_none(), "it ended before the signal");
        std::thread::sleep(Duration::from_millis(2));
    }
    assert!(Command::new("kill").arg(children[1].id().to_string()).status().unwrap().success());
    for (rank, output) in outputs(children).iter().enumerate() {
        assert_eq!(output.status.code(), Some(130), "process {rank}: {}{}", text(&output.stdout), text(&output.stderr));
    }
    // The same run's folder, resumed by one process and by two.
    let copied = Command::new("cp").args(["-r", &shop.path("two"), &shop.path("alone")]).status().unwrap();
    assert!(copied.success());
    succeeds(&strs(&[shop.train("all", "alone", &slow), vec!["--resume".into()]].concat()));
    pair_succeeds(&strs(&[args, vec!["--resume".into()]].concat()));
    assert_same_log(&shop, ["one", "two"]);
    assert_same_log(&shop, ["one", "alone"]);
}

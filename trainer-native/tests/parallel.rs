//! Two processes train as one: the same losses, one stop, one run's folder that either number of processes goes on with.

#![cfg(unix)]
// Clippy allows unwrap in #[test] functions only; the helpers here are as much tests.
#![allow(clippy::unwrap_used)]

mod common;

use common::{SWIN, Workshop, strs, succeeds, text};
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

fn free_port() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string()
}

/// Starts `trainer` twice, as torchrun would.
fn pair(args: &[&str]) -> [Child; 2] {
    pair_in([".", "."], args)
}

/// As [`pair`], in two working folders.
fn pair_in(folders: [&str; 2], args: &[&str]) -> [Child; 2] {
    let port = free_port();
    [("0", folders[0]), ("1", folders[1])].map(|(rank, folder)| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_trainer"));
        command.args(args).current_dir(folder).env("OMP_NUM_THREADS", "1").env("RANK", rank).env("LOCAL_RANK", rank).env("WORLD_SIZE", "2");
        command.env("MASTER_ADDR", "127.0.0.1").env("MASTER_PORT", &port);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    })
}

/// Over MPI, with the feature `mpi`: `cargo test --features mpi --test parallel`.
#[cfg(feature = "mpi")]
#[test]
fn two_processes_of_mpirun_have_the_losses_of_one() {
    let shop = workshop();
    succeeds(&strs(&shop.train("all", "one", &SETS)));
    let mpirun = |args: Vec<String>| {
        let mut command = Command::new("mpirun");
        // A test may run as root and on one core.
        command.args(["--allow-run-as-root", "--oversubscribe", "-n", "2", env!("CARGO_BIN_EXE_trainer")]);
        let output = command.args(args).env("OMP_NUM_THREADS", "1").output().unwrap();
        assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
        assert!(text(&output.stdout).contains("2 processes"), "{}", text(&output.stdout));
    };
    mpirun(shop.train("autoencoder", "two", &SETS));
    assert_same_log(&shop, "autoencoder", ["one", "two"]);
    mpirun(second_stage(&shop, "two"));
    assert_same_log(&shop, "diffusion", ["one", "two"]);
}

/// By PyTorch's own launcher, which listens at the meeting place itself and starts both anew when one dies: killed once, they still end
/// with the losses of one process.
#[test]
#[ignore = "needs PyTorch's torchrun on the PATH: cargo test --test parallel -- --ignored torchrun"]
fn two_processes_of_torchrun_have_the_losses_of_one() {
    let shop = workshop();
    succeeds(&strs(&shop.train("all", "one", &SETS)));
    let torchrun = |args: &[String]| {
        let mut command = Command::new("torchrun");
        command.args(["--no-python", "--nproc-per-node=2", "--max-restarts=1", "--monitor-interval=0.1", "--master-addr=127.0.0.1"]);
        command.args(["--master-port", &free_port(), env!("CARGO_BIN_EXE_trainer")]).args(args).env("OMP_NUM_THREADS", "1");
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let train = [shop.train("autoencoder", "two", &SETS), vec!["--resume".into()]].concat();
    let launched = torchrun(&train);
    let checkpoints = shop.path("two/autoencoder/checkpoints");
    while fs::read_dir(&checkpoints).map_or(0, Iterator::count) < 1 {
        std::thread::sleep(Duration::from_millis(2));
    }
    let killed = Command::new("pkill")
        .args(["-9", "-o", "-f", &format!("^{} .*{}", env!("CARGO_BIN_EXE_trainer"), shop.path("two"))])
        .status()
        .unwrap();
    println!("one of the two was killed: {killed}");
    ends_well(launched);
    assert_same_log(&shop, "autoencoder", ["one", "two"]);
    ends_well(torchrun(&second_stage(&shop, "two")));
    assert_same_log(&shop, "diffusion", ["one", "two"]);
}

fn ends_well(child: Child) {
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
    assert!(text(&output.stdout).contains("2 processes"), "{}", text(&output.stdout));
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

/// Asserts that two runs of a network have logged the same. The first stage differs by what float32 sums in another order do: 1e-5 of a
/// loss and of its gradient in the first step and, as the steps build on one another, 1e-3 of a loss in the last; gradients, which
/// jump where an error changes its sign, by more. The denoiser's batch normalisation sees half of the
/// batch in each of two processes, which is worth some 0.5 % of its loss.
fn assert_same_log(shop: &Workshop, network: &str, runs: [&str; 2]) {
    let exact = network == "autoencoder";
    let [one, two] = runs.map(|run| log(shop, run, network));
    assert_eq!(one.len(), two.len(), "{runs:?}");
    for (step, (one, two)) in one.iter().zip(&two).enumerate() {
        let allowed = match (exact, step) {
            (true, 0) => 1e-5,
            (true, _) => 1e-3,
            (false, _) => 3e-2,
        };
        let names = ["train/total_loss", "val/nmse"].into_iter().chain((exact && step == 0).then_some("train/gradient_norm"));
        for name in names.collect::<Vec<_>>().iter().filter(|name| one.get(**name).is_some()) {
            let [one, two] = [one, two].map(|record| record[*name].as_f64().unwrap());
            assert!((one - two).abs() <= allowed * one.abs(), "{network} of {runs:?}, step {step}: {name} is {one} and {two}");
        }
    }
}

/// The arguments that train the second stage on the first stage of the run `one`: to begin alike, since after some steps the first stages
/// of two runs differ by more than rounding.
fn second_stage(shop: &Workshop, run: &str) -> Vec<String> {
    let first_stage = shop.path("one/autoencoder.safetensors");
    [shop.train("diffusion", run, &SETS), vec!["--from".into(), first_stage]].concat()
}

#[test]
fn two_processes_train_as_one() {
    let shop = workshop();
    succeeds(&strs(&shop.train("all", "one", &SETS)));
    pair_succeeds(&strs(&shop.train("autoencoder", "two", &SETS)));
    assert_same_log(&shop, "autoencoder", ["one", "two"]);
    pair_succeeds(&strs(&second_stage(&shop, "two")));
    assert_same_log(&shop, "diffusion", ["one", "two"]);

    a_signal_to_one_stops_both(&shop);
    // What both leave is gone on with by one process and by two.
    let copied = Command::new("cp").args(["-r", &shop.path("stopped"), &shop.path("alone")]).status().unwrap();
    assert!(copied.success());
    let resume = |run: &str| [shop.train("all", run, &SETS), vec!["--resume".into()]].concat();
    succeeds(&strs(&resume("alone")));
    pair_succeeds(&strs(&resume("stopped")));
    for run in ["stopped", "alone"] {
        assert_same_log(&shop, "autoencoder", ["one", run]);
        assert_eq!(log(&shop, run, "diffusion").len(), 7, "{run} trains the second stage too");
    }
}

/// A signal to the process that does not lead, once the run has begun.
fn a_signal_to_one_stops_both(shop: &Workshop) {
    let mut children = pair(&strs(&shop.train("all", "stopped", &SETS)));
    let lines = shop.path("stopped/autoencoder/metrics.jsonl");
    while fs::read_to_string(&lines).map_or(0, |log| log.lines().count()) < 1 {
        assert!(children[1].try_wait().unwrap().is_none(), "it ended before the signal");
        std::thread::sleep(Duration::from_millis(2));
    }
    assert!(Command::new("kill").arg(children[1].id().to_string()).status().unwrap().success());
    for (rank, output) in outputs(children).iter().enumerate() {
        assert_eq!(output.status.code(), Some(130), "process {rank}: {}{}", text(&output.stdout), text(&output.stderr));
    }
}

#[test]
fn when_one_process_fails_the_other_ends_with_its_reason() {
    let shop = workshop();
    // Each process finds the dataset in its own folder, process 1 with damaged maps.
    let other = shop.path("other");
    fs::create_dir(&other).unwrap();
    assert!(Command::new("cp").args(["-r", &shop.path("data"), &other]).status().unwrap().success());
    for entry in fs::read_dir(format!("{other}/data/gain/DPM")).unwrap() {
        common::damage(&entry.unwrap().path(), |bytes| bytes.truncate(40));
    }
    let sets = [SETS.as_slice(), &["data.train=[\"data\"]"]].concat();
    let children = pair_in([&shop.path("."), &other], &strs(&shop.train("autoencoder", "failing", &sets)));
    let [sound, damaged] = outputs(children).map(|output| (output.status.code(), text(&output.stderr)));
    assert_eq!((sound.0, damaged.0), (Some(1), Some(1)), "{sound:?} {damaged:?}");
    assert!(damaged.1.contains("expected a whole PNG"), "{damaged:?}");
    assert!(sound.1.contains("process 1 has ended by an error: ") && sound.1.contains("expected a whole PNG"), "{sound:?}");
}

#[test]
fn a_batch_that_cannot_be_shared_is_refused_by_each() {
    let shop = workshop();
    for output in outputs(pair(&strs(&shop.train("autoencoder", "odd", &["autoencoder.batch=3"])))) {
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains("autoencoder.batch is 3, which 2 processes cannot share evenly"), "{said}");
    }
}

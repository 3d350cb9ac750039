//! A run that is killed, stopped or out of disk goes on as if nothing had happened: the log and the weights are those of the run
//! that was left alone.

// Clippy allows unwrap in #[test] functions only; the helpers here are as much tests.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Workshop, damage, fails, strs, succeeds, text};
use radiodiff_core::random;
use radiodiff_core::weights::{Checkpoint, HostTensor};
use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// Both stages in this many steps, a third of them each phase's.
fn sets(steps: usize, checkpoint_every: usize) -> Vec<String> {
    let third = steps / 3;
    vec![
        format!("autoencoder.steps={}", steps - 2 * third),
        format!("diffusion.steps={third}"),
        format!("diffusion.pixel.steps={third}"),
        format!("validate_every={third}"),
        format!("checkpoints.every={checkpoint_every}"),
    ]
}

fn train_all(shop: &Workshop, run: &str, sets: &[String], more: &[&str]) -> Vec<String> {
    let sets: Vec<&str> = sets.iter().map(String::as_str).collect();
    shop.train("all", run, &sets).into_iter().chain(more.iter().map(|arg| (*arg).to_owned())).collect()
}

fn start(args: &[String]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_trainer"));
    command.args(args).env("OMP_NUM_THREADS", "1").stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// The end of a process, or nothing if it still runs after `time`.
fn wait(child: &mut Child, time: Duration) -> Option<ExitStatus> {
    let begun = Instant::now();
    loop {
        match child.try_wait().unwrap() {
            None if begun.elapsed() < time => std::thread::sleep(Duration::from_millis(2)),
            ended => return ended,
        }
    }
}

/// The logs and the weights that a run leaves. They depend on its configuration alone; the weights' manifest names the commit too.
fn outcome(shop: &Workshop, run: &str) -> ([String; 2], [HashMap<String, HostTensor>; 2]) {
    let weights = |network: &str| {
        let bytes = fs::read(shop.path(&format!("{run}/{network}.safetensors"))).unwrap();
        Checkpoint::parse(&bytes).unwrap().tensors().clone()
    };
    let networks = ["autoencoder", "diffusion"];
    (networks.map(|network| shop.read(&format!("{run}/{network}/metrics.jsonl"))), networks.map(weights))
}

fn assert_same_outcome(shop: &Workshop, run: &str, (logs, weights): &([String; 2], [HashMap<String, HostTensor>; 2])) {
    let (found, found_weights) = outcome(shop, run);
    for (found, expected) in found.iter().zip(logs) {
        assert_eq!(found.lines().count(), expected.lines().count(), "{run}: lines of the log");
        found.lines().zip(expected.lines()).for_each(|(found, expected)| assert_eq!(found, expected, "{run}"));
    }
    assert!(found_weights == *weights, "{run}: the weights differ from the undisturbed run's");
}

/// Kills runs of `steps` steps with -9 until it has done so `kills` times, and compares what each leaves in the end.
fn kill(steps: usize, checkpoint_every: usize, kills: usize) {
    let shop = Workshop::new(&[3, 4]);
    let sets = sets(steps, checkpoint_every);
    let begun = Instant::now();
    succeeds(&strs(&train_all(&shop, "undisturbed", &sets, &[])));
    let whole = begun.elapsed();
    let undisturbed = outcome(&shop, "undisturbed");
    let (mut done, mut run) = (0, 0);
    while done < kills {
        let name = format!("killed-{run}");
        let mut first = true;
        loop {
            let mut child = start(&train_all(&shop, &name, &sets, if first { &[] } else { &["--resume"] }));
            // What is left is unknown; a run that is killed early often would never end.
            let moment = random::uniform(7, done as u32, 1)[0];
            let time = if done < kills { whole.mul_f64(0.6 * moment) } else { Duration::from_secs(600) };
            match wait(&mut child, time) {
                Some(status) => {
                    assert!(status.success(), "{name} ended with {status}");
                    break;
                }
                None => {
                    // On Unix this is SIGKILL.
                    child.kill().unwrap();
                    child.wait().unwrap();
                    (done, first) = (done + 1, false);
                }
            }
            // Killed before it wrote its configuration, it has nothing to go on from.
            first = first || !Path::new(&shop.path(&format!("{name}/config-autoencoder.toml"))).exists();
        }
        assert_same_outcome(&shop, &name, &undisturbed);
        run += 1;
    }
    println!("{done} kills in {run} runs of {steps} steps");
}

#[test]
fn killed_and_resumed_a_run_is_the_undisturbed_one() {
    kill(30, 4, 3);
}

#[test]
#[ignore = "slow: fifty kills of a run of 200 steps, about ten minutes"]
fn killed_fifty_times_a_run_is_the_undisturbed_one() {
    kill(200, 5, 50);
}

#[cfg(unix)]
#[test]
fn signals_and_full_disks_end_a_run_that_can_go_on() {
    let shop = Workshop::new(&[3, 4]);
    let sets = sets(30, 4);
    succeeds(&strs(&train_all(&shop, "undisturbed", &sets, &[])));
    let undisturbed = outcome(&shop, "undisturbed");

    // As Ctrl-C and as a scheduler sends it, once the run has begun and once it has gone on.
    let log = shop.path("run/autoencoder/metrics.jsonl");
    let lines = || fs::read_to_string(&log).map_or(0, |log| log.lines().count());
    for (signal, more) in [("-INT", &[][..]), ("-TERM", &["--resume"])] {
        let before = lines();
        let mut child = start(&train_all(&shop, "run", &sets, more));
        while lines() < before + 2 {
            assert!(wait(&mut child, Duration::from_millis(5)).is_none(), "it ended before the signal");
        }
        assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
        assert_eq!(child.wait().unwrap().code(), Some(130), "kill {signal}");
    }

    // Begun again without a word it would lose what there is.
    fails(&strs(&train_all(&shop, "run", &sets, &[])), &["holds a run of the autoencoder", "--resume"]);
    let other = [sets.clone(), vec!["seed=2".into()]].concat();
    fails(&strs(&train_all(&shop, "run", &other, &["--resume"])), &["seed = 1", "this one has 2"]);
    let other = [sets.clone(), vec!["preset=nano".into()]].concat();
    fails(
        &strs(&train_all(&shop, "run", &other, &["--resume"])),
        &["is of another preset. It is small-swin, this run's is nano: first_stage_model.", "[16] in small-swin and [24] in nano"],
    );

    // A disk that has room for the log but not for a checkpoint's networks.
    let limited = "ulimit -f 100; exec \"$0\" \"$@\"";
    let mut command = Command::new("sh");
    command.args(["-c", limited, env!("CARGO_BIN_EXE_trainer")]).args(train_all(&shop, "run", &sets, &["--resume"]));
    let output = command.env("OMP_NUM_THREADS", "1").output().unwrap();
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(
        ["is whole, and --resume goes on from it", "networks.safetensors", "File too large"].iter().all(|words| said.contains(words)),
        "{said}"
    );
    let leftover = fs::read_dir(shop.path("run/autoencoder/checkpoints")).unwrap();
    assert!(leftover.map(|entry| entry.unwrap().file_name()).all(|name| name.to_string_lossy().starts_with("step-")));

    succeeds(&["train", "all", "--out", &shop.path("run"), "--resume"]);
    assert_same_outcome(&shop, "run", &undisturbed);
}

#[test]
fn a_damaged_checkpoint_is_refused_and_the_one_before_is_taken() {
    let shop = Workshop::new(&[3, 4]);
    let sets = ["autoencoder.steps=6", "checkpoints.every=2", "checkpoints.keep=2"];
    shop.trains("autoencoder", "run", &sets);
    let undisturbed = shop.read("run/autoencoder/metrics.jsonl");
    let checkpoint = |step: u32, file: &str| shop.path(&format!("run/autoencoder/checkpoints/step-{step:08}/{file}"));
    damage(Path::new(&checkpoint(6, "optimizer.safetensors")), |bytes| bytes.truncate(4096));
    let resume = [shop.train("autoencoder", "run", &sets), vec!["--resume".into()]].concat();
    let output = common::trainer(&strs(&resume));
    let said = text(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(["step-00000006", "optimizer.safetensors is damaged: it has 4096 bytes"].iter().all(|words| said.contains(words)), "{said}");
    assert!(text(&output.stdout).contains("going on after step 4"), "{said}");
    assert_eq!(shop.read("run/autoencoder/metrics.jsonl"), undisturbed);

    for step in [4, 6] {
        damage(Path::new(&checkpoint(step, "networks.safetensors")), |bytes| bytes[200] ^= 1);
    }
    fails(&strs(&resume), &["none of the 2 checkpoints", "networks.safetensors is damaged: its SHA-256 is"]);
}

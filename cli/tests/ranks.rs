//! A dataset made by several processes that a launcher started: each takes its share, and together they make what one makes.

// Clippy allows unwrap in #[test] functions only; the helpers here are as much tests.
#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::process::{Child, Command, Stdio};

mod common;

use common::{contents, succeeds, text};

fn start(args: &[&str], variables: &[(&str, &str)]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_radiodiff"));
    command.args(args).envs(variables.iter().copied()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// What a process that ends well printed.
fn end(child: Child) -> String {
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    text(&output.stdout)
}

#[test]
fn processes_make_and_simulate_what_one_does() {
    let [one, several, gains] = [(), (), ()].map(|()| tempfile::tempdir().unwrap());
    let [one, several, gains] = [&one, &several, &gains].map(|folder| folder.path().to_str().unwrap());
    let synth = |out| ["dataset", "synth", "--out", out, "--procedural", "3", "--transmitters", "1", "--seed", "4"];
    succeeds(&synth(one));
    // The second process ends first and leaves the rest to the first.
    let said = end(start(&synth(several), &[("RANK", "1"), ("WORLD_SIZE", "2")]));
    assert!(said.contains("process 1 of 2, whose share are 1 of 3 maps: 1 maps") && said.contains("2 maps of other processes"), "{said}");
    assert!(Path::new(several).join("dataset.unfinished.toml").exists());
    let first = start(&synth(several), &[("RANK", "0"), ("WORLD_SIZE", "2")]);
    let again = start(&synth(several), &[("RANK", "1"), ("WORLD_SIZE", "2")]);
    let said = [end(first), end(again)].concat();
    assert!(said.contains("process 0 of 2, whose share are 2 of 3 maps: 2 maps"), "{said}");
    assert_eq!(contents(Path::new(several)), contents(Path::new(one)));

    let simulate = ["simulate", "--dataset", one, "--method", "dpm", "--out", gains];
    let processes = ["0", "1", "2"].map(|rank| start(&simulate, &[("SLURM_PROCID", rank), ("SLURM_STEP_NUM_TASKS", "3")]));
    for (rank, said) in processes.map(end).iter().enumerate() {
        assert!(said.contains(&format!("process {rank} of 3: 1 maps of 1 scenes")), "{said}");
    }
    let gain = |folder: &str| contents(&Path::new(folder).join("gain/DPM"));
    assert_eq!(gain(gains), gain(one));

    let output = start(&simulate, &[("JOB_COMPLETION_INDEX", "0")]).wait_with_output().unwrap();
    assert!(!output.status.success() && text(&output.stderr).contains("WORLD_SIZE"), "{}", text(&output.stderr));
}

//! JavaScript tests, run by `node --test`. A person reads Node's own report; the results are the JSON lines of `reporter.mjs` and
//! the exit status, which must agree.

use std::process::Command;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use super::tally::Tally;
use crate::process::{run, shown};

/// In Node's working folder, the repository's root.
const REPORTER: &str = "./xtask/src/suite/reporter.mjs";

/// A line of `reporter.mjs`.
#[derive(Deserialize)]
struct Outcome {
    passed: bool,
    /// `true` where the test gives no reason.
    skip: Option<Reason>,
    todo: Option<Reason>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Reason {
    Flag(bool),
    Text(String),
}

impl Reason {
    /// None where a test says `skip: false`.
    fn text(self) -> Option<String> {
        match self {
            Self::Flag(false) => None,
            Self::Flag(true) => Some(String::new()),
            Self::Text(text) => Some(text),
        }
    }
}

/// Runs the test `files` with `node`, a command in the repository's root, one file after another.
///
/// # Errors
/// When Node cannot be started, or when there is no test: a run without one proves nothing.
pub fn run_files(mut node: Command, files: &[String]) -> Result<Tally> {
    let folder = tempfile::tempdir().context("making a folder for Node's results")?;
    let results = folder.path().join("results.jsonl");
    // One file at a time: two cores draw every map of the browser tests, and WebGPU is a software adapter there.
    node.args(["--test", "--test-concurrency=1", "--test-reporter=spec", "--test-reporter-destination=stdout"]);
    node.arg(format!("--test-reporter={REPORTER}")).arg(format!("--test-reporter-destination={}", results.display())).args(files);
    let success = run(&mut node).inspect_err(|error| println!("{error:#}")).is_ok();
    let text = std::fs::read_to_string(&results).with_context(|| format!("`{}` left no results", shown(&node)))?;
    let tally = tally(&text, success)?;
    if tally == Tally::default() {
        bail!("`{}` ran no test", shown(&node));
    }
    Ok(tally)
}

fn tally(lines: &str, success: bool) -> Result<Tally> {
    let mut tally = Tally::default();
    for line in lines.lines() {
        let outcome: Outcome = serde_json::from_str(line).with_context(|| format!("reading the result {line:?}"))?;
        // Node lets a test that is yet to be written fail.
        match outcome.skip.and_then(Reason::text).or(outcome.todo.and_then(Reason::text)) {
            Some(reason) => tally.leave_out(&reason),
            None => tally += &Tally::one(outcome.passed),
        }
    }
    if !success && tally.failed == 0 {
        println!("Node failed, and none of its tests did: counted as one failure");
        tally.failed = 1;
    }
    Ok(tally)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_of_node_are_counted() {
        let lines = r#"{"name":"a","passed":true,"skip":null,"todo":null}
{"name":"b","passed":true,"skip":"needs the reference data","todo":null}
{"name":"c","passed":false,"skip":false,"todo":null}
{"name":"d","passed":false,"skip":null,"todo":true}
"#;
        let found = tally(lines, false).unwrap();
        assert_eq!((found.passed, found.failed, found.skipped_count()), (1, 1, 2));
        assert_eq!(tally("", false).unwrap().failed, 1);
        assert!(tally("ok 1 - a", true).is_err());
    }
}

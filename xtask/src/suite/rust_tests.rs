//! Rust tests: built by cargo, which names the test programs in JSON, and run here, two programs at a time.
//!
//! A test program's results are the JSON lines of the test harness and the program's exit status, which must agree: a test that was
//! announced and gave no result counts as failed, and so does a program that ends with an error none of its tests accounts for. The
//! harness prints JSON behind an unstable flag. It accepts the flag where RUSTC_BOOTSTRAP is set, which is set for the test programs
//! only; rust-toolchain.toml pins the compiler and so the format.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use cargo_metadata::Message;
use cargo_metadata::diagnostic::DiagnosticLevel;
use serde::Deserialize;

use super::shown_duration;
use super::tally::{Tally, is_slow};
use crate::layout;
use crate::process::shown;

/// A test program that cargo built.
pub struct TestProgram {
    /// Its source file, relative to the repository's root.
    pub source: String,
    executable: PathBuf,
    /// The folder of its package, where cargo runs it too.
    package: PathBuf,
}

impl TestProgram {
    /// The program as cargo would run it, with the variables that cargo was given: where libtorch's libraries are, for one.
    fn command(&self, cargo_test: &Command) -> Command {
        let mut command = Command::new(&self.executable);
        command.current_dir(&self.package).envs(cargo_test.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command
    }
}

/// Programs that run at a time: near its end a program waits for its longest test, which has one thread.
const AT_ONCE: usize = 2;

/// Builds the tests with `cargo_test` (`cargo test` and its options) and runs the programs that `chosen` takes; with `slow`, also the
/// tests that are ignored for being slow.
///
/// # Errors
/// When a test does not compile, and when there is none: a run without a test proves nothing.
pub fn run_programs(cargo_test: &mut Command, chosen: impl Fn(&TestProgram) -> bool, slow: bool) -> Result<Tally> {
    let programs = build(cargo_test.arg("--no-run"))?.programs;
    let waiting = Mutex::new(programs.iter().filter(|program| chosen(program)).collect::<Vec<_>>().into_iter());
    let waiting = || waiting.lock().unwrap_or_else(PoisonError::into_inner);
    let next = || waiting().next();
    let cargo_test = &*cargo_test;
    let work = || -> Result<Tally> {
        let mut tally = Tally::default();
        while let Some(program) = next() {
            // The other worker ends, too, where a program cannot be run.
            let clear = |_: &anyhow::Error| waiting().by_ref().for_each(drop);
            tally += &run_program(program, cargo_test, slow).inspect_err(clear)?;
        }
        Ok(tally)
    };
    let tallies = thread::scope(|scope| {
        let workers = [(); AT_ONCE].map(|()| scope.spawn(work));
        workers.map(|worker| worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    });
    let mut tally = Tally::default();
    for found in tallies {
        tally += &found?;
    }
    if tally.passed + tally.failed + tally.skipped_count() == 0 {
        bail!("`{}` built no test", shown(cargo_test));
    }
    Ok(tally)
}

/// Runs a program, says in a line what came of it, and returns its tally.
fn run_program(program: &TestProgram, cargo_test: &Command, slow: bool) -> Result<Tally> {
    let started = Instant::now();
    let (mut found, slow_tests) = run_harness(&program.source, &mut program.command(cargo_test))?;
    if slow && !slow_tests.is_empty() {
        let mut command = program.command(cargo_test);
        command.args(["--ignored", "--exact"]).args(&slow_tests);
        found.slow = 0;
        found += &run_harness(&program.source, &mut command)?.0;
    }
    let sums = [(found.passed, "passed"), (found.failed, "FAILED"), (found.skipped_count(), "skipped"), (found.slow, "slow, not run")];
    let sums: Vec<String> = sums.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
    println!("  {:<44} {} in {}", program.source, sums.join(", "), shown_duration(started.elapsed()));
    Ok(found)
}

/// Builds every target with `cargo_build`, whose compiler lints: one check, that nothing warns.
///
/// # Errors
/// When something does not compile.
pub fn lint(cargo_build: &mut Command) -> Result<Tally> {
    let built = build(cargo_build.arg("--all-targets"))?;
    if built.has_warnings {
        println!("every warning must be mended, or allowed with its reason");
    }
    Ok(Tally::one(!built.has_warnings))
}

/// What cargo has built, and whether its compiler warned of our packages.
struct Built {
    programs: Vec<TestProgram>,
    has_warnings: bool,
}

/// Builds with `cargo build` or `cargo test --no-run` and their options.
fn build(cargo: &mut Command) -> Result<Built> {
    cargo.arg("--message-format=json");
    let line = shown(cargo);
    println!("$ {line}");
    let mut child = cargo.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().with_context(|| format!("`{line}` could not be started"))?;
    let output = child.stdout.take().context("the child's output was not captured")?;
    let (mut programs, mut has_warnings) = (Vec::new(), false);
    for message in Message::parse_stream(BufReader::new(output)) {
        let artifact = match message.with_context(|| format!("reading what `{line}` prints"))? {
            Message::CompilerArtifact(artifact) => artifact,
            Message::CompilerMessage(said) => {
                eprint!("{}", said.message);
                has_warnings |= said.message.level == DiagnosticLevel::Warning;
                continue;
            }
            _ => continue,
        };
        let (true, Some(executable)) = (artifact.profile.test, artifact.executable) else { continue };
        let source = artifact.target.src_path.as_std_path();
        programs.push(TestProgram {
            source: source.strip_prefix(layout::root()).unwrap_or(source).to_string_lossy().into_owned(),
            executable: executable.into(),
            package: artifact.manifest_path.parent().context("a package lies in a folder")?.into(),
        });
    }
    let status = child.wait().with_context(|| format!("waiting for `{line}`"))?;
    if !status.success() {
        bail!("`{line}` failed ({status})");
    }
    programs.sort_by(|a, b| a.source.cmp(&b.source));
    Ok(Built { programs, has_warnings })
}

/// A line of the harness. Fields and events that are of no use here are left out.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Line {
    Suite {
        event: String,
        #[serde(default)]
        test_count: usize,
    },
    Test {
        event: String,
        name: String,
        /// Why the test is ignored, or in what way it failed.
        message: Option<String>,
        stdout: Option<String>,
    },
    #[serde(other)]
    Other,
}

/// Runs the test program of a source file; returns the tally and the names of the tests that are ignored for being slow.
fn run_harness(source: &str, command: &mut Command) -> Result<(Tally, Vec<String>)> {
    command.args(["-Z", "unstable-options", "--format", "json"]).env("RUSTC_BOOTSTRAP", "1");
    let line = shown(command);
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().with_context(|| format!("`{line}` could not be started"))?;
    let output = child.stdout.take().context("the child's output was not captured")?;
    let mut results = Results { source: source.to_owned(), ..Results::default() };
    for text in BufReader::new(output).split(b'\n') {
        results.read(&String::from_utf8_lossy(&text.with_context(|| format!("reading what `{line}` prints"))?));
    }
    let status = child.wait().with_context(|| format!("waiting for `{line}`"))?;
    if !status.success() && results.tally.failed == 0 {
        println!("`{}` ended with {status}", Path::new(command.get_program()).display());
    }
    Ok(results.finish(status.success()))
}

/// What a test program has said so far.
#[derive(Default)]
struct Results {
    source: String,
    announced: Option<usize>,
    finished: usize,
    running: BTreeSet<String>,
    slow_tests: Vec<String>,
    tally: Tally,
}

impl Results {
    fn read(&mut self, text: &str) {
        match serde_json::from_str(text) {
            Ok(Line::Suite { event, test_count }) if event == "started" => self.announced = Some(test_count),
            Ok(Line::Test { event, name, .. }) if event == "started" => {
                self.running.insert(name);
            }
            Ok(Line::Test { event, name, message, stdout }) => self.record(&event, &name, message, stdout),
            Ok(Line::Suite { .. } | Line::Other) => {}
            // A thread that a test started, or a program that it ran, may print past the harness.
            Err(_) => println!("{text}"),
        }
    }

    fn record(&mut self, event: &str, name: &str, message: Option<String>, stdout: Option<String>) {
        // "timeout" only says that a test has run for a minute.
        if event == "timeout" {
            println!("  {}: {name} has been running for a minute", self.source);
            return;
        }
        self.running.remove(name);
        self.finished += 1;
        match event {
            "ok" => self.tally.passed += 1,
            "ignored" => {
                let reason = message.unwrap_or_default();
                self.tally.leave_out(&reason);
                if is_slow(&reason) {
                    self.slow_tests.push(name.to_owned());
                }
            }
            _ => {
                self.tally.failed += 1;
                println!(
                    "FAILED {}: {name}{}\n{}",
                    self.source,
                    message.map(|m| format!(": {m}")).unwrap_or_default(),
                    stdout.unwrap_or_default()
                );
            }
        }
    }

    /// The tally once the program has ended.
    fn finish(mut self, success: bool) -> (Tally, Vec<String>) {
        let Some(announced) = self.announced else {
            println!("{} ended without naming its tests: counted as one failure", self.source);
            self.tally.failed += 1;
            return (self.tally, self.slow_tests);
        };
        let missing = announced.saturating_sub(self.finished);
        if missing > 0 {
            println!("{}: {missing} tests gave no result, among them {:?}: counted as failures", self.source, self.running);
            self.tally.failed += u32::try_from(missing).unwrap_or(u32::MAX);
        }
        if !success && self.tally.failed == 0 {
            self.tally.failed = 1;
        }
        (self.tally, self.slow_tests)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STARTED: &str = r#"{ "type": "suite", "event": "started", "test_count": 4 }"#;

    fn results(lines: &[&str], success: bool) -> (Tally, Vec<String>) {
        let mut results = Results::default();
        lines.iter().for_each(|line| results.read(line));
        results.finish(success)
    }

    #[test]
    fn every_event_of_the_harness_is_counted_once() {
        let (tally, slow) = results(
            &[
                STARTED,
                r#"{ "type": "test", "event": "started", "name": "a" }"#,
                r#"{ "type": "test", "event": "timeout", "name": "a" }"#,
                r#"{ "type": "test", "name": "a", "event": "ok", "exec_time": 61.5 }"#,
                "{ a test prints this }",
                r#"{ "type": "test", "name": "b", "event": "failed", "stdout": "test result: ok. 12 passed" }"#,
                r#"{ "type": "test", "name": "c", "event": "ignored", "message": "slow: minutes" }"#,
                r#"{ "type": "test", "name": "d", "event": "ignored", "message": "needs the reference data (RADIODIFF_SHARED)" }"#,
                r#"{ "type": "suite", "event": "failed", "passed": 1, "failed": 1, "ignored": 2, "measured": 0, "filtered_out": 0 }"#,
            ],
            false,
        );
        assert_eq!((tally.passed, tally.failed, tally.skipped_count(), tally.slow), (1, 1, 1, 1));
        assert_eq!(slow, ["c"]);
    }

    #[test]
    fn tests_without_a_result_have_failed() {
        let (tally, _) = results(&[STARTED, r#"{ "type": "test", "name": "a", "event": "ok" }"#], true);
        assert_eq!((tally.passed, tally.failed), (1, 3));
    }

    #[test]
    fn a_program_that_names_no_test_or_fails_without_one_has_failed() {
        assert_eq!(results(&[], true).0.failed, 1);
        let empty = r#"{ "type": "suite", "event": "started", "test_count": 0 }"#;
        assert_eq!(results(&[empty], true).0, Tally::default());
        assert_eq!(results(&[empty], false).0.failed, 1);
    }

    /// A package with a test of every outcome, built and run as the workspace is.
    #[test]
    fn the_tests_of_a_package_are_built_run_and_counted() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("src")).unwrap();
        std::fs::write(folder.path().join("Cargo.toml"), "[package]\nname = \"outcomes\"\nedition = \"2024\"\n[workspace]\n").unwrap();
        let tests = [
            "#[test] fn passes() { assert!(std::fs::exists(\"src/lib.rs\").unwrap()); }",
            "#[test] fn has_the_variables_of_cargo() { assert_eq!(std::env::var(\"LIBRARIES\").as_deref(), Ok(\"here\")); }",
            "#[test] fn fails() { panic!(\"as it should\"); }",
            "#[test] #[ignore = \"slow: minutes\"] fn takes_minutes() {}",
            "#[test] #[ignore = \"needs the reference data (RADIODIFF_SHARED)\"] fn cannot_run() { panic!(\"it ran\"); }",
        ];
        std::fs::write(folder.path().join("src/lib.rs"), tests.join("\n")).unwrap();
        // More programs than run at a time.
        std::fs::create_dir(folder.path().join("tests")).unwrap();
        for name in ["first", "second", "third"] {
            std::fs::write(folder.path().join(format!("tests/{name}.rs")), "#[test] fn passes() {}").unwrap();
        }
        let run = |slow| {
            let mut cargo_test = Command::new("cargo");
            cargo_test
                .args(["test", "--offline"])
                .current_dir(folder.path())
                .env("CARGO_TARGET_DIR", folder.path().join("target"))
                .env("LIBRARIES", "here");
            run_programs(&mut cargo_test, |_| true, slow)
        };
        let counts = |tally: Tally| (tally.passed, tally.failed, tally.skipped_count(), tally.slow);
        assert_eq!(counts(run(false).unwrap()), (5, 1, 1, 1));
        assert_eq!(counts(run(true).unwrap()), (6, 1, 1, 0));
        std::fs::write(folder.path().join("src/lib.rs"), "#[test] fn does_not_compile() { 1 }").unwrap();
        assert!(run(false).unwrap_err().to_string().contains("failed"));
    }

    /// This very program is one with the pinned compiler's harness.
    #[test]
    fn the_harness_prints_what_is_read_here() {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "suite::tally::tests::slow_tests_are_told_from_skipped_ones"]);
        assert_eq!(run_harness("xtask/src/main.rs", &mut command).unwrap().0, Tally::one(true));
    }
}

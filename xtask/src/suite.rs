//! `cargo xtask test`: everything that must hold, part by part. A part that fails does not keep the next from running; the last
//! line counts what passed and failed. Between parts it says how long is left, from how long each took here last time.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use lexopt::ValueExt;

use crate::process::{cargo, run as run_process, search_path, watch};
use crate::server::PageServer;
use crate::{browser, layout, page, payload, tools};

pub const HELP: &str = "  test   set up and run every check; exits with 1 when one fails
         --only <part>        one of fmt, clippy, unit, trainer, size, page; may be given more than once
         --slow               also the tests marked #[ignore] because they take minutes
";

/// One part: its name, the seconds it takes on two cores from nothing, and what it does.
struct Part {
    name: &'static str,
    cold_s: u64,
    run: fn(slow: bool) -> Result<Count>,
}

const PARTS: &[Part] = &[
    Part { name: "fmt", cold_s: 5, run: fmt },
    Part { name: "clippy", cold_s: 420, run: clippy },
    Part { name: "unit", cold_s: 600, run: unit },
    Part { name: "trainer", cold_s: 420, run: trainer },
    Part { name: "size", cold_s: 600, run: size },
    Part { name: "page", cold_s: 180, run: page_tests },
];

/// How many checks passed and failed.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Count {
    passed: u32,
    failed: u32,
}

impl Count {
    /// A part that is one check.
    fn one(passed: bool) -> Self {
        Self { passed: passed.into(), failed: (!passed).into() }
    }

    /// Adds what a line of `cargo test` or of Node's spec reporter sums up.
    fn read(&mut self, line: &str) {
        if let Some(sums) = line.strip_prefix("test result: ") {
            for (number, what) in sums.split([';', '.']).filter_map(|sum| sum.trim().split_once(' ')) {
                match (number.parse::<u32>(), what) {
                    (Ok(count), "passed") => self.passed += count,
                    (Ok(count), "failed") => self.failed += count,
                    _ => {}
                }
            }
        } else if let Some((what, Ok(count))) =
            line.strip_prefix("ℹ ").and_then(|sum| sum.split_once(' ')).map(|(what, count)| (what, count.parse::<u32>()))
        {
            match what {
                "pass" => self.passed += count,
                "fail" | "cancelled" => self.failed += count,
                _ => {}
            }
        }
    }
}

pub fn run(mut arguments: lexopt::Parser) -> Result<ExitCode> {
    let (mut only, mut slow) = (Vec::new(), false);
    while let Some(argument) = arguments.next()? {
        match argument {
            lexopt::Arg::Long("only") => {
                let name = arguments.value()?.string()?;
                if !PARTS.iter().any(|part| part.name == name) {
                    let names: Vec<&str> = PARTS.iter().map(|part| part.name).collect();
                    return Err(lexopt::Error::from(format!("there is no part {name}; the parts are {}", names.join(", "))).into());
                }
                only.push(name);
            }
            lexopt::Arg::Long("slow") => slow = true,
            lexopt::Arg::Long("help") | lexopt::Arg::Short('h') => {
                print!("{HELP}");
                return Ok(ExitCode::SUCCESS);
            }
            other => return Err(other.unexpected().into()),
        }
    }
    let parts: Vec<&Part> = PARTS.iter().filter(|part| only.is_empty() || only.iter().any(|name| name == part.name)).collect();
    let mut durations = Durations::load();
    let mut results = Vec::new();
    for (index, part) in parts.iter().enumerate() {
        let left = parts[index..].iter().map(|part| durations.expected(part)).sum();
        println!("\n[{}/{}] {}: about {}, {} left in all", index + 1, parts.len(), part.name, shown(durations.expected(part)), shown(left));
        let started = Instant::now();
        let count = (part.run)(slow).unwrap_or_else(|error| {
            println!("{}: {error:#}", part.name);
            Count::one(false)
        });
        let took = started.elapsed();
        println!("[{}/{}] {}: {} passed, {} failed in {}", index + 1, parts.len(), part.name, count.passed, count.failed, shown(took));
        durations.record(part, took);
        results.push((part.name, count, took));
    }
    let total = results
        .iter()
        .fold(Count::default(), |sum, (_, count, _)| Count { passed: sum.passed + count.passed, failed: sum.failed + count.failed });
    println!("\n{:<10} {:>8} {:>8} {:>10}", "part", "passed", "failed", "time");
    for (name, count, took) in results {
        println!("{name:<10} {:>8} {:>8} {:>10}", count.passed, count.failed, shown(took));
    }
    println!("\n{} passed, {} failed", total.passed, total.failed);
    Ok(ExitCode::from(u8::from(total.failed > 0)))
}

fn fmt(_slow: bool) -> Result<Count> {
    run_process(&mut cargo(&["fmt", "--all", "--check"]))?;
    run_process(&mut cargo(&["fmt", "--manifest-path", "trainer-native/Cargo.toml", "--check"]))?;
    Ok(Count { passed: 2, failed: 0 })
}

fn clippy(_slow: bool) -> Result<Count> {
    const DENY: [&str; 3] = ["--", "--deny", "warnings"];
    tools::wasm_target()?;
    let native = cargo(&["clippy", "--workspace", "--all-targets", "--all-features"]);
    let mut wasm = cargo(&["clippy", "--package", "radiodiff-web", "--target", "wasm32-unknown-unknown"]);
    wasm.env("CLIPPY_CONF_DIR", layout::root().join("xtask/clippy-wasm"));
    let mut trainer = trainer_cargo("clippy")?;
    trainer.args(["--all-targets", "--all-features"]);
    let mut count = Count::default();
    for command in &mut [native, wasm, trainer] {
        let clean = run_process(command.args(DENY)).inspect_err(|error| println!("{error:#}")).is_ok();
        count.passed += u32::from(clean);
        count.failed += u32::from(!clean);
    }
    Ok(count)
}

fn unit(slow: bool) -> Result<Count> {
    tools::vulkan()?;
    count_tests(cargo(&["test", "--workspace", "--all-features", "--no-fail-fast"]), slow)
}

fn trainer(slow: bool) -> Result<Count> {
    let mut command = trainer_cargo("test")?;
    command.arg("--no-fail-fast");
    count_tests(command, slow)
}

/// Cargo for trainer-native, with libtorch where its build script and its programs find it.
fn trainer_cargo(verb: &str) -> Result<Command> {
    tools::cpp_compiler()?;
    let libtorch = tools::libtorch()?;
    let libraries: Vec<_> = libtorch.libraries.iter().map(PathBuf::as_path).collect();
    let mut command = cargo(&[verb, "--manifest-path", "trainer-native/Cargo.toml"]);
    command.env("LIBTORCH", &libtorch.home).env("LD_LIBRARY_PATH", search_path("LD_LIBRARY_PATH", &libraries)?);
    Ok(command)
}

fn count_tests(mut command: Command, slow: bool) -> Result<Count> {
    if slow {
        command.args(["--", "--include-ignored"]);
    }
    watch_counting(&mut command)
}

/// Counts the tests of `command`; a failure that no test accounts for (it does not compile, it crashed) counts as one.
fn watch_counting(command: &mut Command) -> Result<Count> {
    let mut count = Count::default();
    let success = watch(command, |line| count.read(line))?;
    if !success && count.failed == 0 {
        count.failed = 1;
    }
    if success && count.passed == 0 {
        bail!("no test ran");
    }
    Ok(count)
}

fn size(_slow: bool) -> Result<Count> {
    payload::check(&page::build()?).map(Count::one)
}

fn page_tests(_slow: bool) -> Result<Count> {
    let server = PageServer::start(page::build()?, 0)?;
    let mut node = browser::node(&server)?;
    // One browser at a time: two cores draw every map, and WebGPU is a software adapter there.
    node.args(["--test", "--test-reporter=spec", "--test-concurrency=1"]);
    // The page's first map by the engine that the others are checked against.
    let reference = layout::target().join("reference.f32");
    // With the features of the unit part, so that nothing is compiled twice.
    run_process(&mut cargo(&["build", "--workspace", "--all-features", "--example", "reference"]))?;
    let program = layout::target().join("debug/examples").join(format!("reference{}", std::env::consts::EXE_SUFFIX));
    run_process(Command::new(program).arg(&reference))?;
    node.env("RADIODIFF_REFERENCE", &reference);
    for file in ["plausible.test.mjs", "page.test.mjs", "files.test.mjs", "api.test.mjs", "engines.test.mjs"] {
        node.arg(browser::script(file));
    }
    watch_counting(&mut node)
}

/// How long each part took when it last ran here, kept under the target folder; only what is printed depends on it.
struct Durations {
    file: PathBuf,
    seconds: BTreeMap<String, u64>,
}

impl Durations {
    fn load() -> Self {
        let file = layout::target().join("xtask-durations.json");
        let seconds = std::fs::read(&file).ok().and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default();
        Self { file, seconds }
    }

    fn expected(&self, part: &Part) -> Duration {
        Duration::from_secs(self.seconds.get(part.name).copied().unwrap_or(part.cold_s))
    }

    fn record(&mut self, part: &Part, took: Duration) {
        self.seconds.insert(part.name.to_owned(), took.as_secs().max(1));
        // An estimate that cannot be kept is not worth a failed run.
        if let Ok(text) = serde_json::to_string(&self.seconds) {
            let _ = std::fs::write(&self.file, text);
        }
    }
}

fn shown(duration: Duration) -> String {
    match duration.as_secs() {
        seconds @ 0..60 => format!("{seconds} s"),
        seconds => format!("{} min {:02} s", seconds / 60, seconds % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sums_of_cargo_and_of_node_are_added_up() {
        let mut count = Count::default();
        for line in [
            "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s",
            "test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s",
            "test scene::a_test_result: passes ... ok",
            "ℹ pass 7",
            "ℹ fail 1",
            "ℹ duration_ms 4100",
        ] {
            count.read(line);
        }
        assert_eq!(count, Count { passed: 22, failed: 3 });
    }

    #[test]
    fn a_program_that_fails_without_a_failed_test_counts_as_a_failure() {
        let count = watch_counting(Command::new("rustc").arg("--no-such-option")).unwrap();
        assert_eq!(count, Count { passed: 0, failed: 1 });
    }

    #[test]
    fn a_run_without_a_test_is_an_error() {
        assert!(watch_counting(Command::new("rustc").arg("--version")).is_err());
    }
}

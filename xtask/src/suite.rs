//! `cargo xtask test`: everything that must hold, part by part.
//!
//! A part that fails does not keep the next from running. Results come from exit statuses and from what test programs print for
//! machines ([`rust_tests`], [`node_tests`]). A test that could not run is counted as skipped and its reason is shown; where the
//! reference data is there, or RADIODIFF_REQUIRE_SHARED is set, a test that was skipped for want of it counts as failed. The last line
//! is `N passed, N failed, N skipped`. Between parts the command says how long is left, from how long each took here last time.

mod durations;
mod node_tests;
mod parts;
mod rust_tests;
mod tally;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Result;
use lexopt::ValueExt;

use crate::layout;
use durations::Durations;
use parts::{Options, Part};
use tally::Tally;

const GIB: u64 = 1 << 30;
/// What the first run of everything takes under the target folder, tools included.
const LEAST_DISK: u64 = 6 * GIB;

pub const HELP: &str = "  test   set up and run every check; exits with 1 when one fails
         --quick              only checks that take seconds: fmt, the libraries' unit tests, JavaScript in Node
         --only <part>        one of fmt, clippy, unit, node, trainer, size, page, package, dependencies, burn-wgpu,
                              embedding; may be given more than once; the last three run only when they are named
         --slow               also the tests that take minutes
";

pub fn run(mut arguments: lexopt::Parser) -> Result<ExitCode> {
    let (mut only, mut options) = (Vec::new(), Options::default());
    while let Some(argument) = arguments.next()? {
        match argument {
            lexopt::Arg::Long("only") => only.push(arguments.value()?.string()?),
            lexopt::Arg::Long("slow") => options.slow = true,
            lexopt::Arg::Long("quick") => options.quick = true,
            lexopt::Arg::Long("help") | lexopt::Arg::Short('h') => {
                print!("{HELP}");
                return Ok(ExitCode::SUCCESS);
            }
            other => return Err(other.unexpected().into()),
        }
    }
    let chosen = parts::chosen(&only, options.quick)?;
    let runs = |name: &str| chosen.iter().any(|part| part.name == name);
    options.with_trainer = !options.quick && runs("unit") && runs("trainer") && parts::libtorch_can_be_had();
    warn_of_a_full_disk();
    let results = run_parts(&chosen, options);
    Ok(ExitCode::from(u8::from(summarise(&results).failed > 0)))
}

/// What compilers, pip and npm say where a disk is full hardly ever names it.
fn warn_of_a_full_disk() {
    let target = layout::target();
    let existing = target.ancestors().find(|folder| folder.is_dir());
    let Some(free) = existing.and_then(|folder| fs4::available_space(folder).ok()) else { return };
    if free < LEAST_DISK {
        println!(
            "warning: {:.1} GiB are free for {}. The first run of everything takes about {} GiB: make room, or set CARGO_TARGET_DIR",
            free as f64 / GIB as f64,
            target.display(),
            LEAST_DISK / GIB
        );
    }
}

/// Runs the parts one after another; returns each with its tally and its duration.
fn run_parts(parts: &[&'static Part], options: Options) -> Vec<(&'static str, Tally, Duration)> {
    let reference_data_is_required = layout::reference_data().is_some() || std::env::var_os("RADIODIFF_REQUIRE_SHARED").is_some();
    let mut durations = Durations::load();
    let mut results = Vec::new();
    for (index, part) in parts.iter().enumerate() {
        let expected = |part: &Part| durations.expected(part.name, part.cold_s);
        let left = parts[index..].iter().map(|part| expected(part)).sum();
        let place = format!("[{}/{}] {}", index + 1, parts.len(), part.name);
        println!("\n{place}: about {}, {} left in all", shown_duration(expected(part)), shown_duration(left));
        let started = Instant::now();
        let mut tally = (part.run)(options).unwrap_or_else(|error| {
            println!("{}: {error:#}", part.name);
            Tally::one(false)
        });
        if reference_data_is_required && tally.require_reference_data() > 0 {
            println!(
                "{}: tests were skipped for want of the reference data, which is required: counted as failed. If the data came after \
                 the tests were built, touch tests/reference_data.rs",
                part.name
            );
        }
        let took = started.elapsed();
        println!("{place}: {} in {}", counts(&tally), shown_duration(took));
        durations.record(part.name, took);
        results.push((part.name, tally, took));
    }
    results
}

/// Prints a table of the parts, why tests were left out, and the line that CI reads; returns the sum.
fn summarise(results: &[(&str, Tally, Duration)]) -> Tally {
    let mut total = Tally::default();
    println!("\n{:<14} {:>8} {:>8} {:>8} {:>14} {:>12}", "part", "passed", "failed", "skipped", "slow, not run", "time");
    for (name, tally, took) in results {
        let (skipped, took) = (tally.skipped_count(), shown_duration(*took));
        println!("{name:<14} {:>8} {:>8} {skipped:>8} {:>14} {took:>12}", tally.passed, tally.failed, tally.slow);
        total += tally;
    }
    println!();
    for (reason, count) in &total.skipped {
        println!("skipped: {count} ({reason})");
    }
    if total.slow > 0 {
        println!("not run: {} slow tests (--slow runs them)", total.slow);
    }
    println!("{}", counts(&total));
    total
}

fn counts(tally: &Tally) -> String {
    format!("{} passed, {} failed, {} skipped", tally.passed, tally.failed, tally.skipped_count())
}

fn shown_duration(duration: Duration) -> String {
    match duration.as_secs() {
        seconds @ 0..60 => format!("{seconds} s"),
        seconds => format!("{} min {:02} s", seconds / 60, seconds % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_is_what_ci_reads() {
        let mut tally = Tally { passed: 12, failed: 1, ..Tally::default() };
        tally.leave_out("needs the reference data");
        tally.leave_out("slow: minutes");
        assert_eq!(counts(&summarise(&[("unit", tally, Duration::from_secs(61))])), "12 passed, 1 failed, 1 skipped");
    }
}

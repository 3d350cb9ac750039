//! Programs that come as crates: the checkers of dependencies.
//!
//! A program of the right version under `target/tools` or on the search path is used as it is. Otherwise cargo builds it, optimised as
//! little as the program allows: each runs for seconds.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use crate::layout;
use crate::process::{cargo, on_search_path, output, run_into_log};

struct Program {
    /// Of the crate and of its executable.
    name: &'static str,
    version: &'static str,
    duration: &'static str,
}

pub fn cargo_deny() -> Result<PathBuf> {
    Program { name: "cargo-deny", version: "0.20.2", duration: "about 5 minutes on two cores" }.find_or_install()
}

pub fn cargo_machete() -> Result<PathBuf> {
    Program { name: "cargo-machete", version: "0.9.2", duration: "about a minute on two cores" }.find_or_install()
}

impl Program {
    fn find_or_install(&self) -> Result<PathBuf> {
        let installed = layout::tools().join("bin").join(format!("{}{}", self.name, std::env::consts::EXE_SUFFIX));
        let has_version = |program: &PathBuf| {
            output(Command::new(program).arg("--version")).is_some_and(|text| text.split_whitespace().any(|word| word == self.version))
        };
        if let Some(found) = [Some(installed.clone()), on_search_path(&[self.name])].into_iter().flatten().find(has_version) {
            return Ok(found);
        }
        let log = layout::tools().join("logs").join(format!("{}.log", self.name));
        println!("Installing {} {} under {} ({})", self.name, self.version, layout::tools().display(), self.duration);
        if let Err(error) = run_into_log(&mut self.install(&["--locked"]), &log) {
            // The package's own lockfile may name a crate that a registry mirror does not carry; the newest fitting versions do as well.
            let kept = log.with_extension("locked.log");
            fs::rename(&log, &kept).with_context(|| format!("moving {}", log.display()))?;
            println!("  {} cannot be built from its lockfile (see {}); building from newer crates", self.name, kept.display());
            run_into_log(&mut self.install(&[]), &log).with_context(|| format!("and from its lockfile: {error:#}"))?;
        }
        // Half a gigabyte that nothing asks for again.
        fs::remove_dir_all(build_folder()).with_context(|| format!("clearing {}", build_folder().display()))?;
        Ok(installed)
    }

    fn install(&self, locked: &[&str]) -> Command {
        let mut command = cargo(&["install", self.name, "--version", self.version, "--force"]);
        command.args(locked).arg("--root").arg(layout::tools()).arg("--target-dir").arg(build_folder());
        for (setting, value) in [("LTO", "off"), ("CODEGEN_UNITS", "16"), ("OPT_LEVEL", "0"), ("DEBUG", "false")] {
            command.env(format!("CARGO_PROFILE_RELEASE_{setting}"), value);
        }
        command
    }
}

fn build_folder() -> PathBuf {
    layout::tools().join("build")
}

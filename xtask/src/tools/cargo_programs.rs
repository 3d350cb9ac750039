//! Programs that come as crates: Trunk and wasm-bindgen, which build the page, and the checkers of dependencies.
//!
//! A program of the right version under `target/tools` or on the search path is used as it is. Otherwise cargo builds it, optimised as
//! little as the program allows: each runs for seconds, and its build is most of what a first demo takes.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use crate::layout;
use crate::process::{cargo, on_search_path, output, run_into_log};

struct Program {
    package: &'static str,
    /// The name of the executable.
    name: &'static str,
    version: String,
    options: &'static [&'static str],
    duration: &'static str,
}

/// The programs that build the page.
pub struct PageBuilders {
    pub trunk: PathBuf,
    pub wasm_bindgen: PathBuf,
}

/// Trunk, and the wasm-bindgen of the lockfile.
pub fn page_builders() -> Result<PageBuilders> {
    let trunk = Program {
        package: "trunk",
        name: "trunk",
        version: "0.21.14".into(),
        options: &["--no-default-features"],
        duration: "about 4 minutes on two cores",
    };
    let wasm_bindgen = Program {
        package: "wasm-bindgen-cli",
        name: "wasm-bindgen",
        version: wasm_bindgen_version()?,
        options: &["--no-default-features"],
        duration: "about 2 minutes on two cores",
    };
    let found = PageBuilders { trunk: trunk.find_or_install()?, wasm_bindgen: wasm_bindgen.find_or_install()? };
    clear_build_folder()?;
    Ok(found)
}

pub fn cargo_deny() -> Result<PathBuf> {
    checker("cargo-deny", "0.20.2", "about 5 minutes on two cores")
}

pub fn cargo_machete() -> Result<PathBuf> {
    checker("cargo-machete", "0.9.2", "about a minute on two cores")
}

fn checker(name: &'static str, version: &str, duration: &'static str) -> Result<PathBuf> {
    let found = Program { package: name, name, version: version.into(), options: &[], duration }.find_or_install()?;
    clear_build_folder()?;
    Ok(found)
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
        let log = layout::tools().join("logs").join(format!("{}.log", self.package));
        println!("Installing {} {} under {} ({})", self.package, self.version, layout::tools().display(), self.duration);
        if let Err(error) = run_into_log(&mut self.install(&["--locked"]), &log) {
            // The package's own lockfile may name a crate that a registry mirror does not carry; the newest fitting versions do as well.
            let kept = log.with_extension("locked.log");
            fs::rename(&log, &kept).with_context(|| format!("moving {}", log.display()))?;
            println!("  {} cannot be built from its lockfile (see {}); building from newer crates", self.package, kept.display());
            run_into_log(&mut self.install(&[]), &log).with_context(|| format!("and from its lockfile: {error:#}"))?;
        }
        Ok(installed)
    }

    fn install(&self, locked: &[&str]) -> Command {
        let mut command = cargo(&["install", self.package, "--version", &self.version, "--force"]);
        command.args(self.options).args(locked).arg("--root").arg(layout::tools()).arg("--target-dir").arg(build_folder());
        for (setting, value) in [("LTO", "off"), ("CODEGEN_UNITS", "16"), ("OPT_LEVEL", "0"), ("DEBUG", "false")] {
            command.env(format!("CARGO_PROFILE_RELEASE_{setting}"), value);
        }
        command
    }
}

/// Shared by the programs: some of their crates are the same.
fn build_folder() -> PathBuf {
    layout::tools().join("build")
}

/// Half a gigabyte that nothing asks for again.
fn clear_build_folder() -> Result<()> {
    match fs::remove_dir_all(build_folder()) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("clearing {}", build_folder().display()))
        }
        _ => Ok(()),
    }
}

/// The version of wasm-bindgen that the web crate is built with: module and command must have the same.
fn wasm_bindgen_version() -> Result<String> {
    let lockfile = layout::root().join("Cargo.lock");
    let text = fs::read_to_string(&lockfile).with_context(|| format!("reading {}", lockfile.display()))?;
    locked_version(&text, "wasm-bindgen").with_context(|| format!("reading {}", lockfile.display()))
}

/// The version of `package` in the text of a Cargo.lock.
fn locked_version(lockfile: &str, package: &str) -> Result<String> {
    let lockfile: toml::Table = lockfile.parse()?;
    let packages = lockfile.get("package").and_then(toml::Value::as_array).context("a lockfile lists packages")?;
    let has_name = |entry: &&toml::Value| entry.get("name").and_then(toml::Value::as_str) == Some(package);
    let version = packages.iter().find(has_name).and_then(|entry| entry.get("version")?.as_str());
    version.map(str::to_owned).with_context(|| format!("there is no package {package}: does the web crate depend on it?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_of_exactly_the_named_package_is_read() {
        let lockfile = "[[package]]\nname = \"wasm-bindgen-macro\"\nversion = \"0.2.1\"\n\n[[package]]\nname = \"wasm-bindgen\"\nversion = \"0.2.130\"\n";
        assert_eq!(locked_version(lockfile, "wasm-bindgen").unwrap(), "0.2.130");
        assert!(locked_version(lockfile, "bindgen").is_err() && locked_version("nonsense", "bindgen").is_err());
    }
}

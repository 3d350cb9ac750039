//! What belongs to the machine: the wasm target by rustup, and packages that root can install by apt-get on Debian or Ubuntu.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::layout;
use crate::process::{on_search_path, output, run};

/// The standard library for the browser.
pub fn wasm_target() -> Result<()> {
    const TARGET: &str = "wasm32-unknown-unknown";
    let folder = output(Command::new("rustc").current_dir(layout::root()).args(["--print", "target-libdir", "--target", TARGET]));
    if folder.is_some_and(|folder| Path::new(&folder).is_dir()) {
        return Ok(());
    }
    run(Command::new("rustup").current_dir(layout::root()).args(["target", "add", TARGET]))
        .with_context(|| format!("Rust's {TARGET} target is missing; install it with rustup or your package manager"))
}

/// pip for `python3 -m pip`, which Debian packages apart from Python.
pub fn pip() -> Result<()> {
    if output(Command::new("python3").args(["-m", "pip", "--version"])).is_some() {
        return Ok(());
    }
    apt_install("python3-pip").context("what comes from PyPI is fetched by `python3 -m pip`, and there is none; install pip for Python 3")
}

/// A C++ compiler: torch-sys builds its glue to libtorch.
pub fn cpp_compiler() -> Result<()> {
    let compiler = std::env::var_os("CXX").unwrap_or_else(|| "c++".into());
    if output(Command::new(&compiler).arg("--version")).is_some() {
        return Ok(());
    }
    apt_install("g++").with_context(|| format!("the trainer needs a C++ compiler, and {} does not run; install one", compiler.display()))
}

/// Chromium, from CHROMIUM, the search path or apt-get.
pub fn chromium() -> Result<PathBuf> {
    const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
    if let Some(chosen) = std::env::var_os("CHROMIUM") {
        return Ok(chosen.into());
    }
    if let Some(found) = on_search_path(&NAMES) {
        return Ok(found);
    }
    apt_install("chromium").context("no Chromium is on the search path; install chromium, or set CHROMIUM to its program")?;
    on_search_path(&NAMES).context("apt-get installed chromium, yet no program of that name is on the search path; set CHROMIUM")
}

/// A Vulkan driver for the GPU tests off the browser: Mesa's, which draws on the CPU, where apt-get can install it.
pub fn vulkan() -> Result<()> {
    let drivers = |folder: &str| fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some());
    if !cfg!(target_os = "linux") || drivers("/usr/share/vulkan/icd.d") || drivers("/etc/vulkan/icd.d") {
        return Ok(());
    }
    apt_install("mesa-vulkan-drivers").context("no Vulkan driver is installed; install mesa-vulkan-drivers or your GPU's driver")
}

fn apt_install(package: &str) -> Result<()> {
    let root = output(Command::new("id").arg("-u")).as_deref() == Some("0");
    if !root || output(Command::new("apt-get").arg("--version")).is_none() {
        bail!("{package} is missing and can only be installed here by root with apt-get");
    }
    let apt = |arguments: &[&str]| run(Command::new("apt-get").env("DEBIAN_FRONTEND", "noninteractive").args(arguments));
    apt(&["update", "--quiet"])?;
    apt(&["install", "--yes", "--quiet", "--no-install-recommends", package])
}

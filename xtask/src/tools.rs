//! What the commands need beyond cargo, fetched when it is missing: the wasm target, trunk and wasm-bindgen, libtorch for the CPU,
//! a browser and the library that drives it. Each function returns at once when its tool is there, and otherwise says what it does,
//! or what to install where it cannot.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::layout;
use crate::process::{cargo, output, run};

const TRUNK: &str = "0.21.14";
const PLAYWRIGHT: &str = "1.65.1";
/// The CPU needs these three wheels of PyTorch's dozen.
const LIBTORCH: [&str; 3] = ["torch==2.11.0", "nvidia-cuda-runtime==13.0.96", "nvidia-cuda-cupti==13.0.85"];

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

/// Trunk and the wasm-bindgen of the lockfile; returns the folder of both.
pub fn page_builders() -> Result<PathBuf> {
    let lockfile = layout::root().join("Cargo.lock");
    let lockfile = fs::read_to_string(&lockfile).with_context(|| format!("reading {}", lockfile.display()))?;
    let bindgen =
        locked_version(&lockfile, "wasm-bindgen").context("Cargo.lock names no wasm-bindgen: does the web crate depend on it?")?;
    install("trunk", "trunk", TRUNK, &["--no-default-features"], "about 3 minutes on two cores")?;
    install("wasm-bindgen-cli", "wasm-bindgen", bindgen, &[], "about 2 minutes on two cores")?;
    Ok(layout::tools().join("bin"))
}

fn install(package: &str, program: &str, version: &str, options: &[&str], duration: &str) -> Result<()> {
    let has_version = |text: String| text.split_whitespace().nth(1) == Some(version);
    if output(Command::new(layout::tools().join("bin").join(program)).arg("--version")).is_some_and(has_version) {
        return Ok(());
    }
    println!("Installing {package} {version} under {} ({duration})", layout::tools().display());
    let build = layout::tools().join("build");
    let command = |locked: &[&str]| {
        let mut command = cargo(&["install", package, "--version", version, "--force"]);
        command.args(options).args(locked).arg("--root").arg(layout::tools()).arg("--target-dir").arg(&build);
        // They work on a few megabytes; link-time optimisation would take longer than all their runs.
        for (setting, value) in [("LTO", "off"), ("CODEGEN_UNITS", "16"), ("OPT_LEVEL", "1")] {
            command.env(format!("CARGO_PROFILE_RELEASE_{setting}"), value);
        }
        command
    };
    // A lockfile may name a crate that a registry mirror does not carry yet; the newest fitting versions then do as well.
    if let Err(error) = run(&mut command(&["--locked"])) {
        println!("{error:#}; trying again without {package}'s own lockfile");
        run(&mut command(&[]))?;
    }
    // Half a gigabyte that nothing asks for again.
    fs::remove_dir_all(&build).with_context(|| format!("clearing {}", build.display()))
}

/// The version of `package` in the text of a Cargo.lock.
fn locked_version<'a>(lockfile: &'a str, package: &str) -> Option<&'a str> {
    let name = format!("name = \"{package}\"");
    let mut lines = lockfile.lines().skip_while(|line| *line != name);
    lines.nth(1)?.strip_prefix("version = \"")?.strip_suffix('"')
}

/// Where libtorch lies and the folders its libraries are loaded from.
pub struct Libtorch {
    pub home: PathBuf,
    pub libraries: Vec<PathBuf>,
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

/// libtorch for the CPU: the one LIBTORCH names, or PyTorch's wheels unpacked under the tools folder.
pub fn libtorch() -> Result<Libtorch> {
    if let Some(home) = std::env::var_os("LIBTORCH") {
        let home = PathBuf::from(home);
        if !home.join("lib").is_dir() {
            bail!("LIBTORCH is {}, where no folder lib lies; unset it or point it at libtorch 2.11", home.display());
        }
        return Ok(Libtorch { libraries: vec![home.join("lib")], home });
    }
    let folder = layout::tools().join("libtorch");
    let found = Libtorch { home: folder.join("torch"), libraries: vec![folder.join("torch/lib"), folder.join("nvidia/cu13/lib")] };
    if found.libraries.iter().all(|folder| folder.is_dir()) {
        return Ok(found);
    }
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        bail!("libtorch is fetched for Linux on x86-64 only; unpack libtorch 2.11 yourself and set LIBTORCH to its folder");
    }
    pip()?;
    println!("Fetching libtorch for the CPU under {} (540 MB)", folder.display());
    let wheels = layout::tools().join("wheels");
    let mut download = Command::new("python3");
    // Wheels are only unpacked here, so one Python version does for every Python that may be installed.
    download.args(["-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--python-version", "3.11"]);
    for platform in ["manylinux_2_28_x86_64", "manylinux_2_25_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64"] {
        download.args(["--platform", platform]);
    }
    run(download.arg("--dest").arg(&wheels).args(LIBTORCH)).context("libtorch comes from PyPI by `python3 -m pip`: is pip installed?")?;

    // Unpacked beside its place and moved there whole, so that an interrupted run leaves nothing half done.
    let unpacked = tempfile::tempdir_in(layout::tools()).context("making a folder to unpack libtorch in")?;
    for wheel in LIBTORCH.map(|wheel| wheel.replace('-', "_").replace("==", "-")) {
        let file = fs::read_dir(&wheels)?
            .filter_map(|entry| entry.ok().map(|entry| entry.path()))
            .find(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(&wheel)))
            .with_context(|| format!("pip left no wheel {wheel} in {}", wheels.display()))?;
        run(Command::new("python3").args(["-m", "zipfile", "-e"]).arg(&file).arg(unpacked.path()))?;
        fs::remove_file(&file).with_context(|| format!("removing {}", file.display()))?;
    }
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("clearing {}", folder.display()))?;
    }
    fs::rename(unpacked.keep(), &folder).with_context(|| format!("moving libtorch to {}", folder.display()))?;
    Ok(found)
}

/// Chromium, from CHROMIUM, the search path or apt-get.
pub fn chromium() -> Result<PathBuf> {
    if let Some(chosen) = std::env::var_os("CHROMIUM") {
        return Ok(chosen.into());
    }
    let find = || {
        let names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
        let folders: Vec<PathBuf> = std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()).collect();
        names.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name))).find(|path| path.is_file())
    };
    if let Some(found) = find() {
        return Ok(found);
    }
    apt_install("chromium").context("no Chromium is on the search path; install chromium, or set CHROMIUM to its program")?;
    find().context("apt-get installed chromium, yet no program of that name is on the search path; set CHROMIUM")
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

/// The library that drives the browser; returns the folder with its node_modules.
pub fn playwright() -> Result<PathBuf> {
    let folder = layout::tools().join("node");
    let manifest = folder.join("node_modules/playwright-core/package.json");
    let version = |text: String| serde_json::from_str::<serde_json::Value>(&text).ok()?["version"].as_str().map(str::to_owned);
    if fs::read_to_string(manifest).ok().and_then(version).as_deref() == Some(PLAYWRIGHT) {
        return Ok(folder);
    }
    fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
    let package = format!("playwright-core@{PLAYWRIGHT}");
    run(Command::new("npm").args(["install", "--no-audit", "--no-fund", "--prefix"]).arg(&folder).arg(package))
        .context("playwright-core comes by npm: is Node (20 or newer) installed?")?;
    Ok(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_of_exactly_the_named_package_is_read() {
        let lockfile = "[[package]]\nname = \"wasm-bindgen-macro\"\nversion = \"0.2.1\"\n\n[[package]]\nname = \"wasm-bindgen\"\nversion = \"0.2.130\"\n";
        assert_eq!(locked_version(lockfile, "wasm-bindgen"), Some("0.2.130"));
        assert_eq!(locked_version(lockfile, "bindgen"), None);
    }
}

//! libtorch for the CPU, from PyTorch's wheels on PyPI: the trainer links it.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::pip;
use crate::layout;
use crate::process::run;

/// The CPU needs these three wheels of PyTorch's dozen.
const LIBTORCH: [&str; 3] = ["torch==2.11.0", "nvidia-cuda-runtime==13.0.96", "nvidia-cuda-cupti==13.0.85"];

/// Where libtorch lies and the folders its libraries are loaded from.
pub struct Libtorch {
    pub home: PathBuf,
    pub libraries: Vec<PathBuf>,
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

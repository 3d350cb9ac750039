//! Readers of the trainer's files, from PyPI: TensorBoard reads its logs, ONNX Runtime runs its exported networks.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::pip;
use crate::layout;
use crate::process::run;

const PACKAGES: [&str; 2] = ["tensorboard==2.21.0", "onnxruntime==1.32.0"];

/// The folder of the packages for PYTHONPATH, installed under the tools folder if need be.
pub fn python_packages() -> Result<PathBuf> {
    let folder = layout::tools().join("python");
    if PACKAGES.iter().all(|package| is_installed(&folder, package)) {
        return Ok(folder);
    }
    pip()?;
    println!("Fetching {} under {} (100 MB)", PACKAGES.join(" and "), folder.display());
    let mut install = Command::new("python3");
    install.args(["-m", "pip", "install", "--quiet", "--upgrade", "--no-compile", "--only-binary=:all:", "--target"]).arg(&folder).args(PACKAGES);
    run(&mut install).context("TensorBoard and ONNX Runtime come from PyPI by `python3 -m pip`, for Python 3.11 or newer")?;
    Ok(folder)
}

/// Whether `package` (`name==version`) is there. pip writes the folder of its metadata last.
fn is_installed(folder: &Path, package: &str) -> bool {
    folder.join(package.replace("==", "-") + ".dist-info").join("RECORD").is_file()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_is_taken_in_the_right_version_only() {
        let folder = tempfile::tempdir().unwrap();
        let metadata = folder.path().join("tensorboard-1.0.dist-info");
        std::fs::create_dir(&metadata).unwrap();
        assert!(!is_installed(folder.path(), "tensorboard==1.0"));
        std::fs::write(metadata.join("RECORD"), "").unwrap();
        assert!(is_installed(folder.path(), "tensorboard==1.0"));
        assert!(!is_installed(folder.path(), "tensorboard==2.0"));
    }
}

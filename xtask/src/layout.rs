//! Where things lie: the repository, cargo's target folder, the tools kept in it, and the reference data beside the repository.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// The repository's root.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies one level below the root")
}

/// Cargo's target folder: CARGO_TARGET_DIR, or `target` in the root.
pub fn target() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(folder) => root().join(folder),
        None => root().join("target"),
    }
}

/// What is installed for this repository only: trunk, wasm-bindgen, libtorch, npm packages.
pub fn tools() -> PathBuf {
    target().join("tools")
}

/// The page as Trunk builds it.
pub fn dist() -> PathBuf {
    root().join("dist")
}

/// The reference data that some tests need: the folder RADIODIFF_SHARED names, or `shared` beside the repository. None where it is
/// absent. tests/reference_data.rs looks in the same places.
pub fn reference_data() -> Option<PathBuf> {
    let folder = std::env::var_os("RADIODIFF_SHARED").map_or_else(|| root().join("../shared"), PathBuf::from);
    folder.join("README.md").is_file().then_some(folder)
}

/// The files below `folder` of the repository whose names end in `ending`, relative to the root, sorted; node_modules is left out.
pub fn files(folder: &str, ending: &str) -> Result<Vec<String>> {
    let found = files_below(&root().join(folder), ending)?;
    Ok(found.iter().map(|file| file.strip_prefix(root()).unwrap_or(file).to_string_lossy().into_owned()).collect())
}

/// The files below `folder` whose names end in `ending`, sorted; node_modules is left out.
pub fn files_below(folder: &Path, ending: &str) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(&folder).with_context(|| format!("reading {}", folder.display()))?;
        for entry in entries {
            let entry = entry.with_context(|| format!("reading {}", folder.display()))?;
            let path = entry.path();
            if path.is_dir() && entry.file_name() != "node_modules" {
                folders.push(path);
            } else if path.to_string_lossy().ends_with(ending) {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_found_in_every_folder_below() {
        assert!(files("xtask", ".rs").unwrap().contains(&"xtask/src/layout.rs".to_owned()));
        assert!(files("xtask", ".nonsense").unwrap().is_empty() && files("nowhere", ".rs").is_err());
    }
}

//! The library that drives the browser, an npm package.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::layout;
use crate::process::{npm, output, run};

const PLAYWRIGHT: &str = "1.65.1";

/// The node_modules folder that holds playwright-core: one that NODE_PATH names, npm's global one, or the repository's own, where it
/// is installed if need be.
pub fn playwright() -> Result<PathBuf> {
    let own = layout::tools().join("node");
    let named = std::env::var_os("NODE_PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::iter::once(own.join("node_modules")).chain(std::env::split_paths(&named)).collect();
    if let Some(found) = folders.iter().find(|folder| has_playwright(folder)) {
        return Ok(found.clone());
    }
    if let Some(global) = output(&mut npm(&["root", "--global"])).map(PathBuf::from).filter(|folder| has_playwright(folder)) {
        return Ok(global);
    }
    fs::create_dir_all(&own).with_context(|| format!("making {}", own.display()))?;
    let mut install: Command = npm(&["install", "--no-audit", "--no-fund", "--prefix"]);
    run(install.arg(&own).arg(format!("playwright-core@{PLAYWRIGHT}")))
        .context("playwright-core comes by npm: is Node (20 or newer) installed?")?;
    Ok(folders.swap_remove(0))
}

fn has_playwright(node_modules: &Path) -> bool {
    let version = |text: String| serde_json::from_str::<serde_json::Value>(&text).ok()?["version"].as_str().map(str::to_owned);
    fs::read_to_string(node_modules.join("playwright-core/package.json")).ok().and_then(version).as_deref() == Some(PLAYWRIGHT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn playwright_is_taken_in_the_right_version_only() {
        let folder = tempfile::tempdir().unwrap();
        let package = folder.path().join("playwright-core");
        fs::create_dir(&package).unwrap();
        for (version, right) in [(PLAYWRIGHT, true), ("1.0.0", false)] {
            fs::write(package.join("package.json"), format!("{{\"version\": \"{version}\"}}")).unwrap();
            assert_eq!(has_playwright(folder.path()), right);
        }
        assert!(!has_playwright(&package));
    }
}

//! npm packages: the library that drives the browser, the map library that the page brings along, the programs that make the page and the
//! package small, and the runtime that a bench compares ours with.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::layout;
use crate::process::{npm, output, run};

struct NodePackage {
    name: &'static str,
    version: &'static str,
}

const PLAYWRIGHT: NodePackage = NodePackage { name: "playwright-core", version: "1.65.1" };
const MAPLIBRE: NodePackage = NodePackage { name: "maplibre-gl", version: "6.17.0" };
const BINARYEN: NodePackage = NodePackage { name: "binaryen", version: "132.0.0" };
const ONNXRUNTIME_WEB: NodePackage = NodePackage { name: "onnxruntime-web", version: "1.30.0" };

/// The node_modules folder that holds playwright-core.
pub fn playwright() -> Result<PathBuf> {
    PLAYWRIGHT.node_modules()
}

/// The folder of MapLibre GL.
pub fn maplibre() -> Result<PathBuf> {
    Ok(MAPLIBRE.node_modules()?.join(MAPLIBRE.name))
}

/// The folder of onnxruntime-web, which `cargo xtask bench web` times beside our module.
pub fn onnxruntime_web() -> Result<PathBuf> {
    Ok(ONNXRUNTIME_WEB.node_modules()?.join(ONNXRUNTIME_WEB.name))
}

/// Binaryen's `wasm-opt`, a program for Node.
pub fn wasm_opt() -> Result<PathBuf> {
    Ok(BINARYEN.node_modules()?.join(BINARYEN.name).join("bin/wasm-opt"))
}

/// The package's own tools (TypeScript, esbuild) in web/node_modules, in the versions of its lockfile.
pub fn install_package_tools() -> Result<()> {
    run(npm(&["ci", "--prefer-offline", "--no-audit", "--no-fund"]).current_dir(layout::root().join("web")))
}

impl NodePackage {
    /// The node_modules folder that holds the package in its version: the repository's own, one that NODE_PATH names, or npm's global
    /// one. Where none does, the package is installed into the repository's own.
    fn node_modules(&self) -> Result<PathBuf> {
        let own = layout::tools().join("node");
        let named = std::env::var_os("NODE_PATH").unwrap_or_default();
        let mut folders: Vec<PathBuf> = std::iter::once(own.join("node_modules")).chain(std::env::split_paths(&named)).collect();
        if let Some(found) = folders.iter().find(|folder| self.is_in(folder)) {
            return Ok(found.clone());
        }
        if let Some(global) = output(&mut npm(&["root", "--global"])).map(PathBuf::from).filter(|folder| self.is_in(folder)) {
            return Ok(global);
        }
        fs::create_dir_all(&own).with_context(|| format!("making {}", own.display()))?;
        let Self { name, version } = self;
        run(npm(&["install", "--no-audit", "--no-fund", "--save-exact", "--prefix"]).arg(&own).arg(format!("{name}@{version}")))
            .with_context(|| format!("{name} comes by npm: is Node (20 or newer) installed?"))?;
        Ok(folders.swap_remove(0))
    }

    fn is_in(&self, node_modules: &Path) -> bool {
        let version = |text: String| serde_json::from_str::<serde_json::Value>(&text).ok()?["version"].as_str().map(str::to_owned);
        let manifest = node_modules.join(self.name).join("package.json");
        fs::read_to_string(manifest).ok().and_then(version).as_deref() == Some(self.version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_is_taken_in_the_right_version_only() {
        let folder = tempfile::tempdir().unwrap();
        let package = folder.path().join(PLAYWRIGHT.name);
        fs::create_dir(&package).unwrap();
        for (version, right) in [(PLAYWRIGHT.version, true), ("1.0.0", false)] {
            fs::write(package.join("package.json"), format!("{{\"version\": \"{version}\"}}")).unwrap();
            assert_eq!(PLAYWRIGHT.is_in(folder.path()), right);
        }
        assert!(!PLAYWRIGHT.is_in(&package) && !MAPLIBRE.is_in(folder.path()));
    }
}

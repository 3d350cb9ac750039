//! Where things lie: the repository, cargo's target folder and the tools kept in it.

use std::path::{Path, PathBuf};

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

/// What is installed for this repository only: trunk, wasm-bindgen, libtorch, playwright-core.
pub fn tools() -> PathBuf {
    target().join("tools")
}

/// The page as Trunk builds it.
pub fn dist() -> PathBuf {
    root().join("dist")
}

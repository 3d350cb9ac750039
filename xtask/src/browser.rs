//! Node scripts of tests/browser. Most drive the page in a real Chromium through playwright-core.

use std::path::Path;
use std::process::Command;

use anyhow::{Result, bail};

use crate::process::output;
use crate::server::PageServer;
use crate::{layout, tools};

const OLDEST_NODE: u32 = 20;

/// Node, in the repository's root.
///
/// # Errors
/// When there is none, or one that is older than the scripts need.
pub fn node() -> Result<Command> {
    let version = output(Command::new("node").arg("--version")).unwrap_or_default();
    let major = version.trim_start_matches('v').split('.').next().and_then(|major| major.parse::<u32>().ok());
    if major.is_none_or(|major| major < OLDEST_NODE) {
        let found = if version.is_empty() { "none" } else { &version };
        bail!("JavaScript runs in Node {OLDEST_NODE} or newer, found {found}; install Node");
    }
    let mut node = Command::new("node");
    node.current_dir(layout::root());
    Ok(node)
}

/// Node, told where the page, the browser and playwright-core are.
pub fn node_with_chromium(server: &PageServer) -> Result<Command> {
    let mut node = node()?;
    node.env("RADIODIFF_URL", server.url())
        .env("RADIODIFF_CHROMIUM", tools::chromium()?)
        .env("RADIODIFF_NODE_MODULES", tools::playwright()?);
    Ok(node)
}

/// The path of a script of tests/browser.
pub fn script(name: &str) -> String {
    Path::new("tests/browser").join(name).to_string_lossy().into_owned()
}

//! Node scripts of tests/browser, which drive the page in a real Chromium through playwright-core.

use std::path::Path;
use std::process::Command;

use anyhow::{Result, bail};

use crate::process::output;
use crate::server::PageServer;
use crate::{layout, tools};

const OLDEST_NODE: u32 = 20;

/// A command that runs Node in the repository's root, told where the page, the browser and the library are.
pub fn node(server: &PageServer) -> Result<Command> {
    let version = output(Command::new("node").arg("--version")).unwrap_or_default();
    let major = version.trim_start_matches('v').split('.').next().and_then(|major| major.parse::<u32>().ok());
    if major.is_none_or(|major| major < OLDEST_NODE) {
        bail!("the browser is driven from Node {OLDEST_NODE} or newer, found {}", if version.is_empty() { "none" } else { &version });
    }
    let mut node = Command::new("node");
    node.current_dir(layout::root())
        .env("RADIODIFF_URL", server.url())
        .env("RADIODIFF_CHROMIUM", tools::chromium()?)
        .env("RADIODIFF_NODE_MODULES", tools::playwright()?.join("node_modules"));
    Ok(node)
}

/// The path of a script of tests/browser.
pub fn script(name: &str) -> String {
    Path::new("tests/browser").join(name).to_string_lossy().into_owned()
}

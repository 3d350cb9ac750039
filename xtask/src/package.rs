//! `cargo xtask package`: the npm package `radiodiff-web` as it would be published, a tarball.
//!
//! The built page holds the module and its JavaScript; `npm pack` puts them beside web/js (web/scripts/stage.mjs) and packs.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};

use crate::process::{npm, run as run_process};
use crate::{layout, page};

pub const HELP: &str = "  package build the npm package radiodiff-web and pack it as it would be published, under target/package
";

pub fn run(mut arguments: lexopt::Parser) -> Result<ExitCode> {
    match arguments.next()? {
        None => println!("{}", pack()?.display()),
        Some(lexopt::Arg::Long("help") | lexopt::Arg::Short('h')) => print!("{HELP}"),
        Some(other) => return Err(other.unexpected().into()),
    }
    Ok(ExitCode::SUCCESS)
}

/// Builds the module, packs the package and returns the tarball.
pub fn pack() -> Result<PathBuf> {
    page::build()?;
    let folder = layout::target().join("package");
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("clearing {}", folder.display()))?;
    }
    fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
    run_process(npm(&["pack", "--pack-destination"]).arg(&folder).current_dir(layout::root().join("web")))?;
    let tarball = fs::read_dir(&folder)?.find_map(|entry| entry.ok().map(|entry| entry.path()));
    tarball.with_context(|| format!("npm pack left nothing in {}", folder.display()))
}

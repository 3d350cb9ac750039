//! `cargo xtask bench first`: how long after navigation the page shows its first map, on this machine and on a slow line.
//!
//! In flow built pages. A copy of each is served with its files packed by gzip beside them, as web servers send them: packing while the
//! page loads would be part of what is timed. tests/browser/bench-first.mjs opens the pages in turns.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::process::run as run_process;
use crate::server::PageServer;
use crate::{browser, layout, page};

/// What is timed.
pub(super) struct FirstMapBench {
    /// Navigations to each page on each line.
    pub runs: u32,
    /// A folder with another built page, to compare with.
    pub beside: Option<PathBuf>,
}

/// Endings of files that web servers pack. The weights are packed too, but the first map needs none.
const PACKED: [&str; 6] = [".html", ".css", ".js", ".json", ".geojson", ".wasm"];

pub(super) fn run(options: &FirstMapBench) -> Result<()> {
    let mut pages = Vec::new();
    if let Some(other) = &options.beside {
        ensure!(other.join("index.html").is_file(), "{} holds no index.html: name the folder of a built page", other.display());
        pages.push(("beside", served(other, "beside")?));
    }
    pages.push(("this page", served(&page::build()?, "own")?));
    let mut bench = browser::node_with_chromium(&pages[0].1)?;
    bench.arg(browser::script("bench-first.mjs")).arg(options.runs.to_string());
    for (name, server) in &pages {
        bench.args([name.to_string(), server.url()]);
    }
    run_process(&mut bench)
}

/// A server of a copy of `page` with packed files.
fn served(page: &Path, name: &str) -> Result<PageServer> {
    let folder = layout::target().join("bench-first").join(name);
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("clearing {}", folder.display()))?;
    }
    for file in layout::files_below(page, "")? {
        let copy = folder.join(file.strip_prefix(page).unwrap_or(&file));
        let parent = copy.parent().unwrap_or(&folder);
        fs::create_dir_all(parent).with_context(|| format!("making {}", parent.display()))?;
        fs::copy(&file, &copy).with_context(|| format!("copying {}", file.display()))?;
        if PACKED.iter().any(|ending| file.to_string_lossy().ends_with(ending)) {
            pack(&copy).with_context(|| format!("packing {}", copy.display()))?;
        }
    }
    PageServer::start(folder, 0)
}

/// Writes a file packed by gzip beside it.
fn pack(file: &Path) -> Result<()> {
    let mut name = file.as_os_str().to_owned();
    name.push(".gz");
    let mut encoder = GzEncoder::new(File::create(PathBuf::from(name))?, Compression::best());
    io::copy(&mut File::open(file)?, &mut encoder)?;
    encoder.finish()?;
    Ok(())
}

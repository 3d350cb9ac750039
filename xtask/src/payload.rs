//! The page's weight: what a visitor downloads for maps (wasm, JavaScript and the weights of the page's network), gzipped as a web
//! server would, against a budget. MapLibre GL, which loads beside the first map and delays nothing, has a budget of its own. The
//! modules that write files and that calibrate do not count: they are loaded only when a visitor first saves a map as a file, or fits one
//! to measurements. Nor does what the page does not load: the glue of the engine's module, which lies here for the package and which the
//! page's bundles hold.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::page;

/// Gzipped; docs/measurements/package.md says how much the page has, and what of it is what.
const BUDGET_BYTES: usize = 1_500_000;
/// MapLibre GL 6 has 440 kB.
const MAPLIBRE_BUDGET_BYTES: usize = 500_000;

/// How the files begin that are loaded when a map is exported, or fitted to measurements, or not at all.
const NOT_COUNTED: [&str; 3] = ["radiodiff-web-export", "radiodiff-web-calibration", "radiodiff-web.js"];

/// Prints what the page in `dist` weighs; true while it is within the budgets.
pub fn check(dist: &Path) -> Result<bool> {
    let (maplibre, own): (Vec<_>, Vec<_>) = payload(dist)?.into_iter().partition(|file| file.starts_with(dist.join(page::MAPLIBRE)));
    println!("{:>12} {:>12}  file", "bytes", "gzipped");
    let within = weigh(dist, &own, BUDGET_BYTES)?;
    Ok(weigh(dist, &maplibre, MAPLIBRE_BUDGET_BYTES)? && within)
}

/// Prints what files weigh; true while that is within the budget.
fn weigh(dist: &Path, files: &[PathBuf], budget: usize) -> Result<bool> {
    let mut total = 0;
    for file in files {
        let bytes = fs::read(file).with_context(|| format!("reading {}", file.display()))?;
        let gzipped = gzipped_bytes(&bytes)?;
        total += gzipped;
        println!("{:>12} {gzipped:>12}  {}", bytes.len(), file.strip_prefix(dist).unwrap_or(file).display());
    }
    println!("{:>12} {total:>12}  of {budget} allowed", "");
    Ok(total <= budget)
}

/// The files of `dist` that count: all wasm and JavaScript, and the weights that the page draws with. Each kind must be there, or the sum
/// means nothing.
fn payload(dist: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut folders = vec![dist.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).with_context(|| format!("reading {}", folder.display()))? {
            let path = entry.with_context(|| format!("reading {}", folder.display()))?.path();
            if path.is_dir() {
                folders.push(path);
            } else if kind(&path).is_some() {
                files.push(path);
            }
        }
    }
    files.sort();
    for wanted in ["wasm", "js", "safetensors"] {
        if !files.iter().any(|file| kind(file) == Some(wanted)) {
            bail!("{} holds no .{wanted} file that would count: the page is not complete", dist.display());
        }
    }
    Ok(files)
}

fn kind(path: &Path) -> Option<&'static str> {
    let name = path.file_name()?.to_str()?;
    if NOT_COUNTED.iter().any(|prefix| name.starts_with(prefix)) {
        return None;
    }
    match path.extension()?.to_str()? {
        "wasm" => Some("wasm"),
        "js" | "mjs" => Some("js"),
        "safetensors" if name.starts_with("quantiles") => Some("safetensors"),
        _ => None,
    }
}

fn gzipped_bytes(bytes: &[u8]) -> Result<usize> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).and_then(|()| encoder.finish()).map(|gzipped| gzipped.len()).context("compressing")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes that gzip cannot shrink (a linear congruential sequence's high bytes).
    fn noise(count: usize) -> Vec<u8> {
        let mut state = 1u64;
        let mut next = || {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (state >> 56) as u8
        };
        (0..count).map(|_| next()).collect()
    }

    #[test]
    fn the_budget_counts_what_gzip_leaves_of_every_file() {
        let dist = tempfile::tempdir().unwrap();
        fs::create_dir(dist.path().join("models")).unwrap();
        fs::write(dist.path().join("app.js"), "let x = 1;").unwrap();
        assert!(check(dist.path()).unwrap_err().to_string().contains(".wasm"));
        fs::write(dist.path().join("app.wasm"), vec![0; 2 * BUDGET_BYTES]).unwrap();
        assert!(check(dist.path()).unwrap_err().to_string().contains(".safetensors"));
        fs::write(dist.path().join("models/quantiles.safetensors"), noise(BUDGET_BYTES / 2)).unwrap();
        assert!(check(dist.path()).unwrap());
        fs::write(dist.path().join("app.wasm"), noise(BUDGET_BYTES / 2)).unwrap();
        assert!(!check(dist.path()).unwrap());
        fs::write(dist.path().join("app.wasm"), noise(BUDGET_BYTES / 4)).unwrap();
        fs::write(dist.path().join("radiodiff-web-export_bg.wasm"), noise(BUDGET_BYTES / 2)).unwrap();
        assert!(check(dist.path()).unwrap());
    }

    #[test]
    fn maplibre_counts_against_its_own_budget() {
        let dist = tempfile::tempdir().unwrap();
        let maplibre = dist.path().join(page::MAPLIBRE);
        fs::create_dir(&maplibre).unwrap();
        for (name, bytes) in [("app.js", 1), ("app.wasm", BUDGET_BYTES - 10_000), ("quantiles.safetensors", 1)] {
            fs::write(dist.path().join(name), noise(bytes)).unwrap();
        }
        fs::write(maplibre.join("maplibre-gl.mjs"), noise(MAPLIBRE_BUDGET_BYTES - 10_000)).unwrap();
        assert!(check(dist.path()).unwrap());
        fs::write(maplibre.join("maplibre-gl.mjs"), noise(MAPLIBRE_BUDGET_BYTES)).unwrap();
        assert!(!check(dist.path()).unwrap());
    }
}

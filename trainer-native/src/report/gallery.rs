//! What a run drew while it trained: the grids of maps in its log, in the order of their steps.

use crate::run_log::{IMAGES, parse_image_name};
use anyhow::{Context, Result};
use std::path::Path;

/// Most pictures of a name in a report.
const MOST: usize = 24;

/// A grid of maps.
pub struct GalleryImage {
    pub name: String,
    pub step: u64,
    pub png: Vec<u8>,
}

/// The images of a log's folder, by name and step. Of many of a name, evenly spaced ones, the first and the last among them.
pub fn images(log: &Path) -> Result<Vec<GalleryImage>> {
    let folder = log.join(IMAGES);
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for entry in std::fs::read_dir(&folder).with_context(|| format!("reading {}", folder.display()))? {
        let file = entry.with_context(|| format!("reading {}", folder.display()))?.file_name().to_string_lossy().into_owned();
        if let Some((name, step)) = parse_image_name(&file) {
            found.push((name.to_owned(), step, folder.join(&file)));
        }
    }
    found.sort();
    let chosen = found.chunk_by(|a, b| a.0 == b.0).flat_map(|of_name| spread(of_name.len()).into_iter().map(|i| &of_name[i]));
    let read = |(name, step, path): &(String, u64, std::path::PathBuf)| {
        let png = std::fs::read(path).with_context(|| format!("reading {}", path.display()))?;
        Ok(GalleryImage { name: name.clone(), step: *step, png })
    };
    chosen.map(read).collect()
}

/// At most [`MOST`] of `count` places.
fn spread(count: usize) -> Vec<usize> {
    if count <= MOST {
        return (0..count).collect();
    }
    (0..MOST).map(|i| i * (count - 1) / (MOST - 1)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_and_the_last_are_always_shown() {
        assert_eq!(spread(3), [0, 1, 2]);
        let many = spread(1000);
        assert_eq!((many.len(), many[0], many[MOST - 1]), (MOST, 0, 999));
    }
}

//! Reading square 8-bit gray PNGs, the one image format of the dataset.

use anyhow::{Context, Result, bail, ensure};
use image::{DynamicImage, ImageFormat};
use std::fs;
use std::path::Path;

/// Reads (side length in pixels, gray levels row-major).
///
/// # Errors
/// A file that cannot be read, and those of [`decode`].
pub fn read(path: &Path) -> Result<(usize, Vec<u8>)> {
    let bytes = fs::read(path).with_context(|| format!("{} cannot be read", path.display()))?;
    decode(&bytes, &path.display().to_string())
}

/// Decodes a file's bytes; messages call it by its name.
///
/// # Errors
/// An image that is no whole PNG, is not square or has no 8-bit gray pixels.
pub fn decode(bytes: &[u8], name: &str) -> Result<(usize, Vec<u8>)> {
    let image = image::load_from_memory_with_format(bytes, ImageFormat::Png)
        .with_context(|| format!("{name}: expected a whole PNG, found {} bytes that are not one", bytes.len()))?;
    let DynamicImage::ImageLuma8(gray) = image else {
        bail!("{name}: expected 8-bit gray pixels, found {:?}", image.color());
    };
    let (width, height) = gray.dimensions();
    ensure!(width == height, "{name}: expected a square image, found {width} x {height} pixels");
    Ok((width as usize, gray.into_raw()))
}

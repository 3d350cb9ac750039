//! Reading square 8-bit gray PNGs, the one image format of the dataset.

use anyhow::{Context, Result, bail, ensure};
use image::codecs::png::PngDecoder;
use image::{ColorType, DynamicImage, ImageDecoder, Limits};
use std::fs;
use std::io::Cursor;
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
    let whole = || format!("{name}: expected a whole PNG, found {} bytes that are not one", bytes.len());
    let mut limits = Limits::default();
    let decoder = PngDecoder::with_limits(Cursor::new(bytes), limits.clone()).with_context(whole)?;
    // Before a pixel is read: the decoder panics at a palette that is too short.
    if decoder.color_type() != ColorType::L8 {
        bail!("{name}: expected 8-bit gray pixels, found {:?}", decoder.color_type());
    }
    limits.reserve(decoder.total_bytes()).with_context(whole)?;
    let gray = DynamicImage::from_decoder(decoder).with_context(whole)?.into_luma8();
    let (width, height) = gray.dimensions();
    ensure!(width == height, "{name}: expected a square image, found {width} x {height} pixels");
    Ok((width as usize, gray.into_raw()))
}

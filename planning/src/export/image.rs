//! A layer as an image, and the world file that says where a PNG lies.

use super::ExportError;
use super::look::Look;
use super::projection::ImageProjection;
use crate::raster::GeoRaster;

/// Pixels as red, green, blue, alpha: (N, N, 4) row-major, row 0 in the north.
pub fn rgba(raster: &GeoRaster, look: &Look, projection: ImageProjection) -> Vec<u8> {
    let size = raster.grid.size;
    let row = |row: usize| {
        let source = projection.source_row(row, size, raster.bounds);
        raster.values[source * size..(source + 1) * size].iter().flat_map(|&value| look.rgba(raster.quantity, value))
    };
    (0..size).flat_map(row).collect()
}

/// The layer as a PNG with transparency.
///
/// # Errors
/// A layer of more than 2^32 pixels a side.
pub fn png(raster: &GeoRaster, look: &Look, projection: ImageProjection) -> Result<Vec<u8>, ExportError> {
    png_of(raster.grid.size, &rgba(raster, look, projection))
}

/// A PNG of `size` x `size` pixels with four bytes each.
///
/// # Errors
/// More than 2^32 pixels a side, or fewer bytes than pixels.
pub fn png_of(size: usize, rgba: &[u8]) -> Result<Vec<u8>, ExportError> {
    let side = u32::try_from(size).map_err(|_| ExportError::Size { pixels: size, format: "PNG" })?;
    let failed = ExportError::encoding("PNG");
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, side, side);
    encoder.set_color(png::ColorType::Rgba);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header().map_err(|error| failed(&error))?;
    writer.write_image_data(rgba).map_err(|error| failed(&error))?;
    writer.finish().map_err(|error| failed(&error))?;
    Ok(bytes)
}

/// ESRI's world file: degrees a column, two rotations, degrees a row (negative), and the centre of the north-western pixel.
pub fn world_file(raster: &GeoRaster) -> String {
    let (pixel, first) = (raster.pixel_degrees(), raster.center(0, 0));
    [pixel.x, 0.0, 0.0, -pixel.y, first.x, first.y].iter().map(|value| format!("{value:.12}\n")).collect()
}

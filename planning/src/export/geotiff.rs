//! A layer as GeoTIFF (OGC 19-008): one float32 band, NaN where there is no value, EPSG:4326.

use super::ExportError;
use crate::raster::{GeoRaster, RasterQuantity};
use std::io::Cursor;
use tiff::encoder::colortype::Gray32Float;
use tiff::encoder::compression::DeflateLevel;
use tiff::encoder::{Compression, TiffEncoder};
use tiff::tags::Tag;

/// GDAL's own metadata, an XML text: the band's description and unit.
const GDAL_METADATA: Tag = Tag::Unknown(42_112);

/// Keys of the GeoKeyDirectory: a header (version 1.1.0 and the number of keys), then key, location, count and value. A location of 0
/// means that the value itself stands there.
const GEO_KEYS: [u16; 20] = [
    1, 1, 0, 4, //
    1024, 0, 1, 2, // GTModelType: geographic, longitude and latitude
    1025, 0, 1, 1, // GTRasterType: a pixel is an area, its corner counts
    2048, 0, 1, 4326, // GeodeticCRS: WGS 84
    2054, 0, 1, 9102, // GeogAngularUnits: degrees
];

/// The layer as a GeoTIFF, compressed without loss.
///
/// # Errors
/// A layer of more than 2^32 pixels a side or more than 4 GB.
pub fn geotiff(raster: &GeoRaster) -> Result<Vec<u8>, ExportError> {
    let size = raster.grid.size;
    let side = u32::try_from(size).map_err(|_| ExportError::Size { pixels: size, format: "GeoTIFF" })?;
    let mut bytes = Cursor::new(Vec::new());
    write(raster, side, &mut bytes).map_err(|error| ExportError::encoding("GeoTIFF")(&error))?;
    Ok(bytes.into_inner())
}

fn write(raster: &GeoRaster, side: u32, bytes: &mut Cursor<Vec<u8>>) -> tiff::TiffResult<()> {
    let pixel = raster.pixel_degrees();
    let mut encoder = TiffEncoder::new(bytes)?.with_compression(Compression::Deflate(DeflateLevel::Balanced));
    let mut image = encoder.new_image::<Gray32Float>(side, side)?;
    let tags = image.encoder();
    tags.write_tag(Tag::ModelPixelScaleTag, &[pixel.x, pixel.y, 0.0][..])?;
    // The raster's point (0, 0), the north-western corner, and its place.
    tags.write_tag(Tag::ModelTiepointTag, &[0.0, 0.0, 0.0, raster.bounds.west, raster.bounds.north, 0.0][..])?;
    tags.write_tag(Tag::GeoKeyDirectoryTag, &GEO_KEYS[..])?;
    tags.write_tag(GDAL_METADATA, metadata(raster.quantity).as_str())?;
    tags.write_tag(Tag::GdalNodata, "nan")?;
    image.write_data(&raster.values)
}

fn metadata(quantity: RasterQuantity) -> String {
    let item = |name: &str, role: &str, text: &str| format!(r#"<Item name="{name}" sample="0" role="{role}">{text}</Item>"#);
    let unit = if quantity.unit().is_empty() { String::new() } else { item("UNITTYPE", "unittype", quantity.unit()) };
    format!("<GDALMetadata>{}{unit}</GDALMetadata>", item("DESCRIPTION", "description", quantity.title()))
}

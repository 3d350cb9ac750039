//! A layer's values themselves: as a table and as a NumPy array.

use super::ExportError;
use crate::raster::GeoRaster;
use npyz::WriterBuilder;

/// A table with a line for each pixel that has a value, from north to south and west to east: `lng,lat` in degrees to about a
/// centimetre, and the value in a column named by the layer, such as `dbm`. Values read back are the same float32.
///
/// # Errors
/// None is expected: the table is written to memory.
pub fn csv(raster: &GeoRaster) -> Result<Vec<u8>, ExportError> {
    let write = || -> Result<Vec<u8>, csv::Error> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(["lng", "lat", raster.layer.column()])?;
        for (pixel, value) in raster.values.iter().enumerate().filter(|(_, value)| !value.is_nan()) {
            let center = raster.center(pixel / raster.grid.size, pixel % raster.grid.size);
            writer.write_record([format!("{:.7}", center.x), format!("{:.7}", center.y), value.to_string()])?;
        }
        writer.into_inner().map_err(|error| error.into_error().into())
    };
    write().map_err(|error| ExportError::encoding("CSV")(&error))
}

/// NumPy's format: float32 (N, N), row 0 in the north, NaN where there is no value.
///
/// # Errors
/// None is expected: the array is written to memory.
pub fn npy(raster: &GeoRaster) -> Result<Vec<u8>, ExportError> {
    let side = raster.grid.size as u64;
    let mut bytes = Vec::new();
    let mut write = || -> std::io::Result<()> {
        let mut writer = npyz::WriteOptions::new().default_dtype().shape(&[side, side]).writer(&mut bytes).begin_nd()?;
        writer.extend(raster.values.iter().copied())?;
        writer.finish()
    };
    write().map_err(|error| ExportError::encoding("the NumPy array")(&error))?;
    Ok(bytes)
}

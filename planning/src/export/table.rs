//! Values themselves: as a table and as a NumPy array.

use super::ExportError;
use crate::raster::GeoRaster;
use npyz::WriterBuilder;

/// A table with a line for each pixel that has a value, from north to south and west to east: `lng,lat` in degrees to about a
/// centimetre, and the values of each raster in a column named by its quantity, such as `dbm`. Values read back are the same float32.
///
/// # Errors
/// No raster, and rasters of different places; else none is expected: the table is written to memory.
pub fn csv(rasters: &[&GeoRaster]) -> Result<Vec<u8>, ExportError> {
    let first = first_of(rasters)?;
    let write = || -> Result<Vec<u8>, csv::Error> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(["lng", "lat"].into_iter().chain(rasters.iter().map(|raster| raster.quantity.column())))?;
        for (pixel, _) in first.values.iter().enumerate().filter(|(_, value)| !value.is_nan()) {
            let center = first.center(pixel / first.grid.size, pixel % first.grid.size);
            let place = [format!("{:.7}", center.x), format!("{:.7}", center.y)];
            writer.write_record(place.into_iter().chain(rasters.iter().map(|raster| raster.values[pixel].to_string())))?;
        }
        writer.into_inner().map_err(|error| error.into_error().into())
    };
    write().map_err(|error| ExportError::encoding("CSV")(&error))
}

/// NumPy's format: float32 (N, N), of K rasters (K, N, N), row 0 in the north, NaN where there is no value.
///
/// # Errors
/// No raster, and rasters of different places; else none is expected: the array is written to memory.
pub fn npy(rasters: &[&GeoRaster]) -> Result<Vec<u8>, ExportError> {
    let side = first_of(rasters)?.grid.size as u64;
    let shape = [rasters.len() as u64, side, side];
    let mut bytes = Vec::new();
    let mut write = || -> std::io::Result<()> {
        let shape = if rasters.len() == 1 { &shape[1..] } else { &shape[..] };
        let mut writer = npyz::WriteOptions::new().default_dtype().shape(shape).writer(&mut bytes).begin_nd()?;
        writer.extend(rasters.iter().flat_map(|raster| raster.values.iter().copied()))?;
        writer.finish()
    };
    write().map_err(|error| ExportError::encoding("the NumPy array")(&error))?;
    Ok(bytes)
}

/// The first raster; all others lie where it does.
fn first_of<'a>(rasters: &[&'a GeoRaster]) -> Result<&'a GeoRaster, ExportError> {
    let &[first, ..] = rasters else { return Err(ExportError::Places) };
    let same = rasters.iter().all(|raster| raster.bounds == first.bounds && raster.values.len() == first.values.len());
    if same { Ok(first) } else { Err(ExportError::Places) }
}

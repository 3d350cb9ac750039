//! The areas that a layer covers at given levels, as GeoJSON (RFC 7946).

use super::ExportError;
use crate::raster::{GeoRaster, PlanLayer};
use contour::ContourBuilder;
use geo::orient::{Direction, Orient};
use geo::{Coord, LineString, MapCoords, MultiPolygon};
use serde_json::{Value, json};

/// More levels make no readable map.
const MOST_LEVELS: usize = 100;
/// How far below a level places without a value lie, dB: an outline passes buildings between the centres of their pixels and the
/// pixels outside.
const BELOW_DB: f64 = 10.0;
/// Decimals of a coordinate in degrees: about a centimetre.
const DECIMALS: f64 = 1e7;

/// A feature collection with one multipolygon for each level: where the value is at or above it, for a path loss at or below it. Its
/// properties are `layer`, `unit` and `level`. Outlines run between pixels, interpolated linearly; buildings are left out.
///
/// # Errors
/// More than 100 levels, and levels that are no numbers.
pub fn contours(raster: &GeoRaster, levels: &[f64]) -> Result<Value, ExportError> {
    let finite = levels.iter().filter(|level| level.is_finite()).count();
    if levels.len() > MOST_LEVELS || finite != levels.len() {
        return Err(ExportError::Levels { most: MOST_LEVELS, found: levels.len() });
    }
    let features = levels.iter().map(|&level| {
        let area = area_covered(raster, level)?;
        Ok(json!({
            "type": "Feature",
            "properties": { "layer": raster.quantity.name(), "unit": raster.quantity.unit(), "level": level },
            "geometry": { "type": "MultiPolygon", "coordinates": coordinates(&area) },
        }))
    });
    let features = features.collect::<Result<Vec<Value>, ExportError>>()?;
    Ok(json!({ "type": "FeatureCollection", "features": features }))
}

/// In degrees, outer rings counter-clockwise.
fn area_covered(raster: &GeoRaster, level: f64) -> Result<MultiPolygon<f64>, ExportError> {
    let sign = if raster.quantity == PlanLayer::PathLoss.into() { -1.0 } else { 1.0 };
    let value = |&value: &f32| if value.is_nan() { sign * level - BELOW_DB } else { sign * f64::from(value) };
    let values: Vec<f64> = raster.values.iter().map(value).collect();
    let size = raster.grid.size;
    let found = ContourBuilder::new(size, size, true)
        .contours(&values, &[sign * level])
        .map_err(|error| ExportError::encoding("contours")(&error))?;
    let area = found.into_iter().next().map_or_else(|| MultiPolygon::new(Vec::new()), |contour| contour.into_inner().0);
    let (pixel, bounds) = (raster.pixel_degrees(), raster.bounds);
    // Rows count from the north, which turns rings round.
    let degrees = |c: Coord<f64>| Coord { x: bounds.west + c.x * pixel.x, y: bounds.north - c.y * pixel.y };
    Ok(area.map_coords(degrees).orient(Direction::Default))
}

fn coordinates(area: &MultiPolygon<f64>) -> Value {
    let rounded = |degrees: f64| (degrees * DECIMALS).round() / DECIMALS;
    let ring = |ring: &LineString<f64>| ring.coords().map(|c| json!([rounded(c.x), rounded(c.y)])).collect::<Vec<Value>>();
    let polygon = |polygon: &geo::Polygon<f64>| {
        std::iter::once(polygon.exterior()).chain(polygon.interiors()).map(|outline| Value::from(ring(outline))).collect::<Vec<Value>>()
    };
    area.iter().map(|part| Value::from(polygon(part))).collect()
}

//! Cars out of GeoJSON, put on a map whose buildings are there.
//!
//! The file is read as one of buildings is, but tags say nothing: every outline is a car if it has a car's size. In flow bytes; out flow
//! the cars that reach the map, and sentences on what was left out.

use super::container::{self, Content};
use super::error::SceneError;
use super::geojson;
use super::reading::{Found, Reading};
use super::report::FindingKind;
use crate::scene::cars::{has_a_cars_size, size_in_words};
use crate::scene::{Grid, LocalFrame};
use geo::{BoundingRect, ConvexHull, MapCoords, Polygon};

/// Cars on a map, and what happened to their file on the way.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ImportedCars {
    /// Convex outlines in metres in the grid's frame.
    pub cars: Vec<Polygon<f64>>,
    /// Sentences without a full stop; each begins with `cars: `.
    pub warnings: Vec<String>,
}

/// Reads the cars of a GeoJSON file (also packed by gzip, or a feature a line) that reach a map. Each polygon becomes its convex hull. One
/// that has no car's size is left out with a warning; cars off the map are ignored, unless all are.
///
/// # Errors
/// A file that is no GeoJSON or breaks its syntax.
pub fn import_cars(bytes: &[u8], frame: &LocalFrame, grid: Grid) -> Result<ImportedCars, SceneError> {
    let mut reading = Reading { ignores_tags: true, ..Reading::default() };
    let Content::Json(text) = container::open(bytes, &mut reading.report)? else {
        return Err(SceneError::Format {
            found: "an OpenStreetMap extract".into(),
            advice: "give the outlines of cars as GeoJSON polygons",
        });
    };
    geojson::read(&text, &mut reading)?;
    let Reading { found, mut report, .. } = reading;
    let mut cars = Vec::new();
    let mut off_map = 0;
    for Found { polygon, feature, .. } in found {
        let car = polygon.map_coords(|degrees| frame.to_meters(degrees)).convex_hull();
        if !has_a_cars_size(&car) {
            report.note(FindingKind::NotACar, &feature, size_in_words(&car));
        } else if reaches(&car, grid) {
            cars.push(car);
        } else {
            off_map += 1;
        }
    }
    if cars.is_empty() && off_map > 0 {
        report.note_file(FindingKind::Outside, format!("none of the {off_map} lies on the map"));
    }
    Ok(ImportedCars { cars, warnings: report.warnings().iter().map(|warning| format!("cars: {warning}")).collect() })
}

fn reaches(car: &Polygon<f64>, grid: Grid) -> bool {
    let on_map = |low: f64, high: f64| low < grid.extent_m() && high > 0.0;
    car.bounding_rect().is_some_and(|rect| on_map(rect.min().x, rect.max().x) && on_map(rect.min().y, rect.max().y))
}

#[cfg(test)]
mod tests {
    use super::*;
    use geo::{Area, Coord};
    use serde_json::{Value, json};

    const GRID: Grid = Grid { size: 64, meters_per_pixel: 1.0 };
    const CENTER: Coord<f64> = Coord { x: 24.94, y: 60.17 };

    fn import(text: &str) -> Result<ImportedCars, SceneError> {
        import_cars(text.as_bytes(), &LocalFrame::centered(CENTER, GRID), GRID)
    }

    /// A ring in degrees around a box in metres.
    fn ring(x: f64, y: f64, width: f64, height: f64) -> Value {
        let frame = LocalFrame::centered(CENTER, GRID);
        let corners = [(x, y), (x + width, y), (x + width, y + height), (x, y + height), (x, y)];
        corners.iter().map(|&(x, y)| frame.to_degrees(Coord { x, y })).map(|Coord { x, y }| json!([x, y])).collect()
    }

    fn feature(ring: &Value, properties: &Value) -> Value {
        json!({ "type": "Feature", "properties": properties, "geometry": { "type": "Polygon", "coordinates": [ring] } })
    }

    fn collection(features: &[Value]) -> String {
        json!({ "type": "FeatureCollection", "features": features }).to_string()
    }

    #[test]
    fn cars_lie_in_metres_where_the_file_has_them_whatever_their_tags() {
        let parked = feature(&ring(10.0, 20.0, 2.0, 4.0), &json!({ "amenity": "parking", "layer": "-1" }));
        let two = json!({ "type": "MultiPolygon", "coordinates": [[ring(30.0, 20.0, 4.5, 1.8)], [ring(-1.0, 5.0, 2.0, 4.0)]] });
        let ImportedCars { cars, warnings } = import(&collection(&[parked, two])).expect("cars");
        assert_eq!((cars.len(), warnings.len()), (3, 0), "{warnings:?}");
        let rect = cars[0].bounding_rect().expect("a box");
        let near = |found: Coord<f64>, x: f64, y: f64| (found.x - x).hypot(found.y - y) < 1e-6;
        assert!(near(rect.min(), 10.0, 20.0) && near(rect.max(), 12.0, 24.0), "{rect:?}");
        assert!((cars[1].unsigned_area() - 8.1).abs() < 1e-6);
    }

    #[test]
    fn what_has_no_cars_size_is_counted_and_cars_off_the_map_are_ignored() {
        let plain = |x: f64, y: f64, width: f64, height: f64| feature(&ring(x, y, width, height), &json!({}));
        let features = [plain(10.0, 20.0, 2.0, 4.0), plain(0.0, 0.0, 10.0, 12.0), plain(70.0, 20.0, 2.0, 4.0), plain(0.0, 40.0, 1.0, 6.0)];
        let ImportedCars { cars, warnings } = import(&collection(&features)).expect("cars");
        assert_eq!(cars.len(), 1);
        let [warning] = &warnings[..] else { panic!("{warnings:?}") };
        assert!(warning.starts_with("cars: 2 features do not have a car's size and are not used: features 1 and 3"), "{warning}");
        assert!(warning.contains("15.6 m long and covers 120.0 m2"), "{warning}");
        let ImportedCars { cars, warnings } = import(&collection(&features[2..3])).expect("cars");
        assert_eq!((cars.len(), warnings), (0, vec!["cars: none of the 1 lies on the map".to_owned()]));
        let none = import(&collection(&[])).expect("a file without cars");
        assert_eq!(none, ImportedCars::default());
        let point = json!({ "type": "Point", "coordinates": [24.94, 60.17] }).to_string();
        assert!(import(&point).expect("no car").warnings[0].starts_with("cars: feature 0 is not a Polygon or MultiPolygon"));
    }

    #[test]
    fn what_is_no_geojson_is_an_error() {
        let broken = import("{\"type\": \"FeatureCollection\", \"features\": [").expect_err("broken");
        assert!(broken.to_string().starts_with("the GeoJSON cannot be read: "), "{broken}");
        let osm = import("<osm version=\"0.6\"></osm>").expect_err("OpenStreetMap");
        assert!(osm.to_string().contains("give the outlines of cars as GeoJSON"), "{osm}");
    }
}

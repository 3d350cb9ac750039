//! Where buildings are put, and on how fine a grid.

use geo::Coord;
use radiodiff_planning::request::{FieldError, Fields, Input};
use radiodiff_radio::scene::{BUILDING_HEIGHT_M, GeoBounds, Grid, LocalFrame, check_building_height};

/// The most pixels along a side: 4 km at 1 m. What as many take in memory is checked with the buildings.
const MOST_PIXELS: usize = 4096;
const LEAST_PIXELS: usize = 8;

/// A scene that is asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SceneRequest {
    /// The map is centred on them; `None` centres it on the buildings.
    pub bounds: Option<GeoBounds>,
    /// Side of a pixel; `None` asks for the engine's own grid. With it the map covers the bounds.
    pub meters_per_pixel: Option<f64>,
    /// Height of buildings that the file gives none.
    pub building_height_m: f64,
}

impl TryFrom<Input> for SceneRequest {
    type Error = FieldError;

    fn try_from(input: Input) -> Result<Self, FieldError> {
        let mut fields = Fields::of(input, "", "request", "an object")?;
        let valid = |value: f64| check_building_height(value).is_ok();
        let building_height_m = fields.number("buildingHeightM", "height", "a height from 0.5 to 1000 m", valid)?;
        let is_side = |value: f64| (0.1..=100.0).contains(&value);
        Ok(Self {
            bounds: bounds(&mut fields, "bounds")?,
            meters_per_pixel: fields.number("metersPerPixel", "bounds", "a number from 0.1 to 100 m", is_side)?,
            building_height_m: building_height_m.unwrap_or(BUILDING_HEIGHT_M),
        })
    }
}

impl SceneRequest {
    /// The grid to draw on: the engine's own, or one with the pixels that are asked for, which covers the bounds.
    ///
    /// # Errors
    /// Bounds that make too many pixels or too few.
    pub fn grid(&self, own: Grid) -> Result<Grid, FieldError> {
        let Some(meters_per_pixel) = self.meters_per_pixel else { return Ok(own) };
        let Some(GeoBounds { west, south, east, north }) = self.bounds else { return Ok(Grid { meters_per_pixel, ..own }) };
        let frame = LocalFrame::about(Coord { x: west + width_deg(west, east) / 2.0, y: (south + north) / 2.0 });
        let half = frame.to_meters(Coord { x: east, y: north });
        let extent_m = 2.0 * half.x.max(half.y);
        // A hundredth of a pixel more is rounding of degrees.
        let size = (extent_m / meters_per_pixel - 0.01).ceil();
        if (LEAST_PIXELS as f64..=MOST_PIXELS as f64).contains(&size) {
            return Ok(Grid { size: size as usize, meters_per_pixel });
        }
        Err(FieldError {
            code: "bounds",
            field: "metersPerPixel".into(),
            found: meters_per_pixel.to_string(),
            expected: format!(
                "{:.2} to {:.2} m for bounds that span {extent_m:.0} m: {LEAST_PIXELS} to {MOST_PIXELS} pixels a side",
                extent_m / MOST_PIXELS as f64,
                extent_m / LEAST_PIXELS as f64
            ),
        })
    }
}

/// A field with the sides of a map or of a part of it.
pub(super) fn bounds(fields: &mut Fields, name: &str) -> Result<Option<GeoBounds>, FieldError> {
    let found = fields.take(name);
    if found == Input::Missing {
        return Ok(None);
    }
    let mut sides = Fields::of(found, &fields.path(name), "bounds", "an object with west, south, east and north")?;
    let mut side = |name| sides.required(name, "bounds", "degrees");
    let [west, south, east, north] = [side("west")?, side("south")?, side("east")?, side("north")?];
    let wrong = |name: &str, found: f64, expected: String| {
        Err(FieldError { code: "bounds", field: sides.path(name), found: found.to_string(), expected })
    };
    if south >= north {
        return wrong("south", south, format!("less than north, {north}"));
    }
    // West of more than half of the globe, they are exchanged; of less, bounds run across the antimeridian.
    if west == east || (west > east && width_deg(west, east) > 180.0) {
        return wrong("west", west, format!("less than east, {east}"));
    }
    Ok(Some(GeoBounds { west, south, east, north }))
}

/// From west to east, across the antimeridian too.
fn width_deg(west: f64, east: f64) -> f64 {
    if west < east { east - west } else { east + 360.0 - west }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn grid(request: serde_json::Value) -> Result<Grid, FieldError> {
        let input: Input = serde_json::from_value(request).expect("any JSON is an input");
        SceneRequest::try_from(input)?.grid(Grid::default())
    }

    #[test]
    fn pixels_that_are_asked_for_cover_the_bounds() {
        // Bounds of 2,000 m from west to east and 1,000 m from south to north, by the frame's own radii.
        let frame = LocalFrame::centered(Coord { x: 24.94, y: 60.17 }, Grid { size: 1000, meters_per_pixel: 2.0 });
        let GeoBounds { west, east, south, north } = frame.bounds();
        let flat = json!({ "west": west, "east": east, "south": 60.17 - (60.17 - south) / 2.0, "north": 60.17 + (north - 60.17) / 2.0 });
        let asked = |meters: serde_json::Value| grid(json!({ "bounds": flat, "metersPerPixel": meters }));
        assert_eq!(asked(2.into()), Ok(Grid { size: 1000, meters_per_pixel: 2.0 }));
        assert_eq!(asked("4".into()), Ok(Grid { size: 500, meters_per_pixel: 4.0 }));
        assert_eq!(asked(3.into()), Ok(Grid { size: 667, meters_per_pixel: 3.0 }));
        assert_eq!(asked(serde_json::Value::Null), Ok(Grid::default()));
        assert_eq!(grid(json!({ "metersPerPixel": 2 })), Ok(Grid { size: 256, meters_per_pixel: 2.0 }));
        assert_eq!(asked(1.into()), Ok(Grid { size: 2000, meters_per_pixel: 1.0 }));
        let error = asked(0.4.into()).expect_err("5,000 pixels");
        assert_eq!((error.code, error.field.as_str()), ("bounds", "metersPerPixel"));
        assert!(error.expected.starts_with("0.49 to 250.00 m"), "{error}");
        assert!(asked(0.into()).is_err() && asked("fine".into()).is_err());
    }

    #[test]
    fn reversed_bounds_are_told_by_the_side_that_is_wrong() {
        let bounds = |west: f64, south: f64, east: f64, north: f64| {
            grid(json!({ "bounds": { "west": west, "south": south, "east": east, "north": north }, "metersPerPixel": 4 }))
        };
        for (reversed, message) in [
            (bounds(24.93, 60.18, 24.94, 60.17), "bounds.south is 60.18, expected less than north, 60.17"),
            (bounds(24.94, 60.17, 24.93, 60.18), "bounds.west is 24.94, expected less than east, 24.93"),
            (bounds(24.93, 60.17, 24.93, 60.18), "bounds.west is 24.93, expected less than east, 24.93"),
        ] {
            assert_eq!(reversed.expect_err("reversed").to_string(), message);
        }
        // Across the antimeridian west is the larger.
        let across = bounds(179.995, -17.0, -179.995, -16.995).expect("Fiji");
        assert_eq!(across, bounds(178.995, -17.0, 179.005, -16.995).expect("west of it"));
    }
}

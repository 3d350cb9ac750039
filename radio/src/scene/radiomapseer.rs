//! RadioMapSeer's JSON: positions of transmitters and footprints of buildings, in metres, y to the north.
//!
//! The two kinds of file count pixels differently. An antenna at (x, y) lights the pixel of row 255 - y and column x, so its true
//! position is that pixel's centre, (x + 1/2, y + 1/2) in the grid's frame. Footprints count from one, as MATLAB does: (x, y) is the
//! centre of row 256 - y and column x - 1, which is (x - 1/2, y - 1/2). Rasterised so, the footprints of map 0 give the
//! zeros of its gains to all but 8 of 16,340 pixels; read half a pixel away along either axis, more than 600 pixels differ. The published
//! images of buildings are half a pixel away along both, and maps of ray tracing have no value on walls
//! ([`crate::geometry::with_footprints_of_mask`]).
//!
//! Files that other tools have written are read where the numbers are there: after a byte order mark, as floats or as text, with a
//! height, as objects of `x` and `y`, and as the one entry of an object.

use super::Building;
use geo::{Area, Coord, LineString, Polygon};
use serde::de::Error as _;
use serde_json::{Error, Value};

const PIXEL_CENTER_M: f64 = 0.5;
/// Corners are whole numbers, so many pixels' centres lie exactly on a wall. The dataset's own rasters count such a centre as if it lay
/// a little to the north-east. A shift by a millimetre says the same; without it, 94 pixels of map 0 differ.
const TIE_M: f64 = 0.001;

/// `antenna/{map}.json`: positions of the transmitters, in the order of their numbers.
///
/// # Errors
/// A text that is no JSON, or no list of positions; the error says which position.
pub fn antennas_from_json(text: &str) -> Result<Vec<Coord<f64>>, Error> {
    let positions = positions(&list(text)?, "position")?;
    Ok(positions.into_iter().map(|[x, y]| Coord { x: x + PIXEL_CENTER_M, y: y + PIXEL_CENTER_M }).collect())
}

/// `polygon/buildings/{map}.json` and `polygon/buildings_and_cars/{map}.json`: rings of [x, y], closed or not. Footprints without
/// an area are left out: they cover no pixel and shade nothing.
///
/// # Errors
/// A text that is no JSON, or no list of rings; the error says which ring and corner.
pub fn buildings_from_json(text: &str) -> Result<Vec<Building>, Error> {
    let corner = |[x, y]: [f64; 2]| Coord { x: x - PIXEL_CENTER_M - TIE_M, y: y - PIXEL_CENTER_M - TIE_M };
    let rings = rings_from_json(text)?.into_iter();
    let polygons = rings.map(|ring| Polygon::new(LineString::from_iter(ring.into_iter().map(corner)), Vec::new()));
    let built = polygons.filter(|footprint| footprint.unsigned_area() > 0.0);
    Ok(built.map(Building::from).collect())
}

/// The rings of an outline file as they stand there.
pub(super) fn rings_from_json(text: &str) -> Result<Vec<Vec<[f64; 2]>>, Error> {
    let ring = |(index, ring): (usize, Value)| match ring {
        Value::Array(corners) => positions(&corners, &format!("outline {index}, corner")),
        other => Err(Error::custom(format!("outline {index} is {other}, expected a list of [x, y]"))),
    };
    list(text)?.into_iter().enumerate().map(ring).collect()
}

/// The list that a file is, or that is the one entry of its object.
fn list(text: &str) -> Result<Vec<Value>, Error> {
    let mut value: Value = serde_json::from_str(text.trim_start_matches('\u{feff}'))?;
    if let Value::Object(entries) = &mut value
        && entries.len() == 1
        && let Some(only) = entries.values_mut().next()
    {
        value = only.take();
    }
    match value {
        Value::Array(items) => Ok(items),
        other => Err(Error::custom(format!("expected a list, found {other}"))),
    }
}

/// Numbers of [x, y], also with more numbers, as text, or as `{ "x": ..., "y": ... }`.
fn positions(values: &[Value], what: &str) -> Result<Vec<[f64; 2]>, Error> {
    let number = |value: Option<&Value>| match value? {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok().filter(|number: &f64| number.is_finite()),
        _ => None,
    };
    let position = |(index, value): (usize, &Value)| {
        let parts = match value {
            Value::Array(numbers) if (2..=3).contains(&numbers.len()) => [numbers.first(), numbers.get(1)],
            other => [other.get("x"), other.get("y")],
        };
        match parts.map(number) {
            [Some(x), Some(y)] => Ok([x, y]),
            _ => Err(Error::custom(format!("{what} {index} is {value}, expected [x, y]"))),
        }
    };
    values.iter().enumerate().map(position).collect()
}

/// The text of `polygon/buildings/{map}.json` as the data has it: corners in whole metres, clockwise, the first repeated at the
/// end. An outline has one ring, so that a courtyard hangs on its building's outline by a cut there and back, which has no area
/// by the even-odd rule. Outlines that rounding leaves without area are left out.
pub fn buildings_to_json(buildings: &[Building]) -> String {
    let outlines: Vec<Vec<[i64; 2]>> = buildings.iter().filter_map(|building| one_ring(&building.footprint)).collect();
    serde_json::to_string(&outlines).unwrap_or_default()
}

/// A ring's corners in whole metres, the first not repeated; `None` when they span no area. `clockwise` or the other way round.
fn rounded(ring: &LineString<f64>, clockwise: bool) -> Option<Vec<[i64; 2]>> {
    let round = |v: f64| (v + PIXEL_CENTER_M).round() as i64;
    let mut corners: Vec<[i64; 2]> = ring.coords().map(|p| [round(p.x), round(p.y)]).collect();
    corners.dedup();
    if corners.first() == corners.last() {
        corners.pop();
    }
    let next = corners.iter().cycle().skip(1);
    let doubled: i64 = corners.iter().zip(next).map(|(a, b)| a[0] * b[1] - b[0] * a[1]).sum();
    if (doubled < 0) != clockwise {
        corners.reverse();
    }
    (doubled != 0).then_some(corners)
}

fn one_ring(polygon: &Polygon<f64>) -> Option<Vec<[i64; 2]>> {
    let mut ring = rounded(polygon.exterior(), true)?;
    let mut holes: Vec<Vec<[i64; 2]>> = polygon.interiors().iter().filter_map(|hole| rounded(hole, false)).collect();
    // The nearest courtyard first: a cut that short crosses no other.
    while let Some((hole, from, to)) = nearest(&ring, &holes) {
        let hole = holes.swap_remove(hole);
        let round: Vec<[i64; 2]> = hole.iter().cycle().skip(to).take(hole.len() + 1).copied().chain([ring[from]]).collect();
        ring.splice(from + 1..from + 1, round);
    }
    ring.push(ring[0]);
    Some(ring)
}

/// (hole, corner of the ring, corner of the hole) that are nearest to each other.
fn nearest(ring: &[[i64; 2]], holes: &[Vec<[i64; 2]>]) -> Option<(usize, usize, usize)> {
    let distance = |a: [i64; 2], b: [i64; 2]| (a[0] - b[0]).pow(2) + (a[1] - b[1]).pow(2);
    let pairs = holes.iter().enumerate().flat_map(|(h, hole)| {
        ring.iter().enumerate().flat_map(move |(r, &a)| hole.iter().enumerate().map(move |(c, &b)| (distance(a, b), (h, r, c))))
    });
    pairs.min().map(|(_, found)| found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::{Grid, Scene};

    fn square(from: f64, to: f64) -> LineString<f64> {
        [(from, from), (to, from), (to, to), (from, to)].into_iter().collect()
    }

    #[test]
    fn a_building_with_two_courtyards_survives_as_one_ring() {
        let mut second = square(20.0, 24.0);
        second.0.iter_mut().for_each(|p| p.y -= 8.0);
        let footprint = Polygon::new(square(10.0, 40.0), vec![square(20.0, 30.0), second]);
        let building = Building::from(footprint);
        let text = buildings_to_json(std::slice::from_ref(&building));
        let read = buildings_from_json(&text).unwrap();
        assert_eq!(read.len(), 1);
        assert_eq!(read[0].footprint.interiors().len(), 0);
        let expected = -(900.0 - 100.0 - 16.0);
        assert!((read[0].footprint.signed_area() - expected).abs() < 1e-6, "clockwise, the courtyards outside");
        let mask = |b: &Building| Scene::from_polygons(Grid::default(), vec![b.clone()]).mask;
        let moved = geo::Translate::translate(&building.footprint, 0.5, 0.5);
        assert_eq!(mask(&read[0]), mask(&Building { footprint: moved, ..building }), "to within the half metre of rounding");
    }

    #[test]
    fn what_has_no_area_is_left_out() {
        assert!(buildings_from_json("[[], [[1, 1]], [[1, 1], [5, 5], [1, 1]]]").unwrap().is_empty());
        let sliver = Polygon::new(square(10.1, 10.3), Vec::new());
        assert_eq!(buildings_to_json(&[Building::from(sliver)]), "[]");
        assert!(buildings_from_json("[[[1]]]").is_err());
    }

    #[test]
    fn numbers_are_read_however_they_are_written_and_what_is_none_is_named() {
        let expected = vec![Coord { x: 8.5, y: 250.5 }, Coord { x: 128.5, y: 150.5 }];
        for text in [
            "[[8, 250], [128, 150]]",
            "\u{feff}[[8, 250], [128, 150]]",
            "[[8,\r\n 250],\r\n [128, 150]]",
            "[[8.0, 250.0], [128.0, 150.0]]",
            r#"[["8", "250"], [" 128 ", "150.0"]]"#,
            "[[8, 250, 1.5], [128, 150, null]]",
            r#"[{"x": 8, "y": 250}, {"y": "150", "x": 128}]"#,
            r#"{"data": [[8, 250], [128, 150]]}"#,
        ] {
            assert_eq!(antennas_from_json(text).expect(text), expected, "{text}");
        }
        for (text, words) in [
            ("", "EOF"),
            ("[[NaN, 1]]", "line 1"),
            ("[[8, 250], [null, 1]]", "position 1 is [null,1]"),
            (r#"[["NaN", "1"]]"#, "position 0"),
            ("7", "expected a list"),
        ] {
            let error = antennas_from_json(text).expect_err(text).to_string();
            assert!(error.contains(words), "{text}: {error}");
        }
        let error = buildings_from_json("[[[1, 1], [5, 1], [5, 5]], [[1]]]").expect_err("one number").to_string();
        assert!(error.contains("outline 1, corner 0 is [1]"), "{error}");
    }
}

//! Limits on the buildings and cars that a request brings, so that no outline makes a server work for minutes.
//!
//! The parts that an outline falls into which crosses itself everywhere grow with the square of its corners, and a map takes longer the
//! more corners its paths may turn at, and the more sides of cars the line to a pixel may cross. Real ones come nowhere near the limits.

use super::error::Refusal;
use crate::drawing::MapScene;
use axum::http::StatusCode;
use geo::{Coord, Line, LineString, Vector2DOps};
use radiodiff_radio::scene::Footprint;

/// The most corners of one building, courtyards included.
const MOST_OUTLINE_CORNERS: usize = 1000;
/// The most places where a building's outline crosses itself.
const MOST_CROSSINGS: usize = 100;
/// The most sides that the cars of one map have: 2,500 boxes, though they may all stand on one spot.
const MOST_CAR_SIDES: usize = 10_000;
/// The most corners that paths turn at on one map.
const MOST_TURNING_POINTS: usize = 6000;

fn too_large(message: String) -> Refusal {
    Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", message)
}

/// # Errors
/// A building with too many corners or crossings.
pub fn check_footprints(footprints: &[Footprint]) -> Result<(), Refusal> {
    for (i, footprint) in footprints.iter().enumerate() {
        let rings = || std::iter::once(footprint.polygon.exterior()).chain(footprint.polygon.interiors());
        let lines: Vec<Line<f64>> = rings().flat_map(LineString::lines).collect();
        if lines.len() > MOST_OUTLINE_CORNERS {
            return Err(too_large(format!("building {i} has {} corners, expected at most {MOST_OUTLINE_CORNERS}", lines.len())));
        }
        if crossings(&lines) > MOST_CROSSINGS {
            return Err(too_large(format!("the outline of building {i} crosses itself more than {MOST_CROSSINGS} times")));
        }
    }
    Ok(())
}

/// How often lines cross each other, counted up to just above the most.
fn crossings(lines: &[Line<f64>]) -> usize {
    let side = |line: &Line<f64>, point: Coord<f64>| line.delta().wedge_product(point - line.start);
    let apart = |line: &Line<f64>, other: &Line<f64>| side(line, other.start) * side(line, other.end) < 0.0;
    let pairs = lines.iter().enumerate().flat_map(|(i, line)| lines[..i].iter().map(move |other| (line, other)));
    pairs.filter(|(a, b)| apart(a, b) && apart(b, a)).take(MOST_CROSSINGS + 1).count()
}

/// # Errors
/// A map that is too densely built, or has too many cars.
pub fn check_map(map: &MapScene) -> Result<(), Refusal> {
    let (size, sides) = (map.grid().size, map.sides_of_cars());
    if sides > MOST_CAR_SIDES {
        return Err(too_large(format!("the cars have {sides} sides on {size} x {size} pixels, expected at most {MOST_CAR_SIDES}")));
    }
    // They take the walls' union, which too many cars would make long.
    let corners = map.turning_points();
    if corners > MOST_TURNING_POINTS {
        let found = format!("the buildings and cars have {corners} corners on {size} x {size} pixels");
        return Err(too_large(format!("{found}, which is more than one map takes: ask for a smaller map or coarser pixels")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use geo::Polygon;

    fn star(corners: usize, step: usize) -> Footprint {
        let corner = |i: usize| {
            let angle = std::f64::consts::TAU * (i * step) as f64 / corners as f64;
            Coord { x: angle.cos(), y: angle.sin() }
        };
        let polygon = Polygon::new(LineString::new((0..corners).map(corner).collect()), Vec::new());
        Footprint { polygon, height_m: None, levels: None, is_part: false }
    }

    #[test]
    fn round_buildings_pass_and_tangles_do_not() {
        // A pentagram crosses itself five times, a star of n corners with steps of k: n (k - 1) times.
        let lines = |footprint: &Footprint| footprint.polygon.exterior().lines().collect::<Vec<_>>();
        assert_eq!((crossings(&lines(&star(5, 2))), crossings(&lines(&star(11, 4)))), (5, 33));
        assert!(check_footprints(&[star(900, 1), star(5, 2), star(51, 2)]).is_ok());
        assert!(check_footprints(&[star(5, 2), star(51, 25)]).is_err());
        assert!(check_footprints(&[star(1001, 1)]).is_err());
    }
}

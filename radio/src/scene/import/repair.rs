//! Outlines that cross themselves, made simple, in time n log n.
//!
//! A mapper's slip or rounding makes a ring cross itself. The area inside by the even-odd rule is what such an outline is drawn as;
//! here it also becomes its footprint, as simple polygons. Whether an outline needs that is told by its area: rings that do not
//! cross enclose exactly the area inside by the even-odd rule, and the overlay that computes the latter takes n log n, where a
//! search for crossings edge by edge takes n². In flow an outline in metres; out flow simple outlines in metres.

use geo::{Area, BooleanOps, MultiPolygon, Polygon};

/// What the overlay's own rounding may change of an area: a share of it, and an absolute part in square metres.
const ROUNDING_SHARE: f64 = 1e-7;
const ROUNDING_M2: f64 = 0.01;

/// An outline after the check.
#[derive(Debug)]
pub(super) enum Outline {
    /// It was simple, and is unchanged.
    Sound(Polygon<f64>),
    /// It crossed itself: the parts it falls into.
    Repaired(MultiPolygon<f64>),
    /// It encloses nothing.
    Empty,
}

/// Checks an outline in metres and repairs it where it crosses itself.
pub(super) fn simple(polygon: Polygon<f64>) -> Outline {
    let inside = polygon.xor(&MultiPolygon::<f64>::new(Vec::new()));
    let (enclosed, even_odd) = (polygon.unsigned_area(), inside.unsigned_area());
    if even_odd <= 0.0 {
        Outline::Empty
    } else if (enclosed - even_odd).abs() <= ROUNDING_M2 + ROUNDING_SHARE * even_odd {
        Outline::Sound(polygon)
    } else {
        Outline::Repaired(inside)
    }
}

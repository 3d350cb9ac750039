//! Between the globe and the grid: a local equirectangular frame.
//!
//! Around the grid's centre a degree of latitude and one of longitude are taken as constant lengths, from WGS84's radii of
//! curvature there. Over a few kilometres the error is below a centimetre in a hundred metres, which is far below a pixel.

use super::{GeoBounds, Grid};
use geo::Coord;

/// WGS84: semi-major axis in metres and first eccentricity squared.
const SEMI_MAJOR_M: f64 = 6_378_137.0;
const ECCENTRICITY_SQUARED: f64 = 6.694_379_990_14e-3;
/// How far bounds may differ from a grid's and still pass for them, in pixels.
const TOLERANCE_PIXELS: f64 = 2.0;

/// Maps EPSG:4326 degrees to metres and back. The origin of the metres is the grid's south-west corner, or the frame's centre.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LocalFrame {
    /// Longitude and latitude of the grid's centre, degrees.
    center: Coord<f64>,
    meters_per_degree: Coord<f64>,
    half_extent_m: f64,
}

impl LocalFrame {
    /// A frame for `grid` centred on (longitude, latitude) in degrees; metres count from the grid's south-west corner.
    pub fn centered(center: Coord<f64>, grid: Grid) -> Self {
        Self { half_extent_m: grid.extent_m() / 2.0, ..Self::about(center) }
    }

    /// The frame of a grid that lies at these bounds.
    pub fn of_bounds(bounds: GeoBounds, grid: Grid) -> Self {
        let GeoBounds { west, south, east, north } = bounds;
        Self::centered(Coord { x: (west + east) / 2.0, y: (south + north) / 2.0 }, grid)
    }

    /// A frame without a grid: metres east and north of (longitude, latitude) in degrees.
    pub fn about(center: Coord<f64>) -> Self {
        let (sin, cos) = center.y.to_radians().sin_cos();
        let w = 1.0 - ECCENTRICITY_SQUARED * sin * sin;
        let meridian = SEMI_MAJOR_M * (1.0 - ECCENTRICITY_SQUARED) / w.powf(1.5);
        let prime_vertical = SEMI_MAJOR_M / w.sqrt();
        let degree = 1f64.to_radians();
        let meters_per_degree = Coord { x: degree * prime_vertical * cos, y: degree * meridian };
        Self { center, meters_per_degree, half_extent_m: 0.0 }
    }

    /// (longitude, latitude) in degrees -> metres from the origin, the shorter way around the globe.
    pub fn to_meters(&self, lng_lat: Coord<f64>) -> Coord<f64> {
        let east = lng_lat.x - self.center.x;
        let east = if east.abs() > 180.0 { east - 360.0 * (east / 360.0).round() } else { east };
        Coord {
            x: east * self.meters_per_degree.x + self.half_extent_m,
            y: (lng_lat.y - self.center.y) * self.meters_per_degree.y + self.half_extent_m,
        }
    }

    /// Metres from the origin -> (longitude, latitude) in degrees.
    pub fn to_degrees(&self, meters: Coord<f64>) -> Coord<f64> {
        Coord {
            x: (meters.x - self.half_extent_m) / self.meters_per_degree.x + self.center.x,
            y: (meters.y - self.half_extent_m) / self.meters_per_degree.y + self.center.y,
        }
    }

    /// Width and height in metres of bounds that were asked for, where they are not those of the grid.
    pub fn differing_span_m(&self, asked: GeoBounds, grid: Grid) -> Option<[f64; 2]> {
        let low = self.to_meters(Coord { x: asked.west, y: asked.south });
        let high = self.to_meters(Coord { x: asked.east, y: asked.north });
        let span_m = [high.x - low.x, high.y - low.y];
        let differs = |length_m: f64| (length_m - grid.extent_m()).abs() > TOLERANCE_PIXELS * grid.meters_per_pixel;
        span_m.into_iter().any(differs).then_some(span_m)
    }

    /// Where the grid lies; a point for a frame without a grid.
    pub fn bounds(&self) -> GeoBounds {
        let south_west = self.to_degrees(Coord { x: 0.0, y: 0.0 });
        let north_east = self.to_degrees(Coord { x: 2.0 * self.half_extent_m, y: 2.0 * self.half_extent_m });
        GeoBounds { west: south_west.x, south: south_west.y, east: north_east.x, north: north_east.y }
    }
}

/// How far bounds reach beyond the places that they are of, degrees: a single place has bounds too.
const MARGIN_DEG: f64 = 1e-6;

impl GeoBounds {
    /// The bounds of places, the shorter way around the globe; their centre is that of the places. Across the antimeridian the west is
    /// greater than the east, as RFC 7946 has it.
    pub fn around(places: impl IntoIterator<Item = Coord<f64>>) -> Self {
        let mut places = places.into_iter().peekable();
        let beside = places.peek().map_or(0.0, |first| first.x);
        let (mut low, mut high) = (Coord { x: f64::INFINITY, y: f64::INFINITY }, Coord { x: f64::NEG_INFINITY, y: f64::NEG_INFINITY });
        for place in places {
            let x = place.x - 360.0 * ((place.x - beside) / 360.0).round();
            (low, high) = (Coord { x: low.x.min(x), y: low.y.min(place.y) }, Coord { x: high.x.max(x), y: high.y.max(place.y) });
        }
        let (west, east) = (normal_longitude(low.x - MARGIN_DEG), normal_longitude(high.x + MARGIN_DEG));
        Self { west, south: low.y - MARGIN_DEG, east, north: high.y + MARGIN_DEG }
    }
}

/// A longitude as one from -180 to 180 degrees.
pub(super) fn normal_longitude(x: f64) -> f64 {
    if x.abs() <= 180.0 { x } else { (x + 180.0).rem_euclid(360.0) - 180.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_around_places_go_the_shorter_way() {
        let around = |longitudes: &[f64]| GeoBounds::around(longitudes.iter().map(|&x| Coord { x, y: -16.8 }));
        let near = |found: GeoBounds, west: f64, east: f64| {
            let small = (found.west - west).abs() < 2e-6 && (found.east - east).abs() < 2e-6;
            assert!(small && found.south < -16.8 && found.north > -16.8, "{found:?}, expected {west} to {east}");
        };
        near(around(&[10.0, 10.5]), 10.0, 10.5);
        near(around(&[179.99, -179.98]), 179.99, -179.98);
        near(around(&[-179.98, 179.99]), 179.99, -179.98);
        near(around(&[180.0]), 180.0, -180.0);
    }

    #[test]
    fn round_trip_and_known_lengths() {
        let frame = LocalFrame::centered(Coord { x: 24.94, y: 60.17 }, Grid::default());
        let point = Coord { x: 24.9412, y: 60.1688 };
        let back = frame.to_degrees(frame.to_meters(point));
        assert!((back.x - point.x).abs() < 1e-12 && (back.y - point.y).abs() < 1e-12);
        let turned = frame.to_meters(Coord { x: point.x - 360.0, ..point });
        assert!((turned.x - frame.to_meters(point).x).abs() < 1e-6, "the same place a turn away");
        // At 60.17 degrees WGS84 gives 111,413 m a degree of latitude and 55,530 m a degree of longitude (geodetic tables).
        assert!((frame.meters_per_degree.y - 111_413.0).abs() < 20.0, "{}", frame.meters_per_degree.y);
        let bounds = frame.bounds();
        let beside = LocalFrame::of_bounds(bounds, Grid::default()).to_meters(point) - frame.to_meters(point);
        assert!(beside.x.abs() < 1e-6 && beside.y.abs() < 1e-6, "{beside:?}");
        assert_eq!(frame.differing_span_m(bounds, Grid::default()), None);
        let wider = GeoBounds { east: bounds.east + 3.0 / 55_530.0, ..bounds };
        assert!(frame.differing_span_m(wider, Grid::default()).is_some_and(|[width_m, _]| (width_m - 259.0).abs() < 0.1));
        assert!((frame.meters_per_degree.x - 55_530.0).abs() < 60.0, "{}", frame.meters_per_degree.x);
    }
}

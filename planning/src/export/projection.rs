//! Rows of an image in the projection that a map library draws.
//!
//! Web maps stretch an image linearly between its corners in Web Mercator (EPSG:3857), world files and KML in degrees. The two differ
//! in the spacing of rows only, so an image for a web map takes the rows of the raster in another rhythm. The bounds stay the same.

use radiodiff_radio::scene::GeoBounds;

/// What an image is linear in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImageProjection {
    /// Degrees: EPSG:4326, plate carrée.
    Equirectangular,
    /// Web Mercator: EPSG:3857.
    Mercator,
}

/// Mercator's ordinate of a latitude in degrees, in radians of the globe.
pub(super) fn mercator_y(latitude: f64) -> f64 {
    libm::asinh(libm::tan(latitude.to_radians()))
}

/// The latitude in degrees of Mercator's ordinate.
pub(super) fn mercator_latitude(y: f64) -> f64 {
    libm::atan(libm::sinh(y)).to_degrees()
}

impl ImageProjection {
    /// The raster's row that shows in an image's row; both have `size` rows between the same bounds.
    pub fn source_row(self, row: usize, size: usize, bounds: GeoBounds) -> usize {
        match self {
            Self::Equirectangular => row,
            Self::Mercator => {
                let (top, bottom) = (mercator_y(bounds.north), mercator_y(bounds.south));
                let latitude = mercator_latitude(top + (row as f64 + 0.5) / size as f64 * (bottom - top));
                let source = (bounds.north - latitude) / (bounds.north - bounds.south) * size as f64;
                (source.max(0.0) as usize).min(size - 1)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_a_small_map_stay_and_those_of_a_large_one_move_north() {
        let rows = |bounds, size| (0..size).map(|row| ImageProjection::Mercator.source_row(row, size, bounds)).collect::<Vec<_>>();
        let small = GeoBounds { west: 11.0, south: 48.133, east: 11.01, north: 48.1353 };
        assert_eq!(rows(small, 256), (0..256).collect::<Vec<_>>());
        // 4 km at 60 degrees north: Mercator's scale grows by the tangent of the latitude, 1.73 x 0.036 degrees in radians over the map,
        // an eighth of which is the largest shift: 0.00014 of 4096 rows, half a row.
        let large = GeoBounds { west: 24.0, south: 60.0, east: 24.07, north: 60.036 };
        let moved = rows(large, 4096);
        assert!(moved.windows(2).all(|pair| pair[0] <= pair[1]) && moved.iter().enumerate().any(|(row, &source)| row != source));
        assert!(moved.iter().enumerate().all(|(row, &source)| row.abs_diff(source) <= 1));
        // From the equator to 60 degrees, Mercator's middle lies at 35.3 degrees: asinh(tan 60) / 2 = 0.658.
        let globe = rows(GeoBounds { west: 0.0, south: 0.0, east: 60.0, north: 60.0 }, 600);
        assert!((60.0 - globe[300] as f64 / 10.0 - 35.26).abs() < 0.2, "{}", globe[300]);
    }

    #[test]
    fn latitudes_come_back() {
        for latitude in [-85.0, -33.3, 0.0, 1e-9, 48.1, 85.0] {
            assert!((mercator_latitude(mercator_y(latitude)) - latitude).abs() < 1e-12);
        }
    }
}

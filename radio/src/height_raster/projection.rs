//! The reference systems of rasters, by their EPSG codes: degrees, Web Mercator, and the zones of UTM.
//!
//! In flow a point's coordinates in such a system, out flow degrees. Datums that agree to a metre (WGS 84, ETRS89, NAD83) count as one.

use geo::Coord;

/// WGS 84; GRS 80, of ETRS89 and NAD83, differs by a tenth of a millimetre.
const SEMI_MAJOR_M: f64 = 6_378_137.0;
const FLATTENING: f64 = 1.0 / 298.257_223_563;
/// UTM's scale on the central meridian, and the easting there.
const SCALE: f64 = 0.9996;
const FALSE_EASTING_M: f64 = 500_000.0;
/// The northing of the equator in southern zones.
const FALSE_NORTHING_M: f64 = 10_000_000.0;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum ReferenceSystem {
    Degrees,
    WebMercator,
    Utm { zone: u16, is_south: bool },
}

impl ReferenceSystem {
    /// The geographic system of a code: WGS 84, ETRS89, NAD83.
    pub fn geographic(code: u16) -> Option<Self> {
        matches!(code, 4326 | 4258 | 4269).then_some(Self::Degrees)
    }

    /// The projected system of a code, which counts metres.
    pub fn projected(code: u16) -> Option<Self> {
        let north = |base| Some(Self::Utm { zone: code - base, is_south: false });
        match code {
            3857 => Some(Self::WebMercator),
            32601..=32660 => north(32600),
            32701..=32760 => Some(Self::Utm { zone: code - 32700, is_south: true }),
            // ETRS89 and NAD83.
            25828..=25838 => north(25800),
            26901..=26923 => north(26900),
            _ => None,
        }
    }

    /// Longer sides of a pixel are a mistake.
    pub fn longest_pixel(self) -> (f64, &'static str) {
        if self == Self::Degrees { (1.0, "a degree") } else { (1000.0, "1,000 m") }
    }

    /// What coordinates must be, where a point's are not of the system: a swapped axis, another unit, another system.
    pub fn expected(self, at: Coord<f64>) -> Option<&'static str> {
        let (fits, expected) = match self {
            Self::Degrees => (at.x.abs() <= 180.0 && at.y.abs() <= 90.0, "longitudes of -180 to 180 and latitudes of -90 to 90 degrees"),
            // Where its square ends.
            Self::WebMercator => {
                let most_m = SEMI_MAJOR_M * std::f64::consts::PI;
                (at.x.abs() <= most_m && at.y.abs() <= most_m, "at most 20,037,508 m from the equator and from Greenwich's meridian")
            }
            // Farther from its meridian the series is no longer good.
            Self::Utm { .. } => (
                (-500_000.0..=1_500_000.0).contains(&at.x) && (0.0..=10_000_000.0).contains(&at.y),
                "eastings of -500,000 to 1,500,000 m and northings of 0 to 10,000,000 m",
            ),
        };
        (!fits).then_some(expected)
    }

    /// Longitude, from -180 to 180, and latitude of a point.
    pub fn degrees(self, at: Coord<f64>) -> Coord<f64> {
        match self {
            Self::Degrees => at,
            Self::WebMercator => {
                let latitude = libm::atan(libm::sinh(at.y / SEMI_MAJOR_M));
                Coord { x: (at.x / SEMI_MAJOR_M).to_degrees(), y: latitude.to_degrees() }
            }
            Self::Utm { zone, is_south } => {
                let north_m = if is_south { at.y - FALSE_NORTHING_M } else { at.y };
                let from_meridian = transverse_mercator(at.x - FALSE_EASTING_M, north_m);
                let longitude = from_meridian.x + f64::from(zone) * 6.0 - 183.0;
                // Zones 1 and 60 reach across the antimeridian.
                Coord { x: longitude - 360.0 * (longitude / 360.0).round(), y: from_meridian.y }
            }
        }
    }
}

/// Degrees east of the central meridian and of latitude, of metres from where that crosses the equator: Krüger's series to the third order
/// of n, good to a millimetre (C. F. F. Karney, Transverse Mercator with an accuracy of a few nanometers, J. Geodesy 85 (2011), eqs. 11,
/// 14, 15, 36; the latitude's series is Krüger's).
fn transverse_mercator(east_m: f64, north_m: f64) -> Coord<f64> {
    let n = FLATTENING / (2.0 - FLATTENING);
    let (n2, n3) = (n * n, n * n * n);
    let radius_m = SCALE * SEMI_MAJOR_M / (1.0 + n) * (1.0 + n2 / 4.0 + n2 * n2 / 64.0);
    let beta = [n / 2.0 - 2.0 * n2 / 3.0 + 37.0 * n3 / 96.0, n2 / 48.0 + n3 / 15.0, 17.0 * n3 / 480.0];
    let delta = [2.0 * n - 2.0 * n2 / 3.0 - 2.0 * n3, 7.0 * n2 / 3.0 - 8.0 * n3 / 5.0, 56.0 * n3 / 15.0];
    let (xi, eta) = (north_m / radius_m, east_m / radius_m);
    let (mut sphere_xi, mut sphere_eta) = (xi, eta);
    for (multiple, beta) in [2.0, 4.0, 6.0].into_iter().zip(beta) {
        sphere_xi -= beta * libm::sin(multiple * xi) * libm::cosh(multiple * eta);
        sphere_eta -= beta * libm::cos(multiple * xi) * libm::sinh(multiple * eta);
    }
    let conformal = libm::asin(libm::sin(sphere_xi) / libm::cosh(sphere_eta));
    let series = [2.0, 4.0, 6.0].into_iter().zip(delta).map(|(multiple, delta)| delta * libm::sin(multiple * conformal));
    let longitude = libm::atan2(libm::sinh(sphere_eta), libm::cos(sphere_xi));
    Coord { x: longitude.to_degrees(), y: (conformal + series.sum::<f64>()).to_degrees() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The figures are GDAL 3.6.2's: `echo "691000 5335000" | gdaltransform -s_srs EPSG:32632 -t_srs EPSG:4326 -output_xy`.
    #[test]
    fn coordinates_are_where_gdal_says() {
        for (code, x, y, longitude, latitude) in [
            (32632, 691_000.0, 5_335_000.0, 11.567_501_229_203_8, 48.139_558_348_769_8),
            (32733, 262_000.0, 6_243_000.0, 12.425_330_237_332_7, -33.926_569_773_791_6),
            (32760, 300_000.0, 9_900_000.0, 175.202_724_770_918, -0.904_282_609_864_961),
            (32633, 166_021.5, 8_900_000.0, -2.004_536_048_038_41, 79.724_633_586_058_6),
            // Beyond the antimeridian, and far from the zone.
            (32660, 850_000.0, 5_000_000.0, -178.554_057_419_276, 45.066_853_709_110_6),
            (32701, 150_000.0, 8_000_000.0, 179.694_193_107_038, -18.060_393_424_599_9),
            (32633, 1_400_000.0, 6_000_000.0, 28.565_246_848_360_7, 53.373_363_064_723_9),
            (25833, 392_000.0, 5_820_000.0, 13.408_275_440_313_8, 52.519_395_318_375_9),
            (3857, 1_288_000.0, 6_129_000.0, 11.570_300_859_459_4, 48.132_940_726_379_1),
        ] {
            let found = ReferenceSystem::projected(code).expect("a system").degrees(Coord { x, y });
            let apart = (found.x - longitude).abs().max((found.y - latitude).abs());
            assert!(apart < 2e-8, "EPSG:{code}: {apart} degrees apart, expected two millimetres");
        }
    }
}

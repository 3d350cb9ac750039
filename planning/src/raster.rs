//! A layer of a plan on the globe: the values that statistics and exports read.

use geo::Coord;
use radiodiff_radio::scene::{GeoBounds, Grid};
use serde::{Deserialize, Serialize};

/// What the values of a plan's layer are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PlanLayer {
    /// The strongest transmitter's power at the receiver, dBm.
    ReceivedPower,
    /// The least loss between isotropic antennas, dB, positive.
    PathLoss,
    /// The strongest transmitter's power over the noise, dB.
    Snr,
    /// The strongest transmitter's power over the noise and the other transmitters' power in its channel, dB.
    Sinr,
    /// The number of the strongest transmitter, from 1 in the plan's order.
    BestServer,
}

impl PlanLayer {
    pub const ALL: [Self; 5] = [Self::ReceivedPower, Self::PathLoss, Self::Snr, Self::Sinr, Self::BestServer];

    /// As in requests: `received-power`, `path-loss`, `snr`, `sinr`, `best-server`.
    pub fn name(self) -> &'static str {
        match self {
            Self::ReceivedPower => "received-power",
            Self::PathLoss => "path-loss",
            Self::Snr => "snr",
            Self::Sinr => "sinr",
            Self::BestServer => "best-server",
        }
    }

    /// In a sentence.
    pub fn title(self) -> &'static str {
        match self {
            Self::ReceivedPower => "received power",
            Self::PathLoss => "path loss",
            Self::Snr => "signal to noise ratio",
            Self::Sinr => "signal to interference and noise ratio",
            Self::BestServer => "best server",
        }
    }

    /// The values' unit; empty for numbers of transmitters.
    pub fn unit(self) -> &'static str {
        match self {
            Self::ReceivedPower => "dBm",
            Self::PathLoss | Self::Snr | Self::Sinr => "dB",
            Self::BestServer => "",
        }
    }

    /// The values' column in a table.
    pub fn column(self) -> &'static str {
        match self {
            Self::ReceivedPower => "dbm",
            Self::PathLoss => "path_loss_db",
            Self::Snr => "snr_db",
            Self::Sinr => "sinr_db",
            Self::BestServer => "best_server",
        }
    }

    /// Whether a place with this value is covered: at or above the threshold, for a loss at or below it. NaN covers nothing.
    pub fn covers(self, value: f32, threshold: f64) -> bool {
        match self {
            Self::PathLoss => f64::from(value) <= threshold,
            _ => f64::from(value) >= threshold,
        }
    }
}

/// What a raster's values are: a layer of a plan, or what is told of several maps of one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RasterQuantity {
    Layer(PlanLayer),
    /// How much a power varies, dB: over samples, or as a calibration knows it.
    StandardDeviation,
    /// The share of maps that reach a threshold, 0 to 1.
    Probability,
    /// One map minus another, dB.
    Difference,
}

impl From<PlanLayer> for RasterQuantity {
    fn from(layer: PlanLayer) -> Self {
        Self::Layer(layer)
    }
}

impl RasterQuantity {
    /// As in requests: the layer's name, `standard-deviation`, `probability` or `difference`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Layer(layer) => layer.name(),
            Self::StandardDeviation => "standard-deviation",
            Self::Probability => "probability",
            Self::Difference => "difference",
        }
    }

    pub fn named(name: &str) -> Option<Self> {
        let layers = PlanLayer::ALL.into_iter().map(Self::Layer);
        layers.chain([Self::StandardDeviation, Self::Probability, Self::Difference]).find(|quantity| quantity.name() == name)
    }

    /// In a sentence.
    pub fn title(self) -> &'static str {
        match self {
            Self::Layer(layer) => layer.title(),
            Self::StandardDeviation => "standard deviation",
            Self::Probability => "probability of coverage",
            Self::Difference => "difference",
        }
    }

    /// The values' unit; empty for numbers of transmitters and for shares.
    pub fn unit(self) -> &'static str {
        match self {
            Self::Layer(layer) => layer.unit(),
            Self::StandardDeviation | Self::Difference => "dB",
            Self::Probability => "",
        }
    }

    /// The values' column in a table.
    pub fn column(self) -> &'static str {
        match self {
            Self::Layer(layer) => layer.column(),
            Self::StandardDeviation => "deviation_db",
            Self::Probability => "probability",
            Self::Difference => "difference_db",
        }
    }

    /// As [`PlanLayer::covers`]; whatever is no layer counts at or above the threshold.
    pub fn covers(self, value: f32, threshold: f64) -> bool {
        match self {
            Self::Layer(layer) => layer.covers(value, threshold),
            _ => f64::from(value) >= threshold,
        }
    }
}

/// Values on a map: (N, N) row-major, row 0 in the north, NaN where there is no value (inside buildings). Pixels are equally wide in
/// degrees of EPSG:4326.
#[derive(Clone, Debug, PartialEq)]
pub struct GeoRaster {
    pub grid: Grid,
    pub bounds: GeoBounds,
    pub quantity: RasterQuantity,
    pub values: Vec<f32>,
}

impl GeoRaster {
    /// Width and height of a pixel in degrees, both positive.
    pub fn pixel_degrees(&self) -> Coord<f64> {
        let GeoBounds { west, south, east, north } = self.bounds;
        let size = self.grid.size as f64;
        Coord { x: (east - west) / size, y: (north - south) / size }
    }

    /// Longitude and latitude of a pixel's centre.
    pub fn center(&self, row: usize, column: usize) -> Coord<f64> {
        let pixel = self.pixel_degrees();
        Coord { x: self.bounds.west + (column as f64 + 0.5) * pixel.x, y: self.bounds.north - (row as f64 + 0.5) * pixel.y }
    }

    /// The value at a place in degrees: NaN inside buildings, `None` off the map.
    pub fn at(&self, lng_lat: Coord<f64>) -> Option<f32> {
        let pixel = self.pixel_degrees();
        let size = self.grid.size;
        let index = |offset: f64| (offset >= 0.0 && offset < size as f64).then_some(offset as usize);
        let column = index((lng_lat.x - self.bounds.west) / pixel.x)?;
        let row = index((self.bounds.north - lng_lat.y) / pixel.y)?;
        Some(self.values[row * size + column])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pixel_is_found_at_its_centre_and_none_off_the_map() {
        let bounds = GeoBounds { west: 11.5, south: 48.0, east: 11.6, north: 48.05 };
        let grid = Grid { size: 7, meters_per_pixel: 1.0 };
        let raster = GeoRaster { grid, bounds, quantity: PlanLayer::Snr.into(), values: (0..49).map(|i| i as f32).collect() };
        for i in 0..49 {
            assert_eq!(raster.at(raster.center(i / 7, i % 7)), Some(i as f32));
        }
        for (x, y) in [(11.49, 48.02), (11.61, 48.02), (11.55, 47.99), (11.55, 48.06), (f64::NAN, 48.02)] {
            assert_eq!(raster.at(Coord { x, y }), None, "{x}, {y}");
        }
    }

    #[test]
    fn names_are_those_of_serde() {
        for layer in PlanLayer::ALL {
            assert_eq!(serde_json::to_value(layer).expect("a name"), layer.name());
            assert_eq!(RasterQuantity::named(layer.name()), Some(RasterQuantity::Layer(layer)));
        }
        assert_eq!(RasterQuantity::named("difference"), Some(RasterQuantity::Difference));
        assert_eq!(RasterQuantity::named("colour"), None);
    }
}

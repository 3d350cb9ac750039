//! How values become colours.

use crate::raster::{PlanLayer, RasterQuantity};

/// Published colour maps: turbo (Mikhailov, 2019), viridis and inferno (van der Walt and Smith, 2015), and ColorBrewer's red to blue,
/// turned round so that red is high.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Palette {
    Turbo,
    Viridis,
    Inferno,
    RdBu,
}

impl Palette {
    pub const ALL: [Self; 4] = [Self::Turbo, Self::Viridis, Self::Inferno, Self::RdBu];

    /// As in requests.
    pub fn name(self) -> &'static str {
        match self {
            Self::Turbo => "turbo",
            Self::Viridis => "viridis",
            Self::Inferno => "inferno",
            Self::RdBu => "rdbu",
        }
    }

    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|palette| palette.name() == name)
    }

    /// Red, green and blue at `t`, clamped to [0, 1].
    pub fn color(self, t: f64) -> [u8; 3] {
        let t = t.clamp(0.0, 1.0);
        let (gradient, t) = match self {
            Self::Turbo => (colorous::TURBO, t),
            Self::Viridis => (colorous::VIRIDIS, t),
            Self::Inferno => (colorous::INFERNO, t),
            Self::RdBu => (colorous::RED_BLUE, 1.0 - t),
        };
        let colorous::Color { r, g, b } = gradient.eval_continuous(t);
        [r, g, b]
    }
}

/// The colours of a layer's image.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Look {
    pub palette: Palette,
    /// The values of the first and the last colour; beyond them colours stay the same.
    pub low: f64,
    pub high: f64,
    /// Pixels that this does not cover are transparent.
    pub threshold: Option<f64>,
}

/// Colours of a ratio of signal to interference go over these, dB: from where the lowest rates fail to where the highest hold.
const SINR_RANGE_DB: (f64, f64) = (-10.0, 30.0);

impl Look {
    /// The values of a layer's first and last colour unless a user chooses them: what transmitters of up to `sent_dbm` (power and antenna
    /// gains of both ends) give over a model's range of path gain, dB.
    pub fn usual_range(layer: PlanLayer, path_gain_db: (f64, f64), sent_dbm: f64, noise_dbm: f64) -> (f64, f64) {
        let (floor_db, ceiling_db) = path_gain_db;
        match layer {
            PlanLayer::ReceivedPower => (floor_db + sent_dbm, ceiling_db + sent_dbm),
            PlanLayer::PathLoss => (-ceiling_db, -floor_db),
            PlanLayer::Snr => (floor_db + sent_dbm - noise_dbm, ceiling_db + sent_dbm - noise_dbm),
            PlanLayer::Sinr => SINR_RANGE_DB,
            // Numbers of transmitters have colours of their own.
            PlanLayer::BestServer => (0.0, 1.0),
        }
    }

    /// The colour of a value, transparent for NaN and where the threshold is not met. A path loss has the colours turned round: little
    /// loss is as red as much power. Best servers have ten colours of their own.
    pub fn rgba(&self, quantity: RasterQuantity, value: f32) -> [u8; 4] {
        if value.is_nan() || self.threshold.is_some_and(|threshold| !quantity.covers(value, threshold)) {
            return [0; 4];
        }
        let [r, g, b] = match quantity {
            RasterQuantity::Layer(PlanLayer::BestServer) => {
                let colors = colorous::CATEGORY10;
                let colorous::Color { r, g, b } = colors[(value as usize).saturating_sub(1) % colors.len()];
                [r, g, b]
            }
            RasterQuantity::Layer(PlanLayer::PathLoss) => self.palette.color(1.0 - self.share(value)),
            _ => self.palette.color(self.share(value)),
        };
        [r, g, b, u8::MAX]
    }

    fn share(&self, value: f32) -> f64 {
        let share = (f64::from(value) - self.low) / (self.high - self.low);
        if share.is_nan() { 0.5 } else { share }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_go_from_low_to_high_and_stop_there() {
        let look = Look { palette: Palette::Turbo, low: -120.0, high: -40.0, threshold: Some(-100.0) };
        let color = |dbm| look.rgba(PlanLayer::ReceivedPower.into(), dbm);
        assert_eq!((color(f32::NAN), color(-100.5)), ([0; 4], [0; 4]));
        assert_eq!(color(-40.0), color(0.0));
        let [r, g, b, a] = color(-40.0);
        assert!(r > 100 && g < 60 && b < 60 && a == 255, "turbo ends in red");
        let loss = Look { low: 47.0, high: 147.0, threshold: None, ..look };
        let [r, g, b, _] = loss.rgba(PlanLayer::PathLoss.into(), 47.0);
        assert!(r > 100 && g < 60 && b < 60, "the least loss is red");
        assert_ne!(look.rgba(PlanLayer::BestServer.into(), 1.0), look.rgba(PlanLayer::BestServer.into(), 2.0));
    }

    #[test]
    fn palettes_have_names_and_red_is_high() {
        assert!(Palette::ALL.iter().all(|palette| Palette::named(palette.name()) == Some(*palette)));
        assert_eq!(Palette::named("grey"), None);
        let ([low_red, _, low_blue], [high_red, _, high_blue]) = (Palette::RdBu.color(0.0), Palette::RdBu.color(1.0));
        assert!(low_blue > low_red && high_red > high_blue);
    }
}

//! Path gain at another frequency than the 5.9 GHz the laws were measured at.
//!
//! Two terms, with r = f / 5.9 GHz:
//!
//! - **Free space**, for every path: -20 log10 r. The line-of-sight law's intercept is Friis' at one metre (47.86 dB at 5.9 GHz), so
//!   this term is enough in line of sight; the law's slope belongs to the street and stays.
//! - **Diffraction**, out of sight: a path's loss J beyond the line-of-sight law at its distance counts as one equivalent knife edge (as
//!   Bullington does; ITU-R P.526-15, section 4.1, equation 31): J = 6.9 + 20 log10(sqrt((v - 0.1)^2 + 1) + v - 0.1). The parameter v goes
//!   with the square root of the frequency, so the loss becomes J(v sqrt(r)). Deep in the shadow that adds -10 log10 r, towards the
//!   shadow's edge it fades: up to J(0) = 6.03 dB, grazing incidence, nothing is added.
//!
//! Several corners count as one edge. One edge per corner would add -10 log10 r each, which measurements do not show: in street
//! canyons gain out of sight falls with 21.3 log10 f (3GPP TR 38.901, table 7.4.1-1, UMi NLOS), less than the 30 log10 f of one deep
//! edge, because scattering fills shadows. So shadows may be too light below 5.9 GHz and too dark above it.
//!
//! Valid from 0.5 to 100 GHz, the range of TR 38.901; other frequencies are an error. Below about 2 GHz transmission through walls
//! begins to matter, which the model lacks; above 10 GHz rain, oxygen (60 GHz) and foliage are missing.

use super::knife_edge::knife_edge_term_db;
use super::law::LogDistanceLaw;
use thiserror::Error;

/// Frequency of the maps that laws and networks were fitted to, MHz.
pub const LAW_FREQUENCY_MHZ: f64 = 5900.0;
/// Its wavelength, metres.
pub const LAW_WAVELENGTH_M: f64 = wavelength_m(LAW_FREQUENCY_MHZ);
const LEAST_MHZ: f64 = 500.0;
const MOST_MHZ: f64 = 100_000.0;

/// In free space.
pub const fn wavelength_m(frequency_mhz: f64) -> f64 {
    299.792_458 / frequency_mhz
}

/// A frequency that maps cannot be scaled to.
#[derive(Debug, Error, Clone, Copy, PartialEq)]
#[error("the frequency is {frequency_mhz} MHz; maps can be scaled to {LEAST_MHZ} to {MOST_MHZ} MHz")]
pub struct FrequencyError {
    pub frequency_mhz: f64,
}

/// The change of path gains from 5.9 GHz to another frequency.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FrequencyScaling {
    /// f / 5.9 GHz.
    ratio: f64,
    /// The change of gain in free space, dB: negative above 5.9 GHz.
    free_space_db: f64,
}

impl FrequencyScaling {
    /// Scaling to a frequency in MHz.
    ///
    /// # Errors
    /// A frequency outside 500 to 100,000 MHz.
    pub fn to(frequency_mhz: f64) -> Result<Self, FrequencyError> {
        if !(LEAST_MHZ..=MOST_MHZ).contains(&frequency_mhz) {
            return Err(FrequencyError { frequency_mhz });
        }
        let ratio = frequency_mhz / LAW_FREQUENCY_MHZ;
        Ok(Self { ratio, free_space_db: -20.0 * libm::log10(ratio) })
    }

    /// Whether the frequency is 5.9 GHz, so that nothing changes.
    pub fn is_identity(&self) -> bool {
        self.ratio == 1.0
    }

    /// Gain at this frequency of a path with `gain_db` at 5.9 GHz, whose ends are `distance_m` apart.
    pub fn gain_db(&self, gain_db: f64, distance_m: f64) -> f64 {
        self.gain_beside(gain_db, LogDistanceLaw::LINE_OF_SIGHT.gain_db(distance_m))
    }

    /// The same, by the line-of-sight law's gain at that distance.
    pub fn gain_beside(&self, gain_db: f64, line_of_sight_db: f64) -> f64 {
        if self.is_identity() {
            return gain_db;
        }
        gain_db + self.free_space_db - self.diffraction_db(line_of_sight_db - gain_db)
    }

    /// The additional loss, dB, at this frequency of an edge with a loss of `excess_db` at 5.9 GHz.
    fn diffraction_db(&self, excess_db: f64) -> f64 {
        // The knife edge's formula solved for v: with x = 10^((J - 6.9) / 20), v - 0.1 = (x - 1/x) / 2.
        let x = libm::exp((excess_db - 6.9) * (std::f64::consts::LN_10 / 20.0));
        let v = (x - 1.0 / x) / 2.0 + 0.1;
        if v <= 0.0 { 0.0 } else { knife_edge_term_db(v * self.ratio.sqrt() - 0.1) - excess_db }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_sight_the_gain_follows_friis() {
        // Friis at one metre, 20 log10(c / (4 pi f)).
        for (frequency_mhz, friis_db) in [(900.0, -31.53), (2400.0, -40.05), (5900.0, -47.86), (28_000.0, -61.39)] {
            let scaling = FrequencyScaling::to(frequency_mhz).expect("in range");
            let found = scaling.gain_db(LogDistanceLaw::LINE_OF_SIGHT.gain_db(1.0), 1.0);
            assert!((found - friis_db).abs() < 0.02, "{frequency_mhz} MHz: {found} dB, Friis gives {friis_db} dB");
        }
    }

    #[test]
    fn in_the_shadow_a_knife_edge_is_added() {
        let at = |excess_db: f64, frequency_mhz: f64| {
            let scaling = FrequencyScaling::to(frequency_mhz).expect("in range");
            scaling.diffraction_db(excess_db)
        };
        // Fading in from grazing incidence, and 10 log10 r deep in the shadow.
        assert_eq!((at(0.0, 28_000.0), at(6.0, 28_000.0), at(30.0, 5900.0).abs() < 1e-12), (0.0, 0.0, true));
        assert!((at(45.0, 28_000.0) - 10.0 * (28_000.0f64 / 5900.0).log10()).abs() < 0.05, "{}", at(45.0, 28_000.0));
        assert!((at(45.0, 590.0) + 10.0).abs() < 0.2, "{}", at(45.0, 590.0));
        // P.526's example of the formula: v = 1 costs 13.9 dB; at four times the frequency v = 2 costs 19.0 dB.
        assert!((at(13.93, 23_600.0) - (19.04 - 13.93)).abs() < 0.02, "{}", at(13.93, 23_600.0));
        // It fades in without a step; the formula's 0.1 lets it pass 10 log10 r by a little on the way.
        for excess_db in 0..800 {
            let (low, high) = (at(0.1 * f64::from(excess_db), 28_000.0), at(0.1 * f64::from(excess_db) + 0.1, 28_000.0));
            assert!((high - low).abs() < 0.12 && (0.0..6.763 + 0.1).contains(&high), "{excess_db}: {low} and {high}");
        }
    }

    /// A forecast of 5.9 GHz is one of any frequency: what is stronger stays stronger, so quantiles of the gain go over into quantiles.
    #[test]
    fn the_order_of_gains_is_that_of_every_frequency() {
        for frequency_mhz in [700.0, 3500.0, 6000.0, 30_000.0] {
            let scaling = FrequencyScaling::to(frequency_mhz).expect("in range");
            for distance_m in [1.0, 30.0, 360.0] {
                let gains: Vec<f64> = (0..2000).map(|tenth| scaling.gain_db(-160.0 + 0.06 * f64::from(tenth), distance_m)).collect();
                let least = gains.windows(2).map(|pair| pair[1] - pair[0]).fold(f64::INFINITY, f64::min);
                assert!(least > 0.0, "{frequency_mhz} MHz, {distance_m} m: {least} dB for 0.06");
            }
        }
    }

    #[test]
    fn nonsense_is_refused() {
        for frequency_mhz in [0.0, -5900.0, f64::NAN, f64::INFINITY, 5.9, 433.0, 1e6] {
            assert!(FrequencyScaling::to(frequency_mhz).is_err(), "{frequency_mhz}");
        }
        let scaling = FrequencyScaling::to(5900.0).expect("the law's own");
        assert_eq!(scaling.gain_db(-97.25, 30.0), -97.25);
    }
}

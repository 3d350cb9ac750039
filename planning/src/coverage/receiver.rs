//! The receiver that a plan's transmitters serve: its antenna's gain, its bandwidth and its noise.

use super::CoverageError;
use radiodiff_radio::scene::MAX_DECIBELS;

/// Boltzmann's constant, J/K (exact in the SI), and the temperature that noise figures refer to, K (IEEE 100).
const BOLTZMANN: f64 = 1.380_649e-23;
const NOISE_TEMPERATURE_K: f64 = 290.0;

/// A receiver, the same at every place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Receiver {
    /// Gain of its antenna in every direction, dBi.
    pub gain_dbi: f64,
    /// Width of the channel, the transmitters' as well, MHz.
    pub bandwidth_mhz: f64,
    /// Noise that the receiver adds, dB over the thermal noise.
    pub noise_figure_db: f64,
    /// The noise floor where it is known, dBm; else bandwidth and noise figure give it.
    pub noise_floor_dbm: Option<f64>,
}

impl Default for Receiver {
    /// An isotropic antenna, 20 MHz and a noise figure of 7 dB: a noise floor of -94 dBm.
    fn default() -> Self {
        Self { gain_dbi: 0.0, bandwidth_mhz: 20.0, noise_figure_db: 7.0, noise_floor_dbm: None }
    }
}

impl Receiver {
    /// Noise power in dBm: the floor that is given, or 10 log10(k T B / 1 mW) + noise figure, which is -174 dBm/Hz + 10 log10 B + F.
    pub fn noise_dbm(&self) -> f64 {
        let thermal_w = BOLTZMANN * NOISE_TEMPERATURE_K * self.bandwidth_mhz * 1e6;
        self.noise_floor_dbm.unwrap_or_else(|| 10.0 * libm::log10(thermal_w * 1e3) + self.noise_figure_db)
    }

    /// The share of a transmitter's power that falls into the channel of another: 1 at the same carrier, 0 a bandwidth away.
    pub fn channel_overlap(&self, a_mhz: f64, b_mhz: f64) -> f64 {
        (1.0 - (a_mhz - b_mhz).abs() / self.bandwidth_mhz).max(0.0)
    }

    /// # Errors
    /// A bandwidth that is not positive, and numbers that are none.
    pub fn check(&self) -> Result<(), CoverageError> {
        let check = |field, found: f64, valid: bool, expected| {
            if valid && found.is_finite() { Ok(()) } else { Err(CoverageError::Receiver { field, found, expected }) }
        };
        check("antenna gain", self.gain_dbi, self.gain_dbi.abs() <= MAX_DECIBELS, "a number from -200 to 200 dBi")?;
        let bandwidth_valid = (1e-6..=1e5).contains(&self.bandwidth_mhz);
        check("bandwidth", self.bandwidth_mhz, bandwidth_valid, "a number from 0.000001 to 100000 MHz")?;
        check("noise figure", self.noise_figure_db, (0.0..=100.0).contains(&self.noise_figure_db), "a number from 0 to 100 dB")?;
        let floor_dbm = self.noise_floor_dbm.unwrap_or(0.0);
        check("noise floor", floor_dbm, floor_dbm.abs() <= 300.0, "a number from -300 to 300 dBm")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thermal_noise_is_minus_174_dbm_in_a_hertz() {
        let noise_dbm = |bandwidth_mhz, noise_figure_db| Receiver { bandwidth_mhz, noise_figure_db, ..Receiver::default() }.noise_dbm();
        assert!((noise_dbm(1e-6, 0.0) + 173.975).abs() < 1e-3);
        assert!((noise_dbm(20.0, 7.0) + 93.965).abs() < 1e-3);
        assert_eq!(Receiver { noise_floor_dbm: Some(-114.0), ..Receiver::default() }.noise_dbm(), -114.0);
    }

    #[test]
    fn channels_overlap_by_their_distance() {
        let receiver = Receiver::default();
        let overlaps = [5900.0, 5905.0, 5890.0, 5920.0, 6000.0].map(|mhz| receiver.channel_overlap(5900.0, mhz));
        assert_eq!(overlaps, [1.0, 0.75, 0.5, 0.0, 0.0]);
    }

    #[test]
    fn receivers_that_cannot_be_are_refused_by_field() {
        let standard = Receiver::default();
        for (field, receiver) in [
            ("antenna gain", Receiver { gain_dbi: f64::NAN, ..standard }),
            ("bandwidth", Receiver { bandwidth_mhz: 0.0, ..standard }),
            ("bandwidth", Receiver { bandwidth_mhz: f64::NAN, ..standard }),
            ("noise figure", Receiver { noise_figure_db: -1.0, ..standard }),
            ("noise floor", Receiver { noise_floor_dbm: Some(f64::NEG_INFINITY), ..standard }),
        ] {
            let error = receiver.check().expect_err(field).to_string();
            assert!(error.contains(field), "{error}");
        }
        assert_eq!(standard.check(), Ok(()));
    }
}

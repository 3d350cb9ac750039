//! One transmitter's part of a plan.

use geo::Coord;
use radiodiff_radio::map::{RadioMap, widen};
use radiodiff_radio::propagation::{AntennaPattern, FrequencyError, LAW_FREQUENCY_MHZ, LinkBudget, LinkMaps};
use radiodiff_radio::scene::Transmitter;

/// What one transmitter sends to every pixel.
#[derive(Clone, Debug, PartialEq)]
pub struct Signal {
    position: Coord<f64>,
    frequency_mhz: f64,
    received: RadioMap,
    path_loss_db: Vec<f32>,
}

impl Signal {
    /// Moves the signals that a transmitter may have, a network's samples, away from their mean by a factor ([`widen`]).
    ///
    /// # Panics
    /// When they have not the same number of pixels.
    pub fn widen(samples: &mut [Self], factor: f32) {
        widen(samples.iter_mut().map(|sample| sample.received.values.as_mut_slice()), factor);
        widen(samples.iter_mut().map(|sample| sample.path_loss_db.as_mut_slice()), factor);
    }

    /// From a map of path gain at 5.9 GHz and the transmitter that it was made for. Directions of departure are those of the straight
    /// lines to receivers `receiver_height_m` above the ground.
    ///
    /// # Errors
    /// A frequency that maps cannot be scaled to.
    ///
    /// # Panics
    /// When the map is not one of path gain.
    pub fn new(
        path_gain: &RadioMap,
        transmitter: &Transmitter,
        receiver_height_m: f64,
        pattern: &AntennaPattern,
    ) -> Result<Self, FrequencyError> {
        let budget = LinkBudget::new(path_gain, transmitter, receiver_height_m, pattern, |_| None)?;
        Ok(Self::of(&budget, path_gain, transmitter))
    }

    /// As [`Self::new`], of a map at the transmitter's own frequency, which is not scaled.
    ///
    /// # Panics
    /// When the map is not one of path gain.
    pub fn at_own_frequency(path_gain: &RadioMap, transmitter: &Transmitter, receiver_height_m: f64, pattern: &AntennaPattern) -> Self {
        let unscaled = Transmitter { frequency_mhz: LAW_FREQUENCY_MHZ, ..*transmitter };
        let budget =
            LinkBudget::new(path_gain, &unscaled, receiver_height_m, pattern, |_| None).expect("the law's own frequency is in range");
        Self::of(&budget, path_gain, transmitter)
    }

    /// As [`Self::new`], of several maps that one transmitter may have: what they share is computed once.
    ///
    /// # Errors
    /// Those of [`Self::new`].
    ///
    /// # Panics
    /// When a map is not one of path gain, or lies on another grid than the first.
    pub fn all(
        path_gains: &[RadioMap],
        transmitter: &Transmitter,
        receiver_height_m: f64,
        pattern: &AntennaPattern,
    ) -> Result<Vec<Self>, FrequencyError> {
        let Some(first) = path_gains.first() else { return Ok(Vec::new()) };
        let budget = LinkBudget::new(first, transmitter, receiver_height_m, pattern, |_| None)?;
        Ok(path_gains.iter().map(|path_gain| Self::of(&budget, path_gain, transmitter)).collect())
    }

    fn of(budget: &LinkBudget, path_gain: &RadioMap, transmitter: &Transmitter) -> Self {
        let LinkMaps { received, path_loss_db } = budget.of(path_gain);
        Self { position: transmitter.position, frequency_mhz: transmitter.frequency_mhz, received, path_loss_db }
    }

    /// Where the transmitter stands, metres in the grid's frame.
    pub fn position(&self) -> Coord<f64> {
        self.position
    }

    pub fn frequency_mhz(&self) -> f64 {
        self.frequency_mhz
    }

    /// Power in dBm at an isotropic receiver.
    pub fn received(&self) -> &RadioMap {
        &self.received
    }

    /// Loss between isotropic antennas in dB, positive, NaN inside buildings.
    pub fn path_loss_db(&self) -> &[f32] {
        &self.path_loss_db
    }
}

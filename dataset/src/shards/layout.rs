//! What every record of a packing holds, and where.

use anyhow::{Result, ensure};
use radiodiff_radio::features::ConditionChannel;
use radiodiff_radio::map::GrayCodec;
use radiodiff_radio::scene::Grid;
use serde::de::IntoDeserializer;
use serde::de::value::{Error as ValueError, StrDeserializer};
use serde::{Deserialize, Serialize};

/// Bytes of a CRC-32.
pub const CRC: usize = 4;
/// Bytes of a record's numbers and position.
pub const PLACE: usize = 24;
/// What to do about a damaged folder, or one that lacks something.
pub const AGAIN: &str = "remove the folder and pack the dataset again with `radiodiff dataset pack`";

/// The parts of a record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RecordLayout {
    /// Side length in pixels.
    pub size: usize,
    /// Side of a pixel in metres. Packings of before 2026-11-28 do not say it: their pixels are one metre.
    #[serde(default = "one_meter")]
    pub meters_per_pixel: f64,
    pub cars: bool,
    /// Channels that were computed when the dataset was packed, in the order of their planes. Buildings, transmitter and cars need no
    /// plane: they are read off the record's other parts.
    pub channels: Vec<ConditionChannel>,
    /// The scale of channels that are gray levels of a gain.
    pub gray: GrayCodec,
}

fn one_meter() -> f64 {
    1.0
}

/// How a stored channel's plane is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlaneEncoding {
    /// A bit a pixel, 1 for 1 and 0 for -1.
    Bits,
    /// Half precision, two bytes a pixel.
    Half,
}

impl PlaneEncoding {
    pub fn of(channel: ConditionChannel) -> Self {
        if channel == ConditionChannel::LineOfSight { Self::Bits } else { Self::Half }
    }
}

/// The channels that are read off a record without a plane of their own.
fn is_implied(channel: ConditionChannel) -> bool {
    matches!(channel, ConditionChannel::Buildings | ConditionChannel::Transmitter | ConditionChannel::Cars)
}

/// A channel's name, as in a preset.
///
/// # Errors
/// Another name; the message lists all.
pub fn channel(name: &str) -> Result<ConditionChannel, ValueError> {
    let name: StrDeserializer<ValueError> = name.trim().into_deserializer();
    ConditionChannel::deserialize(name)
}

/// Channels as `--channels` takes them.
fn names(channels: &[ConditionChannel]) -> String {
    let name = |channel: &ConditionChannel| serde_json::to_string(channel).unwrap_or_default().trim_matches('"').to_owned();
    channels.iter().map(name).collect::<Vec<_>>().join(",")
}

impl RecordLayout {
    /// The layout that holds these channels for maps on one grid.
    pub fn new(grid: Grid, cars: bool, channels: &[ConditionChannel], gray: GrayCodec) -> Self {
        let mut stored: Vec<ConditionChannel> = Vec::new();
        for &channel in channels {
            if !is_implied(channel) && !stored.contains(&channel) {
                stored.push(channel);
            }
        }
        Self { size: grid.size, meters_per_pixel: grid.meters_per_pixel, cars, channels: stored, gray }
    }

    pub fn grid(&self) -> Grid {
        Grid { size: self.size, meters_per_pixel: self.meters_per_pixel }
    }

    pub fn pixels(&self) -> usize {
        self.size * self.size
    }

    pub fn mask_bytes(&self) -> usize {
        self.pixels().div_ceil(8)
    }

    /// Bytes of a stored channel's plane.
    pub fn plane_bytes(&self, channel: ConditionChannel) -> usize {
        match PlaneEncoding::of(channel) {
            PlaneEncoding::Bits => self.mask_bytes(),
            PlaneEncoding::Half => 2 * self.pixels(),
        }
    }

    pub fn record_bytes(&self) -> usize {
        let planes: usize = self.channels.iter().map(|&channel| self.plane_bytes(channel)).sum();
        self.pixels() + self.mask_bytes() * (1 + usize::from(self.cars)) + planes + PLACE + CRC
    }

    /// The channels that records give: those with a plane and those without.
    pub fn all_channels(&self) -> Vec<ConditionChannel> {
        let cars = self.cars.then_some(ConditionChannel::Cars);
        [ConditionChannel::Buildings, ConditionChannel::Transmitter].into_iter().chain(self.channels.iter().copied()).chain(cars).collect()
    }

    /// # Errors
    /// A channel that the records do not give, or gains on another scale than `gray`; the message says how to pack them.
    pub fn check_channels(&self, channels: &[ConditionChannel], gray: &GrayCodec) -> Result<()> {
        let given = self.all_channels();
        let missing: Vec<ConditionChannel> = channels.iter().copied().filter(|channel| !given.contains(channel)).collect();
        let wanted = Self::new(self.grid(), self.cars, channels, *gray);
        ensure!(
            !missing.contains(&ConditionChannel::Cars),
            "its records hold no cars, which the network is given: pack a simulation with cars (carsDPM, carsIRT2, carsIRT4)"
        );
        ensure!(missing.is_empty(), "its records lack the channels {}: {AGAIN} --channels {}", names(&missing), names(&wanted.channels));
        ensure!(
            wanted.channels.is_empty() || self.gray == *gray,
            "its channels are gray levels from {} to {} dB, expected {} to {} dB: {AGAIN} --channels {} --floor-db={} --ceiling-db={}",
            self.gray.floor_db,
            self.gray.ceiling_db,
            gray.floor_db,
            gray.ceiling_db,
            names(&wanted.channels),
            gray.floor_db,
            gray.ceiling_db
        );
        Ok(())
    }
}

//! The channels a network is given of a scene, each (N, N) in [-1, 1].

use super::detour;
use super::law::LineOfSightLaw;
use super::{PreparedScene, PropagationError};
use crate::map::GrayCodec;
use geo::Coord;
use serde::{Deserialize, Serialize};

/// One channel of the condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ConditionChannel {
    /// 1 inside buildings, -1 outside.
    Buildings,
    /// 1 at the transmitter's pixel, -1 elsewhere.
    Transmitter,
    /// 1 where the transmitter is in sight, -1 elsewhere and inside buildings.
    LineOfSight,
    /// The gray level the line-of-sight law would give everywhere, moved to [-1, 1].
    LogDistanceGain,
    /// The gray level the line-of-sight law would give at the length of the shortest way round the buildings, moved to [-1, 1];
    /// -1 inside buildings and where no way leads.
    DetourGain,
}

impl PreparedScene {
    /// The channels of a transmitter, (C, N, N) row-major.
    pub fn condition(&self, position: Coord<f64>, channels: &[ConditionChannel]) -> Result<Vec<f32>, PropagationError> {
        let (row, column) = self.outdoor_pixel(position)?;
        let (size, pixels) = (self.scene.grid.size, self.scene.grid.pixels());
        let sign = |v: u8| if v != 0 { 1.0 } else { -1.0 };
        let (law, codec) = (LineOfSightLaw::default(), GrayCodec::default());
        let scaled_gain = |distance_m: f64| 2.0 * codec.encode(law.gain_db(distance_m) as f32) - 1.0;
        let mut values = Vec::with_capacity(channels.len() * pixels);
        for channel in channels {
            match channel {
                ConditionChannel::Buildings => values.extend(self.scene.mask.pixels.iter().map(|&v| sign(v))),
                ConditionChannel::Transmitter => values.extend((0..pixels).map(|i| sign(u8::from(i == row * size + column)))),
                ConditionChannel::LineOfSight => values.extend(self.line_of_sight(position)?.into_iter().map(sign)),
                ConditionChannel::LogDistanceGain => values.extend((0..pixels).map(|i| {
                    let center = self.scene.grid.pixel_center(i / size, i % size);
                    scaled_gain(libm::hypot(center.x - position.x, center.y - position.y))
                })),
                ConditionChannel::DetourGain => {
                    let lengths = detour::lengths(&self.scene.mask, (row, column));
                    values.extend(lengths.into_iter().map(|pixels| scaled_gain(pixels * self.scene.grid.meters_per_pixel)));
                }
            }
        }
        Ok(values)
    }
}

//! The channels a network is given of a scene, each (N, N) in [-1, 1].

use crate::geometry::{geodesic_distance, wall_distance};
use crate::map::GrayCodec;
use crate::propagation::{DominantPathLaw, LineOfSightLaw, PreparedScene, PropagationError};
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
    /// The gray level of the dominant path's gain with the default law, moved to [-1, 1]; -1 inside buildings.
    DominantPathGain,
    /// Sine of the bearing under which a pixel sees the transmitter, clockwise from north: the eastern part of the unit vector
    /// there, walls or not. 0 at the transmitter.
    AngleToTransmitterSin,
    /// Its cosine, the northern part.
    AngleToTransmitterCos,
    /// Distance from the pixel's centre to the nearest building pixel's, from -1 inside buildings to 1 at 32 m and beyond.
    WallDistance,
    /// 1 inside cars, -1 outside.
    Cars,
}

/// Beyond this a wall is as good as none: wider than most streets.
const FARTHEST_WALL_M: f64 = 32.0;

impl PreparedScene {
    /// The channels of a transmitter, (C, N, N) row-major.
    pub fn condition(&self, position: Coord<f64>, channels: &[ConditionChannel]) -> Result<Vec<f32>, PropagationError> {
        let (row, column) = self.outdoor_pixel(position)?;
        let (size, pixels) = (self.scene.grid.size, self.scene.grid.pixels());
        let sign = |v: u8| if v != 0 { 1.0 } else { -1.0 };
        let (law, codec) = (LineOfSightLaw::default(), GrayCodec::default());
        let scaled_gain = |distance_m: f64| 2.0 * codec.encode(law.gain_db(distance_m) as f32) - 1.0;
        // The unit vector to the transmitter.
        let heading = |i: usize| {
            let leg = position - self.scene.grid.pixel_center(i / size, i % size);
            let length = libm::hypot(leg.x, leg.y);
            if length == 0.0 { leg } else { leg / length }
        };
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
                    let lengths = geodesic_distance::lengths(&self.scene.mask, (row, column));
                    values.extend(lengths.into_iter().map(|pixels| scaled_gain(pixels * self.scene.grid.meters_per_pixel)));
                }
                ConditionChannel::DominantPathGain => {
                    let gain = self.dominant_path(position, &DominantPathLaw::default())?;
                    values.extend(gain.values.into_iter().map(|gain_db| 2.0 * codec.encode(gain_db) - 1.0));
                }
                ConditionChannel::AngleToTransmitterSin => values.extend((0..pixels).map(|i| heading(i).x as f32)),
                ConditionChannel::AngleToTransmitterCos => values.extend((0..pixels).map(|i| heading(i).y as f32)),
                ConditionChannel::WallDistance => values.extend(wall_distance::squared(&self.scene.mask).into_iter().map(|squared| {
                    let distance_m = libm::sqrt(squared) * self.scene.grid.meters_per_pixel;
                    (2.0 * (distance_m / FARTHEST_WALL_M).min(1.0) - 1.0) as f32
                })),
                ConditionChannel::Cars => values.extend(self.cars.pixels(self.scene.grid).into_iter().map(sign)),
            }
        }
        Ok(values)
    }
}

//! The channels' values.

use super::channel::ConditionChannel;
use crate::arithmetic;
use crate::geometry::{PreparedScene, geodesic_distance};
use crate::map::GrayCodec;
use crate::propagation::{DominantPath, IntelligentRayTracing, LogDistanceLaw, PropagationError, PropagationModel};
use crate::scene::{ANTENNA_HEIGHT_M, LinkEnds};

/// Walls beyond this distance do not matter: it is wider than most streets.
const FARTHEST_WALL_M: f64 = 32.0;
/// The ends of the scale of antennas' heights, which networks learn: small cells hang at 3 to 40 m.
pub const ANTENNA_HEIGHTS_M: [f64; 2] = [ANTENNA_HEIGHT_M, 40.0];
/// The height of a roof at the end of the scale.
const HIGH_ROOF_M: f32 = 40.0;

/// The channels of a transmitter, (C, N, N) row-major. `ends` says where it stands and how high; receivers are taken at 1.5 m. `codec` is
/// the preset's: channels of gain are gray levels on its scale.
///
/// # Errors
/// A position off the map or inside a building, a height that no antenna has.
pub fn condition(
    prepared: &PreparedScene,
    ends: &LinkEnds,
    channels: &[ConditionChannel],
    codec: &GrayCodec,
) -> Result<Vec<f32>, PropagationError> {
    ends.check()?;
    let position = ends.position;
    let (row, column) = prepared.outdoor_pixel(position)?;
    let (grid, mask) = (prepared.grid(), prepared.mask());
    let (size, pixels) = (grid.size, grid.pixels());
    let sign = |v: u8| if v != 0 { 1.0 } else { -1.0 };
    let scaled = |gain_db: f32| 2.0 * codec.encode(gain_db) - 1.0;
    let gain_at = |distance_m: f64| scaled(LogDistanceLaw::LINE_OF_SIGHT.gain_db(distance_m) as f32);
    let to_transmitter = |i: usize| position - grid.pixel_center(i / size, i % size);
    let bearing = |i: usize| {
        let leg = to_transmitter(i);
        let length = arithmetic::length(leg.x, leg.y);
        if length == 0.0 { leg } else { leg / length }
    };
    let low = LinkEnds::at(position);
    let at_height = LinkEnds { height_m: ends.height_m, ..low };
    let gain = |model: &dyn PropagationModel| -> Result<Vec<f32>, PropagationError> {
        Ok(model.path_gain(prepared, &low)?.values.into_iter().map(scaled).collect())
    };
    let mut values = Vec::with_capacity(channels.len() * pixels);
    for channel in channels {
        match channel {
            ConditionChannel::Buildings => values.extend(mask.pixels.iter().map(|&v| sign(v))),
            ConditionChannel::Transmitter => values.extend((0..pixels).map(|i| sign(u8::from(i == row * size + column)))),
            ConditionChannel::LineOfSight => values.extend(prepared.line_of_sight(position)?.into_iter().map(sign)),
            ConditionChannel::LogDistanceGain => values.extend((0..pixels).map(|i| {
                let leg = to_transmitter(i);
                gain_at(arithmetic::length(leg.x, leg.y))
            })),
            ConditionChannel::DetourGain => {
                let lengths = geodesic_distance(mask, (row, column));
                values.extend(lengths.into_iter().map(|pixels| gain_at(pixels * grid.meters_per_pixel)));
            }
            ConditionChannel::DominantPathGain => values.extend(gain(&DominantPath::level())?),
            ConditionChannel::DominantPathGainAtHeight => {
                let map = DominantPath::default().path_gain(prepared.with_level_roofs(), &at_height)?;
                values.extend(map.values.into_iter().map(scaled));
            }
            ConditionChannel::DominantPathGainOfStatedRoofs => {
                let map = DominantPath::of_maps().path_gain(prepared.with_stated_roofs(), &at_height)?;
                values.extend(map.values.into_iter().map(scaled));
            }
            ConditionChannel::StatedRoofs => {
                let roofs = prepared.roofs();
                let level = |(pixel, &roof_m): (usize, &f32)| if roofs.is_unstated(pixel) { -1.0 } else { (roof_m / HIGH_ROOF_M).min(1.0) };
                values.extend(roofs.meters().iter().enumerate().map(level));
            }
            ConditionChannel::AntennaHeight => values.extend(std::iter::repeat_n(height_level(ends.height_m), pixels)),
            ConditionChannel::Irt2Gain => values.extend(gain(&IntelligentRayTracing::irt2())?),
            ConditionChannel::Irt3Gain => values.extend(gain(&IntelligentRayTracing { interactions: 2, ..IntelligentRayTracing::irt4() })?),
            ConditionChannel::Irt4Gain => values.extend(gain(&IntelligentRayTracing::irt4())?),
            ConditionChannel::AngleToTransmitterSin => values.extend((0..pixels).map(|i| bearing(i).x as f32)),
            ConditionChannel::AngleToTransmitterCos => values.extend((0..pixels).map(|i| bearing(i).y as f32)),
            ConditionChannel::WallDistance => values.extend(prepared.wall_distance().iter().map(|pixels| {
                let distance_m = pixels * grid.meters_per_pixel;
                (2.0 * (distance_m / FARTHEST_WALL_M).min(1.0) - 1.0) as f32
            })),
            ConditionChannel::Cars => values.extend(prepared.cars().pixels(grid).into_iter().map(sign)),
        }
    }
    Ok(values)
}

/// An antenna's height from -1 to 1 over [`ANTENNA_HEIGHTS_M`], by its logarithm: the first metres matter most.
fn height_level(height_m: f64) -> f32 {
    let [lowest_m, highest_m] = ANTENNA_HEIGHTS_M;
    let share = libm::log(height_m / lowest_m) / libm::log(highest_m / lowest_m);
    (2.0 * share - 1.0).clamp(-1.0, 1.0) as f32
}

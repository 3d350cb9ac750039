//! The channels by name, and how each transforms when the map is turned.

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
    /// Gray level of the line-of-sight law at the distance to the transmitter, everywhere, moved to [-1, 1].
    LogDistanceGain,
    /// Gray level of the line-of-sight law at the length of the shortest way round the buildings, moved to [-1, 1]; -1 inside
    /// buildings and where no way leads.
    DetourGain,
    /// Gray level of the dominant path's gain with the default law, moved to [-1, 1]; -1 inside buildings. Antennas are at 1.5 m and
    /// every roof is out of reach, whatever the scene says.
    DominantPathGain,
    /// The same with the transmitter at its height, and every roof at 25 m, whatever the scene says.
    DominantPathGainAtHeight,
    /// Gray level of the dominant path's gain with the transmitter at its height, moved to [-1, 1]; -1 inside buildings. Buildings have
    /// the heights that the scene's source states, the others 25 m. It has medians out of sight, as maps that people look at do.
    DominantPathGainOfStatedRoofs,
    /// Height of the roof, evenly from 0 at the ground to 1 at 40 m and above; 0 outdoors, -1 where a building stands whose height the
    /// scene's source does not state.
    StatedRoofs,
    /// The transmitter's height above the ground, the same everywhere: from -1 at 1.5 m, evenly by its logarithm, to 1 at 40 m.
    AntennaHeight,
    /// Gray level of the gain of intelligent ray tracing with one interaction, RadioMapSeer's IRT2, moved to [-1, 1]; -1 inside
    /// buildings and where no path leads. It is much cheaper than more interactions and says where reflections arrive.
    Irt2Gain,
    /// The same with two interactions, a way over the roofs among them: between IRT2 and IRT4 in cost and in what it knows.
    Irt3Gain,
    /// The same with three interactions, RadioMapSeer's IRT4.
    Irt4Gain,
    /// Sine of the bearing from the pixel to the transmitter, clockwise from north: the eastern component of the unit vector to the
    /// transmitter, regardless of walls. 0 at the transmitter.
    AngleToTransmitterSin,
    /// Cosine of the same bearing: the northern component.
    AngleToTransmitterCos,
    /// Distance from the pixel's centre to the nearest building pixel's centre, from -1 inside buildings to 1 at 32 m and beyond.
    WallDistance,
    /// 1 where RadioMapSeer's image of the cars would be lit, -1 elsewhere.
    Cars,
}

/// How a channel's values change when the map is turned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transformation {
    /// Values move with their pixels.
    Scalar,
    /// Eastern component of a vector whose northern component is another channel.
    East { north: ConditionChannel },
    /// Northern component of a vector whose eastern component is another channel.
    North { east: ConditionChannel },
}

impl ConditionChannel {
    /// All channels.
    pub const ALL: [Self; 17] = [
        Self::Buildings,
        Self::Transmitter,
        Self::LineOfSight,
        Self::LogDistanceGain,
        Self::DetourGain,
        Self::DominantPathGain,
        Self::DominantPathGainAtHeight,
        Self::DominantPathGainOfStatedRoofs,
        Self::StatedRoofs,
        Self::AntennaHeight,
        Self::Irt2Gain,
        Self::Irt3Gain,
        Self::Irt4Gain,
        Self::AngleToTransmitterSin,
        Self::AngleToTransmitterCos,
        Self::WallDistance,
        Self::Cars,
    ];

    /// Whether the channel is a map of path gain: a gray level moved to [-1, 1].
    pub fn is_gain(self) -> bool {
        match self {
            Self::LogDistanceGain
            | Self::DetourGain
            | Self::DominantPathGain
            | Self::DominantPathGainAtHeight
            | Self::DominantPathGainOfStatedRoofs
            | Self::Irt2Gain
            | Self::Irt3Gain
            | Self::Irt4Gain => true,
            Self::Buildings
            | Self::Transmitter
            | Self::LineOfSight
            | Self::StatedRoofs
            | Self::AntennaHeight
            | Self::AngleToTransmitterSin
            | Self::AngleToTransmitterCos
            | Self::WallDistance
            | Self::Cars => false,
        }
    }

    /// How the channel transforms under a symmetry of the square.
    pub fn transformation(self) -> Transformation {
        match self {
            Self::Buildings
            | Self::Transmitter
            | Self::LineOfSight
            | Self::LogDistanceGain
            | Self::DetourGain
            | Self::DominantPathGain
            | Self::DominantPathGainAtHeight
            | Self::DominantPathGainOfStatedRoofs
            | Self::StatedRoofs
            | Self::AntennaHeight
            | Self::Irt2Gain
            | Self::Irt3Gain
            | Self::Irt4Gain
            | Self::WallDistance
            | Self::Cars => Transformation::Scalar,
            Self::AngleToTransmitterSin => Transformation::East { north: Self::AngleToTransmitterCos },
            Self::AngleToTransmitterCos => Transformation::North { east: Self::AngleToTransmitterSin },
        }
    }
}

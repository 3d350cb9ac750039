//! Maps as differences to a physical map.
//!
//! A propagation model is right in most places before any network has learnt anything. With [`super::preset::ResidualPreset`] the first
//! stage codes what a map adds to the physical map, so that the networks' zero is the physical map. In flows the condition, one of
//! whose channels is the physical map; maps become differences on the way to the first stage, and differences become maps on the
//! way back. Without that entry maps are coded as they are, and both functions are the identity.

use super::preset::Preset;
use crate::engine::Engine;

/// What a preset's first stage codes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MapCoding(Option<Difference>);

#[derive(Clone, Copy, Debug, PartialEq)]
struct Difference {
    /// Index of the physical map among the condition's channels.
    channel: usize,
    /// The range of a difference, on the scale where a preset's gray levels are -1 to 1.
    range: f32,
}

impl MapCoding {
    /// That of a preset that has been validated.
    pub fn of(preset: &Preset) -> Self {
        Self(preset.residual.and_then(|residual| {
            let channel = preset.condition.channels.iter().position(|&channel| channel == residual.physical)?;
            Some(Difference { channel, range: 2.0 * residual.range_db / preset.gray.range_db() })
        }))
    }

    /// Maps (N, 1, H, W) in [-1, 1] -> what the first stage is given, (N, 1, H, W) in [-1, 1]. `condition` is (N, C, H, W). Differences
    /// beyond the range are clipped to it.
    pub fn code<E: Engine>(&self, e: &E, map: &E::Tensor, condition: &E::Tensor) -> E::Tensor {
        match self.0 {
            None => map.clone(),
            Some(Difference { channel, range }) => {
                let difference = e.sub(map, &e.narrow(condition, 1, channel, 1));
                e.clamp(&e.affine(&difference, range.recip(), 0.0), -1.0, 1.0)
            }
        }
    }

    /// What the first stage gives, (N, 1, H, W) -> maps (N, 1, H, W), where [-1, 1] are the gray levels 0 to 1; not clamped, so that
    /// gradients flow everywhere.
    pub fn map<E: Engine>(&self, e: &E, coded: &E::Tensor, condition: &E::Tensor) -> E::Tensor {
        match self.0 {
            None => coded.clone(),
            Some(Difference { channel, range }) => e.add(&e.affine(coded, range, 0.0), &e.narrow(condition, 1, channel, 1)),
        }
    }

    /// As [`Self::map`], but a map is at most the range away from the physical map.
    pub fn map_within_range<E: Engine>(&self, e: &E, coded: &E::Tensor, condition: &E::Tensor) -> E::Tensor {
        match self.0 {
            None => coded.clone(),
            Some(_) => self.map(e, &e.clamp(coded, -1.0, 1.0), condition),
        }
    }
}

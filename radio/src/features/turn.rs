//! Turning a condition under a symmetry of the square.
//!
//! Pixels move, and so do directions: a channel that is a component of a vector may change its sign or change places with the other
//! component. A turn that exchanges the components needs both of them among the channels. A list with one of a pair can still be
//! reversed along rows and columns; transposing it is an error, never a wrong channel.

use super::channel::{ConditionChannel, Transformation};
use crate::geometry::Symmetry;
use geo::Coord;
use thiserror::Error;

/// Why a condition cannot be turned.
#[derive(Debug, Error, Clone, Copy, PartialEq, Eq)]
pub enum TurnError {
    #[error(
        "the channel {channel:?} turns into {needed:?} under {symmetry:?}, and the channels lack {needed:?}: give the network both \
         components of the vector, or train without transposed maps"
    )]
    MissingComponent { channel: ConditionChannel, needed: ConditionChannel, symmetry: Symmetry },
    #[error("the condition has {found} values, expected {expected}: {channels} channels of {size} x {size}")]
    Length { found: usize, expected: usize, channels: usize, size: usize },
}

/// A channel of the turned condition: `sign` times the turned image of the channel at index `source`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TurnedPlane {
    pub source: usize,
    /// 1 or -1.
    pub sign: f32,
}

/// For each channel of a turned condition, the plane it is made of. Tensor code gathers these planes and turns them with
/// [`Symmetry`]'s fields; [`turn_condition`] does both on slices.
///
/// # Errors
/// [`TurnError::MissingComponent`].
pub fn turned_planes(symmetry: Symmetry, channels: &[ConditionChannel]) -> Result<Vec<TurnedPlane>, TurnError> {
    // A unit vector along the old axis tells where the symmetry sends that component, and with which sign.
    let (from_east, from_north) = (symmetry.vector(Coord { x: 1.0, y: 0.0 }), symmetry.vector(Coord { x: 0.0, y: 1.0 }));
    let plane = |(index, &channel): (usize, &ConditionChannel)| {
        let (own, other, needed) = match channel.transformation() {
            Transformation::Scalar => return Ok(TurnedPlane { source: index, sign: 1.0 }),
            Transformation::East { north } => (from_east.x, from_north.x, north),
            Transformation::North { east } => (from_north.y, from_east.y, east),
        };
        if own != 0.0 {
            return Ok(TurnedPlane { source: index, sign: own as f32 });
        }
        let source = channels.iter().position(|&c| c == needed);
        let source = source.ok_or(TurnError::MissingComponent { channel, needed, symmetry })?;
        Ok(TurnedPlane { source, sign: other as f32 })
    };
    channels.iter().enumerate().map(plane).collect()
}

/// Turns a condition, (C, N, N) row-major with N = `size`. The result is the condition of the turned scene.
///
/// # Errors
/// A condition of another length; [`TurnError::MissingComponent`].
pub fn turn_condition(symmetry: Symmetry, size: usize, channels: &[ConditionChannel], condition: &[f32]) -> Result<Vec<f32>, TurnError> {
    let (pixels, expected) = (size * size, channels.len() * size * size);
    if condition.len() != expected {
        return Err(TurnError::Length { found: condition.len(), expected, channels: channels.len(), size });
    }
    let mut turned = vec![0.0; expected];
    for (TurnedPlane { source, sign }, out) in turned_planes(symmetry, channels)?.into_iter().zip(turned.chunks_mut(pixels)) {
        symmetry.turn(size, &condition[source * pixels..(source + 1) * pixels], out);
        if sign < 0.0 {
            out.iter_mut().for_each(|value| *value = -*value);
        }
    }
    Ok(turned)
}

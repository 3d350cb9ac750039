//! The condition: the channels of a scene and a transmitter that a network is given, each (N, N) in [-1, 1].
//!
//! [`ConditionChannel`] names a channel, [`condition`] computes channels from a prepared scene, and [`turn_condition`] turns them under
//! a symmetry of the square, for augmentation.

mod channel;
mod compute;
mod turn;

pub use channel::{ConditionChannel, Transformation};
pub use compute::{ANTENNA_HEIGHTS_M, condition};
pub use turn::{TurnError, TurnedPlane, turn_condition, turned_planes};

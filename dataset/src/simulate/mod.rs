//! Computing the radio maps of a folder's scenes and transmitters.
//!
//! [`Simulator`] computes the maps of a [`Variant`](crate::Variant) with the models of `radiodiff-radio`, and is what
//! [`synth`](crate::synth) uses as well; [`run`] is the command.

mod command;
mod simulator;

pub use command::{Args, run};
pub use simulator::{Simulator, gray_levels};

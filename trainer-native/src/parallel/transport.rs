//! What a library of collective communication does for a [`ProcessGroup`](super::ProcessGroup).

use anyhow::{Error, Result};
use tch::{Device, Tensor};

/// Operations that all processes call in the same order, each with a contiguous tensor of the same shape and kind on
/// [`Transport::device`].
///
/// # Errors
/// A process that has ended or does not answer for half an hour.
pub trait Transport {
    /// Where tensors have to be.
    fn device(&self) -> Device;

    /// Adds the tensors of all processes, in place; float32.
    fn sum(&self, tensor: &Tensor) -> Result<()>;

    /// Overwrites the tensor by that of process 0; float32, int64 or uint8.
    fn broadcast(&self, tensor: &Tensor) -> Result<()>;

    /// Called before this process ends by an error that the others may not have: they would go on waiting for this one, so the library
    /// tells them the reason or ends them.
    fn abandon(&self, reason: &Error);
}

//! A part of a checkpoint: named tensors of any element type in a safetensors file, written from a device and restored in place.

use super::error::CheckpointError;
use std::collections::HashMap;
use std::io;
use std::path::Path;
use tch::{TchError, Tensor};

/// Writes the tensors as a new file.
pub fn write(path: &Path, tensors: &[(String, Tensor)]) -> Result<(), CheckpointError> {
    // A part without tensors has no file.
    if tensors.is_empty() {
        return Ok(());
    }
    let contiguous: Vec<(&str, Tensor)> = tensors.iter().map(|(name, tensor)| (name.as_str(), tensor.detach().contiguous())).collect();
    Tensor::write_safetensors(&contiguous, path).map_err(|error| CheckpointError::write(path)(io_error(error)))
}

/// The tensors of a file, on the host.
pub fn read(path: &Path) -> Result<Vec<(String, Tensor)>, CheckpointError> {
    Tensor::read_safetensors(path).map_err(|error| CheckpointError::read(path)(io_error(error)))
}

/// Without the path, which the checkpoint's error has.
fn io_error(error: TchError) -> io::Error {
    match error {
        TchError::SafeTensorError { err, .. } => io::Error::other(err.to_string()),
        TchError::Io(error) => error,
        error => io::Error::other(error),
    }
}

/// Copies the tensors `from` a file `path` into those of a run, each by its name.
///
/// # Errors
/// A tensor that only one side has, or has in another shape. Nothing was copied then.
pub fn restore_in_place(path: &Path, from: Vec<(String, Tensor)>, into: &[(String, Tensor)]) -> Result<(), CheckpointError> {
    let mut from: HashMap<String, Tensor> = from.into_iter().collect();
    let path = || path.to_owned();
    let mut pairs = Vec::new();
    for (name, place) in into {
        let Some(stored) = from.remove(name) else { return Err(CheckpointError::MissingTensor { path: path(), name: name.clone() }) };
        let (expected, found) = (place.size(), stored.size());
        if expected != found {
            return Err(CheckpointError::Shape { path: path(), name: name.clone(), expected, found });
        }
        pairs.push((place.shallow_clone(), stored));
    }
    if let Some(name) = from.into_keys().min() {
        return Err(CheckpointError::UnusedTensor { path: path(), name });
    }
    tch::no_grad(|| pairs.into_iter().for_each(|(mut place, stored)| place.copy_(&stored)));
    Ok(())
}

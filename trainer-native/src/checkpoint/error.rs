//! Why a checkpoint cannot be written or taken.

use std::io;
use std::path::PathBuf;
use thiserror::Error;

/// See the module.
#[derive(Debug, Error)]
pub enum CheckpointError {
    #[error("writing the checkpoint {}", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("reading the checkpoint {}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("{} is missing", path.display())]
    Missing { path: PathBuf },
    #[error("{} is damaged: {reason}", path.display())]
    Damaged { path: PathBuf, reason: String },
    #[error("{} is of format {found}, expected {expected}: another version of the trainer wrote it", path.display())]
    Format { path: PathBuf, expected: u32, found: u32 },
    #[error("{}: {name} is missing", path.display())]
    MissingTensor { path: PathBuf, name: String },
    #[error("{}: {name} has no place in this run", path.display())]
    UnusedTensor { path: PathBuf, name: String },
    #[error("{}: {name} has shape {found:?}, this run's has {expected:?}", path.display())]
    Shape { path: PathBuf, name: String, expected: Vec<i64>, found: Vec<i64> },
    #[error("none of the {count} checkpoints in {} is whole. {reasons}. Delete that folder to begin anew", folder.display())]
    NoneWhole { folder: PathBuf, count: usize, reasons: String },
}

impl CheckpointError {
    /// Makes an error of writing at `path`.
    pub(super) fn write(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        |source| Self::Write { path, source }
    }

    /// Makes an error of reading at `path`.
    pub(super) fn read(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        |source| Self::Read { path, source }
    }
}

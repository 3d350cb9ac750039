//! The folder of a run's checkpoints: writing the next, finding the newest that is whole, removing those no longer needed.

use super::error::CheckpointError;
use super::seal::{seal, sync_folder, verify};
use super::tensors;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use tch::Tensor;

/// Prefix of the names of checkpoints that are not whole yet.
const TEMPORARY: &str = ".writing-";
/// Prefix of the names of checkpoints that were refused.
const DAMAGED: &str = "damaged-";
const PREFIX: &str = "step-";
const STATE: &str = "state.json";

/// Which checkpoints stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Retention {
    /// Steps between two checkpoints.
    pub every: usize,
    /// The newest ones that are kept.
    pub keep: usize,
    /// Checkpoints at multiples of this step are kept for good; 0 for none.
    pub milestone_every: usize,
}

impl Default for Retention {
    fn default() -> Self {
        Self { every: 500, keep: 3, milestone_every: 0 }
    }
}

/// A folder of checkpoints.
pub struct Store {
    folder: PathBuf,
    retention: Retention,
}

/// A checkpoint that was checked.
pub struct Stored<S> {
    pub folder: PathBuf,
    pub state: S,
}

/// What [`Store::latest`] found.
pub struct Latest<S> {
    /// `None` where the folder has no checkpoint.
    pub stored: Option<Stored<S>>,
    /// Newer ones and why they were refused. They have been renamed to `damaged-step-...`.
    pub refused: Vec<CheckpointError>,
}

impl Store {
    /// Makes the folder where it is missing, and removes the half-written checkpoints that a killed run left in it.
    pub fn open(folder: &Path, retention: Retention) -> Result<Self, CheckpointError> {
        let attempt = || -> io::Result<()> {
            fs::create_dir_all(folder)?;
            for entry in fs::read_dir(folder)? {
                let entry = entry?;
                if entry.file_name().to_string_lossy().starts_with(TEMPORARY) {
                    fs::remove_dir_all(entry.path())?;
                }
            }
            Ok(())
        };
        attempt().map_err(CheckpointError::write(folder))?;
        Ok(Self { folder: folder.to_owned(), retention })
    }

    /// Where the checkpoint of `step` lies or would lie.
    fn place(&self, step: u64) -> PathBuf {
        self.folder.join(format!("{PREFIX}{step:08}"))
    }

    /// The steps of the checkpoints, whole or not, in ascending order.
    pub fn steps(&self) -> Result<Vec<u64>, CheckpointError> {
        let attempt = || -> io::Result<Vec<u64>> {
            let mut steps = Vec::new();
            for entry in fs::read_dir(&self.folder)? {
                steps.extend(entry?.file_name().to_string_lossy().strip_prefix(PREFIX).and_then(|step| step.parse::<u64>().ok()));
            }
            steps.sort_unstable();
            Ok(steps)
        };
        attempt().map_err(CheckpointError::read(&self.folder))
    }

    /// Writes the checkpoint of `step`, then removes those no longer needed. On an error the checkpoints that were there are as
    /// they were, and nothing half-written stays.
    pub fn write<S: Serialize>(&self, step: u64, state: &S, parts: &[(&str, Vec<(String, Tensor)>)]) -> Result<PathBuf, CheckpointError> {
        let place = self.place(step);
        let mut builder = tempfile::Builder::new();
        builder.prefix(TEMPORARY);
        // Readable as any other folder the user makes: temporary folders are private by default.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o777));
        let temporary = builder.tempdir_in(&self.folder).map_err(CheckpointError::write(&place))?;
        for (part, tensors) in parts {
            tensors::write(&temporary.path().join(part_name(part)), tensors)?;
        }
        let path = temporary.path().join(STATE);
        let write_state = || -> io::Result<()> { File::create(&path)?.write_all(&serde_json::to_vec_pretty(state)?) };
        write_state().map_err(CheckpointError::write(&path))?;
        seal(temporary.path())?;
        let name = || -> io::Result<()> {
            if place.exists() {
                fs::remove_dir_all(&place)?;
            }
            fs::rename(temporary.path(), &place)
        };
        name().map_err(CheckpointError::write(&place))?;
        // It has another name now, under which nothing may remove it.
        drop(temporary.keep());
        sync_folder(&self.folder)?;
        self.remove_old()?;
        Ok(place)
    }

    fn remove_old(&self) -> Result<(), CheckpointError> {
        let steps = self.steps()?;
        let old = &steps[..steps.len().saturating_sub(self.retention.keep)];
        let milestone = |step: u64| self.retention.milestone_every > 0 && step.is_multiple_of(self.retention.milestone_every as u64);
        for place in old.iter().filter(|&&step| !milestone(step)).map(|&step| self.place(step)) {
            // First out of sight: a removal that is cut short must not leave half a checkpoint under its name.
            let removed = self.folder.join(format!("{TEMPORARY}removed"));
            fs::rename(&place, &removed).and_then(|()| fs::remove_dir_all(&removed)).map_err(CheckpointError::write(&place))?;
        }
        Ok(())
    }

    /// The newest checkpoint that is whole.
    ///
    /// # Errors
    /// There are checkpoints and none is whole.
    pub fn latest<S: DeserializeOwned>(&self) -> Result<Latest<S>, CheckpointError> {
        let (steps, mut refused) = (self.steps()?, Vec::new());
        for &step in steps.iter().rev() {
            match Stored::open(&self.place(step)) {
                Ok(stored) => {
                    // They would count among the newest and push whole ones out.
                    for &damaged in steps.iter().filter(|&&other| other > step) {
                        let (from, to) = (self.place(damaged), self.folder.join(format!("{DAMAGED}{PREFIX}{damaged:08}")));
                        fs::rename(&from, to).map_err(CheckpointError::write(&from))?;
                    }
                    return Ok(Latest { stored: Some(stored), refused });
                }
                Err(error) => refused.push(error),
            }
        }
        if steps.is_empty() {
            return Ok(Latest { stored: None, refused });
        }
        let reasons = refused.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
        Err(CheckpointError::NoneWhole { folder: self.folder.clone(), count: steps.len(), reasons })
    }
}

fn part_name(part: &str) -> String {
    format!("{part}.safetensors")
}

impl<S: DeserializeOwned> Stored<S> {
    /// Checks the checkpoint in a folder against its list of files and reads its state.
    ///
    /// # Errors
    /// A file that is missing, damaged or of another version.
    pub fn open(folder: &Path) -> Result<Self, CheckpointError> {
        verify(folder)?;
        let path = folder.join(STATE);
        let text = fs::read(&path).map_err(CheckpointError::read(&path))?;
        let state = serde_json::from_slice(&text).map_err(|error| CheckpointError::Damaged { path, reason: error.to_string() })?;
        Ok(Self { folder: folder.to_owned(), state })
    }
}

impl<S> Stored<S> {
    /// The tensors of a part, on the host; none where it has no file.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn tensors(&self, part: &str) -> Result<Vec<(String, Tensor)>, CheckpointError> {
        let path = self.folder.join(part_name(part));
        if path.exists() { tensors::read(&path) } else { Ok(Vec::new()) }
    }

    /// Copies a part into a run's tensors.
    ///
    /// # Errors
    /// A tensor that only one side has, or has in another shape.
    pub fn restore(&self, part: &str, into: &[(String, Tensor)]) -> Result<(), CheckpointError> {
        tensors::restore_in_place(&self.folder.join(part_name(part)), self.tensors(part)?, into)
    }
}

//! `DONE`: the list of a checkpoint's files, written last. A checkpoint is what its list says, or it is refused.

use super::error::CheckpointError;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

/// The list's name in the checkpoint's folder.
pub const DONE: &str = "DONE";
const FORMAT: u32 = 1;

#[derive(Serialize, Deserialize)]
struct FileList {
    format: u32,
    files: BTreeMap<String, FileSeal>,
    /// Of `files` as JSON, so that no damage to the list goes unseen.
    sha256: String,
}

#[derive(Serialize, Deserialize)]
struct FileSeal {
    bytes: u64,
    sha256: String,
}

impl FileList {
    fn hash(files: &BTreeMap<String, FileSeal>) -> String {
        hexadecimal(Sha256::digest(serde_json::to_vec(files).unwrap_or_default()).as_slice())
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn seal_of(path: &Path) -> io::Result<FileSeal> {
    let (mut file, mut hasher) = (File::open(path)?, Sha256::new());
    let bytes = io::copy(&mut file, &mut hasher)?;
    Ok(FileSeal { bytes, sha256: hexadecimal(&hasher.finalize()) })
}

/// Syncs every file of the folder and writes the list of them.
pub fn seal(folder: &Path) -> Result<(), CheckpointError> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder).map_err(CheckpointError::write(folder))? {
        let entry = entry.map_err(CheckpointError::write(folder))?;
        let path = entry.path();
        let sealed = File::open(&path).and_then(|file| file.sync_all()).and_then(|()| seal_of(&path));
        files.insert(entry.file_name().to_string_lossy().into_owned(), sealed.map_err(CheckpointError::write(&path))?);
    }
    let list = FileList { format: FORMAT, sha256: FileList::hash(&files), files };
    let path = folder.join(DONE);
    let attempt = || -> io::Result<()> {
        let mut file = File::create(&path)?;
        file.write_all(&serde_json::to_vec_pretty(&list)?)?;
        file.sync_all()
    };
    attempt().map_err(CheckpointError::write(&path))?;
    sync_folder(folder)
}

/// Brings a folder's names to the disk.
pub fn sync_folder(folder: &Path) -> Result<(), CheckpointError> {
    // Other systems cannot open a folder, and their renames need no sync.
    if cfg!(unix) {
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(CheckpointError::write(folder))?;
    }
    Ok(())
}

/// Refuses a folder whose list is missing or damaged, or whose files are not those of the list.
pub fn verify(folder: &Path) -> Result<(), CheckpointError> {
    let path = folder.join(DONE);
    let missing = |path: &Path, error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => CheckpointError::Missing { path: path.to_owned() },
        _ => CheckpointError::read(path)(error),
    };
    let text = fs::read(&path).map_err(|error| missing(&path, error))?;
    let damaged = |path: &Path, reason: String| CheckpointError::Damaged { path: path.to_owned(), reason };
    let list: FileList = serde_json::from_slice(&text).map_err(|error| damaged(&path, error.to_string()))?;
    if list.format != FORMAT {
        return Err(CheckpointError::Format { path, expected: FORMAT, found: list.format });
    }
    if FileList::hash(&list.files) != list.sha256 {
        return Err(damaged(&path, "its entries are not those that were written".into()));
    }
    for (name, expected) in &list.files {
        let path = folder.join(name);
        let found = seal_of(&path).map_err(|error| missing(&path, error))?;
        if found.bytes != expected.bytes {
            return Err(damaged(&path, format!("it has {} bytes, expected {}", found.bytes, expected.bytes)));
        }
        if found.sha256 != expected.sha256 {
            return Err(damaged(&path, format!("its SHA-256 is {}, expected {}", found.sha256, expected.sha256)));
        }
    }
    Ok(())
}

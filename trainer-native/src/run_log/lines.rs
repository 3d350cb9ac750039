//! `metrics.jsonl`: an object a line, its step first and then its scalars in the order they were given.

use anyhow::{Context, Result};
use serde::Deserialize;
use serde::ser::{SerializeMap, Serializer};
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Seek, Write};
use std::path::{Path, PathBuf};

pub struct JsonLines {
    path: PathBuf,
    file: File,
}

/// What a line is recognised by.
#[derive(Deserialize)]
struct LineStep {
    step: u64,
}

impl JsonLines {
    /// Opens or begins the file and cuts it after the last whole line of a step up to `step`.
    pub fn open(path: &Path, step: u64) -> Result<Self> {
        let attempt = || -> std::io::Result<File> {
            let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
            let kept = kept_bytes(BufReader::new(&file), step)?;
            file.set_len(kept)?;
            file.seek(std::io::SeekFrom::End(0))?;
            Ok(file)
        };
        let file = attempt().with_context(|| format!("opening the log {}", path.display()))?;
        Ok(Self { path: path.to_owned(), file })
    }

    pub fn append(&mut self, step: u64, values: &[(&str, f64)]) -> Result<()> {
        let mut line = Vec::new();
        let mut map = serde_json::Serializer::new(&mut line);
        let mut map = map.serialize_map(Some(values.len() + 1))?;
        map.serialize_entry("step", &step)?;
        for (name, value) in values {
            map.serialize_entry(name, value)?;
        }
        map.end()?;
        line.push(b'\n');
        self.file.write_all(&line).with_context(|| format!("writing {}", self.path.display()))
    }

    pub fn sync(&self) -> Result<()> {
        self.file.sync_data().with_context(|| format!("writing {}", self.path.display()))
    }
}

fn kept_bytes(mut reader: impl BufRead, step: u64) -> std::io::Result<u64> {
    let (mut kept, mut line) = (0, Vec::new());
    loop {
        line.clear();
        let read = reader.read_until(b'\n', &mut line)?;
        let found = serde_json::from_slice::<LineStep>(&line).ok().filter(|found| line.ends_with(b"\n") && found.step <= step);
        if found.is_none() {
            return Ok(kept);
        }
        kept += read as u64;
    }
}

//! What a training run writes down while it runs, step by step.
//!
//! In flow a step's named scalars and, now and then, a grid of maps. Out flow three files in the log's folder that say the same:
//! `metrics.jsonl` (one object a step), `metrics.csv` (one row a step, with the time of day) and `events.out.tfevents` for
//! TensorBoard; and each grid as `images/NAME-STEP.png`. `trainer report` reads the CSV and the images.
//!
//! Where there is an NVIDIA GPU, a record also says what the GPU does ([`crate::gpu`]), at most once a second.
//!
//! Names are the public code's, so that its logs and ours are read by the same tools: `train/total_loss`, `train/rec_loss`, `lr`,
//! `val/nmse`. The prefix `system/` is for measurements of the machine (rate, memory). They and the time of day are left out of
//! `metrics.jsonl`, whose lines therefore depend on configuration and seed alone: a run that was killed and resumed leaves the same
//! file as one that was not.
//!
//! A step is a whole record in each file or is absent from it. [`RunLog::resume`] keeps the records up to the checkpoint's step and
//! drops what follows, half-written records included. [`RunLog::sync`] brings the log to the disk and comes before a checkpoint is
//! marked as done, so that no log is behind its checkpoint.

mod events;
mod grid;
mod lines;
mod progress;
mod table;

pub use grid::{GrayGrid, GridError};
pub use progress::TrainingProgress;

use crate::gpu::GpuMonitor;
use anyhow::{Context, Result, ensure};
use events::EventFile;
use jiff::Timestamp;
use lines::JsonLines;
use radiodiff_dataset::files;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use table::CsvTable;

/// Prefix of the names of scalars that measure the machine.
pub const SYSTEM: &str = "system/";
/// The log's table, within its folder.
pub const TABLE: &str = "metrics.csv";
/// The folder of the grids of maps, within the log's.
pub const IMAGES: &str = "images";
const LINES: &str = "metrics.jsonl";
const EVENTS: &str = "events.out.tfevents";
/// The driver's own readings are means over up to a second.
const BETWEEN_READINGS: Duration = Duration::from_secs(1);

/// The log of one network's training; see the module.
pub struct RunLog {
    folder: PathBuf,
    lines: JsonLines,
    table: CsvTable,
    events: EventFile,
    last: Option<u64>,
    gpu: Option<GpuMonitor>,
    gpu_read: Option<Instant>,
}

impl RunLog {
    /// A new log in `folder`, which is made where it is missing. A log that is there already is replaced.
    pub fn create(folder: &Path) -> Result<Self> {
        for name in [LINES, TABLE, EVENTS] {
            match std::fs::remove_file(folder.join(name)) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(error).with_context(|| format!("replacing the log {}", folder.join(name).display()));
                }
                _ => {}
            }
        }
        Self::resume(folder, 0)
    }

    /// Goes on after `step`, the checkpoint's: keeps the records of steps up to it and drops all others. A file that is missing is
    /// begun.
    pub fn resume(folder: &Path, step: u64) -> Result<Self> {
        files::make_folder(&folder.join(IMAGES))?;
        drop_images_after(&folder.join(IMAGES), step)?;
        let lines = JsonLines::open(&folder.join(LINES), step)?;
        let table = CsvTable::open(&folder.join(TABLE), step)?;
        let events = EventFile::open(&folder.join(EVENTS), step)?;
        let last = table.last_step();
        Ok(Self { folder: folder.to_owned(), lines, table, events, last, gpu: GpuMonitor::open(), gpu_read: None })
    }

    /// Writes a step's scalars. A name that was never written before is a new column of the table. A value that is not finite is
    /// `null` in the JSON lines.
    ///
    /// # Errors
    /// A step that is not above the last one, a name with a comma, a quote or a line break, a full disk.
    pub fn scalars(&mut self, step: u64, values: &[(&str, f64)]) -> Result<()> {
        if let Some(last) = self.last {
            ensure!(step > last, "step {step} is logged after step {last}; a step has one record, and steps only grow");
        }
        if let Some((name, _)) = values.iter().find(|(name, _)| name.is_empty() || name.contains([',', '"', '\n', '\r'])) {
            anyhow::bail!("a scalar is named {name:?}, expected a name without commas, quotes and line breaks");
        }
        let values = [values, &self.gpu_readings()].concat();
        let now = Timestamp::now();
        self.table.append(step, now, &values)?;
        let seeded: Vec<_> = values.iter().copied().filter(|(name, _)| !name.starts_with(SYSTEM)).collect();
        self.lines.append(step, &seeded)?;
        self.events.scalars(step, now, &values)?;
        self.last = Some(step);
        Ok(())
    }

    fn gpu_readings(&mut self) -> Vec<(&'static str, f64)> {
        let Some(gpu) = self.gpu.as_ref().filter(|_| self.gpu_read.is_none_or(|read| read.elapsed() >= BETWEEN_READINGS)) else {
            return Vec::new();
        };
        self.gpu_read = Some(Instant::now());
        gpu.readings()
    }

    /// Writes a grid of maps as a PNG and for TensorBoard. The name is part of a file's name: letters, digits, `-` and `_`.
    pub fn images(&mut self, step: u64, name: &str, grid: &GrayGrid) -> Result<()> {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
        ensure!(!name.is_empty() && name.chars().all(plain), "a grid is named {name:?}, expected letters, digits, - and _");
        let png = grid.to_png()?;
        files::write(&self.folder.join(IMAGES).join(image_name(name, step)), &png)?;
        self.events.image(step, Timestamp::now(), name, grid.size(), png)
    }

    /// Returns when everything written so far is on the disk.
    pub fn sync(&mut self) -> Result<()> {
        self.lines.sync()?;
        self.table.sync()?;
        self.events.sync()
    }
}

/// `NAME-STEP.png`, sorted by step within a name.
fn image_name(name: &str, step: u64) -> String {
    format!("{name}-{step:08}.png")
}

/// The name and the step that [`image_name`] was given.
pub fn parse_image_name(file: &str) -> Option<(&str, u64)> {
    let (name, step) = file.strip_suffix(".png")?.rsplit_once('-')?;
    Some((name, step.parse().ok()?))
}

fn drop_images_after(folder: &Path, step: u64) -> Result<()> {
    let attempt = || -> std::io::Result<()> {
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            if parse_image_name(&entry.file_name().to_string_lossy()).is_some_and(|(_, of)| of > step) {
                std::fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    };
    attempt().with_context(|| format!("removing the images after step {step} from {}", folder.display()))
}

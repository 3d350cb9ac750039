//! `metrics.csv`: a row a step. The columns are `step`, `datetime` (UTC) and the scalars in the order in which they first appeared; a
//! step without a scalar has an empty cell.

use anyhow::{Context, Result};
use jiff::{Timestamp, Unit};
use radiodiff_dataset::files;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

/// The columns before the scalars.
const LEADING: [&str; 2] = ["step", "datetime"];

pub struct CsvTable {
    path: PathBuf,
    /// Opened to append.
    file: File,
    /// Names of the scalars.
    columns: Vec<String>,
    last_step: Option<u64>,
}

impl CsvTable {
    /// Opens or begins the file and cuts it after the last whole row of a step up to `step`.
    pub fn open(path: &Path, step: u64) -> Result<Self> {
        let attempt = || -> Result<Self> {
            let text = match std::fs::read_to_string(path) {
                Ok(text) => text,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
                Err(error) => return Err(error.into()),
            };
            let (columns, kept, last_step) = kept(&text, step).unwrap_or_default();
            if kept == 0 {
                files::write(path, header(&[]).as_bytes())?;
            }
            let file = OpenOptions::new().append(true).open(path)?;
            if kept > 0 {
                file.set_len(kept as u64)?;
            }
            Ok(Self { path: path.to_owned(), file, columns, last_step })
        };
        attempt().with_context(|| format!("opening the log {}", path.display()))
    }

    /// The last row's.
    pub fn last_step(&self) -> Option<u64> {
        self.last_step
    }

    pub fn append(&mut self, step: u64, now: Timestamp, values: &[(&str, f64)]) -> Result<()> {
        let new: Vec<String> =
            values.iter().map(|(name, _)| *name).filter(|name| !self.columns.iter().any(|c| c == name)).map(str::to_owned).collect();
        if !new.is_empty() {
            self.widen(&new)?;
        }
        let cell =
            |column: &String| values.iter().find(|(name, _)| name == column).map_or(String::new(), |(_, value)| format!("{value:?}"));
        let now = now.round(Unit::Second)?;
        let row = [step.to_string(), now.to_string()].into_iter().chain(self.columns.iter().map(cell)).collect::<Vec<_>>().join(",") + "\n";
        self.file.write_all(row.as_bytes()).with_context(|| format!("writing {}", self.path.display()))?;
        self.last_step = Some(step);
        Ok(())
    }

    pub fn sync(&self) -> Result<()> {
        self.file.sync_data().with_context(|| format!("writing {}", self.path.display()))
    }

    /// Adds columns at the right, empty in the rows so far.
    fn widen(&mut self, new: &[String]) -> Result<()> {
        let attempt = || -> Result<File> {
            let text = std::fs::read_to_string(&self.path)?;
            let columns = [self.columns.as_slice(), new].concat();
            let empty = ",".repeat(new.len());
            let rows = text.lines().skip(1).map(|row| format!("{row}{empty}\n"));
            files::write(&self.path, (header(&columns) + &rows.collect::<String>()).as_bytes())?;
            Ok(OpenOptions::new().append(true).open(&self.path)?)
        };
        self.file = attempt().with_context(|| format!("adding the columns {} to {}", new.join(", "), self.path.display()))?;
        self.columns.extend_from_slice(new);
        Ok(())
    }
}

fn header(columns: &[String]) -> String {
    LEADING.into_iter().chain(columns.iter().map(String::as_str)).collect::<Vec<_>>().join(",") + "\n"
}

/// The scalars' names, the bytes to keep and the last step in them; `None` where the text does not begin with a header of ours.
fn kept(text: &str, step: u64) -> Option<(Vec<String>, usize, Option<u64>)> {
    let (first, rows) = text.split_once('\n')?;
    let columns = first.strip_prefix(&LEADING.join(","))?.split(',').skip(1).map(str::to_owned).collect::<Vec<_>>();
    let (mut kept, mut last_step) = (text.len() - rows.len(), None);
    for row in rows.split_inclusive('\n') {
        let cells = row.strip_suffix('\n').map(|row| row.split(',').collect::<Vec<_>>());
        let Some(cells) = cells.filter(|cells| cells.len() == columns.len() + LEADING.len()) else { break };
        let Some(of) = cells[0].parse().ok().filter(|of| *of <= step) else { break };
        (kept, last_step) = (kept + row.len(), Some(of));
    }
    Some((columns, kept, last_step))
}

//! Which maps of a dataset a command works on: a simulation's, of a published split or all, the first ones or all.

use anyhow::{Result, ensure};
use radiodiff_dataset::Dataset;
use radiodiff_dataset::splits::{Scheme, Split, split_name};
use std::path::Path;

#[derive(clap::Args, Clone, Debug)]
pub struct MapSelection {
    /// Folder of `gain` that holds the maps.
    #[arg(long, default_value = "DPM")]
    pub method: String,
    /// Only the maps of this published split of RadioMapSeer; all maps of the folder unless given.
    #[arg(long, value_enum)]
    pub split: Option<Split>,
    /// Whose split.
    #[arg(long, value_enum, default_value_t, requires = "split")]
    pub scheme: Scheme,
    /// Only the first maps.
    #[arg(long)]
    pub limit: Option<usize>,
}

impl Default for MapSelection {
    fn default() -> Self {
        Self { method: String::from("DPM"), split: None, scheme: Scheme::default(), limit: None }
    }
}

impl MapSelection {
    /// The dataset in `folder`, cut to the split, and how many of its maps to take. Says on standard error what the folder lacks.
    ///
    /// # Errors
    /// Those of [`Dataset::open`]; no map that is chosen.
    pub fn open(&self, folder: &Path) -> Result<(Dataset, usize)> {
        let mut dataset = Dataset::open(folder, &self.method)?;
        if let Some(notice) = dataset.notice() {
            eprintln!("warning: {notice}");
        }
        if let Some(split) = self.split {
            let absent = self.scheme.keep(split, &mut dataset)?;
            if absent > 0 {
                eprintln!("warning: {} lacks {absent} maps of the split", folder.display());
            }
        }
        let count = dataset.len().min(self.limit.unwrap_or(usize::MAX));
        ensure!(count > 0, "{} holds no maps of {}", folder.display(), self.method);
        Ok((dataset, count))
    }

    /// In words, for a table's head: `DPM`, `DPM, radiounet test split`.
    pub fn description(&self) -> String {
        let split = self.split.map(|split| format!(", {} split", split_name(self.scheme, split)));
        self.method.clone() + &split.unwrap_or_default()
    }
}

//! How long each part took when it last ran on this machine, kept under the target folder. Only what is printed depends on it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use crate::layout;

pub struct Durations {
    file: PathBuf,
    seconds: BTreeMap<String, u64>,
}

impl Durations {
    pub fn load() -> Self {
        let file = layout::target().join("xtask-durations.json");
        let seconds = std::fs::read(&file).ok().and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default();
        Self { file, seconds }
    }

    /// The last duration of the part `name`, or `cold_s` seconds where it never ran.
    pub fn expected(&self, name: &str, cold_s: u64) -> Duration {
        Duration::from_secs(self.seconds.get(name).copied().unwrap_or(cold_s))
    }

    pub fn record(&mut self, name: &str, took: Duration) {
        self.seconds.insert(name.to_owned(), took.as_secs().max(1));
        // An estimate that cannot be kept is not worth a failed run.
        if let Ok(text) = serde_json::to_string(&self.seconds) {
            let _ = std::fs::write(&self.file, text);
        }
    }
}

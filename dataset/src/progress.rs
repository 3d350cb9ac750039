//! Progress bars, which look the same for all long work.

use anyhow::{Context, Result};
use indicatif::{ProgressBar, ProgressStyle};

/// A bar over `length` items named by `unit`, with their rate and the time left.
pub fn bar(length: u64, unit: &str) -> Result<ProgressBar> {
    let style = format!("{{wide_bar}} {{pos}} of {{len}} {unit}, {{per_sec}}, {{eta}} left");
    let progress = ProgressBar::new(length);
    progress.set_style(ProgressStyle::with_template(&style).context("the progress bar's template")?);
    Ok(progress)
}

/// A spinner for work whose length is unknown.
pub fn waiting(what: &'static str) -> ProgressBar {
    let progress = ProgressBar::new_spinner().with_message(what);
    progress.enable_steady_tick(std::time::Duration::from_millis(200));
    progress
}

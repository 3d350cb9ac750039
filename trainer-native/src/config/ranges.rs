//! Ranges of settings; an error names the entry and says what was expected.

use anyhow::{Result, bail};

fn name(table: &str, entry: &str) -> String {
    if table.is_empty() { entry.to_owned() } else { format!("{table}.{entry}") }
}

/// At least 1.
pub fn positive(table: &str, entries: &[(&str, usize)]) -> Result<()> {
    match entries.iter().find(|(_, value)| *value == 0) {
        Some((entry, _)) => bail!("{} is 0, expected at least 1", name(table, entry)),
        None => Ok(()),
    }
}

/// In [0, 1].
pub fn in_range(table: &str, entries: &[(&str, f64)]) -> Result<()> {
    match entries.iter().find(|(_, value)| !(0.0..=1.0).contains(value)) {
        Some((entry, value)) => bail!("{} is {value}, expected 0 to 1", name(table, entry)),
        None => Ok(()),
    }
}

/// Finite and at least 0.
pub fn not_negative(table: &str, entries: &[(&str, f64)]) -> Result<()> {
    match entries.iter().find(|(_, value)| !(value.is_finite() && *value >= 0.0)) {
        Some((entry, value)) => bail!("{} is {value}, expected 0 or more", name(table, entry)),
        None => Ok(()),
    }
}

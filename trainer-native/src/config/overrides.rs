//! `--set a.b=value`.

use anyhow::{Context, Result};

/// Sets one entry; `text` is `a.b=value` with a TOML value, or a bare word, which is taken as a string. A wrong name is found
/// when the settings are read.
pub fn apply(table: &mut toml::Table, text: &str) -> Result<()> {
    let (path, value) = text.split_once('=').with_context(|| format!("the override {text:?} is not of the form a.b=value"))?;
    let value = format!("value = {value}").parse::<toml::Table>().ok().and_then(|mut parsed| parsed.remove("value"));
    let value = value.unwrap_or_else(|| toml::Value::String(text[path.len() + 1..].to_owned()));
    let (parents, name) = path.rsplit_once('.').map_or((None, path), |(parents, name)| (Some(parents), name));
    let mut place = table;
    for part in parents.into_iter().flat_map(|parents| parents.split('.')) {
        // A table whose entries all have defaults may be missing in the file.
        let next = place.entry(part).or_insert_with(|| toml::Table::new().into());
        place = next.as_table_mut().with_context(|| format!("the override {text:?}: {part} is a value, expected a table"))?;
    }
    match place.get_mut(name) {
        // An integer where a float stands is that float.
        Some(old @ toml::Value::Float(_)) if value.is_integer() => {
            *old = toml::Value::Float(value.as_integer().unwrap_or_default() as f64);
        }
        Some(old) => *old = value,
        None => drop(place.insert(name.to_owned(), value)),
    }
    Ok(())
}

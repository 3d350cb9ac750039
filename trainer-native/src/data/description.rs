//! What the weights' manifest says of the data they were trained on.

use radiodiff_dataset::stream::TrainingSet;
use std::path::Path;

/// The datasets' sources, samples and methods.
pub fn describe(set: &TrainingSet) -> String {
    let dataset = |(folder, samples, method): (&Path, usize, &str)| format!("{samples} maps of {method} from {}", sources(folder));
    set.folders().map(dataset).collect::<Vec<_>>().join("; ")
}

/// What `dataset.toml` says of a folder's sources, else the folder's name.
fn sources(folder: &Path) -> String {
    let table = std::fs::read_to_string(folder.join("dataset.toml")).ok().and_then(|text| text.parse::<toml::Table>().ok());
    let sources = table.as_ref().and_then(|table| table.get("sources")?.as_array());
    let source = |source: &toml::Value| {
        let text = |key| source.get(key).and_then(toml::Value::as_str).unwrap_or("?");
        let maps = source.get("maps").and_then(toml::Value::as_integer).unwrap_or_default();
        format!("{} ({maps} scenes, {}, {})", text("name"), text("licence"), text("credit"))
    };
    match sources {
        Some(sources) => sources.iter().map(source).collect::<Vec<_>>().join("; "),
        None => folder.display().to_string(),
    }
}

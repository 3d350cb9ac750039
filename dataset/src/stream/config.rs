//! Which maps are drawn: an entry of a configuration's list of datasets.

use crate::splits::{Scheme, Split};
use serde::de::{Error, MapAccess, Visitor, value::MapAccessDeserializer};
use serde::{Deserialize, Deserializer, Serialize};
use std::fmt;
use std::path::PathBuf;

/// A dataset, or a split of it. In a file, a folder's path alone, or a table with the path and what differs from the defaults.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct DatasetConfig {
    /// A folder in RadioMapSeer's layout, or of packed shards.
    pub path: PathBuf,
    /// Folder of `gain` that the maps are read from, a [`Variant`](crate::Variant)'s name; the list's where it is not given. Shards
    /// have the one they were packed with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Only the maps of this split; all maps where it is not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub split: Option<Split>,
    /// Whose splits; the list's where it is not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scheme: Option<Scheme>,
    /// Share of the samples drawn, relative to the weights of the others. Either all datasets of a list have one or none has; without
    /// weights every sample of every dataset is drawn once an epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight: Option<f64>,
}

impl DatasetConfig {
    /// All maps of a folder.
    pub fn folder(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), ..Self::default() }
    }
}

/// The table's keys, read apart from [`DatasetConfig`] because that may be a mere path too.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DatasetTable {
    path: PathBuf,
    method: Option<String>,
    split: Option<Split>,
    scheme: Option<Scheme>,
    weight: Option<f64>,
}

impl<'de> Deserialize<'de> for DatasetConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PathOrTable;

        impl<'de> Visitor<'de> for PathOrTable {
            type Value = DatasetConfig;

            fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
                formatter.write_str("a folder's path, or a table with `path` and, if wanted, `method`, `split`, `scheme`, `weight`")
            }

            fn visit_str<E: Error>(self, path: &str) -> Result<DatasetConfig, E> {
                Ok(DatasetConfig::folder(path))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<DatasetConfig, A::Error> {
                let DatasetTable { path, method, split, scheme, weight } = Deserialize::deserialize(MapAccessDeserializer::new(map))?;
                Ok(DatasetConfig { path, method, split, scheme, weight })
            }
        }

        deserializer.deserialize_any(PathOrTable)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    struct List {
        train: Vec<DatasetConfig>,
    }

    #[test]
    fn an_entry_is_a_path_or_a_table() {
        let text = r#"train = ["a", { path = "b", method = "IRT4", split = "validation", scheme = "radiodiff-leaking", weight = 2 }]"#;
        let list: List = toml::from_str(text).unwrap();
        let second = DatasetConfig {
            path: "b".into(),
            method: Some("IRT4".into()),
            split: Some(Split::Validation),
            scheme: Some(Scheme::RadioDiffLeaking),
            weight: Some(2.0),
        };
        assert_eq!(list.train, [DatasetConfig::folder("a"), second.clone()]);
        assert_eq!(toml::from_str::<DatasetConfig>(&toml::to_string(&second).unwrap()).unwrap(), second);
    }

    #[test]
    fn what_an_entry_cannot_be_is_named() {
        for (entry, words) in [
            ("3", "expected a folder's path, or a table"),
            (r#"{ path = "a", spilt = "train" }"#, "unknown field `spilt`"),
            (r#"{ path = "a", split = "training" }"#, "unknown variant `training`, expected one of `train`, `validation`, `test`"),
            (r#"{ split = "train" }"#, "missing field `path`"),
        ] {
            let error = toml::from_str::<List>(&format!("train = [{entry}]")).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
    }
}

//! Small datasets made by rule, and the trainer as a user runs it.

// Each test program uses what it needs of this.
#![allow(dead_code, clippy::unwrap_used)]

#[path = "../../../tests/made_datasets.rs"]
mod made_datasets;

pub use made_datasets::*;
use std::fs;
use std::process::{Command, Output};

pub fn trainer(args: &[&str]) -> Output {
    // These networks are too small for more threads of libtorch, whose waiting takes minutes on a busy machine.
    Command::new(env!("CARGO_BIN_EXE_trainer")).args(args).env("OMP_NUM_THREADS", "1").output().unwrap()
}

/// What it prints when all is well.
pub fn succeeds(args: &[&str]) -> String {
    let output = trainer(args);
    assert!(output.status.success(), "trainer {args:?}: {}{}", text(&output.stdout), text(&output.stderr));
    text(&output.stdout)
}

/// Both outputs of a run that ends with 1 and says each of `words`.
pub fn fails(args: &[&str], words: &[&str]) -> String {
    let output = trainer(args);
    let said = text(&output.stdout) + &text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "trainer {args:?}: {said}");
    words.iter().for_each(|words| assert!(said.contains(words), "trainer {args:?} says {said:?}, expected {words:?}"));
    said
}

/// A small preset with a Swin transformer, for the maps above.
pub const SWIN: &str = r#"
name = "small-swin"
map_size = 32
meters_per_pixel = 1.0
latent_scale = 0.25

[gray]
floor_db = -147.0
ceiling_db = -47.84

[autoencoder]
channels = 8
multipliers = [1, 2, 2]
residual_blocks = 1
latent_channels = 2
norm_groups = 4

[condition]
channels = ["buildings", "transmitter", "buildings"]
width = 8
depths = [1, 2]
heads = [2, 2]
window = 4
stochastic_depth = 0.1
public_leftovers = false

[unet]
latent_channels = 2
latent_size = 8
width = 8
level_widths = [8, 16]
stem_kernel = 3
norm_groups = 4
heads = 2
head_width = 4
time_frequencies = 4
time_width = 8
relation_windows = [2, 1]

[quantiles]
widths = [8, 12]
detail_width = 8
norm_groups = 4
"#;

/// A folder with such a dataset, that preset, and a configuration of two steps of each stage on them.
pub struct Workshop {
    folder: tempfile::TempDir,
}

impl Workshop {
    pub fn new(maps: &[u32]) -> Self {
        let workshop = Self { folder: tempfile::tempdir().unwrap() };
        write_maps(&workshop.folder.path().join("data"), maps);
        fs::write(workshop.path("swin.toml"), SWIN).unwrap();
        let nano = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/configs/nano.toml")).unwrap();
        let mut config: toml::Table = nano.parse().unwrap();
        config.insert("preset".into(), workshop.path("swin.toml").into());
        for (place, value) in [("data.train", "data"), ("data.valid", "data")] {
            let folders = vec![toml::Value::from(workshop.path(value))];
            set(&mut config, place, folders.into());
        }
        for (place, value) in [
            ("autoencoder.steps", 2),
            ("autoencoder.whole_map_steps", 1),
            ("autoencoder.crop", 16),
            ("autoencoder.batch", 2),
            ("diffusion.steps", 2),
            ("diffusion.batch", 2),
            ("diffusion.pixel.steps", 2),
            ("diffusion.pixel.batch", 2),
        ] {
            set(&mut config, place, value.into());
        }
        let quantiles = "steps = 2\nbatch = 2\ncrop = 16\nwhole_map_steps = 1\nlearning_rate = 2e-3\nweight_decay = 0.01";
        config.insert("quantiles".into(), quantiles.parse::<toml::Table>().unwrap().into());
        fs::write(workshop.path("config.toml"), config.to_string()).unwrap();
        workshop
    }

    pub fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// The arguments that train `stage` under the overrides `sets` into the folder `run`.
    pub fn train(&self, stage: &str, run: &str, sets: &[&str]) -> Vec<String> {
        let args = ["train", stage, "--config", &self.path("config.toml"), "--out", &self.path(run)].map(str::to_owned);
        args.into_iter().chain(sets.iter().flat_map(|set| ["--set".to_owned(), (*set).to_owned()])).collect()
    }

    pub fn trains(&self, stage: &str, run: &str, sets: &[&str]) -> String {
        succeeds(&strs(&self.train(stage, run, sets)))
    }
}

pub fn strs(args: &[String]) -> Vec<&str> {
    args.iter().map(String::as_str).collect()
}

/// Sets the entry `a.b` of a table.
pub fn set(table: &mut toml::Table, place: &str, value: toml::Value) {
    match place.split_once('.') {
        Some((parent, rest)) => set(table[parent].as_table_mut().unwrap(), rest, value),
        None => drop(table.insert(place.to_owned(), value)),
    }
}

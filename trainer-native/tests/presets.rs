//! Presets as a user meets them: what the named ones cost, and one of a user's own through `presets`, `train`, `evaluate`,
//! `import` and `goldens`.

// Clippy allows unwrap in #[test] functions only; the helpers here are as much tests.
#![allow(clippy::unwrap_used)]

mod common;

use clap::{CommandFactory, Parser};
use common::{SWIN, Workshop, fails, set, succeeds, text, trainer};
use radiodiff_core::model::Preset;
use radiodiff_core::weights::Checkpoint;
use radiodiff_tests::golden_program::{GoldenArgs, write_goldens};
use std::fs;
use std::path::Path;
use tch::Device;
use trainer::torch::TorchEngine;

#[test]
fn the_named_presets_cost_what_docs_say() {
    let table = succeeds(&["presets"]);
    // The public code's parameters, and GMAC of its encoder, decoder and condition encoder.
    assert!(table.contains("| paper | 55307453 | 224869496 | 172.524 | 335.140 | 25.355 |"), "{table}");
    let docs = include_str!("../../docs/networks.md");
    assert!(docs.contains(table.trim_end()), "docs/networks.md has another table than\n{table}");
    let one = succeeds(&["presets", "--preset", "edge"]);
    assert!(one.lines().count() == 3 && table.contains(one.lines().last().unwrap()), "{one}");
}

/// What ships and its rival, of one preset: the same cost.
#[test]
fn the_network_of_quantiles_costs_what_docs_say() {
    let table = succeeds(&["presets", "--preset", concat!(env!("CARGO_MANIFEST_DIR"), "/configs/reliability/preset.toml")]);
    let docs = include_str!("../../docs/networks.md");
    assert!(docs.contains(table.trim_end()), "docs/networks.md has another table than\n{table}");
    let row: Vec<&str> = table.lines().last().unwrap().split(" | ").collect();
    let (parameters, giga_macs): (usize, f64) = (row[1].parse().unwrap(), row[2].parse().unwrap());
    assert!(parameters < 1_286_209 && giga_macs < 1.5, "{row:?}");
}

/// Being told the antenna's height costs next to nothing.
#[test]
fn the_network_that_is_told_heights_costs_what_docs_say() {
    let preset = concat!(env!("CARGO_MANIFEST_DIR"), "/configs/reliability/quantiles-preset.toml");
    let table = succeeds(&["presets", "--preset", preset]);
    let row = table.lines().last().unwrap();
    assert!(row.starts_with("| unknown-roofs |") && include_str!("../../docs/networks.md").contains(row), "docs/networks.md lacks\n{row}");
    let preset: Preset = toml::from_str(&fs::read_to_string(preset).unwrap()).unwrap();
    assert!(preset.condition.knows_heights() && preset.residual.is_some());
}

/// At most 30 GFLOP, 15 GMAC, a map in one step and as quantiles, the condition included.
#[test]
fn the_same_for_browsers_with_a_gpu_stays_within_its_budget() {
    let presets =
        ["edge-preset", "edge-quantiles-preset"].map(|name| format!("{}/configs/reliability/{name}.toml", env!("CARGO_MANIFEST_DIR")));
    let [edge, quantiles] = presets.map(|preset| succeeds(&["presets", "--preset", &preset]));
    let table = edge + quantiles.lines().last().unwrap();
    let rows: Vec<Vec<&str>> = table.lines().filter(|line| line.starts_with("| edge |")).map(|line| line.split(" | ").collect()).collect();
    let giga_macs: Vec<f64> = [rows[0][8], rows[1][2]].iter().map(|cell| cell.parse().unwrap()).collect();
    assert!(giga_macs.iter().all(|&giga_macs| giga_macs < 15.0), "{table}");
    let docs = include_str!("../../docs/networks.md");
    assert!(rows.iter().all(|row| docs.contains(&row[1..].join(" | "))), "docs/networks.md lacks a row of\n{table}");
}

/// docs/networks.md: a preset is printed, changed, counted.
#[test]
fn a_printed_preset_is_where_ones_own_begins() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("own.toml");
    let path = file.to_str().unwrap();
    for name in Preset::NAMES {
        let printed = succeeds(&["presets", "--print", name]);
        fs::write(&file, &printed).unwrap();
        assert_eq!(succeeds(&["presets", "--print", path]), printed, "{name}");
        assert_eq!(toml::from_str::<Preset>(&printed).unwrap(), Preset::named(name).unwrap());
    }
    let edited = |changes: &[(&str, toml::Value)]| {
        let mut preset: toml::Table = succeeds(&["presets", "--print", "paper"]).parse().unwrap();
        changes.iter().for_each(|(place, value)| set(&mut preset, place, value.clone()));
        fs::write(&file, preset.to_string()).unwrap();
    };
    let integers = |values: &[i64]| toml::Value::from(values.to_vec());
    edited(&[("name", "paper-320".into()), ("map_size", 320.into()), ("unet.latent_size", 80.into())]);
    let row = succeeds(&["presets", "--preset", path]);
    // The public code at 320 pixels: 284.67 and 538.76 GMAC.
    assert!(row.contains("| paper-320 | 55307453 | 224910456 | 284.669 | 538.755 |"), "{row}");

    let refused: [(&[(&str, toml::Value)], &str); 5] = [
        (&[("unet.latent_size", 63.into())], "preset paper: unet.latent_size is 63, expected"),
        (&[("autoencoder.norm_groups", 7.into())], "preset paper: autoencoder.channels is 128, expected a multiple of 7"),
        (&[("autoencoder.multipliers", integers(&[1; 12]))], "preset paper: autoencoder.multipliers is 12 levels, expected 1 to 8"),
        (&[("autoencoder.chanels", 64.into())], "unknown field `chanels`"),
        (&[("condition.windows", 7.into())], "stem_widths, stage_widths, norm_groups (a pyramid) or width, depths, heads"),
    ];
    for (changes, words) in refused {
        edited(changes);
        fails(&["presets", "--preset", path], &["own.toml", words]);
    }
    fails(&["presets", "--print", "giant"], &["there is no preset \"giant\"; there are nano, edge, paper, and your own as FILE.toml"]);
    fails(&["presets", "--preset", "/nowhere.toml"], &["reading the preset /nowhere.toml"]);
    assert_eq!(trainer(&["presets", "--print", "nano", "--preset", "nano"]).status.code(), Some(2));
}

/// Two steps of each stage, then what reads the weights.
#[test]
fn a_small_swin_of_ones_own_trains_draws_and_is_imported() {
    let shop = Workshop::new(&[3, 4]);
    shop.trains("autoencoder", "run", &[]);
    shop.trains("diffusion", "run", &[]);
    let weights = shop.path("run/diffusion.safetensors");
    let checkpoint = Checkpoint::parse(&fs::read(&weights).unwrap()).unwrap();
    assert_eq!(checkpoint.manifest().preset, toml::from_str(SWIN).unwrap());
    assert!(checkpoint.tensors().keys().any(|name| name.contains("relative_position_bias_table")), "a Swin transformer");

    // The resolved configuration has the preset as a table, and is taken as it is.
    let (resolved, again) = (shop.path("run/config-autoencoder.toml"), shop.path("again"));
    let train = ["train", "autoencoder", "--config", &resolved, "--out", &again];
    fails(
        &[&train[..], &["--set", "preset.unet.latent_size=9"]].concat(),
        &["preset small-swin: unet.latent_size is 9, expected divisible by 2"],
    );
    fails(&[&train[..], &["--set", "preset=giant"]].concat(), &["there is no preset \"giant\""]);
    assert!(!Path::new(&again).exists(), "a preset is refused before anything is made");
    succeeds(&train);
    let first_stage = |name: &str| Checkpoint::parse(&fs::read(shop.path(name)).unwrap()).unwrap().tensors().clone();
    assert_eq!(first_stage("again/autoencoder.safetensors"), first_stage("run/autoencoder.safetensors"), "the same run");

    let (preset, imported) = (shop.path("swin.toml"), shop.path("imported.safetensors"));
    let said = succeeds(&["import", &weights, "--preset", &preset, "--out", &imported]);
    assert!(said.contains(&format!("{} applied", checkpoint.tensors().len())), "{said}");
    assert_eq!(Checkpoint::parse(&fs::read(&imported).unwrap()).unwrap().tensors(), checkpoint.tensors());
    fails(&["import", &weights, "--preset", "giant", "--out", &imported], &["there is no preset \"giant\""]);
    fails(&["import", &weights, "--preset", "nano", "--out", &imported], &["is not one of preset nano"]);

    begins_where_it_is_told(&shop, &weights);
}

/// Both stages, on maps alone at last: the second starts from the physical map and cannot be far from it.
#[test]
fn a_network_of_differences_trains_and_draws() {
    let shop = Workshop::new(&[3, 4]);
    let text = SWIN
        .replace("latent_scale = 0.25", "latent_scale = 0.25\n\n[residual]\nphysical = \"dominant-path-gain\"\nrange_db = 0.5")
        .replace(
            "[\"buildings\", \"transmitter\", \"buildings\"]",
            "[\"buildings\", \"transmitter\", \"irt2-gain\", \"dominant-path-gain\"]",
        )
        .replace("norm_groups = 4\n\n[condition]", "norm_groups = 4\nscene_channels = 4\n\n[condition]");
    fs::write(shop.path("swin.toml"), text).unwrap();
    shop.trains("autoencoder", "run", &[]);
    shop.trains("diffusion", "run", &["diffusion.pixel.squared=true", "diffusion.pixel.latent_weight=0"]);
    let said = succeeds(&["evaluate", "--data", &shop.path("data"), "--weights", &shop.path("run/diffusion.safetensors")]);
    let errors_db = ["| dominant path", "| small-swin"].map(|row| {
        let row = said.lines().find(|line| line.starts_with(row)).unwrap();
        row.trim_end_matches(" |").rsplit(' ').next().unwrap().parse::<f64>().unwrap()
    });
    assert!((errors_db[0] - errors_db[1]).abs() <= 0.51 && errors_db[0] > 1.0, "{said}");
}

/// `evaluate --start` and `--steps`.
fn begins_where_it_is_told(shop: &Workshop, weights: &str) {
    let data = shop.path("data");
    let evaluate = |more: &[&str]| {
        let said = succeeds(&[&["evaluate", "--data", &data, "--weights", weights, "--steps", "2"], more].concat());
        let row = said.lines().find(|line| line.starts_with("| small-swin")).unwrap();
        let (name, scores) = row[2..].split_once(" | ").unwrap();
        (name.to_owned(), scores.to_owned())
    };
    let (name, from_noise) = evaluate(&[]);
    assert_eq!(name, "small-swin");
    assert_eq!(evaluate(&["--start", "1"]).1, from_noise, "at t = 1 nothing of the map is left");
    let (name, early) = evaluate(&["--start", "0.001"]);
    assert_eq!(name, "small-swin from the dominant path at t = 0.001");
    assert_ne!(early, from_noise);
    for (wrong, words) in [
        (["--steps", "0"], "0 is not in 1..=1000"),
        (["--steps", "5000"], "5000 is not in 1..=1000"),
        (["--start", "0"], "expected a time from 0.0001 to 1"),
        (["--start", "1.5"], "expected a time from 0.0001 to 1"),
        (["--start", "NaN"], "expected a time from 0.0001 to 1"),
    ] {
        let output = trainer(&[&["evaluate", "--data", &data, "--weights", weights], &wrong[..]].concat());
        let error = text(&output.stderr);
        assert!(output.status.code() == Some(2) && error.contains(words), "{wrong:?}: {error}");
    }
    assert_eq!(trainer(&["evaluate", "--data", &data, "--start", "0.5"]).status.code(), Some(2), "there is no network to begin");
}

/// The command line of the example `goldens`.
#[derive(clap::Parser)]
struct GoldenOptions {
    #[command(flatten)]
    goldens: GoldenArgs,
}

#[test]
fn goldens_are_of_any_preset_whose_channels_are_images() {
    let shop = Workshop::new(&[3]);
    assert!(GoldenOptions::command().render_help().to_string().contains("--sample <MAP_TX>"));
    let (data, preset, out) = (shop.path("data"), shop.path("swin.toml"), shop.path("goldens.safetensors"));
    let goldens = |dataset: &str, sample: &str, preset: &str| {
        let args = ["goldens", "--seed", "7", "--dataset", dataset, "--sample", sample, "--preset", preset, "--out", &out];
        let _guard = tch::no_grad_guard();
        write_goldens(&GoldenOptions::try_parse_from(args).unwrap().goldens, &TorchEngine::in_double(Device::Cpu))
    };
    goldens(&data, "3_1", &preset).unwrap();
    let bytes = fs::read(&out).unwrap();
    let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    assert_eq!(file.tensor("sampler.n3.latent").unwrap().shape(), [1, 2, 8, 8]);
    fs::remove_file(&out).unwrap();
    for (dataset, sample, preset, words) in [
        ("/nowhere", "3_1", preset.as_str(), "/nowhere"),
        (&data, "3", &preset, "3"),
        (&data, "9_9", &preset, "9.png"),
        (&data, "3_1", "paper", "the gain image has 1024 pixels, preset paper expects 65536"),
        (&data, "3_1", "nano", "preset nano: the channel LineOfSight is none of the dataset's images"),
    ] {
        let said = format!("{:#}", goldens(dataset, sample, preset).unwrap_err());
        assert!(said.contains(words), "{said:?}, expected {words:?}");
        assert!(!Path::new(&out).exists());
    }
}

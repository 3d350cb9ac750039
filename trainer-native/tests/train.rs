//! Training as a user runs it, on a few steps: every command, the files it leaves, and what it says when it cannot go on.

use radiodiff_core::diffusion::SampleOptions;
use radiodiff_core::pipeline::{MapRequest, Pipeline, no_hook};
use radiodiff_core::weights::{Checkpoint, HostTensor};
use radiodiff_dataset::Dataset;
use radiodiff_engines::cpu::CpuEngine;
use radiodiff_radio::geometry::PreparedScene;
use radiodiff_radio::map::GrayCodec;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

const CONFIG: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/configs/nano.toml");

fn trainer(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_trainer")).args(args).output().expect("the trainer starts")
}

fn succeeds(args: &[&str]) -> String {
    let output = trainer(args);
    assert!(output.status.success(), "trainer {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn fails(args: &[&str], code: i32, words: &str) {
    let output = trainer(args);
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "trainer {args:?}: {error}");
    assert!(error.contains(words), "trainer {args:?} says {error:?}, expected {words:?}");
}

/// The README's commands on two maps and a few steps: both stages, an evaluation, an export that the runtime draws with.
#[test]
fn from_nothing_to_weights_that_ship() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (data, run) = (path("data"), path("run"));
    succeeds(&["dataset", "synth", "--out", &data, "--procedural", "2", "--transmitters", "1", "--seed", "3"]);

    let sets = [format!("data.train=[{data:?}]"), format!("data.valid=[{data:?}]")];
    let small = ["autoencoder.steps=3", "autoencoder.whole_map_steps=1", "autoencoder.batch=2", "diffusion.steps=2", "diffusion.batch=2"];
    let small = small.into_iter().chain(["diffusion.pixel.steps=1", "diffusion.pixel.batch=1"]).chain(sets.iter().map(String::as_str));
    let sets: Vec<&str> = small.flat_map(|set| ["--set", set]).collect();
    let train = |stage| succeeds(&[&["train", stage, "--config", CONFIG, "--out", &run], sets.as_slice()].concat());
    train("all");
    let first = Checkpoint::parse(&fs::read(path("run/autoencoder.safetensors")).unwrap()).unwrap();
    assert!(first.manifest().training_data.contains("procedural"), "{}", first.manifest().training_data);
    assert_ne!(first.tensors()["scale_factor"].values, [0.3], "the latents' scale is measured");
    for name in ["config-diffusion.toml", "preview.png", "diffusion.safetensors"] {
        assert!(fs::metadata(path(&format!("run/{name}"))).unwrap().len() > 0, "{name}");
    }
    for network in ["autoencoder", "diffusion"] {
        let text = fs::read_to_string(path(&format!("run/{network}/metrics.csv"))).unwrap();
        assert!(text.lines().last().is_some_and(|row| row.starts_with("3,")), "{network}: three steps, of all phases: {text}");
    }
    let first_config = fs::read_to_string(path("run/config-autoencoder.toml")).unwrap();
    assert!(first_config.contains("whole_map_steps = 1"), "{first_config}");
    let second = Checkpoint::parse(&fs::read(path("run/diffusion.safetensors")).unwrap()).unwrap();
    let changed = |prefix: &str| {
        let differs = |(name, tensor): (&String, &HostTensor)| name.starts_with(prefix) && second.tensors()[name] != *tensor;
        first.tensors().iter().any(differs)
    };
    assert!(changed("model.") && changed("first_stage_model.decoder."), "both learn");
    assert!(!changed("first_stage_model.encoder."), "the latents stay what they are");

    let (weights, json) = (path("run/diffusion.safetensors"), path("scores.json"));
    let table = succeeds(&["evaluate", "--weights", &weights, "--data", &data, "--out", &json]);
    assert!(["line of sight", "dominant path", "| nano |"].iter().all(|row| table.contains(row)), "{table}");
    assert!(fs::read_to_string(&json).unwrap().contains("rmse_db"));

    let shipped = path("nano.safetensors");
    succeeds(&["export", "--weights", &weights, "--out", &shipped, "--evaluate", &format!("test={data}")]);
    let bytes = fs::read(&shipped).unwrap();
    let manifest = Checkpoint::parse(&bytes).unwrap().manifest().clone();
    assert!(manifest.metrics["test.nmse"].is_finite());
    assert!(bytes.len() < fs::metadata(&weights).unwrap().len() as usize * 6 / 10, "float16");
    let card = fs::read_to_string(path("nano.md")).unwrap();
    assert!(card.contains(&manifest.content_sha256) && card.contains("| nano |"), "{card}");
    assert_runtime_draws_the_trainers_map(&shipped, &data, &path("drawn"));

    let (small, figures) = (path("small.safetensors"), path("figures.json"));
    let eight_bits = ["--precision", "int8", "--levels", "20", "--samples", "2", "--training-data", "made ones", "--figures", &figures];
    let evaluated = format!("test={data}");
    succeeds(&[&["export", "--weights", &weights, "--out", &small, "--evaluate", &evaluated], &eight_bits[..]].concat());
    let small = fs::read(&small).unwrap();
    assert!(small.len() < bytes.len() * 7 / 10, "{} bytes of 8 bits, {} of float16", small.len(), bytes.len());
    let small = Checkpoint::parse(&small).unwrap();
    assert!(small.draws_only() && small.manifest().training_data == "made ones");
    let card = fs::read_to_string(path("small.md")).unwrap();
    assert!(card.contains("8-bit integers, 20 steps") && card.contains("CRPS, dB") && !card.contains(&data), "{card}");
    let figures: serde_json::Value = serde_json::from_slice(&fs::read(&figures).unwrap()).unwrap();
    let crps_db = figures["test"]["reliability"]["rows"].as_array().unwrap().last().unwrap()["scores"]["crps_db"].as_f64().unwrap();
    assert!((crps_db - small.manifest().metrics["test.crps_db"]).abs() < 1e-12);
    assert_eq!(small.manifest().ensemble, None);

    let calibrated = path("calibrated.safetensors");
    let calibrate = ["export", "--weights", &weights, "--out", &calibrated, "--steps", "2", "--calibrate-spread", &data, "--samples"];
    succeeds(&[&calibrate[..], &["19", "--evaluate", &evaluated]].concat());
    let manifest = Checkpoint::parse(&fs::read(&calibrated).unwrap()).unwrap().manifest().clone();
    let rule = manifest.ensemble.unwrap();
    assert_eq!(rule.steps, 2);
    let holds = manifest.metrics["test.interval_holds"];
    assert!((holds - 0.9).abs() < 0.02, "widened by {}, the interval holds {holds} of the maps it was calibrated by", rule.widening);
    assert_eq!(manifest.widening(), rule.widening);
    // Samples are drawn in the steps of the calibration unless another number is named.
    let drawn = |steps: &[&str]| {
        let args = [&["evaluate", "--weights", &calibrated, "--data", &data, "--samples", "2", "--network-only"], steps].concat();
        let output = trainer(&args);
        let table = String::from_utf8_lossy(&output.stdout).into_owned();
        (table, String::from_utf8_lossy(&output.stderr).contains("differ as they should in 2 steps, and are drawn in 1"))
    };
    assert_eq!(drawn(&[]), drawn(&["--steps", "2"]));
    assert!(drawn(&["--steps", "1"]).1 && !drawn(&[]).1);
    fails(&[&calibrate[..], &["18"]].concat(), 1, "19 samples");
}

/// The engine of pages and commands without a GPU draws from the file what the trainer draws: no pixel is more than one of 255 gray levels
/// away, of which half is the PNG's rounding.
fn assert_runtime_draws_the_trainers_map(weights: &str, data: &str, out: &str) {
    succeeds(&["sample", "--weights", weights, "--data", data, "--limit", "1", "--out", out]);
    let dataset = Dataset::open(Path::new(data), "DPM").expect("the dataset opens");
    let sample = dataset.load(0).expect("its first map");
    let png = image::open(Path::new(out).join(dataset.name(0) + ".png")).expect("the trainer's map").into_luma8();
    let engine = CpuEngine::new();
    let checkpoint = Checkpoint::parse(&fs::read(weights).expect("the weights")).expect("they are whole");
    let pipeline = Pipeline::new(checkpoint.build(&engine).expect("the runtime takes them"));
    let scene = PreparedScene::new(&sample.scene);
    let request = MapRequest { scene: &scene, ends: sample.ends(), start: 1.0, options: SampleOptions::default() };
    let map = pollster::block_on(pipeline.draw_map(&engine, &request, no_hook)).expect("it draws");
    let levels = GrayCodec::default().encode_map(&map);
    let largest = levels.iter().zip(png.pixels()).map(|(level, pixel)| (level * 255.0 - f32::from(pixel.0[0])).abs()).fold(0.0, f32::max);
    assert!(levels.iter().any(|level| *level > 0.0) && largest <= 1.0, "the largest difference is {largest} of 255 levels");
}

/// The example of docs/first-stage-loss.md, on a few steps that pass into the adversary's phase.
#[test]
fn the_first_stage_learns_against_an_adversary() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (data, run, config) = (path("data"), path("run"), path("config.toml"));
    succeeds(&["dataset", "synth", "--out", &data, "--procedural", "1", "--transmitters", "2", "--seed", "3"]);
    let doc = include_str!("../../docs/first-stage-loss.md");
    let example = doc.split("```toml").nth(1).and_then(|rest| rest.split("```").next()).expect("the page has an example");
    fs::write(&config, fs::read_to_string(CONFIG).unwrap() + example).unwrap();
    let sets = [format!("data.train=[{data:?}]"), format!("data.valid=[{data:?}]")];
    let small =
        ["steps=4", "whole_map_steps=1", "batch=2", "crop=64", "loss.adversary.phase.start=1"].map(|set| format!("autoencoder.{set}"));
    let sets: Vec<&str> = small.iter().chain(&sets).flat_map(|set| ["--set", set]).collect();
    let train = [&["train", "autoencoder", "--config", &config, "--out", &run], sets.as_slice()].concat();
    let said = succeeds(&train);
    for words in ["log-variance learnt", "perceptual term off", "Hinge loss from step 1", "the discriminator took 3 steps"] {
        assert!(said.contains(words), "{said}");
    }
    let weights = Checkpoint::parse(&fs::read(path("run/autoencoder.safetensors")).unwrap()).unwrap();
    assert!(!weights.tensors().keys().any(|name| name.starts_with("loss.")), "what only training needs is not shipped");

    let with = |set: &str, words: &str| fails(&[train.as_slice(), &["--set", set]].concat(), 1, words);
    with("autoencoder.loss.adversary.discriminator.layers=7", "discriminator.layers is 7, of which maps of 64 pixels leave 0");
    with("autoencoder.loss.adversary.gradient_penalty=-1", "autoencoder.loss.adversary.gradient_penalty is -1");
    let foreign = path("run/autoencoder.safetensors");
    let perceptual = example.replace("# perceptual_weights = \"lpips.safetensors\"", &format!("perceptual_weights = {foreign:?}"));
    fs::write(&config, fs::read_to_string(CONFIG).unwrap() + &perceptual).unwrap();
    let other = path("elsewhere");
    let elsewhere: Vec<&str> = train.iter().map(|&arg| if arg == run { other.as_str() } else { arg }).collect();
    fails(&elsewhere, 1, "is not one of LPIPS over VGG16: 0 applied; 31 missing: loss.perceptual_loss.lin0.model.1.weight [1, 64, 1, 1]");
}

#[test]
fn what_is_wrong_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run").display().to_string();
    let foreign = folder.path().join("foreign.safetensors");
    fs::write(&foreign, b"not weights").unwrap();
    let foreign = foreign.display().to_string();
    let run_with = |set: &str, words: &str| fails(&["train", "autoencoder", "--config", CONFIG, "--out", &run, "--set", set], 1, words);
    run_with("preset=giant", "there is no preset \"giant\"");
    run_with("data.train=[\"/nowhere\"]", "/nowhere");
    run_with("autoencoder.stops=1", "autoencoder.stops");
    run_with("autoencoder.crop=0", "autoencoder.crop is 0");
    fails(&["train", "autoencoder", "--config", "/nowhere.toml", "--out", &run], 1, "/nowhere.toml");
    fails(&["train", "diffusion", "--config", CONFIG, "--out", &run, "--from", &foreign], 1, "foreign.safetensors");
    fails(&["train"], 2, "Usage");
    fails(&["evaluate", "--data", "/nowhere"], 1, "/nowhere");
    let small = folder.path().join("small");
    for image in ["png/buildings_complete/0.png", "gain/DPM/0_0.png"] {
        let path = small.join(image);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        image::GrayImage::new(10, 10).save(&path).unwrap();
    }
    fs::create_dir_all(small.join("antenna")).unwrap();
    fs::write(small.join("antenna/0.json"), "[[3, 3]]").unwrap();
    fails(&["evaluate", "--data", &small.display().to_string()], 1, "map 0_0 has 10 x 10 pixels");
    fails(&["export", "--weights", &foreign, "--out", "nano.bin"], 1, ".safetensors");
    fails(
        &["export", "--weights", &foreign, "--out", &Path::new(&run).join("n.safetensors").display().to_string()],
        1,
        "foreign.safetensors",
    );
}

//! Training the first stage as a user runs it: the latents' scale, the log of the loss's terms, crops that count for nothing.

// Clippy allows unwrap in #[test] functions only; the helpers here are as much tests.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Workshop, fails, strs};
use radiodiff_core::engine::{CountingEngine, Engine};
use radiodiff_core::model::lpips::Lpips;
use radiodiff_core::parameters::{ParameterRecorder, VarBuilder};
use radiodiff_core::weights::{Checkpoint, Precision, serialize};
use radiodiff_dataset::Dataset;
use radiodiff_dataset::folder::{MapFiles, Writer};
use radiodiff_radio::scene::BuildingMask;
use radiodiff_tests::rule::rule_parameter;
use safetensors::tensor::{Dtype, TensorView};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use tch::{Device, Tensor};
use trainer::torch::{TorchEngine, TorchTensor};

fn weights(shop: &Workshop, run: &str) -> Checkpoint {
    Checkpoint::parse(&fs::read(shop.path(&format!("{run}/autoencoder.safetensors"))).unwrap()).unwrap()
}

/// The standard deviation of many latents drawn from the posteriors of all maps.
fn deviation(shop: &Workshop, checkpoint: &Checkpoint) -> f64 {
    tch::set_num_threads(1);
    let e = TorchEngine::new(Device::Cpu);
    let model = checkpoint.build(&e).unwrap();
    let data = Dataset::open(Path::new(&shop.path("data")), "DPM").unwrap();
    let drawn: Vec<Tensor> = (0..data.len())
        .flat_map(|i| {
            let gray: Vec<f32> = data.load(i).unwrap().truth.iter().map(|&level| f32::from(level) / 127.5 - 1.0).collect();
            let posterior = model.first_stage.encode(&e, &e.tensor(&gray, &[1, 1, 32, 32]));
            (0..200).map(|_| posterior.sample(&e, &TorchTensor(posterior.mean.0.randn_like())).0).collect::<Vec<_>>()
        })
        .collect();
    Tensor::cat(&drawn, 0).std(true).double_value(&[])
}

#[test]
fn the_latents_scale_is_measured_or_given() {
    let shop = Workshop::new(&[3, 4]);
    shop.trains("autoencoder", "measured", &[]);
    let measured = weights(&shop, "measured");
    let unit = tch::no_grad(|| deviation(&shop, &measured)) * f64::from(measured.tensors()["scale_factor"].values[0]);
    assert!((unit - 1.0).abs() < 0.01, "scaled latents have the deviation {unit}");

    shop.trains("autoencoder", "given", &["autoencoder.latent_scale=0.7"]);
    assert_eq!(weights(&shop, "given").tensors()["scale_factor"].values, [0.7]);
    shop.trains("autoencoder", "upstream", &["compat=upstream"]);
    assert_eq!(weights(&shop, "upstream").tensors()["scale_factor"].values, [0.25], "the preset's");

    // A first stage that maps every map to the same latent, and stays as it is.
    let mut tensors: BTreeMap<_, _> = measured.tensors().clone().into_iter().collect();
    let latents = measured.manifest().preset.autoencoder.latent_channels;
    tensors.get_mut("first_stage_model.quant_conv.weight").unwrap().values.fill(0.0);
    let bias = &mut tensors.get_mut("first_stage_model.quant_conv.bias").unwrap().values;
    bias[..latents].fill(0.5);
    bias[latents..].fill(-30.0);
    let collapsed = shop.path("collapsed.safetensors");
    fs::write(&collapsed, serialize(&tensors, measured.manifest().clone(), Precision::F32).unwrap()).unwrap();
    let still = |sets: &[&str]| {
        let args = shop.train("autoencoder", "still", &[&["autoencoder.learning_rate=0.0"], sets].concat());
        [args, vec!["--from".into(), collapsed.clone()]].concat()
    };
    fails(&strs(&still(&[])), &["the latents' standard deviation is 3", "e-7", "autoencoder.kl_weight", "autoencoder.latent_scale"]);
    // Its run is done but for the scale.
    common::succeeds(&[strs(&still(&["autoencoder.latent_scale=0.3"])), vec!["--resume"]].concat());
}

/// The log's column `name`, a cell a row; empty where a step had no such term.
fn column(shop: &Workshop, run: &str, name: &str) -> Vec<String> {
    let log = shop.read(&format!("{run}/autoencoder/metrics.csv"));
    let mut rows = log.lines().map(|line| line.split(',').map(str::to_owned).collect::<Vec<_>>());
    let header = rows.next().unwrap();
    let place = header.iter().position(|column| column == name).unwrap_or_else(|| panic!("no column {name} in {header:?}"));
    rows.map(|row| {
        assert_eq!(row.len(), header.len());
        row[place].clone()
    })
    .collect()
}

const ADVERSARY: &str = r#"
[autoencoder.loss]
perceptual_weight = 1.0

[autoencoder.loss.adversary]
weight = 0.5
phase = { start = 3, factor = 1.0 }
discriminator = { channels = 4, layers = 1, normalization = "batch", spectral = false }
"#;

#[test]
fn the_log_tells_the_terms_of_the_loss() {
    let shop = Workshop::new(&[3, 4]);
    shop.trains("autoencoder", "plain", &[]);
    let header = "step,datetime,train/total_loss,train/gradient_norm,lr,train/rec_loss,train/nll_loss,train/kl_loss,\
                  val/nmse,val/rmse,val/ssim,val/psnr_db,val/rmse_db,val/sharpness\n";
    assert!(shop.read("plain/autoencoder/metrics.csv").starts_with(header), "{}", shop.read("plain/autoencoder/metrics.csv"));

    fs::write(shop.path("config.toml"), shop.read("config.toml") + ADVERSARY).unwrap();
    shop.trains("autoencoder", "full", &["autoencoder.steps=6", "validate_every=1"]);
    let numbers = |name: &str| column(&shop, "full", name).iter().map(|cell| cell.parse::<f64>().ok()).collect::<Vec<_>>();
    let log_variance = numbers("train/log_variance");
    assert!(log_variance.len() == 6 && log_variance.iter().all(|s| s.is_some_and(|s| s.abs() > 1e-6)), "it moves: {log_variance:?}");
    assert_ne!(log_variance[0], log_variance[5]);
    for name in ["train/disc_loss", "train/g_loss", "train/d_weight"] {
        let values = numbers(name);
        assert_eq!(values.iter().map(Option::is_some).collect::<Vec<_>>(), [false, false, false, true, true, true], "{name}: {values:?}");
    }
    assert!(numbers("train/d_weight")[3].unwrap() > 0.0);
    let parts = [numbers("train/nll_loss"), numbers("train/kl_loss")].map(|values| values[0].unwrap());
    let [loss, weight] = [numbers("train/total_loss")[0].unwrap(), 1e-6 / (16.0 * 16.0)];
    assert!((parts[0] + weight * parts[1] - loss).abs() < 1e-5 * loss, "before the adversary comes: {parts:?}, {loss}");

    // The public code's log-variance is in no optimiser, and its discriminator takes steps of nothing before its phase.
    shop.trains("autoencoder", "upstream", &["autoencoder.steps=4", "validate_every=2", "samples_every=1", "compat=upstream"]);
    assert!(!shop.read("upstream/autoencoder/metrics.csv").contains("log_variance"));
    assert_eq!(column(&shop, "upstream", "train/disc_loss")[0].parse::<f64>(), Ok(0.0));

    // Pictures have a rhythm of their own, or that of the validations.
    let pictures = |run: &str| fs::read_dir(shop.path(&format!("{run}/autoencoder/images"))).expect("pictures").count();
    assert_eq!((pictures("full"), pictures("upstream")), (6, 4));
    let rated = column(&shop, "upstream", "val/nmse").iter().filter(|cell| !cell.is_empty()).count();
    assert_eq!(rated, 2, "only validations have scores");
}

/// With `building_weight` 0 a crop that is all building counts for nothing, and training goes on.
#[test]
fn a_crop_wholly_inside_a_building_is_no_division_by_zero() {
    let shop = Workshop::new(&[]);
    let mut pixels = vec![1; 32 * 32];
    (0..3).for_each(|row| pixels[row * 32..row * 32 + 3].fill(0));
    let mask = BuildingMask { size: 32, pixels };
    let gray: Vec<u8> = mask.pixels.iter().map(|&inside| if inside == 0 { 200 } else { 0 }).collect();
    let files = MapFiles { mask: &mask, outlines: None, cars: None, transmitters: &[((1, 1), gray)] };
    Writer::create(Path::new(&shop.path("data")), "DPM", false).unwrap().write_map(5, &files).unwrap();
    shop.trains("autoencoder", "run", &["autoencoder.steps=6", "autoencoder.crop=4", "data.building_weight=0.0", "validate_every=1"]);
    let losses = column(&shop, "run", "train/nll_loss");
    let losses: Vec<f64> = losses.iter().map(|loss| loss.parse().unwrap()).collect();
    assert!(losses.iter().all(|loss| loss.is_finite()), "{losses:?}");
    assert!(losses.contains(&0.0), "some crop was all building: {losses:?}");
    let finite = |tensor: &radiodiff_core::weights::HostTensor| tensor.values.iter().all(|value| value.is_finite());
    assert!(weights(&shop, "run").tensors().values().all(finite));
}

/// LPIPS's weights by rule, in one of the ways that files hold them: (name, element type), without `lin4.model.1.weight` where
/// it is to be missing.
fn lpips_file(path: &str, dtype: Dtype, named: impl Fn(&str) -> Vec<String>, whole: bool) {
    let recorder = ParameterRecorder::default();
    Lpips::new(&VarBuilder::new(&CountingEngine::default(), &recorder)).unwrap();
    let mut tensors = BTreeMap::from([("loss.logvar".to_owned(), (vec![1], vec![0; dtype.bitsize() / 8]))]);
    for (name, spec) in recorder.take().into_iter().filter(|(name, _)| whole || name != "lin4.model.1.weight") {
        // Numbers that bfloat16 has, so that every file holds the same.
        let values = rule_parameter(1, &name, &spec.shape).into_iter().map(|v| f32::from_bits(v.to_bits() & 0xFFFF_0000));
        let bytes: Vec<u8> = match dtype {
            Dtype::F64 => values.flat_map(|v| f64::from(v).to_le_bytes()).collect(),
            // The upper half of a float32.
            Dtype::BF16 => values.flat_map(|v| v.to_le_bytes()[2..].to_vec()).collect(),
            _ => values.flat_map(|v| v.to_le_bytes()).collect(),
        };
        named(&name).into_iter().for_each(|name| drop(tensors.insert(name, (spec.shape.clone(), bytes.clone()))));
    }
    let views = tensors.iter().map(|(name, (shape, bytes))| (name, TensorView::new(dtype, shape.clone(), bytes).unwrap()));
    fs::write(path, safetensors::serialize(views, None).unwrap()).unwrap();
}

#[test]
fn the_perceptual_term_takes_its_weights_from_what_files_there_are() {
    let shop = Workshop::new(&[3]);
    let file = shop.path("lpips.safetensors");
    fs::write(shop.path("config.toml"), format!("{}\n[autoencoder.loss]\nperceptual_weights = {file:?}\n", shop.read("config.toml")))
        .unwrap();
    let one = |root: &'static str| move |name: &str| vec![format!("{root}{name}")];
    let steps = ["autoencoder.steps=1", "autoencoder.learning_rate=0.0"];
    let distance = |run: &str| {
        let said = shop.trains("autoencoder", run, &steps);
        assert!(said.contains("LPIPS with weight 1"), "{said}");
        (said, column(&shop, run, "train/perceptual_loss")[0].parse::<f64>().unwrap())
    };
    lpips_file(&file, Dtype::F32, one("loss.perceptual_loss."), true);
    let (said, expected) = distance("plain");
    assert!(said.contains("lpips.safetensors: 31 applied; 1 unused: loss.logvar") && expected != 0.0, "{said}");
    lpips_file(&file, Dtype::F64, one(""), true);
    assert_eq!(distance("bare").1, expected);
    lpips_file(&file, Dtype::BF16, one("first_stage_model.loss.perceptual_loss."), true);
    assert_eq!(distance("deep").1, expected);
    // The public checkpoints hold it once more, for a loss that nothing uses.
    let twice =
        |name: &str| ["first_stage_model.loss", "first_stage_model.other"].map(|at| format!("{at}.perceptual_loss.{name}")).to_vec();
    lpips_file(&file, Dtype::F32, twice, true);
    let (said, found) = distance("twice");
    assert!(found == expected && said.contains("31 applied; 32 unused: first_stage_model.other.perceptual_loss."), "{said}");

    lpips_file(&file, Dtype::F32, one(""), false);
    let words = [
        "autoencoder.loss.perceptual_weights: ",
        "LPIPS over VGG16: 30 applied; 1 missing: loss.perceptual_loss.lin4.model.1.weight [1, 512, 1, 1]",
    ];
    fails(&strs(&shop.train("autoencoder", "lacking", &steps)), &words);
    fs::write(&file, b"no file of tensors").unwrap();
    fails(&strs(&shop.train("autoencoder", "damaged", &steps)), &["lpips.safetensors: not a safetensors file"]);
}

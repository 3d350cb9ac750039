//! Files for other programs, read by those programs: TensorBoard reads a run's log, ONNX Runtime runs an exported network.

use pollster::block_on;
use radiodiff_core::diffusion::{SampleOptions, parameter_shapes};
use radiodiff_core::engine::Engine;
use radiodiff_core::model::Preset;
use radiodiff_core::pipeline::draw_on_device;
use radiodiff_core::random::{standard_normal, uniform};
use radiodiff_core::weights::{Checkpoint, HostTensor, Precision, WeightsManifest, serialize};
use radiodiff_engines::cpu::CpuEngine;
use radiodiff_tests::rule::rule_parameter;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;
use tch::Device;
use trainer::export::onnx::onnx;
use trainer::run_log::{GrayGrid, RunLog};
use trainer::torch::TorchEngine;

/// Runs a Python script of this folder with the packages that read the trainer's files; what it prints.
fn python(script: &str, arguments: &[&Path]) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python");
    let Some(packages) = option_env!("RADIODIFF_PYTHON_PACKAGES_FOLDER") else {
        panic!("the build script names the packages where they are")
    };
    let mut command = Command::new("python3");
    command.arg(folder.join(script)).args(arguments).env("PYTHONPATH", packages).env("PYTHONDONTWRITEBYTECODE", "1");
    let output = command.output().expect("python3 runs");
    assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("a script prints UTF-8")
}

#[test]
#[cfg_attr(not(python_packages), ignore = "needs TensorBoard and ONNX Runtime (RADIODIFF_PYTHON_PACKAGES)")]
fn tensorboard_reads_scalars_and_images_of_a_resumed_run() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut log = RunLog::create(folder.path()).expect("a log");
    for step in 1..=5 {
        log.scalars(step, &[("train/total_loss", 0.5 * step as f64)]).expect("the step is written");
    }
    let mut log = RunLog::resume(folder.path(), 3).expect("a log");
    let grid = GrayGrid::new(2, &[vec![vec![0, 50, 100, 150], vec![200; 4]]]).expect("a grid");
    log.images(4, "samples", &grid).expect("the grid is written");
    log.scalars(4, &[("train/total_loss", 7.5), ("val/nmse", 0.25)]).expect("the step is written");
    drop(log);
    let read: serde_json::Value = serde_json::from_str(&python("read_events.py", &[folder.path()])).expect("the script prints JSON");
    assert_eq!(read["scalars"]["train/total_loss"], serde_json::json!([[1, 0.5], [2, 1.0], [3, 1.5], [4, 7.5]]));
    assert_eq!(read["scalars"]["val/nmse"], serde_json::json!([[4, 0.25]]));
    let png = fs::read(folder.path().join("images/samples-00000004.png")).expect("the PNG is there");
    assert_eq!(read["images"]["samples"], serde_json::json!([[4, 6, 2, png]]));
}

/// The seed of a map's noise.
const SEED: u64 = 7;

/// A condition for a preset, (1, C, N, N).
fn condition(preset: &Preset) -> (Vec<f32>, [usize; 4]) {
    let shape = [1, preset.condition.channels.len(), preset.map_size, preset.map_size];
    (uniform(1, 0, shape.iter().product()).into_iter().map(|u| 2.0 * u as f32 - 1.0).collect(), shape)
}

/// The gray levels of a map that an engine draws, or of its quantiles.
fn drawn_by<E: Engine>(engine: &E, checkpoint: &Checkpoint) -> Vec<f32> {
    let (condition, shape) = condition(&checkpoint.manifest().preset);
    let condition = engine.tensor(&condition, &shape);
    let gray = if checkpoint.holds_quantiles() {
        checkpoint.build_quantiles(engine).expect("the network is built").gray(engine, &condition)
    } else {
        let model = checkpoint.build(engine).expect("the networks are built");
        let options = SampleOptions { seed: SEED, ..SampleOptions::default() };
        block_on(draw_on_device(engine, &model, &condition, &options))
    };
    block_on(engine.read(&gray)).expect("the engine draws")
}

/// Draws a map by the CPU engine and by ONNX Runtime, from the exported file.
fn assert_onnx_draws_as_the_engine(checkpoint: &Checkpoint) {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("network.onnx"), onnx(checkpoint).expect("the network is exported")).expect("the file is written");
    let preset = &checkpoint.manifest().preset;
    let (expected, (condition, _)) = (drawn_by(&CpuEngine::default(), checkpoint), condition(preset));
    let noise = standard_normal(SEED, 0, preset.unet.latent_channels * preset.unet.latent_size.pow(2));
    for (name, values) in [("condition", &condition), ("noise", &noise)] {
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        fs::write(folder.path().join(name), bytes).expect("the file is written");
    }
    python("run_onnx.py", &[folder.path()]);
    let drawn = fs::read(folder.path().join("gray")).expect("the script writes the map");
    let drawn: Vec<f32> = drawn.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
    assert_eq!(drawn.len(), expected.len());
    let worst = drawn.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    println!("{}: largest difference {worst:e}", preset.name);
    assert!(worst <= 1e-4, "{}: gray levels differ by {worst}", preset.name);
    let (low, high) = expected.iter().fold((1.0_f32, 0.0_f32), |(low, high), v| (low.min(*v), high.max(*v)));
    assert!(high - low > 0.01, "the map of {} is flat, which any network could draw", preset.name);
}

#[test]
#[cfg_attr(not(python_packages), ignore = "needs TensorBoard and ONNX Runtime (RADIODIFF_PYTHON_PACKAGES)")]
fn onnx_runtime_draws_what_ships_as_the_cpu_engine_does() {
    for weights in [radiodiff_tests::SHIPPED_WEIGHTS, radiodiff_tests::SHIPPED_QUANTILES] {
        let bytes = fs::read(weights).expect("the shipped weights");
        assert_onnx_draws_as_the_engine(&Checkpoint::parse(&bytes).expect("sound weights"));
    }
}

#[test]
fn onnx_files_that_ship_are_of_the_weights_beside_them() {
    for weights in [radiodiff_tests::SHIPPED_WEIGHTS, radiodiff_tests::SHIPPED_QUANTILES] {
        let checkpoint = Checkpoint::parse(&fs::read(weights).expect("the shipped weights")).expect("sound weights");
        let file = Path::new(weights).with_extension("onnx");
        let shipped = fs::read(&file).expect("trainer-native/ship.sh writes it");
        assert!(shipped == onnx(&checkpoint).expect("the network is exported"), "{} is of other weights", file.display());
    }
}

/// A small network with every part of the paper's: windows, shifts, the adaptive Fourier product, linear attention.
#[test]
#[cfg_attr(not(python_packages), ignore = "needs TensorBoard and ONNX Runtime (RADIODIFF_PYTHON_PACKAGES)")]
fn onnx_runtime_draws_a_small_paper_network_as_the_cpu_engine_does() {
    assert_onnx_draws_as_the_engine(&by_rule(radiodiff_tests::small::preset()));
}

#[test]
#[ignore = "slow: a map of edge on three engines (RADIODIFF_PYTHON_PACKAGES)"]
fn onnx_runtime_draws_edge_as_the_engines_do() {
    let edge = by_rule(Preset::named("edge").expect("a known preset"));
    assert_onnx_draws_as_the_engine(&edge);
    let exact = drawn_by(&TorchEngine::in_double(Device::Cpu), &edge);
    for (engine, drawn) in [("libtorch", drawn_by(&TorchEngine::new(Device::Cpu), &edge)), ("CPU", drawn_by(&CpuEngine::default(), &edge))]
    {
        let worst = drawn.iter().zip(&exact).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        println!("edge: {engine} in float32 differs from libtorch in float64 by {worst:e}");
        assert!(worst <= 1e-4, "{engine}: gray levels differ by {worst}");
    }
}

/// Weights by rule.
fn by_rule(preset: Preset) -> Checkpoint {
    let shapes = parameter_shapes(&preset).expect("a sound preset");
    let tensor = |(name, shape): (String, Vec<usize>)| {
        let values = rule_parameter(radiodiff_tests::small::SEED, &name, &shape);
        (name, HostTensor { shape, values })
    };
    let tensors: BTreeMap<String, HostTensor> = shapes.into_iter().map(tensor).collect();
    let bytes = serialize(&tensors, WeightsManifest::of(preset), Precision::F32).expect("the weights are written");
    Checkpoint::parse(&bytes).expect("sound weights")
}

//! The GPU engine on this machine's Vulkan driver (Mesa's lavapipe where there is no GPU): every operation, a whole network
//! compared with the CPU engine, and the loss of the device.

use radiodiff_core::diffusion::{RadioDiff, SampleOptions};
use radiodiff_core::engine::{Binary, ConvGeometry, Engine, EngineError, Padding, Unary, conformance};
use radiodiff_core::model::Preset;
use radiodiff_core::parameters::VarBuilder;
use radiodiff_core::pipeline::draw_on_device;
use radiodiff_engines::cpu::CpuEngine;
use radiodiff_engines::wgpu::{ConvMethod, GpuEngine, GpuError, GpuOptions, Precision};
use radiodiff_tests::rule::{RuleSource, rule_values};
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

fn engine() -> GpuEngine {
    engine_of(Precision::F32)
}

fn engine_of(precision: Precision) -> GpuEngine {
    match pollster::block_on(GpuEngine::new(GpuOptions { allow_software: true, precision })) {
        Ok(engine) => engine,
        Err(error) => panic!("this test needs a Vulkan driver: {error}"),
    }
}

/// An engine that chooses its kernels for the adapter, and one that chooses them as on a GPU.
fn engines() -> [GpuEngine; 2] {
    let as_on_a_gpu = engine();
    as_on_a_gpu.compute_as_on_a_gpu();
    [engine(), as_on_a_gpu]
}

fn values(name: &str, count: usize) -> Vec<f32> {
    rule_values(7, name, count).map(|v| v as f32).collect()
}

/// Runs a computation on both engines and asserts that no value differs by more than 1e-5 of the largest.
#[track_caller]
fn assert_same(gpu: &GpuEngine, what: &str, run: impl Fn(&dyn Computations) -> Vec<f32>) {
    assert_within(gpu, what, 1e-5, run);
}

/// The same with a tolerance. Returns the largest difference.
#[track_caller]
fn assert_within(gpu: &GpuEngine, what: &str, tolerance: f32, run: impl Fn(&dyn Computations) -> Vec<f32>) -> f32 {
    let (expected, found) = (run(&CpuEngine::new()), run(gpu));
    assert_eq!(found.len(), expected.len(), "{what}");
    let largest = expected.iter().fold(1e-30_f32, |m, v| m.max(v.abs()));
    let errors = found.iter().zip(&expected).map(|(found, expected)| (found - expected).abs() / largest);
    for (i, error) in errors.clone().enumerate() {
        assert!(error <= tolerance, "{what}: element {i} is {}, the CPU has {}", found[i], expected[i]);
    }
    errors.fold(0.0, f32::max)
}

/// Computations that both engines run on tensors made by rule.
trait Computations {
    fn conv(&self, x: [usize; 4], weight: [usize; 4], geometry: ConvGeometry) -> Vec<f32>;
    fn group_norm(&self, x: [usize; 4], groups: usize, offset: f32) -> Vec<f32>;
    fn transposed(&self, rows: usize, columns: usize) -> Vec<f32>;
    fn outer_sum(&self, rows: usize, columns: usize) -> Vec<f32>;
    fn waves(&self, largest: f32) -> Vec<f32>;
    fn attention(&self, tokens: usize, width: usize) -> Vec<f32>;
    fn linear_attention(&self, qkv: [usize; 4], heads: usize) -> Vec<f32>;
    fn group_norm_film_silu(&self, x: [usize; 4], groups: usize) -> Vec<f32>;
    fn normalized_twice(&self, rows: usize, columns: usize) -> Vec<f32>;
}

impl<E: Engine> Computations for E {
    fn conv(&self, x: [usize; 4], weight: [usize; 4], geometry: ConvGeometry) -> Vec<f32> {
        let named = |name, shape: &[usize]| self.tensor(&values(name, shape.iter().product()), shape);
        let (x, weight, bias) = (named("x", &x), named("weight", &weight), named("bias", &weight[..1]));
        read(self, &self.conv2d(&x, &weight, Some(&bias), geometry))
    }
    fn group_norm(&self, x: [usize; 4], groups: usize, offset: f32) -> Vec<f32> {
        let weight = self.tensor(&values("weight", x[1]), &[x[1]]);
        let x = self.affine(&self.tensor(&values("x", x.iter().product()), &x), 1.0, offset);
        read(self, &Engine::group_norm(self, &x, groups, &weight, &weight, 1e-5))
    }
    fn transposed(&self, rows: usize, columns: usize) -> Vec<f32> {
        read(self, &self.permute(&self.tensor(&values("x", rows * columns), &[rows, columns]), &[1, 0]))
    }
    fn outer_sum(&self, rows: usize, columns: usize) -> Vec<f32> {
        let (a, b) = (self.tensor(&values("a", rows), &[rows, 1]), self.tensor(&values("b", columns), &[columns]));
        read(self, &self.add(&a, &b))
    }
    fn attention(&self, tokens: usize, width: usize) -> Vec<f32> {
        let [q, k, v] = ["q", "k", "v"].map(|name| self.tensor(&values(name, tokens * width), &[1, tokens, width]));
        read(self, &Engine::attention(self, &q, &k, &v, 0.5))
    }
    fn linear_attention(&self, qkv: [usize; 4], heads: usize) -> Vec<f32> {
        read(self, &Engine::linear_attention(self, &self.tensor(&values("qkv", qkv.iter().product()), &qkv), heads))
    }
    fn group_norm_film_silu(&self, x: [usize; 4], groups: usize) -> Vec<f32> {
        let [n, channels, ..] = x;
        let [weight, bias] = ["weight", "bias"].map(|name| self.tensor(&values(name, channels), &[channels]));
        let film = self.tensor(&values("film", 2 * n * channels), &[n, 2 * channels]);
        let x = self.tensor(&values("x", x.iter().product()), &x);
        read(self, &Engine::group_norm_film_silu(self, &x, groups, [&weight, &bias], 1e-5, &film))
    }
    fn normalized_twice(&self, rows: usize, columns: usize) -> Vec<f32> {
        let weight = self.tensor(&values("weight", rows * columns), &[rows, columns]);
        let again = self.normalize_last(&self.reshape(&weight, &[columns, rows]), 1e-5);
        let results = [self.normalize_last(&weight, 1e-5), again, self.normalize_last(&weight, 0.5), self.normalize_last(&weight, 1e-5)];
        results.iter().flat_map(|result| read(self, result)).collect()
    }
    fn waves(&self, largest: f32) -> Vec<f32> {
        let x = self.affine(&self.tensor(&values("x", 5000), &[5000]), largest, 0.0);
        [Unary::Sin, Unary::Cos].into_iter().flat_map(|op| read(self, &self.unary(op, &x))).collect()
    }
}

fn read<E: Engine>(engine: &E, x: &E::Tensor) -> Vec<f32> {
    match pollster::block_on(engine.read(x)) {
        Ok(values) => values,
        Err(error) => panic!("a result could not be read: {error}"),
    }
}

#[test]
fn every_operation_is_right() {
    for engine in engines() {
        println!("{:?}", engine.report());
        let failures = pollster::block_on(conformance::check(&engine, 1e-5));
        assert!(failures.is_empty(), "{}", failures.join("\n"));
    }
}

/// The work of convolutions whose shapes have remainders along every tile of every method, of one term and of thousands.
fn for_every_convolution(engine: &GpuEngine, mut check: impl FnMut(ConvMethod, &str, &dyn Fn(&dyn Computations) -> Vec<f32>)) {
    let geometries = [
        ([1, 1], ConvGeometry::same(1)),
        ([3, 3], ConvGeometry::same(3)),
        ([4, 4], ConvGeometry { stride: 2, padding: Padding::all(1) }),
        ([3, 3], ConvGeometry { stride: 2, padding: Padding::bottom_right(1) }),
        ([5, 2], ConvGeometry { stride: 1, padding: Padding { top: 3, bottom: 0, left: 0, right: 2 } }),
    ];
    let images =
        [([1, 1, 4, 4], 1), ([2, 3, 5, 9], 5), ([1, 33, 8, 8], 20), ([1, 70, 11, 13], 67), ([2, 12, 19, 130], 12), ([1, 256, 8, 8], 20)];
    for method in ConvMethod::ALL {
        engine.choose_conv_methods(move |_| method);
        for (kernel, geometry) in geometries {
            for (image, channels) in images {
                let weight = [channels, image[1], kernel[0], kernel[1]];
                let what = format!("{method:?}: {weight:?} of {image:?}, {geometry:?}");
                check(method, &what, &|e| e.conv(image, weight, geometry));
            }
        }
    }
}

#[test]
fn every_method_of_convolution_is_right() {
    let engine = engine();
    for_every_convolution(&engine, |_, what, run| assert_same(&engine, what, run));
}

/// A weight of 16 bits is off by half of 2^-10 at most, and so is a pixel.
#[test]
fn convolutions_in_16_bits_have_the_digits_of_16_bits() {
    for (precision, tolerance) in [(Precision::F16Weights, 1e-3), (Precision::F16, 2e-3)] {
        let engine = engine_of(precision);
        assert_eq!(engine.report().precision, if engine.report().f16 { precision } else { Precision::F16Weights });
        let mut worst = [0.0; ConvMethod::ALL.len()];
        for_every_convolution(&engine, |method, what, run| {
            let error = assert_within(&engine, what, tolerance, run);
            let worst = &mut worst[ConvMethod::ALL.iter().position(|&other| other == method).unwrap()];
            *worst = error.max(*worst);
        });
        println!("largest differences by {precision:?}: {worst:?}");
        assert!(worst.iter().all(|&error| error > 1e-5), "{precision:?} computes in 32 bits: {worst:?}");
    }
}

#[test]
fn nano_draws_the_map_that_the_cpu_draws() {
    let preset = Preset::named("nano").unwrap();
    let condition = values("condition", preset.condition.channels.len() * preset.map_size * preset.map_size);
    fn map<E: Engine>(engine: &E, preset: &Preset, condition: &[f32], options: &SampleOptions) -> Vec<f32> {
        let network = RadioDiff::new(preset, &VarBuilder::new(engine, &RuleSource { seed: 5 })).unwrap();
        let condition = engine.tensor(condition, &[1, preset.condition.channels.len(), preset.map_size, preset.map_size]);
        read(engine, &pollster::block_on(draw_on_device(engine, &network, &condition, options)))
    }
    let options = SampleOptions { steps: 2, seed: 3, split_last_step: false };
    let expected = map(&CpuEngine::new(), &preset, &condition, &options);
    // A map that is black or white everywhere would hide differences.
    let shaded = expected.iter().filter(|&&v| v > 0.0 && v < 1.0).count();
    assert!(shaded > expected.len() / 2, "{shaded} of {} pixels are shaded", expected.len());
    for (choice, engine) in ["the adapter's", "a GPU's"].into_iter().zip(engines()) {
        let found = map(&engine, &preset, &condition, &options);
        assert_eq!(found.len(), preset.map_size * preset.map_size);
        let worst = found.iter().zip(&expected).map(|(f, e)| (f - e).abs()).fold(0.0, f32::max);
        println!("largest difference of gray by {choice} kernels: {worst:.2e}");
        assert!(worst < 1e-4, "a gray level is off by {worst} by {choice} kernels");
    }
}

#[test]
fn convolutions_are_right_at_every_remainder() {
    let engine = engine();
    for width in 1..11 {
        assert_same(&engine, &format!("3 x 3, width {width}"), |e| e.conv([2, 3, 5, width], [4, 3, 3, 3], ConvGeometry::same(3)));
        assert_same(&engine, &format!("1 x 1, width {width}"), |e| e.conv([2, 3, 5, width], [4, 3, 1, 1], ConvGeometry::same(1)));
    }
    for channels in 1..19 {
        assert_same(&engine, &format!("to {channels}"), |e| e.conv([1, 2, 6, 13], [channels, 2, 3, 3], ConvGeometry::same(3)));
        assert_same(&engine, &format!("from {channels}"), |e| e.conv([1, channels, 6, 9], [5, channels, 2, 5], ConvGeometry::same(1)));
    }
}

#[test]
fn work_that_exceeds_one_row_of_workgroups_is_done() {
    let engine = engine();
    // One more than 65,535 workgroups of 64 threads.
    assert_same(&engine, "a large transposition", |e| e.transposed(2050, 2050));
    assert_same(&engine, "a large broadcast", |e| e.outer_sum(4099, 1025));
}

#[test]
fn norms_of_many_pixels_hold_with_an_offset() {
    for engine in engines() {
        assert_same(&engine, "group norm in chunks", |e| e.group_norm([2, 6, 61, 67], 2, 0.0));
        assert_same(&engine, "group norm in chunks, four pixels at a time", |e| e.group_norm([2, 6, 62, 66], 2, 0.0));
        // 30 deviations away; 1e-7 of the offset is 3e-6 of a deviation.
        assert_same(&engine, "group norm far from zero", |e| e.group_norm([1, 4, 150, 131], 2, 17.0));
    }
}

#[test]
fn fused_layers_are_right() {
    let engine = engine();
    for (qkv, heads) in [([2, 24, 5, 7], 4), ([1, 30, 9, 20], 1), ([1, 96, 16, 16], 1), ([2, 3, 1, 1], 1)] {
        assert_same(&engine, &format!("linear attention of {qkv:?}"), |e| e.linear_attention(qkv, heads));
    }
    assert_same(&engine, "modulated group norm", |e| e.group_norm_film_silu([2, 6, 5, 7], 3));
    assert_same(&engine, "modulated group norm, four pixels at a time", |e| e.group_norm_film_silu([2, 6, 6, 10], 3));
    // A weight from the host keeps its last result, which belongs to one shape and one epsilon.
    assert_same(&engine, "normalisation of one weight in two shapes", |e| e.normalized_twice(6, 10));
}

/// 6,400 queries and keys, as in the first stage for maps of 320 pixels: their matrix would take 156 MiB.
#[test]
fn attention_of_many_pixels_stores_few_scores_and_as_on_a_gpu_none() {
    for (engine, most) in engines().into_iter().zip([64 << 20, 6400 * 4 * 4]) {
        assert_same(&engine, "attention", |e| e.attention(6400, 4));
        assert!(engine.largest_tensor_bytes() <= most, "a buffer of {} bytes", engine.largest_tensor_bytes());
    }
}

#[test]
fn sines_hold_for_many_turns() {
    assert_same(&engine(), "sine and cosine", |e| e.waves(700.0));
}

#[test]
fn an_upload_does_not_overwrite_what_recorded_work_reads() {
    let engine = engine();
    for _ in 0..3 {
        let first = engine.tensor(&[1.0; 1000], &[1000]);
        let doubled = engine.affine(&first, 2.0, 0.0);
        drop(first);
        let second = engine.tensor(&[5.0; 1000], &[1000]);
        assert_eq!(read(&engine, &doubled), [2.0; 1000]);
        assert_eq!(read(&engine, &second), [5.0; 1000]);
    }
}

#[test]
fn a_software_adapter_is_taken_only_on_request() {
    let software = engine().report().software;
    match pollster::block_on(GpuEngine::new(GpuOptions::default())) {
        Ok(engine) => assert!(!software && !engine.report().software),
        Err(GpuError::SoftwareAdapter { name }) => assert!(software && !name.is_empty()),
        Err(other) => panic!("expected an engine or a refusal of software, found {other}"),
    }
}

#[test]
fn a_lost_device_is_an_error_of_the_next_read() {
    let engine = engine();
    let x = engine.tensor(&[1.0, 2.0], &[2]);
    let before = engine.affine(&x, 2.0, 0.0);
    assert_eq!(engine.lost(), None);
    engine.destroy();
    let after = engine.binary(Binary::Add, &engine.tensor(&[3.0, 4.0], &[2]), &before);
    for tensor in [&x, &before, &after] {
        assert!(matches!(pollster::block_on(engine.read(tensor)), Err(EngineError::DeviceLost { .. })));
    }
    assert!(engine.lost().is_some());
}

#[test]
fn a_device_lost_while_a_result_is_awaited_is_an_error() {
    let engine = engine();
    let mut x = engine.tensor(&values("x", 1 << 20), &[1, 64, 128, 128]);
    let weight = engine.tensor(&values("weight", 64 * 64 * 9), &[64, 64, 3, 3]);
    for _ in 0..4 {
        x = engine.conv2d(&x, &weight, None, ConvGeometry::same(3));
    }
    let mut reading = pin!(engine.read(&x));
    let mut context = Context::from_waker(Waker::noop());
    assert!(reading.as_mut().poll(&mut context).is_pending(), "the result came before the device could be lost");
    engine.destroy();
    let result = loop {
        if let Poll::Ready(result) = reading.as_mut().poll(&mut context) {
            break result;
        }
    };
    assert!(matches!(result, Err(EngineError::DeviceLost { .. })), "{result:?}");
}

#[test]
fn a_tensor_that_no_device_holds_is_an_error_and_not_a_panic() {
    let engine = engine();
    let side = 65_535;
    let (a, b) = (engine.tensor(&vec![0.0; side], &[side, 1]), engine.tensor(&vec![0.0; side], &[side]));
    let sum = engine.add(&a, &b);
    let error = pollster::block_on(engine.read(&engine.mean_from(&sum, 0))).unwrap_err();
    assert!(matches!(&error, EngineError::OutOfMemory { what } if what.contains("[65535, 65535]")), "{error}");
}

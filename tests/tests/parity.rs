//! Every engine draws the same map as burn on the CPU, from the same scene, noise and weights.

use pollster::block_on;
use radiodiff_core::engine::Engine;
use radiodiff_engines::burn::BurnFlex;
use radiodiff_engines::cpu::CpuEngine;
use radiodiff_engines::wgpu::{GpuEngine, GpuOptions, Precision};
use radiodiff_tests::{MapCase, RawMap, layers};
use std::sync::OnceLock;

/// The cases with the maps that burn draws, made once for all engines.
fn references() -> &'static [(MapCase, RawMap)] {
    static REFERENCES: OnceLock<Vec<(MapCase, RawMap)>> = OnceLock::new();
    REFERENCES.get_or_init(|| {
        let burn = BurnFlex::default();
        MapCase::all()
            .into_iter()
            .map(|case| {
                let drawing = block_on(case.draw(&burn)).expect("burn reads");
                (case, drawing)
            })
            .collect()
    })
}

fn draws_the_same_maps(engine_name: &str, engine: &impl Engine, rounding: f64) {
    for (case, expected) in references() {
        block_on(case.assert_drawn_as(engine_name, engine, expected, rounding));
    }
}

#[test]
fn the_simd_engine_draws_the_same_maps() {
    draws_the_same_maps("the SIMD engine", &CpuEngine::new(), 1e-5);
}

/// On any Vulkan adapter; `cargo xtask test` installs one that computes on the CPU.
#[test]
fn the_gpu_engine_draws_the_same_maps() {
    let engine = block_on(GpuEngine::new(GpuOptions { allow_software: true, ..Default::default() })).expect("a Vulkan adapter");
    draws_the_same_maps("the GPU engine", &engine, 1e-4);
}

/// The shipped networks with weights, or weights and products, of 16 bits, by the kernels for GPUs.
#[test]
fn maps_in_16_bits_are_within_a_decibel() {
    for precision in [Precision::F16Weights, Precision::F16] {
        let engine = block_on(GpuEngine::new(GpuOptions { allow_software: true, precision })).expect("a Vulkan adapter");
        engine.compute_as_on_a_gpu();
        for (case, expected) in references().iter().filter(|(case, _)| case.name.contains("shipped")) {
            let found = block_on(case.draw(&engine)).expect("the GPU reads");
            let difference = case.difference(&found, expected);
            println!("{} in {precision:?}: {difference:?}", case.name);
            assert!(difference.within_1_db >= 0.999, "{} in {precision:?}: {difference:?}", case.name);
        }
        block_on(references()[0].0.assert_same_quantiles(&CpuEngine::new(), &engine));
    }
}

/// The shipped weights on the GPU engine, against the SIMD engine, which trainer-native/tests/engine.rs holds to libtorch.
#[test]
#[ignore = "slow: twenty maps of five steps"]
fn the_gpu_engine_draws_twenty_scenes() {
    let (cpu, gpu) =
        (CpuEngine::new(), block_on(GpuEngine::new(GpuOptions { allow_software: true, ..Default::default() })).expect("a Vulkan adapter"));
    for case in MapCase::twenty() {
        let expected = block_on(case.draw(&cpu)).expect("the CPU reads");
        block_on(case.assert_drawn_as("the GPU engine", &gpu, &expected, 1e-4));
    }
}

/// As above, in 16 bits by the kernels for GPUs.
#[test]
#[ignore = "slow: twenty maps of five steps and the quantiles of twenty places, by kernels that suit no CPU"]
fn twenty_scenes_in_16_bits_are_within_a_decibel() {
    let cpu = CpuEngine::new();
    let gpu = block_on(GpuEngine::new(GpuOptions { allow_software: true, precision: Precision::F16 })).expect("a Vulkan adapter");
    gpu.compute_as_on_a_gpu();
    for case in MapCase::twenty() {
        let [expected, found] = [block_on(case.draw(&cpu)), block_on(case.draw(&gpu))].map(|map| map.expect("the engine reads"));
        let difference = case.difference(&found, &expected);
        println!("{}: {difference:?}", case.name);
        assert!(difference.within_1_db >= 0.999, "{}: {difference:?}", case.name);
        block_on(case.assert_same_quantiles(&cpu, &gpu));
    }
}

/// The same of the network of quantiles, in 32 bits.
#[test]
#[ignore = "slow: the quantiles of twenty places"]
fn the_gpu_engine_says_the_quantiles_of_twenty_scenes() {
    let (cpu, gpu) =
        (CpuEngine::new(), block_on(GpuEngine::new(GpuOptions { allow_software: true, ..Default::default() })).expect("a Vulkan adapter"));
    for case in MapCase::twenty() {
        block_on(case.assert_same_quantiles(&cpu, &gpu));
    }
}

#[test]
fn every_layer_is_the_same_on_every_engine() {
    let burn = BurnFlex::default();
    let gpu = block_on(GpuEngine::new(GpuOptions { allow_software: true, ..Default::default() })).expect("a Vulkan adapter");
    let simd = block_on(layers::check(&CpuEngine::new(), &burn, 1e-5)).expect("the CPU reads");
    let gpu = block_on(layers::check(&gpu, &burn, 1e-4)).expect("the GPU reads");
    assert!(simd.is_empty() && gpu.is_empty(), "the SIMD engine: {simd:?}; the GPU engine: {gpu:?}");
}

/// A comparison of maps without contrast would prove nothing.
#[test]
fn the_maps_compared_have_contrast() {
    for (case, drawing) in references() {
        let mean = drawing.gray.iter().sum::<f32>() / drawing.gray.len() as f32;
        let deviation = (drawing.gray.iter().map(|v| (v - mean).powi(2)).sum::<f32>() / drawing.gray.len() as f32).sqrt();
        println!("{}: gray {mean} +- {deviation}", case.name);
        assert!((0.05..5.0).contains(&deviation), "{}: gray levels deviate by {deviation} from their mean", case.name);
    }
}

//! The libtorch engine computes what every engine must, and draws the maps the runtime draws.

// Clippy allows unwrap in #[test] functions only; the helpers here are as much tests.
#![allow(clippy::unwrap_used)]

use pollster::block_on;
use radiodiff_core::engine::conformance;
use radiodiff_engines::cpu::CpuEngine;
use radiodiff_tests::{MapCase, layers};
use trainer::torch::TorchEngine;

#[test]
fn every_operation_is_right() {
    let failures = block_on(conformance::check(&TorchEngine::new(tch::Device::Cpu), 1e-5));
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn every_layer_is_the_runtimes() {
    let torch = TorchEngine::new(tch::Device::Cpu);
    let failures = tch::no_grad(|| block_on(layers::check(&torch, &CpuEngine::new(), 1e-5)).unwrap());
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn maps_are_those_of_the_runtime() {
    assert_drawn_by_the_runtime(MapCase::all());
}

/// The shipped weights. tests/tests/parity.rs holds the GPU engine to the same.
#[test]
#[ignore = "slow: twenty maps of five steps"]
fn twenty_maps_of_the_shipped_weights_are_those_of_the_runtime() {
    assert_drawn_by_the_runtime(MapCase::twenty());
}

#[test]
fn quantiles_of_twenty_places_are_those_of_the_runtime() {
    let (torch, runtime) = (TorchEngine::new(tch::Device::Cpu), CpuEngine::new());
    for case in MapCase::twenty() {
        tch::no_grad(|| block_on(case.assert_same_quantiles(&runtime, &torch)));
    }
}

fn assert_drawn_by_the_runtime(cases: Vec<MapCase>) {
    let (torch, runtime) = (TorchEngine::new(tch::Device::Cpu), CpuEngine::new());
    for case in cases {
        let expected = block_on(case.draw(&runtime)).unwrap();
        let found = tch::no_grad(|| block_on(case.draw(&torch)).unwrap());
        let difference = case.difference(&found, &expected);
        println!("{}: {difference:?}", case.name);
        let same = difference.within_1_db >= 0.999 && difference.latent <= 1e-5 && difference.gray <= 1e-5;
        assert!(same, "{} is not the runtime's: {difference:?}", case.name);
    }
}

//! The libtorch engine computes what every engine must.

#![cfg(feature = "torch")]

use radiodiff_core::engine::conformance;
use trainer::torch::TorchEngine;

#[test]
fn every_operation_is_right() {
    let failures = pollster::block_on(conformance::check(&TorchEngine::new(tch::Device::Cpu), 1e-5));
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

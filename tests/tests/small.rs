//! On every engine of the default build, a small U-Net, condition encoder and sampler compute what PyTorch computes.

use pollster::block_on;
use radiodiff_engines::burn::BurnFlex;
use radiodiff_engines::cpu::CpuEngine;
use radiodiff_engines::wgpu::{GpuEngine, GpuOptions};
use radiodiff_tests::small;

#[test]
fn burn_computes_what_pytorch_does() {
    block_on(small::assert_equal(&BurnFlex::default(), 1e-4));
}

#[test]
fn the_simd_engine_computes_what_pytorch_does() {
    block_on(small::assert_equal(&CpuEngine::new(), 1e-4));
}

/// On any Vulkan adapter; `cargo xtask test` installs one that computes on the CPU.
#[test]
fn the_gpu_engine_computes_what_pytorch_does() {
    let engine = block_on(GpuEngine::new(GpuOptions { allow_software: true, ..Default::default() })).expect("a Vulkan adapter");
    block_on(small::assert_equal(&engine, 1e-4));
}

#[test]
fn pytorch_was_given_these_parameters() {
    let expected = include_str!("../goldens/small-parameters.txt");
    assert!(expected == small::parameter_list(), "cargo run -p radiodiff-tests --example small_parameters writes the list anew");
}

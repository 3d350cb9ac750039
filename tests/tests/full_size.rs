//! The paper's networks at full size give what the public code gives; on the GPU engine in buffers that every WebGPU has. libtorch's tests
//! are trainer-native/tests/goldens.rs.

use pollster::block_on;
use radiodiff_engines::burn::BurnFlex;
use radiodiff_engines::cpu::CpuEngine;
use radiodiff_engines::wgpu::{GpuEngine, GpuOptions};
use radiodiff_tests::golden_program::reproduces;
use radiodiff_tests::goldens::{Arithmetic, CalmWeights, PublicGoldens};

#[test]
#[cfg_attr(not(reference_data), ignore = "needs the reference data (RADIODIFF_SHARED)")]
#[cfg_attr(reference_data, ignore = "slow: a million million operations: minutes on a GPU that computes on the CPU")]
fn the_gpu_engine_reproduces_the_public_code() {
    let expected = PublicGoldens::read();
    let engine = block_on(GpuEngine::new(GpuOptions { allow_software: true, ..Default::default() })).expect("a Vulkan adapter");
    let mut maker = expected.maker(&engine);
    block_on(maker.denoiser(&[0.25], &[])).expect("the GPU reads");
    block_on(maker.autoencoder()).expect("the GPU reads");
    let found = maker.finish();
    println!("largest buffer: {} MiB", engine.largest_tensor_bytes() >> 20);
    assert!(engine.largest_tensor_bytes() <= 128 << 20, "a buffer of {} bytes", engine.largest_tensor_bytes());
    assert_eq!(found.len(), 3 + 4 + 2 + 3);
    expected.assert_rule(&found, Arithmetic::Single);

    println!("with calm weights:");
    let mut maker = expected.maker(&engine).with_weights(CalmWeights);
    block_on(maker.denoiser(&[0.25], &[])).expect("the GPU reads");
    expected.assert_calm(&maker.finish());
}

#[test]
#[cfg_attr(not(reference_data), ignore = "needs the reference data (RADIODIFF_SHARED)")]
#[cfg_attr(reference_data, ignore = "slow: the full-size networks take many minutes on burn's CPU backend")]
fn burn_reproduces_the_public_code() {
    reproduces(&BurnFlex::default(), Arithmetic::Single);
}

#[test]
#[cfg_attr(not(reference_data), ignore = "needs the reference data (RADIODIFF_SHARED)")]
#[cfg_attr(reference_data, ignore = "slow: the full-size networks take many minutes on one thread")]
fn the_browsers_cpu_engine_reproduces_the_public_code() {
    reproduces(&CpuEngine::new(), Arithmetic::Single);
}

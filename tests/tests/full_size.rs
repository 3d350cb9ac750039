//! The paper's networks on the GPU engine, at full size, give what the public code gives, in buffers that every WebGPU has.

use pollster::block_on;
use radiodiff_core::goldens::Maker;
use radiodiff_core::model::Preset;
use radiodiff_tests::goldens::{SEED, upstream};
use radiodiff_web::gpu::{GpuEngine, GpuOptions};

#[test]
#[ignore = "a million million operations: minutes on a GPU that computes on the CPU"]
fn the_gpu_engine_reproduces_the_public_code() {
    let Some(upstream) = upstream() else { return };
    let engine = block_on(GpuEngine::new(GpuOptions { allow_software: true })).expect("a Vulkan adapter");
    let paper = Preset::named("paper").expect("there is such a preset");
    let images = upstream.images();
    let mut maker = Maker::new(&engine, &paper, SEED, &images).expect("the images fit");
    block_on(maker.denoiser(&[0.25], &[])).expect("the GPU reads");
    block_on(maker.autoencoder()).expect("the GPU reads");
    let found = maker.finish();
    assert_eq!(found.len(), 3 + 4 + 2 + 3);
    let failures = upstream.differences(&found);
    println!("largest buffer: {} MiB", engine.largest_tensor_bytes() >> 20);
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(engine.largest_tensor_bytes() <= 128 << 20, "a buffer of {} bytes", engine.largest_tensor_bytes());
}

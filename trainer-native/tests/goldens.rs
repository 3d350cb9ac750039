//! The networks at full size give what the public code gives.

use pollster::block_on;
use radiodiff_core::engine::Engine;
use radiodiff_core::goldens::Maker;
use radiodiff_core::model::Preset;
use radiodiff_tests::goldens::{SEED, upstream};
use trainer::goldens::{STEPS, TIMES};

/// Every network on an engine against the public code's tensors.
fn reproduces(engine: &impl Engine) {
    let Some(upstream) = upstream() else { return };
    let paper = Preset::named("paper").expect("there is such a preset");
    let images = upstream.images();
    let mut maker = Maker::new(engine, &paper, SEED, &images).expect("the images fit");
    block_on(maker.autoencoder()).expect("the engine reads");
    block_on(maker.judges()).expect("the engine reads");
    block_on(maker.denoiser(&TIMES, &STEPS)).expect("the engine reads");
    let found = maker.finish();
    assert_eq!(found.len(), 3 + 3 + 3 + 4 + 2 * TIMES.len() + STEPS.len());
    let failures = upstream.differences(&found);
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[cfg(feature = "torch")]
#[test]
#[ignore = "the full-size networks take a minute or two"]
fn libtorch_reproduces_the_public_code() {
    tch::no_grad(|| reproduces(&trainer::torch::TorchEngine::new(tch::Device::Cpu)));
}

/// Without rounding of its own: what remains is the public code's.
#[cfg(feature = "torch")]
#[test]
#[ignore = "the full-size networks take a minute or two"]
fn libtorch_in_double_precision_reproduces_the_public_code() {
    tch::no_grad(|| reproduces(&trainer::torch::TorchEngine::in_double(tch::Device::Cpu)));
}

#[test]
#[ignore = "the full-size networks take many minutes on burn's CPU backend"]
fn burn_reproduces_the_public_code() {
    reproduces(&radiodiff_core::engine::burn::BurnEngine::<burn_flex::Flex>::default());
}

#[test]
#[ignore = "the full-size networks take many minutes on one thread"]
fn the_browsers_cpu_engine_reproduces_the_public_code() {
    reproduces(&radiodiff_web::cpu::CpuEngine::new());
}

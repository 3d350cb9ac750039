//! The networks at full size give what the public code gives.

use pollster::block_on;
use radiodiff_core::engine::Engine;
use radiodiff_tests::golden_program::{STEPS, TIMES};
use radiodiff_tests::goldens::{Arithmetic, CalmWeights, PublicGoldens};

/// Every network on an engine.
fn reproduces(engine: &impl Engine, arithmetic: Arithmetic) {
    let expected = PublicGoldens::read();
    let mut maker = expected.maker(engine);
    block_on(maker.autoencoder()).expect("the engine reads");
    block_on(maker.critics()).expect("the engine reads");
    block_on(maker.denoiser(&TIMES, &STEPS)).expect("the engine reads");
    let found = maker.finish();
    assert_eq!(found.len(), 3 + 3 + 3 + 4 + 2 * TIMES.len() + STEPS.len());
    expected.assert_rule(&found, arithmetic);

    println!("with calm weights:");
    let mut maker = expected.maker(engine).with_weights(CalmWeights);
    block_on(maker.denoiser(&TIMES, &STEPS)).expect("the engine reads");
    expected.assert_calm(&maker.finish());
}

#[test]
#[cfg_attr(not(reference_data), ignore = "needs the reference data (RADIODIFF_SHARED)")]
#[cfg_attr(reference_data, ignore = "slow: the full-size networks take a minute or two")]
fn libtorch_reproduces_the_public_code() {
    tch::no_grad(|| reproduces(&trainer::torch::TorchEngine::new(tch::Device::Cpu), Arithmetic::Single));
}

#[test]
#[cfg_attr(not(reference_data), ignore = "needs the reference data (RADIODIFF_SHARED)")]
#[cfg_attr(reference_data, ignore = "slow: the full-size networks take a minute or two")]
fn libtorch_in_double_precision_reproduces_the_public_code() {
    tch::no_grad(|| reproduces(&trainer::torch::TorchEngine::in_double(tch::Device::Cpu), Arithmetic::Double));
}

#[test]
#[cfg_attr(not(reference_data), ignore = "needs the reference data (RADIODIFF_SHARED)")]
#[cfg_attr(reference_data, ignore = "slow: the full-size networks take many minutes on burn's CPU backend")]
fn burn_reproduces_the_public_code() {
    reproduces(&radiodiff_engines::burn::BurnFlex::default(), Arithmetic::Single);
}

#[test]
#[cfg_attr(not(reference_data), ignore = "needs the reference data (RADIODIFF_SHARED)")]
#[cfg_attr(reference_data, ignore = "slow: the full-size networks take many minutes on one thread")]
fn the_browsers_cpu_engine_reproduces_the_public_code() {
    reproduces(&radiodiff_engines::cpu::CpuEngine::new(), Arithmetic::Single);
}

//! The networks at full size give what the public code gives.

use pollster::block_on;
use radiodiff_core::engine::Engine;
use radiodiff_tests::goldens::{CalmWeights, Expected, Precision};
use trainer::goldens::{STEPS, TIMES};

/// Every network on an engine.
fn reproduces(engine: &impl Engine, precision: Precision) {
    let expected = Expected::read();
    let mut maker = expected.maker(engine);
    block_on(maker.autoencoder()).expect("the engine reads");
    block_on(maker.judges()).expect("the engine reads");
    block_on(maker.denoiser(&TIMES, &STEPS)).expect("the engine reads");
    let found = maker.finish();
    assert_eq!(found.len(), 3 + 3 + 3 + 4 + 2 * TIMES.len() + STEPS.len());
    expected.assert_rule(&found, precision);

    println!("with calm weights:");
    let mut maker = expected.maker(engine).with_weights(CalmWeights);
    block_on(maker.denoiser(&TIMES, &STEPS)).expect("the engine reads");
    expected.assert_calm(&maker.finish());
}

#[test]
#[cfg_attr(not(reference_data), ignore = "needs the reference data (RADIODIFF_SHARED)")]
#[cfg_attr(reference_data, ignore = "slow: the full-size networks take a minute or two")]
fn libtorch_reproduces_the_public_code() {
    tch::no_grad(|| reproduces(&trainer::torch::TorchEngine::new(tch::Device::Cpu), Precision::Single));
}

#[test]
#[cfg_attr(not(reference_data), ignore = "needs the reference data (RADIODIFF_SHARED)")]
#[cfg_attr(reference_data, ignore = "slow: the full-size networks take a minute or two")]
fn libtorch_in_double_precision_reproduces_the_public_code() {
    tch::no_grad(|| reproduces(&trainer::torch::TorchEngine::in_double(tch::Device::Cpu), Precision::Double));
}

#[test]
#[cfg_attr(not(reference_data), ignore = "needs the reference data (RADIODIFF_SHARED)")]
#[cfg_attr(reference_data, ignore = "slow: the full-size networks take many minutes on burn's CPU backend")]
fn burn_reproduces_the_public_code() {
    reproduces(&radiodiff_engines::burn::BurnEngine::<burn_flex::Flex>::default(), Precision::Single);
}

#[test]
#[cfg_attr(not(reference_data), ignore = "needs the reference data (RADIODIFF_SHARED)")]
#[cfg_attr(reference_data, ignore = "slow: the full-size networks take many minutes on one thread")]
fn the_browsers_cpu_engine_reproduces_the_public_code() {
    reproduces(&radiodiff_engines::cpu::CpuEngine::new(), Precision::Single);
}

//! The networks at full size give on libtorch what the public code gives. The other engines' tests are tests/tests/full_size.rs.

use radiodiff_tests::golden_program::reproduces;
use radiodiff_tests::goldens::Arithmetic;

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

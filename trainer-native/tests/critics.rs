//! The discriminator and LPIPS give the public code's numbers on libtorch.

use trainer::torch::TorchEngine;

#[test]
#[cfg_attr(not(reference_data), ignore = "needs the reference data (RADIODIFF_SHARED)")]
fn libtorchs_critics_compute_what_the_public_code_does() {
    let engine = TorchEngine::new(tch::Device::Cpu);
    let errors = tch::no_grad(|| pollster::block_on(radiodiff_tests::critic_errors(&engine))).expect("libtorch reads");
    println!("{errors:?}");
    assert!(errors.iter().all(|(_, error)| *error < 1e-4), "{errors:?}");
}

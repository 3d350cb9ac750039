//! The discriminator and LPIPS give the public code's numbers on burn.

use radiodiff_engines::burn::BurnFlex;

#[test]
#[cfg_attr(not(reference_data), ignore = "needs the reference data (RADIODIFF_SHARED)")]
#[cfg_attr(reference_data, ignore = "slow: 43 GMAC at full size: some half a minute")]
fn burns_critics_compute_what_the_public_code_does() {
    let errors = pollster::block_on(radiodiff_tests::critic_errors(&BurnFlex::default())).expect("burn reads");
    println!("{errors:?}");
    assert!(errors.iter().all(|(_, error)| *error < 1e-4), "{errors:?}");
}

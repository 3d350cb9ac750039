//! The discriminator and LPIPS give the public code's numbers on burn.

use radiodiff_engines::burn::BurnFlex;

#[test]
#[ignore = "43 GMAC at full size: some half a minute"]
fn burn_judges_as_the_public_code_does() {
    let Some(errors) = pollster::block_on(radiodiff_tests::judge_errors(&BurnFlex::default())) else { return };
    let errors = errors.expect("burn reads");
    println!("{errors:?}");
    assert!(errors.iter().all(|(_, error)| *error < 1e-4), "{errors:?}");
}

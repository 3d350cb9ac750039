//! burn's CPU backend, the reference of the other tests, computes every operation as the contract of `Engine` says.

use radiodiff_core::engine::conformance;
use radiodiff_engines::burn::BurnFlex;

#[test]
fn every_operation_is_right() {
    let failures = pollster::block_on(conformance::check(&BurnFlex::default(), 1e-5));
    assert!(failures.is_empty(), "{} cases failed:\n{}", failures.len(), failures.join("\n"));
}

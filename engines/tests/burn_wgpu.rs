//! burn's GPU backend, on this machine's Vulkan driver (Mesa's lavapipe where there is no GPU), computes every operation as the
//! contract of `Engine` says. What burn itself cannot hold is written down here, with the adapter and the reason; a case that
//! fails without being listed fails the test, and so does a listed case that passes.

use radiodiff_core::engine::conformance;
use radiodiff_engines::burn::BurnWgpu;

/// A case of the conformance suite that burn-wgpu is known to fail.
struct ExpectedFailure {
    /// The beginning of the case's name.
    case: &'static str,
    /// Part of the names of the adapters that fail; empty for all.
    adapter: &'static str,
    reason: &'static str,
}

const EXPECTED_FAILURES: &[ExpectedFailure] = &[];

#[test]
fn every_operation_is_right_but_those_expected_to_fail() {
    let (engine, adapter) = BurnWgpu::open().expect("this test needs a Vulkan driver");
    println!("on {adapter}");
    let failures = pollster::block_on(conformance::check(&engine, 1e-5));
    let expected: Vec<&ExpectedFailure> = EXPECTED_FAILURES.iter().filter(|known| adapter.contains(known.adapter)).collect();
    let unexpected: Vec<&String> =
        failures.iter().filter(|failure| !expected.iter().any(|known| failure.starts_with(known.case))).collect();
    assert!(unexpected.is_empty(), "{} cases failed:\n{unexpected:#?}", unexpected.len());
    for known in expected {
        let still_fails = failures.iter().any(|failure| failure.starts_with(known.case));
        assert!(still_fails, "{} passes on {adapter}; take it off the list ({})", known.case, known.reason);
    }
}

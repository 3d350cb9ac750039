//! The engine on burn computes what the contract says, on burn's own CPU backend.

use burn_flex::Flex;
use radiodiff_core::engine::conformance;
use radiodiff_engines::burn::BurnEngine;

#[test]
fn burn_passes_the_conformance_suite() {
    let failures = pollster::block_on(conformance::check(&BurnEngine::<Flex>::default(), 1e-5));
    assert!(failures.is_empty(), "{} cases failed:\n{}", failures.len(), failures.join("\n"));
}

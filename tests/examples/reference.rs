//! Draws the page's first map with burn and the shipped weights: what the engines in the browser must draw too.
//!
//! `cargo run -p radiodiff-tests --example reference FILE` writes it as little-endian float32, dBm, row 0 in the north, NaN inside
//! buildings; tests/browser/engines.test.mjs reads it.

use pollster::block_on;
use radiodiff_engines::burn::BurnFlex;
use radiodiff_tests::MapCase;

const POWER_DBM: f32 = 23.0;

fn main() {
    let Some(path) = std::env::args_os().nth(1) else {
        eprintln!("usage: reference FILE");
        std::process::exit(2);
    };
    let case = MapCase::of_the_page();
    let map = block_on(case.map(&BurnFlex::default())).expect("burn reads");
    let bytes: Vec<u8> = map.values.iter().flat_map(|gain_db| (gain_db + POWER_DBM).to_le_bytes()).collect();
    if let Err(error) = std::fs::write(&path, bytes) {
        eprintln!("{} cannot be written: {error}", path.to_string_lossy());
        std::process::exit(1);
    }
}

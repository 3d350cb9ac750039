//! How long the CPU engine takes for one warm map of nano, phase by phase:
//! `cargo run --release --package radiodiff-web --example cpu_time [repetitions]`.
//!
//! Medians and minima in milliseconds; `cargo xtask bench` measures the same in a browser.

use radiodiff_core::engine::Engine;
use radiodiff_core::model::{Preset, RadioDiff, SampleOptions};
use radiodiff_core::weights::{Parameters, ReproducibleSource};
use radiodiff_engines::cpu::CpuEngine;
use std::time::Instant;

fn main() {
    let repetitions = std::env::args().nth(1).and_then(|n| n.parse().ok()).unwrap_or(30);
    let engine = CpuEngine::new();
    let preset = Preset::named("nano").expect("nano is a preset");
    let source = ReproducibleSource { seed: 1 };
    let model = RadioDiff::new(&preset, &Parameters::new(&engine, &source)).expect("nano is valid");
    let side = preset.map_size;
    let values: Vec<f32> = (0..preset.condition.channels.len() * side * side).map(|i| (i % 97) as f32 / 48.5 - 1.0).collect();
    let condition = engine.tensor(&values, &[1, preset.condition.channels.len(), side, side]);
    let mut times = [const { Vec::new() }; 4];
    for _ in 0..repetitions {
        let start = Instant::now();
        let encoded = model.denoiser.encode_condition(&engine, &condition);
        let encoded_at = start.elapsed();
        let mut sampling = model.begin(&engine, &SampleOptions::default());
        while model.advance(&engine, &encoded, &mut sampling) {}
        let sampled_at = start.elapsed();
        model.decode_gray(&engine, &sampling.latent);
        let end = start.elapsed();
        for (times, took) in times.iter_mut().zip([encoded_at, sampled_at - encoded_at, end - sampled_at, end]) {
            times.push(took.as_secs_f64() * 1e3);
        }
    }
    for (name, mut times) in ["condition encoder", "one step", "decoder", "whole map"].into_iter().zip(times) {
        times.sort_by(f64::total_cmp);
        println!("{name:<18} median {:>7.1}  least {:>7.1}", times[times.len() / 2], times[0]);
    }
}

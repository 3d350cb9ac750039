//! Writes a preset's outputs on a real map with weights by rule, computed by one of the engines of radiodiff-engines in float32.
//!
//! `cargo run --release -p radiodiff-tests --features golden-program --example goldens -- --engine cpu --seed 1 --dataset DIR \
//! --sample MAP_TX --out FILE`. On libtorch: the example `torch_goldens` of trainer-native.

use anyhow::{Context, Result};
use clap::{Parser, ValueEnum};
use radiodiff_engines::burn::BurnFlex;
use radiodiff_engines::cpu::CpuEngine;
use radiodiff_engines::wgpu::{GpuEngine, GpuOptions};
use radiodiff_tests::golden_program::{GoldenArgs, write_goldens};

#[derive(Parser)]
struct Options {
    #[command(flatten)]
    goldens: GoldenArgs,
    #[arg(long, value_enum)]
    engine: EngineName,
}

#[derive(ValueEnum, Clone, Copy)]
enum EngineName {
    /// burn's CPU backend.
    Burn,
    /// The browsers' CPU engine.
    Cpu,
    /// The browsers' GPU engine, on Vulkan.
    Wgsl,
}

fn main() -> Result<()> {
    let Options { goldens, engine } = Options::parse();
    match engine {
        EngineName::Burn => write_goldens(&goldens, &BurnFlex::default()),
        EngineName::Cpu => write_goldens(&goldens, &CpuEngine::new()),
        EngineName::Wgsl => {
            let engine = pollster::block_on(GpuEngine::new(GpuOptions { allow_software: true, ..Default::default() }));
            write_goldens(&goldens, &engine.context("no adapter for the WGSL engine")?)
        }
    }
}

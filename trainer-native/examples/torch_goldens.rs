//! Writes a preset's outputs on a real map with weights by rule, computed by libtorch in float64.
//!
//! `cargo run --release --example torch_goldens -- --seed 1 --dataset DIR --sample MAP_TX --out FILE`. On the other engines: the
//! example `goldens` of tests.

use anyhow::Result;
use clap::Parser;
use radiodiff_tests::golden_program::{GoldenArgs, write_goldens};
use trainer::torch::{TorchEngine, best_device, load_cuda};

#[derive(Parser)]
struct Options {
    #[command(flatten)]
    goldens: GoldenArgs,
}

fn main() -> Result<()> {
    load_cuda();
    let options = Options::parse();
    let _guard = tch::no_grad_guard();
    // The U-Net multiplies rounding errors by more than a hundred; in float64 only the other program's remain.
    write_goldens(&options.goldens, &TorchEngine::in_double(best_device()))
}

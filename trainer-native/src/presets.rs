//! `trainer presets`: what each preset holds and costs, counted without computing or allocating anything.

use anyhow::{Context, Result};
use radiodiff_core::model::{Preset, Price};
use std::fmt::Write as _;

/// Print a table of the presets: parameters, and multiply-accumulates of their parts.
#[derive(clap::Args, Debug)]
pub struct Args {}

pub fn run(_: &Args) -> Result<()> {
    print!("{}", table()?);
    Ok(())
}

/// The table, in Markdown.
pub fn table() -> Result<String> {
    let mut text = String::from(
        "| preset | first stage, parameters | denoiser, parameters | encoder, GMAC | decoder | condition | U-Net, an evaluation \
         | the one step at t = 1 | a map in one step | largest tensor, MiB |\n|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n",
    );
    for name in Preset::NAMES {
        let preset = Preset::named(name).with_context(|| format!("preset {name}"))?;
        let p = Price::of(&preset)?;
        let giga = |macs: u64| macs as f64 / 1e9;
        let [encoder, decoder, condition, unet, one_step] = [p.encoder, p.decoder, p.condition, p.unet, p.one_step].map(giga);
        let map = giga(p.map_in_one_step());
        let largest = 4.0 * p.largest_tensor as f64 / f64::from(1 << 20);
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "| {name} | {} | {} | {encoder:.3} | {decoder:.3} | {condition:.3} | {unet:.3} | {one_step:.3} | {map:.3} | {largest:.1} |",
            p.first_stage, p.denoiser
        );
    }
    Ok(text)
}

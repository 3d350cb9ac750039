//! `trainer presets`: what presets hold and cost, counted without computing or allocating anything; and where a preset comes
//! from, by its name or out of a TOML file of the user's.

use anyhow::{Context, Result, bail};
use radiodiff_core::cost::{ModelCost, QuantilesCost};
use radiodiff_core::model::Preset;
use serde::de::{Deserialize, Deserializer, Error};
use std::fmt::Write as _;
use std::path::Path;

/// Print a table of presets: parameters, and multiply-accumulates of their parts.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Presets to count instead of all that have names: a name, or the path of a TOML file; may be given more than once.
    #[arg(long = "preset", value_name = "NAME|FILE.toml")]
    presets: Vec<String>,
    /// Print this preset as TOML instead, to make one of your own from (docs/networks.md).
    #[arg(long, value_name = "NAME|FILE.toml", conflicts_with = "presets")]
    print: Option<String>,
}

pub fn run(args: &Args) -> Result<()> {
    if let Some(text) = &args.print {
        print!("{}", toml::to_string(&choose(text)?)?);
        return Ok(());
    }
    let chosen = args.presets.iter().map(|text| choose(text)).collect::<Result<Vec<_>>>()?;
    let named = Preset::NAMES.iter().filter_map(|name| Preset::named(name));
    let presets = if chosen.is_empty() { named.collect() } else { chosen };
    print!("{}", table(&presets)?);
    Ok(())
}

/// A preset by its name, or out of a TOML file by its path.
///
/// # Errors
/// An unknown name, an unreadable file, a preset that cannot work.
pub fn choose(text: &str) -> Result<Preset> {
    if let Some(preset) = Preset::named(text) {
        return Ok(preset);
    }
    if Path::new(text).extension().is_none_or(|extension| extension != "toml") {
        bail!("there is no preset {text:?}; there are {}, and your own as FILE.toml", Preset::NAMES.join(", "));
    }
    let content = std::fs::read_to_string(text).with_context(|| format!("reading the preset {text}"))?;
    let preset: Preset = toml::from_str(&content).with_context(|| format!("{text} is not a preset"))?;
    preset.validate().with_context(|| text.to_owned())?;
    Ok(preset)
}

/// The entry `preset` of a configuration: what [`choose`] takes, or the preset itself as a table.
pub fn deserialize<'de, D: Deserializer<'de>>(entry: D) -> Result<Preset, D::Error> {
    let preset = match toml::Value::deserialize(entry)? {
        toml::Value::String(text) => choose(&text),
        table => table.try_into().map_err(anyhow::Error::from).and_then(|preset: Preset| Ok(preset.validate().map(|()| preset)?)),
    };
    preset.map_err(|error| D::Error::custom(format!("{error:#}")))
}

/// The table, in Markdown, and a second one of the networks of quantiles.
fn table(presets: &[Preset]) -> Result<String> {
    let mut text = String::from(
        "| preset | first stage, parameters | denoiser, parameters | encoder, GMAC | decoder | condition | U-Net, an evaluation \
         | the one step at t = 1 | a map in one step | largest tensor, MiB |\n|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n",
    );
    let giga = |macs: u64| macs as f64 / 1e9;
    let mebibytes = |elements: usize| 4.0 * elements as f64 / f64::from(1 << 20);
    for preset in presets {
        let (name, p) = (&preset.name, ModelCost::estimate(preset)?);
        let [encoder, decoder, condition, unet, one_step] = [p.encoder, p.decoder, p.condition, p.unet, p.one_step].map(giga);
        let map = giga(p.map_in_one_step());
        let largest = mebibytes(p.largest_tensor);
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "| {name} | {} | {} | {encoder:.3} | {decoder:.3} | {condition:.3} | {unet:.3} | {one_step:.3} | {map:.3} | {largest:.1} |",
            p.first_stage, p.denoiser
        );
    }
    let with_quantiles: Vec<&Preset> = presets.iter().filter(|preset| preset.quantiles.is_some()).collect();
    if !with_quantiles.is_empty() {
        text += "\n| preset | network of quantiles, parameters | GMAC | largest tensor, MiB |\n|---|---:|---:|---:|\n";
    }
    for preset in with_quantiles {
        let p = QuantilesCost::estimate(preset)?;
        let _ = writeln!(text, "| {} | {} | {:.3} | {:.1} |", preset.name, p.parameters, giga(p.macs), mebibytes(p.largest_tensor));
    }
    Ok(text)
}

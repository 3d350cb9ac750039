//! How long each engine takes for one map of each preset, off the browser. `cargo xtask bench engines` builds and runs it.
//!
//! In flow a condition and weights by rule, which cost what trained ones do. Out flows a row for every pair of preset and engine:
//! the first map, which includes the compilation of kernels; the median of the warm ones, from the condition on the host to the
//! gray map on the host; and the rate, from the multiply-accumulates that the counting engine finds in the networks.
//!
//! No pair takes much longer than `--limit`: warm maps stop there, and a map that the engine's rate on a smaller one puts beyond
//! it is not drawn at all. The table says so.

use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, Result, anyhow, bail};
use lexopt::{Arg, ValueExt};
use radiodiff_core::cost::ModelCost;
use radiodiff_core::diffusion::{RadioDiff, SampleOptions};
use radiodiff_core::engine::Engine;
use radiodiff_core::model::Preset;
use radiodiff_core::parameters::VarBuilder;
use radiodiff_core::pipeline::draw_on_device;
use radiodiff_engines::cpu::CpuEngine;
use radiodiff_tests::rule::{RuleSource, rule_values};

const SEED: u64 = 1;

/// Engines in the order of the table, and whether this program was built with them.
const ENGINES: [(&str, bool); 4] = [
    ("cpu", true),
    ("wgpu", cfg!(feature = "wgpu")),
    ("burn-flex", cfg!(feature = "burn-flex")),
    ("burn-wgpu", cfg!(feature = "burn-wgpu")),
];

struct BenchOptions {
    presets: Vec<Preset>,
    engines: Vec<String>,
    /// Warm maps of a pair.
    runs: usize,
    /// Seconds that a pair may take.
    limit_s: f64,
}

/// Times of one pair, in seconds.
struct Timing {
    first_s: f64,
    /// Sorted.
    warm_s: Vec<f64>,
}

fn main() -> ExitCode {
    match BenchOptions::from_arguments().and_then(|options| run(&options)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

impl BenchOptions {
    fn from_arguments() -> Result<Self> {
        let (mut presets, mut engines, mut runs, mut limit_s) = (Vec::new(), Vec::new(), 5, 300.0);
        let mut arguments = lexopt::Parser::from_env();
        while let Some(argument) = arguments.next()? {
            match argument {
                Arg::Long("preset") => presets.push(preset(&arguments.value()?.string()?)?),
                Arg::Long("engine") => {
                    let name = arguments.value()?.string()?;
                    match ENGINES.iter().find(|(engine, _)| *engine == name) {
                        Some((_, true)) => engines.push(name),
                        Some((_, false)) => bail!("this program was built without {name}; enable the feature {name} of radiodiff-engines"),
                        None => bail!("there is no engine {name}; the engines are {}", ENGINES.map(|(engine, _)| engine).join(", ")),
                    }
                }
                Arg::Long("runs") => runs = arguments.value()?.parse()?,
                Arg::Long("limit") => limit_s = arguments.value()?.parse()?,
                // `cargo bench` passes it to every program.
                Arg::Long("bench") => {}
                other => return Err(other.unexpected().into()),
            }
        }
        if presets.is_empty() {
            presets = Preset::NAMES.iter().map(|name| preset(name)).collect::<Result<_>>()?;
        }
        if engines.is_empty() {
            engines = ENGINES.iter().filter(|(_, built)| *built).map(|(name, _)| (*name).to_owned()).collect();
        }
        Ok(Self { presets, engines, runs, limit_s })
    }
}

fn preset(name: &str) -> Result<Preset> {
    Preset::named(name).ok_or_else(|| anyhow!("there is no preset {name}; the presets are {}", Preset::NAMES.join(", ")))
}

fn run(options: &BenchOptions) -> Result<()> {
    println!("| engine | adapter | preset | GFLOP a map | first map (s) | warm map (s) | runs | GFLOP/s |");
    println!("|---|---|---|---:|---:|---:|---:|---:|");
    for name in &options.engines {
        match name.as_str() {
            "cpu" => rows(name, "CPU", &CpuEngine::new(), options)?,
            #[cfg(feature = "wgpu")]
            "wgpu" => {
                use radiodiff_engines::wgpu::{GpuEngine, GpuOptions};
                let engine = pollster::block_on(GpuEngine::new(GpuOptions { allow_software: true, ..Default::default() }))?;
                rows(name, &engine.report().name, &engine, options)?;
            }
            #[cfg(feature = "burn-flex")]
            "burn-flex" => rows(name, "CPU", &radiodiff_engines::burn::BurnFlex::default(), options)?,
            #[cfg(feature = "burn-wgpu")]
            "burn-wgpu" => {
                let (engine, adapter) = radiodiff_engines::burn::BurnWgpu::open()?;
                rows(name, &adapter, &engine, options)?;
            }
            other => bail!("there is no engine {other}"),
        }
    }
    Ok(())
}

/// A row of the table for every preset.
fn rows<E: Engine>(name: &str, adapter: &str, engine: &E, options: &BenchOptions) -> Result<()> {
    let mut rate = None;
    for preset in &options.presets {
        let gflop = gflop_of(preset)?;
        // What the engine's rate is, must be known before a map is begun that may take hours.
        let rate_so_far = match rate {
            Some(rate) => rate,
            None if preset.name == Preset::NAMES[0] => f64::INFINITY,
            None => {
                let smallest = self::preset(Preset::NAMES[0])?;
                gflop_of(&smallest)? / time(engine, &smallest, 1, options.limit_s)?.fastest_s()
            }
        };
        let expected_s = gflop / rate_so_far;
        print!("| {name} | {adapter} | {} | {gflop:.2} | ", preset.name);
        if expected_s > options.limit_s {
            println!(
                "not drawn: about {:.0} min at {rate_so_far:.2} GFLOP/s, above the limit of {:.0} s | | | |",
                expected_s / 60.0,
                options.limit_s
            );
            continue;
        }
        let timing = time(engine, preset, options.runs, options.limit_s)?;
        let measured = gflop / timing.fastest_s();
        rate = Some(measured);
        match timing.median_s() {
            Some(median_s) => {
                println!("{:.3} | {median_s:.3} | {} | {:.2} |", timing.first_s, timing.warm_s.len(), gflop / median_s);
            }
            None => println!("{:.3} | none within {:.0} s | 0 | |", timing.first_s, options.limit_s),
        }
    }
    Ok(())
}

/// Floating point operations of a map in one step, two a multiply-accumulate, in units of 1e9.
fn gflop_of(preset: &Preset) -> Result<f64> {
    let cost = ModelCost::estimate(preset).with_context(|| format!("counting the operations of {}", preset.name))?;
    Ok(2e-9 * cost.map_in_one_step() as f64)
}

/// Draws a first map, then up to `runs` warm ones, as far as `limit_s` goes.
fn time<E: Engine>(engine: &E, preset: &Preset, runs: usize, limit_s: f64) -> Result<Timing> {
    let model = RadioDiff::new(preset, &VarBuilder::new(engine, &RuleSource { seed: SEED }))?;
    let inputs = preset.condition.channels.len() * preset.map_size * preset.map_size;
    let condition: Vec<f32> = rule_values(SEED, "condition", inputs).map(|value| value as f32).collect();
    let begun = Instant::now();
    let draw = || {
        let started = Instant::now();
        let condition = engine.tensor(&condition, &[1, preset.condition.channels.len(), preset.map_size, preset.map_size]);
        let gray = pollster::block_on(draw_on_device(engine, &model, &condition, &SampleOptions::default()));
        pollster::block_on(engine.read(&gray)).with_context(|| format!("drawing a map of {}", preset.name))?;
        anyhow::Ok(started.elapsed().as_secs_f64())
    };
    let first_s = draw()?;
    let (mut warm_s, mut longest_s) = (Vec::new(), first_s);
    while warm_s.len() < runs && begun.elapsed().as_secs_f64() + longest_s <= limit_s {
        warm_s.push(draw()?);
        longest_s = warm_s.iter().copied().fold(0.0, f64::max);
    }
    warm_s.sort_by(f64::total_cmp);
    Ok(Timing { first_s, warm_s })
}

impl Timing {
    fn median_s(&self) -> Option<f64> {
        let upper = *self.warm_s.get(self.warm_s.len() / 2)?;
        Some((self.warm_s[(self.warm_s.len() - 1) / 2] + upper) / 2.0)
    }

    fn fastest_s(&self) -> f64 {
        self.warm_s.first().copied().unwrap_or(self.first_s)
    }
}

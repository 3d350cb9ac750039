//! What the GPU engine makes of this machine's adapter, kernel by kernel: `cargo bench -p radiodiff-engines --features wgpu --bench gpu`.
//!
//! Out flow the adapter's measured ceilings and, for each preset: the time of a whole map, from the condition on the host to the gray
//! map on the host; where the map's GPU time goes, by kernel; every distinct convolution by every method that can compute it; and the
//! map again by the fastest methods; with `--precision f16` or `f16-weights`, all of it with such numbers. GPU times are timestamps. Weights are
//! made by rule, which cost what trained ones do. `--as-on-a-gpu` takes the kernels for GPUs on a software adapter too: it counts their runs,
//! and says nothing of their times.

use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, Result, anyhow};
use lexopt::{Arg, ValueExt};
use pollster::block_on;
use radiodiff_core::cost::ModelCost;
use radiodiff_core::diffusion::{RadioDiff, SampleOptions};
use radiodiff_core::engine::Engine;
use radiodiff_core::model::Preset;
use radiodiff_core::parameters::VarBuilder;
use radiodiff_core::pipeline::draw_on_device;
use radiodiff_engines::wgpu::{ConvMethod, Convolution, GpuEngine, GpuOptions, KernelRun, Precision};
use radiodiff_tests::rule::{RuleSource, rule_values};

const SEED: u64 = 1;

struct BenchOptions {
    presets: Vec<Preset>,
    /// Warm maps that are timed.
    maps: usize,
    /// Runs of each convolution by each method.
    runs: usize,
    precision: Precision,
    as_on_a_gpu: bool,
}

/// A convolution of a preset, and how often a map computes it.
struct Counted {
    convolution: Convolution,
    macs: u64,
    count: u64,
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
        let mut options = Self { presets: Vec::new(), maps: 20, runs: 10, precision: Precision::default(), as_on_a_gpu: false };
        let preset = |name: &str| {
            Preset::named(name).ok_or_else(|| anyhow!("there is no preset {name}; the presets are {}", Preset::NAMES.join(", ")))
        };
        let mut arguments = lexopt::Parser::from_env();
        while let Some(argument) = arguments.next()? {
            match argument {
                Arg::Long("preset") => options.presets.push(preset(&arguments.value()?.string()?)?),
                Arg::Long("maps") => options.maps = arguments.value()?.parse()?,
                Arg::Long("runs") => options.runs = arguments.value()?.parse()?,
                Arg::Long("precision") => {
                    let name = arguments.value()?.string()?;
                    let known = Precision::ALL.into_iter().find(|precision| precision.name() == name);
                    options.precision = known.ok_or_else(|| anyhow!("there is no precision {name}; there are f32, f16-weights, f16"))?;
                }
                Arg::Long("as-on-a-gpu") => options.as_on_a_gpu = true,
                // `cargo bench` passes it to every program.
                Arg::Long("bench") => {}
                other => return Err(other.unexpected().into()),
            }
        }
        if options.presets.is_empty() {
            options.presets = ["nano", "edge"].into_iter().map(preset).collect::<Result<_>>()?;
        }
        Ok(options)
    }
}

fn run(options: &BenchOptions) -> Result<()> {
    let gpu = GpuOptions { allow_software: true, precision: options.precision };
    let trials = block_on(GpuEngine::profiling(gpu))?;
    let ceilings = block_on(trials.ceilings())?.context("a profiling engine measures ceilings")?;
    println!("adapter: {:?}", trials.report());
    println!("ceilings: {:.1} GFLOP/s in fp32, {:.1} GB/s copied\n", ceilings.flops / 1e9, ceilings.bytes_per_s / 1e9);
    for preset in &options.presets {
        println!("## {}\n", preset.name);
        let (timed, profiling) = (block_on(GpuEngine::new(gpu))?, block_on(GpuEngine::profiling(gpu))?);
        if options.as_on_a_gpu {
            [&timed, &profiling].into_iter().for_each(GpuEngine::compute_as_on_a_gpu);
        }
        println!("By the engine's choice of methods:\n");
        whole_map(&timed, preset, options.maps)?;
        let of_a_map = profile(&profiling, preset)?;
        by_kernel(&of_a_map);
        if options.as_on_a_gpu {
            continue;
        }
        let fastest = by_method(&trials, &counted(&of_a_map), options.runs, ceilings.flops)?;
        println!("By the fastest methods of the table:\n");
        for engine in [&timed, &profiling] {
            let fastest = fastest.clone();
            engine.choose_conv_methods(move |convolution| {
                fastest.iter().find(|(measured, _)| measured == convolution).map_or(ConvMethod::Rows, |&(_, method)| method)
            });
        }
        whole_map(&timed, preset, options.maps)?;
        by_kernel(&profile(&profiling, preset)?);
    }
    Ok(())
}

/// A preset's network, and its condition on the host.
struct Drawing {
    model: RadioDiff<GpuEngine>,
    condition: Vec<f32>,
    shape: [usize; 4],
}

impl Drawing {
    fn new(engine: &GpuEngine, preset: &Preset) -> Result<Self> {
        let shape = [1, preset.condition.channels.len(), preset.map_size, preset.map_size];
        Ok(Self {
            model: RadioDiff::new(preset, &VarBuilder::new(engine, &RuleSource { seed: SEED }))?,
            condition: rule_values(SEED, "condition", shape.iter().product()).map(|value| value as f32).collect(),
            shape,
        })
    }

    /// Draws a map. Returns the seconds until everything was recorded, and until the map was on the host.
    fn draw(&self, engine: &GpuEngine) -> Result<[f64; 2]> {
        let started = Instant::now();
        let condition = engine.tensor(&self.condition, &self.shape);
        let gray = block_on(draw_on_device(engine, &self.model, &condition, &SampleOptions::default()));
        let recorded = started.elapsed().as_secs_f64();
        block_on(engine.read(&gray))?;
        Ok([recorded, started.elapsed().as_secs_f64()])
    }
}

fn whole_map(engine: &GpuEngine, preset: &Preset, maps: usize) -> Result<()> {
    let gflop = 2e-9 * ModelCost::estimate(preset)?.map_in_one_step() as f64;
    let drawing = Drawing::new(engine, preset)?;
    let [_, first_s] = drawing.draw(engine)?;
    let times = (0..maps).map(|_| drawing.draw(engine)).collect::<Result<Vec<_>>>()?;
    let [recorded_s, total_s] = [0, 1].map(|part| median(times.iter().map(|times| times[part])));
    println!("| GFLOP a map | first map (ms) | warm map, median (ms) | of that until recorded (ms) | maps | GFLOP/s |");
    println!("|---:|---:|---:|---:|---:|---:|");
    let [first_ms, total_ms, recorded_ms] = [first_s, total_s, recorded_s].map(|s| 1e3 * s);
    println!("| {gflop:.2} | {first_ms:.1} | {total_ms:.3} | {recorded_ms:.3} | {maps} | {:.1} |\n", gflop / total_s);
    Ok(())
}

/// The kernels of a warm map.
fn profile(engine: &GpuEngine, preset: &Preset) -> Result<Vec<KernelRun>> {
    let drawing = Drawing::new(engine, preset)?;
    drawing.draw(engine)?;
    block_on(engine.take_profile())?;
    drawing.draw(engine)?;
    Ok(block_on(engine.take_profile())?)
}

fn by_kernel(profile: &[KernelRun]) {
    let mut kernels: Vec<(&str, usize, f64)> = Vec::new();
    for run in profile {
        match kernels.iter_mut().find(|(name, ..)| *name == run.kernel) {
            Some((_, count, seconds)) => (*count, *seconds) = (*count + 1, *seconds + run.seconds),
            None => kernels.push((run.kernel, 1, run.seconds)),
        }
    }
    kernels.sort_by(|a, b| b.2.total_cmp(&a.2));
    let total_s: f64 = profile.iter().map(|run| run.seconds).sum();
    println!("| kernel | runs a map | GPU time (us) | share |");
    println!("|---|---:|---:|---:|");
    for (name, count, seconds) in kernels {
        println!("| {name} | {count} | {:.1} | {:.1} % |", 1e6 * seconds, 100.0 * seconds / total_s);
    }
    println!("| all | {} | {:.1} | |\n", profile.len(), 1e6 * total_s);
}

/// The distinct convolutions of a profile, those with the most work first.
fn counted(profile: &[KernelRun]) -> Vec<Counted> {
    let mut all: Vec<Counted> = Vec::new();
    for run in profile {
        let Some(convolution) = run.convolution else { continue };
        let [_, input, height, width] = convolution.weight;
        let macs = (run.shape.iter().product::<usize>() * input * height * width) as u64;
        match all.iter_mut().find(|counted| counted.convolution == convolution) {
            // A convolution may take several runs; for now count their work.
            Some(counted) => counted.count += run.macs,
            None => all.push(Counted { convolution, macs, count: run.macs }),
        }
    }
    all.iter_mut().for_each(|counted| counted.count /= counted.macs);
    all.sort_by_key(|counted| std::cmp::Reverse(counted.macs * counted.count));
    all
}

/// Every convolution by every method, and a map's convolutions by the fastest, which are returned.
fn by_method(engine: &GpuEngine, convolutions: &[Counted], runs: usize, ceiling: f64) -> Result<Vec<(Convolution, ConvMethod)>> {
    let names = ConvMethod::ALL.map(|method| format!("{method:?}")).join(" | ");
    println!("GPU time of a run in us, median of {runs}:\n");
    println!("| input | weight | stride | a map | MFLOP | {names} | best, GFLOP/s | of the ceiling |");
    println!("|---|---|---:|---:|---:|{}---:|---:|", "---:|".repeat(ConvMethod::ALL.len()));
    let (mut flop, mut best_total_s, mut chosen_total_s, mut rows_total_s) = (0.0, 0.0, 0.0, 0.0);
    let mut fastest = Vec::new();
    for Counted { convolution, macs, count } in convolutions {
        let seconds = times(engine, convolution, runs)?;
        let measured = ConvMethod::ALL.iter().zip(&seconds).filter_map(|(&method, seconds)| seconds.map(|s| (method, s)));
        let (method, best_s) = measured.min_by(|a, b| a.1.total_cmp(&b.1)).context("a convolution that no method computes")?;
        fastest.push((*convolution, method));
        let flop_of_one = 2.0 * *macs as f64;
        let cells: Vec<String> = seconds.iter().map(|s| s.map_or(String::new(), |s| format!("{:.1}", 1e6 * s))).collect();
        println!(
            "| {:?} | {:?} | {} | {count} | {:.1} | {} | {:.1} | {:.1} % |",
            convolution.input,
            convolution.weight,
            convolution.geometry.stride,
            flop_of_one / 1e6,
            cells.join(" | "),
            flop_of_one / best_s / 1e9,
            100.0 * flop_of_one / best_s / ceiling
        );
        flop += flop_of_one * *count as f64;
        best_total_s += best_s * *count as f64;
        rows_total_s += seconds[0].unwrap_or_default() * *count as f64;
        let chosen = ConvMethod::ALL.iter().position(|&method| method == ConvMethod::for_hardware(convolution));
        chosen_total_s += chosen.and_then(|at| seconds[at]).context("the rule chose a method that was not timed")? * *count as f64;
    }
    println!(
        "\nAll convolutions of a map: {:.1} us by the best methods, {:.1} GFLOP/s, {:.1} % of the ceiling; {:.1} us ({:+.1} %) by the \
         rule for GPUs; {:.1} us by {:?}.\n",
        1e6 * best_total_s,
        flop / best_total_s / 1e9,
        100.0 * flop / best_total_s / ceiling,
        1e6 * chosen_total_s,
        100.0 * (chosen_total_s / best_total_s - 1.0),
        1e6 * rows_total_s,
        ConvMethod::ALL[0]
    );
    Ok(fastest)
}

/// Seconds of a run by each method, those that cannot compute the convolution left out.
fn times(engine: &GpuEngine, convolution: &Convolution, runs: usize) -> Result<Vec<Option<f64>>> {
    let filled = |shape: &[usize]| {
        let values: Vec<f32> = (0..shape.iter().product::<usize>()).map(|i| (i % 17) as f32 / 17.0 - 0.4).collect();
        engine.tensor(&values, shape)
    };
    let (x, weight, bias) = (filled(&convolution.input), filled(&convolution.weight), filled(&convolution.weight[..1]));
    let mut times = Vec::new();
    for method in ConvMethod::ALL {
        if !method.suits(convolution) {
            times.push(None);
            continue;
        }
        engine.choose_conv_methods(move |_| method);
        block_on(engine.take_profile())?;
        // The first run warms up.
        (0..=runs).for_each(|_| drop(engine.conv2d(&x, &weight, Some(&bias), convolution.geometry)));
        let mut profile = block_on(engine.take_profile())?;
        profile.retain(|run| run.convolution.is_some());
        let dispatches = profile.len() / (runs + 1);
        times.push(Some(median(profile.chunks(dispatches).skip(1).map(|parts| parts.iter().map(|run| run.seconds).sum()))));
    }
    Ok(times)
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = values.collect();
    sorted.sort_by(f64::total_cmp);
    if sorted.is_empty() { f64::NAN } else { (sorted[(sorted.len() - 1) / 2] + sorted[sorted.len() / 2]) / 2.0 }
}

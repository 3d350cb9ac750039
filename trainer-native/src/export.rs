//! Weights that ship: safetensors in float16 or eight bits, without the encoder, with the figures of their evaluation in the manifest, and
//! a card that describes them; or an ONNX file for other runtimes ([`onnx`]).

mod messages;
pub mod onnx;
mod recorder;

use crate::drawing::DrawOptions;
use crate::evaluate::{Evaluation, EvaluationRequest, NAMES, evaluate, listed, widening};
use crate::selection::MapSelection;
use anyhow::{Context, Result, bail};
use radiodiff_core::diffusion::MAX_STEPS;
use radiodiff_core::model::preset::QUANTILES;
use radiodiff_core::weights::{Checkpoint, EnsembleRule, HostTensor, Precision, WeightsManifest, is_encoder, serialize};
use radiodiff_dataset::files;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

/// The file's format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum ExportFormat {
    /// Weights for `radiodiff`, the page and the package.
    Safetensors,
    /// The network that draws a map in one step, in float32, for other runtimes.
    Onnx,
}

/// The element type of the weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum PrecisionArg {
    F16,
    F32,
    /// 8-bit integers with a scale for each output channel.
    Int8,
}

/// Write weights for the runtime and their card, with an evaluation of the very file that ships; or an ONNX file
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Weights of a training run.
    #[arg(long)]
    weights: PathBuf,
    /// The file to write, NAME.safetensors, with the card NAME.md beside it; or NAME.onnx.
    #[arg(long)]
    out: PathBuf,
    #[arg(long, value_enum, default_value = "safetensors")]
    format: ExportFormat,
    /// Element type of safetensors; by default f16. ONNX files are float32.
    #[arg(long, value_enum)]
    precision: Option<PrecisionArg>,
    /// Of int8, the steps to the root mean square of a channel's weights, 1 to 64. Fewer make a file that a web server compresses further.
    #[arg(long, default_value_t = 8.0)]
    levels: f32,
    /// Keep the first stage's encoder, which only maps that start from another need (`start` of a request).
    #[arg(long)]
    with_encoder: bool,
    /// A dataset to evaluate on and its name on the card, NAME=DIR; may be given more than once.
    #[arg(long = "evaluate", value_name = "NAME=DIR")]
    evaluations: Vec<String>,
    /// Maps of these datasets to evaluate on.
    #[command(flatten)]
    selection: MapSelection,
    /// Maps drawn of each scene to evaluate by; of several, how sure they are is judged too.
    #[arg(long, default_value_t = 1, value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..=1000))]
    samples: usize,
    /// Steps of the sampler to evaluate by [default: of several samples those that the weights were calibrated in, else 1].
    #[arg(long, value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..=MAX_STEPS as u64))]
    steps: Option<usize>,
    /// Folders of validation maps on which to find the factor that widens samples or quantiles until their 90 % interval holds the truth that often.
    /// It is written into the weights, and whatever draws several maps applies it. Samples must be 19 or more.
    #[arg(long, value_name = "DIR", num_args = 1..)]
    calibrate_spread: Vec<PathBuf>,
    /// Also write the evaluations here, as JSON by their names on the card.
    #[arg(long, value_name = "FILE.json")]
    figures: Option<PathBuf>,
    /// Commit of the code that trained the weights, where the run could not tell.
    #[arg(long)]
    commit: Option<String>,
    /// The training data and its licence, where the run names no more than a folder.
    #[arg(long)]
    training_data: Option<String>,
    /// A note for the card: how the weights were trained, in a sentence or two.
    #[arg(long, default_value = "")]
    note: String,
}

pub fn run(args: &Args) -> Result<()> {
    let expected = if args.format == ExportFormat::Onnx { "onnx" } else { "safetensors" };
    if args.out.extension().is_none_or(|extension| extension != expected) {
        bail!("--out is {}, expected a name that ends in .{expected}", args.out.display());
    }
    files::check_place(&args.out)?;
    args.figures.iter().try_for_each(|path| files::check_place(path))?;
    let bytes = std::fs::read(&args.weights).with_context(|| format!("reading the weights {}", args.weights.display()))?;
    let checkpoint = Checkpoint::parse(&bytes).with_context(|| format!("the weights {}", args.weights.display()))?;
    match args.format {
        ExportFormat::Onnx => write_onnx(args, &checkpoint),
        ExportFormat::Safetensors => write_safetensors(args, &checkpoint),
    }
}

fn write_onnx(args: &Args, checkpoint: &Checkpoint) -> Result<()> {
    let of_weights = !args.calibrate_spread.is_empty() || args.figures.is_some() || !args.evaluations.is_empty();
    if args.precision.is_some_and(|precision| precision != PrecisionArg::F32) || of_weights {
        bail!("an ONNX file is float32 and has no card; leave out --precision, --evaluate and --calibrate-spread");
    }
    let bytes = onnx::onnx(checkpoint)?;
    files::write(&args.out, &bytes)?;
    println!("wrote {} ({} bytes)", args.out.display(), bytes.len());
    Ok(())
}

fn write_safetensors(args: &Args, checkpoint: &Checkpoint) -> Result<()> {
    let named = args.evaluations.iter().map(|text| {
        let (name, folder) = text.split_once('=').with_context(|| format!("--evaluate {text:?} is not of the form NAME=DIR"))?;
        Ok((name.to_owned(), PathBuf::from(folder)))
    });
    let named = named.collect::<Result<Vec<_>>>()?;

    let kept = |(name, _): &(String, HostTensor)| args.with_encoder || !is_encoder(name);
    let tensors: BTreeMap<_, _> = checkpoint.tensors().clone().into_iter().filter(kept).collect();
    let precision = match args.precision {
        Some(PrecisionArg::F32) => Precision::F32,
        Some(PrecisionArg::F16) | None => Precision::F16,
        Some(PrecisionArg::Int8) => Precision::Int8 { levels: args.levels },
    };
    let mut manifest = checkpoint.manifest().clone();
    if let Some(commit) = &args.commit {
        manifest.commit.clone_from(commit);
    }
    if let Some(training_data) = &args.training_data {
        manifest.training_data.clone_from(training_data);
    }

    // Calibration and evaluation are of the weights as they ship: rounded to their precision and read back from a file.
    let folder = tempfile::tempdir().context("making a temporary folder")?;
    let rounded = folder.path().join("weights.safetensors");
    let steps = steps_of(args, &manifest);
    let drawing = DrawOptions { steps: Some(steps), samples: args.samples, ..DrawOptions::default() };
    if !args.calibrate_spread.is_empty() {
        manifest.ensemble = None;
        files::write(&rounded, &serialize(&tensors, manifest.clone(), precision)?)?;
        println!("calibrating the spread on {}", listed(&args.calibrate_spread));
        let selection = MapSelection { method: args.selection.method.clone(), ..MapSelection::default() };
        let widening = widening(&args.calibrate_spread, &selection, &rounded, drawing)?;
        println!("maps are moved away from their mean by a factor of {widening}");
        manifest.ensemble = Some(EnsembleRule { steps, widening });
    }
    files::write(&rounded, &serialize(&tensors, manifest.clone(), precision)?)?;
    let mut evaluations = Vec::new();
    for (name, folder) in named {
        println!("evaluating on {name}: {}", folder.display());
        let selection = args.selection.clone();
        let request = EvaluationRequest { selection, weights: Some(&rounded), drawing, ..EvaluationRequest::default() };
        let evaluation = evaluate(&folder, &request)?.evaluation;
        print!("{}", evaluation.table());
        manifest.metrics.extend(metrics(&evaluation).into_iter().map(|(metric, value)| (format!("{name}.{metric}"), value)));
        evaluations.push((name, evaluation));
    }
    let weights = serialize(&tensors, manifest, precision)?;
    let shipped = Checkpoint::parse(&weights)?;
    files::write(&args.out, &weights)?;
    if let Some(path) = &args.figures {
        let named: BTreeMap<&String, &Evaluation> = evaluations.iter().map(|(name, evaluation)| (name, evaluation)).collect();
        files::write(path, &serde_json::to_vec_pretty(&named)?)?;
    }
    let card = args.out.with_extension("md");
    files::write(&card, card_text(args, &shipped, (weights.len(), precision), &evaluations).as_bytes())?;
    println!("wrote {} ({} bytes) and {}", args.out.display(), weights.len(), card.display());
    Ok(())
}

fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

fn in_words(precision: Precision) -> String {
    match precision {
        Precision::F32 => String::from("float32"),
        Precision::F16 => String::from("float16"),
        Precision::Int8 { levels } => format!("8-bit integers, {levels} steps to the root mean square of a channel"),
    }
}

/// What a manifest tells of an evaluation: the scores of the network's map, or of the mean of its samples and of these as an ensemble.
fn metrics(evaluation: &Evaluation) -> Vec<(String, f64)> {
    let of_map = evaluation.rows.last().map(|row| NAMES.into_iter().zip(row.scores.values()).collect::<Vec<_>>());
    let mut metrics: Vec<(String, f64)> = of_map.into_iter().flatten().map(|(name, value)| (name.to_owned(), value)).collect();
    if let Some(row) = evaluation.reliability.as_ref().and_then(|reliability| reliability.rows.last()) {
        metrics.push((String::from("crps_db"), row.scores.crps_db));
        metrics.extend(row.scores.spread.map(|spread| (String::from("interval_holds"), spread.coverage)));
    }
    metrics
}

/// Steps to evaluate by: those that were asked for, or those that weights with such a manifest are drawn in.
fn steps_of(args: &Args, manifest: &WeightsManifest) -> usize {
    args.steps.unwrap_or_else(|| manifest.steps(args.samples))
}

/// The card, in Markdown.
fn card_text(args: &Args, shipped: &Checkpoint, (bytes, precision): (usize, Precision), evaluations: &[(String, Evaluation)]) -> String {
    let manifest = shipped.manifest();
    let preset = &manifest.preset;
    let parameters: usize = shipped.tensors().values().map(|t| t.values.len()).sum();
    let file = args.out.file_name().unwrap_or_default().to_string_lossy();
    let facts = [
        ("file", format!("{file}, {bytes} bytes, {}", in_words(precision))),
        ("content SHA-256", manifest.content_sha256.clone()),
        ("parameters", parameters.to_string()),
        ("draws", format!("{}; gray 0 to 1 is {} to {} dB of path gain", shipped.grids(), preset.gray.floor_db, preset.gray.ceiling_db)),
        ("trained on", manifest.training_data.clone()),
        ("trained by", format!("commit {}", manifest.commit)),
        ("licence", manifest.license.clone()),
    ];
    let network = if shipped.holds_quantiles() { "quantiles of " } else { "" };
    let mut text = format!("# {network}{}\n\nWritten by `trainer export`; do not edit.\n\n| | |\n|---|---|\n", preset.name);
    for (name, value) in facts {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "| {name} | {value} |");
    }
    if !args.note.is_empty() {
        let _ = writeln!(text, "\n{}", args.note);
    }
    let drawn = if shipped.holds_quantiles() {
        format!("{QUANTILES} quantiles said in one evaluation")
    } else {
        format!("{} drawn in {}", counted(args.samples, "map"), counted(steps_of(args, shipped.manifest()), "step"))
    };
    for (name, evaluation) in evaluations {
        // The rest of the path is this machine's.
        let source = evaluation.data.file_name().unwrap_or_default().to_string_lossy();
        let _ = writeln!(
            text,
            "\n## {name}: {} maps of {}\n\nMean over maps of `{source}`, gray levels without threshold, buildings at 0, {drawn}. The baseline's law \
             out of sight is fitted to these very maps.\n\n{}",
            evaluation.maps,
            evaluation.method,
            evaluation.table().trim_end()
        );
    }
    text
}

//! Weights that ship: safetensors, float16, with the figures of their evaluation in the manifest, and a card that describes them; or
//! an ONNX file for other runtimes ([`onnx`]).

mod messages;
pub mod onnx;
mod recorder;

use crate::drawing::DrawOptions;
use crate::evaluate::{Evaluation, EvaluationRequest, NAMES, evaluate, widening};
use crate::selection::MapSelection;
use anyhow::{Context, Result, bail};
use radiodiff_core::diffusion::MAX_STEPS;
use radiodiff_core::weights::{Checkpoint, EnsembleRule, Precision, serialize};
use radiodiff_dataset::files;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

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
    /// A dataset to evaluate on and its name on the card, NAME=DIR; may be given more than once.
    #[arg(long = "evaluate", value_name = "NAME=DIR")]
    evaluations: Vec<String>,
    /// Maps of these datasets to evaluate on.
    #[command(flatten)]
    selection: MapSelection,
    /// Validation maps on which to find the factor that widens the samples until their 90 % interval holds the truth that often. It is
    /// written into the weights, and whatever draws several samples applies it. Needs --samples and --steps.
    #[arg(long, value_name = "DIR", requires_all = ["samples", "steps"])]
    calibrate_spread: Option<PathBuf>,
    /// Samples of each map to calibrate the spread with and to evaluate, at least 19 for the former.
    #[arg(long, value_name = "M", value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..=1000))]
    samples: Option<usize>,
    /// Steps of the sampler, in the calibration and the evaluations.
    #[arg(long, value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..=MAX_STEPS as u64))]
    steps: Option<usize>,
    /// Commit of the code that trained the weights, where the run could not tell.
    #[arg(long)]
    commit: Option<String>,
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
    let bytes = std::fs::read(&args.weights).with_context(|| format!("reading the weights {}", args.weights.display()))?;
    let checkpoint = Checkpoint::parse(&bytes).with_context(|| format!("the weights {}", args.weights.display()))?;
    match args.format {
        ExportFormat::Onnx => write_onnx(args, &checkpoint),
        ExportFormat::Safetensors => write_safetensors(args, &checkpoint),
    }
}

fn write_onnx(args: &Args, checkpoint: &Checkpoint) -> Result<()> {
    if args.precision == Some(PrecisionArg::F16) || !args.evaluations.is_empty() || args.calibrate_spread.is_some() {
        bail!("an ONNX file is float32 and has no card; leave out --precision f16, --evaluate and --calibrate-spread");
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

    let tensors: BTreeMap<_, _> = checkpoint.tensors().clone().into_iter().collect();
    let precision = if args.precision == Some(PrecisionArg::F32) { Precision::F32 } else { Precision::F16 };
    let mut manifest = checkpoint.manifest().clone();
    if let Some(commit) = &args.commit {
        manifest.commit.clone_from(commit);
    }

    // Calibration and evaluation are of the weights as they ship: rounded to their precision and read back from a file.
    let folder = tempfile::tempdir().context("making a temporary folder")?;
    let rounded = folder.path().join("weights.safetensors");
    let drawing = DrawOptions { steps: args.steps.unwrap_or(1), samples: args.samples.unwrap_or(1), ..DrawOptions::default() };
    if let Some(validation) = &args.calibrate_spread {
        manifest.ensemble = None;
        files::write(&rounded, &serialize(&tensors, manifest.clone(), precision)?)?;
        println!("calibrating the spread on {}", validation.display());
        let selection = MapSelection { method: args.selection.method.clone(), ..MapSelection::default() };
        let widening = widening(validation, &selection, &rounded, drawing)?;
        println!("samples are moved away from their mean by a factor of {widening}");
        manifest.ensemble = Some(EnsembleRule { steps: drawing.steps, widening });
    }
    files::write(&rounded, &serialize(&tensors, manifest.clone(), precision)?)?;
    let mut evaluations = Vec::new();
    for (name, folder) in named {
        println!("evaluating on {name}: {}", folder.display());
        let selection = args.selection.clone();
        let request = EvaluationRequest { selection, weights: Some(&rounded), drawing, ..EvaluationRequest::default() };
        let evaluation = evaluate(&folder, &request)?.evaluation;
        print!("{}", evaluation.table());
        if let Some(row) = evaluation.rows.last() {
            let named = NAMES.into_iter().zip(row.scores.values());
            manifest.metrics.extend(named.map(|(metric, value)| (format!("{name}.{metric}"), value)));
        }
        if let Some([.., physical, _, samples]) = evaluation.reliability.as_ref().map(|reliability| reliability.rows.as_slice()) {
            let coverage = samples.scores.spread.map(|spread| ("coverage", spread.coverage));
            let scores = [("crps_db", samples.scores.crps_db), ("physical_map_crps_db", physical.scores.crps_db)];
            manifest.metrics.extend(scores.into_iter().chain(coverage).map(|(score, value)| (format!("{name}.{score}"), value)));
        }
        evaluations.push((name, evaluation));
    }
    let weights = serialize(&tensors, manifest, precision)?;
    let shipped = Checkpoint::parse(&weights)?;
    files::write(&args.out, &weights)?;
    let card = args.out.with_extension("md");
    files::write(&card, card_text(args, &shipped, weights.len(), &evaluations).as_bytes())?;
    println!("wrote {} ({} bytes) and {}", args.out.display(), weights.len(), card.display());
    Ok(())
}

/// The card, in Markdown.
fn card_text(args: &Args, shipped: &Checkpoint, bytes: usize, evaluations: &[(String, Evaluation)]) -> String {
    let manifest = shipped.manifest();
    let preset = &manifest.preset;
    let parameters: usize = shipped.tensors().values().map(|t| t.values.len()).sum();
    let file = args.out.file_name().unwrap_or_default().to_string_lossy();
    let facts = [
        ("file", format!("{file}, {bytes} bytes, {}", if args.precision == Some(PrecisionArg::F32) { "float32" } else { "float16" })),
        ("content SHA-256", manifest.content_sha256.clone()),
        ("parameters", parameters.to_string()),
        (
            "draws",
            format!(
                "{0} x {0} pixels of {1} m; gray 0 to 1 is {2} to {3} dB of path gain",
                preset.map_size, preset.meters_per_pixel, preset.gray.floor_db, preset.gray.ceiling_db
            ),
        ),
        ("trained on", manifest.training_data.clone()),
        ("trained by", format!("commit {}", manifest.commit)),
        ("licence", manifest.license.clone()),
    ];
    let mut text = format!("# {}\n\nWritten by `trainer export`; do not edit.\n\n| | |\n|---|---|\n", preset.name);
    for (name, value) in facts {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "| {name} | {value} |");
    }
    if !args.note.is_empty() {
        let _ = writeln!(text, "\n{}", args.note);
    }
    for (name, evaluation) in evaluations {
        let source = Path::new(&evaluation.data).display();
        let _ = writeln!(
            text,
            "\n## {name}: {} maps of {}\n\nMean over maps of `{source}`, gray levels without threshold, buildings at 0. The baseline's law out of sight is fitted to \
             these very maps.\n\n{}",
            evaluation.maps,
            evaluation.method,
            evaluation.table().trim_end()
        );
    }
    text
}

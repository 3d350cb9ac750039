//! Weights that ship: float16, with the figures of their evaluation in the manifest, and a card that describes them.

use crate::evaluate::{DrawOptions, Evaluation, evaluate};
use anyhow::{Context, Result, bail};
use radiodiff_core::weights::{Checkpoint, Precision, serialize};
use radiodiff_dataset::files;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Write weights for the runtime and their card, with an evaluation of the very file that ships
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Weights of a training run.
    #[arg(long)]
    weights: PathBuf,
    /// The file to write, NAME.safetensors; the card is NAME.md beside it.
    #[arg(long)]
    out: PathBuf,
    /// A dataset to evaluate on and its name on the card, NAME=DIR; may be given more than once.
    #[arg(long = "evaluate", value_name = "NAME=DIR")]
    evaluations: Vec<String>,
    /// Store float32 instead of float16.
    #[arg(long)]
    full_precision: bool,
    /// Commit of the code that trained the weights, where the run could not tell.
    #[arg(long)]
    commit: Option<String>,
    /// A note for the card: how the weights were trained, in a sentence or two.
    #[arg(long, default_value = "")]
    note: String,
}

pub fn run(args: &Args) -> Result<()> {
    if args.out.extension().is_none_or(|extension| extension != "safetensors") {
        bail!("--out is {}, expected a name that ends in .safetensors", args.out.display());
    }
    files::check_place(&args.out)?;
    let named = args.evaluations.iter().map(|text| {
        let (name, folder) = text.split_once('=').with_context(|| format!("--evaluate {text:?} is not of the form NAME=DIR"))?;
        Ok((name.to_owned(), PathBuf::from(folder)))
    });
    let named = named.collect::<Result<Vec<_>>>()?;

    let bytes = std::fs::read(&args.weights).with_context(|| format!("reading the weights {}", args.weights.display()))?;
    let checkpoint = Checkpoint::parse(&bytes).with_context(|| format!("the weights {}", args.weights.display()))?;
    let tensors: BTreeMap<_, _> = checkpoint.tensors().clone().into_iter().collect();
    let precision = if args.full_precision { Precision::F32 } else { Precision::F16 };
    let mut manifest = checkpoint.manifest().clone();
    if let Some(commit) = &args.commit {
        manifest.commit.clone_from(commit);
    }

    // The evaluation is of the weights as they ship: rounded to their precision and read back from a file.
    let rounded = tempfile::tempdir().context("making a temporary folder")?;
    let rounded = (rounded.path().join("weights.safetensors"), rounded);
    files::write(&rounded.0, &serialize(&tensors, manifest.clone(), precision)?)?;
    let mut evaluations = Vec::new();
    for (name, folder) in named {
        println!("evaluating on {name}: {}", folder.display());
        let evaluation = evaluate(&folder, "DPM", None, Some(&rounded.0), DrawOptions::default())?;
        print!("{}", evaluation.table());
        if let Some(row) = evaluation.rows.last() {
            let s = row.scores;
            for (metric, value) in [("nmse", s.nmse), ("rmse", s.rmse), ("ssim", s.ssim), ("psnr_db", s.psnr_db), ("rmse_db", s.rmse_db)] {
                manifest.metrics.insert(format!("{name}.{metric}"), value);
            }
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
        ("file", format!("{file}, {bytes} bytes, {}", if args.full_precision { "float32" } else { "float16" })),
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

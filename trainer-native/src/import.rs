//! `trainer import`: a RadioDiff state dict, saved as safetensors, becomes a weights file with a manifest.

use crate::presets;
use anyhow::{Context, Result};
use radiodiff_core::weights::{Precision, WeightsManifest, import, serialize};
use radiodiff_dataset::files;
use std::path::PathBuf;

const FROM_PYTORCH: &str = r#"The public code's files are PyTorch's, whose tensors Python saves as safetensors first:

    import torch
    from safetensors.torch import save_file
    tensors = torch.load("model-30.pt", map_location="cpu")["model"]
    save_file({name: t.contiguous() for name, t in tensors.items()}, "model-30.safetensors")"#;

/// Read checkpoints of the public code into a weights file.
#[derive(clap::Args, Debug)]
#[command(after_long_help = FROM_PYTORCH)]
pub struct Args {
    /// The state dict, as safetensors; several files where the networks lie apart.
    #[arg(required = true)]
    checkpoints: Vec<PathBuf>,
    /// The preset it is one of: a name, or the path of a TOML file.
    #[arg(long, default_value = "paper", value_name = "NAME|FILE.toml")]
    preset: String,
    /// The weights file to write.
    #[arg(long)]
    out: PathBuf,
    /// Only tensors whose names begin with this, where a file holds a network twice (averaged weights beside their own).
    #[arg(long, default_value = "")]
    prefix: String,
    /// Data the checkpoint was trained on, and its licence, for the manifest.
    #[arg(long, default_value = "unknown: an imported checkpoint")]
    training_data: String,
    /// The checkpoint's licence, for the manifest.
    #[arg(long, default_value = "unknown")]
    license: String,
    /// Store float16 instead of float32.
    #[arg(long)]
    half_precision: bool,
}

pub fn run(args: &Args) -> Result<()> {
    let preset = presets::choose(&args.preset)?;
    files::check_place(&args.out)?;
    let read = |path: &PathBuf| std::fs::read(path).with_context(|| format!("reading the checkpoint {}", path.display()));
    let bytes = args.checkpoints.iter().map(read).collect::<Result<Vec<_>>>()?;
    let names: Vec<String> = args.checkpoints.iter().map(|path| path.display().to_string()).collect();
    let named: Vec<(&str, &[u8])> = names.iter().map(String::as_str).zip(bytes.iter().map(Vec::as_slice)).collect();
    let (tensors, report) = import(&named, &args.prefix, &preset)?;
    drop(bytes);
    println!("{report}");
    let manifest = WeightsManifest {
        training_data: args.training_data.clone(),
        license: args.license.clone(),
        commit: files::commit(),
        ..WeightsManifest::of(preset)
    };
    let precision = if args.half_precision { Precision::F16 } else { Precision::F32 };
    let weights = serialize(&tensors, manifest, precision)?;
    files::write(&args.out, &weights)?;
    println!("wrote {} ({} bytes)", args.out.display(), weights.len());
    Ok(())
}

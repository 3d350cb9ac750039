//! `trainer goldens`: what a preset's networks compute of a real map with weights by rule, as a safetensors file with the keys
//! of shared/goldens/README.md, so that it can be compared with another program's.

use crate::presets;
use anyhow::{Context, Result, bail};
use indicatif::ProgressBar;
use pollster::block_on;
use radiodiff_core::engine::Engine;
use radiodiff_core::goldens::{Goldens, Images, Maker};
use radiodiff_core::model::Preset;
use radiodiff_core::weights::HostTensor;
use radiodiff_dataset::{self as dataset, files};
use radiodiff_engines::burn::BurnEngine;
use radiodiff_engines::cpu::CpuEngine;
use radiodiff_radio::features::ConditionChannel;
use safetensors::tensor::{Dtype, TensorView};
use std::collections::HashMap;
use std::path::PathBuf;
use std::time::Duration;

/// Write what a preset's networks compute of a map with weights by rule (see shared/goldens/README.md).
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Seed of the weights and of the noise.
    #[arg(long)]
    seed: u64,
    /// Folder in RadioMapSeer's layout.
    #[arg(long)]
    dataset: PathBuf,
    /// The sample's name, MAP_TX.
    #[arg(long, value_name = "MAP_TX")]
    sample: String,
    /// The safetensors file to write.
    #[arg(long)]
    out: PathBuf,
    /// Folder of `gain` that holds the map.
    #[arg(long, default_value = "DPM")]
    method: String,
    /// Whose networks: a name, or the path of a TOML file; its condition may have the dataset's images as channels, no others.
    #[arg(long, default_value = "paper", value_name = "NAME|FILE.toml")]
    preset: String,
    /// What computes: libtorch in float64; in float32 burn's CPU backend, the browsers' CPU engine or, where the trainer
    /// was built with the feature webgpu, their GPU engine on Vulkan.
    #[arg(long, value_enum, default_value_t = EngineName::default())]
    engine: EngineName,
}

#[derive(clap::ValueEnum, Clone, Copy, Debug, Default)]
enum EngineName {
    #[default]
    Tch,
    Burn,
    Cpu,
    #[cfg(feature = "webgpu")]
    Wgsl,
}

/// The times of the goldens' evaluations and the steps of their samplers.
pub const TIMES: [f32; 2] = [0.25, 1.0];
pub const STEPS: [usize; 2] = [1, 3];

pub fn run(args: &Args) -> Result<()> {
    files::check_place(&args.out)?;
    let preset = presets::choose(&args.preset)?;
    let [buildings, antenna, gain] = dataset::folder::raw_images(&args.dataset, &args.method, &args.sample)?;
    let image = |channel: &ConditionChannel| match channel {
        ConditionChannel::Buildings => Ok(buildings.as_slice()),
        ConditionChannel::Transmitter => Ok(antenna.as_slice()),
        other => bail!("preset {}: the channel {other:?} is none of the dataset's images (buildings, transmitter)", preset.name),
    };
    let condition = preset.condition.channels.iter().map(image).collect::<Result<Vec<_>>>()?;
    let images = Images { gain: &gain, condition };
    let goldens = match args.engine {
        EngineName::Tch => {
            let _guard = tch::no_grad_guard();
            // The U-Net multiplies rounding by more than a hundred; in float64 only the other program's remains.
            make(&crate::torch::TorchEngine::in_double(crate::torch::best_device()), &preset, args.seed, &images)
        }
        EngineName::Burn => make(&BurnEngine::<burn_flex::Flex>::default(), &preset, args.seed, &images),
        EngineName::Cpu => make(&CpuEngine::new(), &preset, args.seed, &images),
        #[cfg(feature = "webgpu")]
        EngineName::Wgsl => {
            let options = radiodiff_engines::wgpu::GpuOptions { allow_software: true };
            let engine = block_on(radiodiff_engines::wgpu::GpuEngine::new(options)).context("no adapter for the WGSL engine")?;
            make(&engine, &preset, args.seed, &images)
        }
    };
    let goldens = goldens.with_context(|| format!("sample {} of {}", args.sample, args.dataset.display()))?;
    let metadata = HashMap::from([("sample".to_owned(), args.sample.clone()), ("seed".to_owned(), args.seed.to_string())]);
    files::write(&args.out, &serialize(&goldens, metadata)?)?;
    println!("wrote {} tensors to {}", goldens.len(), args.out.display());
    Ok(())
}

fn make<E: Engine>(engine: &E, preset: &Preset, seed: u64, images: &Images<'_>) -> Result<Goldens> {
    let bar = ProgressBar::new_spinner();
    bar.enable_steady_tick(Duration::from_millis(200));
    let mut maker = Maker::new(engine, preset, seed, images)?;
    bar.set_message("autoencoder");
    block_on(maker.autoencoder())?;
    bar.set_message("discriminator and LPIPS");
    block_on(maker.judges())?;
    bar.set_message("condition encoder, U-Net and sampler");
    block_on(maker.denoiser(&TIMES, &STEPS))?;
    bar.finish_and_clear();
    Ok(maker.finish())
}

fn serialize(goldens: &Goldens, metadata: HashMap<String, String>) -> Result<Vec<u8>> {
    let bytes = |tensor: &HostTensor| tensor.values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<_>>();
    let encoded: Vec<_> = goldens.iter().map(|(key, tensor)| (key, tensor, bytes(tensor))).collect();
    let views = encoded.iter().map(|(key, tensor, bytes)| Ok((key.as_str(), TensorView::new(Dtype::F32, tensor.shape.clone(), bytes)?)));
    Ok(safetensors::serialize(views.collect::<Result<Vec<_>>>()?, Some(metadata))?)
}

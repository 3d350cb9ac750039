//! The program `goldens`: writes a preset's outputs on a real map with weights by rule, as a safetensors file with the public goldens'
//! keys, so that they can be compared with another program's.
//!
//! Two executables share it, because few builds have libtorch: the example `goldens` of this crate (burn, cpu, wgsl) and
//! the trainer's `torch_goldens` (tch). Each parses [`GoldenArgs`] with its engines and calls [`write_goldens`].

use crate::golden_maker::{GoldenMaker, Goldens, SampleImages};
use crate::goldens::{Arithmetic, CalmWeights, PublicGoldens};
use anyhow::{Context, Result, bail};
use pollster::block_on;
use radiodiff_core::engine::Engine;
use radiodiff_core::model::Preset;
use radiodiff_core::weights::HostTensor;
use radiodiff_dataset::{files, folder::raw_images};
use radiodiff_radio::features::ConditionChannel;
use safetensors::tensor::{Dtype, TensorView};
use std::collections::HashMap;
use std::path::PathBuf;

/// The times of the goldens' evaluations.
pub const TIMES: [f32; 2] = [0.25, 1.0];
/// The steps of the goldens' samplers.
pub const STEPS: [usize; 2] = [1, 3];

/// The options, whatever the engine.
#[derive(clap::Args, Debug)]
pub struct GoldenArgs {
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
    /// The networks: a preset's name, or the path of a TOML file. Its condition may have only the dataset's images as channels.
    #[arg(long, default_value = "paper", value_name = "NAME|FILE.toml")]
    preset: String,
}

/// Computes the goldens on `engine` and writes them.
///
/// # Errors
/// An unknown preset or one with other channels than the dataset's images, unreadable images, an engine that fails, a file that cannot
/// be written.
pub fn write_goldens(args: &GoldenArgs, engine: &impl Engine) -> Result<()> {
    files::check_place(&args.out)?;
    let preset = preset(&args.preset)?;
    let [buildings, antenna, gain] = raw_images(&args.dataset, &args.method, &args.sample)?;
    let image = |channel: &ConditionChannel| match channel {
        ConditionChannel::Buildings => Ok(buildings.as_slice()),
        ConditionChannel::Transmitter => Ok(antenna.as_slice()),
        other => bail!("preset {}: the channel {other:?} is none of the dataset's images (buildings, transmitter)", preset.name),
    };
    let condition = preset.condition.channels.iter().map(image).collect::<Result<Vec<_>>>()?;
    let goldens = compute(engine, &preset, args.seed, &SampleImages { gain: &gain, condition })
        .with_context(|| format!("sample {} of {}", args.sample, args.dataset.display()))?;
    let metadata = HashMap::from([("sample".to_owned(), args.sample.clone()), ("seed".to_owned(), args.seed.to_string())]);
    files::write(&args.out, &serialize(&goldens, metadata)?)?;
    println!("wrote {} tensors to {}", goldens.len(), args.out.display());
    Ok(())
}

/// Computes every network of the public goldens on `engine`.
///
/// # Panics
/// When a tensor is not what the public code gives ([`PublicGoldens`]).
pub fn reproduces(engine: &impl Engine, arithmetic: Arithmetic) {
    let expected = PublicGoldens::read();
    let mut maker = expected.maker(engine);
    block_on(maker.autoencoder()).expect("the engine reads");
    block_on(maker.critics()).expect("the engine reads");
    block_on(maker.denoiser(&TIMES, &STEPS)).expect("the engine reads");
    let found = maker.finish();
    assert_eq!(found.len(), 3 + 3 + 3 + 4 + 2 * TIMES.len() + STEPS.len());
    expected.assert_rule(&found, arithmetic);

    println!("with calm weights:");
    let mut maker = expected.maker(engine).with_weights(CalmWeights);
    block_on(maker.denoiser(&TIMES, &STEPS)).expect("the engine reads");
    expected.assert_calm(&maker.finish());
}

fn preset(text: &str) -> Result<Preset> {
    if let Some(preset) = Preset::named(text) {
        return Ok(preset);
    }
    let content = std::fs::read_to_string(text)
        .with_context(|| format!("{text} is no preset's name ({}) and no file that can be read", Preset::NAMES.join(", ")))?;
    toml::from_str(&content).with_context(|| format!("{text} is not a preset"))
}

fn compute<E: Engine>(engine: &E, preset: &Preset, seed: u64, images: &SampleImages<'_>) -> Result<Goldens> {
    let mut maker = GoldenMaker::new(engine, preset, seed, images)?;
    eprintln!("autoencoder");
    block_on(maker.autoencoder())?;
    eprintln!("discriminator and LPIPS");
    block_on(maker.critics())?;
    eprintln!("condition encoder, U-Net and sampler");
    block_on(maker.denoiser(&TIMES, &STEPS))?;
    Ok(maker.finish())
}

fn serialize(goldens: &Goldens, metadata: HashMap<String, String>) -> Result<Vec<u8>> {
    let bytes = |tensor: &HostTensor| tensor.values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<_>>();
    let encoded: Vec<_> = goldens.iter().map(|(key, tensor)| (key, tensor, bytes(tensor))).collect();
    let views = encoded.iter().map(|(key, tensor, bytes)| Ok((key.as_str(), TensorView::new(Dtype::F32, tensor.shape.clone(), bytes)?)));
    Ok(safetensors::serialize(views.collect::<Result<Vec<_>>>()?, Some(metadata))?)
}

//! What a stage trains with: the networks and their parameters on a device, and the maps to train and to validate on.

use crate::config::Config;
use crate::data::{Batch, TrainingData};
use crate::run_log::GrayGrid;
use crate::torch::{TorchEngine, TorchParameters, TorchTensor, best_device};
use anyhow::{Context, Result, bail};
use radiodiff_core::diffusion::RadioDiff;
use radiodiff_core::parameters::VarBuilder;
use radiodiff_core::weights::{Checkpoint, Precision, WeightsManifest, serialize};
use radiodiff_dataset::files;
use std::path::{Path, PathBuf};
use tch::{Device, Kind, Tensor};

/// How many validation maps are drawn each time.
const VALIDATION_MAPS: usize = 24;
/// How many of them are shown.
const SHOWN_MAPS: usize = 4;

/// Draws the maps of a batch, (B, 1, N, N) in [-1, 1].
pub type MapDrawing = fn(&Session, &Batch) -> TorchTensor;

/// See the module.
pub struct Session {
    pub config: Config,
    /// The run's folder.
    pub folder: PathBuf,
    pub engine: TorchEngine,
    pub parameters: TorchParameters,
    pub model: RadioDiff<TorchEngine>,
    pub train: TrainingData,
    valid: TrainingData,
}

/// What a validation found.
pub struct Validation {
    /// Mean over the maps, buildings at gray level 0.
    pub nmse: f64,
    /// Mean variation from pixel to pixel outdoors, as a share of that of the maps after smoothing.
    pub sharpness: f64,
    /// The first maps: truth above, drawn below.
    pub picture: GrayGrid,
}

impl Session {
    /// Builds the networks with the weights `from`, or fresh ones, and opens the datasets, with the scenes' channels or without.
    pub fn open(config: Config, folder: &Path, from: Option<&Path>, with_condition: bool) -> Result<Self> {
        let preset = config.preset.clone();
        let engine = TorchEngine::new(best_device());
        let parameters = TorchParameters::initialized(config.seed);
        let model = RadioDiff::new(&preset, &VarBuilder::new(&engine, &parameters))?;
        if let Some(path) = from {
            let bytes = std::fs::read(path).with_context(|| format!("reading the weights {}", path.display()))?;
            let checkpoint = Checkpoint::parse(&bytes).with_context(|| format!("the weights {}", path.display()))?;
            let found = &checkpoint.manifest().preset;
            if (&found.autoencoder, found.map_size) != (&preset.autoencoder, preset.map_size) {
                bail!("{} holds another first stage than preset {}: {:?}", path.display(), preset.name, found.autoencoder);
            }
            // Of another denoiser only the first stage can be used.
            let prefixes: &[&str] = if *found == preset { &[""] } else { &["first_stage_model.", "scale_factor"] };
            let restored = parameters.restore(checkpoint.tensors(), prefixes);
            restored.with_context(|| format!("the weights {}", path.display()))?;
        }
        let open = |datasets| TrainingData::open(datasets, &config.data, &preset, with_condition, engine.device());
        let (train, valid) = (open(&config.data.train)?, open(&config.data.valid)?);
        println!(
            "{} samples to train on, {} to validate on, on {:?}, {} threads",
            train.len(),
            valid.len().min(VALIDATION_MAPS),
            engine.device(),
            tch::get_num_threads()
        );
        Ok(Self { config, folder: folder.to_owned(), engine, parameters, model, train, valid })
    }

    /// Draws the validation maps and compares them with the truth.
    pub fn validate(&self, draw: MapDrawing) -> Result<Validation> {
        self.engine.set_training(false);
        let _guard = tch::no_grad_guard();
        let (mut sum, mut variation, mut shown) = (0.0, [0.0; 2], [Vec::new(), Vec::new()]);
        let maps = self.valid.len().min(VALIDATION_MAPS);
        for i in 0..maps {
            let batch = self.valid.sample(i)?;
            let drawn = (draw(self, &batch).0 * 0.5 + 0.5).clamp(0.0, 1.0) * &batch.outdoors;
            let truth = &batch.truth * 0.5 + 0.5;
            let power = truth.square().mean(Kind::Float).double_value(&[]);
            sum += (&drawn - &truth).square().mean(Kind::Float).double_value(&[]) / power;
            let inner = away_from_buildings(&batch.outdoors);
            variation[0] += variation_within(&drawn, &inner);
            variation[1] += variation_within(&smoothed(&truth), &inner);
            if i < SHOWN_MAPS {
                shown[0].push(levels(&truth)?);
                shown[1].push(levels(&drawn)?);
            }
        }
        let picture = GrayGrid::new(self.model.preset.map_size, &shown)?;
        // Maps without variation cannot be blurred.
        let sharpness = if variation[1] > 0.0 { variation[0] / variation[1] } else { 1.0 };
        Ok(Validation { nmse: sum / maps as f64, sharpness, picture })
    }

    /// Writes the parameters as they are now.
    pub fn save(&self, file: &str) -> Result<()> {
        let tensors = self.parameters.to_host()?;
        let manifest = WeightsManifest {
            training_data: self.train.description.clone(),
            license: String::from("MIT OR Apache-2.0"),
            commit: files::commit(),
            ..WeightsManifest::of(self.model.preset.clone())
        };
        files::write(&self.folder.join(file), &serialize(&tensors, manifest, Precision::F32)?)
    }
}

/// A map in [0, 1] as gray levels, row-major.
fn levels(map: &Tensor) -> Result<Vec<u8>> {
    Ok(Vec::<u8>::try_from(&(map * 255.0).round().to_kind(Kind::Uint8).to_device(Device::Cpu).contiguous().view(-1))?)
}

/// 1 where a pixel and its eight neighbours are outdoors, (1, 1, N, N).
fn away_from_buildings(outdoors: &Tensor) -> Tensor {
    let near_buildings = outdoors.ones_like() - outdoors;
    outdoors.ones_like() - near_buildings.max_pool2d([3i64, 3], [1i64, 1], [1i64, 1], [1i64, 1], false)
}

/// The map after (1, 2, 1) / 4 along both sides.
fn smoothed(map: &Tensor) -> Tensor {
    let line = Tensor::from_slice(&[0.25f32, 0.5, 0.25]).to_device(map.device());
    let kernel = (line.view([3, 1]) * line.view([1, 3])).view([1, 1, 3, 3]);
    map.conv2d(&kernel, None::<Tensor>, [1i64, 1], [1i64, 1], [1i64, 1], 1)
}

/// The sum of absolute differences of neighbouring pixels that are both within `mask`.
fn variation_within(map: &Tensor, mask: &Tensor) -> f64 {
    let along = |dim: i64| {
        let count = map.size()[dim as usize] - 1;
        let [near, far] = [0, 1].map(|start| map.narrow(dim, start, count));
        let [inside, beyond] = [0, 1].map(|start| mask.narrow(dim, start, count));
        ((near - far).abs() * inside * beyond).sum(Kind::Float).double_value(&[])
    };
    along(2) + along(3)
}

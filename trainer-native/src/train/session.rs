//! What a stage trains with: the networks and their parameters on a device, and the maps to train and to validate on.

use super::noise::StepNoise;
use super::transfer::{self, Beginning};
use crate::config::Config;
use crate::data::{Batch, TrainingData};
use crate::evaluate::{Scores, mean};
use crate::parallel::ProcessGroup;
use crate::run_log::GrayGrid;
use crate::torch::{TorchEngine, TorchParameters, TorchTensor};
use anyhow::Result;
use radiodiff_core::diffusion::RadioDiff;
use radiodiff_core::model::Preset;
use radiodiff_core::parameters::VarBuilder;
use radiodiff_core::random;
use radiodiff_core::weights::{Precision, WeightsManifest, serialize};
use radiodiff_dataset::files;
use radiodiff_radio::metrics;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use tch::{Device, Kind, Tensor};

/// How many validation maps are drawn each time.
const VALIDATION_MAPS: usize = 24;
/// How many of them are shown.
const SHOWN_MAPS: usize = 4;

/// Draws the maps of a batch, (B, 1, N, N) in [-1, 1].
pub type MapDrawing<M> = fn(&Session<M>, &Batch) -> TorchTensor;

/// See the module. `M` are the networks.
pub struct Session<M = RadioDiff<TorchEngine>> {
    pub config: Config,
    /// The run's folder.
    pub folder: PathBuf,
    pub engine: TorchEngine,
    pub parameters: TorchParameters,
    pub model: M,
    pub train: TrainingData,
    valid: TrainingData,
    pub group: Rc<ProcessGroup>,
    pub noise: StepNoise,
}

/// What a validation found.
pub struct Validation {
    /// Means over the maps on the preset's scale, buildings at gray level 0.
    pub scores: Scores,
    /// Mean variation from pixel to pixel outdoors, as a share of that of the maps after smoothing.
    pub sharpness: f64,
    /// The first maps: truth above, drawn below.
    pub picture: GrayGrid,
}

impl Validation {
    /// Its figures under their names in the log.
    pub fn scalars(&self) -> [(&'static str, f64); 6] {
        let Scores { nmse, rmse, ssim, psnr_db, rmse_db } = self.scores;
        [
            ("val/nmse", nmse),
            ("val/rmse", rmse),
            ("val/ssim", ssim),
            ("val/psnr_db", psnr_db),
            ("val/rmse_db", rmse_db),
            ("val/sharpness", self.sharpness),
        ]
    }

    /// The same for people.
    pub fn summary(&self) -> String {
        let Scores { nmse, rmse, ssim, psnr_db, rmse_db } = self.scores;
        format!("NMSE {nmse:.5}, RMSE {rmse:.4}, SSIM {ssim:.4}, PSNR {psnr_db:.2} dB, outdoors {rmse_db:.2} dB")
    }
}

impl Session {
    /// Builds the networks, fresh or with weights `from`, the later over the earlier, and opens the datasets, with the scenes' channels
    /// for the second stage and for a first stage that sees them. Only process 0 reads `from`; the others are given its parameters when a
    /// phase begins.
    pub fn open(config: Config, folder: &Path, from: &[Beginning], second_stage: bool, group: &Rc<ProcessGroup>) -> Result<Self> {
        let with_condition = second_stage || config.preset.first_stage_takes_condition();
        let pixels_m = [config.preset.meters_per_pixel; 2];
        Self::with_networks(config, folder, (pixels_m, with_condition), group, |preset, engine, parameters| {
            let model = RadioDiff::new(preset, &VarBuilder::new(engine, parameters))?;
            if group.leads() {
                transfer::restore(from, parameters, preset, second_stage)?;
            }
            Ok(model)
        })
    }
}

/// A validation map as it was drawn and as it is, both (1, 1, N, N) in [0, 1], and where it counts.
struct DrawnSample {
    drawn: Tensor,
    truth: Tensor,
    outdoors: Tensor,
}

impl<M> Session<M> {
    /// Builds the networks by `build`, whose parameters begin as their initialisers say, and opens the datasets, of pixels of these sizes
    /// in metres, with the scenes' channels or without them.
    pub fn with_networks(
        config: Config,
        folder: &Path,
        (pixels_m, with_condition): ([f64; 2], bool),
        group: &Rc<ProcessGroup>,
        build: impl FnOnce(&Preset, &TorchEngine, &TorchParameters) -> Result<M>,
    ) -> Result<Self> {
        let preset = config.preset.clone();
        let engine = TorchEngine::new(group.device()).recomputing(config.gradient_checkpointing).with_channels_last(config.channels_last);
        config.precision.set_up(engine.device());
        let parameters = TorchParameters::initialized(config.seed);
        let model = build(&preset, &engine, &parameters)?;
        let open = |datasets| TrainingData::open(datasets, &config.data, (&preset, pixels_m), with_condition, engine.device());
        let (train, valid) = (open(&config.data.train)?, open(&config.data.valid)?);
        if group.leads() {
            let (device, threads, processes) = (engine.device(), tch::get_num_threads(), group.share().world());
            let validated = valid.len().min(VALIDATION_MAPS);
            println!(
                "{} samples to train on, {validated} to validate on, on {device:?}, {threads} threads, {processes} {}",
                train.len(),
                if processes == 1 { "process" } else { "processes" }
            );
        }
        let (group, noise) = (Rc::clone(group), StepNoise::new(group.share()));
        Ok(Self { config, folder: folder.to_owned(), engine, parameters, model, train, valid, group, noise })
    }

    /// Draws the validation maps and compares them with the truth.
    pub fn validate(&self, draw: MapDrawing<M>) -> Result<Validation> {
        self.engine.set_training(false);
        let _guard = tch::no_grad_guard();
        let (mut scores, mut variation, mut shown) = (Vec::new(), [0.0; 2], [Vec::new(), Vec::new()]);
        let maps = self.valid.len().min(VALIDATION_MAPS);
        for i in 0..maps {
            let DrawnSample { drawn, truth, outdoors } = self.drawn_sample(i, draw)?;
            scores.push(self.scores(&drawn, &truth, &outdoors)?);
            let inner = away_from_buildings(&outdoors);
            variation[0] += variation_within(&drawn, &inner);
            variation[1] += variation_within(&smoothed(&truth), &inner);
            if i < SHOWN_MAPS {
                shown[0].push(levels(&truth)?);
                shown[1].push(levels(&drawn)?);
            }
        }
        let picture = GrayGrid::new(self.config.preset.map_size, &shown)?;
        // Maps without variation cannot be blurred.
        let sharpness = if variation[1] > 0.0 { variation[0] / variation[1] } else { 1.0 };
        Ok(Validation { scores: mean(scores.into_iter()), sharpness, picture })
    }

    /// Draws the first of the validation maps, the truth above them.
    pub fn samples(&self, draw: MapDrawing<M>) -> Result<GrayGrid> {
        self.engine.set_training(false);
        let _guard = tch::no_grad_guard();
        let mut shown = [Vec::new(), Vec::new()];
        for i in 0..self.valid.len().min(SHOWN_MAPS) {
            let DrawnSample { drawn, truth, .. } = self.drawn_sample(i, draw)?;
            shown[0].push(levels(&truth)?);
            shown[1].push(levels(&drawn)?);
        }
        Ok(GrayGrid::new(self.config.preset.map_size, &shown)?)
    }

    fn drawn_sample(&self, i: usize, draw: MapDrawing<M>) -> Result<DrawnSample> {
        let batch = self.valid.sample(i)?;
        let drawn = (draw(self, &batch).0 * 0.5 + 0.5).clamp(0.0, 1.0) * &batch.outdoors;
        Ok(DrawnSample { drawn, truth: &batch.truth * 0.5 + 0.5, outdoors: batch.outdoors })
    }

    /// The scores of a map; maps are (1, 1, N, N) in [0, 1]. SSIM is not a number where its window does not fit into the map.
    fn scores(&self, drawn: &Tensor, truth: &Tensor, outdoors: &Tensor) -> Result<Scores> {
        let side = self.config.preset.map_size;
        let [drawn, truth, outdoors] = [values(drawn)?, values(truth)?, values(outdoors)?];
        let inside: Vec<u8> = outdoors.iter().map(|&outdoors| u8::from(outdoors == 0.0)).collect();
        Ok(Scores {
            nmse: metrics::nmse(&drawn, &truth),
            rmse: metrics::rmse(&drawn, &truth),
            ssim: if side < metrics::SSIM_WINDOW { f64::NAN } else { metrics::ssim(&drawn, &truth, side) },
            psnr_db: metrics::psnr(&drawn, &truth),
            rmse_db: metrics::rmse_db(&drawn, &truth, &inside, &self.config.preset.gray),
        })
    }

    /// The maps of the batch `number`, cut to `side` pixels where they are larger. All of a batch are cut at the same place.
    pub fn cropped(&self, number: usize, batch: &Batch, side: usize) -> Batch {
        let whole = self.config.preset.map_size;
        let side = side.min(whole);
        let number = if self.config.overfit_batch { 0 } else { number };
        let places = random::uniform(random::seed_for(self.config.seed, &format!("crop {number}")), 0, 2);
        let corner = |place: f64| (place * (whole - side + 1) as f64) as i64;
        batch.crop(corner(places[0]), corner(places[1]), side as i64)
    }

    /// Writes the parameters as they are now, which process 0 does for all.
    pub fn save(&self, file: &str) -> Result<()> {
        if !self.group.leads() {
            return Ok(());
        }
        let tensors = self.parameters.to_host()?;
        let manifest = WeightsManifest {
            training_data: self.train.description.clone(),
            license: String::from("MIT OR Apache-2.0"),
            commit: files::commit(),
            ..WeightsManifest::of(self.config.preset.clone())
        };
        files::write(&self.folder.join(file), &serialize(&tensors, manifest, Precision::F32)?)
    }
}

/// A map's pixels, row-major.
fn values(map: &Tensor) -> Result<Vec<f32>> {
    Ok(Vec::<f32>::try_from(&map.to_device(Device::Cpu).to_kind(Kind::Float).contiguous().view(-1))?)
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

//! Training: the first stage on maps alone, then the denoiser on its latents, then both by the map itself.
//!
//! What flows in: a configuration and datasets. What flows out, in the run's folder: `config-<network>.toml` as resolved,
//! `log-<network>.csv` and the averaged weights with their manifest, `<network>.safetensors`, where the network is `autoencoder`
//! or `diffusion`, and `preview.png` of the last one (truth above, drawn below). A loop is written to be read from top to bottom; what both need is here.

pub mod autoencoder;
pub mod diffusion;
pub mod first_stage;

use crate::config::Config;
use crate::data::{Batch, RankShare, StreamOptions, StreamPosition, TrainingData};
use crate::torch::{AdamW, Average, Schedule, TorchEngine, TorchParameters, TorchTensor, best_device, clip_gradients};
use anyhow::{Context, Result, bail};
use indicatif::{ProgressBar, ProgressStyle};
use radiodiff_core::diffusion::RadioDiff;
use radiodiff_core::model::Compat;
use radiodiff_core::parameters::VarBuilder;
use radiodiff_core::weights::{Checkpoint, Precision, WeightsManifest, serialize};
use radiodiff_dataset::files;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Instant;
use tch::{Kind, Tensor};

/// Train a network; see configs/nano.toml.
#[derive(clap::Args, Debug)]
pub struct Args {
    #[command(subcommand)]
    stage: StageArgs,
}

#[derive(clap::Subcommand, Debug)]
enum StageArgs {
    /// The first stage: maps to latents and back.
    Autoencoder {
        #[command(flatten)]
        run: RunArgs,
        /// Weights to begin with instead of fresh ones.
        #[arg(long)]
        from: Option<PathBuf>,
    },
    /// The second stage: latents from noise and a scene.
    Diffusion {
        #[command(flatten)]
        run: RunArgs,
        /// Weights to begin with, at least of the first stage; by default autoencoder.safetensors in the run's folder.
        #[arg(long)]
        from: Option<PathBuf>,
    },
}

#[derive(clap::Args, Debug)]
struct RunArgs {
    /// The run's configuration.
    #[arg(long)]
    config: PathBuf,
    /// The run's folder.
    #[arg(long)]
    out: PathBuf,
    /// Overrides of the configuration, a.b=value; may be given more than once.
    #[arg(long = "set", value_name = "A.B=VALUE")]
    overrides: Vec<String>,
}

/// Runs `trainer train`.
pub fn run(args: &Args) -> Result<()> {
    match &args.stage {
        StageArgs::Autoencoder { run, from } => autoencoder::run(Config::load(&run.config, &run.overrides)?, &run.out, from.as_deref()),
        StageArgs::Diffusion { run, from } => {
            let first_stage = from.clone().unwrap_or_else(|| run.out.join("autoencoder.safetensors"));
            diffusion::run(Config::load(&run.config, &run.overrides)?, &run.out, &first_stage)
        }
    }
}

/// Everything a training loop works on.
struct Session {
    config: Config,
    /// What is trained: autoencoder or diffusion.
    network: &'static str,
    folder: PathBuf,
    engine: TorchEngine,
    parameters: TorchParameters,
    model: RadioDiff<TorchEngine>,
    train: TrainingData,
    valid: TrainingData,
    started: Instant,
    /// Names of what `after` of [`Session::run`] returns, the log's last columns.
    terms: Vec<&'static str>,
    log: String,
}

/// How many validation maps are drawn each time.
const VALIDATION_MAPS: usize = 24;
const CLIP_NORM: f64 = 1.0;

impl Session {
    fn open(network: &'static str, config: Config, folder: &Path, from: Option<&Path>) -> Result<Self> {
        let preset = config.preset.clone();
        std::fs::create_dir_all(folder).with_context(|| format!("making the run's folder {}", folder.display()))?;
        files::write(&folder.join(format!("config-{network}.toml")), toml::to_string(&config)?.as_bytes())?;
        let engine = TorchEngine::new(best_device());
        tch::manual_seed(config.seed as i64);
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
        let open = |datasets| TrainingData::open(datasets, &config.data, &preset, network == "diffusion", engine.device());
        let (train, valid) = (open(&config.data.train)?, open(&config.data.valid)?);
        println!(
            "{} samples to train on, {} to validate on, on {:?}, {} threads",
            train.len(),
            valid.len().min(VALIDATION_MAPS),
            engine.device(),
            tch::get_num_threads()
        );
        let (folder, started) = (folder.to_owned(), Instant::now());
        Ok(Self { config, network, folder, engine, parameters, model, train, valid, started, terms: Vec::new(), log: String::new() })
    }

    /// Runs `steps` steps of `loss` over the parameters under `prefixes`, and leaves their averages in them. `after` is called
    /// after each step with its learning rate, and returns the step's value of each of `self.terms`, where it has one.
    fn run(
        &mut self,
        stage: TrainingPhase,
        mut loss: impl FnMut(&Self, usize, &Batch) -> Result<Tensor>,
        mut after: impl FnMut(&Self, usize, f64, &Batch) -> Result<Vec<Option<f64>>>,
    ) -> Result<()> {
        if self.log.is_empty() {
            let columns = ["stage", "step", "seconds", "loss", "gradient_norm", "valid_nmse"];
            self.log = [&columns, self.terms.as_slice()].concat().join(",") + "\n";
        }
        let mut terms = Means::new(self.terms.len());
        let mut trained = self.parameters.trainable(stage.prefixes);
        trained.extend(stage.more.iter().map(|(name, tensor)| (name.clone(), tensor.shallow_clone())));
        let count: i64 = trained.iter().map(|(_, p)| p.numel() as i64).sum();
        println!("{}: {} steps over {count} parameters", stage.name, stage.schedule.steps);
        let mut optimizer = AdamW::new(&trained, stage.weight_decay, self.config.compat);
        // Running statistics too: those of the last weights are not those of the average.
        let mut average = Average::new(&self.parameters.all(stage.prefixes));
        let bar = progress(stage.name, stage.schedule.steps);
        let data = StreamOptions {
            batch: stage.batch,
            symmetries: stage.symmetries,
            threads: self.config.data.threads(),
            share: RankShare::ALONE,
        };
        let mut stream = self.train.stream(data, StreamPosition::start(self.config.seed + stage.order))?;
        let mut smoothed = None;
        for step in 0..stage.schedule.steps {
            self.engine.set_training(true);
            optimizer.zero_gradients();
            let batch = stream.next_batch()?;
            let loss = loss(self, step, &batch)?;
            loss.backward();
            let norm = clip_gradients(&trained, stage.clip_norm);
            let rate = stage.schedule.rate(step);
            optimizer.step(rate);
            average.update();
            terms.add(&after(self, step, rate, &batch)?);
            let value = loss.double_value(&[]);
            if !(value.is_finite() && norm.is_finite()) {
                bail!(
                    "{}: the loss became {value} (gradient norm {norm}) at step {step}; lower {}'s learning_rate",
                    stage.name,
                    stage.name
                );
            }
            let mean = smoothed.map_or(value, |old: f64| 0.98 * old + 0.02 * value);
            smoothed = Some(mean);
            bar.set_message(format!("loss {mean:.5}"));
            bar.inc(1);
            if (step + 1).is_multiple_of(self.config.validate_every) || step + 1 == stage.schedule.steps {
                let current = self.parameters.to_host()?;
                average.apply();
                let nmse = self.validate(stage.draw)?;
                self.save(stage.file)?;
                if step + 1 < stage.schedule.steps {
                    // Training goes on from the weights themselves, not from their average.
                    self.parameters.restore(&current.into_iter().collect(), &[""])?;
                }
                let seconds = self.started.elapsed().as_secs();
                // Also where no terminal shows the bar.
                bar.suspend(|| println!("{} step {}: {seconds} s, loss {mean:.5}, validation NMSE {nmse:.5}", stage.name, step + 1));
                writeln!(self.log, "{},{},{seconds},{mean},{norm},{nmse}{}", stage.name, step + 1, terms.take())?;
                files::write(&self.folder.join(format!("log-{}.csv", self.network)), self.log.as_bytes())?;
            }
        }
        bar.finish();
        Ok(())
    }

    /// Mean NMSE over the validation maps, buildings at gray level 0; leaves a picture of the first ones.
    fn validate(&self, draw: fn(&Self, &Batch) -> TorchTensor) -> Result<f64> {
        self.engine.set_training(false);
        let _guard = tch::no_grad_guard();
        let (mut sum, mut shown) = (0.0, Vec::new());
        let maps = self.valid.len().min(VALIDATION_MAPS);
        for i in 0..maps {
            let batch = self.valid.sample(i)?;
            let drawn = (draw(self, &batch).0 * 0.5 + 0.5).clamp(0.0, 1.0) * &batch.outdoors;
            let truth = &batch.truth * 0.5 + 0.5;
            let power = truth.square().mean(Kind::Float).double_value(&[]);
            sum += (&drawn - &truth).square().mean(Kind::Float).double_value(&[]) / power;
            if shown.len() < 4 {
                shown.push(Tensor::cat(&[truth, drawn], 2));
            }
        }
        let picture = Tensor::cat(&shown, 3).squeeze();
        let (height, width) = picture.size2()?;
        let pixels = Vec::<f32>::try_from(&(picture * 255.0).to_device(tch::Device::Cpu).contiguous().view(-1))?;
        let pixels: Vec<u8> = pixels.into_iter().map(|v| v.round() as u8).collect();
        files::write_gray_png(&self.folder.join("preview.png"), &pixels, width as u32, height as u32)?;
        Ok(sum / maps as f64)
    }

    /// Writes the parameters as they are now.
    fn save(&self, file: &str) -> Result<()> {
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

/// One run of the training loop.
struct TrainingPhase {
    name: &'static str,
    prefixes: &'static [&'static str],
    /// Trained parameters that are not the networks' and are not saved.
    more: Vec<(String, Tensor)>,
    schedule: Schedule,
    /// Samples a step, turned by symmetries drawn among so many.
    batch: usize,
    symmetries: usize,
    /// Gives each phase an order of the samples of its own.
    order: u64,
    clip_norm: f64,
    weight_decay: f64,
    /// What validation draws: a map in [-1, 1].
    draw: fn(&Session, &Batch) -> TorchTensor,
    file: &'static str,
}

/// Means of a step's terms since the log's last row.
struct Means(Vec<(f64, usize)>);

impl Means {
    fn new(terms: usize) -> Self {
        Self(vec![(0.0, 0); terms])
    }

    fn add(&mut self, values: &[Option<f64>]) {
        for ((sum, count), value) in self.0.iter_mut().zip(values) {
            *sum += value.unwrap_or(0.0);
            *count += usize::from(value.is_some());
        }
    }

    /// The end of a row: a comma and the mean of each term, or nothing where no step had it.
    fn take(&mut self) -> String {
        let cell = |(sum, count): &mut (f64, usize)| {
            let (sum, count) = (std::mem::take(sum), std::mem::take(count));
            if count == 0 { String::from(",") } else { format!(",{}", sum / count as f64) }
        };
        self.0.iter_mut().map(cell).collect()
    }
}

fn progress(name: &'static str, steps: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{prefix} {bar:30} {pos}/{len} {per_sec}, {eta} left, {msg}");
    ProgressBar::new(steps as u64).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar())).with_prefix(name)
}

/// What is added to a map's mean square before dividing by it, so that a nearly black map does not outweigh all others.
const LEAST_POWER: f64 = 0.01;

/// What a pixel's error weighs, mean 1: outdoors more than inside a building, and a map by one over its mean square, as the
/// normalised mean squared error does. A crop of which no pixel counts weighs nothing.
pub fn pixel_weights(batch: &Batch, building_weight: f64) -> Tensor {
    let weight = &batch.outdoors * (1.0 - building_weight) + building_weight;
    let dims: &[i64] = &[1, 2, 3];
    let power = (&batch.truth * 0.5 + 0.5).square().mean_dim(dims, true, Kind::Float) + LEAST_POWER;
    let map_weight = power.reciprocal();
    let mean = (weight.mean_dim(dims, true, Kind::Float) * map_weight.mean(Kind::Float)).clamp_min(f64::from(f32::MIN_POSITIVE));
    weight * map_weight / mean
}

/// A stage's schedule; `least` is the configuration's floor.
fn schedule(base: f64, least: Option<f64>, power: f64, steps: usize, compat: Compat) -> Schedule {
    Schedule { base, least: least.unwrap_or(0.01 * base), power, steps, compat }
}

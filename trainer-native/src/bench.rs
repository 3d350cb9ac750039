//! `trainer bench`: training steps, timed, on the same weights, batches and noise as the PyTorch program in `bench/`.
//!
//! `prepare` writes what both programs read; `run` takes steps of one stage as training takes them and prints one line of JSON.
//! `bench/compare.py` runs both in turns and prints a table. The losses of the first steps are printed because two programs that
//! learn alike compute the same: a difference there says that the comparison is not one.

use crate::config::Config;
use crate::data::{Batch, OrderedSample, TrainingData};
use crate::gpu::GpuMonitor;
use crate::parallel::ProcessGroup;
use crate::torch::{
    AdamW, Average, AverageSchedule, Gradients, StepGraphs, StepInputs, TorchEngine, TorchParameters, TorchTensor, TrainingPrecision,
    best_device,
};
use crate::train::diffusion::{DenoiseInputs, denoise};
use crate::train::first_stage::{FirstStageObjective, Reconstruction};
use crate::train::pixel_weights;
use anyhow::{Context, Result, ensure};
use radiodiff_core::diffusion::{LossOptions, RadioDiff};
use radiodiff_core::model::Compat;
use radiodiff_core::parameters::VarBuilder;
use radiodiff_core::random;
use radiodiff_core::weights::HostTensor;
use radiodiff_dataset::files;
use radiodiff_radio::geometry::Symmetry;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;
use tch::{Device, Kind, Tensor};

/// Time training steps, for comparing them with those of another program
#[derive(clap::Subcommand, Debug)]
pub enum Args {
    /// Write initial weights, and batches with their noise
    Prepare {
        /// The run's configuration, whose first samples are taken
        #[arg(long)]
        config: PathBuf,
        /// Overrides of the configuration, a.b=value; may be given more than once
        #[arg(long = "set", value_name = "A.B=VALUE")]
        overrides: Vec<String>,
        /// Number of batches of each stage
        #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..))]
        batches: u32,
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
    /// Take steps of one stage and print their rate as JSON
    Run {
        stage: BenchStage,
        /// Folder that `prepare` wrote
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
        /// Steps that are timed
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
        steps: u32,
        /// Steps before them
        #[arg(long, default_value_t = 3)]
        warm_up: u32,
        #[command(flatten)]
        mode: BenchMode,
    },
}

/// How steps are taken.
#[derive(clap::Args, Clone, Copy, Debug)]
pub struct BenchMode {
    /// Nothing is dropped, so that losses can be compared beyond the first step
    #[arg(long)]
    without_dropout: bool,
    /// How exactly a GPU computes
    #[arg(long, value_enum, default_value_t)]
    precision: TrainingPrecision,
    /// Send a GPU the operations of every step, instead of replaying a recorded step
    #[arg(long)]
    without_graphs: bool,
    /// Keep the channels of a pixel side by side on a GPU too
    #[arg(long)]
    channels_last: bool,
    /// Have cuDNN try which of its algorithms is the fastest for each shape
    #[arg(long)]
    cudnn_benchmark: bool,
    /// Compute on the CPU also where there is a GPU
    #[arg(long)]
    cpu: bool,
}

/// What is trained.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum BenchStage {
    /// Crops of maps through the autoencoder
    FirstStage,
    /// The denoiser on given latents
    Diffusion,
}

impl BenchStage {
    fn name(self) -> &'static str {
        match self {
            Self::FirstStage => "first-stage",
            Self::Diffusion => "diffusion",
        }
    }

    fn prefix(self) -> &'static str {
        match self {
            Self::FirstStage => "first_stage_model.",
            Self::Diffusion => "model.",
        }
    }
}

const RATE: f64 = 2e-3;
const WEIGHT_DECAY: f64 = 0.01;
const CLIP_NORM: f64 = 1.0;
/// Losses that are printed: on a GPU of a few replayed steps too.
const SHOWN: usize = 8;

/// Runs the command.
///
/// # Errors
/// A configuration or dataset that cannot be read, a folder that `prepare` did not write.
pub fn run(args: &Args) -> Result<()> {
    match args {
        Args::Prepare { config, overrides, batches, out } => prepare(&Config::load(config, overrides)?, *batches as usize, out),
        Args::Run { stage, data, steps, warm_up, mode } => {
            let report = time(*stage, data, *steps as usize, *warm_up as usize, *mode)?;
            println!("{}", serde_json::to_string(&report)?);
            Ok(())
        }
    }
}

fn prepare(config: &Config, batches: usize, out: &Path) -> Result<()> {
    let (preset, cpu) = (&config.preset, Device::Cpu);
    std::fs::create_dir_all(out).with_context(|| format!("making the folder {}", out.display()))?;
    files::write(&out.join("preset.json"), &serde_json::to_vec_pretty(preset)?)?;
    let (engine, parameters) = (TorchEngine::new(cpu), TorchParameters::initialized(config.seed));
    RadioDiff::new(preset, &VarBuilder::new(&engine, &parameters))?;
    write_tensors(&out.join("weights.safetensors"), parameters.all(&[""]))?;
    let data = TrainingData::open(&config.data.train, &config.data, (preset, [preset.meters_per_pixel; 2]), true, cpu)?;
    let noise = |name: &str, shape: &[i64]| {
        let values = random::standard_normal(random::seed_for(config.seed, name), 0, shape.iter().product::<i64>() as usize);
        Tensor::from_slice(&values).reshape(shape)
    };
    let mut tensors: [Vec<(String, Tensor)>; 2] = Default::default();
    for number in 0..batches {
        let batch = |size: usize| {
            let sample = |i: usize| OrderedSample { index: (number * size + i) % data.len(), symmetry: Symmetry::default() };
            data.batch(&(0..size).map(sample).collect::<Vec<_>>())
        };
        let (size, crop) = (config.autoencoder.batch as i64, config.autoencoder.crop.min(preset.map_size) as i64);
        let maps = batch(config.autoencoder.batch)?.crop(0, 0, crop);
        let side = crop / preset.autoencoder.reduction() as i64;
        let latent = noise(&format!("posterior {number}"), &[size, preset.autoencoder.latent_channels as i64, side, side]);
        tensors[0]
            .extend([("truth", maps.truth), ("outdoors", maps.outdoors), ("noise", latent)].map(|(n, t)| (format!("{number}.{n}"), t)));
        let size = config.diffusion.pixel.batch as i64;
        let (channels, side) = (preset.unet.latent_channels as i64, preset.unet.latent_size as i64);
        let part = |name: &str| noise(&format!("{name} {number}"), &[size, channels, side, side]);
        let condition = batch(config.diffusion.pixel.batch)?.condition;
        let times = Tensor::linspace(0.1, 0.9, size, (Kind::Float, cpu));
        let parts = [("condition", condition), ("latent", part("latent")), ("noise", part("noise")), ("times", times)];
        tensors[1].extend(parts.map(|(n, t)| (format!("{number}.{n}"), t)));
    }
    for (stage, tensors) in [BenchStage::FirstStage, BenchStage::Diffusion].into_iter().zip(tensors) {
        write_tensors(&out.join(format!("{}.safetensors", stage.name())), tensors)?;
    }
    Ok(())
}

fn write_tensors(path: &Path, tensors: Vec<(String, Tensor)>) -> Result<()> {
    let tensors: Vec<(String, Tensor)> = tensors.into_iter().map(|(name, tensor)| (name, tensor.detach().contiguous())).collect();
    Tensor::write_safetensors(&tensors, path).with_context(|| format!("writing {}", path.display()))
}

fn read_tensors(path: &Path, device: Device) -> Result<BTreeMap<String, Tensor>> {
    let tensors = Tensor::read_safetensors(path).with_context(|| format!("{}: run `trainer bench prepare`", path.display()))?;
    Ok(tensors.into_iter().map(|(name, tensor)| (name, tensor.to_device(device))).collect())
}

#[derive(Serialize)]
struct StepTimes {
    program: String,
    stage: &'static str,
    device: String,
    precision: &'static str,
    steps_per_second: f64,
    /// Of all threads, user's and kernel's.
    cpu_seconds_per_step: Option<f64>,
    page_faults_per_step: Option<f64>,
    /// Of the process; absent on CUDA, where bench/compare.py asks the driver.
    peak_memory_mib: Option<f64>,
    losses: Vec<f64>,
}

/// Takes steps as `train` takes them: loss, gradients, clipping, AdamW, average.
fn time(stage: BenchStage, folder: &Path, steps: usize, warm_up: usize, mode: BenchMode) -> Result<StepTimes> {
    let device = if mode.cpu { Device::Cpu } else { best_device() };
    mode.precision.set_up(device);
    if device.is_cuda() {
        tch::Cuda::cudnn_set_benchmark(mode.cudnn_benchmark);
    }
    let engine = TorchEngine::new(device).with_channels_last(mode.channels_last);
    let engine = if mode.without_dropout { engine.without_dropout() } else { engine };
    let text = std::fs::read_to_string(folder.join("preset.json")).context("the folder of `trainer bench prepare`")?;
    let preset: radiodiff_core::model::Preset = serde_json::from_str(&text).context("preset.json")?;
    ensure!(!preset.first_stage_takes_condition(), "preset {} is not for this comparison: its first stage sees the scene", preset.name);
    let parameters = TorchParameters::initialized(1);
    let model = RadioDiff::new(&preset, &VarBuilder::new(&engine, &parameters))?;
    restore(&parameters, &folder.join("weights.safetensors"))?;
    let batches = stage.read_batches(folder, device)?;
    let trained = parameters.trainable(&[stage.prefix()]);
    let settings = serde_json::from_value(serde_json::json!({
        "steps": 1, "batch": 1, "crop": 1, "whole_map_steps": 0, "learning_rate": RATE, "weight_decay": WEIGHT_DECAY, "kl_weight": 1e-6
    }))?;
    let objective = FirstStageObjective::new(&engine, &settings, 1, Compat::Corrected)?;
    let last_layer = parameters.trainable(&["first_stage_model.decoder.conv_out.weight"]);
    let (_, last_layer) = last_layer.first().context("the decoder has a last layer")?;
    let group = ProcessGroup::alone();
    let loss = |inputs: &StepInputs| -> Result<Tensor> {
        let empty = || Tensor::zeros([0], (Kind::Float, device));
        match stage {
            BenchStage::FirstStage => {
                let [truth, outdoors, noise] = inputs.parts().map(Tensor::shallow_clone);
                let batch = Batch { samples: Vec::new(), condition: empty(), truth, outdoors };
                let posterior = model.first_stage.encode(&engine, &TorchTensor(batch.truth.shallow_clone()));
                let latent = posterior.sample(&engine, &TorchTensor(noise));
                let (drawn, kl) = (model.first_stage.decode(&engine, &latent, None).0, posterior.kl(&engine).0);
                let weights = pixel_weights(&batch, 0.05, &group)?;
                let latent_elements = latent.0.size()[1..].iter().product::<i64>() as usize;
                let maps = Reconstruction { truth: &batch.truth, drawn: &drawn, kl: &kl, latent_elements, weights: Some(&weights) };
                Ok(objective.autoencoder_loss(&engine, 0, &maps, last_layer)?.total)
            }
            BenchStage::Diffusion => {
                let [condition, latent, noise] = inputs.parts().map(Tensor::shallow_clone);
                let batch = Batch { samples: Vec::new(), condition, truth: empty(), outdoors: empty() };
                let inputs = DenoiseInputs { batch: &batch, x0: &latent, noise: &noise, times: &inputs.times };
                Ok(denoise(&engine, &model, &inputs, LossOptions::default()).loss)
            }
        }
    };
    let (mut optimizer, mut average) =
        (AdamW::new(&trained, WEIGHT_DECAY, Compat::Corrected), Average::new(&trained, AverageSchedule::default()));
    let (mut losses, mut started) = (Vec::new(), Instant::now());
    let mut used = ResourceUse::now();
    let mut graphs = StepGraphs::new(&engine, !mode.without_graphs);
    engine.set_training(true);
    for step in 0..warm_up + steps {
        if step == warm_up {
            (started, used) = (Instant::now(), ResourceUse::now());
        }
        let result = graphs.step(&engine, &batches[step % batches.len()], |inputs| {
            let loss = mode.precision.compute(device, || loss(inputs))?;
            let gradients = Gradients::of(&loss, &trained);
            // One reading a step, because it waits for a GPU.
            let numbers = tch::no_grad(|| Tensor::stack(&[loss.detach(), gradients.norm()], 0));
            Ok((gradients, numbers))
        })?;
        let numbers = Vec::<f32>::try_from(&result.1)?;
        let (value, norm) = (f64::from(numbers[0]), f64::from(numbers[1]));
        let mut gradients = result.0.shallow_clone();
        gradients.limit(norm, CLIP_NORM);
        optimizer.step(RATE, &gradients);
        average.update();
        ensure!(value.is_finite() && norm.is_finite(), "the loss became {value} at step {step}");
        losses.push(value);
    }
    let program = [("trainer", true), (", graphs", graphs.records()), (", channels last", mode.channels_last)];
    let program = program.into_iter().filter_map(|(part, holds)| holds.then_some(part)).collect();
    if let Device::Cuda(index) = device {
        tch::Cuda::synchronize(index as i64);
    }
    let seconds = started.elapsed().as_secs_f64();
    let used = used.zip(ResourceUse::now()).map(|(before, after)| after.since(&before));
    losses.truncate(SHOWN);
    Ok(StepTimes {
        program,
        stage: stage.name(),
        device: device_name(device),
        precision: if device.is_cuda() { mode.precision.name() } else { TrainingPrecision::Float32.name() },
        steps_per_second: steps as f64 / seconds,
        cpu_seconds_per_step: used.as_ref().map(|used| used.cpu_seconds / steps as f64),
        page_faults_per_step: used.as_ref().map(|used| used.page_faults / steps as f64),
        peak_memory_mib: if device.is_cuda() { None } else { peak_memory_mib() },
        losses,
    })
}

impl BenchStage {
    /// The batches of `prepare`, in the order in which [`time`]'s loss takes their parts.
    fn read_batches(self, folder: &Path, device: Device) -> Result<Vec<StepInputs>> {
        let tensors = read_tensors(&folder.join(format!("{}.safetensors", self.name())), device)?;
        let count = tensors.keys().filter(|name| name.ends_with(".noise")).count();
        ensure!(count > 0, "{} holds no batch", folder.display());
        let part = |number: usize, name: &str| {
            let name = format!("{number}.{name}");
            tensors.get(&name).map(Tensor::shallow_clone).with_context(|| format!("{} has no {name}", folder.display()))
        };
        let batch = |number: usize| {
            let names = match self {
                Self::FirstStage => ["truth", "outdoors", "noise"],
                Self::Diffusion => ["condition", "latent", "noise"],
            };
            let times = match self {
                Self::FirstStage => Vec::new(),
                Self::Diffusion => Vec::<f32>::try_from(&part(number, "times")?.to_device(Device::Cpu))?,
            };
            Ok(StepInputs { tensors: names.into_iter().map(|name| part(number, name)).collect::<Result<_>>()?, times })
        };
        (0..count).map(batch).collect()
    }
}

fn device_name(device: Device) -> String {
    match (device, GpuMonitor::open().and_then(|monitor| monitor.describe().ok())) {
        (Device::Cuda(_), Some(gpu)) => gpu.name,
        (Device::Cuda(_), None) => String::from("CUDA"),
        _ => format!("CPU, {} threads", tch::get_num_threads()),
    }
}

fn restore(parameters: &TorchParameters, path: &Path) -> Result<()> {
    let host = read_tensors(path, Device::Cpu)?.into_iter().map(|(name, tensor)| {
        let shape = tensor.size().iter().map(|&n| n as usize).collect();
        Ok((name, HostTensor { shape, values: Vec::<f32>::try_from(&tensor.contiguous().view(-1))? }))
    });
    parameters.restore(&host.collect::<Result<_>>()?, &[""])?;
    Ok(())
}

/// What the process has used so far.
struct ResourceUse {
    cpu_seconds: f64,
    page_faults: f64,
}

impl ResourceUse {
    #[cfg(unix)]
    fn now() -> Option<Self> {
        let mut usage = std::mem::MaybeUninit::<libc::rusage>::zeroed();
        // SAFETY: getrusage fills the structure it is given and returns 0, or fails.
        let usage = unsafe { (libc::getrusage(libc::RUSAGE_SELF, usage.as_mut_ptr()) == 0).then(|| usage.assume_init()) }?;
        let seconds = |time: libc::timeval| time.tv_sec as f64 + time.tv_usec as f64 * 1e-6;
        Some(Self { cpu_seconds: seconds(usage.ru_utime) + seconds(usage.ru_stime), page_faults: usage.ru_minflt as f64 })
    }

    #[cfg(not(unix))]
    fn now() -> Option<Self> {
        None
    }

    fn since(&self, before: &Self) -> Self {
        Self { cpu_seconds: self.cpu_seconds - before.cpu_seconds, page_faults: self.page_faults - before.page_faults }
    }
}

/// Most memory that this process had resident so far.
fn peak_memory_mib() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    peak.trim().strip_suffix("kB")?.trim().parse::<f64>().ok().map(|kib| kib / 1024.0)
}

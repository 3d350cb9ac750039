//! Weights files, and the networks they make on an engine.
//!
//! The path from a scene to its map is core's [`Pipeline`]; here stand the choice of the engine and what JavaScript is told of it.

use super::scene::{PlacedTransmitter, SceneHandle};
use super::signal::TransmitterSignal;
use super::{Request, engine_error};
use js_sys::{Function, Promise};
use radiodiff_core::diffusion::SampleOptions;
use radiodiff_core::engine::Engine;
use radiodiff_core::model::Preset;
use radiodiff_core::model::preset::QUANTILES;
use radiodiff_core::pipeline::{MapRequest, NetworkPipeline, Pipeline, PipelineError, SamplingProgress, empty_condition};
use radiodiff_core::weights::{Checkpoint, WeightsError, WeightsManifest};
use radiodiff_engines::bands::shared_memory::{JsTeam, SharedMemory};
use radiodiff_engines::bands::{BandEngine, Team};
use radiodiff_engines::wgpu::{GpuEngine, GpuOptions, Precision};
use radiodiff_planning::coverage::Signal;
use radiodiff_radio::geometry::PreparedScene;
use radiodiff_radio::map::{Quantity, RadioMap};
use radiodiff_radio::scene::{ANTENNA_HEIGHT_M, LinkEnds};
use radiodiff_web_values::{error, object, set};
use serde::Serialize;
use std::collections::BTreeMap;
use std::convert::Infallible;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

/// A validated weights file, kept so that networks can be built from it again.
#[wasm_bindgen]
pub struct Weights {
    checkpoint: Checkpoint,
}

/// What a network says of a map.
#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
enum ModelKind {
    /// Diffusion: maps that the place could have, as many as are asked for.
    Samples,
    /// The quantiles of every pixel, in one evaluation.
    Quantiles,
}

/// What JavaScript is told of a weights file.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WeightsInfo<'a> {
    name: &'a str,
    kind: ModelKind,
    sha256: &'a str,
    map_size: usize,
    meters_per_pixel: f64,
    map_sizes: [usize; 2],
    pixel_sizes_m: [f64; 2],
    quantity: &'static str,
    range: [f32; 2],
    antenna_heights_m: [f64; 2],
    /// Null where the file has no rule for samples.
    steps_of_samples: Option<usize>,
    knows_roofs: bool,
    knows_cars: bool,
    license: &'a str,
    training_data: &'a str,
    metrics: &'a BTreeMap<String, f64>,
    commit: &'a str,
}

#[wasm_bindgen]
impl Weights {
    /// Reads a weights file and checks its hash.
    #[wasm_bindgen(constructor)]
    pub fn new(bytes: &[u8]) -> Result<Weights, JsValue> {
        Ok(Weights { checkpoint: Checkpoint::parse(bytes).map_err(|e| refused(&e))? })
    }

    /// `{ name, kind, sha256, mapSize, metersPerPixel, mapSizes, pixelSizesM, quantity, range, antennaHeightsM, stepsOfSamples,
    /// knowsRoofs, knowsCars, license, trainingData, metrics, commit }`: what the file says of itself.
    pub fn info(&self) -> Result<JsValue, JsValue> {
        let (manifest, grids) = (self.checkpoint.manifest(), self.checkpoint.grids());
        let preset = &manifest.preset;
        object(&WeightsInfo {
            name: &preset.name,
            kind: if self.checkpoint.holds_quantiles() { ModelKind::Quantiles } else { ModelKind::Samples },
            sha256: &manifest.content_sha256,
            map_size: preset.map_size,
            meters_per_pixel: preset.meters_per_pixel,
            map_sizes: grids.sizes,
            pixel_sizes_m: grids.pixels_m,
            quantity: match manifest.quantity {
                Quantity::PathGainDb => "path-gain-db",
                Quantity::ReceivedPowerDbm => "received-power-dbm",
            },
            range: [preset.gray.floor_db, preset.gray.ceiling_db],
            antenna_heights_m: preset.condition.antenna_heights_m(),
            steps_of_samples: manifest.ensemble.map(|rule| rule.steps),
            knows_roofs: preset.condition.knows_roofs(),
            knows_cars: preset.condition.knows_cars(),
            license: &manifest.license,
            training_data: &manifest.training_data,
            metrics: &manifest.metrics,
            commit: &manifest.commit,
        })
    }

    /// Widens the samples of one transmitter as the file says, so that they differ as much as the truth may. Takes the signals, and
    /// gives them back.
    pub fn widened(&self, samples: Vec<TransmitterSignal>) -> Vec<TransmitterSignal> {
        let mut signals: Vec<Signal> = samples.into_iter().map(|sample| sample.signal).collect();
        Signal::widen(&mut signals, self.checkpoint.manifest().widening());
        signals.into_iter().map(|signal| TransmitterSignal { signal }).collect()
    }

    fn network(&self, backend: Backend) -> Network {
        Network { backend, manifest: self.checkpoint.manifest().clone() }
    }

    fn build<E: Engine>(&self, engine: E) -> Result<Running<E>, JsValue> {
        let pipeline = NetworkPipeline::build(&self.checkpoint, &engine).map_err(|e| refused(&e))?;
        Ok(Running { engine, pipeline })
    }
}

/// The error's `reason` tells a damaged file from a foreign one.
fn refused(cause: &WeightsError) -> JsValue {
    let value = error("weights", &format!("the weights are refused: {cause}"));
    set(&value, "reason", if matches!(cause, WeightsError::Damaged { .. }) { "hash" } else { "format" });
    value
}

/// The networks on one engine.
struct Running<E: Engine> {
    engine: E,
    pipeline: NetworkPipeline<E>,
}

impl<E: Engine> Running<E> {
    fn says_quantiles(&self) -> bool {
        matches!(self.pipeline, NetworkPipeline::Quantiles(_))
    }

    /// The pipeline of networks that draw samples.
    fn sampler(&self) -> Result<&Pipeline<E>, JsValue> {
        match &self.pipeline {
            NetworkPipeline::Samples(pipeline) => Ok(pipeline),
            NetworkPipeline::Quantiles(_) => Err(error("failed", &"a network of quantiles draws no samples")),
        }
    }

    fn preset(&self) -> &Preset {
        self.pipeline.preset()
    }

    fn condition(&self, scene: &PreparedScene, ends: &LinkEnds) -> Result<Vec<f32>, JsValue> {
        self.pipeline.condition(scene, ends).map_err(without_hook)
    }

    /// A map of networks that draw samples, of a condition's channels.
    async fn sample(&self, request: &MapRequest<'_>, channels: &[f32], between: &Function) -> Result<RadioMap, JsValue> {
        self.sampler()?.draw_map_of(&self.engine, request, channels, hook(between)).await.map_err(stopped_by_hook)
    }

    /// The maps of a network of quantiles, lowest first.
    async fn quantiles(&self, scene: &PreparedScene, channels: &[f32]) -> Result<Vec<RadioMap>, JsValue> {
        match &self.pipeline {
            NetworkPipeline::Quantiles(pipeline) => pipeline.draw_of(&self.engine, scene, channels).await.map_err(without_hook),
            NetworkPipeline::Samples(_) => Err(error("failed", &"a network that draws samples says no quantiles")),
        }
    }

    /// Draws an empty place, so that kernels are compiled and memory is mapped.
    async fn warm_up(&self, between: &Function) -> Result<(), JsValue> {
        let condition = NetworkCondition { channels: empty_condition(self.preset()), size: self.preset().map_size };
        self.draw_and_drop(&condition, &SampleOptions::default(), between).await
    }

    /// Runs the networks on a condition's channels and drops the map.
    async fn draw_and_drop(&self, condition: &NetworkCondition, options: &SampleOptions, between: &Function) -> Result<(), JsValue> {
        let NetworkCondition { channels, size } = condition;
        match &self.pipeline {
            NetworkPipeline::Samples(pipeline) => {
                pipeline.draw_gray(&self.engine, channels, options, hook(between)).await.map(drop).map_err(stopped_by_hook)
            }
            NetworkPipeline::Quantiles(pipeline) => pipeline.draw_gray(&self.engine, channels, *size).await.map(drop).map_err(without_hook),
        }
    }
}

/// The engine that runs the networks.
enum Backend {
    Cpu(Box<Running<BandEngine>>),
    Gpu(Box<Running<GpuEngine>>),
}

/// What JavaScript is told of the engine.
#[derive(Serialize)]
struct BackendReport<'a> {
    backend: &'static str,
    /// The GPU's name, null on the CPU.
    adapter: Option<&'a str>,
    software: bool,
    f16: bool,
    precision: &'static str,
}

/// What the networks are told of a transmitter in its scene; its samples share it.
#[wasm_bindgen]
pub struct NetworkCondition {
    /// (C, N, N)
    channels: Vec<f32>,
    /// N
    size: usize,
}

/// The networks, built and ready.
#[wasm_bindgen]
pub struct Network {
    backend: Backend,
    /// What the weights' file says of itself.
    manifest: WeightsManifest,
}

#[wasm_bindgen]
impl Network {
    /// Builds the networks on the CPU.
    #[wasm_bindgen(js_name = onCpu)]
    pub fn on_cpu(weights: &Weights) -> Result<Network, JsValue> {
        Ok(weights.network(Backend::Cpu(Box::new(weights.build(BandEngine::new())?))))
    }

    /// Builds the networks on WebGPU, on a software adapter only if that is allowed, with convolutions in 16 bits as far as the adapter
    /// has them if that is asked for. Without an adapter the error's code is `no-webgpu`.
    #[wasm_bindgen(js_name = onGpu)]
    pub async fn on_gpu(weights: &Weights, allow_software: bool, half: bool) -> Result<Network, JsValue> {
        let precision = if half { Precision::F16 } else { Precision::F32 };
        let engine = GpuEngine::new(GpuOptions { allow_software, precision }).await.map_err(|e| error("no-webgpu", &e))?;
        Ok(weights.network(Backend::Gpu(Box::new(weights.build(engine)?))))
    }

    /// `{ backend, adapter, software, f16, precision }`: where the networks run.
    pub fn report(&self) -> Result<JsValue, JsValue> {
        match &self.backend {
            Backend::Cpu(_) => {
                let precision = Precision::F32.name();
                object(&BackendReport { backend: "cpu", adapter: None, software: false, f16: false, precision })
            }
            Backend::Gpu(running) => {
                let report = running.engine.report();
                object(&BackendReport {
                    backend: "webgpu",
                    adapter: Some(&report.name),
                    software: report.software,
                    f16: report.f16,
                    precision: report.precision.name(),
                })
            }
        }
    }

    /// Why the GPU's device is lost, once it is.
    pub fn lost(&self) -> Option<String> {
        match &self.backend {
            Backend::Cpu(_) => None,
            Backend::Gpu(running) => running.engine.lost(),
        }
    }

    /// For tests: takes the kernels for GPUs on any adapter from here on. On the CPU nothing happens.
    #[wasm_bindgen(js_name = computeAsOnAGpu)]
    pub fn compute_as_on_a_gpu(&self) {
        if let Backend::Gpu(running) = &self.backend {
            running.engine.compute_as_on_a_gpu();
        }
    }

    /// Gives the GPU's device back; maps that are asked for afterwards fail with `device-lost`. On the CPU nothing happens.
    pub fn release(&self) {
        if let Backend::Gpu(running) = &self.backend {
            running.engine.destroy();
        }
    }

    /// Shares all maps from here on with the other members of a team, each of which draws the same maps in the same order; without one
    /// the networks draw alone. On a GPU nothing happens.
    pub fn join(&self, team: Option<JsTeam>) {
        if let Backend::Cpu(running) = &self.backend {
            if let NetworkPipeline::Samples(pipeline) = &running.pipeline
                && (team.is_some() || running.engine.is_shared())
            {
                // This member has only a part of the tensors that are kept.
                pipeline.forget();
            }
            running.engine.join(team.map(|team| Box::new(SharedMemory::new(team)) as Box<dyn Team>));
        }
    }

    /// Refuses so many transmitters, with so many samples of each where the networks draw samples, where they would not fit into memory.
    #[wasm_bindgen(js_name = checkMemory)]
    pub fn check_memory(&self, scene: &SceneHandle, transmitters: usize, samples: usize) -> Result<(), JsValue> {
        let says_quantiles = match &self.backend {
            Backend::Cpu(running) => running.says_quantiles(),
            Backend::Gpu(running) => running.says_quantiles(),
        };
        scene.check_memory(transmitters, if says_quantiles { QUANTILES } else { samples })
    }

    /// What the networks are told of a transmitter, for [`Self::predict`] and [`Self::quantiles`]. The other members of a team have it by
    /// [`Self::received_condition`].
    pub fn condition(&self, scene: &SceneHandle, placed: &PlacedTransmitter) -> Result<NetworkCondition, JsValue> {
        let (ends, size) = (&ends_of(placed), scene.prepared.grid().size);
        let channels = match &self.backend {
            Backend::Cpu(running) => {
                let mut channels = running.condition(&scene.prepared, ends)?;
                running.engine.share(&mut [size as f32]).map_err(|e| engine_error(&e))?;
                running.engine.share(&mut channels).map_err(|e| engine_error(&e))?;
                channels
            }
            Backend::Gpu(running) => running.condition(&scene.prepared, ends)?,
        };
        Ok(NetworkCondition { channels, size })
    }

    /// The condition that the first member of a team has: this one needs no scene.
    #[wasm_bindgen(js_name = receivedCondition)]
    pub fn received_condition(&self) -> Result<NetworkCondition, JsValue> {
        let running = self.member()?;
        let mut size = [0.0];
        running.engine.share(&mut size).map_err(|e| engine_error(&e))?;
        let size = size[0] as usize;
        let mut channels = vec![0.0; running.preset().condition.channels.len() * size * size];
        running.engine.share(&mut channels).map_err(|e| engine_error(&e))?;
        Ok(NetworkCondition { channels, size })
    }

    /// Takes part in the map of a condition that was received, with the request's sampler and sample of this number: the first member has
    /// the map.
    pub async fn assist(&self, condition: &NetworkCondition, request: &Request, sample: u32, between: Function) -> Result<(), JsValue> {
        self.member()?.draw_and_drop(condition, &request.sampling(sample, &self.manifest), &between).await
    }

    /// Draws one transmitter's signal with the request's sampler and the seed of the request's sample of this number. Before each step
    /// and before decoding `between(done, steps)` is awaited; it may throw to stop.
    pub async fn predict(
        &self,
        scene: &SceneHandle,
        placed: &PlacedTransmitter,
        condition: &NetworkCondition,
        request: &Request,
        sample: u32,
        between: Function,
    ) -> Result<TransmitterSignal, JsValue> {
        let (start, options) = (request.request.start, request.sampling(sample, &self.manifest));
        let request = MapRequest { scene: &scene.prepared, ends: ends_of(placed), start, options };
        let channels = &condition.channels;
        let gain = match &self.backend {
            Backend::Cpu(running) => running.sample(&request, channels, &between).await?,
            Backend::Gpu(running) => running.sample(&request, channels, &between).await?,
        };
        placed.signal(&gain)
    }

    /// One transmitter's signal at each quantile of its path gain, lowest first, by a network that says them.
    pub async fn quantiles(
        &self,
        scene: &SceneHandle,
        placed: &PlacedTransmitter,
        condition: &NetworkCondition,
    ) -> Result<Vec<TransmitterSignal>, JsValue> {
        let channels = &condition.channels;
        let gains = match &self.backend {
            Backend::Cpu(running) => running.quantiles(&scene.prepared, channels).await?,
            Backend::Gpu(running) => running.quantiles(&scene.prepared, channels).await?,
        };
        placed.signals(&gains)
    }

    /// Draws an empty place and forgets it, so that kernels are compiled and memory is mapped.
    pub async fn warmup(&self, between: Function) -> Result<(), JsValue> {
        match &self.backend {
            Backend::Cpu(running) => running.warm_up(&between).await,
            Backend::Gpu(running) => running.warm_up(&between).await,
        }
    }
}

impl Network {
    /// The networks as a member of a team.
    fn member(&self) -> Result<&Running<BandEngine>, JsValue> {
        match &self.backend {
            Backend::Cpu(running) => Ok(running),
            Backend::Gpu(_) => Err(error("failed", &"networks on a GPU take no part in a team")),
        }
    }
}

/// What networks are told of where a transmitter stands; they take receivers at 1.5 m.
fn ends_of(placed: &PlacedTransmitter) -> LinkEnds {
    placed.transmitter.links(ANTENNA_HEIGHT_M)
}

/// A hook that awaits `between(done, steps)`, which may throw to stop.
fn hook(between: &Function) -> impl AsyncFnMut(SamplingProgress) -> Result<(), JsValue> {
    async |SamplingProgress { done, steps }| {
        let go_on = between.call2(&JsValue::NULL, &(done as f64).into(), &(steps as f64).into())?;
        JsFuture::from(Promise::resolve(&go_on)).await?;
        Ok(())
    }
}

fn stopped_by_hook(cause: PipelineError<JsValue>) -> JsValue {
    pipeline_error(cause, |thrown| thrown)
}

fn without_hook(cause: PipelineError<Infallible>) -> JsValue {
    pipeline_error(cause, |never| match never {})
}

/// `thrown` makes a value of what a hook stopped with.
fn pipeline_error<S>(cause: PipelineError<S>, thrown: impl FnOnce(S) -> JsValue) -> JsValue {
    match cause {
        PipelineError::Stopped(stop) => thrown(stop),
        PipelineError::Engine(cause) => engine_error(&cause),
        PipelineError::Scene(cause) => error("transmitter", &cause),
        PipelineError::Start(cause) => error("start", &cause),
        PipelineError::Grid { .. } | PipelineError::NotFinite { .. } => error("failed", &cause),
    }
}

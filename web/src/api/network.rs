//! Weights files, and the networks they make on an engine.

use super::scene::{PlacedTransmitter, SceneHandle};
use super::{Request, engine_error, error, object};
use js_sys::{Float32Array, Function, Promise};
use radiodiff_core::engine::{Engine, EngineError};
use radiodiff_core::model::unet::EncodedCondition;
use radiodiff_core::model::{Preset, RadioDiff, SampleOptions};
use radiodiff_core::weights::Checkpoint;
use radiodiff_engines::cpu::CpuEngine;
use radiodiff_engines::wgpu::{GpuEngine, GpuOptions};
use radiodiff_radio::features::ConditionChannel;
use radiodiff_radio::map::Quantity;
use serde::Serialize;
use std::cell::RefCell;
use std::collections::BTreeMap;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

/// A validated weights file, kept so that networks can be built from it again.
#[wasm_bindgen]
pub struct Weights {
    checkpoint: Checkpoint,
}

/// What JavaScript is told of a weights file.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WeightsInfo<'a> {
    name: &'a str,
    sha256: &'a str,
    map_size: usize,
    meters_per_pixel: f64,
    quantity: &'static str,
    license: &'a str,
    training_data: &'a str,
    metrics: &'a BTreeMap<String, f64>,
    commit: &'a str,
}

#[wasm_bindgen]
impl Weights {
    #[wasm_bindgen(constructor)]
    pub fn new(bytes: &[u8]) -> Result<Weights, JsValue> {
        let checkpoint = Checkpoint::parse(bytes).map_err(|e| error("weights", &format!("the weights are refused: {e}")))?;
        Ok(Weights { checkpoint })
    }

    /// `{ name, sha256, mapSize, metersPerPixel, quantity, license, trainingData, metrics, commit }`: what the file says of itself.
    pub fn info(&self) -> Result<JsValue, JsValue> {
        let manifest = self.checkpoint.manifest();
        object(&WeightsInfo {
            name: &manifest.preset.name,
            sha256: &manifest.content_sha256,
            map_size: manifest.preset.map_size,
            meters_per_pixel: manifest.preset.meters_per_pixel,
            quantity: match manifest.quantity {
                Quantity::PathGainDb => "path-gain-db",
                Quantity::ReceivedPowerDbm => "received-power-dbm",
            },
            license: &manifest.license,
            training_data: &manifest.training_data,
            metrics: &manifest.metrics,
            commit: &manifest.commit,
        })
    }

    fn build<E: Engine>(&self, engine: E) -> Result<Running<E>, JsValue> {
        let model = self.checkpoint.build(&engine).map_err(|e| error("weights", &format!("the weights are refused: {e}")))?;
        Ok(Running { engine, model, encoded: RefCell::new(None) })
    }
}

/// The networks on one engine.
struct Running<E: Engine> {
    engine: E,
    model: RadioDiff<E>,
    /// The last condition that was encoded: another seed or step count needs it again.
    encoded: RefCell<Option<Encoded<E::Tensor>>>,
}

/// The time to begin at and the map in [-1, 1] to begin from; none begins from noise.
type Start = Option<(f32, Vec<f32>)>;

/// A condition and its features.
struct Encoded<T> {
    condition: Vec<f32>,
    features: EncodedCondition<T>,
}

impl<E: Engine> Running<E> {
    /// Gray levels of a condition. `between(done, steps)` is awaited before each step and before decoding; it may throw to stop.
    async fn draw(&self, condition: Vec<f32>, start: Start, options: &SampleOptions, between: &Function) -> Result<Vec<f32>, JsValue> {
        let (engine, model) = (&self.engine, &self.model);
        let mut sampling = match start {
            None => model.begin(engine, options),
            Some((time, map)) => {
                let map = engine.tensor(&map, &[1, 1, model.preset.map_size, model.preset.map_size]);
                model.begin_from_map(engine, &map, time, options).map_err(|e| error("start", &e))?
            }
        };
        loop {
            let (done, steps) = (sampling.done(), sampling.steps());
            let go_on = between.call2(&JsValue::NULL, &(done as f64).into(), &(steps as f64).into())?;
            JsFuture::from(Promise::resolve(&go_on)).await?;
            if done == steps {
                break;
            }
            let mut encoded = self.encoded.borrow_mut();
            let encoded = match encoded.take() {
                Some(known) if known.condition == condition => encoded.insert(known),
                _ => encoded.insert(Encoded { condition: condition.clone(), features: self.encode(&condition) }),
            };
            model.advance(engine, &encoded.features, &mut sampling);
        }
        let gray = engine.read(&model.decode_gray(engine, &sampling.latent)).await.map_err(|e| engine_error(&e))?;
        // Finite weights can still divide by zero on the way, and a map's NaN means "inside a building".
        match gray.iter().filter(|level| !level.is_finite()).count() {
            0 => Ok(gray),
            count => {
                let reason = format!("{count} of {} gray levels are no numbers: the weights, or the engine, cannot be used", gray.len());
                Err(engine_error(&EngineError::Failed { reason }))
            }
        }
    }

    fn encode(&self, condition: &[f32]) -> EncodedCondition<E::Tensor> {
        let preset = &self.model.preset;
        let shape = [1, preset.condition.channels.len(), preset.map_size, preset.map_size];
        self.model.denoiser.encode_condition(&self.engine, &self.engine.tensor(condition, &shape))
    }
}

/// The engine that runs the networks.
enum Backend {
    Cpu(Box<Running<CpuEngine>>),
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
}

/// The networks, built and ready.
#[wasm_bindgen]
pub struct Network {
    backend: Backend,
}

#[wasm_bindgen]
impl Network {
    /// Builds the networks on the CPU.
    #[wasm_bindgen(js_name = onCpu)]
    pub fn on_cpu(weights: &Weights) -> Result<Network, JsValue> {
        Ok(Network { backend: Backend::Cpu(Box::new(weights.build(CpuEngine::new())?)) })
    }

    /// Builds the networks on WebGPU, on a software adapter only if that is allowed. Without one the error's code is `no-webgpu`.
    #[wasm_bindgen(js_name = onGpu)]
    pub async fn on_gpu(weights: &Weights, allow_software: bool) -> Result<Network, JsValue> {
        let engine = GpuEngine::new(GpuOptions { allow_software }).await.map_err(|e| error("no-webgpu", &e))?;
        Ok(Network { backend: Backend::Gpu(Box::new(weights.build(engine)?)) })
    }

    /// `{ backend, adapter, software, f16 }`: where the networks run.
    pub fn report(&self) -> Result<JsValue, JsValue> {
        match &self.backend {
            Backend::Cpu(_) => object(&BackendReport { backend: "cpu", adapter: None, software: false, f16: false }),
            Backend::Gpu(running) => {
                let report = running.engine.report();
                object(&BackendReport { backend: "webgpu", adapter: Some(&report.name), software: report.software, f16: report.f16 })
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

    /// Gives the GPU's device back; maps that are asked for afterwards fail with `device-lost`. On the CPU nothing happens.
    pub fn release(&self) {
        if let Backend::Gpu(running) = &self.backend {
            running.engine.destroy();
        }
    }

    /// Draws one transmitter with the request's sampler: values in dBm, NaN inside buildings. Before each step and before decoding
    /// `between(done, steps)` is awaited; it may throw to stop.
    pub async fn predict(
        &self,
        scene: &SceneHandle,
        placed: &PlacedTransmitter,
        request: &Request,
        between: Function,
    ) -> Result<Float32Array, JsValue> {
        let request = &request.request;
        let options = SampleOptions { steps: request.steps, seed: request.seed, split_last_step: false };
        let preset = self.preset();
        let position = placed.transmitter.position;
        let channels = |channels: &[_]| scene.prepared.condition(position, channels).map_err(|e| error("transmitter", &e));
        let condition = channels(&preset.condition.channels)?;
        let start = if request.start == 1.0 { None } else { Some((request.start, channels(&[ConditionChannel::DominantPathGain])?)) };
        let gray = self.draw(condition, start, &options, &between).await?;
        placed.received(&preset.gray.decode_map(&gray, scene.prepared.grid(), scene.prepared.mask()))
    }

    /// Draws an empty place and forgets it, so that kernels are compiled and memory is mapped.
    pub async fn warmup(&self, between: Function) -> Result<(), JsValue> {
        let preset = self.preset();
        let condition = vec![-1.0; preset.condition.channels.len() * preset.map_size * preset.map_size];
        self.draw(condition, None, &SampleOptions::default(), &between).await.map(drop)
    }
}

impl Network {
    fn preset(&self) -> &Preset {
        match &self.backend {
            Backend::Cpu(running) => &running.model.preset,
            Backend::Gpu(running) => &running.model.preset,
        }
    }

    async fn draw(&self, condition: Vec<f32>, start: Start, options: &SampleOptions, between: &Function) -> Result<Vec<f32>, JsValue> {
        match &self.backend {
            Backend::Cpu(running) => running.draw(condition, start, options, between).await,
            Backend::Gpu(running) => running.draw(condition, start, options, between).await,
        }
    }
}

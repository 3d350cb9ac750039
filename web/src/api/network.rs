//! Weights files, and the networks they make on an engine.

use super::city::{City, Placed};
use super::{engine_error, error, set};
use js_sys::{Float32Array, Function, Object, Promise};
use radiodiff_core::diffusion::MAX_STEPS;
use radiodiff_core::engine::{Engine, EngineError};
use radiodiff_core::model::unet::EncodedCondition;
use radiodiff_core::model::{Preset, RadioDiff, SampleOptions};
use radiodiff_core::weights::Checkpoint;
use radiodiff_engines::cpu::CpuEngine;
use radiodiff_engines::wgpu::{GpuEngine, GpuOptions};
use radiodiff_radio::features::ConditionChannel;
use radiodiff_radio::map::Quantity;
use std::cell::RefCell;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

/// A validated weights file, kept so that networks can be built from it again.
#[wasm_bindgen]
pub struct Weights {
    checkpoint: Checkpoint,
}

#[wasm_bindgen]
impl Weights {
    #[wasm_bindgen(constructor)]
    pub fn new(bytes: &[u8]) -> Result<Weights, JsValue> {
        let checkpoint = Checkpoint::parse(bytes).map_err(|e| error("weights", &format!("the weights are refused: {e}")))?;
        Ok(Weights { checkpoint })
    }

    /// What the file says of itself: { name, sha256, mapSize, metersPerPixel, quantity, license, trainingData, metrics, commit }.
    pub fn info(&self) -> Object {
        let manifest = self.checkpoint.manifest();
        let info = Object::new();
        set(&info, "name", manifest.preset.name.as_str());
        set(&info, "sha256", manifest.content_sha256.as_str());
        set(&info, "mapSize", manifest.preset.map_size as f64);
        set(&info, "metersPerPixel", manifest.preset.meters_per_pixel);
        let quantity = match manifest.quantity {
            Quantity::PathGainDb => "path-gain-db",
            Quantity::ReceivedPowerDbm => "received-power-dbm",
        };
        set(&info, "quantity", quantity);
        set(&info, "license", manifest.license.as_str());
        set(&info, "trainingData", manifest.training_data.as_str());
        let metrics = Object::new();
        for (name, &value) in &manifest.metrics {
            set(&metrics, name, value);
        }
        set(&info, "metrics", metrics);
        set(&info, "commit", manifest.commit.as_str());
        info
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

/// Where the networks run.
enum Place {
    Cpu(Box<Running<CpuEngine>>),
    Gpu(Box<Running<GpuEngine>>),
}

/// The networks, built and ready.
#[wasm_bindgen]
pub struct Network {
    place: Place,
}

#[wasm_bindgen]
impl Network {
    /// Builds the networks on the CPU.
    #[wasm_bindgen(js_name = onCpu)]
    pub fn on_cpu(weights: &Weights) -> Result<Network, JsValue> {
        Ok(Network { place: Place::Cpu(Box::new(weights.build(CpuEngine::new())?)) })
    }

    /// Builds the networks on WebGPU, on a software adapter only if that is allowed. Without one the error's code is `no-webgpu`.
    #[wasm_bindgen(js_name = onGpu)]
    pub async fn on_gpu(weights: &Weights, allow_software: bool) -> Result<Network, JsValue> {
        let engine = GpuEngine::new(GpuOptions { allow_software }).await.map_err(|e| error("no-webgpu", &e))?;
        Ok(Network { place: Place::Gpu(Box::new(weights.build(engine)?)) })
    }

    /// { backend, adapter, software, f16 }.
    pub fn report(&self) -> Object {
        let (backend, adapter, software, f16) = match &self.place {
            Place::Cpu(_) => ("cpu", JsValue::NULL, false, false),
            Place::Gpu(running) => {
                let report = running.engine.report();
                ("webgpu", report.name.as_str().into(), report.software, report.f16)
            }
        };
        let report = Object::new();
        set(&report, "backend", backend);
        set(&report, "adapter", adapter);
        set(&report, "software", software);
        set(&report, "f16", f16);
        report
    }

    /// Why the GPU's device is lost, once it is.
    pub fn lost(&self) -> Option<String> {
        match &self.place {
            Place::Cpu(_) => None,
            Place::Gpu(running) => running.engine.lost(),
        }
    }

    /// Gives the GPU's device back; maps that are asked for afterwards fail with `device-lost`. On the CPU nothing happens.
    pub fn release(&self) {
        if let Place::Gpu(running) = &self.place {
            running.engine.destroy();
        }
    }

    /// Draws one transmitter: values in dBm, NaN inside buildings. `start` below 1 begins from the dominant path's map.
    pub async fn predict(
        &self,
        city: &City,
        placed: &Placed,
        steps: f64,
        seed: f64,
        start: f64,
        between: Function,
    ) -> Result<Float32Array, JsValue> {
        let options = sample_options(steps, seed)?;
        let preset = self.preset();
        let position = placed.transmitter.position;
        let channels = |channels: &[_]| city.prepared.condition(position, channels).map_err(|e| error("transmitter", &e));
        let condition = channels(&preset.condition.channels)?;
        let start = if start == 1.0 { None } else { Some((start as f32, channels(&[ConditionChannel::DominantPathGain])?)) };
        let gray = self.draw(condition, start, &options, &between).await?;
        placed.received(&preset.gray.decode_map(&gray, city.prepared.grid(), city.prepared.mask()))
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
        match &self.place {
            Place::Cpu(running) => &running.model.preset,
            Place::Gpu(running) => &running.model.preset,
        }
    }

    async fn draw(&self, condition: Vec<f32>, start: Start, options: &SampleOptions, between: &Function) -> Result<Vec<f32>, JsValue> {
        match &self.place {
            Place::Cpu(running) => running.draw(condition, start, options, between).await,
            Place::Gpu(running) => running.draw(condition, start, options, between).await,
        }
    }
}

fn sample_options(steps: f64, seed: f64) -> Result<SampleOptions, JsValue> {
    if !(steps.fract() == 0.0 && (1.0..=MAX_STEPS as f64).contains(&steps)) {
        return Err(error("steps", &format!("steps is {steps}, expected a whole number from 1 to {MAX_STEPS}")));
    }
    // Beyond 2^53 whole numbers of JavaScript are no longer exact.
    if !(seed.fract() == 0.0 && (0.0..=9_007_199_254_740_991.0).contains(&seed)) {
        return Err(error("seed", &format!("seed is {seed}, expected a whole number from 0 to 2^53 - 1")));
    }
    Ok(SampleOptions { steps: steps as usize, seed: seed as u64, split_last_step: false })
}

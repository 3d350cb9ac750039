//! Weights files, and the networks they make on an engine.

use super::city::{City, Placed};
use super::{engine_error, error, set};
use js_sys::{Float32Array, Function, Object, Promise};
use radiodiff_core::diffusion::MAX_STEPS;
use radiodiff_core::engine::Engine;
use radiodiff_core::model::SampleOptions;
use radiodiff_core::pipeline::{MapRequest, Pipeline, PipelineError, SamplingProgress};
use radiodiff_core::weights::Checkpoint;
use radiodiff_engines::cpu::CpuEngine;
use radiodiff_engines::wgpu::{GpuEngine, GpuOptions};
use radiodiff_radio::map::Quantity;
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
        Ok(Running { engine, pipeline: Pipeline::new(model) })
    }
}

/// The networks on one engine.
struct Running<E: Engine> {
    engine: E,
    pipeline: Pipeline<E>,
}

/// A hook that awaits `between(done, steps)`, which may throw to stop.
fn hook(between: &Function) -> impl AsyncFnMut(SamplingProgress) -> Result<(), JsValue> {
    async |SamplingProgress { done, steps }| {
        let go_on = between.call2(&JsValue::NULL, &(done as f64).into(), &(steps as f64).into())?;
        JsFuture::from(Promise::resolve(&go_on)).await?;
        Ok(())
    }
}

fn pipeline_error(cause: PipelineError<JsValue>) -> JsValue {
    match cause {
        PipelineError::Stopped(thrown) => thrown,
        PipelineError::Engine(cause) => engine_error(&cause),
        PipelineError::Scene(cause) => error("transmitter", &cause),
        PipelineError::Start(cause) => error("start", &cause),
        PipelineError::Grid { .. } | PipelineError::NotFinite { .. } => error("failed", &cause),
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
        let request = MapRequest { scene: &city.prepared, position: placed.transmitter.position, start: start as f32, options };
        let gain = match &self.place {
            Place::Cpu(running) => running.pipeline.draw_map(&running.engine, &request, hook(&between)).await,
            Place::Gpu(running) => running.pipeline.draw_map(&running.engine, &request, hook(&between)).await,
        };
        placed.received(&gain.map_err(pipeline_error)?)
    }

    /// Draws an empty place and forgets it, so that kernels are compiled and memory is mapped.
    pub async fn warmup(&self, between: Function) -> Result<(), JsValue> {
        let options = SampleOptions::default();
        let gray = match &self.place {
            Place::Cpu(running) => running.pipeline.draw_empty(&running.engine, &options, hook(&between)).await,
            Place::Gpu(running) => running.pipeline.draw_empty(&running.engine, &options, hook(&between)).await,
        };
        gray.map(drop).map_err(pipeline_error)
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

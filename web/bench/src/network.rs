//! What JavaScript draws by.

use radiodiff_core::diffusion::{RadioDiff, SampleOptions, Sampling};
use radiodiff_core::engine::{Engine, EngineError};
use radiodiff_core::weights::{Checkpoint, WeightsError};
use radiodiff_engines::bands::BandEngine;
use radiodiff_engines::bands::shared_memory::{JsTeam, SharedMemory};
use radiodiff_engines::wgpu::{GpuEngine, GpuOptions};
use wasm_bindgen::prelude::*;

/// The networks of a weights file on one engine.
#[wasm_bindgen]
pub struct BenchNetwork {
    backend: Backend,
}

enum Backend {
    Cpu(Loaded<BandEngine>),
    Gpu(Loaded<GpuEngine>),
}

#[wasm_bindgen]
impl BenchNetwork {
    /// Builds the networks on the CPU.
    ///
    /// # Errors
    /// Weights that are damaged or foreign.
    #[wasm_bindgen(js_name = onCpu)]
    pub fn on_cpu(weights: &[u8]) -> Result<BenchNetwork, JsError> {
        Ok(Self { backend: Backend::Cpu(Loaded::new(BandEngine::new(), weights)?) })
    }

    /// Builds the networks on WebGPU, also on a software adapter.
    ///
    /// # Errors
    /// No adapter; weights that are damaged or foreign.
    #[wasm_bindgen(js_name = onGpu)]
    pub async fn on_gpu(weights: Vec<u8>) -> Result<BenchNetwork, JsError> {
        let engine = GpuEngine::new(GpuOptions { allow_software: true, ..Default::default() }).await?;
        Ok(Self { backend: Backend::Gpu(Loaded::new(engine, &weights)?) })
    }

    /// Shares the maps from here on with the other members of a team, on the CPU.
    pub fn join(&self, team: JsTeam) {
        if let Backend::Cpu(loaded) = &self.backend {
            loaded.engine.join(Some(Box::new(SharedMemory::new(team))));
        }
    }

    /// The shape of a condition, (1, C, H, W).
    #[wasm_bindgen(js_name = conditionShape)]
    pub fn condition_shape(&self) -> Vec<usize> {
        match &self.backend {
            Backend::Cpu(loaded) => loaded.condition_shape(),
            Backend::Gpu(loaded) => loaded.condition_shape(),
        }
        .to_vec()
    }

    /// The shape of a noise, (1, Z, h, w).
    #[wasm_bindgen(js_name = noiseShape)]
    pub fn noise_shape(&self) -> Vec<usize> {
        match &self.backend {
            Backend::Cpu(loaded) => loaded.model.latent_shape(1),
            Backend::Gpu(loaded) => loaded.model.latent_shape(1),
        }
        .to_vec()
    }

    /// Draws in one step: a condition in [-1, 1] and standard normal noise -> gray levels (H, W) in [0, 1].
    ///
    /// # Errors
    /// An engine that fails.
    ///
    /// # Panics
    /// When a value is missing or left over.
    pub async fn draw(&self, condition: Vec<f32>, noise: Vec<f32>) -> Result<Vec<f32>, JsError> {
        Ok(match &self.backend {
            Backend::Cpu(loaded) => loaded.draw(&condition, &noise).await?,
            Backend::Gpu(loaded) => loaded.draw(&condition, &noise).await?,
        })
    }
}

struct Loaded<E: Engine> {
    engine: E,
    model: RadioDiff<E>,
}

impl<E: Engine> Loaded<E> {
    fn new(engine: E, weights: &[u8]) -> Result<Self, WeightsError> {
        let model = Checkpoint::parse(weights)?.build(&engine)?;
        Ok(Self { engine, model })
    }

    fn condition_shape(&self) -> [usize; 4] {
        let preset = &self.model.preset;
        [1, preset.condition.channels.len(), preset.map_size, preset.map_size]
    }

    async fn draw(&self, condition: &[f32], noise: &[f32]) -> Result<Vec<f32>, EngineError> {
        let e = &self.engine;
        let condition = e.tensor(condition, &self.condition_shape());
        let features = self.model.denoiser.encode_condition(e, &condition);
        let noise = e.tensor(noise, &self.model.latent_shape(1));
        let mut sampling = Sampling::new(noise, 1.0, &SampleOptions::default());
        while self.model.advance(e, &features, &mut sampling) {}
        e.read(&self.model.decode_gray(e, &sampling.latent, &condition)).await
    }
}

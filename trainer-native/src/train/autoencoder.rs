//! First stage: gray maps to latents and back. Reconstruction error plus a little KL; the adversarial and perceptual terms of
//! RadioDiff are not used at this size.

use super::samples::{Batch, Symmetry};
use super::{Session, Stage, map_loss};
use crate::config::Config;
use crate::torch::TorchTensor;
use anyhow::Result;
use radiodiff_core::weights::reproducible_values;
use std::path::Path;
use tch::{Kind, Tensor};

/// Trains and writes `autoencoder.safetensors`, with the latents' measured scale in `scale_factor`.
pub fn run(config: Config, folder: &Path, from: Option<&Path>) -> Result<()> {
    let mut session = Session::open("autoencoder", config, folder, from)?;
    let settings = session.config.autoencoder.clone();
    let building_weight = session.config.data.building_weight;
    let stage = Stage {
        name: "autoencoder",
        prefixes: &["first_stage_model."],
        steps: settings.steps,
        learning_rate: settings.learning_rate,
        weight_decay: settings.weight_decay,
        draw: reconstruct,
        file: "autoencoder.safetensors",
    };
    session.run(stage, |s, step| {
        let seed = s.config.seed;
        let indices = s.train.order(seed, step, settings.batch);
        let mut batch = s.train.batch(&indices, Symmetry::numbered(step), s.engine.device());
        let side = s.model.preset.map_size;
        if step + settings.whole_map_steps < settings.steps && settings.crop < side {
            let place = |name| reproducible_values(seed, &format!("{name} {step}"), 1).next().unwrap_or(0.0);
            let corner = |name| ((place(name) + 1.0) / 2.0 * (side - settings.crop + 1) as f64) as i64;
            batch = batch.crop(corner("top"), corner("left"), settings.crop as i64);
        }
        let (e, first_stage) = (&s.engine, &s.model.first_stage);
        let posterior = first_stage.encode(e, &TorchTensor(batch.truth.shallow_clone()));
        let latent = posterior.sample(e, &TorchTensor(posterior.mean.0.randn_like()));
        let drawn = first_stage.decode(e, &latent).0;
        let pixels = batch.truth.size()[2..].iter().product::<i64>() as f64;
        Ok(map_loss(&drawn, &batch, building_weight) + posterior.kl(e).0.sum(Kind::Float) * (settings.kl_weight / pixels))
    })?;
    session.measure_scale()?;
    session.save("autoencoder.safetensors")
}

/// The map through the first stage and back, by the posterior's mode.
fn reconstruct(session: &Session, batch: &Batch) -> TorchTensor {
    let first_stage = &session.model.first_stage;
    let posterior = first_stage.encode(&session.engine, &TorchTensor(batch.truth.shallow_clone()));
    first_stage.decode(&session.engine, &posterior.mean)
}

impl Session {
    /// Sets `scale_factor` to one over the latents' standard deviation, so that diffusion sees unit variance.
    fn measure_scale(&self) -> Result<()> {
        const SAMPLES: usize = 64;
        self.engine.set_training(false);
        let _guard = tch::no_grad_guard();
        let latents: Vec<Tensor> = (0..self.train.len())
            .step_by(self.train.len().div_ceil(SAMPLES))
            .map(|i| {
                let batch = self.train.batch(&[i], Symmetry::default(), self.engine.device());
                self.model.first_stage.encode(&self.engine, &TorchTensor(batch.truth)).mean.0
            })
            .collect();
        let scale = Tensor::cat(&latents, 0).std(true).reciprocal();
        println!("latents are scaled by {:.4}", scale.double_value(&[]));
        self.model.scale_factor.0.shallow_clone().copy_(&scale.reshape([1]));
        Ok(())
    }
}

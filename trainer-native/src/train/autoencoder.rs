//! First stage: gray maps to latents and back. Reconstruction error plus a little KL, and what `autoencoder.loss` asks for:
//! a learnt log-variance, the perceptual term, an adversary that takes its own step after each of the autoencoder's.

use super::first_stage::{FirstStageObjective, Reconstruction};
use super::samples::{Batch, Symmetry};
use super::{CLIP_NORM, Session, Stage, pixel_weights, schedule};
use crate::config::{AutoencoderConfig, Config};
use crate::torch::TorchTensor;
use anyhow::{Context, Result, bail};
use radiodiff_core::compat::Compat;
use radiodiff_core::weights::reproducible_values;
use std::path::Path;
use tch::Tensor;

/// Trains and writes `autoencoder.safetensors`, with the latents' measured scale in `scale_factor`.
pub fn run(config: Config, folder: &Path, from: Option<&Path>) -> Result<()> {
    let mut session = Session::open("autoencoder", config, folder, from)?;
    let (settings, compat) = (session.config.autoencoder.clone(), session.config.compat);
    let objective = FirstStageObjective::new(&session.engine, &settings, session.config.seed, compat)?;
    println!("{}", objective.description());
    // The public code clips after the step, where nothing uses the gradients any more.
    let (clip_norm, power) = match compat {
        Compat::Corrected => (CLIP_NORM, 0.96),
        Compat::Upstream => (f64::INFINITY, 0.95),
    };
    let stage = Stage {
        name: "autoencoder",
        prefixes: &["first_stage_model."],
        more: objective.trained(),
        schedule: schedule(settings.learning_rate, settings.min_learning_rate, power, settings.steps, compat),
        clip_norm,
        weight_decay: settings.weight_decay,
        draw: reconstruct,
        file: "autoencoder.safetensors",
    };
    let last_layer = session.parameters.trainable(&["first_stage_model.decoder.conv_out.weight"]);
    let (_, last_layer) = last_layer.first().context("the decoder has a last layer")?;
    let loss = |s: &Session, step: usize| {
        let batch = s.maps(step, &settings);
        let weights = (compat == Compat::Corrected).then(|| pixel_weights(&batch, s.config.data.building_weight));
        let (drawn, kl) = s.autoencode(&batch.truth);
        let maps = Reconstruction { truth: &batch.truth, drawn: &drawn, kl: &kl, weights: weights.as_ref() };
        Ok(objective.autoencoder_loss(&s.engine, step, &maps, last_layer))
    };
    let (mut judged, mut last_judgement) = (0, 0.0);
    let adversary = |s: &Session, step: usize, rate: f64| {
        if objective.adversary_moves(step) {
            // The same maps through the autoencoder as it is now, with new noise.
            let batch = s.maps(step, &settings);
            let drawn = tch::no_grad(|| s.autoencode(&batch.truth).0);
            last_judgement = objective.step_adversary(&s.engine, step, &batch.truth, &drawn, rate, clip_norm);
            if !last_judgement.is_finite() {
                bail!("autoencoder: the discriminator's loss became {last_judgement} at step {step}; lower autoencoder.learning_rate");
            }
            judged += 1;
        }
        Ok(())
    };
    session.run(stage, loss, adversary)?;
    if judged > 0 {
        println!("the discriminator took {judged} steps; its loss was {last_judgement:.5} at last");
    }
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
    /// The maps of a step: crops at first, whole at last.
    fn maps(&self, step: usize, settings: &AutoencoderConfig) -> Batch {
        let seed = self.config.seed;
        let indices = self.train.order(seed, step, settings.batch);
        let batch = self.train.batch(&indices, Symmetry::numbered(step), self.engine.device());
        let side = self.model.preset.map_size;
        if step + settings.whole_map_steps >= settings.steps || settings.crop >= side {
            return batch;
        }
        let place = |name| reproducible_values(seed, &format!("{name} {step}"), 1).next().unwrap_or(0.0);
        let corner = |name| ((place(name) + 1.0) / 2.0 * (side - settings.crop + 1) as f64) as i64;
        batch.crop(corner("top"), corner("left"), settings.crop as i64)
    }

    /// Maps through a sample of the posterior and back, and their divergence from the prior.
    fn autoencode(&self, truth: &Tensor) -> (Tensor, Tensor) {
        let (e, first_stage) = (&self.engine, &self.model.first_stage);
        let posterior = first_stage.encode(e, &TorchTensor(truth.shallow_clone()));
        let latent = posterior.sample(e, &TorchTensor(posterior.mean.0.randn_like()));
        (first_stage.decode(e, &latent).0, posterior.kl(e).0)
    }

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

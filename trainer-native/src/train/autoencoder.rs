//! First stage: gray maps to latents and back. Reconstruction error plus a little KL, and what `autoencoder.loss` asks for:
//! a learnt log-variance, the perceptual term, an adversary that takes its own step after each of the autoencoder's.

use super::first_stage::{AdversaryMaps, FirstStageObjective, Reconstruction};
use super::{CLIP_NORM, Session, TrainingPhase, pixel_weights, schedule};
use crate::config::{AutoencoderConfig, Config, LatentScale};
use crate::data::Batch;
use crate::torch::TorchTensor;
use anyhow::{Context, Result, bail};
use radiodiff_core::model::Compat;
use radiodiff_core::random;
use std::path::Path;
use tch::{Kind, Tensor};

/// Trains and writes `autoencoder.safetensors`, with the latents' scale in `scale_factor`.
pub fn run(config: Config, folder: &Path, from: Option<&Path>) -> Result<()> {
    let mut session = Session::open("autoencoder", config, folder, from)?;
    let (settings, compat) = (session.config.autoencoder.clone(), session.config.compat);
    let objective = FirstStageObjective::new(&session.engine, &settings, session.config.seed, compat)?;
    println!("{}", objective.description());
    session.terms = objective.terms(None).into_iter().map(|(name, _)| name).collect();
    // The public code clips after the step, where nothing uses the gradients any more.
    let (clip_norm, power) = match compat {
        Compat::Corrected => (CLIP_NORM, 0.96),
        Compat::Upstream => (f64::INFINITY, 0.95),
    };
    let stage = TrainingPhase {
        name: "autoencoder",
        prefixes: &["first_stage_model."],
        more: objective.trained(),
        schedule: schedule(settings.learning_rate, settings.min_learning_rate, power, settings.steps, compat),
        batch: settings.batch,
        symmetries: 8,
        order: 0,
        clip_norm,
        weight_decay: settings.weight_decay,
        draw: reconstruct,
        file: "autoencoder.safetensors",
    };
    let last_layer = session.parameters.trainable(&["first_stage_model.decoder.conv_out.weight"]);
    let (_, last_layer) = last_layer.first().context("the decoder has a last layer")?;
    let loss = |s: &Session, step: usize, batch: &Batch| {
        let batch = s.cropped(step, batch, &settings);
        let weights = (compat == Compat::Corrected).then(|| pixel_weights(&batch, s.config.data.building_weight));
        let (drawn, kl) = s.autoencode(&batch.truth);
        let maps = Reconstruction { truth: &batch.truth, drawn: &drawn, kl: &kl, weights: weights.as_ref() };
        Ok(objective.autoencoder_loss(&s.engine, step, &maps, last_layer))
    };
    let (mut adversary_steps, mut last_critic_loss) = (0, None);
    let adversary = |s: &Session, step: usize, rate: f64, batch: &Batch| {
        let mut critic_loss = None;
        if objective.adversary_moves(step) {
            // The same maps through the autoencoder as it is now, with new noise.
            let batch = s.cropped(step, batch, &settings);
            let drawn = tch::no_grad(|| s.autoencode(&batch.truth).0);
            let seed = random::seed_for(s.config.seed, &format!("gradient penalty {step}"));
            let shares: Vec<f32> = random::uniform(seed, 0, batch.truth.size()[0] as usize).into_iter().map(|u| u as f32).collect();
            let maps = AdversaryMaps { truth: &batch.truth, drawn: &drawn, penalty_shares: &shares };
            let loss = objective.step_adversary(&s.engine, step, &maps, rate, clip_norm);
            if !loss.is_finite() {
                bail!("autoencoder: the discriminator's loss became {loss} at step {step}; lower autoencoder.learning_rate");
            }
            critic_loss = Some(loss);
            adversary_steps += 1;
        }
        last_critic_loss = critic_loss.or(last_critic_loss);
        Ok(objective.terms(critic_loss).into_iter().map(|(_, value)| value).collect())
    };
    session.run(stage, loss, adversary)?;
    if let Some(loss) = last_critic_loss {
        println!("the discriminator took {adversary_steps} steps; its loss was {loss:.5} at last");
    }
    let scale = match settings.latent_scale {
        Some(LatentScale::Constant(scale)) => scale,
        None if compat == Compat::Upstream => f64::from(session.model.preset.latent_scale),
        None | Some(LatentScale::Measured) => session.measured_scale()?,
    };
    println!("latents are scaled by {scale:.4}");
    let _ = session.model.scale_factor.0.shallow_clone().fill_(scale);
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
    fn cropped(&self, step: usize, batch: &Batch, settings: &AutoencoderConfig) -> Batch {
        let side = self.model.preset.map_size;
        let crop = if step + settings.whole_map_steps >= settings.steps { side } else { settings.crop.min(side) };
        let places = random::uniform(random::seed_for(self.config.seed, &format!("crop {step}")), 0, 2);
        let corner = |place: f64| (place * (side - crop + 1) as f64) as i64;
        batch.crop(corner(places[0]), corner(places[1]), crop as i64)
    }

    /// Maps through a sample of the posterior and back, and their divergence from the prior.
    fn autoencode(&self, truth: &Tensor) -> (Tensor, Tensor) {
        let (e, first_stage) = (&self.engine, &self.model.first_stage);
        let posterior = first_stage.encode(e, &TorchTensor(truth.shallow_clone()));
        let latent = posterior.sample(e, &TorchTensor(posterior.mean.0.randn_like()));
        (first_stage.decode(e, &latent).0, posterior.kl(e).0)
    }

    /// One over the standard deviation of latents z drawn from their posteriors, as diffusion draws them, so that it sees unit
    /// variance. By the law of total variance, not by drawing: that of the means and the mean of the variances.
    fn measured_scale(&self) -> Result<f64> {
        const SAMPLES: usize = 64;
        /// Twice that of the narrowest posterior: below it latents do not tell maps apart.
        const LEAST_DEVIATION: f64 = 6e-7;
        self.engine.set_training(false);
        let _guard = tch::no_grad_guard();
        let chosen = (0..self.train.len()).step_by(self.train.len().div_ceil(SAMPLES));
        let posterior = |i: usize| -> Result<(Tensor, Tensor)> {
            let posterior = self.model.first_stage.encode(&self.engine, &TorchTensor(self.train.sample(i)?.truth));
            Ok((posterior.mean.0, posterior.log_variance.0.exp()))
        };
        let (means, variances): (Vec<Tensor>, Vec<Tensor>) = chosen.map(posterior).collect::<Result<Vec<_>>>()?.into_iter().unzip();
        let variance = Tensor::cat(&means, 0).var(false) + Tensor::cat(&variances, 0).mean(Kind::Float);
        let deviation = variance.sqrt().double_value(&[]);
        if !(deviation.is_finite() && deviation > LEAST_DEVIATION) {
            bail!(
                "autoencoder: the latents' standard deviation is {deviation:e}, so nothing scales them: the first stage has collapsed. \
                 Train it again, longer or with a smaller autoencoder.kl_weight, or give autoencoder.latent_scale a number"
            );
        }
        Ok(deviation.recip())
    }
}

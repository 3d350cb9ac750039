//! First stage: gray maps to latents and back. Reconstruction error plus a little KL, and what `autoencoder.loss` asks for:
//! a learnt log-variance, the perceptual term, an adversary that takes its own step after each of the autoencoder's.

use super::dry_run;
use super::first_stage::{AdversaryMaps, FirstStageObjective, FirstStageTerms, Reconstruction};
use super::objective::{Objective, Phase, StepLoss};
use super::pixels::pixel_weights;
use super::session::Session;
use super::stage_run::{RunMode, StageRun};
use super::steps;
use super::transfer::Beginning;
use super::trouble::Signs;
use crate::config::{AutoencoderConfig, Config, LatentScale};
use crate::data::Batch;
use crate::parallel::ProcessGroup;
use crate::torch::{StepInputs, TorchTensor};
use anyhow::{Context, Result, bail};
use radiodiff_core::model::Compat;
use radiodiff_core::random;
use std::cell::Cell;
use std::path::Path;
use std::rc::Rc;
use tch::{Kind, Tensor};

/// Trains and writes `autoencoder.safetensors`, with the latents' scale in `scale_factor`. A run that is not resumed begins with
/// the weights `from` or fresh ones.
pub fn run(config: Config, folder: &Path, from: Option<Beginning>, mode: RunMode, group: &Rc<ProcessGroup>) -> Result<()> {
    let mut run = StageRun::open("autoencoder", &config, folder, mode, group)?;
    let resumes = run.as_ref().is_some_and(StageRun::resumes);
    let session = Session::open(config, folder, from.filter(|_| !resumes).as_slice(), false, group)?;
    let (settings, compat) = (&session.config.autoencoder, session.config.compat);
    // The public code clips after the step, where nothing uses the gradients any more.
    let (clip_norm, power) = match compat {
        Compat::Corrected => (settings.optimizer.clip_norm, 0.96),
        Compat::Upstream => (f64::INFINITY, 0.95),
    };
    let phase = Phase {
        name: "autoencoder",
        prefixes: &["first_stage_model."],
        frozen: &settings.freeze,
        schedule: settings.optimizer.schedule(settings.learning_rate, settings.min_learning_rate, power, settings.steps, compat),
        batch: group.part_of(settings.batch, "autoencoder.batch")?,
        symmetries: 8,
        curriculum: settings.curriculum,
        order: 0,
        clip_norm,
        accumulate: settings.optimizer.accumulate,
        weight_decay: settings.weight_decay,
        average: settings.average,
        draw: reconstruct,
        reconstructs: true,
    };
    let objective = AutoencoderObjective::new(&session, settings, clip_norm)?;
    if group.leads() {
        println!("{}", objective.loss.description());
    }
    let Some(run) = &mut run else { return dry_run::report(&session, &phase, &objective) };
    steps::train(&session, run, &phase, &objective)?;
    run.finish()?;
    if !group.leads() {
        return Ok(());
    }
    if let Some(loss) = objective.critic_loss.get() {
        println!("the discriminator took {} steps; its loss was {loss:.5} at last", objective.loss.adversary_steps());
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

/// The first stage's loss on the maps of each step, and the discriminator's steps.
struct AutoencoderObjective {
    settings: AutoencoderConfig,
    clip_norm: f64,
    loss: FirstStageObjective,
    /// The weight of the decoder's last convolution.
    last_layer: Tensor,
    /// The discriminator's loss in its last step of this session.
    critic_loss: Cell<Option<f64>>,
    /// Whether that was the last step.
    critic_moved: Cell<bool>,
}

impl AutoencoderObjective {
    fn new(session: &Session, settings: &AutoencoderConfig, clip_norm: f64) -> Result<Self> {
        let loss = FirstStageObjective::new(&session.engine, settings, session.config.seed, session.config.compat)?;
        let loss = loss.among(&session.group);
        let last_layer = session.parameters.trainable(&["first_stage_model.decoder.conv_out.weight"]);
        let (_, last_layer) = last_layer.into_iter().next().context("the decoder has a last layer")?;
        let (critic_loss, critic_moved) = (Cell::new(None), Cell::new(false));
        Ok(Self { settings: settings.clone(), clip_norm, loss, last_layer, critic_loss, critic_moved })
    }
}

impl Objective for AutoencoderObjective {
    fn inputs(&self, s: &Session, step: usize, number: usize, batch: &Batch) -> Result<StepInputs> {
        let batch = s.cropped(number, batch, self.settings.crop_at(step));
        let noise = s.latent_noise(&batch);
        Ok(StepInputs { tensors: vec![batch.condition, batch.truth, batch.outdoors, noise], times: Vec::new() })
    }

    fn loss(&self, s: &Session, step: usize, inputs: &StepInputs) -> Result<StepLoss> {
        let [condition, truth, outdoors, noise] = inputs.parts().map(Tensor::shallow_clone);
        let batch = Batch { samples: Vec::new(), condition, truth, outdoors };
        let weighted = s.config.compat == Compat::Corrected;
        let weights = weighted.then(|| pixel_weights(&batch, s.config.data.building_weight, &s.group)).transpose()?;
        let (drawn, kl) = s.autoencode(&batch, &noise);
        let latent_elements = s.latent_shape(batch.truth.size()[2]).iter().product::<i64>() as usize;
        let maps = Reconstruction { truth: &batch.truth, drawn: &drawn, kl: &kl, latent_elements, weights: weights.as_ref() };
        self.loss.autoencoder_loss(&s.engine, step, &maps, &self.last_layer)
    }

    fn repeats(&self) -> bool {
        self.loss.repeats()
    }

    fn note(&self, terms: &FirstStageTerms, means: &[f64]) {
        self.loss.note(terms, means);
    }

    fn after_step(&self, s: &Session, step: usize, rate: f64, batch: &Batch) -> Result<Option<f64>> {
        let moves = self.loss.adversary_moves(step);
        self.critic_moved.set(moves);
        if !moves {
            return Ok(None);
        }
        // The same maps through the autoencoder as it is now, with new noise.
        let batch = s.cropped(step * self.settings.optimizer.accumulate, batch, self.settings.crop_at(step));
        let drawn = tch::no_grad(|| s.autoencode(&batch, &s.latent_noise(&batch)).0);
        let seed = random::seed_for(s.config.seed, &format!("gradient penalty {step}"));
        let shares = random::uniform(seed, 0, s.noise.whole(batch.truth.size()[0] as usize));
        let shares: Vec<f32> = s.noise.part(&shares).into_iter().map(|u| u as f32).collect();
        let maps = AdversaryMaps { truth: &batch.truth, drawn: &drawn, penalty_shares: &shares };
        let loss = self.loss.step_adversary(&s.engine, step, &maps, rate, self.clip_norm)?;
        self.critic_loss.set(Some(loss));
        Ok(Some(loss))
    }

    fn terms(&self) -> Vec<(&'static str, f64)> {
        self.loss.terms(self.critic_loss.get().filter(|_| self.critic_moved.get()))
    }

    fn signs(&self, _: f64) -> Signs {
        self.loss.signs(self.critic_loss.get().filter(|_| self.critic_moved.get()))
    }

    fn trained(&self) -> Vec<(String, Tensor)> {
        self.loss.trained()
    }

    fn state(&self) -> Vec<(String, Tensor)> {
        self.loss.state()
    }

    fn buffers(&self) -> Vec<(String, Tensor)> {
        self.loss.buffers()
    }
}

/// The map through the first stage and back, by the posterior's mode.
fn reconstruct(session: &Session, batch: &Batch) -> TorchTensor {
    let (e, model) = (&session.engine, &session.model);
    let [truth, condition] = [&batch.truth, &batch.condition].map(|x| TorchTensor(x.shallow_clone()));
    let mean = model.encode_map(e, &truth, &condition).mean;
    model.coding.map(e, &model.first_stage.decode(e, &mean, Some(&condition)), &condition)
}

impl Session {
    /// Shape of the latent of a map of `side` x `side` pixels.
    fn latent_shape(&self, side: i64) -> [i64; 3] {
        let first_stage = &self.model.preset.autoencoder;
        let latent_side = side / first_stage.reduction() as i64;
        [first_stage.latent_channels as i64, latent_side, latent_side]
    }

    /// The next noise of a batch's posteriors.
    fn latent_noise(&self, batch: &Batch) -> Tensor {
        let size = batch.truth.size();
        let [channels, height, width] = self.latent_shape(size[2]);
        self.noise.of_shape(&[size[0], channels, height, width], (Kind::Float, self.engine.device()))
    }

    /// Maps through a sample of the posterior and back, and their divergence from the prior.
    fn autoencode(&self, batch: &Batch, noise: &Tensor) -> (Tensor, Tensor) {
        let (e, model) = (&self.engine, &self.model);
        let [truth, condition] = [&batch.truth, &batch.condition].map(|x| TorchTensor(x.shallow_clone()));
        let posterior = model.encode_map(e, &truth, &condition);
        let latent = posterior.sample(e, &TorchTensor(noise.shallow_clone()));
        let drawn = model.coding.map(e, &model.first_stage.decode(e, &latent, Some(&condition)), &condition);
        (drawn.0, posterior.kl(e).0)
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
            let sample = self.train.sample(i)?;
            let posterior = self.model.encode_map(&self.engine, &TorchTensor(sample.truth), &TorchTensor(sample.condition));
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

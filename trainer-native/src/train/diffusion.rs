//! Second stage: the denoiser on the first stage's latents, and at last the map itself.
//!
//! The decoupled process's loss at random times, a share of them at t = 1, where the one-step sampler works. Then, at t = 1
//! only, the predicted latent is decoded and compared with the map, and the decoder learns with the denoiser: what the
//! latent's loss cannot know is which of its errors a map shows.

use super::dry_run;
use super::objective::{Objective, Phase, StepLoss};
use super::pixels::pixel_weights;
use super::session::Session;
use super::stage_run::{RunMode, StageRun};
use super::steps;
use super::transfer::Beginning;
use crate::config::{Config, DiffusionConfig};
use crate::data::Batch;
use crate::parallel::ProcessGroup;
use crate::torch::{StepInputs, TorchEngine, TorchTensor};
use anyhow::Result;
use radiodiff_core::diffusion::{LossOptions, MIN_TIME, RadioDiff, SampleOptions, noised, training_loss};
use radiodiff_core::engine::Engine;
use radiodiff_core::model::first_stage_loss::pixel_error;
use radiodiff_core::pipeline::draw_on_device;
use radiodiff_core::random;
use std::cell::RefCell;
use std::collections::HashMap;
use std::path::Path;
use std::rc::Rc;
use tch::{Kind, Tensor};

/// RadioDiff's, of the learning rate's decay.
const POWER: f64 = 0.96;

/// Trains from the weights `from`, the later over the earlier, where the run is not resumed, and writes `diffusion.safetensors`.
pub fn run(config: Config, folder: &Path, from: Vec<Beginning>, mode: RunMode, group: &Rc<ProcessGroup>) -> Result<()> {
    let mut run = StageRun::open("diffusion", &config, folder, mode, group)?;
    let resumes = run.as_ref().is_some_and(StageRun::resumes);
    let session = Session::open(config, folder, if resumes { &[] } else { from.as_slice() }, true, group)?;
    let (settings, compat) = (&session.config.diffusion, session.config.compat);
    let (optimizer, pixel) = (&settings.optimizer, &settings.pixel);
    let latents = Latents::default();

    let phase = Phase {
        name: "diffusion",
        prefixes: &["model."],
        frozen: &settings.freeze,
        schedule: optimizer.schedule(settings.learning_rate, settings.min_learning_rate, POWER, settings.steps, compat),
        batch: group.part_of(settings.batch, "diffusion.batch")?,
        symmetries: settings.symmetries,
        curriculum: settings.curriculum,
        order: 1,
        clip_norm: optimizer.clip_norm,
        accumulate: optimizer.accumulate,
        weight_decay: settings.weight_decay,
        average: settings.average,
        draw: one_step,
        reconstructs: false,
    };
    let on_latents = LatentObjective { settings, latents: &latents };

    let pixel_phase = Phase {
        name: "diffusion.pixel",
        prefixes: PIXEL_PREFIXES,
        frozen: &settings.freeze,
        schedule: pixel.optimizer.schedule(pixel.learning_rate, None, POWER, pixel.steps, compat),
        batch: group.part_of(pixel.batch, "diffusion.pixel.batch")?,
        symmetries: settings.symmetries,
        // The last phase learns from all maps.
        curriculum: None,
        order: 2,
        clip_norm: pixel.optimizer.clip_norm,
        accumulate: pixel.optimizer.accumulate,
        weight_decay: settings.weight_decay,
        average: pixel.average,
        draw: one_step,
        reconstructs: false,
    };
    let building_weight = session.config.data.building_weight;
    let on_maps = PixelObjective { settings, building_weight, latents: &latents };

    let Some(run) = &mut run else {
        dry_run::report(&session, &phase, &on_latents)?;
        return dry_run::report(&session, &pixel_phase, &on_maps);
    };
    steps::train(&session, run, &phase, &on_latents)?;
    steps::train(&session, run, &pixel_phase, &on_maps)?;
    run.finish()?;
    session.save("diffusion.safetensors")
}

/// The loss on latents at random times.
struct LatentObjective<'a> {
    settings: &'a DiffusionConfig,
    latents: &'a Latents,
}

impl Objective for LatentObjective<'_> {
    fn inputs(&self, s: &Session, _: usize, number: usize, batch: &Batch) -> Result<StepInputs> {
        let x0 = self.latents.draw(s, batch);
        let times = s.times(number, x0.size()[0] as usize, self.settings.start_share);
        let noise = s.noise.like(&x0);
        Ok(StepInputs { tensors: vec![batch.condition.shallow_clone(), x0, noise], times })
    }

    fn loss(&self, s: &Session, _: usize, inputs: &StepInputs) -> Result<StepLoss> {
        let [condition, x0, noise] = inputs.parts();
        let batch = Batch { samples: Vec::new(), condition: condition.shallow_clone(), truth: Tensor::new(), outdoors: Tensor::new() };
        let inputs = DenoiseInputs { batch: &batch, x0, noise, times: &inputs.times };
        Ok(StepLoss::of(denoise(&s.engine, &s.model, &inputs, self.settings.loss).loss))
    }
}

/// The loss on maps at t = 1.
struct PixelObjective<'a> {
    settings: &'a DiffusionConfig,
    building_weight: f64,
    latents: &'a Latents,
}

impl Objective for PixelObjective<'_> {
    fn inputs(&self, s: &Session, _: usize, _: usize, batch: &Batch) -> Result<StepInputs> {
        // Encoding the maps takes time, and without the latent's loss only their number counts.
        let x0 = if self.settings.pixel.latent_weight > 0.0 {
            self.latents.draw(s, batch)
        } else {
            let shape = s.model.latent_shape(batch.truth.size()[0] as usize).map(|n| n as i64);
            Tensor::zeros(shape, (Kind::Float, s.engine.device()))
        };
        let (noise, times) = (s.noise.like(&x0), vec![1.0; x0.size()[0] as usize]);
        let Batch { condition, truth, outdoors, .. } = batch.shallow_clone();
        Ok(StepInputs { tensors: vec![condition, truth, outdoors, x0, noise], times })
    }

    fn loss(&self, s: &Session, _: usize, inputs: &StepInputs) -> Result<StepLoss> {
        let pixel = &self.settings.pixel;
        let [condition, truth, outdoors, x0, noise] = inputs.parts().map(Tensor::shallow_clone);
        let batch = Batch { samples: Vec::new(), condition, truth, outdoors };
        let inputs = DenoiseInputs { batch: &batch, x0: &x0, noise: &noise, times: &inputs.times };
        let loss = PixelLoss {
            latent: self.settings.loss,
            latent_weight: pixel.latent_weight,
            pixel_weights: &pixel_weights(&batch, self.building_weight, &s.group)?,
            squared: pixel.squared,
        };
        Ok(StepLoss::of(loss.of(&s.engine, &s.model, &inputs)))
    }
}

/// The map the one-step sampler draws.
fn one_step(session: &Session, batch: &Batch) -> TorchTensor {
    let condition = TorchTensor(batch.condition.shallow_clone());
    let gray = pollster::block_on(draw_on_device(&session.engine, &session.model, &condition, &SampleOptions::default()));
    TorchTensor(gray.0 * 2.0 - 1.0)
}

/// What the last phase trains.
pub const PIXEL_PREFIXES: &[&str] = &["model.", "first_stage_model.decoder.", "first_stage_model.post_quant_conv."];

/// What a step of the denoiser is inputs.
pub struct DenoiseInputs<'a> {
    pub batch: &'a Batch,
    /// The maps' scaled latents, (B, Z, h, w).
    pub x0: &'a Tensor,
    /// Standard normal, of the latents' shape.
    pub noise: &'a Tensor,
    /// One time a sample, in (0, 1].
    pub times: &'a [f32],
}

/// The result of a training step: the predicted drift C, and the diffusion loss, one element.
pub struct DenoiseOutput {
    pub drift: Tensor,
    pub loss: Tensor,
}

/// The denoiser on noised latents.
pub fn denoise(e: &TorchEngine, model: &RadioDiff<TorchEngine>, inputs: &DenoiseInputs, options: LossOptions) -> DenoiseOutput {
    let [x0, noise, condition] = [inputs.x0, inputs.noise, &inputs.batch.condition].map(|x| TorchTensor(x.shallow_clone()));
    let x_t = noised(e, &x0, &noise, inputs.times);
    let condition = model.denoiser.encode_condition(e, &condition);
    let prediction = model.denoiser.predict(e, &x_t, inputs.times, &condition);
    let loss = training_loss(e, &prediction, &x0, &noise, inputs.times, options);
    debug_assert_eq!(e.shape(&loss).iter().product::<usize>(), 1);
    DenoiseOutput { drift: prediction.drift.0, loss: loss.0.sum(None::<Kind>) }
}

/// The loss of the last phase.
pub struct PixelLoss<'a> {
    /// The latent's, and its weight.
    pub latent: LossOptions,
    pub latent_weight: f64,
    /// Of every pixel, (N, 1, H, W).
    pub pixel_weights: &'a Tensor,
    /// Without absolute errors.
    pub squared: bool,
}

impl PixelLoss<'_> {
    /// The decoded map's loss, at times of 1, and `latent_weight` times the latent's; one element.
    pub fn of(&self, e: &TorchEngine, model: &RadioDiff<TorchEngine>, inputs: &DenoiseInputs) -> Tensor {
        let denoised = denoise(e, model, inputs, self.latent);
        let [condition, truth] = [&inputs.batch.condition, &inputs.batch.truth].map(|x| TorchTensor(x.shallow_clone()));
        let drawn = model.decode_map(e, &TorchTensor(-denoised.drift), &condition);
        let error = if self.squared { (truth.0 - drawn.0).square() } else { pixel_error(e, &truth, &drawn).0 };
        let map_loss = (error * self.pixel_weights).mean(Kind::Float);
        map_loss + denoised.loss * self.latent_weight
    }
}

/// Float32 values of posteriors that are kept: 256 MiB. Those of other maps are computed whenever they are drawn.
const MOST_VALUES: usize = 1 << 26;

/// The posteriors of the training maps, each computed when it is first asked for: the first stage's encoder does not change any
/// more, and takes as long as a step of the denoiser.
#[derive(Default)]
struct Latents {
    /// Mean and standard deviation, (1, Z, h, w).
    posteriors: RefCell<HashMap<Key, [Tensor; 2]>>,
}

/// A map's sample and symmetry.
type Key = (usize, usize);

impl Latents {
    /// A batch's scaled latents, sampled from the posterior, without gradients.
    fn draw(&self, s: &Session, batch: &Batch) -> Tensor {
        let _guard = tch::no_grad_guard();
        let keys: Vec<Key> = batch.samples.iter().map(|sample| (sample.index, sample.symmetry.number())).collect();
        let missing: Vec<usize> = (0..keys.len()).filter(|&row| !self.posteriors.borrow().contains_key(&keys[row])).collect();
        // A GPU encodes a batch in the time of one map. On the CPU a map's posterior is that of the map alone, in whatever batches it
        // comes, so that a resumed run is the undisturbed one.
        let at_once = if s.engine.device().is_cuda() { missing.len().max(1) } else { 1 };
        let mut parts: Vec<Option<[Tensor; 2]>> =
            keys.iter().map(|key| self.posteriors.borrow().get(key).map(|parts| parts.each_ref().map(Tensor::shallow_clone))).collect();
        for rows in missing.chunks(at_once) {
            let index = Tensor::from_slice(&rows.iter().map(|&row| row as i64).collect::<Vec<_>>()).to_device(s.engine.device());
            let [truth, condition] = [&batch.truth, &batch.condition].map(|x| TorchTensor(x.index_select(0, &index)));
            let posterior = s.model.encode_map(&s.engine, &truth, &condition);
            let [mean, deviation] = [posterior.mean.0, (posterior.log_variance.0 * 0.5).exp()];
            for (place, &row) in rows.iter().enumerate() {
                let of_row = [&mean, &deviation].map(|x| x.narrow(0, place as i64, 1).copy());
                self.keep(keys[row], &of_row);
                parts[row] = Some(of_row);
            }
        }
        let (means, deviations): (Vec<Tensor>, Vec<Tensor>) = parts.into_iter().flatten().map(|[mean, deviation]| (mean, deviation)).unzip();
        let (mean, deviation) = (Tensor::cat(&means, 0), Tensor::cat(&deviations, 0));
        let sampled = &mean + deviation * s.noise.like(&mean);
        sampled * &s.model.scale_factor.0
    }

    fn keep(&self, key: Key, parts: &[Tensor; 2]) {
        let mut posteriors = self.posteriors.borrow_mut();
        if posteriors.len() < MOST_VALUES / (2 * parts[0].numel()) {
            posteriors.insert(key, parts.each_ref().map(Tensor::shallow_clone));
        }
    }
}

impl Session {
    /// Times in [1e-4, 1], `share` of them 1.
    fn times(&self, number: usize, count: usize, share: f64) -> Vec<f32> {
        let whole = self.noise.whole(count);
        let uniform =
            |name: &str| self.noise.part(&random::uniform(random::seed_for(self.config.seed, &format!("{name} {number}")), 0, whole));
        let time = |(start, u): (f64, f64)| if start < share { 1.0 } else { MIN_TIME + u as f32 * (1.0 - MIN_TIME) };
        uniform("start").into_iter().zip(uniform("time")).map(time).collect()
    }
}

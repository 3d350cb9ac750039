//! The first stage's objective with its gradients: what `radiodiff_core::model::first_stage_loss` has formulas for, put
//! together, with the parameters that only training has (log-variance, discriminator, LPIPS).
//!
//! In flow maps and their reconstructions; out come the autoencoder's loss and, a step after it, the discriminator's own step.

use super::objective::StepLoss;
use super::trouble::Signs;
use crate::config::{AdversaryConfig, AutoencoderConfig, FirstStageLossConfig};
use crate::parallel::ProcessGroup;
use crate::torch::{AdamW, Gradients, TorchEngine, TorchParameters, TorchTensor};
use anyhow::{Context, Result};
use radiodiff_core::engine::Engine;
use radiodiff_core::model::Compat;
use radiodiff_core::model::discriminator::Discriminator;
use radiodiff_core::model::first_stage_loss::{
    AdversarialLoss, adaptive_weight, generator_loss, kl_term, negative_log_likelihood, pixel_error,
};
use radiodiff_core::model::lpips::{Lpips, UPSTREAM_DROPOUT};
use radiodiff_core::parameters::{Initializer, VarBuilder};
use radiodiff_core::weights::{HostSource, LPIPS_ROOT, import_lpips};
use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;
use tch::{Device, Kind, Tensor};

/// From the first validation on the public code trains with LPIPS's dropout.
const UPSTREAM_DROPOUT_STEP: usize = 5000;

/// See the module.
pub struct FirstStageObjective {
    compat: Compat,
    kl_weight: f32,
    /// Log-variance and discriminator, under the public names.
    parameters: TorchParameters,
    log_variance: TorchTensor,
    log_variance_learns: bool,
    lpips: Option<(Lpips<TorchEngine>, f32)>,
    adversary: Option<Adversary>,
    /// Of the last step.
    last: RefCell<Option<FirstStageTerms<f64>>>,
    group: Rc<ProcessGroup>,
}

/// Terms of a batch's loss, for the log; a mean is a tensor until the step's numbers are read, all at once.
pub struct FirstStageTerms<T = Tensor> {
    /// Of the maps, in pixels.
    side: i64,
    latent_elements: usize,
    /// Under their names in the log, one element each.
    means: Vec<(&'static str, T)>,
    /// The adaptive weight and the phase's factor.
    adversarial: Option<(f64, f64)>,
}

/// The pixels' error r without the perceptual term.
const ERROR: &str = "train/rec_loss";
const DIVERGENCE: &str = "train/kl_loss";

impl FirstStageTerms {
    /// The means, to be read.
    pub fn means(&self) -> impl Iterator<Item = &Tensor> {
        self.means.iter().map(|(_, mean)| mean)
    }
}

/// Maps and what the autoencoder made of them.
pub struct Reconstruction<'a> {
    /// (N, 1, H, W)
    pub truth: &'a Tensor,
    /// (N, 1, H, W)
    pub drawn: &'a Tensor,
    /// The posterior's divergence, one element.
    pub kl: &'a Tensor,
    /// Elements of the latent of a map, which the divergence is summed over.
    pub latent_elements: usize,
    /// Of pixels, broadcasting over the maps, mean 1.
    pub weights: Option<&'a Tensor>,
}

/// The maps of a discriminator's step.
pub struct AdversaryMaps<'a> {
    /// (N, 1, H, W)
    pub truth: &'a Tensor,
    /// Reconstructions, (N, 1, H, W), without gradients.
    pub drawn: &'a Tensor,
    /// Random places in [0, 1), one a map, where the gradient penalty is taken between reconstruction (0) and map (1).
    pub penalty_shares: &'a [f32],
}

struct Adversary {
    settings: AdversaryConfig,
    discriminator: Discriminator<TorchEngine>,
    trained: Vec<(String, Tensor)>,
    optimizer: RefCell<AdamW>,
    /// Whether it has seen a batch: 0 or 1, on the host. A tensor, so that it is saved and undone with the others.
    begun: Tensor,
}

impl FirstStageObjective {
    /// Reads LPIPS's weights where the settings name a file.
    pub fn new(e: &TorchEngine, settings: &AutoencoderConfig, seed: u64, compat: Compat) -> Result<Self> {
        let loss = settings.loss.clone().unwrap_or_default();
        let FirstStageLossConfig { perceptual_weights, perceptual_weight, adversary } = loss;
        let parameters = TorchParameters::initialized(seed);
        // The public code hands its log-variance to no optimiser.
        let log_variance_learns = settings.loss.is_some() && compat == Compat::Corrected;
        let vb = VarBuilder::new(e, &parameters).pp("loss");
        let zero = Initializer::Constant(0.0);
        let log_variance = if log_variance_learns { vb.param("logvar", &[], zero)? } else { vb.buffer("logvar", &[], zero)? };
        let lpips = perceptual_weights.map(|path| Ok::<_, anyhow::Error>((read_lpips(e, &path)?, perceptual_weight as f32))).transpose()?;
        let adversary = adversary
            .map(|settings_of_adversary| {
                let discriminator = Discriminator::new(&vb.pp("discriminator"), &settings_of_adversary.discriminator)?;
                let trained = parameters.trainable(&["loss.discriminator."]);
                let optimizer = RefCell::new(AdamW::new(&trained, settings.weight_decay, compat));
                Ok::<_, anyhow::Error>(Adversary {
                    settings: settings_of_adversary,
                    discriminator,
                    trained,
                    optimizer,
                    begun: Tensor::zeros([] as [i64; 0], (Kind::Float, Device::Cpu)),
                })
            })
            .transpose()?;
        let kl_weight = settings.kl_weight as f32;
        let (last, group) = (RefCell::default(), Rc::new(ProcessGroup::alone()));
        Ok(Self { compat, kl_weight, parameters, log_variance, log_variance_learns, lpips, adversary, last, group })
    }

    /// The same, of maps that several processes share: what is not linear in the maps is made of all of them.
    pub fn among(self, group: &Rc<ProcessGroup>) -> Self {
        Self { group: Rc::clone(group), ..self }
    }

    /// Which terms are on, for who reads the log.
    pub fn description(&self) -> String {
        let log_variance = if self.log_variance_learns { "learnt" } else { "fixed at 0" };
        let perceptual = match &self.lpips {
            Some((_, weight)) => format!("LPIPS with weight {weight}"),
            None => String::from("off, since autoencoder.loss.perceptual_weights names no file"),
        };
        let adversary = match &self.adversary {
            Some(adversary) => format!("{:?} loss from step {}", adversary.settings.loss, adversary.settings.phase.start),
            None => String::from("none"),
        };
        format!("first stage's loss: log-variance {log_variance}; perceptual term {perceptual}; adversary: {adversary}")
    }

    /// The last step's terms under their names in the log; `critic_loss` is the discriminator's loss where it took a step.
    pub fn terms(&self, critic_loss: Option<f64>) -> Vec<(&'static str, f64)> {
        let last = self.last.borrow();
        let Some(last) = last.as_ref() else { return Vec::new() };
        let mut terms = last.means.clone();
        if self.log_variance_learns {
            terms.push(("train/log_variance", self.log_variance.0.double_value(&[])));
        }
        if let Some((weight, factor)) = last.adversarial {
            terms.extend([("train/d_weight", weight), ("train/disc_factor", factor)]);
        }
        terms.extend(critic_loss.map(|loss| ("train/disc_loss", loss)));
        terms
    }

    /// What the autoencoder's optimiser moves beside the autoencoder.
    pub fn trained(&self) -> Vec<(String, Tensor)> {
        self.parameters.trainable(&["loss.logvar"])
    }

    /// Log-variance and discriminator, by name.
    pub fn parameters(&self) -> &TorchParameters {
        &self.parameters
    }

    /// All that changes from step to step: log-variance, discriminator and its optimiser.
    pub fn state(&self) -> Vec<(String, Tensor)> {
        let mut state = self.parameters.all(&[""]);
        if let Some(adversary) = &self.adversary {
            let optimizer = adversary.optimizer.borrow().state().into_iter();
            state.extend(optimizer.map(|(name, tensor)| (format!("optimizer.{name}"), tensor)));
            state.push(("discriminator.begun".to_owned(), adversary.begun.shallow_clone()));
        }
        state
    }

    /// The part of it that the discriminator's forward pass changes.
    pub fn buffers(&self) -> Vec<(String, Tensor)> {
        let mut buffers = self.parameters.buffers(&["loss.discriminator."]);
        buffers.extend(self.adversary.iter().map(|adversary| ("discriminator.begun".to_owned(), adversary.begun.shallow_clone())));
        buffers
    }

    /// What the last step shows of the training's health; `critic_loss` as in [`Self::terms`].
    pub fn signs(&self, critic_loss: Option<f64>) -> Signs {
        let last = self.last.borrow();
        let Some(last) = last.as_ref() else { return Signs::default() };
        let mean = |name: &str| last.means.iter().find(|(known, _)| *known == name).map(|(_, mean)| *mean);
        let nats = mean(DIVERGENCE).map(|divergence| divergence / last.latent_elements as f64);
        let guessing = self.adversary.as_ref().map_or(1.0, |adversary| match adversary.settings.loss {
            AdversarialLoss::Hinge => 1.0,
            AdversarialLoss::Vanilla => std::f64::consts::LN_2,
        });
        let factor = last.adversarial.map_or(0.0, |(_, factor)| factor);
        let critic = critic_loss.filter(|_| factor > 0.0).map(|loss| loss / (factor * guessing));
        Signs { side: last.side, nats, error: mean(ERROR), critic }
    }

    /// The autoencoder's loss of a step; its likelihood and divergence are the steady part. `last_layer` is the weight of the decoder's
    /// last convolution.
    pub fn autoencoder_loss(&self, e: &TorchEngine, step: usize, maps: &Reconstruction, last_layer: &Tensor) -> Result<StepLoss> {
        let [truth, drawn, kl] = [maps.truth, maps.drawn, maps.kl].map(|x| TorchTensor(x.shallow_clone()));
        let (side, latent_elements) = (truth.0.size()[2], maps.latent_elements);
        let mut error = pixel_error(e, &truth, &drawn);
        let plain_error = mean(&error.0);
        let (mut perceptual, mut generator_mean, mut adversarial) = (None, None, None);
        if let Some((lpips, weight)) = &self.lpips {
            let late = self.compat == Compat::Upstream && step >= UPSTREAM_DROPOUT_STEP;
            let distance = lpips.distance(e, &truth, &drawn, if late { UPSTREAM_DROPOUT } else { 0.0 });
            error = e.add(&error, &e.affine(&distance, *weight, 0.0));
            perceptual = Some(mean(&distance.0));
        }
        let weights = maps.weights.map(|weights| TorchTensor(weights.shallow_clone()));
        let likelihood = negative_log_likelihood(e, self.compat, &error, &self.log_variance, weights.as_ref());
        let mut loss = e.add(&likelihood, &kl_term(e, self.compat, &kl, self.kl_weight, &e.shape(&truth)));
        let steady = loss.0.detach();
        if let Some(adversary) = &self.adversary {
            let factor = adversary.settings.phase.factor_at(step);
            if factor > 0.0 {
                let generator = generator_loss(e, &adversary.logits(e, &drawn, &self.group)?);
                let gradient = |loss: &TorchTensor| Tensor::run_backward(&[&loss.0], &[last_layer], true, false).remove(0);
                let gradients = [gradient(&likelihood), gradient(&generator)];
                self.group.average(&gradients, [])?;
                let [of_likelihood, of_generator] = gradients.map(|gradient| gradient.norm().double_value(&[]));
                let adaptive = adaptive_weight(adversary.settings.weight, of_likelihood, of_generator);
                loss = e.add(&loss, &e.affine(&generator, (adaptive * factor) as f32, 0.0));
                (generator_mean, adversarial) = (Some(mean(&generator.0)), Some((adaptive, factor)));
            }
        }
        let means = [
            (ERROR, Some(plain_error)),
            ("train/nll_loss", Some(mean(&likelihood.0))),
            (DIVERGENCE, Some(mean(&kl.0))),
            ("train/perceptual_loss", perceptual),
            ("train/g_loss", generator_mean),
        ];
        let means = means.into_iter().filter_map(|(name, mean)| Some((name, mean?))).collect();
        let terms = FirstStageTerms { side, latent_elements, means, adversarial };
        Ok(StepLoss { total: loss.0.reshape([] as [i64; 0]), steady, terms: Some(terms) })
    }

    /// Whether all steps compute the same and read nothing back: the adaptive weight is read, and LPIPS's dropout begins at a step.
    pub fn repeats(&self) -> bool {
        self.adversary.is_none() && (self.lpips.is_none() || self.compat == Compat::Corrected)
    }

    /// Takes a step's terms in with what their means are, for [`Self::terms`] and [`Self::signs`].
    pub fn note(&self, terms: &FirstStageTerms, means: &[f64]) {
        let FirstStageTerms { side, latent_elements, adversarial, .. } = *terms;
        let means = terms.means.iter().zip(means).map(|((name, _), mean)| (*name, *mean)).collect();
        *self.last.borrow_mut() = Some(FirstStageTerms { side, latent_elements, means, adversarial });
    }

    /// Whether the discriminator takes a step. Before its phase the public code steps it too, by a loss of 0, which only decays
    /// its weights.
    pub fn adversary_moves(&self, step: usize) -> bool {
        let phase = |adversary: &Adversary| self.compat == Compat::Upstream || adversary.settings.phase.factor_at(step) > 0.0;
        self.adversary.as_ref().is_some_and(|adversary| (step + 1).is_multiple_of(adversary.settings.every) && phase(adversary))
    }

    /// Steps that the discriminator has taken.
    pub fn adversary_steps(&self) -> i64 {
        self.adversary.as_ref().map_or(0, |adversary| adversary.optimizer.borrow().steps())
    }

    /// One step of the discriminator; its loss, 0 where there is no discriminator. A loss that is not finite moves nothing.
    pub fn step_adversary(&self, e: &TorchEngine, step: usize, maps: &AdversaryMaps, rate: f64, clip_norm: f64) -> Result<f64> {
        let AdversaryMaps { truth, drawn, penalty_shares } = maps;
        let Some(adversary) = &self.adversary else { return Ok(0.0) };
        let settings = &adversary.settings;
        let logits = |x: &Tensor| adversary.logits(e, &TorchTensor(x.detach()), &self.group);
        let (real, fake) = (logits(truth)?, logits(drawn)?);
        let mut loss = settings.loss.of_discriminator(e, &real, &fake).0.sum(None::<Kind>);
        if settings.gradient_penalty > 0.0 {
            let share = e.tensor(penalty_shares, &[penalty_shares.len(), 1, 1, 1]).0;
            loss += gradient_penalty(e, &adversary.discriminator, truth, drawn, &share) * settings.gradient_penalty;
        }
        let loss = loss * settings.phase.factor_at(step);
        let mut optimizer = adversary.optimizer.borrow_mut();
        let mut gradients = Gradients::of(&loss, &adversary.trained);
        let [value] = self.group.average_gradients(&mut gradients, &adversary.trained, [loss.double_value(&[])])?;
        // Each process has normalised by its own maps and moved the running statistics by them.
        let running: Vec<Tensor> = self.parameters.buffers(&["loss.discriminator."]).into_iter().map(|(_, tensor)| tensor).collect();
        self.group.average(&running, [])?;
        let norm = gradients.clip(clip_norm);
        if !(value.is_finite() && norm.is_finite()) {
            return Ok(f64::NAN);
        }
        optimizer.step(rate, &gradients);
        Ok(value)
    }
}

impl Adversary {
    /// In training, what moves beside the optimiser moves before each pass.
    fn logits(&self, e: &TorchEngine, map: &TorchTensor, group: &ProcessGroup) -> Result<TorchTensor> {
        if e.training() {
            let _guard = tch::no_grad_guard();
            // ActNorm begins with what the maps of all processes say.
            let begins = self.begun.double_value(&[]) == 0.0;
            let first = if begins { Some(TorchTensor(group.gather(&map.0)?)) } else { None };
            let _ = self.begun.shallow_clone().fill_(1.0);
            for (stored, next) in self.discriminator.updates(e, first.as_ref()) {
                stored.0.shallow_clone().copy_(&next.0);
            }
        }
        Ok(self.discriminator.forward(e, map))
    }
}

fn mean(values: &Tensor) -> Tensor {
    values.detach().mean(None::<Kind>)
}

/// Mean over maps of (|grad D| - 1)^2 at share * x + (1 - share) y (Gulrajani et al., 2017), D the mean of a map's logits.
/// `share` is (N, 1, 1, 1) in [0, 1]. Batch normalisation mixes the maps of a batch; ActNorm does not.
pub fn gradient_penalty(e: &TorchEngine, discriminator: &Discriminator<TorchEngine>, x: &Tensor, y: &Tensor, share: &Tensor) -> Tensor {
    // Keeps the length's gradient finite where the gradient is 0.
    const LEAST: f64 = 1e-12;
    let (x, y) = (x.detach(), y.detach());
    let between: Tensor = &y + share * (x - &y);
    let between = between.set_requires_grad(true);
    let logits = discriminator.forward(e, &TorchTensor(between.shallow_clone()));
    let values = e.mean_from(&logits, 1).0;
    let gradient = &Tensor::run_backward(&[values], &[&between], true, true)[0];
    let dims: &[i64] = &[1, 2, 3];
    let length = (gradient.square().sum_dim_intlist(dims, false, None::<Kind>) + LEAST).sqrt();
    (length - 1.0).square().mean(None::<Kind>)
}

fn read_lpips(e: &TorchEngine, path: &Path) -> Result<Lpips<TorchEngine>> {
    let bytes = std::fs::read(path).with_context(|| format!("reading the perceptual weights {}", path.display()))?;
    let imported = import_lpips((&path.display().to_string(), &bytes));
    let (tensors, report) = imported.context("autoencoder.loss.perceptual_weights")?;
    println!("perceptual weights {}: {report}", path.display());
    Ok(Lpips::new(&VarBuilder::new(e, &HostSource::new(&tensors.into_iter().collect())).pp(LPIPS_ROOT))?)
}

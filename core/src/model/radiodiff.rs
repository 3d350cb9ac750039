//! RadioDiff as a whole: from a scene's condition channels to a gray map.

use super::autoencoder::Autoencoder;
use super::condition::ConditionEncoder;
use super::preset::{EncoderPreset, Preset, PresetError};
use super::unet::{EncodedCondition, Unet};
use crate::diffusion::{MIN_TIME, Prediction, noised, precondition, schedule, standard_normal, step};
use crate::engine::{Binary, Engine};
use crate::weights::{Initializer, ParameterError, Parameters};
use thiserror::Error;

/// How a map is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SampleOptions {
    /// Steps of the sampler, 1 to 1,000.
    pub steps: usize,
    pub seed: u64,
    /// End with one more evaluation at t = 1e-4, as the public code does.
    pub split_last_step: bool,
}

impl Default for SampleOptions {
    fn default() -> Self {
        Self { steps: 1, seed: 0, split_last_step: false }
    }
}

/// Why the networks could not be built.
#[derive(Debug, Error, Clone, PartialEq)]
pub enum BuildError {
    #[error(transparent)]
    Preset(#[from] PresetError),
    #[error(transparent)]
    Parameter(#[from] ParameterError),
}

/// A time that no map can be drawn from.
#[derive(Debug, Error, Clone, Copy, PartialEq)]
#[error("start is {found}, expected a time from {MIN_TIME} (the map that is given) to 1 (noise)")]
pub struct StartError {
    pub found: f32,
}

/// A map that is being drawn, between two steps of the sampler.
pub struct Sampling<T> {
    /// x_t (1, Z, h, w), scaled; what the sampler ends at once no step is left.
    pub latent: T,
    /// (t, size) of every step.
    times: Vec<(f32, f32)>,
    done: usize,
    seed: u64,
}

impl<T> Sampling<T> {
    /// From x_t at t = `start` on; the seed is that of later steps' noise.
    ///
    /// # Panics
    /// When `start` is not in [`MIN_TIME`] to 1.
    pub fn new(latent: T, start: f32, options: &SampleOptions) -> Self {
        Self { latent, times: schedule(start, options.steps, options.split_last_step), done: 0, seed: options.seed }
    }

    /// Steps in all.
    pub fn steps(&self) -> usize {
        self.times.len()
    }

    /// Steps taken.
    pub fn done(&self) -> usize {
        self.done
    }
}

/// Condition encoder and U-Net: what diffusion trains.
pub struct Denoiser<T> {
    encoder: ConditionEncoder<T>,
    unet: Unet<T>,
}

impl<T: Clone> Denoiser<T> {
    /// Parameters `init_conv_mask.*` of the encoder, and the U-Net's beside them.
    pub fn new<E: Engine<Tensor = T>>(p: &Parameters<E>, preset: &Preset) -> Result<Self, ParameterError> {
        if let EncoderPreset::Swin(swin) = &preset.condition.encoder
            && swin.public_leftovers
        {
            p.fixed("init_conv_carK.weight", &[3, 5, 1, 1], Initializer::Constant(0.0))?;
            p.fixed("init_conv_carK.bias", &[3], Initializer::Constant(0.0))?;
        }
        Ok(Self {
            encoder: ConditionEncoder::new(&p.at("init_conv_mask"), &preset.condition)?,
            unet: Unet::new(p, &preset.unet, &preset.condition.stage_widths())?,
        })
    }

    /// Condition channels -> the encoder's stages, one a U-Net level.
    pub fn stages<E: Engine<Tensor = T>>(&self, e: &E, condition: &T) -> Vec<T> {
        self.encoder.forward(e, condition)
    }

    /// What every step needs of the stages.
    pub fn project<E: Engine<Tensor = T>>(&self, e: &E, stages: &[T]) -> EncodedCondition<T> {
        self.unet.encode_condition(e, stages)
    }

    /// Condition channels (N, C, H, W) in [-1, 1] -> what every step needs of them.
    pub fn encode_condition<E: Engine<Tensor = T>>(&self, e: &E, condition: &T) -> EncodedCondition<T> {
        self.project(e, &self.stages(e, condition))
    }

    /// Both parts of the process at x_t. At t = 1 the noise is x_t itself, so the second decoder is run only if some time is
    /// below 1.
    pub fn predict<E: Engine<Tensor = T>>(&self, e: &E, x_t: &T, times: &[f32], condition: &EncodedCondition<T>) -> Prediction<T> {
        let with_second = times.iter().any(|&t| t < 1.0);
        precondition(e, x_t, times, &self.unet.forward(e, x_t, times, condition, with_second))
    }

    /// One step of the sampler; false when none is left. `noise` gives step i's, from 0, and is not asked for the last.
    pub fn advance<E: Engine<Tensor = T>>(
        &self,
        e: &E,
        condition: &EncodedCondition<T>,
        sampling: &mut Sampling<T>,
        noise: impl FnOnce(usize) -> T,
    ) -> bool {
        let Some(&(t, size)) = sampling.times.get(sampling.done) else { return false };
        let prediction = self.predict(e, &sampling.latent, &[t], condition);
        let fresh = (sampling.done + 1 < sampling.times.len()).then(|| noise(sampling.done));
        sampling.latent = step(e, &sampling.latent, (t, size), &prediction, fresh.as_ref());
        sampling.done += 1;
        true
    }
}

/// The first stage, the denoiser and the scale between them.
pub struct RadioDiff<E: Engine> {
    pub preset: Preset,
    pub first_stage: Autoencoder<E::Tensor>,
    pub denoiser: Denoiser<E::Tensor>,
    /// Shape (1): latents times this are what diffusion sees.
    pub scale_factor: E::Tensor,
}

impl<E: Engine> RadioDiff<E> {
    /// Parameters `first_stage_model.*`, `model.*` and `scale_factor`, as in the public checkpoints.
    pub fn new(preset: &Preset, p: &Parameters<E>) -> Result<Self, BuildError> {
        preset.validate()?;
        let first_stage = Autoencoder::new(&p.at("first_stage_model"), &preset.autoencoder)?;
        let denoiser = Denoiser::new(&p.at("model"), preset)?;
        let scale_factor = p.fixed("scale_factor", &[1], Initializer::Constant(preset.latent_scale))?;
        Ok(Self { preset: preset.clone(), first_stage, denoiser, scale_factor })
    }

    /// Shape of a batch of latents.
    pub fn latent_shape(&self, batch: usize) -> [usize; 4] {
        let unet = &self.preset.unet;
        [batch, unet.latent_channels, unet.latent_size, unet.latent_size]
    }

    /// Where the sampler starts: noise at t = 1.
    pub fn begin(&self, e: &E, options: &SampleOptions) -> Sampling<E::Tensor> {
        Sampling::new(self.noise(e, options.seed, 0), 1.0, options)
    }

    /// Starts from a physical map instead: `map` (1, 1, H, W) in [-1, 1] is encoded, and its latent x0 noised as far as time
    /// `start`, x_t = (1 - t) x0 + sqrt(t) noise. The nearer the start to 1, which is [`Self::begin`], the less of the map stays.
    ///
    /// # Errors
    /// A start that is not in [`MIN_TIME`] to 1.
    pub fn begin_from_map(&self, e: &E, map: &E::Tensor, start: f32, options: &SampleOptions) -> Result<Sampling<E::Tensor>, StartError> {
        if !(MIN_TIME..=1.0).contains(&start) {
            return Err(StartError { found: start });
        }
        let x0 = e.mul(&self.first_stage.encode(e, map).mean, &self.scale_factor);
        let latent = noised(e, &x0, &self.noise(e, options.seed, 0), &[start]);
        Ok(Sampling::new(latent, start, options))
    }

    /// Takes the sampler's next step; false when none is left. A caller may look up between two steps, to stop or to say how far
    /// it is.
    pub fn advance(&self, e: &E, condition: &EncodedCondition<E::Tensor>, sampling: &mut Sampling<E::Tensor>) -> bool {
        let seed = sampling.seed;
        self.denoiser.advance(e, condition, sampling, |step| self.noise(e, seed, step + 1))
    }

    fn noise(&self, e: &E, seed: u64, stream: usize) -> E::Tensor {
        let shape = self.latent_shape(1);
        e.tensor(&standard_normal(seed, stream as u32, shape.iter().product()), &shape)
    }

    /// Scaled latent (N, Z, h, w) -> map (N, 1, H, W), [-1, 1] being the gray levels from 0 to 1; not clamped.
    pub fn decode_map(&self, e: &E, latent: &E::Tensor) -> E::Tensor {
        self.first_stage.decode(e, &e.binary(Binary::Div, latent, &self.scale_factor))
    }

    /// Scaled latent (N, Z, h, w) -> gray map (N, 1, H, W) in [0, 1].
    pub fn decode_gray(&self, e: &E, latent: &E::Tensor) -> E::Tensor {
        e.clamp(&e.affine(&self.decode_map(e, latent), 0.5, 0.5), 0.0, 1.0)
    }
}

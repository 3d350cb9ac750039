//! What goes wrong in training without a number becoming infinite, seen while it runs: a first stage whose latents say nothing, a
//! loss that climbs, an adversary that always wins, reconstructions without detail. Each is told once, when it begins, with the
//! settings that help.
//!
//! The thresholds:
//! - **Posterior collapse**: less than 0.005 nats of divergence an element of the latent. An element counts as active when the
//!   variance of its mean over the data is above 0.01 (Burda et al., 2016), and one at that limit has
//!   -log(1 - 0.01) / 2 = 0.005 nats: below it, the average element is not active.
//! - **Instability**: the mean error of about fifty steps is half as large again as it once was, and the rise is five standard errors
//!   of such a mean, so that chance does not explain it.
//! - **Overpowering discriminator**: its loss is below a tenth of that of guessing. Each patch that it mistakes adds at least that of
//!   guessing to the hinge loss, so it tells nine of ten patches apart, and has little gradient left for the autoencoder.
//! - **Blur**: reconstructions vary less from pixel to pixel than the maps do after smoothing with (1, 2, 1) / 4 along both sides. It is
//!   looked for in the second half of the first stage; before that every reconstruction is smooth.

use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;

/// Weight of a step in the running means.
const NEWEST: f64 = 0.02;
/// Standard error of such a mean, as a share of the standard deviation of a step: sqrt(w / (2 - w)).
const STANDARD_ERROR: f64 = 0.1;
/// Steps for which a sign must last, four times the running means' memory.
const LASTING: usize = 200;
const LEAST_NATS: f64 = 0.005;
const MOST_RISE: f64 = 1.5;
const MOST_DEVIATIONS: f64 = 5.0;
const LEAST_SHARE_OF_GUESSING: f64 = 0.1;

/// What a step shows of the training's health.
#[derive(Clone, Copy, Debug, Default)]
pub struct Signs {
    /// Side in pixels of the maps: crops of another size have another error.
    pub side: i64,
    /// The posterior's divergence in nats an element of the latent.
    pub nats: Option<f64>,
    /// A positive error that should fall.
    pub error: Option<f64>,
    /// The discriminator's loss as a share of that of guessing, where it took a step.
    pub critic: Option<f64>,
}

/// A kind of trouble.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
pub enum Trouble {
    PosteriorCollapse,
    Instability,
    OverpoweringDiscriminator,
    Blur,
}

impl Trouble {
    #[cfg(test)]
    const ALL: [Self; 4] = [Self::PosteriorCollapse, Self::Instability, Self::OverpoweringDiscriminator, Self::Blur];

    fn advice(self) -> &'static str {
        match self {
            Self::PosteriorCollapse => {
                "posterior collapse: the latents say next to nothing of the maps. Lower autoencoder.kl_weight, or lower \
                 autoencoder.learning_rate if the collapse came at once"
            }
            Self::Instability => {
                "instability: the error climbs. Lower the phase's learning_rate (autoencoder.learning_rate, diffusion.learning_rate, \
                 diffusion.pixel.learning_rate), clip harder (autoencoder.optimizer.clip_norm, diffusion.optimizer.clip_norm), or average \
                 more batches a step (autoencoder.optimizer.accumulate, diffusion.optimizer.accumulate)"
            }
            Self::OverpoweringDiscriminator => {
                "the discriminator overpowers the autoencoder. Lower autoencoder.loss.adversary.weight, begin later or more slowly \
                 (autoencoder.loss.adversary.phase.start, autoencoder.loss.adversary.phase.ramp), let it step less often \
                 (autoencoder.loss.adversary.every), or hold it back by autoencoder.loss.adversary.discriminator.spectral or \
                 autoencoder.loss.adversary.gradient_penalty"
            }
            Self::Blur => {
                "blur: reconstructions have less detail than smoothed maps. Give autoencoder.loss.perceptual_weights, raise \
                 autoencoder.loss.adversary.weight or begin earlier (autoencoder.loss.adversary.phase.start), lower autoencoder.kl_weight, \
                 or train longer (autoencoder.steps)"
            }
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(self.advice())
    }
}

/// A running mean.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
struct Running {
    mean: f64,
    steps: usize,
}

impl Running {
    fn add(&mut self, value: f64) {
        self.steps += 1;
        self.mean += NEWEST.max(1.0 / self.steps as f64) * (value - self.mean);
    }
}

/// What was seen so far; a checkpoint holds it.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct TroubleWatch {
    nats: Running,
    error: Running,
    square_error: Running,
    side: i64,
    /// The least mean error so far.
    least_error: Option<f64>,
    critic: Running,
    /// Steps for which each sign has lasted.
    lasted: [usize; 3],
    /// Trouble that goes on and has been told.
    told: BTreeSet<Trouble>,
}

impl TroubleWatch {
    /// Takes a step's signs in; trouble that has just begun.
    pub fn step(&mut self, signs: &Signs) -> Vec<Trouble> {
        let mut begun = Vec::new();
        if let Some(nats) = signs.nats {
            self.nats.add(nats);
            begun.extend(self.lasting(0, Trouble::PosteriorCollapse, self.nats.mean < LEAST_NATS));
        }
        if signs.side != self.side {
            (self.error, self.square_error, self.least_error) = Default::default();
            self.side = signs.side;
        }
        if let Some(error) = signs.error {
            self.error.add(error);
            self.square_error.add(error * error);
            // The first means are of few steps.
            if self.error.steps >= LASTING {
                let least = self.least_error.map_or(self.error.mean, |least| least.min(self.error.mean));
                self.least_error = Some(least);
                let deviation = (self.square_error.mean - self.error.mean.powi(2)).max(0.0).sqrt();
                let rise = self.error.mean - least;
                let climbs = rise > (MOST_RISE - 1.0) * least && rise > MOST_DEVIATIONS * STANDARD_ERROR * deviation;
                begun.extend(self.lasting(1, Trouble::Instability, climbs));
            }
        }
        if let Some(share) = signs.critic {
            self.critic.add(share);
            begun.extend(self.lasting(2, Trouble::OverpoweringDiscriminator, self.critic.mean < LEAST_SHARE_OF_GUESSING));
        }
        begun
    }

    /// Takes a validation's sharpness in: the pixel-to-pixel variation of what was drawn, as a share of that of the smoothed maps.
    pub fn validation(&mut self, sharpness: f64) -> Option<Trouble> {
        self.note(Trouble::Blur, sharpness < 1.0)
    }

    fn lasting(&mut self, sign: usize, trouble: Trouble, seen: bool) -> Option<Trouble> {
        self.lasted[sign] = if seen { self.lasted[sign] + 1 } else { 0 };
        self.note(trouble, self.lasted[sign] >= LASTING)
    }

    fn note(&mut self, trouble: Trouble, there: bool) -> Option<Trouble> {
        if !there {
            self.told.remove(&trouble);
            return None;
        }
        self.told.insert(trouble).then_some(trouble)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use std::path::Path;

    /// Trouble that `steps` steps with these signs begin.
    fn after(watch: &mut TroubleWatch, steps: usize, signs: impl Fn(usize) -> Signs) -> Vec<Trouble> {
        (0..steps).flat_map(|step| watch.step(&signs(step))).collect()
    }

    fn noise(step: usize) -> f64 {
        (step as f64 * 12.9898).sin()
    }

    #[test]
    fn each_trouble_is_told_once_and_health_is_not() {
        let healthy = |step: usize| Signs {
            side: 32,
            nats: Some(0.5 + 0.2 * noise(step)),
            error: Some(0.2 + 0.1 * noise(step) + 1.0 / (step + 1) as f64),
            critic: Some(0.6 + 0.3 * noise(step)),
        };
        let mut watch = TroubleWatch::default();
        assert_eq!(after(&mut watch, 2000, healthy), []);
        let collapsed = |step: usize| Signs { nats: Some(0.002 + 0.001 * noise(step)), ..healthy(2000 + step) };
        assert_eq!(after(&mut watch, 2000, collapsed), [Trouble::PosteriorCollapse]);
        let climbing = |step: usize| Signs { error: Some(0.2 + 0.1 * noise(step) + 0.0005 * step as f64), ..healthy(4000 + step) };
        assert_eq!(after(&mut watch, 2000, climbing), [Trouble::Instability]);
        let beaten = |step: usize| Signs { critic: Some(0.05 + 0.05 * noise(step)), side: 32, ..Signs::default() };
        assert_eq!(after(&mut watch, 2000, beaten), [Trouble::OverpoweringDiscriminator]);
        assert_eq!((watch.validation(1.2), watch.validation(0.8), watch.validation(0.7)), (None, Some(Trouble::Blur), None));
        assert_eq!((watch.validation(1.1), watch.validation(0.9)), (None, Some(Trouble::Blur)), "told again when it comes again");
    }

    #[test]
    fn every_setting_of_the_advice_exists() {
        let nano = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/configs/nano.toml"));
        let mut settings = 0;
        for trouble in Trouble::ALL {
            let text = trouble.to_string();
            let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || "._".contains(c)));
            for setting in words.map(|word| word.trim_end_matches('.')).filter(|word| word.contains('.')) {
                let unknown = |path: &str| {
                    Config::load(nano, &[format!("{path}=1")]).err().is_some_and(|error| format!("{error:#}").contains("unknown field"))
                };
                assert!(!unknown(setting), "{setting} does not exist");
                assert!(unknown(&format!("{setting}x")), "the check finds {setting}x");
                settings += 1;
            }
        }
        assert!(settings >= 15, "{settings}");
    }
}

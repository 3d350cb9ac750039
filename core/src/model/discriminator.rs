//! PatchGAN (Isola et al., 2017), the adversary of the first stage: a gray map in, one logit for every overlapping patch out.
//!
//! `layers` convolutions of 4 x 4 halve the map, each but the first followed by a normalisation, each by a leaky ReLU; two more take
//! one pixel each. Names and shapes are those of the public code's `NLayerDiscriminator`. See docs/radiodiff.md, "First-stage losses
//! and critics".
//!
//! Two kinds of values in it change without a gradient: ActNorm's first values and the vectors of the spectral normalisation.
//! [`Discriminator::updates`] computes the new values and the trainer copies them. `forward` changes nothing but the running
//! statistics of batch normalisation.

use crate::engine::Engine;
use crate::layers::{ActNorm, BatchNorm, SpectralConv2d};
use crate::parameters::{Initializer, ParameterError, VarBuilder};
use serde::{Deserialize, Serialize};
use thiserror::Error;

const SLOPE: f32 = 0.2;
/// The largest number of channels, as a multiple of the first layer's.
const MOST_MULTIPLE: usize = 8;

/// How features are normalised.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Normalization {
    /// Batch normalisation, momentum 0.1, epsilon 1e-5.
    #[default]
    Batch,
    /// scale * (x + loc), set by the first batch and learnt from there on (Kingma and Dhariwal, 2018).
    ActNorm,
}

/// The size and kind of a discriminator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DiscriminatorPreset {
    /// Channels after the first convolution; every layer doubles them, up to eight times the first.
    pub channels: usize,
    /// Layers after the first convolution; `layers` convolutions in all halve the map.
    pub layers: usize,
    #[serde(default)]
    pub normalization: Normalization,
    /// Divides every weight by its largest singular value (Miyato et al., 2018).
    #[serde(default)]
    pub spectral: bool,
}

impl DiscriminatorPreset {
    /// The public code's discriminator.
    pub const PAPER: Self = Self { channels: 64, layers: 3, normalization: Normalization::Batch, spectral: false };

    /// Checks that this can judge maps of `side` x `side` pixels.
    ///
    /// # Errors
    /// The field that is out of range.
    pub fn check(&self, side: usize) -> Result<(), DiscriminatorError> {
        if !(1..=1024).contains(&self.channels) {
            return Err(DiscriminatorError::Range { field: "channels", found: self.channels, least: 1, most: 1024 });
        }
        if !(1..=8).contains(&self.layers) {
            return Err(DiscriminatorError::Range { field: "layers", found: self.layers, least: 1, most: 8 });
        }
        // Each halving rounds down, and the last two convolutions take a pixel each.
        let left = side >> self.layers;
        if left < 3 { Err(DiscriminatorError::MapSize { layers: self.layers, side, left }) } else { Ok(()) }
    }
}

/// Why a discriminator cannot work. The message begins with the field.
#[derive(Debug, Error, Clone, Copy, PartialEq, Eq)]
pub enum DiscriminatorError {
    #[error("{field} is {found}, expected {least} to {most}")]
    Range { field: &'static str, found: usize, least: usize, most: usize },
    #[error("layers is {layers}, of which maps of {side} pixels leave {left}, expected at least 3: use fewer layers or larger maps")]
    MapSize { layers: usize, side: usize, left: usize },
}

/// A layer's normalisation.
enum Norm<E: Engine> {
    None,
    Batch(BatchNorm<E>),
    Act(ActNorm<E>),
}

impl<E: Engine> Norm<E> {
    fn new(vb: &VarBuilder<E>, channels: usize, kind: Normalization) -> Result<Self, ParameterError> {
        Ok(match kind {
            Normalization::Batch => Self::Batch(BatchNorm::new(vb, channels, Initializer::NormalAroundOne { std: 0.02 }, 0.1, 1e-5)?),
            Normalization::ActNorm => Self::Act(ActNorm::new(vb, channels)?),
        })
    }

    fn forward(&self, e: &E, x: &E::Tensor) -> E::Tensor {
        match self {
            Self::None => x.clone(),
            Self::Batch(norm) => norm.forward(e, x),
            Self::Act(norm) => norm.forward(e, x),
        }
    }
}

/// The network; see the module.
pub struct Discriminator<E: Engine> {
    layers: Vec<(SpectralConv2d<E>, Norm<E>)>,
    last: SpectralConv2d<E>,
}

impl<E: Engine> Discriminator<E> {
    /// Parameters under `main`. The preset has been checked by [`DiscriminatorPreset::check`].
    pub fn new(vb: &VarBuilder<E>, preset: &DiscriminatorPreset) -> Result<Self, ParameterError> {
        let vb = vb.pp("main");
        let first = SpectralConv2d::new(&vb.pp(0), [1, preset.channels], 2, true, preset.spectral)?;
        let mut layers = vec![(first, Norm::None)];
        let mut input = preset.channels;
        for layer in 1..=preset.layers {
            let output = preset.channels * MOST_MULTIPLE.min(1 << layer);
            let place = 3 * layer - 1;
            let stride = if layer < preset.layers { 2 } else { 1 };
            // Batch normalisation would subtract a bias again.
            let with_bias = preset.normalization != Normalization::Batch;
            let conv = SpectralConv2d::new(&vb.pp(place), [input, output], stride, with_bias, preset.spectral)?;
            layers.push((conv, Norm::new(&vb.pp(place + 1), output, preset.normalization)?));
            input = output;
        }
        let last = SpectralConv2d::new(&vb.pp(3 * preset.layers + 2), [input, 1], 1, true, preset.spectral)?;
        Ok(Self { layers, last })
    }

    /// Gray maps in [-1, 1], (N, 1, H, W) -> logits, positive for "real": (N, 1, H / 2^layers - 2, W / 2^layers - 2).
    pub fn forward(&self, e: &E, map: &E::Tensor) -> E::Tensor {
        let features = self.layers.iter().fold(map.clone(), |x, (conv, norm)| e.leaky_relu(&norm.forward(e, &conv.forward(e, &x)), SLOPE));
        self.last.forward(e, &features)
    }

    /// The values that change before a training step beside the optimiser's: pairs of a stored tensor and its new values. The spectral
    /// vectors take one power iteration. With `first_batch`, a batch of maps (N, 1, H, W), ActNorm's values are those that normalise it.
    pub fn updates(&self, e: &E, first_batch: Option<&E::Tensor>) -> Vec<(E::Tensor, E::Tensor)> {
        let mut updates = Vec::new();
        let mut pass = first_batch.cloned();
        for (conv, norm) in &self.layers {
            let vectors = spectral_update(e, conv, &mut updates);
            let Some(x) = &mut pass else { continue };
            *x = conv.forward_with(e, x, vectors.as_ref());
            *x = match norm {
                Norm::Act(stored) => {
                    let initial = ActNorm::initial(e, x);
                    let normal = initial.forward(e, x);
                    updates.extend([(stored.loc.clone(), initial.loc), (stored.scale.clone(), initial.scale)]);
                    normal
                }
                // Batch normalisation needs no first values, and a pass here would move its running statistics.
                Norm::Batch(_) => {
                    pass = None;
                    continue;
                }
                Norm::None => x.clone(),
            };
            *x = e.leaky_relu(x, SLOPE);
        }
        spectral_update(e, &self.last, &mut updates);
        updates
    }
}

/// The convolution's next singular vectors, which are also added to `updates`.
fn spectral_update<E: Engine>(e: &E, conv: &SpectralConv2d<E>, updates: &mut Vec<(E::Tensor, E::Tensor)>) -> Option<[E::Tensor; 2]> {
    let next = conv.power_iteration(e)?;
    updates.extend(conv.vectors().into_iter().flatten().cloned().zip(next.iter().cloned()));
    Some(next)
}

//! PatchGAN (Isola et al., 2017), the adversary of the first stage: a gray map in, one logit for every overlapping patch out.
//!
//! Convolutions of 4 x 4 halve the map `layers` times less one, each normalised and followed by a leaky ReLU; two more keep the
//! size but for a pixel. Names and shapes are those of `NLayerDiscriminator` in the public code (`main.0`, `main.2`, ...).
//! Source: shared/radiodiff-spec.md, section 2.
//!
//! Two things in it move without a gradient, ActNorm's first values and the vectors of the spectral normalisation:
//! [`Discriminator::updates`] says to what, and who trains copies it. `forward` itself changes nothing but the running
//! statistics of batch normalisation.

use super::layers::BatchNorm;
use crate::engine::{Binary, ConvGeometry, Engine, Padding, Unary};
use crate::weights::{Initializer, ParameterError, Parameters};
use serde::{Deserialize, Serialize};

const KERNEL: usize = 4;
const SLOPE: f32 = 0.2;
/// Most channels as a multiple of the first layer's.
const MOST_MULTIPLE: usize = 8;

/// How features are normalised.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Normalization {
    /// Batch normalisation, momentum 0.1, epsilon 1e-5.
    #[default]
    Batch,
    /// scale * (x + loc), which begins by normalising the first batch and is learnt from there (Kingma and Dhariwal, 2018).
    ActNorm,
}

/// How large the discriminator is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DiscriminatorPreset {
    /// Channels after the first convolution; doubled by each layer up to eight times.
    pub channels: usize,
    pub layers: usize,
    #[serde(default)]
    pub normalization: Normalization,
    /// Divide every weight by its largest singular value (Miyato et al., 2018), found by power iteration.
    #[serde(default)]
    pub spectral: bool,
}

impl DiscriminatorPreset {
    /// The public code's.
    pub const PAPER: Self = Self { channels: 64, layers: 3, normalization: Normalization::Batch, spectral: false };

    /// Why this cannot judge maps of `side` x `side` pixels, if so.
    pub fn refused(&self, side: usize) -> Option<String> {
        if !(1..=1024).contains(&self.channels) {
            return Some(format!("channels is {}, expected 1 to 1024", self.channels));
        }
        if !(1..=8).contains(&self.layers) {
            return Some(format!("layers is {}, expected 1 to 8", self.layers));
        }
        // Each halving rounds down, and the last two convolutions take a pixel each.
        let left = side >> self.layers;
        (left < 3).then(|| format!("layers is {}, of which maps of {side} pixels leave {left}, expected at least 3", self.layers))
    }
}

/// A convolution, whose weight is divided by its largest singular value where it is spectral.
struct PatchConv<T> {
    weight: T,
    bias: Option<T>,
    geometry: ConvGeometry,
    /// Left (Cout) and right (Cin 16) singular vectors.
    vectors: Option<[T; 2]>,
}

impl<T: Clone> PatchConv<T> {
    fn new<E: Engine<Tensor = T>>(
        p: &Parameters<E>,
        [input, output]: [usize; 2],
        stride: usize,
        with_bias: bool,
        spectral: bool,
    ) -> Result<Self, ParameterError> {
        let fan_in = input * KERNEL * KERNEL;
        let normal = |std| Initializer::Normal { std };
        let weight = p.trained(if spectral { "weight_orig" } else { "weight" }, &[output, input, KERNEL, KERNEL], normal(0.02))?;
        let uniform = Initializer::Uniform { bound: 1.0 / (fan_in as f32).sqrt() };
        let bias = with_bias.then(|| p.trained("bias", &[output], uniform)).transpose()?;
        let vectors = match spectral {
            // The first power iteration gives them length 1.
            true => Some([p.fixed("weight_u", &[output], normal(1.0))?, p.fixed("weight_v", &[fan_in], normal(1.0))?]),
            false => None,
        };
        Ok(Self { weight, bias, geometry: ConvGeometry { stride, padding: Padding::all(1) }, vectors })
    }

    /// The weight as a matrix (Cout, Cin 16).
    fn matrix<E: Engine<Tensor = T>>(&self, e: &E) -> T {
        let shape = e.shape(&self.weight);
        e.reshape(&self.weight, &[shape[0], shape[1..].iter().product()])
    }

    /// One power iteration from the stored left vector u: v = W^T u and u = W v, both scaled to length 1.
    fn power_iteration<E: Engine<Tensor = T>>(&self, e: &E) -> Option<[T; 2]> {
        let [u, v] = self.vectors.as_ref()?;
        let matrix = self.matrix(e);
        let unit = |x: &T, like: &T| {
            let shape = e.shape(like);
            let x = e.reshape(x, &shape);
            let squares = e.affine(&e.mean_from(&e.unary(Unary::Square, &x), 0), shape[0] as f32, 0.0);
            e.binary(Binary::Div, &x, &e.clamp(&e.unary(Unary::Sqrt, &squares), 1e-12, f32::MAX))
        };
        let column = |x: &T| e.reshape(x, &[e.shape(x)[0], 1]);
        let right = unit(&e.matmul(&e.permute(&matrix, &[1, 0]), &column(u)), v);
        let left = unit(&e.matmul(&matrix, &column(&right)), u);
        Some([left, right])
    }

    /// With the vectors given instead of the stored ones.
    fn forward<E: Engine<Tensor = T>>(&self, e: &E, x: &T, vectors: Option<&[T; 2]>) -> T {
        let weight = match vectors {
            Some(vectors) => {
                // Copies: the stored ones move in place before the gradients of this pass are taken.
                let [u, v] = vectors.each_ref().map(|vector| e.affine(vector, 1.0, 0.0));
                let (rows, columns) = (e.shape(&u)[0], e.shape(&v)[0]);
                let product = e.matmul(&self.matrix(e), &e.reshape(&v, &[columns, 1]));
                let sigma = e.matmul(&e.reshape(&u, &[1, rows]), &product);
                e.binary(Binary::Div, &self.weight, &e.reshape(&sigma, &[1, 1, 1, 1]))
            }
            None => self.weight.clone(),
        };
        e.conv2d(x, &weight, self.bias.as_ref(), self.geometry)
    }
}

/// scale * (x + loc), both (1, C, 1, 1).
struct ActNorm<T> {
    loc: T,
    scale: T,
}

impl<T: Clone> ActNorm<T> {
    /// The values that give `x` (N, C, H, W) mean 0 and standard deviation 1 in every channel: loc = -mean,
    /// scale = 1 / (std + 1e-6), std of the sample (over n - 1).
    fn initial<E: Engine<Tensor = T>>(e: &E, x: &T) -> Self {
        let by_channel = e.permute(x, &[1, 0, 2, 3]);
        let shape = e.shape(&by_channel);
        let count = shape[1..].iter().product::<usize>() as f32;
        let mean = e.mean_from(&by_channel, 1);
        let variance = e.mean_from(&e.unary(Unary::Square, &e.sub(&by_channel, &mean)), 1);
        let std = e.unary(Unary::Sqrt, &e.affine(&variance, count / (count - 1.0).max(1.0), 0.0));
        let row = |x: &T| e.reshape(x, &[1, shape[0], 1, 1]);
        let one = e.tensor(&[1.0], &[1]);
        let scale = e.binary(Binary::Div, &one, &e.affine(&std, 1.0, 1e-6));
        Self { loc: row(&e.affine(&mean, -1.0, 0.0)), scale: row(&scale) }
    }

    fn forward<E: Engine<Tensor = T>>(&self, e: &E, x: &T) -> T {
        e.mul(&e.add(x, &self.loc), &self.scale)
    }
}

enum Norm<T> {
    None,
    Batch(BatchNorm<T>),
    Act(ActNorm<T>),
}

impl<T: Clone> Norm<T> {
    fn new<E: Engine<Tensor = T>>(p: &Parameters<E>, channels: usize, kind: Normalization) -> Result<Self, ParameterError> {
        Ok(match kind {
            Normalization::Batch => Self::Batch(BatchNorm::new(p, channels, Initializer::NormalAroundOne { std: 0.02 }, 0.1, 1e-5)?),
            Normalization::ActNorm => {
                let [loc, scale] =
                    [("loc", 0.0), ("scale", 1.0)].map(|(name, begin)| p.trained(name, &[1, channels, 1, 1], Initializer::Constant(begin)));
                Self::Act(ActNorm { loc: loc?, scale: scale? })
            }
        })
    }

    fn forward<E: Engine<Tensor = T>>(&self, e: &E, x: &T) -> T {
        match self {
            Self::None => x.clone(),
            Self::Batch(norm) => norm.forward(e, x),
            Self::Act(norm) => norm.forward(e, x),
        }
    }
}

/// See the module.
pub struct Discriminator<T> {
    layers: Vec<(PatchConv<T>, Norm<T>)>,
    last: PatchConv<T>,
}

impl<T: Clone> Discriminator<T> {
    /// Parameters under `main`. The preset has been checked by [`DiscriminatorPreset::refused`].
    pub fn new<E: Engine<Tensor = T>>(p: &Parameters<E>, preset: &DiscriminatorPreset) -> Result<Self, ParameterError> {
        let p = p.at("main");
        let first = PatchConv::new(&p.at(0), [1, preset.channels], 2, true, preset.spectral)?;
        let mut layers = vec![(first, Norm::None)];
        let mut input = preset.channels;
        for layer in 1..=preset.layers {
            let output = preset.channels * MOST_MULTIPLE.min(1 << layer);
            let place = 3 * layer - 1;
            let stride = if layer < preset.layers { 2 } else { 1 };
            // Batch normalisation takes any bias away again.
            let with_bias = preset.normalization != Normalization::Batch;
            let conv = PatchConv::new(&p.at(place), [input, output], stride, with_bias, preset.spectral)?;
            layers.push((conv, Norm::new(&p.at(place + 1), output, preset.normalization)?));
            input = output;
        }
        let last = PatchConv::new(&p.at(3 * preset.layers + 2), [input, 1], 1, true, preset.spectral)?;
        Ok(Self { layers, last })
    }

    /// Gray maps in [-1, 1], (N, 1, H, W) -> logits, positive for "real": (N, 1, H / 2^layers - 2, W / 2^layers - 2).
    pub fn forward<E: Engine<Tensor = T>>(&self, e: &E, map: &T) -> T {
        let features = self
            .layers
            .iter()
            .fold(map.clone(), |x, (conv, norm)| e.leaky_relu(&norm.forward(e, &conv.forward(e, &x, conv.vectors.as_ref())), SLOPE));
        self.last.forward(e, &features, self.last.vectors.as_ref())
    }

    /// What moves before a training step beside the optimiser: pairs of a stored tensor and its next values. The spectral
    /// vectors make one power iteration; with `first_batch`, a batch of maps, ActNorm is set so that it normalises it.
    pub fn updates<E: Engine<Tensor = T>>(&self, e: &E, first_batch: Option<&T>) -> Vec<(T, T)> {
        let mut updates = Vec::new();
        let mut pass = first_batch.cloned();
        for (conv, norm) in &self.layers {
            let vectors = spectral_update(e, conv, &mut updates);
            let Some(x) = &mut pass else { continue };
            *x = conv.forward(e, x, vectors.as_ref());
            *x = match norm {
                Norm::Act(stored) => {
                    let initial = ActNorm::initial(e, x);
                    let normal = initial.forward(e, x);
                    updates.extend([(stored.loc.clone(), initial.loc), (stored.scale.clone(), initial.scale)]);
                    normal
                }
                // Batch normalisation needs no beginning, and a pass here would move its running statistics.
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

/// The convolution's next spectral vectors, noted in `updates`.
fn spectral_update<E: Engine>(e: &E, conv: &PatchConv<E::Tensor>, updates: &mut Vec<(E::Tensor, E::Tensor)>) -> Option<[E::Tensor; 2]> {
    let next = conv.power_iteration(e)?;
    updates.extend(conv.vectors.iter().flatten().cloned().zip(next.iter().cloned()));
    Some(next)
}

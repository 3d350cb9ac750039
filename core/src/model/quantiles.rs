//! Quantile regression by a plain U-Net: what a generative model has to beat.
//!
//! Where heights and cars are unknown, a place has many maps. Diffusion draws some of them; this network says in one evaluation how a
//! pixel's path gain is distributed, by its quantiles, and is trained for the very score that forecasts are judged by
//! ([`quantile_loss`]). It knows nothing of how pixels vary together: a quantile of every pixel is no map that a place could have.
//!
//! In flows the condition; out flow the maps of [`QUANTILES`] quantiles, as differences to a physical map where the preset says so. A
//! strided stem halves the map. Residual blocks work on coarser and coarser levels and back, with skips between them. At last the
//! condition joins in at full resolution, so that shadow edges need not pass the stem. Of the last convolution's channels the first is
//! the median; softplus makes the others the distances to the next quantile outwards, so that quantiles never cross.

use super::preset::{Preset, PresetError, QUANTILES, QuantilesPreset};
use super::residual::MapCoding;
use crate::engine::{ConvGeometry, Engine, Unary};
use crate::layers::{Conv2d, GroupNorm, ResnetBlock};
use crate::parameters::{ParameterError, VarBuilder};
use std::rc::Rc;
use thiserror::Error;

/// What the names of its parameters begin with.
pub const ROOT: &str = "quantiles";

const EPSILON: f32 = 1e-6;
/// The median among the quantiles.
const MEDIAN: usize = QUANTILES / 2;
/// The median that a channel's 1 means and the distance that a softplus of 1 means, as shares of a difference's range: 5 and 0.6 dB of 40,
/// so that weights of ordinary size mean ordinary errors.
const MEDIAN_UNIT: f32 = 1.0 / 8.0;
const DISTANCE_UNIT: f32 = 1.0 / 64.0;

/// Why the network could not be built.
#[derive(Debug, Error, Clone, PartialEq)]
pub enum QuantilesError {
    #[error(transparent)]
    Preset(#[from] PresetError),
    #[error("preset {preset} has no entry [quantiles], expected one: docs/networks.md says what it holds")]
    NoEntry { preset: String },
    #[error(transparent)]
    Parameter(#[from] ParameterError),
}

/// The probabilities of the quantiles, ascending: 1/20 to 19/20.
pub fn probabilities() -> [f32; QUANTILES] {
    std::array::from_fn(|i| (i + 1) as f32 / (QUANTILES + 1) as f32)
}

/// See the module.
pub struct QuantileNet<E: Engine> {
    pub preset: Preset,
    coding: MapCoding,
    stem: Conv2d<E>,
    /// Finest first.
    levels: Vec<QuantileLevel<E>>,
    middle: Rc<ResnetBlock<E>>,
    norm_out: GroupNorm<E>,
    narrow: Conv2d<E>,
    detail: Conv2d<E>,
    head: Conv2d<E>,
    /// (Q, Q, 1, 1): what every channel adds to every quantile.
    sums: E::Tensor,
}

/// A level: its block on the way down, and on the way up the block that takes the coarser level and the skip. The coarsest has one alone.
struct QuantileLevel<E: Engine> {
    down: Rc<ResnetBlock<E>>,
    below: Option<CoarserLevel<E>>,
}

/// What leads to the next coarser level and back.
struct CoarserLevel<E: Engine> {
    halve: Conv2d<E>,
    up: Rc<ResnetBlock<E>>,
}

impl<E: Engine> QuantileNet<E> {
    /// Parameters `quantiles.*`.
    ///
    /// # Errors
    /// A preset that cannot work or has no such network, and those of the parameters' source.
    pub fn new(preset: &Preset, vb: &VarBuilder<E>) -> Result<Self, QuantilesError> {
        preset.validate()?;
        let sizes = preset.quantiles.as_ref().ok_or_else(|| QuantilesError::NoEntry { preset: preset.name.clone() })?;
        Ok(Self::of_sizes(preset, sizes, &vb.pp(ROOT))?)
    }

    fn of_sizes(preset: &Preset, sizes: &QuantilesPreset, vb: &VarBuilder<E>) -> Result<Self, ParameterError> {
        let QuantilesPreset { widths, detail_width, norm_groups: groups, .. } = sizes;
        let (scene, finest, coarsest) = (preset.condition.channels.len(), widths[0], widths[widths.len() - 1]);
        let level = |(i, &width): (usize, &usize)| {
            let vb = vb.pp("levels").pp(i);
            let down = ResnetBlock::new(&vb.pp("down"), width, width, *groups)?;
            let below = widths.get(i + 1).map(|&below| {
                let halve = Conv2d::halving(&vb.pp("halve"), width, below)?;
                Ok(CoarserLevel { halve, up: ResnetBlock::new(&vb.pp("up"), width + below, width, *groups)? })
            });
            Ok(QuantileLevel { down, below: below.transpose()? })
        };
        Ok(Self {
            preset: preset.clone(),
            coding: MapCoding::of(preset),
            stem: Conv2d::halving(&vb.pp("stem"), scene, finest)?,
            levels: widths.iter().enumerate().map(level).collect::<Result<Vec<_>, _>>()?,
            middle: ResnetBlock::new(&vb.pp("middle"), coarsest, coarsest, *groups)?,
            norm_out: GroupNorm::new(&vb.pp("norm_out"), finest, *groups, EPSILON)?,
            narrow: Conv2d::same(&vb.pp("narrow"), finest, *detail_width, 1)?,
            detail: Conv2d::same(&vb.pp("detail"), detail_width + scene, *detail_width, 3)?,
            head: Conv2d::pointwise_from_zero(&vb.pp("head"), *detail_width, QUANTILES)?,
            sums: vb.engine().tensor(&sums(), &[QUANTILES, QUANTILES, 1, 1]),
        })
    }

    /// Condition (N, C, H, W) in [-1, 1] -> the maps of the quantiles, ascending, (N, Q, H, W), where [-1, 1] are the gray levels 0 to 1;
    /// not clamped, so that gradients flow everywhere.
    pub fn maps(&self, e: &E, condition: &E::Tensor) -> E::Tensor {
        self.coding.map(e, &self.coded(e, condition), condition)
    }

    /// Condition (N, C, H, W) in [-1, 1] -> the gray levels of the quantiles in [0, 1], ascending, (N, Q, H, W).
    pub fn gray(&self, e: &E, condition: &E::Tensor) -> E::Tensor {
        let maps = self.coding.map_within_range(e, &self.coded(e, condition), condition);
        e.clamp(&e.affine(&maps, 0.5, 0.5), 0.0, 1.0)
    }

    fn coded(&self, e: &E, condition: &E::Tensor) -> E::Tensor {
        let mut x = self.stem.forward(e, condition);
        let mut skips = Vec::with_capacity(self.levels.len());
        for level in &self.levels {
            x = level.down.forward(e, &x);
            if let Some(below) = &level.below {
                let coarser = below.halve.forward(e, &x);
                skips.push((x, below));
                x = coarser;
            }
        }
        x = self.middle.forward(e, &x);
        for (skip, below) in skips.into_iter().rev() {
            x = below.up.forward(e, &e.concat(&[&e.upsample_nearest_2x(&x), &skip], 1));
        }
        let coarse = self.narrow.forward(e, &self.norm_out.forward_silu(e, &x));
        let detail = self.detail.forward(e, &e.concat(&[&e.upsample_nearest_2x(&coarse), condition], 1));
        let raw = self.head.forward(e, &e.silu(&detail));
        let distances = e.softplus(&e.narrow(&raw, 1, 1, QUANTILES - 1));
        let parts = e.concat(&[&e.narrow(&raw, 1, 0, 1), &distances], 1);
        e.conv2d(&parts, &self.sums, None, ConvGeometry::same(1))
    }
}

/// Row-major (Q, Q): quantile = the median's channel, and the distances between them and the median, those above the median in the
/// channels from 1 on, those below in the rest.
fn sums() -> Vec<f32> {
    let part = |quantile: usize, channel: usize| match channel {
        0 => MEDIAN_UNIT,
        above if above <= MEDIAN => f32::from(u8::from(quantile >= MEDIAN + above)) * DISTANCE_UNIT,
        below => -f32::from(u8::from(quantile + (below - MEDIAN) <= MEDIAN)) * DISTANCE_UNIT,
    };
    (0..QUANTILES).flat_map(|quantile| (0..QUANTILES).map(move |channel| part(quantile, channel))).collect()
}

/// Twice the mean pinball loss (Koenker and Bassett, 1978), 2 (p - [truth < q]) (truth - q) = |truth - q| + (2 p - 1) (truth - q), over
/// the quantiles and the pixels: the continuous ranked probability score, which is twice its integral over p (Gneiting and Raftery,
/// 2007), but for there being Q of them. `quantiles` is (N, Q, H, W), `truth` (N, 1, H, W), `weights` of the pixels (N, 1, H, W) with
/// mean 1. One element, in the maps' unit.
pub fn quantile_loss<E: Engine>(e: &E, quantiles: &E::Tensor, truth: &E::Tensor, weights: &E::Tensor) -> E::Tensor {
    // Means over the quantiles as 1 x 1 convolutions: engines keep few tensors of Q channels then. The truth falls out of the second,
    // because 2 p - 1 adds up to 0.
    let mean = |x: &E::Tensor, factors: [f32; QUANTILES]| {
        let shares = factors.map(|factor| factor / QUANTILES as f32);
        e.conv2d(x, &e.tensor(&shares, &[1, QUANTILES, 1, 1]), None, ConvGeometry::same(1))
    };
    let distance = mean(&e.unary(Unary::Abs, &e.sub(truth, quantiles)), [1.0; QUANTILES]);
    let tilt = mean(quantiles, probabilities().map(|p| 1.0 - 2.0 * p));
    e.mean_from(&e.mul(&e.add(&distance, &tilt), weights), 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_sums_of_distances_from_the_median() {
        let sums = sums();
        let quantiles = |channels: &[f32]| -> Vec<f32> {
            sums.chunks(QUANTILES).map(|row| row.iter().zip(channels).map(|(weight, channel)| weight * channel).sum()).collect()
        };
        let mut channels = [1.0; QUANTILES];
        channels[0] = 16.0;
        let even: Vec<f32> = (0..QUANTILES).map(|i| 2.0 + (i as f32 - MEDIAN as f32) / 64.0).collect();
        assert_eq!(quantiles(&channels), even);
        // The second distance upwards and the last downwards.
        (channels[2], channels[QUANTILES - 1]) = (65.0, 129.0);
        let found = quantiles(&channels);
        assert_eq!(
            (found[MEDIAN + 1], found[MEDIAN + 2], found[1], found[0]),
            (even[MEDIAN + 1], even[MEDIAN + 2] + 1.0, even[1], even[0] - 2.0)
        );
    }
}

//! Errors of a predicted map, by the definitions of the radio-map literature (RadioDiff: Wang et al., 2024).
//!
//! Maps are gray levels in [0, 1], row-major. The first argument is the prediction, the second the truth. PSNR and SSIM have range 1.
//! Several maps of one truth are scored as an ensemble ([`EnsembleScores`]).

mod ensemble;
mod ssim;

pub use ensemble::{
    EnsembleKind, EnsembleScores, INTERVAL, IntervalMiss, SpreadScores, central_interval, crps, nominal_coverage, widening_that_holds,
};
pub use ssim::{SSIM_WINDOW, ssim};

use crate::map::GrayCodec;

fn mean_squared_error(prediction: &[f32], truth: &[f32]) -> f64 {
    assert_eq!(prediction.len(), truth.len(), "maps of one size");
    let sum: f64 = prediction.iter().zip(truth).map(|(&p, &t)| (f64::from(p) - f64::from(t)).powi(2)).sum();
    sum / truth.len() as f64
}

/// Normalised mean squared error: the mean squared error over the truth's mean square. Infinite for a truth of zeros.
pub fn nmse(prediction: &[f32], truth: &[f32]) -> f64 {
    let power = truth.iter().map(|&t| f64::from(t).powi(2)).sum::<f64>() / truth.len() as f64;
    mean_squared_error(prediction, truth) / power
}

/// Relative L2 error, ||prediction - truth|| / ||truth||: the root of [`nmse`].
pub fn relative_error(prediction: &[f32], truth: &[f32]) -> f64 {
    nmse(prediction, truth).sqrt()
}

/// Root mean squared error.
pub fn rmse(prediction: &[f32], truth: &[f32]) -> f64 {
    mean_squared_error(prediction, truth).sqrt()
}

/// Peak signal-to-noise ratio in dB, peak 1. Infinite for equal maps.
pub fn psnr(prediction: &[f32], truth: &[f32]) -> f64 {
    -10.0 * mean_squared_error(prediction, truth).log10()
}

/// Root mean squared error in dB over the outdoor pixels, where `mask` is 0. It is 0 on a map without outdoor pixels.
pub fn rmse_db(prediction: &[f32], truth: &[f32], mask: &[u8], codec: &GrayCodec) -> f64 {
    assert_eq!((prediction.len(), mask.len()), (truth.len(), truth.len()), "maps and mask of one size");
    let squares = prediction.iter().zip(truth).zip(mask).filter(|&(_, &inside)| inside == 0).map(|((&p, &t), _)| f64::from(p - t).powi(2));
    let (count, sum) = squares.fold((0usize, 0.0), |(n, sum), v| (n + 1, sum + v));
    if count == 0 { 0.0 } else { (sum / count as f64).sqrt() * f64::from(codec.range_db()) }
}

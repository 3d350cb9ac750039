//! The adaptive FFT module: a learned complex weight on every frequency of every channel.
//!
//! d(x) = F^-1(W * F(conv(norm(x)))), F the orthonormal real 2-D FFT. At the bottleneck's few pixels (8 x 8) a product with the
//! transform's matrix is as good as an FFT and needs no operation of its own. Source: shared/radiodiff-spec.md, section 4.5.

use super::layers::{Conv2d, GroupNorm};
use crate::engine::Engine;
use crate::weights::{Initializer, ParameterError, Parameters};
use std::f64::consts::TAU;

/// One branch: `0` norm, `1` convolution, `2` the weight.
pub struct AdaptiveFourier<T> {
    norm: GroupNorm<T>,
    conv: Conv2d<T>,
    /// As it is stored; [`Self::forward`] takes its parts, so that they are always those of the trained tensor.
    weight: T,
    /// pixels x frequencies: real part, imaginary part of the transform.
    forward: [T; 2],
    /// frequencies x pixels: what the real part, the imaginary part of a coefficient adds to each pixel.
    inverse: [T; 2],
    channels: usize,
    side: usize,
}

impl<T: Clone> AdaptiveFourier<T> {
    /// Parameter `2.complex_weight` (channels, side, side / 2 + 1, 2).
    pub fn new<E: Engine<Tensor = T>>(p: &Parameters<E>, channels: usize, side: usize, groups: usize) -> Result<Self, ParameterError> {
        let e = p.engine();
        let half = side / 2 + 1;
        let (pixels, frequencies) = (side * side, side * half);
        let matrix = |transposed: bool, value: &dyn Fn(f64, usize) -> f64| {
            let (rows, columns) = if transposed { (frequencies, pixels) } else { (pixels, frequencies) };
            let mut values = Vec::with_capacity(rows * columns);
            for row in 0..rows {
                for column in 0..columns {
                    let (pixel, frequency) = if transposed { (column, row) } else { (row, column) };
                    let turns = ((pixel / side) * (frequency / half) + (pixel % side) * (frequency % half)) % side;
                    values.push((value(TAU * turns as f64 / side as f64, frequency % half) / side as f64) as f32);
                }
            }
            e.tensor(&values, &[rows, columns])
        };
        // A real image's spectrum is given by half its columns; all but the first and the middle one stand for two.
        let multiplicity = |column: usize| if column == 0 || 2 * column == side { 1.0 } else { 2.0 };
        Ok(Self {
            norm: GroupNorm::new(&p.at(0), channels, groups, 1e-5)?,
            conv: Conv2d::same(&p.at(1), channels, channels, 3)?,
            weight: p.at(2).trained("complex_weight", &[channels, side, half, 2], Initializer::Normal { std: 0.02 })?,
            forward: [matrix(false, &|angle, _| angle.cos()), matrix(false, &|angle, _| -angle.sin())],
            inverse: [
                matrix(true, &|angle, column| multiplicity(column) * angle.cos()),
                matrix(true, &|angle, column| -multiplicity(column) * angle.sin()),
            ],
            channels,
            side,
        })
    }

    /// x + d(x) for x (N, channels, side, side).
    pub fn forward<E: Engine<Tensor = T>>(&self, e: &E, x: &T) -> T {
        let batch = e.shape(x)[0];
        let pixels = self.side * self.side;
        let frequencies = self.side * (self.side / 2 + 1);
        let image = e.reshape(&self.conv.forward(e, &self.norm.forward(e, x)), &[batch * self.channels, pixels]);
        let [re, im] = [0, 1].map(|i| e.reshape(&e.matmul(&image, &self.forward[i]), &[batch, self.channels, frequencies]));
        let [w_re, w_im] = [0, 1].map(|i| e.reshape(&e.narrow(&self.weight, 3, i, 1), &[self.channels, frequencies]));
        let flat = |t: &T| e.reshape(t, &[batch * self.channels, frequencies]);
        let out_re = flat(&e.sub(&e.mul(&re, &w_re), &e.mul(&im, &w_im)));
        let out_im = flat(&e.add(&e.mul(&re, &w_im), &e.mul(&im, &w_re)));
        let d = e.add(&e.matmul(&out_re, &self.inverse[0]), &e.matmul(&out_im, &self.inverse[1]));
        e.add(x, &e.reshape(&d, &[batch, self.channels, self.side, self.side]))
    }
}

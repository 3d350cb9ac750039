//! Adaptive FFT: a learnt complex weight on every frequency of every channel, at the bottleneck of the U-Net.
//!
//! At the bottleneck's few pixels (8 x 8 in the paper) a product with the transform's matrix costs no more than an FFT, and no
//! engine needs an operation for it.

use super::conv2d::Conv2d;
use super::group_norm::GroupNorm;
use crate::engine::Engine;
use crate::parameters::{Initializer, ParameterError, VarBuilder};
use std::f64::consts::TAU;

/// y = x + F^-1(W * F(conv(norm(x)))), F the orthonormal real 2-D FFT.
pub struct AdaptiveFourier<E: Engine> {
    norm: GroupNorm<E>,
    conv: Conv2d<E>,
    /// (channels, side, side / 2 + 1, 2). [`Self::forward`] takes the real and imaginary parts anew, because training changes them.
    weight: E::Tensor,
    /// (pixels, frequencies): real and imaginary part of the transform.
    forward: [E::Tensor; 2],
    /// (frequencies, pixels): the contribution of a coefficient's real and imaginary part to each pixel.
    inverse: [E::Tensor; 2],
    channels: usize,
    side: usize,
}

impl<E: Engine> AdaptiveFourier<E> {
    /// Parameters `0` (normalisation), `1` (3 x 3 convolution) and `2.complex_weight` (channels, side, side / 2 + 1, 2).
    pub fn new(vb: &VarBuilder<E>, channels: usize, side: usize, groups: usize) -> Result<Self, ParameterError> {
        let e = vb.engine();
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
        // Half the columns give a real image's spectrum: each stands for two, but the first and the middle one for themselves.
        let multiplicity = |column: usize| if column == 0 || 2 * column == side { 1.0 } else { 2.0 };
        Ok(Self {
            norm: GroupNorm::new(&vb.pp(0), channels, groups, 1e-5)?,
            conv: Conv2d::same(&vb.pp(1), channels, channels, 3)?,
            weight: vb.pp(2).param("complex_weight", &[channels, side, half, 2], Initializer::Normal { std: 0.02 })?,
            forward: [matrix(false, &|angle, _| angle.cos()), matrix(false, &|angle, _| -angle.sin())],
            inverse: [
                matrix(true, &|angle, column| multiplicity(column) * angle.cos()),
                matrix(true, &|angle, column| -multiplicity(column) * angle.sin()),
            ],
            channels,
            side,
        })
    }

    /// (N, channels, side, side) -> the same shape.
    pub fn forward(&self, e: &E, x: &E::Tensor) -> E::Tensor {
        let batch = e.shape(x)[0];
        let pixels = self.side * self.side;
        let frequencies = self.side * (self.side / 2 + 1);
        let image = e.reshape(&self.conv.forward(e, &self.norm.forward(e, x)), &[batch * self.channels, pixels]);
        let [re, im] = [0, 1].map(|i| e.reshape(&e.matmul(&image, &self.forward[i]), &[batch, self.channels, frequencies]));
        let [w_re, w_im] = [0, 1].map(|i| e.reshape(&e.narrow(&self.weight, 3, i, 1), &[self.channels, frequencies]));
        let flat = |t: &E::Tensor| e.reshape(t, &[batch * self.channels, frequencies]);
        let out_re = flat(&e.sub(&e.mul(&re, &w_re), &e.mul(&im, &w_im)));
        let out_im = flat(&e.add(&e.mul(&re, &w_im), &e.mul(&im, &w_re)));
        let change = e.add(&e.matmul(&out_re, &self.inverse[0]), &e.matmul(&out_im, &self.inverse[1]));
        e.add(x, &e.reshape(&change, &[batch, self.channels, self.side, self.side]))
    }
}

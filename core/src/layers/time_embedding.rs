//! The embedding of the diffusion time.

use super::linear::Linear;
use crate::engine::{Engine, Unary};
use crate::parameters::{Initializer, ParameterError, VarBuilder};
use std::f32::consts::TAU;

/// y = W2 GELU(W1 [sin(2 pi w u), cos(2 pi w u)] + b1) + b2, u = log(t) / 4. The frequencies w are random and fixed, with standard
/// deviation 16 (Gaussian Fourier features, Tancik et al., 2020).
pub struct TimeEmbedding<E: Engine> {
    frequencies: E::Tensor,
    hidden: Linear<E>,
    out: Linear<E>,
    count: usize,
}

impl<E: Engine> TimeEmbedding<E> {
    /// Buffer `0.W` (frequencies), parameters `1` and `3`.
    pub fn new(vb: &VarBuilder<E>, frequencies: usize, width: usize) -> Result<Self, ParameterError> {
        Ok(Self {
            frequencies: vb.pp(0).buffer("W", &[frequencies], Initializer::Normal { std: 16.0 })?,
            hidden: Linear::new(&vb.pp(1), 2 * frequencies, width)?,
            out: Linear::new(&vb.pp(3), width, width)?,
            count: frequencies,
        })
    }

    /// Times in (0, 1], one a sample -> (N, width).
    pub fn forward(&self, e: &E, times: &[f32]) -> E::Tensor {
        let logs = e.of_times(times, &[times.len(), 1], |t| libm::logf(t) / 4.0);
        // Multiplied in the public code's order: the sines of angles of many turns depend on how the angles were rounded.
        let turns = e.mul(&logs, &self.frequencies);
        let phase = e.reshape(&e.affine(&turns, TAU, 0.0), &[times.len(), self.count]);
        let waves = e.concat(&[&e.unary(Unary::Sin, &phase), &e.unary(Unary::Cos, &phase)], 1);
        self.out.forward(e, &e.unary(Unary::Gelu, &self.hidden.forward(e, &waves)))
    }
}

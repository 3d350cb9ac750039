//! Parameters any program can make again, for comparing engines and programs without shipping weights.
//!
//! The rule of shared/goldens/README.md: a hash of the parameter's name, the seed and the element's index gives a value in
//! [-1, 1), scaled by the kind of parameter.

use super::{ParameterError, ParameterSource, ParameterSpec};
use crate::engine::Engine;

/// The source of such parameters.
#[derive(Clone, Copy, Debug)]
pub struct ReproducibleSource {
    pub seed: u64,
}

impl<E: Engine> ParameterSource<E> for ReproducibleSource {
    fn parameter(&self, engine: &E, spec: &ParameterSpec) -> Result<E::Tensor, ParameterError> {
        Ok(engine.tensor(&reproducible_parameter(self.seed, &spec.name, &spec.shape), &spec.shape))
    }
}

/// FNV-1a of a parameter's name, 64 bits.
pub fn name_hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// `count` values in [-1, 1) that depend on seed and name only.
pub fn reproducible_values(seed: u64, name: &str, count: usize) -> impl Iterator<Item = f64> + use<> {
    let base = seed ^ name_hash(name);
    (1..=count as u64).map(move |i| {
        let z = base.wrapping_add(0x9E37_79B9_7F4A_7C15_u64.wrapping_mul(i));
        let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        let z = z ^ (z >> 31);
        (z >> 40) as f64 / (1u64 << 24) as f64 * 2.0 - 1.0
    })
}

/// Noise of the rule, u sqrt(3), of unit variance; multiplied in float32, as the goldens' is, unlike weights.
pub fn reproducible_noise(seed: u64, name: &str, count: usize) -> Vec<f32> {
    let deviation = 3f32.sqrt();
    reproducible_values(seed, name, count).map(|u| u as f32 * deviation).collect()
}

/// The values of a parameter, row-major.
pub fn reproducible_parameter(seed: u64, name: &str, shape: &[usize]) -> Vec<f32> {
    let last = name.rsplit('.').next().unwrap_or(name);
    let (scale, offset) = match last {
        "complex_weight" | "relative_position_bias_table" | "running_mean" => (0.1, 0.0),
        "W" => (16.0, 0.0),
        "running_var" => (0.5, 1.0),
        "g" => (0.1, 1.0),
        "weight" if shape.len() == 1 => (0.1, 1.0),
        _ if shape.len() < 2 => (0.1, 0.0),
        _ => ((3.0 / shape[1..].iter().product::<usize>() as f64).sqrt(), 0.0),
    };
    reproducible_values(seed, name, shape.iter().product()).map(|u| (offset + scale * u) as f32).collect()
}

//! Weights and noise by a rule that any program can follow, to compare engines and programs without shipping weights.
//!
//! The FNV-1a hash of the parameter's name, the seed and the element's index give a value in [-1, 1) by SplitMix64's mixing
//! function; the kind of parameter gives its scale. The PyTorch scripts in tests/goldens follow the same rule.

use radiodiff_core::engine::Engine;
use radiodiff_core::parameters::{ParameterError, ParameterSource, ParameterSpec};
use radiodiff_core::random::seed_for;

/// A source of parameters by rule.
#[derive(Clone, Copy, Debug)]
pub struct RuleSource {
    pub seed: u64,
}

impl<E: Engine> ParameterSource<E> for RuleSource {
    fn parameter(&self, engine: &E, spec: &ParameterSpec) -> Result<E::Tensor, ParameterError> {
        Ok(engine.tensor(&rule_parameter(self.seed, &spec.name, &spec.shape), &spec.shape))
    }
}

/// `count` values in [-1, 1) that depend only on the seed, the name and their index.
pub fn rule_values(seed: u64, name: &str, count: usize) -> impl Iterator<Item = f64> + use<> {
    let base = seed_for(seed, name);
    (1..=count as u64).map(move |i| {
        let z = base.wrapping_add(0x9E37_79B9_7F4A_7C15_u64.wrapping_mul(i));
        let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        let z = z ^ (z >> 31);
        (z >> 40) as f64 / (1u64 << 24) as f64 * 2.0 - 1.0
    })
}

/// Noise of unit variance, u sqrt(3). Multiplied in float32 as in the goldens; weights are multiplied in float64.
pub fn rule_noise(seed: u64, name: &str, count: usize) -> Vec<f32> {
    let deviation = 3f32.sqrt();
    rule_values(seed, name, count).map(|u| u as f32 * deviation).collect()
}

/// The values of a parameter, row-major.
pub fn rule_parameter(seed: u64, name: &str, shape: &[usize]) -> Vec<f32> {
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
    rule_values(seed, name, shape.iter().product()).map(|u| (offset + scale * u) as f32).collect()
}

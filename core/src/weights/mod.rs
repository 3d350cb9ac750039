//! Where a network's parameters come from.
//!
//! A network asks a [`ParameterSource`] for each parameter by name, shape and initialiser while it is being built. The
//! trainer's source creates or restores them, the runtime's reads a safetensors file, a test's makes them by a rule. Names are
//! those of the public RadioDiff checkpoints, so such a checkpoint (converted to safetensors) loads.

mod checkpoint;
mod import;
mod recorder;
mod reproducible;

pub use checkpoint::{
    Checkpoint, FORMAT_VERSION, HostSource, HostTensor, MANIFEST_KEY, Manifest, Precision, WeightsError, read_tensors, serialize,
};
pub use import::{ImportError, LPIPS_ROOT, LoadReport, import, import_lpips};
pub use recorder::{ParameterRecorder, parameter_shapes};
pub use reproducible::{ReproducibleSource, name_hash, reproducible_noise, reproducible_parameter, reproducible_values};

use crate::engine::Engine;
use thiserror::Error;

/// How a parameter begins when it is trained from scratch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Initializer {
    Constant(f32),
    /// Uniform in [-bound, bound).
    Uniform {
        bound: f32,
    },
    /// Normal with mean 0.
    Normal {
        std: f32,
    },
    /// Normal with mean 1: scales of an adversary's normalisations.
    NormalAroundOne {
        std: f32,
    },
}

/// What a network asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct ParameterSpec {
    pub name: String,
    pub shape: Vec<usize>,
    pub initializer: Initializer,
    /// False for what is saved but not trained: running statistics, fixed frequencies, the latent scale.
    pub trainable: bool,
}

/// Why a parameter could not be had.
#[derive(Debug, Error, Clone, PartialEq)]
pub enum ParameterError {
    #[error("parameter {name} of shape {expected:?} is missing")]
    Missing { name: String, expected: Vec<usize> },
    #[error("parameter {name}: expected shape {expected:?}, found {found:?}")]
    Shape { name: String, expected: Vec<usize>, found: Vec<usize> },
    #[error("parameter {name}: {reason}")]
    Invalid { name: String, reason: String },
}

/// Gives parameters by name. Asking twice for a name gives the same values.
pub trait ParameterSource<E: Engine> {
    fn parameter(&self, engine: &E, spec: &ParameterSpec) -> Result<E::Tensor, ParameterError>;
}

/// A source seen from inside a network: it knows the engine and the path so far.
pub struct Parameters<'a, E: Engine> {
    engine: &'a E,
    source: &'a dyn ParameterSource<E>,
    path: String,
}

impl<E: Engine> Clone for Parameters<'_, E> {
    fn clone(&self) -> Self {
        Self { engine: self.engine, source: self.source, path: self.path.clone() }
    }
}

impl<'a, E: Engine> Parameters<'a, E> {
    pub fn new(engine: &'a E, source: &'a dyn ParameterSource<E>) -> Self {
        Self { engine, source, path: String::new() }
    }

    pub fn engine(&self) -> &'a E {
        self.engine
    }

    /// The path with one more part: `at("down").at(0)` is `down.0`.
    pub fn at(&self, part: impl std::fmt::Display) -> Self {
        let path = if self.path.is_empty() { part.to_string() } else { format!("{}.{part}", self.path) };
        Self { path, ..self.clone() }
    }

    /// A trained parameter.
    pub fn trained(&self, name: &str, shape: &[usize], initializer: Initializer) -> Result<E::Tensor, ParameterError> {
        self.get(name, shape, initializer, true)
    }

    /// A saved value that is not trained.
    pub fn fixed(&self, name: &str, shape: &[usize], initializer: Initializer) -> Result<E::Tensor, ParameterError> {
        self.get(name, shape, initializer, false)
    }

    fn get(&self, name: &str, shape: &[usize], initializer: Initializer, trainable: bool) -> Result<E::Tensor, ParameterError> {
        let spec = ParameterSpec { name: self.at(name).path, shape: shape.to_vec(), initializer, trainable };
        self.source.parameter(self.engine, &spec)
    }
}

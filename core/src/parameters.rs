//! How a network gets its parameters.
//!
//! While it is being built, a network asks for each parameter by name, shape and initialiser through a [`VarBuilder`], and a
//! [`ParameterSource`] answers: the trainer's creates or restores parameters, the runtime's reads a safetensors file, the tests'
//! compute them by a rule. So there is one list of parameters, the one in the constructors. Names are those of the public RadioDiff
//! checkpoints, which therefore load (docs/radiodiff.md, "Parameter names").

use crate::engine::{CountingEngine, Engine};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Display;
use thiserror::Error;

/// The values of a parameter before training.
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
    /// Normal with mean 1: the scales of the discriminator's normalisations.
    NormalAroundOne {
        std: f32,
    },
}

impl Initializer {
    pub const ZERO: Self = Self::Constant(0.0);
    pub const ONE: Self = Self::Constant(1.0);

    /// PyTorch's default for the weight and bias of convolutions and linear layers: U(-1/sqrt(fan_in), 1/sqrt(fan_in)).
    pub fn fan_in(fan_in: usize) -> Self {
        Self::Uniform { bound: 1.0 / (fan_in as f32).sqrt() }
    }
}

/// A parameter that a network asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct ParameterSpec {
    /// The full path, `model.downs.0.0.block1.proj.weight`.
    pub name: String,
    pub shape: Vec<usize>,
    pub initializer: Initializer,
    /// False for buffers, which are saved but not trained: running statistics, fixed frequencies, the latent scale.
    pub trainable: bool,
}

/// Why a source cannot give a parameter.
#[derive(Debug, Error, Clone, PartialEq)]
pub enum ParameterError {
    #[error("parameter {name} of shape {expected:?} is missing")]
    Missing { name: String, expected: Vec<usize> },
    #[error("parameter {name}: expected shape {expected:?}, found {found:?}")]
    Shape { name: String, expected: Vec<usize>, found: Vec<usize> },
    #[error("parameter {name}: {reason}")]
    Invalid { name: String, reason: String },
}

/// Gives parameters by name. The same name gives the same values every time.
pub trait ParameterSource<E: Engine> {
    fn parameter(&self, engine: &E, spec: &ParameterSpec) -> Result<E::Tensor, ParameterError>;
}

/// A source, an engine, and the path of the module that is being built.
pub struct VarBuilder<'a, E: Engine> {
    engine: &'a E,
    source: &'a dyn ParameterSource<E>,
    path: String,
}

impl<E: Engine> Clone for VarBuilder<'_, E> {
    fn clone(&self) -> Self {
        Self { engine: self.engine, source: self.source, path: self.path.clone() }
    }
}

impl<'a, E: Engine> VarBuilder<'a, E> {
    /// At the root: the path is empty.
    pub fn new(engine: &'a E, source: &'a dyn ParameterSource<E>) -> Self {
        Self { engine, source, path: String::new() }
    }

    pub fn engine(&self) -> &'a E {
        self.engine
    }

    /// Pushes a part on the path: `pp("down").pp(0)` is `down.0`.
    pub fn pp(&self, part: impl Display) -> Self {
        let path = if self.path.is_empty() { part.to_string() } else { format!("{}.{part}", self.path) };
        Self { path, ..self.clone() }
    }

    /// A trained parameter.
    ///
    /// # Errors
    /// Those of the source.
    pub fn param(&self, name: &str, shape: &[usize], initializer: Initializer) -> Result<E::Tensor, ParameterError> {
        self.get(name, shape, initializer, true)
    }

    /// A value that is saved and not trained.
    ///
    /// # Errors
    /// Those of the source.
    pub fn buffer(&self, name: &str, shape: &[usize], initializer: Initializer) -> Result<E::Tensor, ParameterError> {
        self.get(name, shape, initializer, false)
    }

    fn get(&self, name: &str, shape: &[usize], initializer: Initializer, trainable: bool) -> Result<E::Tensor, ParameterError> {
        let spec = ParameterSpec { name: self.pp(name).path, shape: shape.to_vec(), initializer, trainable };
        self.source.parameter(self.engine, &spec)
    }
}

/// A source for the counting engine that gives any parameter as its shape and remembers it: the parameters of a network, without
/// computing or allocating them.
#[derive(Default)]
pub struct ParameterRecorder(RefCell<BTreeMap<String, ParameterSpec>>);

impl ParameterRecorder {
    /// The parameters asked for since the last call, by name.
    pub fn take(&self) -> BTreeMap<String, ParameterSpec> {
        self.0.take()
    }

    /// As [`Self::take`], shapes only.
    pub fn take_shapes(&self) -> BTreeMap<String, Vec<usize>> {
        self.take().into_iter().map(|(name, spec)| (name, spec.shape)).collect()
    }
}

impl ParameterSource<CountingEngine> for ParameterRecorder {
    fn parameter(&self, _: &CountingEngine, spec: &ParameterSpec) -> Result<Vec<usize>, ParameterError> {
        self.0.borrow_mut().insert(spec.name.clone(), spec.clone());
        Ok(spec.shape.clone())
    }
}

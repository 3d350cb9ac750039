//! Tensors in host memory, and parameters from them.

use crate::engine::Engine;
use crate::parameters::{ParameterError, ParameterSource, ParameterSpec};
use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};

/// A tensor in host memory, row-major.
#[derive(Clone, Debug, PartialEq)]
pub struct HostTensor {
    pub shape: Vec<usize>,
    pub values: Vec<f32>,
}

/// Gives parameters from host tensors and remembers which were asked for.
pub struct HostSource<'a> {
    tensors: &'a HashMap<String, HostTensor>,
    used: RefCell<BTreeSet<String>>,
}

impl<'a> HostSource<'a> {
    pub fn new(tensors: &'a HashMap<String, HostTensor>) -> Self {
        Self { tensors, used: RefCell::default() }
    }

    /// The names of tensors that no network has asked for, sorted.
    pub fn unused(&self) -> Vec<String> {
        let used = self.used.borrow();
        let mut names: Vec<String> = self.tensors.keys().filter(|&name| !used.contains(name)).cloned().collect();
        names.sort();
        names
    }
}

impl<E: Engine> ParameterSource<E> for HostSource<'_> {
    fn parameter(&self, engine: &E, spec: &ParameterSpec) -> Result<E::Tensor, ParameterError> {
        let (name, expected) = (spec.name.clone(), spec.shape.clone());
        let Some(tensor) = self.tensors.get(&spec.name) else {
            return Err(ParameterError::Missing { name, expected });
        };
        if tensor.shape != spec.shape {
            return Err(ParameterError::Shape { name, expected, found: tensor.shape.clone() });
        }
        self.used.borrow_mut().insert(name);
        Ok(engine.tensor(&tensor.values, &tensor.shape))
    }
}

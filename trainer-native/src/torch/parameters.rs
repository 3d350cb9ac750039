//! Parameters for training: made by their initialisers or taken from a weights file, and kept by name so that an optimiser and
//! a checkpoint find them.

use super::engine::{TorchEngine, TorchTensor};
use radiodiff_core::engine::Engine;
use radiodiff_core::parameters::{Initializer, ParameterError, ParameterSource, ParameterSpec};
use radiodiff_core::random::{seed_for, standard_normal, uniform};
use radiodiff_core::weights::HostTensor;
use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use tch::Tensor;

struct Entry {
    tensor: Tensor,
    trainable: bool,
}

/// A network's parameters on a device.
pub struct TorchParameters {
    seed: u64,
    entries: RefCell<BTreeMap<String, Entry>>,
}

impl TorchParameters {
    /// Parameters that begin as their initialisers say. A value depends on the seed, the name and the index only, so a network
    /// begins alike on every machine.
    pub fn initialized(seed: u64) -> Self {
        Self { seed, entries: RefCell::default() }
    }

    /// Overwrites the parameters whose names begin with one of `prefixes`. Each must be in `tensors` with its shape.
    pub fn restore(&self, tensors: &HashMap<String, HostTensor>, prefixes: &[&str]) -> Result<(), ParameterError> {
        let entries = self.entries.borrow();
        for (name, entry) in entries.iter().filter(|(name, _)| prefixes.iter().any(|prefix| name.starts_with(prefix))) {
            let expected: Vec<usize> = entry.tensor.size().iter().map(|&n| n as usize).collect();
            let Some(stored) = tensors.get(name) else {
                return Err(ParameterError::Missing { name: name.clone(), expected });
            };
            if stored.shape != expected {
                return Err(ParameterError::Shape { name: name.clone(), expected, found: stored.shape.clone() });
            }
            let values = Tensor::from_slice(&stored.values).reshape(entry.tensor.size());
            tch::no_grad(|| entry.tensor.shallow_clone().copy_(&values));
        }
        Ok(())
    }

    /// The parameters' shapes.
    pub fn shapes(&self) -> BTreeMap<String, Vec<usize>> {
        let entries = self.entries.borrow();
        entries.iter().map(|(name, entry)| (name.clone(), entry.tensor.size().iter().map(|&n| n as usize).collect())).collect()
    }

    /// The trained parameters whose names begin with one of `prefixes`, in the order of names.
    pub fn trainable(&self, prefixes: &[&str]) -> Vec<(String, Tensor)> {
        self.chosen(prefixes, |entry| entry.trainable)
    }

    /// The saved values that are not trained, under the same prefixes: running statistics, for one.
    pub fn buffers(&self, prefixes: &[&str]) -> Vec<(String, Tensor)> {
        self.chosen(prefixes, |entry| !entry.trainable)
    }

    /// Both.
    pub fn all(&self, prefixes: &[&str]) -> Vec<(String, Tensor)> {
        self.chosen(prefixes, |_| true)
    }

    fn chosen(&self, prefixes: &[&str], wanted: fn(&Entry) -> bool) -> Vec<(String, Tensor)> {
        let entries = self.entries.borrow();
        let chosen = entries.iter().filter(|(name, entry)| wanted(entry) && prefixes.iter().any(|prefix| name.starts_with(prefix)));
        chosen.map(|(name, entry)| (name.clone(), entry.tensor.shallow_clone())).collect()
    }

    /// Every parameter on the host, by name.
    pub fn to_host(&self) -> Result<BTreeMap<String, HostTensor>, tch::TchError> {
        let entries = self.entries.borrow();
        let host = entries.iter().map(|(name, entry)| {
            let shape = entry.tensor.size().iter().map(|&n| n as usize).collect();
            let flat = entry.tensor.detach().to_device(tch::Device::Cpu).contiguous().view(-1);
            Ok((name.clone(), HostTensor { shape, values: Vec::<f32>::try_from(&flat)? }))
        });
        host.collect()
    }

    fn normal(&self, spec: &ParameterSpec, place: impl Fn(f32) -> f32) -> Vec<f32> {
        standard_normal(seed_for(self.seed, &spec.name), 0, spec.shape.iter().product()).into_iter().map(place).collect()
    }

    fn initial_values(&self, spec: &ParameterSpec) -> Vec<f32> {
        let count = spec.shape.iter().product();
        match spec.initializer {
            Initializer::Constant(value) => vec![value; count],
            Initializer::Uniform { bound } => {
                let values = uniform(seed_for(self.seed, &spec.name), 0, count);
                values.into_iter().map(|u| (f64::from(bound) * (2.0 * u - 1.0)) as f32).collect()
            }
            Initializer::Normal { std } => self.normal(spec, |v| std * v),
            Initializer::NormalAroundOne { std } => self.normal(spec, |v| 1.0 + std * v),
        }
    }
}

impl ParameterSource<TorchEngine> for TorchParameters {
    fn parameter(&self, engine: &TorchEngine, spec: &ParameterSpec) -> Result<TorchTensor, ParameterError> {
        if let Some(entry) = self.entries.borrow().get(&spec.name) {
            return Ok(TorchTensor(entry.tensor.shallow_clone()));
        }
        let tensor = engine.tensor(&self.initial_values(spec), &spec.shape).0.set_requires_grad(spec.trainable);
        let entry = Entry { tensor: tensor.shallow_clone(), trainable: spec.trainable };
        self.entries.borrow_mut().insert(spec.name.clone(), entry);
        Ok(TorchTensor(tensor))
    }
}

//! The gradients of every operation, every layer and every loss against finite differences, in float64.
//!
//! [`check`] is the one way this is done: along a random direction of every tensor that a function depends on. What is tried are
//! the suites that every engine must pass: of operations in `operations`, of layers and losses here.

mod operations;

use radiodiff_core::engine::Engine;
use radiodiff_core::model::discriminator::{Discriminator, DiscriminatorPreset, Normalization};
use radiodiff_core::model::lpips::Lpips;
use radiodiff_core::parameters::{ParameterError, ParameterSource, ParameterSpec, VarBuilder};
use radiodiff_tests::layers::{cases, input};
use radiodiff_tests::rule::RuleSource;
use std::cell::RefCell;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;
use tch::{Device, Kind, Tensor};
use trainer::torch::{TorchEngine, TorchParameters, TorchTensor};
use trainer::train::first_stage::gradient_penalty;

fn engine() -> TorchEngine {
    tch::set_num_threads(1);
    TorchEngine::in_double(tch::Device::Cpu)
}

fn by_rule(name: &str, shape: &[usize]) -> Tensor {
    Tensor::from_slice(&input(name, shape)).to_kind(Kind::Double).reshape(shape.iter().map(|&n| n as i64).collect::<Vec<_>>())
}

fn variable(name: &str, shape: &[usize]) -> TorchTensor {
    TorchTensor(by_rule(name, shape).set_requires_grad(true))
}

/// A random mean of a result's elements, so that each counts.
fn mean(x: &Tensor) -> Tensor {
    let shape: Vec<usize> = x.size().iter().map(|&n| n as usize).collect();
    (x * by_rule("weight", &shape)).mean(Kind::Double)
}

/// With the same random numbers every time: libtorch's are the whole process's, and tests run side by side.
fn seeded<T>(f: impl FnOnce() -> T) -> T {
    static RANDOM: Mutex<()> = Mutex::new(());
    let _guard = RANDOM.lock().unwrap_or_else(PoisonError::into_inner);
    tch::manual_seed(7);
    f()
}

/// Compares the slope of `f` along a random direction of each input, by its gradient, with central differences. `f` reads the
/// inputs, which are moved in place, and takes its own gradients, if any, by [`tch::with_grad`]. It depends on every input, but on
/// those of which `vain` holds it need not.
fn check(what: &str, inputs: &[(String, Tensor)], vain: impl Fn(&str) -> bool, f: impl Fn() -> Tensor) {
    const STEP: f64 = 1e-5;
    let f = || seeded(&f);
    let tensors: Vec<&Tensor> = inputs.iter().map(|(_, tensor)| tensor).collect();
    let value = f();
    let size = value.double_value(&[]).abs();
    let gradients = Tensor::run_backward(&[value], &tensors, false, false);
    for ((name, tensor), gradient) in inputs.iter().zip(gradients) {
        assert_eq!(gradient.kind(), Kind::Double, "{what} by {name}");
        let shape: Vec<usize> = tensor.size().iter().map(|&n| n as usize).collect();
        let direction = by_rule("direction", &shape);
        let slopes = gradient * &direction;
        // What the slope would be about if its terms had random signs.
        let typical = slopes.square().sum(Kind::Double).sqrt().double_value(&[]);
        let (mut values, original) = (tensor.detach(), tensor.detach().copy());
        let mut at = |by: f64| {
            values.copy_(&(&original + &direction * by));
            tch::no_grad(f).double_value(&[])
        };
        let differences = (at(STEP) - at(-STEP)) / (2.0 * STEP);
        values.copy_(&original);
        let (slope, rounding) = (slopes.sum(Kind::Double).double_value(&[]), 1e-9 * (1.0 + size));
        let nothing = typical.max(differences.abs()) < rounding && vain(name);
        let same = typical > rounding && (slope - differences).abs() < 1e-6 * typical;
        assert!(nothing || same, "{what} by {name}: gradient {slope:e}, differences {differences:e}, about {typical:e} expected");
    }
}

/// Parameters by rule that remember what was asked for.
#[derive(Default)]
struct Leaves(RefCell<Vec<(String, Tensor)>>);

impl ParameterSource<TorchEngine> for Leaves {
    fn parameter(&self, engine: &TorchEngine, spec: &ParameterSpec) -> Result<TorchTensor, ParameterError> {
        let tensor = RuleSource { seed: 3 }.parameter(engine, spec)?.0.set_requires_grad(spec.trainable);
        if spec.trainable {
            self.0.borrow_mut().push((spec.name.clone(), tensor.shallow_clone()));
        }
        Ok(TorchTensor(tensor))
    }
}

impl Leaves {
    fn below(&self, prefix: &str) -> Vec<(String, Tensor)> {
        let leaves = self.0.borrow();
        leaves.iter().filter(|(name, _)| name.starts_with(prefix)).map(|(name, tensor)| (name.clone(), tensor.shallow_clone())).collect()
    }
}

/// By its input and every parameter; once more in training, where that changes what comes out.
#[test]
fn of_every_layer_and_loss() {
    let (e, leaves) = (engine(), Leaves::default());
    for case in cases(&e, &leaves).unwrap() {
        let x = variable(case.name, &case.shape);
        let run = || (case.run)(&e, &x).0;
        let mut inputs = leaves.below(&format!("{}.", case.name));
        inputs.push(("the input".to_owned(), x.0.shallow_clone()));
        let result = || seeded(|| tch::no_grad(run));
        let resting = result();
        for training in [false, true] {
            e.set_training(training);
            if training && result().equal(&resting) {
                continue;
            }
            let begin = Instant::now();
            // A softmax over keys does not see what is added to all of them, batch statistics not what is added to the batch.
            let vain = |name: &str| name.ends_with("k_lin.bias") || name.ends_with("attn_1.k.bias") || training && name.ends_with(".bias");
            check(&format!("{}, training {training},", case.name), &inputs, vain, || mean(&run()));
            println!("{}, training {training}: {} tensors, {:.2} s", case.name, inputs.len(), begin.elapsed().as_secs_f64());
        }
        e.set_training(false);
    }
}

/// Of a gradient: in every configuration, by all parameters, in training.
#[test]
fn of_the_gradient_penalty() {
    let e = engine();
    e.set_training(true);
    let [x, y] = ["x", "y"].map(|name| by_rule(name, &[2, 1, 16, 16]));
    let share = by_rule("share", &[2, 1, 1, 1]).abs();
    for normalization in [Normalization::Batch, Normalization::ActNorm] {
        for spectral in [false, true] {
            let leaves = Leaves::default();
            let preset = DiscriminatorPreset { channels: 3, layers: 2, normalization, spectral };
            let discriminator = Discriminator::new(&VarBuilder::new(&e, &leaves), &preset).unwrap();
            let updates = tch::no_grad(|| discriminator.updates(&e, Some(&TorchTensor(x.shallow_clone()))));
            assert_eq!(updates.is_empty(), normalization == Normalization::Batch && !spectral);
            tch::no_grad(|| updates.into_iter().for_each(|(stored, next)| stored.0.shallow_clone().copy_(&next.0)));
            // A map's gradient changes with what only shifts features by steps alone, if at all.
            let inputs: Vec<_> =
                leaves.below("").into_iter().filter(|(name, _)| !name.ends_with("bias") && !name.ends_with("loc")).collect();
            let penalty = || tch::with_grad(|| gradient_penalty(&e, &discriminator, &x, &y, &share));
            check(&format!("gradient penalty of {normalization:?}, spectral {spectral},"), &inputs, |_| false, penalty);
        }
    }
}

/// Where its two halves meet: a network of quantiles begins there with all its distances, and must get away.
#[test]
fn of_softplus_at_zero() {
    let x = TorchTensor(Tensor::zeros([3], (Kind::Double, Device::Cpu)).set_requires_grad(true));
    let sum = engine().softplus(&x).0.sum(Kind::Double);
    let gradient = &Tensor::run_backward(&[sum], &[&x.0], false, false)[0];
    assert_eq!(Vec::<f64>::try_from(gradient).unwrap(), [0.5; 3]);
}

/// A flat image whose features are all 0: the public code's gradient is no number there.
#[test]
fn of_a_distance_without_features() {
    let e = engine();
    let parameters = TorchParameters::initialized(1);
    let lpips = Lpips::new(&VarBuilder::new(&e, &parameters)).unwrap();
    for (_, tensor) in parameters.trainable(&["net."]) {
        let _ = tch::no_grad(|| tensor.shallow_clone().zero_());
    }
    let [x, y] = ["x", "y"].map(|name| variable(name, &[1, 1, 16, 16]));
    let distance = lpips.distance(&e, &x, &y, 0.0).0.sum(Kind::Double);
    let gradient = &Tensor::run_backward(&[distance], &[&y.0], false, false)[0];
    assert_eq!(gradient.abs().max().double_value(&[]), 0.0);
}

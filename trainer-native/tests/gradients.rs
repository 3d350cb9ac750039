//! The gradients of every loss and of what judges the first stage against finite differences, in float64.

#![cfg(feature = "torch")]

use radiodiff_core::compat::Compat;
use radiodiff_core::diffusion::{LossOptions, Prediction, training_loss};
use radiodiff_core::engine::Engine;
use radiodiff_core::model::discriminator::{Discriminator, DiscriminatorPreset, Normalization};
use radiodiff_core::model::first_stage_loss::{AdversarialLoss, generator_loss, kl_term, negative_log_likelihood, pixel_error};
use radiodiff_core::model::lpips::Lpips;
use radiodiff_core::weights::{HostTensor, Parameters, ReproducibleSource, reproducible_parameter, reproducible_values};
use tch::{Kind, Tensor};
use trainer::torch::{TorchEngine, TorchParameters, TorchTensor};
use trainer::train::first_stage::gradient_penalty;

/// Elements of a tensor that are tried, spread over it.
const TRIED: i64 = 7;

fn engine() -> TorchEngine {
    tch::set_num_threads(1);
    TorchEngine::in_double(tch::Device::Cpu)
}

fn variable(e: &TorchEngine, name: &str, shape: &[usize]) -> TorchTensor {
    let values: Vec<f32> = reproducible_values(5, name, shape.iter().product()).map(|u| u as f32).collect();
    TorchTensor(e.tensor(&values, shape).0.set_requires_grad(true))
}

fn sum(x: &TorchTensor) -> Tensor {
    x.0.sum(None::<Kind>)
}

/// Compares the gradients of `f`, one element, with central differences. `f` reads `inputs`, which are moved in place.
fn check(what: &str, inputs: &[(String, Tensor)], f: impl Fn() -> Tensor) {
    const STEP: f64 = 1e-6;
    let tensors: Vec<&Tensor> = inputs.iter().map(|(_, tensor)| tensor).collect();
    let gradients = Tensor::run_backward(&[f()], &tensors, false, false);
    for ((name, input), gradient) in inputs.iter().zip(gradients) {
        assert_eq!(gradient.kind(), Kind::Double, "{what} by {name}");
        let (values, gradient) = (input.detach().view(-1), gradient.reshape(-1));
        let scale = gradient.abs().max().double_value(&[]);
        assert!(scale > 0.0 && scale.is_finite(), "{what} by {name}: the gradient is {scale} at most");
        let count = values.size()[0];
        for i in (0..count).step_by((count / TRIED).max(1) as usize) {
            let moved = |by: f64| {
                let _ = values.narrow(0, i, 1).g_add_scalar_(by);
            };
            let at = || f().double_value(&[]);
            moved(STEP);
            let above = at();
            moved(-2.0 * STEP);
            let below = at();
            moved(STEP);
            let (found, expected) = (gradient.double_value(&[i]), (above - below) / (2.0 * STEP));
            assert!((found - expected).abs() < 1e-5 * scale, "{what} by {name} at {i}: gradient {found}, differences {expected}");
        }
    }
}

fn named<const N: usize>(inputs: [(&str, &TorchTensor); N]) -> Vec<(String, Tensor)> {
    inputs.into_iter().map(|(name, tensor)| (name.to_owned(), tensor.0.shallow_clone())).collect()
}

#[test]
fn of_the_first_stages_losses() {
    let e = engine();
    let shape = [2, 1, 4, 5];
    let [x, y, weights] = ["x", "y", "weights"].map(|name| variable(&e, name, &shape));
    let (s, kl) = (variable(&e, "s", &[]), variable(&e, "kl", &[1, 1, 1, 1]));
    for compat in [Compat::Corrected, Compat::Upstream] {
        let inputs = named([("truth", &x), ("drawn", &y), ("log-variance", &s), ("weights", &weights), ("kl", &kl)]);
        check(&format!("{compat:?} likelihood and KL"), &inputs, || {
            let likelihood = negative_log_likelihood(&e, compat, &pixel_error(&e, &x, &y), &s, Some(&weights));
            sum(&e.add(&likelihood, &kl_term(&e, compat, &kl, 0.3, &shape)))
        });
    }
    let (real, fake) = (e.affine(&x, 3.0, 0.0), e.affine(&y, 3.0, 0.0));
    let [real, fake] = [real, fake].map(|logits| TorchTensor(logits.0.detach().set_requires_grad(true)));
    for loss in [AdversarialLoss::Hinge, AdversarialLoss::Vanilla] {
        let inputs = named([("real", &real), ("drawn", &fake)]);
        check(&format!("{loss:?}"), &inputs, || sum(&loss.of_discriminator(&e, &real, &fake)));
    }
    check("generator", &named([("drawn", &fake)]), || sum(&generator_loss(&e, &fake)));
}

#[test]
fn of_the_diffusion_loss() {
    let e = engine();
    let shape = [2, 3, 4, 4];
    let [drift, noise, x0, epsilon] = ["drift", "noise", "x0", "epsilon"].map(|name| variable(&e, name, &shape));
    let all = LossOptions::default();
    for options in [all, LossOptions { l1: false, ..all }, LossOptions { l2: false, ..all }, LossOptions { weighted: false, ..all }] {
        check(&format!("{options:?}"), &named([("C", &drift), ("epsilon", &noise)]), || {
            let prediction = Prediction { drift: drift.clone(), noise: noise.clone() };
            sum(&training_loss(&e, &prediction, &x0, &epsilon, &[0.3, 0.9], options))
        });
    }
}

/// In every configuration, by the map and by all parameters, in training.
#[test]
fn of_the_discriminator_and_its_penalty() {
    let e = engine();
    e.set_training(true);
    let [x, y] = ["x", "y"].map(|name| variable(&e, name, &[2, 1, 16, 16]));
    let share = variable(&e, "share", &[2, 1, 1, 1]).0.detach().abs();
    for normalization in [Normalization::Batch, Normalization::ActNorm] {
        for spectral in [false, true] {
            let preset = DiscriminatorPreset { channels: 3, layers: 2, normalization, spectral };
            let parameters = TorchParameters::initialized(1);
            let discriminator = Discriminator::new(&Parameters::new(&e, &parameters), &preset).unwrap();
            let by_rule = parameters.to_host().unwrap().into_iter().map(|(name, tensor)| {
                let values = reproducible_parameter(1, &name, &tensor.shape);
                (name, HostTensor { values, ..tensor })
            });
            parameters.restore(&by_rule.collect(), &[""]).unwrap();
            let updates = tch::no_grad(|| discriminator.updates(&e, Some(&x)));
            assert_eq!(updates.is_empty(), normalization == Normalization::Batch && !spectral);
            tch::no_grad(|| updates.into_iter().for_each(|(stored, next)| stored.0.shallow_clone().copy_(&next.0)));
            let inputs = parameters.trainable(&[""]);
            let what = format!("{normalization:?}, spectral {spectral}");
            // A map's gradient changes with what only shifts features by steps alone, if at all.
            let shifts = |name: &str| name.ends_with("bias") || name.ends_with("loc");
            let (shifting, others): (Vec<_>, Vec<_>) = inputs.into_iter().partition(|(name, _)| shifts(name));
            let penalty = || gradient_penalty(&e, &discriminator, &x.0, &y.0, &share);
            check(&format!("gradient penalty of {what}"), &others, penalty);
            let judged =
                || sum(&AdversarialLoss::Vanilla.of_discriminator(&e, &discriminator.forward(&e, &x), &discriminator.forward(&e, &y)));
            let all: Vec<_> = shifting.into_iter().chain(others).chain(named([("real", &x), ("drawn", &y)])).collect();
            check(&format!("discriminator of {what}"), &all, judged);
        }
    }
}

#[test]
fn of_the_perceptual_distance() {
    let e = engine();
    let lpips = Lpips::new(&Parameters::new(&e, &ReproducibleSource { seed: 1 })).unwrap();
    let [x, y] = ["x", "y"].map(|name| variable(&e, name, &[1, 1, 16, 16]));
    check("LPIPS", &named([("drawn", &y)]), || sum(&lpips.distance(&e, &x, &y, 0.0)));
}

/// A flat image whose features are all 0: the public code's gradient is no number there.
#[test]
fn of_a_distance_without_features() {
    let e = engine();
    let parameters = TorchParameters::initialized(1);
    let lpips = Lpips::new(&Parameters::new(&e, &parameters)).unwrap();
    for (_, tensor) in parameters.trainable(&["net."]) {
        let _ = tch::no_grad(|| tensor.shallow_clone().zero_());
    }
    let [x, y] = ["x", "y"].map(|name| variable(&e, name, &[1, 1, 16, 16]));
    let distance = sum(&lpips.distance(&e, &x, &y, 0.0));
    let gradient = &Tensor::run_backward(&[distance], &[&y.0], false, false)[0];
    assert_eq!(gradient.abs().max().double_value(&[]), 0.0);
}

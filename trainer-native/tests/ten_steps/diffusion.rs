//! The small denoiser in training (batch statistics, both decoders, relation layers) and the map its one step draws, with the
//! trainer's own losses. Dropout is off, here and there: two programs draw other masks.
//!
//! The goldens are float64's. A bias before a batch normalisation has no gradient; in float32 it has rounding, which Adam makes a
//! whole step of. The loss does not see it, but running means do: they are compared in float64.

use super::{BUILDING_WEIGHT, SEED, STEPS, assert_close, by_rule, compat, fill, goldens, outdoors, schedule};
use radiodiff_core::diffusion::{LossOptions, RadioDiff};
use radiodiff_core::parameters::VarBuilder;
use radiodiff_tests::rule::rule_values;
use radiodiff_tests::small;
use serde::Deserialize;
use std::collections::BTreeMap;
use tch::{Device, Kind, Tensor};
use trainer::data::Batch;
use trainer::parallel::ProcessGroup;
use trainer::torch::{AdamW, Gradients, TorchEngine, TorchParameters};
use trainer::train::diffusion::{DenoiseInputs, PIXEL_PREFIXES, PixelLoss, denoise};
use trainer::train::pixel_weights;

const LATENTS: [usize; 4] = [2, 3, 10, 10];
const LATENT_WEIGHT: f64 = 0.1;

#[derive(Deserialize)]
pub struct ExpectedSteps {
    losses: Vec<f64>,
    /// Batch normalisations' running statistics after the last step, by name.
    running: BTreeMap<String, Vec<f64>>,
    /// The first step's gradients: norm, and product with the rule's values `direction.{name}`. None in some cases.
    gradients: BTreeMap<String, [f64; 2]>,
}

/// The public name: without the network's place among the others.
fn public(name: &str) -> &str {
    name.strip_prefix("model.").or_else(|| name.strip_prefix("first_stage_model.")).unwrap_or(name)
}

fn draws(e: &TorchEngine, step: usize, pixel: bool) -> (Batch, Tensor, Tensor, Vec<f32>) {
    let draw = |name: &str, scale: f64, shape: &[usize]| by_rule(e, &format!("{name}.{step}"), scale, shape);
    let maps = [2, 1, 40, 40];
    let batch = Batch {
        samples: Vec::new(),
        condition: draw("condition", 1.0, &[2, 2, 40, 40]),
        truth: draw("map", 1.0, &maps),
        outdoors: outdoors(e, step, &maps),
    };
    let (x0, noise) = (draw("latent", 3f64.sqrt(), &LATENTS) * 0.3, draw("epsilon", 3f64.sqrt(), &LATENTS));
    let time = |u: f64| if pixel { 1.0 } else { ((u + 1.0) / 2.0) as f32 * (1.0 - 1e-4) + 1e-4 };
    (batch, x0, noise, rule_values(SEED, &format!("time.{step}"), 2).map(time).collect())
}

/// `null`: what counts as 0 but for rounding, as a share of the whole gradient's norm.
fn assert_gradients(
    what: &str,
    trained: &[(String, Tensor)],
    gradients: &Gradients,
    expected: &BTreeMap<String, [f64; 2]>,
    null: f64,
    allowed: f64,
) {
    let whole = expected.values().map(|[norm, _]| norm * norm).sum::<f64>().sqrt();
    let mut compared = 0;
    for ((name, _), gradient) in trained.iter().zip(gradients.tensors()).filter(|(_, gradient)| gradient.defined()) {
        let name = public(name);
        let direction: Vec<f64> = rule_values(SEED, &format!("direction.{name}"), gradient.numel()).collect();
        let along = (gradient.view(-1) * Tensor::from_slice(&direction)).sum(Kind::Double).double_value(&[]);
        let [norm, product] = expected[name];
        let off = (gradient.norm().double_value(&[]) - norm).abs().max((along - product).abs()) / (norm + null * whole);
        assert!(off < allowed, "{what}: the gradient by {name} is {off:.1e} off");
        compared += 1;
    }
    assert_eq!(compared, expected.len(), "{what}: gradients");
}

fn learns_as_in_pytorch(e: &TorchEngine, exact: bool) {
    e.set_training(true);
    for (case, expected) in goldens().diffusion {
        let (compat, pixel) = (compat(&case), case.contains("pixel"));
        let options = LossOptions { l1: !case.contains("without l1"), ..LossOptions::default() };
        let parameters = TorchParameters::initialized(SEED);
        let model = RadioDiff::new(&small::preset(), &VarBuilder::new(e, &parameters)).expect("the small preset works");
        for prefix in ["model.", "first_stage_model."] {
            fill(&parameters, prefix, prefix);
        }
        let trained = parameters.trainable(if pixel { PIXEL_PREFIXES } else { &["model."] });
        let mut optimizer = AdamW::new(&trained, 1e-4, compat);
        let mut losses = Vec::new();
        for step in 0..STEPS {
            let (batch, x0, noise, times) = draws(e, step, pixel);
            let inputs = DenoiseInputs { batch: &batch, x0: &x0, noise: &noise, times: &times };
            let loss = match pixel {
                true => {
                    let pixel_weights = &pixel_weights(&batch, BUILDING_WEIGHT, &ProcessGroup::alone()).expect("a process alone");
                    PixelLoss { latent: options, latent_weight: LATENT_WEIGHT, pixel_weights, squared: false }.of(e, &model, &inputs)
                }
                false => denoise(e, &model, &inputs, options).loss,
            };
            let mut gradients = Gradients::of(&loss, &trained);
            if step == 0 && !expected.gradients.is_empty() {
                let (null, allowed) = if exact { (1e-9, 1e-5) } else { (1e-4, 1e-4) };
                assert_gradients(&case, &trained, &gradients, &expected.gradients, null, allowed);
            }
            gradients.clip(1.0);
            optimizer.step(schedule(compat, 0.96).rate(step), &gradients);
            losses.push(loss.double_value(&[]));
        }
        assert_close(&format!("diffusion, {case}"), &losses, &expected.losses);
        let all = parameters.all(&["model."]);
        let running: Vec<_> = all.iter().filter(|(name, _)| name.contains(".running_")).collect();
        assert_eq!(running.len(), expected.running.len(), "{case}: running statistics");
        for (name, found) in running.into_iter().filter(|_| exact) {
            let expected = Tensor::from_slice(&expected.running[public(name)]);
            let off = ((found - &expected).norm() / expected.norm()).double_value(&[]);
            assert!(off < 1e-6, "{case}: {name} is {off:.1e} off");
        }
    }
}

#[test]
fn the_denoiser_and_the_map_it_draws_learn_as_in_pytorch() {
    tch::set_num_threads(1);
    learns_as_in_pytorch(&TorchEngine::new(Device::Cpu).without_dropout(), false);
}

#[test]
fn in_double_precision_gradients_and_running_statistics_are_pytorchs() {
    tch::set_num_threads(1);
    learns_as_in_pytorch(&TorchEngine::in_double(Device::Cpu).without_dropout(), true);
}

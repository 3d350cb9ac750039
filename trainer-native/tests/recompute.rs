//! Gradient checkpointing changes nothing but memory and time.

// Clippy allows unwrap in #[test] functions only; the helpers here are as much tests.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Workshop, strs, succeeds};
use radiodiff_core::engine::{Engine, Unary};
use radiodiff_core::weights::Checkpoint;
use std::cell::Cell;
use std::fs;
use std::rc::Rc;
use tch::{Device, Kind, Tensor};
use trainer::torch::{TorchEngine, TorchTensor};

/// Of an adversary that takes gradients through the decoder twice a step.
const ADVERSARY: &str = r#"
[autoencoder.loss.adversary]
weight = 0.5
phase = { start = 1, factor = 1.0 }
discriminator = { channels = 4, layers = 1, normalization = "actnorm", spectral = true }
"#;

/// Both stages of a network with attention of each kind, dropout, stochastic depth and batch normalisation.
#[test]
fn training_with_recomputed_blocks_has_the_same_losses_and_weights_to_the_bit() {
    let shop = Workshop::new(&[3, 4]);
    fs::write(shop.path("config.toml"), shop.read("config.toml") + ADVERSARY).unwrap();
    let steps = ["autoencoder.steps=3", "diffusion.steps=3", "diffusion.pixel.steps=2"];
    let outcome = |run: &str, more: &str| {
        succeeds(&strs(&shop.train("all", run, &[steps.as_slice(), &[more]].concat())));
        ["autoencoder", "diffusion"].map(|network| {
            let weights = fs::read(shop.path(&format!("{run}/{network}.safetensors"))).unwrap();
            (shop.read(&format!("{run}/{network}/metrics.jsonl")), Checkpoint::parse(&weights).unwrap().tensors().clone())
        })
    };
    let [kept, recomputed] = [("kept", "gradient_checkpointing=false"), ("recomputed", "gradient_checkpointing=true")];
    let (kept, recomputed) = (outcome(kept.0, kept.1), outcome(recomputed.0, recomputed.1));
    for (kept, recomputed) in kept.iter().zip(&recomputed) {
        assert_eq!(kept.0, recomputed.0);
        assert!(kept.1 == recomputed.1, "the weights differ");
    }
}

/// Operations that keep inputs, results, masks and, where they are the trainer's own, more.
fn block(e: &TorchEngine, [x, weight]: [&TorchTensor; 2]) -> TorchTensor {
    e.dropout(&e.unary(Unary::Exp, &e.group_norm_silu(x, 2, weight, weight, 1e-5)), 0.5)
}

#[test]
fn a_block_is_computed_again_for_gradients_that_are_the_same() {
    let options = (Kind::Float, Device::Cpu);
    let variable = |shape: &[i64]| {
        let count = shape.iter().product::<i64>();
        TorchTensor((Tensor::arange(count, options).reshape(shape) / count as f64).set_requires_grad(true))
    };
    let (x, weight) = (variable(&[2, 4, 3, 5]), variable(&[4]));
    let gradients = |loss: &Tensor, keep| Tensor::run_backward(&[loss], &[&x.0, &weight.0], keep, false);
    let loss = |e: &TorchEngine, calls: &Rc<Cell<usize>>| {
        let calls = Rc::clone(calls);
        tch::manual_seed(5);
        e.set_training(true);
        let result = e.recomputable([&x, &weight], move |e, inputs| {
            calls.set(calls.get() + 1);
            block(e, inputs)
        });
        (result.0 * &x.0).sum(Kind::Float)
    };
    let calls = Rc::default();
    let kept = loss(&TorchEngine::new(Device::Cpu), &calls);
    let (expected, next_random) = (gradients(&kept, true), Tensor::rand([4], options));
    assert_eq!(calls.get(), 1);

    let calls = Rc::default();
    let recomputed = loss(&TorchEngine::new(Device::Cpu).recomputing(true), &calls);
    assert_eq!((calls.get(), &recomputed), (1, &kept));
    // The second time, what was taken is computed once more.
    for (keep, called) in [(true, 2), (false, 3)] {
        assert_eq!((gradients(&recomputed, keep), calls.get()), (expected.iter().map(Tensor::shallow_clone).collect(), called));
    }
    assert_eq!(Tensor::rand([4], options), next_random, "the generator goes on where the first computing left it");
    assert_eq!(Rc::strong_count(&calls), 1, "what the block holds is freed with the graph");
}

//! The libtorch engine computes what every engine must, and draws the maps the runtime draws.

#![cfg(feature = "torch")]

use pollster::block_on;
use radiodiff_core::engine::{Engine, conformance};
use radiodiff_core::model::conformance as layers;
use radiodiff_tests::Case;
use radiodiff_web::cpu::CpuEngine;
use tch::{Kind, Tensor};
use trainer::torch::{TorchEngine, TorchTensor};

#[test]
fn every_operation_is_right() {
    let failures = block_on(conformance::check(&TorchEngine::new(tch::Device::Cpu), 1e-5));
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn every_layer_is_the_runtimes() {
    let torch = TorchEngine::new(tch::Device::Cpu);
    let failures = tch::no_grad(|| block_on(layers::check(&torch, &CpuEngine::new(), 2e-5)).unwrap());
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// Along a direction of the input, the gradient is what finite differences in float64 say.
#[test]
fn every_layer_has_its_gradient() {
    const STEP: f64 = 1e-5;
    let torch = TorchEngine::in_double(tch::Device::Cpu);
    for case in layers::cases(&torch).unwrap() {
        let x = torch.tensor(&layers::input(case.name, &case.shape), &case.shape).0.set_requires_grad(true);
        let value = |x: &Tensor| {
            let y = (case.run)(&torch, &TorchTensor(x.shallow_clone())).0.flatten(0, -1);
            let weight = layers::input("weight", &[y.numel()]);
            (y * torch.tensor(&weight, &[weight.len()]).0).sum(Kind::Double)
        };
        value(&x).backward();
        let direction = torch.tensor(&layers::input("direction", &case.shape), &case.shape).0;
        let slope = (x.grad() * &direction).sum(Kind::Double).double_value(&[]);
        let at = |step: f64| tch::no_grad(|| value(&(&x + &direction * step)).double_value(&[]));
        let expected = (at(STEP) - at(-STEP)) / (2.0 * STEP);
        let error = (slope - expected).abs() / expected.abs().max(1e-3);
        println!("{}: slope {slope}, {error:.1e} off", case.name);
        assert!(error < 1e-5, "{}: the gradient's slope is {slope}, differences say {expected}", case.name);
    }
}

#[test]
fn maps_are_those_of_the_runtime() {
    let (torch, runtime) = (TorchEngine::new(tch::Device::Cpu), CpuEngine::new());
    for case in Case::all() {
        let expected = block_on(case.draw(&runtime)).unwrap();
        let found = tch::no_grad(|| block_on(case.draw(&torch)).unwrap());
        let difference = case.difference(&found, &expected);
        println!("{}: {difference:?}", case.name);
        let same = difference.within_1_db >= 0.999 && difference.latent <= 1e-5 && difference.gray <= 1e-5;
        assert!(same, "{} is not the runtime's: {difference:?}", case.name);
    }
}

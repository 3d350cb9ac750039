//! What the libtorch engine drops in training, how much of it, and that it drops nothing otherwise.

use radiodiff_core::diffusion::Denoiser;
use radiodiff_core::engine::Engine;
use radiodiff_core::parameters::VarBuilder;
use radiodiff_core::random::standard_normal;
use radiodiff_tests::rule::RuleSource;
use radiodiff_tests::small;
use tch::{Device, Kind, Tensor};
use trainer::torch::{TorchEngine, TorchTensor};

const P: f64 = 0.3;

fn training() -> TorchEngine {
    // More wait for each other for seconds on a busy machine.
    tch::set_num_threads(1);
    let e = TorchEngine::new(Device::Cpu);
    e.set_training(true);
    e
}

/// Values that are never 0.
fn values(samples: i64, each: i64) -> TorchTensor {
    TorchTensor(Tensor::rand([samples, each, 1, 1], (Kind::Float, Device::Cpu)) + 0.5)
}

/// The factor each element was multiplied by: 0, or 1/(1-p) where it was kept. Asserts that it is one of the two.
fn factors(x: &TorchTensor, y: &TorchTensor) -> Tensor {
    let factors = &y.0 / &x.0;
    let kept = (&factors - 1.0 / (1.0 - P)).abs().lt(1e-5);
    assert!(
        bool::try_from(factors.eq(0.0).logical_or(&kept).all()).expect("it is a truth value"),
        "some factor is neither 0 nor 1 / (1 - p)"
    );
    kept.to_kind(Kind::Double)
}

/// 100,000 draws: a share within six standard deviations.
fn assert_share(kept: &Tensor) {
    let deviation = (P * (1.0 - P) / kept.numel() as f64).sqrt();
    let share = kept.mean(Kind::Double).double_value(&[]);
    assert!((share - (1.0 - P)).abs() < 6.0 * deviation, "{share} of {} were kept", kept.numel());
}

#[test]
fn dropout_drops_elements() {
    let (e, x) = (training(), values(100, 1000));
    let kept = factors(&x, &e.dropout(&x, P));
    assert_share(&kept);
    // Of whole samples all would be kept, or none.
    let of_sample = kept.view([100, 1000]).mean_dim(1i64, false, Kind::Double);
    assert!(of_sample.min().double_value(&[]) > 0.5 && of_sample.max().double_value(&[]) < 0.9);
}

#[test]
fn stochastic_depth_drops_samples() {
    let (e, x) = (training(), values(100_000, 5));
    let kept = factors(&x, &e.stochastic_depth(&x, P)).view([100_000, 5]);
    assert_share(&kept.select(1, 0));
    assert_eq!(kept, kept.select(1, 0).unsqueeze(1).expand_as(&kept), "a sample is dropped as a whole");
}

#[test]
fn nothing_is_dropped_otherwise() {
    let x = values(50, 20);
    let inferring = TorchEngine::new(Device::Cpu);
    for e in [inferring, training().without_dropout()] {
        assert_eq!(e.dropout(&x, P).0, x.0);
        assert_eq!(e.stochastic_depth(&x, P).0, x.0);
    }
    let e = training();
    assert_eq!(e.dropout(&x, 0.0).0, x.0);
    assert_eq!(e.stochastic_depth(&x, 0.0).0, x.0);
}

/// The small network has no stochastic depth: what differs from pass to pass is the relation layers' dropout.
#[test]
fn relation_layers_drop_in_training() {
    let differs = |e: &TorchEngine| {
        let preset = small::preset();
        let denoiser = Denoiser::new(&VarBuilder::new(e, &RuleSource { seed: 1 }), &preset).expect("the rule has every parameter");
        let draw = |stream, shape: &[usize]| e.tensor(&standard_normal(1, stream, shape.iter().product()), shape);
        let condition = denoiser.encode_condition(e, &draw(0, &[2, 2, 40, 40]));
        let x_t = draw(1, &[2, 3, 10, 10]);
        let [a, b] = [0, 1].map(|_| denoiser.predict(e, &x_t, &[0.5, 0.5], &condition).drift.0);
        a != b
    };
    tch::no_grad(|| {
        assert!(differs(&training()));
        assert!(!differs(&training().without_dropout()));
        assert!(!differs(&TorchEngine::new(Device::Cpu)));
    });
}

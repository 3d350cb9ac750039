//! The operations that the libtorch engine computes in its own way on the CPU are libtorch's in float64, and so are their gradients.

use radiodiff_core::engine::{ConvGeometry, Engine};
use radiodiff_core::random::standard_normal;
use tch::{Device, Kind, Tensor};
use trainer::torch::{TorchEngine, TorchTensor};

/// Normal values whose mean is not 0, in float64.
fn normal(seed: u64, shape: &[i64]) -> Tensor {
    let values = standard_normal(seed, 0, shape.iter().product::<i64>() as usize);
    (Tensor::from_slice(&values) * 1.5 + 0.7).to_kind(Kind::Double).reshape(shape)
}

/// The result and the gradients by all inputs of a random mean of it, in float64.
fn results(e: &TorchEngine, kind: Kind, shapes: &[&[i64]], f: &dyn Fn(&TorchEngine, &[TorchTensor]) -> TorchTensor) -> Vec<Tensor> {
    let input = |(i, shape): (usize, &&[i64])| TorchTensor(normal(i as u64, shape).to_kind(kind).set_requires_grad(true));
    let inputs: Vec<TorchTensor> = shapes.iter().enumerate().map(input).collect();
    let output = f(e, &inputs).0;
    let loss = (&output * normal(99, &output.size()).to_kind(kind)).mean(kind);
    let by: Vec<&Tensor> = inputs.iter().map(|input| &input.0).collect();
    let mut results = Tensor::run_backward(&[&loss], &by, true, false);
    // A kept graph gives the same again.
    for (once, again) in results.iter().zip(Tensor::run_backward(&[&loss], &by, false, false)) {
        assert_eq!(once, &again);
    }
    results.push(output.detach());
    results.iter().map(|result| result.to_kind(Kind::Double)).collect()
}

fn assert_same(what: &str, shapes: &[&[i64]], f: &dyn Fn(&TorchEngine, &[TorchTensor]) -> TorchTensor) {
    let found = results(&TorchEngine::new(Device::Cpu), Kind::Float, shapes, f);
    let expected = results(&TorchEngine::in_double(Device::Cpu), Kind::Double, shapes, f);
    for (i, (found, expected)) in found.iter().zip(&expected).enumerate() {
        assert_eq!(found.size(), expected.size(), "{what}, {i}");
        let largest = expected.abs().max().double_value(&[]);
        let difference = (found - expected).abs().max().double_value(&[]) / largest;
        assert!(difference < 2e-5, "{what}: result {i} of {shapes:?} is {difference:e} of the largest value off");
    }
}

/// Images within a chunk and beyond one, with channels that fill vectors and that do not.
const IMAGES: [[i64; 4]; 4] = [[2, 12, 5, 7], [2, 8, 65, 80], [1, 24, 16, 16], [3, 40, 3, 200]];

#[test]
fn group_normalisation() {
    for shape in IMAGES {
        let channel: &[i64] = &[shape[1]];
        assert_same("norm", &[&shape, channel, channel], &|e, x| e.group_norm(&x[0], 4, &x[1], &x[2], 1e-5));
        assert_same("norm and SiLU", &[&shape, channel, channel], &|e, x| e.group_norm_silu(&x[0], 4, &x[1], &x[2], 1e-6));
        let film: &[i64] = &[shape[0], 2 * shape[1]];
        assert_same("modulated norm", &[&shape, channel, channel, film], &|e, x| {
            e.group_norm_film_silu(&x[0], 2, [&x[1], &x[2]], 1e-5, &x[3])
        });
    }
}

#[test]
fn linear_attention() {
    for (heads, channels) in [(4, 8), (1, 16), (2, 32), (3, 4)] {
        let shape = [2, 3 * heads as i64 * channels, 9, 6];
        assert_same("linear attention", &[&shape], &|e, x| e.linear_attention(&x[0], heads));
    }
}

#[test]
fn convolutions() {
    for (input, output, kernel) in [(8, 24, 1), (1, 8, 3), (8, 1, 3), (12, 5, 3), (1, 1, 1)] {
        let shapes: [&[i64]; 3] = [&[2, input, 10, 12], &[output, input, kernel as i64, kernel as i64], &[output]];
        assert_same("convolution", &shapes, &|e, x| e.conv2d(&x[0], &x[1], Some(&x[2]), ConvGeometry::same(kernel)));
    }
}

#[test]
fn not_a_number_stays_and_a_second_derivative_is_refused() {
    let e = TorchEngine::new(Device::Cpu);
    let x = normal(1, &[1, 8, 6, 6]).to_kind(Kind::Float).set_requires_grad(true);
    let ones = TorchTensor(Tensor::ones([8], (Kind::Float, Device::Cpu)));
    let norm = |x: &Tensor| e.group_norm_silu(&TorchTensor(x.shallow_clone()), 4, &ones, &ones, 1e-5).0;
    let poisoned = norm(&x.detach().index_fill(3, &Tensor::from_slice(&[2i64]), f64::NAN));
    assert_eq!(poisoned.isnan().all().int64_value(&[]), 1);
    let loss = norm(&x).square().mean(Kind::Float);
    let panic = std::panic::catch_unwind(|| Tensor::run_backward(&[&loss], &[&x], true, true)).unwrap_err();
    let message = panic.downcast_ref::<String>().map(String::as_str).unwrap_or_default();
    assert!(message.contains("no second derivative"), "{message}");
}

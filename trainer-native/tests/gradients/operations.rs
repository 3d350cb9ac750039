//! Every operation's gradient by every input, in the very cases of the operations' suite.

use super::{check, engine, mean, seeded, variable};
use radiodiff_core::engine::{BatchNormState, Binary, ConvGeometry, Engine, EngineError, Padding, Unary, conformance};
use tch::Tensor;
use trainer::torch::{TorchEngine, TorchTensor};

/// libtorch's engine, which holds each operation's gradient against finite differences before it gives the result.
struct Differentiated(TorchEngine);

impl Differentiated {
    fn of(&self, operation: &str, inputs: &[&TorchTensor], f: impl Fn(&[TorchTensor]) -> TorchTensor) -> TorchTensor {
        let leaves: Vec<TorchTensor> = inputs.iter().map(|x| TorchTensor(x.0.detach().copy().set_requires_grad(true))).collect();
        let named: Vec<(String, Tensor)> = leaves.iter().enumerate().map(|(i, x)| (format!("input {i}"), x.0.shallow_clone())).collect();
        check(
            &format!("{operation} of {:?}", inputs.iter().map(|x| x.0.size()).collect::<Vec<_>>()),
            &named,
            |_| false,
            || mean(&f(&leaves).0),
        );
        TorchTensor(seeded(|| f(&leaves)).0.detach())
    }
}

fn with<'a>(x: &'a TorchTensor, weight: &'a TorchTensor, bias: Option<&'a TorchTensor>) -> Vec<&'a TorchTensor> {
    [x, weight].into_iter().chain(bias).collect()
}

impl Engine for Differentiated {
    type Tensor = TorchTensor;

    fn tensor(&self, values: &[f32], shape: &[usize]) -> TorchTensor {
        self.0.tensor(values, shape)
    }
    async fn read(&self, x: &TorchTensor) -> Result<Vec<f32>, EngineError> {
        self.0.read(x).await
    }
    fn shape(&self, x: &TorchTensor) -> Vec<usize> {
        self.0.shape(x)
    }

    fn unary(&self, op: Unary, x: &TorchTensor) -> TorchTensor {
        self.of(&format!("{op:?}"), &[x], |i| self.0.unary(op, &i[0]))
    }
    fn binary(&self, op: Binary, a: &TorchTensor, b: &TorchTensor) -> TorchTensor {
        self.of(&format!("{op:?}"), &[a, b], |i| self.0.binary(op, &i[0], &i[1]))
    }
    fn affine(&self, x: &TorchTensor, scale: f32, shift: f32) -> TorchTensor {
        self.of("affine", &[x], |i| self.0.affine(&i[0], scale, shift))
    }
    fn clamp(&self, x: &TorchTensor, min: f32, max: f32) -> TorchTensor {
        self.of("clamp", &[x], |i| self.0.clamp(&i[0], min, max))
    }

    fn softplus(&self, x: &TorchTensor) -> TorchTensor {
        self.of("softplus", &[x], |i| self.0.softplus(&i[0]))
    }

    fn reshape(&self, x: &TorchTensor, shape: &[usize]) -> TorchTensor {
        self.of("reshape", &[x], |i| self.0.reshape(&i[0], shape))
    }
    fn permute(&self, x: &TorchTensor, order: &[usize]) -> TorchTensor {
        self.of("permute", &[x], |i| self.0.permute(&i[0], order))
    }
    fn concat(&self, parts: &[&TorchTensor], dim: usize) -> TorchTensor {
        self.of("concat", parts, |i| self.0.concat(&i.iter().collect::<Vec<_>>(), dim))
    }
    fn narrow(&self, x: &TorchTensor, dim: usize, start: usize, len: usize) -> TorchTensor {
        self.of("narrow", &[x], |i| self.0.narrow(&i[0], dim, start, len))
    }
    fn gather_rows(&self, x: &TorchTensor, rows: &[usize]) -> TorchTensor {
        self.of("gather_rows", &[x], |i| self.0.gather_rows(&i[0], rows))
    }
    fn pad(&self, x: &TorchTensor, padding: Padding) -> TorchTensor {
        self.of("pad", &[x], |i| self.0.pad(&i[0], padding))
    }

    fn matmul(&self, a: &TorchTensor, b: &TorchTensor) -> TorchTensor {
        self.of("matmul", &[a, b], |i| self.0.matmul(&i[0], &i[1]))
    }
    fn conv2d(&self, x: &TorchTensor, weight: &TorchTensor, bias: Option<&TorchTensor>, geometry: ConvGeometry) -> TorchTensor {
        self.of("conv2d", &with(x, weight, bias), |i| self.0.conv2d(&i[0], &i[1], i.get(2), geometry))
    }
    fn linear(&self, x: &TorchTensor, weight: &TorchTensor, bias: Option<&TorchTensor>) -> TorchTensor {
        self.of("linear", &with(x, weight, bias), |i| self.0.linear(&i[0], &i[1], i.get(2)))
    }

    fn group_norm(&self, x: &TorchTensor, groups: usize, weight: &TorchTensor, bias: &TorchTensor, epsilon: f32) -> TorchTensor {
        self.of("group_norm", &[x, weight, bias], |i| self.0.group_norm(&i[0], groups, &i[1], &i[2], epsilon))
    }
    fn normalize_last(&self, x: &TorchTensor, epsilon: f32) -> TorchTensor {
        self.of("normalize_last", &[x], |i| self.0.normalize_last(&i[0], epsilon))
    }
    fn batch_norm(&self, x: &TorchTensor, state: &BatchNormState<TorchTensor>) -> TorchTensor {
        self.of("batch_norm", &[x, &state.weight, &state.bias], |i| {
            self.0.batch_norm(&i[0], &BatchNormState { weight: i[1].clone(), bias: i[2].clone(), ..state.clone() })
        })
    }
    fn softmax(&self, x: &TorchTensor, dim: usize) -> TorchTensor {
        self.of("softmax", &[x], |i| self.0.softmax(&i[0], dim))
    }

    fn upsample_nearest_2x(&self, x: &TorchTensor) -> TorchTensor {
        self.of("upsample_nearest_2x", &[x], |i| self.0.upsample_nearest_2x(&i[0]))
    }
    fn resize_bilinear(&self, x: &TorchTensor, height: usize, width: usize) -> TorchTensor {
        self.of("resize_bilinear", &[x], |i| self.0.resize_bilinear(&i[0], height, width))
    }
    fn average_pool(&self, x: &TorchTensor, window: usize) -> TorchTensor {
        self.of("average_pool", &[x], |i| self.0.average_pool(&i[0], window))
    }
    fn max_pool_2x(&self, x: &TorchTensor) -> TorchTensor {
        self.of("max_pool_2x", &[x], |i| self.0.max_pool_2x(&i[0]))
    }
    fn mean_from(&self, x: &TorchTensor, first: usize) -> TorchTensor {
        self.of("mean_from", &[x], |i| self.0.mean_from(&i[0], first))
    }

    fn dropout(&self, x: &TorchTensor, p: f64) -> TorchTensor {
        self.of("dropout", &[x], |i| self.0.dropout(&i[0], p))
    }
    fn stochastic_depth(&self, x: &TorchTensor, p: f64) -> TorchTensor {
        self.of("stochastic_depth", &[x], |i| self.0.stochastic_depth(&i[0], p))
    }
}

#[test]
fn of_every_operation() {
    let e = Differentiated(engine());
    let failures = pollster::block_on(conformance::check(&e, 1e-5));
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// The three that do something else then.
#[test]
fn of_operations_in_training() {
    let e = Differentiated(engine());
    e.0.set_training(true);
    let x = variable("x", &[8, 5, 2, 3]);
    let [weight, bias, running_mean, running_var] =
        ["weight", "bias", "mean", "variance"].map(|name| TorchTensor(variable(name, &[5]).0.detach()));
    let state = BatchNormState { weight, bias, running_mean, running_var, momentum: 0.1, epsilon: 1e-5 };
    for y in [e.batch_norm(&x, &state), e.dropout(&x, 0.3), e.stochastic_depth(&x, 0.3)] {
        assert!(!y.0.equal(&x.0));
    }
}

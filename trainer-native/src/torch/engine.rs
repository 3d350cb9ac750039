use radiodiff_core::engine::{BatchNormState, Binary, ConvGeometry, Engine, EngineError, Padding, Unary};
use std::cell::Cell;
use tch::{Device, Kind, Tensor};

/// A libtorch tensor; cloning shares it.
pub struct TorchTensor(pub Tensor);

impl Clone for TorchTensor {
    fn clone(&self) -> Self {
        Self(self.0.shallow_clone())
    }
}

/// Operations by libtorch on one device, in float32 or, for tests, float64.
pub struct TorchEngine {
    device: Device,
    kind: Kind,
    training: Cell<bool>,
    drops: bool,
}

fn ints(shape: &[usize]) -> Vec<i64> {
    shape.iter().map(|&n| n as i64).collect()
}

impl TorchEngine {
    pub fn new(device: Device) -> Self {
        Self { device, kind: Kind::Float, training: Cell::new(false), drops: true }
    }

    /// In float64, for gradients by finite differences and for what rounding does to a network.
    pub fn in_double(device: Device) -> Self {
        Self { kind: Kind::Double, ..Self::new(device) }
    }

    /// With dropout and stochastic depth off in training too, for comparing it with other programs, which draw other masks.
    pub fn without_dropout(self) -> Self {
        Self { drops: false, ..self }
    }

    pub fn device(&self) -> Device {
        self.device
    }

    /// Whether batch normalisation uses the batch's statistics and dropout drops.
    pub fn training(&self) -> bool {
        self.training.get()
    }

    /// See [`Self::training`].
    pub fn set_training(&self, training: bool) {
        self.training.set(training);
    }
}

impl Engine for TorchEngine {
    type Tensor = TorchTensor;

    fn tensor(&self, values: &[f32], shape: &[usize]) -> TorchTensor {
        TorchTensor(Tensor::from_slice(values).reshape(ints(shape)).to_device(self.device).to_kind(self.kind))
    }
    async fn read(&self, x: &TorchTensor) -> Result<Vec<f32>, EngineError> {
        let flat = x.0.detach().to_device(Device::Cpu).to_kind(Kind::Float).contiguous().view(-1);
        Vec::<f32>::try_from(&flat).map_err(|error| EngineError::Failed { reason: error.to_string() })
    }
    fn shape(&self, x: &TorchTensor) -> Vec<usize> {
        x.0.size().iter().map(|&n| n as usize).collect()
    }

    fn unary(&self, op: Unary, x: &TorchTensor) -> TorchTensor {
        let x = &x.0;
        TorchTensor(match op {
            Unary::Silu => x.silu(),
            Unary::Gelu => x.gelu("none"),
            Unary::Relu => x.relu(),
            Unary::Exp => x.exp(),
            Unary::Log => x.log(),
            Unary::Sqrt => x.sqrt(),
            Unary::Abs => x.abs(),
            Unary::Square => x.square(),
            Unary::Sin => x.sin(),
            Unary::Cos => x.cos(),
        })
    }
    fn binary(&self, op: Binary, a: &TorchTensor, b: &TorchTensor) -> TorchTensor {
        let (a, b) = (&a.0, &b.0);
        TorchTensor(match op {
            Binary::Add => a + b,
            Binary::Sub => a - b,
            Binary::Mul => a * b,
            Binary::Div => a / b,
        })
    }
    fn affine(&self, x: &TorchTensor, scale: f32, shift: f32) -> TorchTensor {
        let scaled = &x.0 * f64::from(scale);
        TorchTensor(if shift == 0.0 { scaled } else { scaled + f64::from(shift) })
    }
    fn clamp(&self, x: &TorchTensor, min: f32, max: f32) -> TorchTensor {
        TorchTensor(x.0.clamp(f64::from(min), f64::from(max)))
    }

    fn reshape(&self, x: &TorchTensor, shape: &[usize]) -> TorchTensor {
        TorchTensor(x.0.reshape(ints(shape)))
    }
    fn permute(&self, x: &TorchTensor, order: &[usize]) -> TorchTensor {
        TorchTensor(x.0.permute(ints(order)))
    }
    fn concat(&self, parts: &[&TorchTensor], dim: usize) -> TorchTensor {
        let parts: Vec<&Tensor> = parts.iter().map(|part| &part.0).collect();
        TorchTensor(Tensor::cat(&parts, dim as i64))
    }
    fn narrow(&self, x: &TorchTensor, dim: usize, start: usize, len: usize) -> TorchTensor {
        TorchTensor(x.0.narrow(dim as i64, start as i64, len as i64))
    }
    fn gather_rows(&self, x: &TorchTensor, rows: &[usize]) -> TorchTensor {
        TorchTensor(x.0.index_select(0, &Tensor::from_slice(&ints(rows)).to_device(self.device)))
    }
    fn pad(&self, x: &TorchTensor, p: Padding) -> TorchTensor {
        TorchTensor(x.0.constant_pad_nd(ints(&[p.left, p.right, p.top, p.bottom])))
    }

    fn matmul(&self, a: &TorchTensor, b: &TorchTensor) -> TorchTensor {
        TorchTensor(a.0.matmul(&b.0))
    }
    fn conv2d(&self, x: &TorchTensor, weight: &TorchTensor, bias: Option<&TorchTensor>, geometry: ConvGeometry) -> TorchTensor {
        let p = geometry.padding;
        let (stride, bias) = ([geometry.stride as i64; 2], bias.map(|bias| &bias.0));
        TorchTensor(if (p.top, p.left) == (p.bottom, p.right) {
            x.0.conv2d(&weight.0, bias, stride, ints(&[p.top, p.left]), [1i64, 1], 1)
        } else {
            self.pad(x, p).0.conv2d(&weight.0, bias, stride, [0i64, 0], [1i64, 1], 1)
        })
    }

    fn group_norm(&self, x: &TorchTensor, groups: usize, weight: &TorchTensor, bias: &TorchTensor, epsilon: f32) -> TorchTensor {
        TorchTensor(x.0.group_norm(groups as i64, Some(&weight.0), Some(&bias.0), f64::from(epsilon), true))
    }
    fn normalize_last(&self, x: &TorchTensor, epsilon: f32) -> TorchTensor {
        let last = x.0.size().last().copied().unwrap_or(1);
        TorchTensor(x.0.layer_norm([last], None::<&Tensor>, None::<&Tensor>, f64::from(epsilon), true))
    }
    fn batch_norm(&self, x: &TorchTensor, state: &BatchNormState<TorchTensor>) -> TorchTensor {
        TorchTensor(x.0.batch_norm(
            Some(&state.weight.0),
            Some(&state.bias.0),
            Some(&state.running_mean.0),
            Some(&state.running_var.0),
            self.training.get(),
            state.momentum,
            state.epsilon,
            true,
        ))
    }
    fn softmax(&self, x: &TorchTensor, dim: usize) -> TorchTensor {
        TorchTensor(x.0.softmax(dim as i64, None::<Kind>))
    }

    fn upsample_nearest_2x(&self, x: &TorchTensor) -> TorchTensor {
        let size = x.0.size();
        TorchTensor(x.0.upsample_nearest2d([2 * size[2], 2 * size[3]], None, None))
    }
    fn resize_bilinear(&self, x: &TorchTensor, height: usize, width: usize) -> TorchTensor {
        TorchTensor(x.0.upsample_bilinear2d(ints(&[height, width]), true, None, None))
    }
    fn average_pool(&self, x: &TorchTensor, window: usize) -> TorchTensor {
        let window = [window as i64; 2];
        TorchTensor(x.0.avg_pool2d(window, window, [0i64, 0], false, true, None))
    }
    fn max_pool_2x(&self, x: &TorchTensor) -> TorchTensor {
        TorchTensor(x.0.max_pool2d([2i64, 2], [2i64, 2], [0i64, 0], [1i64, 1], false))
    }

    fn mean_from(&self, x: &TorchTensor, first: usize) -> TorchTensor {
        let dims: Vec<i64> = (first as i64..x.0.dim() as i64).collect();
        TorchTensor(x.0.mean_dim(dims, true, self.kind))
    }

    fn dropout(&self, x: &TorchTensor, p: f64) -> TorchTensor {
        TorchTensor(x.0.dropout(p, self.drops && self.training.get()))
    }

    fn stochastic_depth(&self, x: &TorchTensor, p: f64) -> TorchTensor {
        if p == 0.0 || !(self.drops && self.training.get()) {
            return x.clone();
        }
        let mut shape = vec![1; x.0.dim()];
        shape[0] = x.0.size()[0];
        TorchTensor(&x.0 * Tensor::ones(shape, (self.kind, self.device)).dropout(p, true))
    }

    fn linear(&self, x: &TorchTensor, weight: &TorchTensor, bias: Option<&TorchTensor>) -> TorchTensor {
        TorchTensor(x.0.linear(&weight.0, bias.map(|bias| &bias.0)))
    }
}

//! The engine's operations: libtorch's, but for those that the CPU is slow at.
//!
//! On the CPU, images have their channels side by side in memory, under the same shapes: libtorch's convolutions take half the time
//! then (docs/measurements/training-speed.md). Group normalisation is our own there, because libtorch's is slow in that order. On a GPU
//! they have that order where it is asked for; libtorch's group normalisation then copies them to planes and the next convolution back.

use super::custom::{is_repeating, recomputable};
use super::host_values::HostValues;
use super::linear_attention::{self, linear_attention};
use super::normalize::group_norm;
use radiodiff_core::engine::{BatchNormState, Binary, ConvGeometry, Engine, EngineError, Padding, Unary};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use tch::{Device, Kind, Tensor};

/// A libtorch tensor; cloning shares it.
pub struct TorchTensor(pub Tensor);

impl Clone for TorchTensor {
    fn clone(&self) -> Self {
        Self(self.0.shallow_clone())
    }
}

/// Operations by libtorch on one device, in float32 or, for tests, float64. A clone is the same engine.
#[derive(Clone)]
pub struct TorchEngine {
    device: Device,
    kind: Kind,
    training: Rc<Cell<bool>>,
    drops: bool,
    recomputes: bool,
    channels_last: bool,
    /// Keeps what a step takes from the host, while that is recorded.
    host_values: Rc<RefCell<Option<Rc<RefCell<HostValues>>>>>,
}

fn ints(shape: &[usize]) -> Vec<i64> {
    shape.iter().map(|&n| n as i64).collect()
}

impl TorchEngine {
    pub fn new(device: Device) -> Self {
        Self {
            device,
            kind: Kind::Float,
            training: Rc::default(),
            drops: true,
            recomputes: false,
            channels_last: device == Device::Cpu,
            host_values: Rc::default(),
        }
    }

    /// In float64, for gradients by finite differences and for what rounding does to a network.
    pub fn in_double(device: Device) -> Self {
        Self { kind: Kind::Double, channels_last: false, ..Self::new(device) }
    }

    /// With dropout and stochastic depth off in training too, for comparing it with other programs, which draw other masks.
    pub fn without_dropout(self) -> Self {
        Self { drops: false, ..self }
    }

    /// With blocks of networks whose inner values are forgotten and computed again for their gradients, where `recomputes` says so.
    pub fn recomputing(self, recomputes: bool) -> Self {
        Self { recomputes, ..self }
    }

    /// With images whose channels lie side by side in memory, on a GPU too, where `channels_last` says so.
    pub fn with_channels_last(self, channels_last: bool) -> Self {
        Self { channels_last: self.channels_last || channels_last, ..self }
    }

    pub fn device(&self) -> Device {
        self.device
    }

    /// Whether batch normalisation uses the batch's statistics and dropout drops.
    pub fn training(&self) -> bool {
        self.training.get()
    }

    /// Runs a step whose tensors of host values are those that `values` keeps.
    pub(super) fn with_host_values<T>(&self, values: &Rc<RefCell<HostValues>>, step: impl FnOnce() -> T) -> T {
        let before = self.host_values.replace(Some(Rc::clone(values)));
        let result = step();
        self.host_values.replace(before);
        result
    }

    /// See [`Self::training`].
    pub fn set_training(&self, training: bool) {
        self.training.set(training);
    }
}

/// On the CPU, convolutions over more channels keep the other order: by pixels oneDNN adds their thousands of terms up in one float32, which is off
/// by 1.7e-6 over 9,216 terms where the conformance allows 1e-6. The gain was measured up to 24 channels.
const MAX_CHANNELS_BY_PIXEL: i64 = 256;

/// (N, C, H, W) -> (N, H, W, C), contiguous: a view of an image whose channels lie side by side, a copy of any other.
fn channels_last(x: &Tensor) -> Tensor {
    let rows = if x.size()[1] == 1 { x.squeeze_dim(1).unsqueeze(-1) } else { x.permute([0i64, 2, 3, 1]) };
    rows.contiguous()
}

/// The view back: (N, H, W, C) -> (N, C, H, W).
fn channels_first(rows: &Tensor) -> Tensor {
    rows.permute([0i64, 3, 1, 2])
}

impl TorchEngine {
    /// Whether an image is worked on with its channels side by side.
    fn by_pixel(&self, x: &Tensor) -> bool {
        self.channels_last && x.dim() == 4
    }

    /// The same, and by operations of our own, which are for float32 on the CPU.
    fn by_our_own(&self, x: &Tensor) -> bool {
        self.by_pixel(x) && self.device == Device::Cpu && self.kind == Kind::Float
    }

    fn normalize_groups(&self, x: &Tensor, groups: usize, [weight, bias]: [&Tensor; 2], epsilon: f32, silu: bool) -> Tensor {
        if self.by_our_own(x) {
            return channels_first(&group_norm(&channels_last(x), groups, weight, bias, epsilon, silu));
        }
        let normalized = x.group_norm(groups as i64, Some(weight), Some(bias), f64::from(epsilon), true);
        if silu { normalized.silu() } else { normalized }
    }
}

impl Engine for TorchEngine {
    type Tensor = TorchTensor;

    fn tensor(&self, values: &[f32], shape: &[usize]) -> TorchTensor {
        if let Some(kept) = self.host_values.borrow().as_ref() {
            return TorchTensor(kept.borrow_mut().constant(values, &ints(shape)));
        }
        TorchTensor(Tensor::from_slice(values).reshape(ints(shape)).to_device(self.device).to_kind(self.kind))
    }
    fn of_times(&self, times: &[f32], shape: &[usize], f: impl Fn(f32) -> f32 + 'static) -> TorchTensor {
        let values: Vec<f32> = times.iter().map(|&t| f(t)).collect();
        if let Some(kept) = self.host_values.borrow().as_ref() {
            return TorchTensor(kept.borrow_mut().of_times(values, &ints(shape), f));
        }
        self.tensor(&values, shape)
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
        let by_pixel = self.by_pixel(&x.0) && (self.device != Device::Cpu || weight.0.size()[1] <= MAX_CHANNELS_BY_PIXEL);
        let pointwise = weight.0.size()[2..] == [1, 1] && geometry == ConvGeometry::same(1);
        if pointwise && by_pixel {
            let matrix = weight.0.flatten(1, -1);
            return TorchTensor(channels_first(&channels_last(&x.0).linear(&matrix, bias)));
        }
        let x = &if by_pixel { TorchTensor(channels_first(&channels_last(&x.0))) } else { x.clone() };
        TorchTensor(if (p.top, p.left) == (p.bottom, p.right) {
            x.0.conv2d(&weight.0, bias, stride, ints(&[p.top, p.left]), [1i64, 1], 1)
        } else {
            self.pad(x, p).0.conv2d(&weight.0, bias, stride, [0i64, 0], [1i64, 1], 1)
        })
    }

    fn group_norm(&self, x: &TorchTensor, groups: usize, weight: &TorchTensor, bias: &TorchTensor, epsilon: f32) -> TorchTensor {
        TorchTensor(self.normalize_groups(&x.0, groups, [&weight.0, &bias.0], epsilon, false))
    }
    fn normalize_last(&self, x: &TorchTensor, epsilon: f32) -> TorchTensor {
        let last = x.0.size().last().copied().unwrap_or(1);
        TorchTensor(x.0.layer_norm([last], None::<&Tensor>, None::<&Tensor>, f64::from(epsilon), true))
    }
    fn batch_norm(&self, x: &TorchTensor, state: &BatchNormState<TorchTensor>) -> TorchTensor {
        // A batch moves the running statistics once, however often it passes.
        let running = [&state.running_mean.0, &state.running_var.0];
        let [running_mean, running_var] = running.map(|running| if is_repeating() { running.copy() } else { running.shallow_clone() });
        TorchTensor(x.0.batch_norm(
            Some(&state.weight.0),
            Some(&state.bias.0),
            Some(&running_mean),
            Some(&running_var),
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

    fn softplus(&self, x: &TorchTensor) -> TorchTensor {
        TorchTensor(x.0.softplus())
    }

    fn group_norm_silu(&self, x: &TorchTensor, groups: usize, weight: &TorchTensor, bias: &TorchTensor, epsilon: f32) -> TorchTensor {
        TorchTensor(self.normalize_groups(&x.0, groups, [&weight.0, &bias.0], epsilon, true))
    }

    fn group_norm_film_silu(
        &self,
        x: &TorchTensor,
        groups: usize,
        [weight, bias]: [&TorchTensor; 2],
        epsilon: f32,
        film: &TorchTensor,
    ) -> TorchTensor {
        // Norm and modulation are one affine map of an image's channel: (w y + b) (1 + scale) + shift.
        let parts = film.0.chunk(2, 1);
        let (scale, shift) = (&parts[0] + 1.0, &parts[1]);
        let (weight, bias) = (&weight.0 * &scale, &bias.0 * &scale + shift);
        if self.by_our_own(&x.0) {
            return TorchTensor(self.normalize_groups(&x.0, groups, [&weight, &bias], epsilon, true));
        }
        let plain = x.0.group_norm(groups as i64, None::<&Tensor>, None::<&Tensor>, f64::from(epsilon), true);
        let of_image = |coefficients: &Tensor| coefficients.unsqueeze(-1).unsqueeze(-1);
        TorchTensor((plain * of_image(&weight) + of_image(&bias)).silu())
    }
    fn linear_attention(&self, qkv: &TorchTensor, heads: usize) -> TorchTensor {
        let size = qkv.0.size();
        let (channels, tokens) = (size[1] / (3 * heads as i64), size[2] * size[3]);
        if self.by_our_own(&qkv.0) && channels == linear_attention::WIDTH as i64 {
            return TorchTensor(channels_first(&linear_attention(&channels_last(&qkv.0), heads)));
        }
        let parts = qkv.0.reshape([size[0], 3, heads as i64, channels, tokens]).unbind(1);
        let (q, k) = (parts[0].softmax(-2, None::<Kind>) * (channels as f64).powf(-0.5), parts[1].softmax(-1, None::<Kind>));
        let context_transposed = (&parts[2] / tokens as f64).matmul(&k.transpose(-1, -2));
        TorchTensor(context_transposed.matmul(&q).reshape([size[0], heads as i64 * channels, size[2], size[3]]))
    }

    fn recomputable<const N: usize>(
        &self,
        inputs: [&TorchTensor; N],
        block: impl Fn(&Self, [&TorchTensor; N]) -> TorchTensor + 'static,
    ) -> TorchTensor {
        if !self.recomputes {
            return block(self, inputs);
        }
        let (engine, inputs) = (self.clone(), inputs.map(TorchTensor::clone));
        TorchTensor(recomputable(self.device, move || block(&engine, inputs.each_ref()).0))
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

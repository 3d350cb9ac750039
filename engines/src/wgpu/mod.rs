//! The engine for GPUs: WGSL kernels on wgpu, the same code on WebGPU in the browser and on Vulkan off it.
//!
//! Values flow in from the host and are uploaded at once. Operations are recorded and submitted in bundles; reading a tensor submits
//! the last bundle. Reading is asynchronous, because a browser's only thread must not wait. Values flow out to the host, or the
//! reason why there are none: operations do not fail, so reading reports what went wrong before it.
//!
//! Each `.wgsl` file states the shapes of its bindings. The `.rs` file of the same kind chooses among its kernels, and `recorder`
//! runs them. Where WGSL guarantees few digits (sines, one-pass variances), the sources say what they compute instead.

mod adapter;
mod attention;
mod ceiling;
mod channel_norm;
mod conv;
mod conv_method;
mod elementwise;
mod faults;
mod layout;
mod linear_attention;
mod precision;
mod products;
mod profile;
mod readback;
mod recorder;
mod rows;
mod tensor;

pub use adapter::{AdapterReport, GpuError, GpuOptions};
pub use ceiling::Ceilings;
pub use conv_method::ConvMethod;
pub use precision::Precision;
pub use profile::{Convolution, KernelRun};
pub use tensor::GpuTensor;

use conv_method::ConvMethods;
use radiodiff_core::engine::{BatchNormState, Binary, ConvGeometry, Engine, EngineError, Padding, Unary};
use recorder::Recorder;
use rows::Affine;

/// An [`Engine`] on a GPU through wgpu.
pub struct GpuEngine {
    report: AdapterReport,
    methods: ConvMethods,
    recorder: Recorder,
}

impl GpuEngine {
    /// Asks for an adapter and its device.
    ///
    /// # Errors
    /// [`GpuError`] when there is no adapter, when `options` refuse the only one, or when it gives no device.
    pub async fn new(options: GpuOptions) -> Result<Self, GpuError> {
        Self::open(options, false).await
    }

    /// An engine that times every kernel's run, for [`Self::take_profile`]. Each kernel is a pass of its own, so that a map as a whole
    /// takes longer than on an engine made by [`Self::new`].
    ///
    /// # Errors
    /// As [`Self::new`], and [`GpuError::NoTimestamps`].
    pub async fn profiling(options: GpuOptions) -> Result<Self, GpuError> {
        Self::open(options, true).await
    }

    async fn open(options: GpuOptions, profile: bool) -> Result<Self, GpuError> {
        let opened = adapter::open(options, profile).await?;
        let recorder = Recorder::new(opened.device, opened.queue, profile, &opened.report);
        let methods = ConvMethods::new(opened.report.software);
        Ok(Self { report: opened.report, methods, recorder })
    }

    /// The runs of kernels since the last call, in their order; none from an engine that does not profile.
    ///
    /// # Errors
    /// What has failed since the last read.
    pub async fn take_profile(&self) -> Result<Vec<KernelRun>, EngineError> {
        profile::take(&self.recorder).await
    }

    /// Measures what the adapter can do at most; `None` from an engine that does not profile.
    ///
    /// # Errors
    /// What has failed since the last read.
    pub async fn ceilings(&self) -> Result<Option<Ceilings>, EngineError> {
        ceiling::measure(&self.recorder).await
    }

    /// Computes convolutions by the methods that `choose` returns, where they can compute them. For measuring and testing methods.
    pub fn choose_conv_methods(&self, choose: impl Fn(&Convolution) -> ConvMethod + 'static) {
        self.methods.choose_by(choose);
    }

    /// Computes by the kernels for GPUs, also on an adapter that computes on the CPU. For testing these kernels.
    pub fn compute_as_on_a_gpu(&self) {
        self.methods.choose_by(ConvMethod::for_hardware);
        self.recorder.without_barriers.set(false);
    }

    /// The adapter this engine runs on.
    pub fn report(&self) -> &AdapterReport {
        &self.report
    }

    /// Size of the largest tensor so far, in bytes. WebGPU guarantees buffers of 128 MiB; a network that needs more runs on some
    /// devices only.
    pub fn largest_tensor_bytes(&self) -> u64 {
        self.recorder.peak()
    }

    /// Why the device is lost; `None` while it is not. A new engine may find another device.
    pub fn lost(&self) -> Option<String> {
        self.recorder.faults.lost()
    }

    /// Gives the device back. Every later read returns [`EngineError::DeviceLost`].
    pub fn destroy(&self) {
        self.recorder.faults.lose("it was given back".into());
        self.recorder.device.destroy();
    }
}

impl Drop for GpuEngine {
    fn drop(&mut self) {
        // A browser would keep the device's memory until its garbage collector runs.
        self.destroy();
    }
}

impl Engine for GpuEngine {
    type Tensor = GpuTensor;

    fn tensor(&self, values: &[f32], shape: &[usize]) -> GpuTensor {
        assert_eq!(values.len(), shape.iter().product::<usize>(), "values for a tensor of shape {shape:?}");
        self.recorder.upload(values, shape)
    }
    async fn read(&self, x: &GpuTensor) -> Result<Vec<f32>, EngineError> {
        readback::read(&self.recorder, x).await
    }
    fn shape(&self, x: &GpuTensor) -> Vec<usize> {
        x.shape().to_vec()
    }

    fn unary(&self, op: Unary, x: &GpuTensor) -> GpuTensor {
        elementwise::unary(&self.recorder, op, x)
    }
    fn binary(&self, op: Binary, a: &GpuTensor, b: &GpuTensor) -> GpuTensor {
        elementwise::binary(&self.recorder, op, a, b)
    }
    fn affine(&self, x: &GpuTensor, scale: f32, shift: f32) -> GpuTensor {
        elementwise::affine(&self.recorder, x, scale, shift)
    }
    fn clamp(&self, x: &GpuTensor, min: f32, max: f32) -> GpuTensor {
        elementwise::clamp(&self.recorder, x, min, max)
    }

    fn reshape(&self, x: &GpuTensor, shape: &[usize]) -> GpuTensor {
        x.reshaped(shape)
    }
    fn permute(&self, x: &GpuTensor, order: &[usize]) -> GpuTensor {
        layout::permute(&self.recorder, x, order)
    }
    fn concat(&self, parts: &[&GpuTensor], dim: usize) -> GpuTensor {
        layout::concat(&self.recorder, parts, dim)
    }
    fn narrow(&self, x: &GpuTensor, dim: usize, start: usize, len: usize) -> GpuTensor {
        layout::narrow(&self.recorder, x, dim, start, len)
    }
    fn gather_rows(&self, x: &GpuTensor, rows: &[usize]) -> GpuTensor {
        layout::gather_rows(&self.recorder, x, rows)
    }
    fn pad(&self, x: &GpuTensor, padding: Padding) -> GpuTensor {
        layout::pad(&self.recorder, x, padding)
    }

    fn matmul(&self, a: &GpuTensor, b: &GpuTensor) -> GpuTensor {
        products::matmul(&self.recorder, a, b)
    }
    fn conv2d(&self, x: &GpuTensor, weight: &GpuTensor, bias: Option<&GpuTensor>, geometry: ConvGeometry) -> GpuTensor {
        conv::conv2d(&self.recorder, &self.methods, x, weight, [bias, None], geometry)
    }
    fn conv2d_plus(
        &self,
        x: &GpuTensor,
        weight: &GpuTensor,
        bias: Option<&GpuTensor>,
        geometry: ConvGeometry,
        plus: &GpuTensor,
    ) -> GpuTensor {
        conv::conv2d(&self.recorder, &self.methods, x, weight, [bias, Some(plus)], geometry)
    }

    fn group_norm(&self, x: &GpuTensor, groups: usize, weight: &GpuTensor, bias: &GpuTensor, epsilon: f32) -> GpuTensor {
        rows::group_norm(&self.recorder, x, groups, Affine { weight, bias, film: None, silu: false, plus: None }, epsilon)
    }
    fn normalize_last(&self, x: &GpuTensor, epsilon: f32) -> GpuTensor {
        x.normalized(epsilon, || rows::normalize_last(&self.recorder, x, epsilon))
    }
    fn batch_norm(&self, x: &GpuTensor, state: &BatchNormState<GpuTensor>) -> GpuTensor {
        elementwise::batch_norm(&self.recorder, x, state)
    }
    fn softmax(&self, x: &GpuTensor, dim: usize) -> GpuTensor {
        rows::softmax(&self.recorder, x, dim)
    }

    fn upsample_nearest_2x(&self, x: &GpuTensor) -> GpuTensor {
        layout::upsample_nearest_2x(&self.recorder, x)
    }
    fn resize_bilinear(&self, x: &GpuTensor, height: usize, width: usize) -> GpuTensor {
        layout::resize_bilinear(&self.recorder, x, height, width)
    }
    fn average_pool(&self, x: &GpuTensor, window: usize) -> GpuTensor {
        layout::average_pool(&self.recorder, x, window)
    }
    fn mean_from(&self, x: &GpuTensor, first: usize) -> GpuTensor {
        rows::mean_from(&self.recorder, x, first)
    }

    fn linear(&self, x: &GpuTensor, weight: &GpuTensor, bias: Option<&GpuTensor>) -> GpuTensor {
        products::linear(&self.recorder, x, weight, bias)
    }
    fn group_norm_silu(&self, x: &GpuTensor, groups: usize, weight: &GpuTensor, bias: &GpuTensor, epsilon: f32) -> GpuTensor {
        rows::group_norm(&self.recorder, x, groups, Affine { weight, bias, film: None, silu: true, plus: None }, epsilon)
    }
    fn group_norm_silu_plus(
        &self,
        x: &GpuTensor,
        groups: usize,
        [weight, bias]: [&GpuTensor; 2],
        epsilon: f32,
        plus: &GpuTensor,
    ) -> GpuTensor {
        rows::group_norm(&self.recorder, x, groups, Affine { weight, bias, film: None, silu: true, plus: Some(plus) }, epsilon)
    }
    fn group_norm_film_silu(
        &self,
        x: &GpuTensor,
        groups: usize,
        [weight, bias]: [&GpuTensor; 2],
        epsilon: f32,
        film: &GpuTensor,
    ) -> GpuTensor {
        rows::group_norm(&self.recorder, x, groups, Affine { weight, bias, film: Some(film), silu: true, plus: None }, epsilon)
    }
    fn channel_norm(&self, x: &GpuTensor, gain: &GpuTensor, epsilon: f32) -> GpuTensor {
        channel_norm::channel_norm(&self.recorder, x, gain, epsilon)
    }
    fn linear_attention(&self, qkv: &GpuTensor, heads: usize) -> GpuTensor {
        linear_attention::linear_attention(&self.recorder, qkv, heads)
    }
    fn attention(&self, q: &GpuTensor, k: &GpuTensor, v: &GpuTensor, scale: f32) -> GpuTensor {
        attention::attention(&self.recorder, [q, k, v], scale, attention::Layout::TokensFirst)
    }
    fn attention_channels_first(&self, q: &GpuTensor, k: &GpuTensor, v: &GpuTensor, scale: f32) -> GpuTensor {
        attention::attention(&self.recorder, [q, k, v], scale, attention::Layout::ChannelsFirst)
    }
}

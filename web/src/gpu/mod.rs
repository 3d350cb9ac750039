//! The engine for GPUs: WGSL kernels on plain wgpu, the same code in the browser and on Vulkan.

mod adapter;

pub use adapter::{AdapterReport, GpuError, GpuOptions};

use radiodiff_core::engine::{Binary, ConvGeometry, Engine, EngineError, Padding, Unary};

/// See the module.
pub struct GpuEngine {
    report: AdapterReport,
    device: wgpu::Device,
    _queue: wgpu::Queue,
}

#[derive(Clone)]
pub struct GpuTensor;

impl GpuEngine {
    pub async fn new(options: GpuOptions) -> Result<Self, GpuError> {
        let opened = adapter::open(options).await?;
        Ok(Self { report: opened.report, device: opened.device, _queue: opened.queue })
    }
    /// The adapter this engine runs on.
    pub fn report(&self) -> &AdapterReport {
        &self.report
    }
    /// Why the device is lost, once it is.
    pub fn lost(&self) -> Option<String> {
        None
    }
    /// Gives the device back. From then on reads give [`EngineError::DeviceLost`].
    pub fn destroy(&self) {
        self.device.destroy();
    }
}

#[expect(clippy::unimplemented, unused_variables, reason = "the surface comes first")]
impl Engine for GpuEngine {
    type Tensor = GpuTensor;
    fn tensor(&self, values: &[f32], shape: &[usize]) -> GpuTensor {
        unimplemented!()
    }
    async fn read(&self, x: &GpuTensor) -> Result<Vec<f32>, EngineError> {
        unimplemented!()
    }
    fn shape(&self, x: &GpuTensor) -> Vec<usize> {
        unimplemented!()
    }
    fn unary(&self, op: Unary, x: &GpuTensor) -> GpuTensor {
        unimplemented!()
    }
    fn binary(&self, op: Binary, a: &GpuTensor, b: &GpuTensor) -> GpuTensor {
        unimplemented!()
    }
    fn affine(&self, x: &GpuTensor, scale: f32, shift: f32) -> GpuTensor {
        unimplemented!()
    }
    fn clamp(&self, x: &GpuTensor, min: f32, max: f32) -> GpuTensor {
        unimplemented!()
    }
    fn reshape(&self, x: &GpuTensor, shape: &[usize]) -> GpuTensor {
        unimplemented!()
    }
    fn permute(&self, x: &GpuTensor, order: &[usize]) -> GpuTensor {
        unimplemented!()
    }
    fn concat(&self, parts: &[&GpuTensor], dim: usize) -> GpuTensor {
        unimplemented!()
    }
    fn narrow(&self, x: &GpuTensor, dim: usize, start: usize, len: usize) -> GpuTensor {
        unimplemented!()
    }
    fn pad(&self, x: &GpuTensor, padding: Padding) -> GpuTensor {
        unimplemented!()
    }
    fn matmul(&self, a: &GpuTensor, b: &GpuTensor) -> GpuTensor {
        unimplemented!()
    }
    fn conv2d(&self, x: &GpuTensor, weight: &GpuTensor, bias: Option<&GpuTensor>, geometry: ConvGeometry) -> GpuTensor {
        unimplemented!()
    }
    fn group_norm(&self, x: &GpuTensor, groups: usize, weight: &GpuTensor, bias: &GpuTensor, epsilon: f32) -> GpuTensor {
        unimplemented!()
    }
    fn normalize_last(&self, x: &GpuTensor, epsilon: f32) -> GpuTensor {
        unimplemented!()
    }
    fn softmax(&self, x: &GpuTensor, dim: usize) -> GpuTensor {
        unimplemented!()
    }
    fn upsample_nearest_2x(&self, x: &GpuTensor) -> GpuTensor {
        unimplemented!()
    }
    fn resize_bilinear(&self, x: &GpuTensor, height: usize, width: usize) -> GpuTensor {
        unimplemented!()
    }
    fn average_pool(&self, x: &GpuTensor, window: usize) -> GpuTensor {
        unimplemented!()
    }
    fn mean_from(&self, x: &GpuTensor, first: usize) -> GpuTensor {
        unimplemented!()
    }
}

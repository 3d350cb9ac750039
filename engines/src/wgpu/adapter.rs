//! The adapter that the engine runs on, and whether it is a GPU or software.
//!
//! A software adapter (SwiftShader, llvmpipe) computes the right map at a fraction of the CPU engine's speed, so it is used only
//! when the caller allows it.

use super::precision::Precision;
use thiserror::Error;

/// The adapters that `GpuEngine::new` accepts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GpuOptions {
    /// Accept an adapter that computes on the CPU. False suits an automatic choice, because the CPU engine is faster; true suits a
    /// user who asked for WebGPU by name, and tests.
    pub allow_software: bool,
    /// Numbers of convolutions; [`Precision::F16`] becomes [`Precision::F16Weights`] on an adapter without `shader-f16`.
    pub precision: Precision,
}

/// A description of the adapter that an engine runs on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdapterReport {
    /// The name that the browser or the driver gives it.
    pub name: String,
    /// `webgpu` in a browser; `vulkan` off it.
    pub backend: String,
    /// The adapter computes on the CPU.
    pub software: bool,
    /// The adapter has `shader-f16`.
    pub f16: bool,
    /// Numbers of convolutions.
    pub precision: Precision,
}

/// Why no GPU engine could be made.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
pub enum GpuError {
    #[error("this browser has no WebGPU (navigator.gpu is absent in {context}); use a newer browser over https, or the CPU engine")]
    NoWebGpu { context: &'static str },
    #[error("there is no adapter for WebGPU ({reason}); {advice}")]
    NoAdapter { reason: String, advice: &'static str },
    #[error("the only adapter is {name}, which computes on the CPU; use the CPU engine, or ask for WebGPU by name")]
    SoftwareAdapter { name: String },
    #[error("adapter {name} has no timestamp queries, by which kernels are timed; measure on another adapter, or whole maps")]
    NoTimestamps { name: String },
    #[error("adapter {name} gives no device ({reason}); close other pages that use the GPU, or use the CPU engine")]
    Device { name: String, reason: String },
}

const ADVICE: &str = if cfg!(target_arch = "wasm32") {
    "enable hardware acceleration in the browser's settings, or use the CPU engine"
} else {
    "install a Vulkan driver (Debian: mesa-vulkan-drivers, which `cargo xtask test` installs)"
};

/// An adapter's device and the queue its work goes to.
pub(super) struct Opened {
    pub device: wgpu::Device,
    pub queue: wgpu::Queue,
    pub report: AdapterReport,
}

/// Requests the fastest adapter, with all its limits and, for a profile, timestamp queries.
pub(super) async fn open(options: GpuOptions, profile: bool) -> Result<Opened, GpuError> {
    #[cfg(target_arch = "wasm32")]
    browser::require_webgpu()?;
    let mut descriptor = wgpu::InstanceDescriptor::new_without_display_handle();
    descriptor.backends = wgpu::Backends::BROWSER_WEBGPU | wgpu::Backends::VULKAN;
    let request = wgpu::RequestAdapterOptions { power_preference: wgpu::PowerPreference::HighPerformance, ..Default::default() };
    let adapter = wgpu::Instance::new(descriptor)
        .request_adapter(&request)
        .await
        .map_err(|error| GpuError::NoAdapter { reason: no_adapter(&error), advice: ADVICE })?;
    let f16 = adapter.features().contains(wgpu::Features::SHADER_F16);
    let precision = options.precision.of_adapter(f16);
    let mut required_features = wgpu::Features::empty();
    required_features.set(wgpu::Features::TIMESTAMP_QUERY, profile);
    required_features.set(wgpu::Features::SHADER_F16, precision == Precision::F16);
    if !adapter.features().contains(required_features) {
        return Err(GpuError::NoTimestamps { name: adapter.get_info().name });
    }
    let descriptor =
        wgpu::DeviceDescriptor { label: Some("radiodiff"), required_limits: adapter.limits(), required_features, ..Default::default() };
    let opened = adapter.request_device(&descriptor).await;
    let (device, queue) = opened.map_err(|error| GpuError::Device { name: adapter.get_info().name, reason: error.to_string() })?;
    let (name, software) = identify(&adapter, &device);
    if software && !options.allow_software {
        device.destroy();
        return Err(GpuError::SoftwareAdapter { name });
    }
    let backend = if cfg!(target_arch = "wasm32") { "webgpu".to_owned() } else { adapter.get_info().backend.to_str().to_owned() };
    Ok(Opened { device, queue, report: AdapterReport { name, backend, software, f16, precision } })
}

/// Why there is no adapter. In a browser, wgpu's own text only lists the backends that it was built without.
fn no_adapter(error: &wgpu::RequestAdapterError) -> String {
    if cfg!(target_arch = "wasm32") { "the browser offers none".into() } else { error.to_string() }
}

/// The adapter's name, and whether it computes on the CPU.
#[cfg(not(target_arch = "wasm32"))]
fn identify(adapter: &wgpu::Adapter, _: &wgpu::Device) -> (String, bool) {
    let info = adapter.get_info();
    (info.name, info.device_type == wgpu::DeviceType::Cpu)
}

#[cfg(target_arch = "wasm32")]
fn identify(_: &wgpu::Adapter, device: &wgpu::Device) -> (String, bool) {
    browser::identify(device)
}

#[cfg(target_arch = "wasm32")]
mod browser {
    use super::GpuError;
    use js_sys::Reflect;
    use wasm_bindgen::JsValue;

    /// Words in the names of software rasterisers: Chromium's, Mesa's, Windows's.
    const SOFTWARE: [&str; 5] = ["swiftshader", "llvmpipe", "lavapipe", "software", "basic render"];

    /// A property of a JavaScript object; undefined where the browser is too old to have it.
    fn property(object: &JsValue, name: &str) -> JsValue {
        Reflect::get(object, &name.into()).unwrap_or(JsValue::UNDEFINED)
    }

    pub(super) fn require_webgpu() -> Result<(), GpuError> {
        let navigator = property(&js_sys::global(), "navigator");
        if !property(&navigator, "gpu").is_object() {
            let worker = property(&js_sys::global(), "document").is_undefined();
            return Err(GpuError::NoWebGpu { context: if worker { "this worker" } else { "this page" } });
        }
        Ok(())
    }

    /// Name and software flag from `adapterInfo`. wgpu passes on only the description, which browsers leave empty, so vendor and
    /// architecture are read here.
    pub(super) fn identify(device: &wgpu::Device) -> (String, bool) {
        let info = device.as_webgpu().map_or(JsValue::UNDEFINED, |device| property(device, "adapterInfo"));
        let part = |name| property(&info, name).as_string().unwrap_or_default();
        let [vendor, architecture, device, description] = ["vendor", "architecture", "device", "description"].map(part);
        let mut parts = vec![vendor, architecture, device, description];
        parts.retain(|part| !part.is_empty());
        let name = if parts.is_empty() { "an adapter that does not say its name".to_owned() } else { parts.join(" ") };
        let lower = name.to_lowercase();
        let software = property(&info, "isFallbackAdapter").is_truthy() || SOFTWARE.iter().any(|word| lower.contains(word));
        (name, software)
    }
}

//! What an NVIDIA GPU is doing, by the driver's management library (NVML), which the driver installs; nothing where there is none.

use nvml_wrapper::error::NvmlError;
use nvml_wrapper::{Device, Nvml};

/// Names of the readings, as a run's log has them.
pub const UTILIZATION: &str = "system/gpu_utilization_percent";
pub const MEMORY: &str = "system/gpu_memory_mib";
const BYTES_PER_MIB: f64 = 1_048_576.0;

/// The GPU that training uses: the first that CUDA_VISIBLE_DEVICES names, else the first.
pub struct GpuMonitor {
    nvml: Nvml,
    /// An index or a UUID.
    selector: String,
}

/// The driver and the GPU in words and numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct GpuDescription {
    pub name: String,
    pub driver: String,
    /// The newest CUDA that the driver runs, as (major, minor).
    pub cuda: (i32, i32),
    pub memory_bytes: u64,
    pub free_bytes: u64,
}

impl GpuMonitor {
    /// `None` where there is no driver or no GPU, or where CUDA_VISIBLE_DEVICES hides all of them.
    pub fn open() -> Option<Self> {
        let selector = match std::env::var("CUDA_VISIBLE_DEVICES") {
            Ok(visible) => visible.split(',').next().map(str::trim).filter(|first| !first.is_empty() && *first != "-1")?.to_owned(),
            Err(_) => String::from("0"),
        };
        let monitor = Self { nvml: Nvml::init().ok()?, selector };
        monitor.device().is_ok().then_some(monitor)
    }

    fn device(&self) -> Result<Device<'_>, NvmlError> {
        match self.selector.parse() {
            Ok(index) => self.nvml.device_by_index(index),
            Err(_) => self.nvml.device_by_uuid(self.selector.as_str()),
        }
    }

    /// The readings there are now, by the names above: the share of the last second or less in which the GPU computed, and the memory
    /// in use by all programs.
    pub fn readings(&self) -> Vec<(&'static str, f64)> {
        let Ok(device) = self.device() else { return Vec::new() };
        let utilization = device.utilization_rates().ok().map(|rates| (UTILIZATION, f64::from(rates.gpu)));
        let memory = device.memory_info().ok().map(|memory| (MEMORY, memory.used as f64 / BYTES_PER_MIB));
        utilization.into_iter().chain(memory).collect()
    }

    /// # Errors
    /// Whatever the driver cannot tell.
    pub fn describe(&self) -> Result<GpuDescription, NvmlError> {
        let device = self.device()?;
        let (memory, cuda) = (device.memory_info()?, self.nvml.sys_cuda_driver_version()?);
        Ok(GpuDescription {
            name: device.name()?,
            driver: self.nvml.sys_driver_version()?,
            // As NVML numbers versions: 13.1 is 13010.
            cuda: (cuda / 1000, cuda % 1000 / 10),
            memory_bytes: memory.total,
            free_bytes: memory.free,
        })
    }
}

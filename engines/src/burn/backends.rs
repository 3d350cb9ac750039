//! The burn backends that radiodiff runs on, and how their devices are opened.

use super::engine::BurnEngine;
#[cfg(feature = "burn-wgpu")]
use radiodiff_core::engine::EngineError;

/// burn's own kernels on the CPU: the reference of the tests.
#[cfg(feature = "burn-flex")]
pub type BurnFlex = BurnEngine<burn_flex::Flex>;

/// burn's kernels on a GPU, compiled by cubecl to WGSL. Without burn's fusion, which works on burn's own tensors, and without its
/// autotuning, which measures for minutes before the first map.
#[cfg(feature = "burn-wgpu")]
pub type BurnWgpu = BurnEngine<burn_wgpu::Wgpu>;

#[cfg(feature = "burn-wgpu")]
impl BurnWgpu {
    /// The engine on this machine's default adapter, with the adapter's name. All engines of a process share one device.
    ///
    /// # Errors
    /// [`EngineError::Failed`] when no adapter gives a device.
    pub fn open() -> Result<(Self, String), EngineError> {
        use burn_wgpu::{RuntimeOptions, WgpuDevice, graphics::AutoGraphicsApi, try_init_setup};
        use std::sync::OnceLock;

        // burn sets up a device once in a process and refuses a second time.
        static ADAPTER: OnceLock<Result<String, String>> = OnceLock::new();
        let device = WgpuDevice::default();
        let adapter = ADAPTER.get_or_init(|| {
            try_init_setup::<AutoGraphicsApi>(&device, RuntimeOptions::default())
                .map(|setup| setup.adapter.get_info().name)
                .map_err(|error| error.to_string())
        });
        match adapter {
            Ok(name) => Ok((Self::new(device.into()), name.clone())),
            Err(reason) => Err(EngineError::Failed {
                reason: format!("burn-wgpu opens no GPU ({reason}); install a Vulkan driver (Debian: mesa-vulkan-drivers)"),
            }),
        }
    }
}

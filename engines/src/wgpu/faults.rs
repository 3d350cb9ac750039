//! Errors of the GPU, kept until a result is read.
//!
//! WebGPU reports errors to callbacks, long after the call that caused them. Operations do not fail, so the callbacks leave the
//! error here, and every later read returns it: tensors made after the error may hold anything. Only a new engine recovers.

use radiodiff_core::engine::EngineError;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

#[derive(Default)]
struct State {
    lost: Option<String>,
    error: Option<EngineError>,
}

/// The device's faults, shared with the callbacks that the browser or a thread of the driver calls.
#[derive(Clone, Default)]
pub(super) struct Faults(Arc<Mutex<State>>);

impl Faults {
    /// Registers the callbacks with a new device.
    pub(super) fn watch(device: &wgpu::Device) -> Self {
        let faults = Self::default();
        let listener = faults.clone();
        device.set_device_lost_callback(move |reason, message| {
            let message = if message.is_empty() { format!("{reason:?}").to_lowercase() } else { message };
            listener.lose(message);
        });
        let listener = faults.clone();
        device.on_uncaptured_error(Arc::new(move |error| {
            listener.fail(match error {
                wgpu::Error::OutOfMemory { .. } => EngineError::OutOfMemory { what: "the GPU has no room for a buffer".into() },
                other => EngineError::Failed { reason: other.to_string() },
            });
        }));
        faults
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records that the device is lost. The first reason is kept.
    pub(super) fn lose(&self, reason: String) {
        self.state().lost.get_or_insert(reason);
    }

    /// Records an error. The first is kept, because later errors are its consequences.
    pub(super) fn fail(&self, error: EngineError) {
        self.state().error.get_or_insert(error);
    }

    pub(super) fn lost(&self) -> Option<String> {
        self.state().lost.clone()
    }

    /// Returns the recorded fault. A loss explains all other errors, so it takes precedence.
    pub(super) fn check(&self) -> Result<(), EngineError> {
        let state = self.state();
        match (&state.lost, &state.error) {
            (Some(reason), _) => Err(EngineError::DeviceLost { reason: reason.clone() }),
            (None, Some(error)) => Err(error.clone()),
            (None, None) => Ok(()),
        }
    }
}

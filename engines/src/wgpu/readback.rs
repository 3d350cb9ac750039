//! Values back to the host, without blocking, because a browser's only thread must keep running.

use super::recorder::Recorder;
use super::tensor::GpuTensor;
use radiodiff_core::engine::EngineError;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// The longest that one poll of the future waits.
#[cfg(not(target_arch = "wasm32"))]
const PATIENCE: std::time::Duration = std::time::Duration::from_millis(5);

/// The result of mapping a buffer, and the task that waits for it.
#[derive(Default)]
struct Mapping {
    result: Option<Result<(), wgpu::BufferAsyncError>>,
    waker: Option<Waker>,
}

/// The values of `x`, after everything that they depend on has run.
pub(super) async fn read(recorder: &Recorder, x: &GpuTensor) -> Result<Vec<f32>, EngineError> {
    recorder.faults.check()?;
    if x.count() == 0 {
        return Ok(Vec::new());
    }
    let values = |bytes: &[u8]| bytes.chunks_exact(4).map(|bytes| f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])).collect();
    fetch(recorder, &recorder.stage(x), &format!("a result of shape {:?}", x.shape()), values).await
}

/// What `values` makes of the bytes of `staging`, which is destroyed. Errors call it `what`.
pub(super) async fn fetch<T>(
    recorder: &Recorder,
    staging: &wgpu::Buffer,
    what: &str,
    values: impl FnOnce(&[u8]) -> T,
) -> Result<T, EngineError> {
    let mapping = Arc::new(Mutex::new(Mapping::default()));
    let shared = mapping.clone();
    staging.map_async(wgpu::MapMode::Read, .., move |result| {
        let mut mapping = lock(&shared);
        mapping.result = Some(result);
        if let Some(waker) = mapping.waker.take() {
            waker.wake();
        }
    });
    let mapped = poll_fn(|context| poll(recorder, &mapping, context)).await;
    // An error in the submitted work is known by now and explains why the mapping failed.
    recorder.faults.check()?;
    let failed = |reason: String| EngineError::Failed { reason: format!("{what} could not be read: {reason}") };
    mapped.map_err(|error| failed(error.to_string()))?;
    let fetched = values(&staging.get_mapped_range(..).map_err(|error| failed(error.to_string()))?);
    staging.destroy();
    Ok(fetched)
}

fn poll(recorder: &Recorder, mapping: &Mutex<Mapping>, context: &Context<'_>) -> Poll<Result<(), wgpu::BufferAsyncError>> {
    #[cfg(not(target_arch = "wasm32"))]
    wait(recorder, mapping, context);
    let mut mapping = lock(mapping);
    match mapping.result.take() {
        Some(result) => Poll::Ready(result),
        None if recorder.faults.lost().is_some() => Poll::Ready(Ok(())),
        None => {
            mapping.waker = Some(context.waker().clone());
            Poll::Pending
        }
    }
}

/// Polls the device: off the browser, wgpu calls back only from there. The first poll of the future does not wait.
#[cfg(not(target_arch = "wasm32"))]
fn wait(recorder: &Recorder, mapping: &Mutex<Mapping>, context: &Context<'_>) {
    let first = lock(mapping).waker.is_none();
    let wait = wgpu::PollType::Wait { submission_index: None, timeout: Some(PATIENCE) };
    // A timeout is no error: the future is polled again.
    let _ = recorder.device.poll(if first { wgpu::PollType::Poll } else { wait });
    context.waker().wake_by_ref();
}

fn lock(mapping: &Mutex<Mapping>) -> MutexGuard<'_, Mapping> {
    mapping.lock().unwrap_or_else(PoisonError::into_inner)
}

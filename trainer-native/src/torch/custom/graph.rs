//! CUDA graphs: work that is recorded once and replayed by one call, and the stream that it is recorded on.
//!
//! [`SideStream::run`] sends a closure's work to a stream beside the default one, [`SideStream::record`] records it there without running
//! it. Everything that the closure allocates stays at its place for the replays, so results are read where the recording left them.

use super::failure::{ShimError, outcome};
use std::ffi::{c_int, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::null_mut;
use tch::{Cuda, Device};

unsafe extern "C" {
    fn trainer_stream_new(device: c_int, stream: *mut *mut c_void) -> ShimError;
    fn trainer_stream_delete(stream: *mut c_void);
    fn trainer_stream_enter(stream: *const c_void, before: *mut *mut c_void) -> ShimError;
    fn trainer_stream_leave(before: *mut c_void) -> ShimError;
    fn trainer_graph_begin(graph: *mut *mut c_void) -> ShimError;
    fn trainer_graph_end(graph: *mut c_void) -> ShimError;
    fn trainer_graph_replay(graph: *mut c_void) -> ShimError;
    fn trainer_graph_delete(graph: *mut c_void) -> ShimError;
}

/// A stream of a GPU beside its default one.
pub struct SideStream {
    stream: *mut c_void,
    device: i64,
}

/// Back on the stream before when it goes.
struct OnStream(*mut c_void);

impl Drop for OnStream {
    fn drop(&mut self) {
        // SAFETY: the stream is that of `trainer_stream_enter` and is given back once. Without the device nothing is left to do.
        let _ = outcome(unsafe { trainer_stream_leave(self.0) });
    }
}

impl SideStream {
    /// # Errors
    /// libtorch's, on another device than a GPU for one.
    pub fn new(device: Device) -> Result<Self, String> {
        let Device::Cuda(index) = device else { return Err(format!("{device:?} is no GPU")) };
        let mut stream = null_mut();
        // SAFETY: the shim fills the place it is given.
        outcome(unsafe { trainer_stream_new(index as c_int, &raw mut stream) })?;
        Ok(Self { stream, device: index as i64 })
    }

    fn enter(&self) -> Result<OnStream, String> {
        let mut before = null_mut();
        // SAFETY: the stream lives as long as `self`; the shim fills the place it is given.
        outcome(unsafe { trainer_stream_enter(self.stream, &raw mut before) })?;
        Ok(OnStream(before))
    }

    /// Runs the work on this stream, after all work of the device and before all that follows.
    ///
    /// # Errors
    /// libtorch's.
    pub fn run<T>(&self, work: impl FnOnce() -> T) -> Result<T, String> {
        Cuda::synchronize(self.device);
        let result = {
            let _entered = self.enter()?;
            work()
        };
        Cuda::synchronize(self.device);
        Ok(result)
    }

    /// Records the work without running it.
    ///
    /// # Errors
    /// Work that cannot be recorded, such as an operation that waits for the device; the text is libtorch's.
    pub fn record<T>(&self, work: impl FnOnce() -> T) -> Result<(RecordedGraph, T), String> {
        Cuda::synchronize(self.device);
        let _entered = self.enter()?;
        let mut graph = null_mut();
        // SAFETY: the shim fills the place it is given, also where it fails to begin.
        let begun = outcome(unsafe { trainer_graph_begin(&raw mut graph) });
        let graph = RecordedGraph(graph);
        begun?;
        // What fails in a recording is an operation of tch, which panics.
        let result = catch_unwind(AssertUnwindSafe(work));
        // SAFETY: the graph has begun and ends once.
        let ended = outcome(unsafe { trainer_graph_end(graph.0) });
        let result = result.map_err(|panic| {
            let text = panic.downcast_ref::<String>().cloned();
            text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
        })?;
        ended?;
        Ok((graph, result))
    }
}

impl Drop for SideStream {
    fn drop(&mut self) {
        // SAFETY: the pointer is of `trainer_stream_new`.
        unsafe { trainer_stream_delete(self.stream) };
    }
}

/// Work that was recorded.
pub struct RecordedGraph(*mut c_void);

impl RecordedGraph {
    /// Sends the work to the device, on the current stream.
    ///
    /// # Errors
    /// libtorch's.
    pub fn replay(&self) -> Result<(), String> {
        // SAFETY: the graph was recorded to its end.
        outcome(unsafe { trainer_graph_replay(self.0) })
    }
}

impl Drop for RecordedGraph {
    fn drop(&mut self) {
        // SAFETY: the pointer is of `trainer_graph_begin`. A failure to free leaves memory taken and nothing else.
        let _ = outcome(unsafe { trainer_graph_delete(self.0) });
    }
}

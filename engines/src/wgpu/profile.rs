//! GPU time of every kernel's run, by timestamp queries: where a map's time goes, and how fast each convolution is.
//!
//! In flow the passes of a profiling recorder, one a kernel; out flow [`KernelRun`]s in the order of the dispatches. The timestamps of
//! a submission are copied to a buffer of its own, which the host reads when the profile is taken.

use super::readback;
use super::recorder::{MOST_PENDING, Recorder};
use radiodiff_core::engine::{ConvGeometry, EngineError};
use std::cell::RefCell;

/// A convolution's shapes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Convolution {
    /// (N, Cin, H, W).
    pub input: [usize; 4],
    /// (Cout, Cin, Kh, Kw).
    pub weight: [usize; 4],
    pub geometry: ConvGeometry,
}

/// One run of a kernel.
#[derive(Clone, Debug, PartialEq)]
pub struct KernelRun {
    /// The kernel's entry point.
    pub kernel: &'static str,
    /// The result's shape.
    pub shape: Vec<usize>,
    /// The convolution that the run belongs to.
    pub convolution: Option<Convolution>,
    /// Multiply-accumulates; 0 where a kernel does not count them.
    pub macs: u64,
    /// GPU time.
    pub seconds: f64,
}

/// What a dispatch computes, for the profile.
#[derive(Clone, Copy, Default)]
pub(super) struct Work {
    pub macs: u64,
    pub convolution: Option<Convolution>,
}

/// Bytes of a run's two timestamps.
const STAMPS: u64 = 16;

pub(super) struct Profiler {
    queries: wgpu::QuerySet,
    resolved: wgpu::Buffer,
    /// Length of a tick in seconds.
    tick_s: f64,
    /// Runs whose times are not read yet.
    runs: RefCell<Vec<KernelRun>>,
    /// The timestamps of each submission.
    stamps: RefCell<Vec<wgpu::Buffer>>,
}

impl Profiler {
    pub(super) fn new(device: &wgpu::Device, queue: &wgpu::Queue) -> Self {
        let count = 2 * MOST_PENDING as u32;
        Self {
            queries: device.create_query_set(&wgpu::QuerySetDescriptor { label: None, ty: wgpu::QueryType::Timestamp, count }),
            resolved: device.create_buffer(&wgpu::BufferDescriptor {
                label: None,
                size: STAMPS * MOST_PENDING as u64,
                usage: wgpu::BufferUsages::QUERY_RESOLVE | wgpu::BufferUsages::COPY_SRC,
                mapped_at_creation: false,
            }),
            tick_s: f64::from(queue.get_timestamp_period()) * 1e-9,
            runs: RefCell::default(),
            stamps: RefCell::default(),
        }
    }

    /// A pass for the `number`th kernel of a submission.
    pub(super) fn begin(
        &self,
        encoder: &mut wgpu::CommandEncoder,
        number: usize,
        kernel: &'static str,
        shape: &[usize],
        work: Work,
    ) -> wgpu::ComputePass<'static> {
        let Work { macs, convolution } = work;
        self.runs.borrow_mut().push(KernelRun { kernel, shape: shape.to_vec(), convolution, macs, seconds: 0.0 });
        let first = 2 * number as u32;
        let timestamp_writes = Some(wgpu::ComputePassTimestampWrites {
            query_set: &self.queries,
            beginning_of_pass_write_index: Some(first),
            end_of_pass_write_index: Some(first + 1),
        });
        encoder.begin_compute_pass(&wgpu::ComputePassDescriptor { label: None, timestamp_writes }).forget_lifetime()
    }

    /// Copies the timestamps of a submission of `count` kernels to a buffer that the host can map.
    pub(super) fn collect(&self, device: &wgpu::Device, encoder: &mut wgpu::CommandEncoder, count: usize) {
        if count == 0 {
            return;
        }
        let size = STAMPS * count as u64;
        let usage = wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST;
        let stamps = device.create_buffer(&wgpu::BufferDescriptor { label: None, size, usage, mapped_at_creation: false });
        encoder.resolve_query_set(&self.queries, 0..2 * count as u32, &self.resolved, 0);
        encoder.copy_buffer_to_buffer(&self.resolved, 0, &stamps, 0, size);
        self.stamps.borrow_mut().push(stamps);
    }
}

/// Submits what is recorded, waits, and returns the runs since the last call.
pub(super) async fn take(recorder: &Recorder) -> Result<Vec<KernelRun>, EngineError> {
    let Some(profiler) = &recorder.profiler else { return Ok(Vec::new()) };
    recorder.flush();
    let (mut runs, stamps) = (profiler.runs.take(), profiler.stamps.take());
    let mut timed = runs.iter_mut();
    for buffer in stamps {
        let ticks = |bytes: &[u8]| -> Vec<u64> {
            let halves =
                |pair: &[u8]| pair.chunks_exact(8).map(|b| b.iter().rev().fold(0, |n, &b| n << 8 | u64::from(b))).collect::<Vec<_>>();
            bytes.chunks_exact(STAMPS as usize).map(|pair| halves(pair)[1].saturating_sub(halves(pair)[0])).collect()
        };
        let ticks = readback::fetch(recorder, &buffer, "a profile", ticks).await?;
        timed.by_ref().zip(ticks).for_each(|(run, ticks)| run.seconds = ticks as f64 * profiler.tick_s);
    }
    Ok(runs)
}

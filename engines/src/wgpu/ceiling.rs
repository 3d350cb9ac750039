//! What an adapter can do at most: its rate of fp32 multiply-adds and of copied bytes, against which kernels are judged.

use super::profile;
use super::recorder::{Kernel, Recorder, groups};
use radiodiff_core::engine::EngineError;

static MULTIPLY_ADDS: Kernel = Kernel { source: &[include_str!("ceiling.wgsl")], entry: "multiply_adds", inputs: 1 };
static COPY: Kernel = Kernel { source: &[include_str!("ceiling.wgsl")], entry: "copy", inputs: 1 };

/// Threads of a workgroup of both kernels.
const THREADS: usize = 256;

/// Workgroups that multiply and add.
const WORKGROUPS: usize = 8192;

/// Multiply-adds of a thread in one turn of its loop: 8 chains of 4 lanes, extended 8 times.
const OF_A_TURN: usize = 8 * 4 * 8;

/// How long the multiply-adds should take, in seconds: long against starting them, short against patience.
const LONG_ENOUGH_S: f64 = 5e-3;

/// Floats that are copied. 128 MiB are more than most GPUs' caches hold, and WebGPU guarantees them.
const COPIED: usize = 32 << 20;

/// Runs of each kernel, of which the fastest counts.
const RUNS: usize = 4;

/// Measured limits of an adapter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ceilings {
    /// Floating point operations a second in fp32, two a multiply-add, where no memory is read.
    pub flops: f64,
    /// Bytes a second, read and written, of a copy of 128 MiB.
    pub bytes_per_s: f64,
}

/// `None` from a recorder that does not profile.
pub(super) async fn measure(recorder: &Recorder) -> Result<Option<Ceilings>, EngineError> {
    if recorder.profiler.is_none() {
        return Ok(None);
    }
    profile::take(recorder).await?;
    let source = recorder.upload(&vec![0.5; COPIED], &[COPIED]);
    let out = recorder.empty(&[COPIED]);
    let copy_s = fastest(recorder, || recorder.dispatch(&COPY, &[0], &[&source], &out, groups(COPIED / 4 / THREADS))).await?;
    let (source, out) = (&source, &out);
    let multiply_adds = async |turns: usize| {
        fastest(recorder, || recorder.dispatch(&MULTIPLY_ADDS, &[turns as u32], &[source], out, [WORKGROUPS, 1, 1])).await
    };
    let turns = (LONG_ENOUGH_S / multiply_adds(1).await?).clamp(1.0, 4096.0) as usize;
    let seconds = multiply_adds(turns).await?;
    let operations = 2 * WORKGROUPS * THREADS * OF_A_TURN * turns;
    Ok(Some(Ceilings { flops: operations as f64 / seconds, bytes_per_s: 8.0 * COPIED as f64 / copy_s }))
}

/// GPU time of the fastest run.
async fn fastest(recorder: &Recorder, run: impl Fn()) -> Result<f64, EngineError> {
    (0..RUNS).for_each(|_| run());
    let runs = profile::take(recorder).await?;
    // A clock of coarse ticks may show 0.
    Ok(runs.iter().map(|run| run.seconds).fold(f64::INFINITY, f64::min).max(1e-9))
}

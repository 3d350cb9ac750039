//! Communication by libtorch's c10d, through the shim in `shim/c10d.cpp`, which the build script compiles.
//!
//! Processes meet as PyTorch's do: at `MASTER_ADDR`:`MASTER_PORT`, where process 0 listens, unless torchrun listens there itself.
//!
//! A process that ends by an error leaves its reason there. The others hear of its end by the operation they are in, over Gloo at once
//! but over NCCL after half an hour; so each looks for a reason once a second, and ends too where its operation has not failed by itself
//! a little later.

use super::transport::Transport;
use crate::torch::{ShimError, outcome};
use anyhow::{Context, Error, Result, anyhow, bail};
use radiodiff_dataset::share::RankShare;
use std::env;
use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::ptr::null_mut;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use tch::{Device, Tensor};
use torch_sys::C_tensor;

unsafe extern "C" {
    fn trainer_c10d_open(
        host: *const c_char,
        port: u16,
        serves: bool,
        prefix: *const c_char,
        rank: c_int,
        world: c_int,
        cuda: bool,
        timeout_s: i64,
        group: *mut *mut c_void,
    ) -> ShimError;
    fn trainer_c10d_sum(group: *mut c_void, tensor: *const C_tensor) -> ShimError;
    fn trainer_c10d_broadcast(group: *mut c_void, tensor: *const C_tensor) -> ShimError;
    fn trainer_c10d_leave(group: *mut c_void, key: *const c_char, text: *const c_char) -> ShimError;
    fn trainer_c10d_look(group: *mut c_void, key: *const c_char, text: *mut ShimError) -> ShimError;
    fn trainer_c10d_close(group: *mut c_void);
}

/// PyTorch's own.
const TIMEOUT_S: i64 = 1800;
/// Where torchrun's workers meet unless told otherwise.
const DEFAULT_PORT: u16 = 29500;

/// Under which a process leaves the reason of its end.
const FAILURE: &CStr = c"failure";
/// Between two looks for such a reason.
const LOOK: Duration = Duration::from_secs(1);
/// Time for an operation to fail by itself, which says more.
const GRACE: Duration = Duration::from_secs(5);

/// A group of processes by c10d.
pub struct C10d {
    group: Arc<OpenGroup>,
    rank: usize,
    device: Device,
    /// Ends when its sender is dropped.
    watch: Option<(Sender<()>, JoinHandle<()>)>,
}

impl C10d {
    /// Waits for the other processes. Tensors on CUDA travel by NCCL where the program was built with it, all others by Gloo.
    ///
    /// # Errors
    /// `MASTER_ADDR` is not set; the processes do not meet.
    pub fn open(share: RankShare, device: Device) -> Result<Self> {
        let host = env::var("MASTER_ADDR").map_err(|_| {
            anyhow!(
                "this is process {} of {}, but MASTER_ADDR, the host of process 0, is not set: set it and MASTER_PORT (docs/training.md, \
                 Clusters), or start one process",
                share.rank(),
                share.world()
            )
        })?;
        let port = match env::var("MASTER_PORT") {
            Ok(port) => port.parse().with_context(|| format!("MASTER_PORT is {port:?}, expected a port"))?,
            Err(_) => DEFAULT_PORT,
        };
        let torchrun_serves = env::var("TORCHELASTIC_USE_AGENT_STORE").is_ok_and(|value| value == "True");
        let attempt = env::var("TORCHELASTIC_RESTART_COUNT").unwrap_or_else(|_| String::from("0"));
        let (name, prefix) = (CString::new(host.as_str())?, CString::new(format!("trainer/attempt-{attempt}"))?);
        let cuda = device.is_cuda() && cfg!(has_nccl);
        let (rank, world) = (c_int::try_from(share.rank())?, c_int::try_from(share.world())?);
        let serves = rank == 0 && !torchrun_serves;
        let mut group = null_mut();
        // SAFETY: both texts end in a zero and outlive the call, which keeps neither; `group` is a place for one pointer.
        let opened = outcome(unsafe {
            trainer_c10d_open(name.as_ptr(), port, serves, prefix.as_ptr(), rank, world, cuda, TIMEOUT_S, &raw mut group)
        });
        if let Err(reason) = opened {
            bail!("process {rank} of {world} does not meet the others at {host}:{port}: {reason}");
        }
        let group = Arc::new(OpenGroup(group));
        let (sender, receiver) = channel();
        let watched = Arc::clone(&group);
        let watch = thread::Builder::new().name("other processes".into()).spawn(move || end_with_others(&watched, &receiver));
        let watch = Some((sender, watch.context("starting the thread that watches the other processes")?));
        Ok(Self { group, rank: share.rank(), device: if cuda { device } else { Device::Cpu }, watch })
    }

    /// An operation's error, with the reason that another process has left.
    fn explained(&self, operation: &str, reason: &str) -> Error {
        match self.group.failure() {
            Ok(Some(failure)) => anyhow!("{failure} ({operation}: {reason})"),
            _ => anyhow!("{operation}: another process has ended or does not answer, and its output may say why: {reason}"),
        }
    }
}

/// What the shim has opened.
struct OpenGroup(*mut c_void);

// SAFETY: the group's store takes requests of several threads; operations on tensors are called by one thread only.
unsafe impl Send for OpenGroup {}
// SAFETY: as above.
unsafe impl Sync for OpenGroup {}

impl OpenGroup {
    /// The reason that a process has left.
    fn failure(&self) -> Result<Option<String>, String> {
        let mut text = ShimError::none();
        // SAFETY: the group is open until it is dropped, the key ends in a zero, and `text` is a place for one pointer.
        outcome(unsafe { trainer_c10d_look(self.0, FAILURE.as_ptr(), &raw mut text) })?;
        // A text that the caller frees, as an error's is.
        Ok(outcome(text).err())
    }
}

impl Drop for OpenGroup {
    fn drop(&mut self) {
        // SAFETY: it was opened and is closed once.
        unsafe { trainer_c10d_close(self.0) }
    }
}

/// Ends this process when another one has ended by an error.
fn end_with_others(group: &OpenGroup, ended: &Receiver<()>) {
    let wait = |time| ended.recv_timeout(time) == Err(RecvTimeoutError::Timeout);
    while wait(LOOK) {
        let reason = match group.failure() {
            Ok(None) => continue,
            Ok(Some(failure)) => failure,
            Err(reason) => format!("process 0 has ended, and its output may say why: {reason}"),
        };
        if wait(GRACE) {
            eprintln!("error: {reason}");
            std::process::exit(1);
        }
        return;
    }
}

impl Transport for C10d {
    fn device(&self) -> Device {
        self.device
    }

    fn sum(&self, tensor: &Tensor) -> Result<()> {
        // SAFETY: the group is open, and the tensor lives through the call, which waits for its end.
        let done = outcome(unsafe { trainer_c10d_sum(self.group.0, tensor.as_ptr()) });
        done.map_err(|reason| self.explained("summing over the processes", &reason))
    }

    fn broadcast(&self, tensor: &Tensor) -> Result<()> {
        // SAFETY: as in `sum`.
        let done = outcome(unsafe { trainer_c10d_broadcast(self.group.0, tensor.as_ptr()) });
        done.map_err(|reason| self.explained("copying from process 0", &reason))
    }

    fn abandon(&self, reason: &Error) {
        // One that came before is the reason of this one.
        if !matches!(self.group.failure(), Ok(None)) {
            return;
        }
        let text = format!("process {} has ended by an error: {reason:#}", self.rank).replace('\0', " ");
        let Ok(text) = CString::new(text) else { return };
        // SAFETY: the group is open; key and text end in a zero and outlive the call. Where process 0 is gone there is nobody to tell.
        let _ = outcome(unsafe { trainer_c10d_leave(self.group.0, FAILURE.as_ptr(), text.as_ptr()) });
    }
}

impl Drop for C10d {
    fn drop(&mut self) {
        if let Some((sender, watch)) = self.watch.take() {
            drop(sender);
            // A watch that has panicked has no more to say.
            let _ = watch.join();
        }
    }
}

//! Communication by libtorch's c10d, through the shim in `shim/c10d.cpp`, which the build script compiles.
//!
//! Processes meet as PyTorch's do: at `MASTER_ADDR`:`MASTER_PORT`, where process 0 listens, unless torchrun listens there itself.

use super::transport::Transport;
use anyhow::{Context, Result, anyhow, ensure};
use radiodiff_dataset::share::RankShare;
use std::env;
use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::ptr::null_mut;
use tch::{Device, Tensor};
use torch_sys::C_tensor;

// The errors' texts are the caller's, to be freed by `free`.
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
        error: *mut *mut c_char,
    ) -> *mut c_void;
    fn trainer_c10d_sum(group: *mut c_void, tensor: *const C_tensor, error: *mut *mut c_char) -> bool;
    fn trainer_c10d_broadcast(group: *mut c_void, tensor: *const C_tensor, error: *mut *mut c_char) -> bool;
    fn trainer_c10d_close(group: *mut c_void);
}

/// PyTorch's own.
const TIMEOUT_S: i64 = 1800;
/// Where torchrun's workers meet unless told otherwise.
const DEFAULT_PORT: u16 = 29500;

/// A group of processes by c10d.
pub struct C10d {
    group: *mut c_void,
    device: Device,
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
        let mut error = null_mut();
        // SAFETY: both texts end in a zero and outlive the call, which keeps neither; `error` is a place for one pointer.
        let group =
            unsafe { trainer_c10d_open(name.as_ptr(), port, serves, prefix.as_ptr(), rank, world, cuda, TIMEOUT_S, &raw mut error) };
        ensure!(!group.is_null(), "process {rank} of {world} does not meet the others at {host}:{port}: {}", text(error));
        Ok(Self { group, device: if cuda { device } else { Device::Cpu } })
    }
}

/// Takes the text of an error.
fn text(error: *mut c_char) -> String {
    if error.is_null() {
        return String::from("the operation has failed");
    }
    // SAFETY: the shim hands over a text that ends in a zero, made by strdup.
    unsafe {
        let text = CStr::from_ptr(error).to_string_lossy().into_owned();
        libc::free(error.cast());
        text
    }
}

impl Transport for C10d {
    fn device(&self) -> Device {
        self.device
    }

    fn sum(&self, tensor: &Tensor) -> Result<()> {
        let mut error = null_mut();
        // SAFETY: the group is open until it is dropped, and the tensor lives through the call, which waits for its end.
        let done = unsafe { trainer_c10d_sum(self.group, tensor.as_ptr(), &raw mut error) };
        ensure!(done, "summing over the processes: {}", text(error));
        Ok(())
    }

    fn broadcast(&self, tensor: &Tensor) -> Result<()> {
        let mut error = null_mut();
        // SAFETY: as in `sum`.
        let done = unsafe { trainer_c10d_broadcast(self.group, tensor.as_ptr(), &raw mut error) };
        ensure!(done, "copying from process 0: {}", text(error));
        Ok(())
    }
}

impl Drop for C10d {
    fn drop(&mut self) {
        // SAFETY: it was opened and is closed once.
        unsafe { trainer_c10d_close(self.group) }
    }
}

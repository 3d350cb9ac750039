//! The networks' engine on libtorch, with gradients: what training runs on.
//!
//! What flows in are values and parameters, what flows out are values and, after a backward pass, gradients in the parameters'
//! [`tch::Tensor`]s. The same code runs on the CPU and, where libtorch has it, on CUDA.

mod custom;
mod engine;
mod host_values;
mod kernels;
mod linear_attention;
mod normalize;
mod optimizer;
mod parameters;
mod precision;
mod schedule;
mod step_graph;

pub use custom::{ShimError, Staged, copy as copy_all, outcome};
pub use engine::{TorchEngine, TorchTensor};
pub use optimizer::{AdamW, Average, Gradients};
pub use parameters::TorchParameters;
pub use precision::TrainingPrecision;
pub use schedule::{AverageSchedule, Decay, Schedule};
pub use step_graph::{StepGraphs, StepInputs};

/// Brings libtorch's CUDA half in, where it is installed: the linker leaves it out because nothing names a symbol of it. Call
/// first thing in main.
pub fn load_cuda() {
    #[cfg(target_os = "linux")]
    {
        use libloading::os::unix::{Library, RTLD_GLOBAL, RTLD_NOW};
        // SAFETY: the library's initialisers are libtorch's own and are meant to run at load; nothing of tch has run yet.
        if let Ok(library) = unsafe { Library::open(Some("libtorch_cuda.so"), RTLD_NOW | RTLD_GLOBAL) } {
            // It registers its kernels with libtorch and must stay.
            std::mem::forget(library);
        }
    }
}

/// Keeps freed memory in the process: libtorch frees and takes the same few megabytes at every operation, and by default glibc
/// would give them back to the kernel each time, which then clears them page by page.
pub fn keep_freed_memory() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: mallopt only sets two numbers of the allocator; both are in their documented ranges.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, 1 << 30);
        libc::mallopt(libc::M_TRIM_THRESHOLD, i32::MAX);
    }
}

/// CUDA where there is one, else the CPU.
pub fn best_device() -> tch::Device {
    tch::Device::cuda_if_available()
}

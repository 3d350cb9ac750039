//! One training by several processes: each computes the gradient of its share of every batch, and all take the same step.
//!
//! In flow the variables of a launcher (torchrun, SLURM, MPI), tensors and flags. Out flows a [`ProcessGroup`], which averages over the
//! processes, copies from process 0 and agrees on ends. Tensors travel by libtorch's c10d ([`c10d`]: NCCL on GPUs, Gloo elsewhere) or,
//! with the feature `mpi`, by an MPI library.
//!
//! Process 0 leads: it alone reads and writes a run's folder. The others are given configuration, progress and tensors by it, so a
//! resumed run needs no folder on their machines.

mod c10d;
mod gradients;
mod group;
#[cfg(feature = "mpi")]
mod mpi;
mod transport;

pub use group::ProcessGroup;

/// What tensors travel by.
pub const LIBRARY: &str = if cfg!(has_nccl) { "NCCL on GPUs, Gloo on CPUs" } else { "Gloo" };

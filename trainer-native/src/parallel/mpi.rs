//! Communication by an MPI library, for clusters whose processes `mpirun` or `srun --mpi` starts and where there is no CUDA.

use super::transport::Transport;
use anyhow::{Context, Error, Result, ensure};
use mpi::collective::SystemOperation;
use mpi::environment::Universe;
use mpi::topology::SimpleCommunicator;
use mpi::traits::{Communicator, CommunicatorCollectives, Root};
use radiodiff_dataset::share::RankShare;
use tch::{Device, Tensor};

/// A group of processes by MPI.
pub struct Mpi {
    world: SimpleCommunicator,
    /// Ends MPI when it is dropped, after the communicator.
    _universe: Universe,
}

impl Mpi {
    /// # Errors
    /// MPI counts the processes otherwise than the launcher's variables do.
    pub fn open(share: RankShare) -> Result<Self> {
        let universe = mpi::initialize().context("MPI was initialised before")?;
        let world = universe.world();
        let (rank, count) = (world.rank() as usize, world.size() as usize);
        ensure!(
            (rank, count) == (share.rank(), share.world()),
            "MPI has process {rank} of {count}, the environment says {} of {}: was the trainer built with the MPI that starts it?",
            share.rank(),
            share.world()
        );
        Ok(Self { world, _universe: universe })
    }
}

/// Lends the memory of a contiguous tensor on the host, as values of `T`.
fn with_memory<T>(tensor: &Tensor, work: impl FnOnce(&mut [T])) -> Result<()> {
    ensure!(tensor.device() == Device::Cpu && tensor.is_contiguous(), "MPI is given a tensor that is not contiguous on the host");
    let bytes = tensor.numel() * tensor.kind().elt_size_in_bytes();
    if bytes == 0 {
        // Such a tensor may have no address.
        return Ok(());
    }
    // SAFETY: the tensor owns so many bytes in a row at this address, aligned for its elements, and nobody else uses them meanwhile.
    work(unsafe { std::slice::from_raw_parts_mut(tensor.data_ptr().cast::<T>(), bytes / size_of::<T>()) });
    Ok(())
}

impl Transport for Mpi {
    fn device(&self) -> Device {
        Device::Cpu
    }

    fn sum(&self, tensor: &Tensor) -> Result<()> {
        with_memory(tensor, |values: &mut [f32]| {
            let own = values.to_vec();
            self.world.all_reduce_into(&own[..], values, SystemOperation::sum());
        })
    }

    fn broadcast(&self, tensor: &Tensor) -> Result<()> {
        with_memory(tensor, |bytes: &mut [u8]| self.world.process_at_rank(0).broadcast_into(bytes))
    }

    /// Dropping the universe waits for all processes, which wait for this one in an operation that it does not come to.
    fn abandon(&self, reason: &Error) {
        eprintln!("error: {reason:#}");
        self.world.abort(1)
    }
}

impl Drop for Mpi {
    fn drop(&mut self) {
        if std::thread::panicking() {
            // As in `abandon`.
            self.world.abort(1)
        }
    }
}

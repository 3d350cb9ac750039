//! The processes of a training, and what they do together.

use super::c10d::C10d;
use super::transport::Transport;
use crate::torch::best_device;
use anyhow::{Context, Error, Result, ensure};
use radiodiff_dataset::share::{RankShare, local_rank};
use tch::{Device, Kind, Tensor};

/// Elements that travel at once, 64 MiB: the copy of the gradients that this takes shall not be as large as the network.
const BUCKET: usize = 1 << 24;

/// See the module. All processes call the same operations in the same order.
pub struct ProcessGroup {
    share: RankShare,
    device: Device,
    /// `None` for a process alone, for which every operation is done at once.
    transport: Option<Box<dyn Transport>>,
}

impl ProcessGroup {
    /// One process, on the best device there is.
    pub fn alone() -> Self {
        Self { share: RankShare::ALONE, device: best_device(), transport: None }
    }

    /// The processes that a launcher started ([`RankShare::from_environment`]), each on a GPU of its own where there are GPUs. Waits
    /// until all are there.
    ///
    /// # Errors
    /// Variables that contradict each other; processes that do not meet.
    pub fn from_environment() -> Result<Self> {
        let share = RankShare::from_environment()?;
        if share.is_alone() {
            return Ok(Self::alone());
        }
        let device = match (best_device(), tch::Cuda::device_count()) {
            // Where the launcher gives each process one GPU, that is the first of all.
            (Device::Cuda(_), count) if count > 0 => Device::Cuda(local_rank()?.unwrap_or(share.rank()) % count as usize),
            (device, _) => device,
        };
        Ok(Self { share, device, transport: Some(transport(share, device)?) })
    }

    /// Which process this is of how many.
    pub fn share(&self) -> RankShare {
        self.share
    }

    /// What this process computes on.
    pub fn device(&self) -> Device {
        self.device
    }

    /// Whether this process has the run's folder and speaks: process 0.
    pub fn leads(&self) -> bool {
        self.share.rank() == 0
    }

    /// Lets the other processes know that this one ends by an error.
    pub fn abandon(&self, reason: &Error) {
        if let Some(transport) = &self.transport {
            transport.abandon(reason);
        }
    }

    /// This process's part of a batch of so many samples.
    ///
    /// # Errors
    /// A batch that cannot be shared evenly; `entry` is its name in the configuration.
    pub fn part_of(&self, batch: usize, entry: &str) -> Result<usize> {
        let world = self.share.world();
        ensure!(
            batch.is_multiple_of(world),
            "{entry} is {batch}, which {world} processes cannot share evenly: expected a multiple of {world}"
        );
        Ok(batch / world)
    }

    /// Overwrites tensors by their means over the processes, in one go with `numbers`, whose means it returns. Tensors are floating
    /// point; what is undefined stays so. Alone, nothing changes, not even by rounding to float32.
    ///
    /// # Errors
    /// A process that has ended or does not answer.
    pub fn average<const N: usize>(&self, tensors: &[Tensor], numbers: [f64; N]) -> Result<[f64; N]> {
        let Some(transport) = &self.transport else { return Ok(numbers) };
        let _guard = tch::no_grad_guard();
        let rounded = Tensor::from_slice(&numbers.map(|number| number as f32)).to_device(self.device);
        let defined = tensors.iter().filter(|tensor| tensor.defined()).map(Tensor::detach);
        // First, so that there is always a bucket.
        let all: Vec<Tensor> = std::iter::once(rounded.shallow_clone()).chain(defined).collect();
        for bucket in buckets(&all) {
            let flat: Vec<Tensor> = bucket.iter().map(|tensor| tensor.to_device(self.device).to_kind(Kind::Float).reshape([-1])).collect();
            let sum = Tensor::cat(&flat, 0).to_device(transport.device());
            transport.sum(&sum)?;
            let mean = (sum / self.share.world() as f64).to_device(self.device);
            let mut begin = 0;
            for tensor in bucket {
                let count = tensor.numel() as i64;
                tensor.shallow_clone().copy_(&mean.narrow(0, begin, count).view_as(tensor));
                begin += count;
            }
        }
        Ok(std::array::from_fn(|i| rounded.double_value(&[i as i64])))
    }

    /// Overwrites every process's tensors by those of process 0.
    ///
    /// # Errors
    /// As [`Self::average`].
    pub fn copy_from_leader(&self, tensors: &[Tensor]) -> Result<()> {
        let Some(transport) = &self.transport else { return Ok(()) };
        let _guard = tch::no_grad_guard();
        for tensor in tensors {
            let copy = tensor.detach().to_device(transport.device()).contiguous();
            transport.broadcast(&copy)?;
            tensor.shallow_clone().copy_(&copy);
        }
        Ok(())
    }

    /// The rows of all processes, one after the other; `rows` has as many in each.
    ///
    /// # Errors
    /// As [`Self::average`].
    pub fn gather(&self, rows: &Tensor) -> Result<Tensor> {
        let Some(transport) = &self.transport else { return Ok(rows.shallow_clone()) };
        let _guard = tch::no_grad_guard();
        let (mut size, count) = (rows.size(), rows.size()[0]);
        size[0] *= self.share.world() as i64;
        // Each process's rows and zeros in place of the others', summed.
        let all = Tensor::zeros(size, (Kind::Float, transport.device()));
        all.narrow(0, self.share.rank() as i64 * count, count).copy_(&rows.detach());
        transport.sum(&all)?;
        Ok(all.to_device(self.device))
    }

    /// Whether any process says so.
    ///
    /// # Errors
    /// As [`Self::average`].
    pub fn any(&self, here: bool) -> Result<bool> {
        let [share] = self.average(&[], [f64::from(u8::from(here))])?;
        Ok(share > 0.0)
    }

    /// The text that process 0 makes; the others make none. Where it fails, they learn so when its connection closes.
    ///
    /// # Errors
    /// That of `make`, and as [`Self::average`].
    pub fn text_of_leader(&self, make: impl FnOnce() -> Result<String>) -> Result<String> {
        let text = if self.leads() { make()? } else { String::new() };
        if self.transport.is_none() {
            return Ok(text);
        }
        let length = Tensor::from(text.len() as i64);
        self.copy_from_leader(&[length.shallow_clone()])?;
        let mut bytes = text.into_bytes();
        bytes.resize(length.int64_value(&[]) as usize, 0);
        let tensor = Tensor::from_slice(&bytes);
        self.copy_from_leader(&[tensor.shallow_clone()])?;
        String::from_utf8(Vec::<u8>::try_from(&tensor)?).context("the text of process 0")
    }
}

/// Tensors in groups of about [`BUCKET`] elements.
fn buckets(tensors: &[Tensor]) -> impl Iterator<Item = &[Tensor]> {
    let mut room = BUCKET;
    tensors.chunk_by(move |before, _| {
        let fits = before.numel() < room;
        room = if fits { room - before.numel() } else { BUCKET };
        fits
    })
}

/// MPI for processes of an MPI launcher that were told no address to meet at, where it is built in; else c10d.
fn transport(share: RankShare, device: Device) -> Result<Box<dyn Transport>> {
    #[cfg(feature = "mpi")]
    if std::env::var_os("MASTER_ADDR").is_none() {
        return Ok(Box::new(super::mpi::Mpi::open(share)?));
    }
    Ok(Box::new(C10d::open(share, device)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;

    /// Two processes with the same tensors.
    struct Twins(RefCell<Vec<i64>>);

    impl Transport for Twins {
        fn device(&self) -> Device {
            Device::Cpu
        }
        fn sum(&self, tensor: &Tensor) -> Result<()> {
            self.0.borrow_mut().push(tensor.numel() as i64);
            let _ = tensor.shallow_clone().g_mul_scalar_(2.0);
            Ok(())
        }
        fn broadcast(&self, _: &Tensor) -> Result<()> {
            Ok(())
        }
        fn abandon(&self, _: &Error) {}
    }

    #[test]
    fn large_tensors_travel_in_buckets_and_come_back_in_place() {
        let share = RankShare::new(1, 2).expect("a share");
        let group = ProcessGroup { share, device: Device::Cpu, transport: Some(Box::new(Twins(RefCell::default()))) };
        let sizes = [3, BUCKET as i64, 5, 7];
        let tensors: Vec<Tensor> = sizes.iter().map(|&n| Tensor::arange(n, (Kind::Float, Device::Cpu))).collect();
        let before: Vec<Tensor> = tensors.iter().map(Tensor::copy).collect();
        let undefined = Tensor::new();
        let all: Vec<Tensor> = tensors.iter().map(Tensor::shallow_clone).chain([undefined]).collect();
        assert_eq!(group.average(&all, [0.25, 3.0]).expect("they answer"), [0.25, 3.0]);
        assert!(tensors.iter().zip(&before).all(|(after, before)| after == before), "the mean of twins");
        assert_eq!(buckets(&tensors).map(<[Tensor]>::len).collect::<Vec<_>>(), [2, 2]);
        assert_eq!(group.part_of(8, "x.batch").expect("even"), 4);
        let error = group.part_of(7, "x.batch").expect_err("odd").to_string();
        assert!(error.contains("x.batch is 7, which 2 processes cannot share evenly"), "{error}");
    }
}

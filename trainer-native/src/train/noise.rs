//! The random numbers of a step: the same for any number of processes that share its batch.

use radiodiff_core::random::seed_for;
use radiodiff_dataset::share::RankShare;
use std::cell::Cell;
use tch::{Device, Kind, Tensor};

/// Standard normal noise by step and number. It is drawn for the whole batch, of which each process takes its rows. What libtorch
/// draws besides, such as the masks of a dropout, differs between the processes.
pub struct StepNoise {
    share: RankShare,
    seed: Cell<u64>,
    drawn: Cell<u64>,
}

impl StepNoise {
    pub fn new(share: RankShare) -> Self {
        Self { share, seed: Cell::new(0), drawn: Cell::new(0) }
    }

    /// Begins a step whose random numbers `seed` fixes.
    pub fn begin(&self, seed: u64) {
        self.seed.set(seed);
        self.drawn.set(0);
        self.reseed();
    }

    /// The next noise, of the shape of `x`, whose first dimension is this process's part of the batch.
    pub fn like(&self, x: &Tensor) -> Tensor {
        self.of_shape(&x.size(), (x.kind(), x.device()))
    }

    /// As [`Self::like`].
    pub fn of_shape(&self, shape: &[i64], options: (Kind, Device)) -> Tensor {
        let (number, rows) = (self.drawn.get(), shape[0]);
        let mut whole = shape.to_vec();
        whole[0] *= self.share.world() as i64;
        tch::manual_seed(seed_for(self.seed.get(), &format!("noise {number}")) as i64);
        let noise = Tensor::randn(whole, options).narrow(0, self.share.rank() as i64 * rows, rows);
        self.drawn.set(number + 1);
        self.reseed();
        noise
    }

    fn reseed(&self) {
        let name = format!("process {} after {}", self.share.rank(), self.drawn.get());
        tch::manual_seed(seed_for(self.seed.get(), &name) as i64);
    }

    /// This process's part of values that were drawn for the whole batch.
    pub fn part<T: Copy>(&self, values: &[T]) -> Vec<T> {
        let count = values.len() / self.share.world();
        values[self.share.rank() * count..][..count].to_vec()
    }

    /// Samples of a whole batch of which this process has so many.
    pub fn whole(&self, part: usize) -> usize {
        part * self.share.world()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_the_processes_are_the_noise_of_one() {
        let of = |rank: usize, world: usize, rows: i64| {
            let noise = StepNoise::new(RankShare::new(rank, world).expect("a share"));
            noise.begin(5);
            let like = Tensor::zeros([rows, 2, 3, 3], (Kind::Float, Device::Cpu));
            let first = noise.like(&like);
            (first, noise.like(&like), Tensor::rand([4], (Kind::Float, Device::Cpu)), noise.part(&[0, 1, 2, 3]))
        };
        let (whole, parts) = (of(0, 1, 4), [of(0, 2, 2), of(1, 2, 2)]);
        assert_eq!(Tensor::cat(&[&parts[0].0, &parts[1].0], 0), whole.0);
        assert_eq!(Tensor::cat(&[&parts[0].1, &parts[1].1], 0), whole.1);
        assert_ne!(whole.0, whole.1);
        assert_ne!(parts[0].2, parts[1].2, "other masks");
        assert_eq!([&parts[0].3[..], &parts[1].3[..]].concat(), [0, 1, 2, 3]);
    }
}

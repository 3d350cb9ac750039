//! The random numbers of data: ChaCha with 8 rounds (Bernstein, 2008), which gives the same numbers on every platform.
//!
//! A seed has 2^64 streams. Every map and every epoch has one of its own, so that neither depends on the thread that makes it or on
//! those made before.

use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::f64::consts::TAU;

/// One stream of random numbers.
#[derive(Clone, Debug)]
pub struct Random(ChaCha8Rng);

impl Random {
    /// The stream `stream` of `seed`.
    pub fn new(seed: u64, stream: u64) -> Self {
        let mut generator = ChaCha8Rng::seed_from_u64(seed);
        generator.set_stream(stream);
        Self(generator)
    }

    /// Uniform in [low, high); `low` where both are equal.
    pub fn between(&mut self, low: f64, high: f64) -> f64 {
        low + self.0.random::<f64>() * (high - low)
    }

    /// True with this probability.
    pub fn chance(&mut self, probability: f64) -> bool {
        self.between(0.0, 1.0) < probability
    }

    /// An index below `count`.
    ///
    /// # Panics
    /// When `count` is 0.
    pub fn below(&mut self, count: usize) -> usize {
        self.0.random_range(0..count)
    }

    /// An angle in radians, any direction.
    pub fn angle(&mut self) -> f64 {
        self.between(0.0, TAU)
    }

    /// Puts a list into a random order.
    pub fn shuffle<T>(&mut self, list: &mut [T]) {
        list.shuffle(&mut self.0);
    }
}

/// What an epoch draws random numbers for.
#[derive(Clone, Copy, Debug)]
pub enum EpochUse {
    /// Which dataset each place of the epoch is of.
    Order,
    Symmetries,
    /// The samples of a dataset, by its place in the list; its epochs are its rounds.
    Dataset(usize),
}

/// The random numbers of an epoch for one use.
pub fn epoch_random(seed: u64, epoch: usize, of: EpochUse) -> Random {
    let of = match of {
        EpochUse::Order => 0,
        EpochUse::Symmetries => 1,
        EpochUse::Dataset(dataset) => 2 + dataset as u64,
    };
    // No list has as many datasets as would reach into the next epoch's streams.
    Random::new(seed, ((epoch as u64) << 16) + of)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_are_uniform_and_differ() {
        let mut random = Random::new(7, 3);
        let mut counts = [0; 10];
        (0..10_000).for_each(|_| counts[random.below(10)] += 1);
        assert!(counts.iter().all(|&c| (850..1150).contains(&c)), "{counts:?}");
        let first = |seed, stream| Random::new(seed, stream).below(usize::MAX);
        assert!(first(7, 3) != first(7, 4) && first(7, 3) != first(8, 3) && first(7, 3) == first(7, 3));
    }
}

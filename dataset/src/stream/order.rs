//! Which sample comes when: an endless row of epochs that the seed fixes.
//!
//! An epoch has as many places as the datasets have samples together. A dataset's share of the places is its weight's, and without
//! weights as many as it has samples. Each dataset goes through all its samples in a random order before it starts again in another,
//! across epochs where its share is smaller or larger than the dataset.

use super::curriculum::{Curriculum, Ranks};
use crate::random::{EpochUse, epoch_random};
use anyhow::{Result, ensure};
use radiodiff_radio::geometry::Symmetry;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

/// A place in the row of samples, from which a stream can start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StreamPosition {
    /// Fixes every epoch's order and symmetries.
    pub seed: u64,
    pub epoch: usize,
    /// Number of the epoch's samples that came before.
    pub index: usize,
}

impl StreamPosition {
    /// The beginning of the row that `seed` fixes.
    pub fn start(seed: u64) -> Self {
        Self { seed, ..Self::default() }
    }

    /// The position `samples` further on, in epochs of `length` samples: where a stream is after so many.
    pub fn advanced(self, samples: usize, length: usize) -> Self {
        let index = self.index + samples;
        Self { epoch: self.epoch + index / length, index: index % length, ..self }
    }
}

/// A sample of the row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderedSample {
    /// Its index in the [`TrainingSet`](super::TrainingSet).
    pub index: usize,
    /// What it is turned by.
    pub symmetry: Symmetry,
}

/// A dataset as the order sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// Its samples' indices begin here.
    pub first: usize,
    pub samples: usize,
    /// Its places in every epoch.
    pub places: usize,
}

/// The shares of datasets of these sizes. `weights` has one for each dataset, or none.
///
/// # Errors
/// A weight that is not above 0.
pub fn shares(sizes: &[usize], weights: Option<&[f64]>) -> Result<Vec<Share>> {
    let length: usize = sizes.iter().sum();
    let places = match weights {
        None => sizes.to_vec(),
        Some(weights) => {
            for weight in weights {
                ensure!(weight.is_finite() && *weight > 0.0, "a dataset's weight is {weight}, expected a number above 0");
            }
            divided(length, weights)
        }
    };
    let mut first = 0;
    let share = |(&samples, places): (&usize, usize)| {
        first += samples;
        Share { first: first - samples, samples, places }
    };
    Ok(sizes.iter().zip(places).map(share).collect())
}

/// `length` in whole parts that go by `weights`: those with the largest remainders are rounded up.
fn divided(length: usize, weights: &[f64]) -> Vec<usize> {
    let sum: f64 = weights.iter().sum();
    let exact: Vec<f64> = weights.iter().map(|weight| length as f64 * weight / sum).collect();
    let mut parts: Vec<usize> = exact.iter().map(|part| part.floor() as usize).collect();
    let mut by_remainder: Vec<usize> = (0..parts.len()).collect();
    by_remainder.sort_by(|&a, &b| exact[b].fract().total_cmp(&exact[a].fract()));
    let left = length.saturating_sub(parts.iter().sum());
    by_remainder.into_iter().take(left).for_each(|i| parts[i] += 1);
    parts
}

/// An epoch's samples: index and number of the symmetry, in 8 bytes.
type Plan = Vec<(u32, u8)>;

/// The row of samples. Epochs are worked out when they are asked for.
#[derive(Debug)]
pub struct Order {
    seed: u64,
    shares: Vec<Share>,
    /// Symmetries are drawn among the first so many.
    symmetries: usize,
    /// The ranks have one entry for each dataset.
    curriculum: Option<(Curriculum, Arc<Vec<Ranks>>)>,
    recent: Mutex<VecDeque<(usize, Arc<Plan>)>>,
}

/// Epochs kept: threads that work ahead are in the next one while others finish one.
const RECENT: usize = 3;

impl Order {
    pub fn new(seed: u64, shares: Vec<Share>, symmetries: usize) -> Self {
        Self { seed, shares, symmetries, curriculum: None, recent: Mutex::default() }
    }

    /// The same with easy samples first; `ranks` has one entry for each dataset.
    pub fn with_curriculum(self, curriculum: Curriculum, ranks: Arc<Vec<Ranks>>) -> Self {
        Self { curriculum: Some((curriculum, ranks)), ..self }
    }

    /// Samples in an epoch.
    pub fn length(&self) -> usize {
        self.shares.iter().map(|share| share.samples).sum()
    }

    /// `count` samples from a position on; they may reach over several epochs.
    pub fn samples(&self, position: StreamPosition, count: usize) -> Vec<OrderedSample> {
        let mut samples = Vec::with_capacity(count);
        let StreamPosition { mut epoch, mut index, .. } = position;
        while samples.len() < count {
            let plan = self.epoch(epoch);
            let part = &plan[index..plan.len().min(index + count - samples.len())];
            let ordered = |&(index, symmetry): &(u32, u8)| OrderedSample {
                index: index as usize,
                symmetry: Symmetry::numbered(usize::from(symmetry)),
            };
            samples.extend(part.iter().map(ordered));
            (epoch, index) = (epoch + 1, 0);
        }
        samples
    }

    fn epoch(&self, epoch: usize) -> Arc<Plan> {
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, plan)) = recent.iter().find(|(number, _)| *number == epoch) {
            return Arc::clone(plan);
        }
        let plan = Arc::new(self.plan(epoch));
        recent.truncate(RECENT - 1);
        recent.push_front((epoch, Arc::clone(&plan)));
        plan
    }

    fn plan(&self, epoch: usize) -> Plan {
        let owner = |(dataset, share): (usize, &Share)| std::iter::repeat_n(dataset, share.places);
        let mut places: Vec<usize> = self.shares.iter().enumerate().flat_map(owner).collect();
        epoch_random(self.seed, epoch, EpochUse::Order).shuffle(&mut places);
        let mut turns = epoch_random(self.seed, epoch, EpochUse::Symmetries);
        let mut walks: Vec<Walk> = (0..self.shares.len()).map(|dataset| Walk::at(self, dataset, epoch)).collect();
        let length = places.len() as f64;
        let sample = |(place, dataset): (usize, usize)| {
            let sample = walks[dataset].next(self);
            let epochs = epoch as f64 + place as f64 / length;
            (self.or_easier(dataset, sample, epochs), turns.below(self.symmetries) as u8)
        };
        places.into_iter().enumerate().map(sample).collect()
    }

    /// The sample itself, or the one that stands for it while only easy ones are drawn.
    fn or_easier(&self, dataset: usize, sample: u32, epochs: f64) -> u32 {
        let Some((curriculum, ranks)) = &self.curriculum else { return sample };
        let first = self.shares[dataset].first as u32;
        first + ranks[dataset].easier(sample - first, curriculum.share_after(epochs))
    }
}

/// A dataset's way through its samples, in a new order every time round.
struct Walk {
    dataset: usize,
    /// Samples of this dataset that were drawn before, in all epochs.
    drawn: usize,
    round: usize,
    order: Vec<u32>,
}

impl Walk {
    fn at(order: &Order, dataset: usize, epoch: usize) -> Self {
        let drawn = epoch * order.shares[dataset].places;
        let round = drawn / order.shares[dataset].samples;
        Self { dataset, drawn, round, order: Self::round(order, dataset, round) }
    }

    fn round(order: &Order, dataset: usize, round: usize) -> Vec<u32> {
        let Share { first, samples, .. } = order.shares[dataset];
        let mut indices: Vec<u32> = (first as u32..(first + samples) as u32).collect();
        epoch_random(order.seed, round, EpochUse::Dataset(dataset)).shuffle(&mut indices);
        indices
    }

    fn next(&mut self, order: &Order) -> u32 {
        let samples = order.shares[self.dataset].samples;
        if self.drawn / samples != self.round {
            self.round = self.drawn / samples;
            self.order = Self::round(order, self.dataset, self.round);
        }
        self.drawn += 1;
        self.order[(self.drawn - 1) % samples]
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn indices(order: &Order, epoch: usize, index: usize, count: usize) -> Vec<usize> {
        order.samples(StreamPosition { seed: 0, epoch, index }, count).into_iter().map(|sample| sample.index).collect()
    }

    #[test]
    fn without_weights_every_sample_comes_once_an_epoch() {
        let order = Order::new(7, shares(&[5, 9], None).unwrap(), 8);
        let epochs: Vec<Vec<usize>> = (0..3).map(|epoch| indices(&order, epoch, 0, 14)).collect();
        for epoch in &epochs {
            let mut sorted = epoch.clone();
            sorted.sort_unstable();
            assert_eq!(sorted, (0..14).collect::<Vec<_>>());
        }
        assert!(epochs[0] != epochs[1] && epochs[1] != epochs[2], "each in an order of its own");
        let other = Order::new(8, shares(&[5, 9], None).unwrap(), 8);
        assert_ne!(indices(&other, 0, 0, 14), epochs[0]);
        assert_eq!(indices(&order, 0, 10, 20), [&epochs[0][10..], &epochs[1][..], &epochs[2][..2]].concat(), "epochs join");
    }

    #[test]
    fn weights_are_the_shares_of_what_is_drawn() {
        let order = Order::new(7, shares(&[4, 16], Some(&[3.0, 1.0])).unwrap(), 1);
        let drawn = indices(&order, 0, 0, 20 * 8);
        let mut counts = BTreeMap::new();
        drawn.iter().for_each(|&i| *counts.entry(i).or_insert(0) += 1);
        // 15 places of 20 are the small dataset's: 120 of 160, 30 for each of its four samples; 40 over the others' 16.
        assert!((0..4).all(|i| counts[&i] == 30), "{counts:?}");
        assert!((4..20).all(|i| (2..=3).contains(&counts[&i])), "{counts:?}");
        let error = shares(&[4, 16], Some(&[3.0, 0.0])).unwrap_err().to_string();
        assert!(error.contains("weight is 0, expected a number above 0"), "{error}");
        assert_eq!(divided(10, &[1.0, 1.0, 1.0]).iter().sum::<usize>(), 10);
    }

    #[test]
    fn a_curriculum_begins_with_the_easiest_of_each_dataset() {
        let difficulties: Vec<f64> = (0..20).map(|sample| f64::from(sample % 10)).collect();
        let ranks = Arc::new(vec![Ranks::new(&difficulties[..10]), Ranks::new(&difficulties[10..])]);
        let order = |seed| Order::new(seed, shares(&[10, 10], None).unwrap(), 1);
        let taught = order(7).with_curriculum(Curriculum { start: 0.2, epochs: 2.0 }, ranks);
        let hardest = |epoch, index, count| {
            let drawn = indices(&taught, epoch, index, count).into_iter();
            drawn.map(|sample| sample % 10).max().unwrap()
        };
        assert!(hardest(0, 0, 5) <= 3 && hardest(0, 0, 20) <= 6, "shares of 0.2 to 0.28 and to 0.6");
        assert!(hardest(1, 10, 10) >= 7, "0.8 and more");
        assert_eq!(indices(&taught, 2, 0, 40), indices(&order(7), 2, 0, 40), "no trace after the last epoch of it");
    }

    #[test]
    fn symmetries_are_drawn_among_the_first_ones() {
        for symmetries in [1, 2, 8] {
            let order = Order::new(3, shares(&[200], None).unwrap(), symmetries);
            let mut seen = [0; 8];
            order.samples(StreamPosition::start(3), 200).into_iter().for_each(|sample| seen[sample.symmetry.number()] += 1);
            assert!(seen.iter().enumerate().all(|(i, &count)| (count > 0) == (i < symmetries)), "{seen:?}");
        }
    }

    #[test]
    fn a_position_advances_over_epochs() {
        let position = StreamPosition { seed: 1, epoch: 2, index: 5 };
        assert_eq!(position.advanced(4, 10), StreamPosition { seed: 1, epoch: 2, index: 9 });
        assert_eq!(position.advanced(25, 10), StreamPosition { seed: 1, epoch: 5, index: 0 });
    }
}

//! The pixels that a transmitter covers, one bit each.

use crate::raster::PlanLayer;

/// A set of a map's pixels.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CoveredPixels {
    words: Vec<u64>,
}

impl CoveredPixels {
    /// The pixels whose value meets the threshold, by [`PlanLayer::covers`]; NaN meets none.
    pub fn new(layer: PlanLayer, values: &[f32], threshold: f64) -> Self {
        let word = |values: &[f32]| values.iter().rev().fold(0, |word, &value| word << 1 | u64::from(layer.covers(value, threshold)));
        Self { words: values.chunks(64).map(word).collect() }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.words.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// How many of them are not in `known`, a set of the same map or an empty one.
    pub fn count_beyond(&self, known: &Self) -> usize {
        let beyond = |(i, word): (usize, &u64)| (word & !known.words.get(i).copied().unwrap_or(0)).count_ones() as usize;
        self.words.iter().enumerate().map(beyond).sum()
    }

    /// Adds the pixels of another set.
    pub fn merge(&mut self, other: &Self) {
        self.words.resize(self.words.len().max(other.words.len()), 0);
        self.words.iter_mut().zip(&other.words).for_each(|(word, more)| *word |= more);
    }
}

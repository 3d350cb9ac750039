//! The wavefront's queue: pixels in the order of their loss, equal losses in the order of the pixels.
//!
//! The queue has buckets of a fraction of a decibel. A bucket is sorted when its turn comes, which takes less time than a heap of its
//! pixels would. Few pixels come to a bucket after that; those wait in a heap of their own.

use crate::arithmetic::larger;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

const BUCKETS_PER_DB: f64 = 32.0;
/// Losses beyond the last bucket share it.
const BUCKETS: usize = 8192;

/// (loss, pixel), the loss as its bits, because positive floats sort as their bits do. The least comes last in a sorted bucket.
type Entry = Reverse<(u64, u32)>;

/// A priority queue of pixels by loss in dB.
pub struct Queue {
    buckets: Vec<Vec<Entry>>,
    /// The bucket whose turn it is, what is left of it, and the pixels that came to it since.
    current: usize,
    sorted: Vec<Entry>,
    late: BinaryHeap<Entry>,
}

impl Queue {
    pub fn new() -> Self {
        Self { buckets: vec![Vec::new(); BUCKETS], current: 0, sorted: Vec::new(), late: BinaryHeap::new() }
    }

    /// Adds a pixel; a pixel may be added again with a lower loss.
    pub fn push(&mut self, loss_db: f64, pixel: usize) {
        let entry = Reverse((larger(loss_db, 0.0).to_bits(), pixel as u32));
        let bucket = ((loss_db * BUCKETS_PER_DB) as usize).min(BUCKETS - 1);
        if bucket <= self.current { self.late.push(entry) } else { self.buckets[bucket].push(entry) }
    }

    /// Removes the pixel of least loss and returns (loss, pixel).
    pub fn pop(&mut self) -> Option<(f64, usize)> {
        while self.sorted.is_empty() && self.late.is_empty() {
            self.current += 1;
            self.sorted = std::mem::take(self.buckets.get_mut(self.current)?);
            self.sorted.sort_unstable();
        }
        let late_first = self.late.peek() > self.sorted.last();
        let next = if late_first { self.late.pop() } else { self.sorted.pop() };
        next.map(|Reverse((loss, pixel))| (f64::from_bits(loss), pixel as usize))
    }
}

//! The wavefront's queue: pixels in the order of their loss, equal losses in the order of the pixels.
//!
//! The queue has buckets of a fraction of a decibel, and only the current bucket is kept in order: a heap of some fifty pixels fits
//! the nearest cache, a heap of all waiting pixels does not.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

const BUCKETS_PER_DB: f64 = 8.0;
/// Losses beyond the last bucket share it.
const BUCKETS: usize = 2048;

/// A priority queue of pixels by loss in dB.
pub struct Queue {
    /// (loss, pixel), the loss as its bits, because positive floats sort as their bits do.
    buckets: Vec<Vec<Reverse<(u64, u32)>>>,
    /// The current bucket, and its pixels that are left.
    current: usize,
    heap: BinaryHeap<Reverse<(u64, u32)>>,
}

impl Queue {
    pub fn new() -> Self {
        Self { buckets: vec![Vec::new(); BUCKETS], current: 0, heap: BinaryHeap::new() }
    }

    /// Adds a pixel; a pixel may be added again with a lower loss.
    pub fn push(&mut self, loss_db: f64, pixel: usize) {
        let entry = Reverse((loss_db.max(0.0).to_bits(), pixel as u32));
        let bucket = ((loss_db * BUCKETS_PER_DB) as usize).min(BUCKETS - 1);
        if bucket <= self.current { self.heap.push(entry) } else { self.buckets[bucket].push(entry) }
    }

    /// Removes the pixel of least loss and returns (loss, pixel).
    pub fn pop(&mut self) -> Option<(f64, usize)> {
        while self.heap.is_empty() {
            self.current += 1;
            self.heap = std::mem::take(self.buckets.get_mut(self.current)?).into();
        }
        self.heap.pop().map(|Reverse((loss, pixel))| (f64::from_bits(loss), pixel as usize))
    }
}

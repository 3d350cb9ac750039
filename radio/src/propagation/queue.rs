//! The wavefront's queue: pixels in the order of their loss, equal losses in the order of the pixels.
//!
//! Buckets of a fraction of a decibel, of which only the one being worked off is kept in order: a heap of some fifty pixels stays in
//! the nearest cache, where one of all that wait does not.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

const BUCKETS_PER_DB: f64 = 8.0;
/// What lies beyond shares the last.
const BUCKETS: usize = 2048;

pub struct Queue {
    /// Losses as bits: positive floats sort as these do.
    buckets: Vec<Vec<Reverse<(u64, u32)>>>,
    /// The bucket being worked off, and what is left of it.
    current: usize,
    heap: BinaryHeap<Reverse<(u64, u32)>>,
}

impl Queue {
    pub fn new() -> Self {
        Self { buckets: vec![Vec::new(); BUCKETS], current: 0, heap: BinaryHeap::new() }
    }

    pub fn push(&mut self, loss_db: f64, pixel: usize) {
        let entry = Reverse((loss_db.max(0.0).to_bits(), pixel as u32));
        let bucket = ((loss_db * BUCKETS_PER_DB) as usize).min(BUCKETS - 1);
        if bucket <= self.current { self.heap.push(entry) } else { self.buckets[bucket].push(entry) }
    }

    /// The pixel of least loss, with that loss.
    pub fn pop(&mut self) -> Option<(f64, usize)> {
        while self.heap.is_empty() {
            self.current += 1;
            self.heap = std::mem::take(self.buckets.get_mut(self.current)?).into();
        }
        self.heap.pop().map(|Reverse((loss, pixel))| (f64::from_bits(loss), pixel as usize))
    }
}

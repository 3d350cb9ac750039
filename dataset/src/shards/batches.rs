//! Batches of an epoch, made ahead by threads in an order that only the seed fixes.
//!
//! Thread t of T makes the batches t, t + T, ... into a queue of its own, and the queues are read in turn, so that any number of
//! threads gives the same batches in the same order.

use super::reader::Shards;
use crate::random::{EpochUse, epoch_order, epoch_random};
use anyhow::{Context, Result};
use radiodiff_radio::geometry::Symmetry;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;

/// Which samples come in which batches.
#[derive(Clone, Copy, Debug)]
pub struct Epoch {
    pub seed: u64,
    pub number: usize,
    /// Samples a batch; the last one has what is left.
    pub batch: usize,
    /// Whether each sample is turned by a symmetry, drawn anew for every epoch.
    pub augment: bool,
    pub threads: usize,
    /// Batches that each thread makes ahead.
    pub prefetch: usize,
}

/// Samples in memory, row-major and ready for a network.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ShardBatch {
    /// (map, transmitter) of each sample.
    pub names: Vec<(u32, u32)>,
    /// (B, C, N, N): 1 inside buildings, at the transmitter's pixel and, in shards with cars, where a car stands; -1 elsewhere. These
    /// channels are images of scalars: under a symmetry only their pixels move.
    pub condition: Vec<f32>,
    /// (B, 1, N, N): gray levels moved to [-1, 1].
    pub truth: Vec<f32>,
}

/// An iterator over an epoch's batches.
pub struct Batches {
    queues: Vec<Receiver<Result<ShardBatch>>>,
    next: usize,
    count: usize,
}

impl Shards {
    /// Starts the threads that make an epoch's batches; they end with the epoch or when the iterator is dropped.
    ///
    /// # Errors
    /// When a thread cannot be started; an item is an error when a record is damaged, and none follows it.
    pub fn epoch(self: &Arc<Self>, epoch: Epoch) -> Result<Batches> {
        let order = epoch_order(epoch.seed, epoch.number, self.len());
        let mut turns = epoch_random(epoch.seed, epoch.number, EpochUse::Symmetries);
        let mut symmetry = || if epoch.augment { Symmetry::numbered(turns.below(8)) } else { Symmetry::default() };
        let plan: Arc<Vec<(usize, Symmetry)>> = Arc::new(order.into_iter().map(|sample| (sample, symmetry())).collect());
        let (batch, threads) = (epoch.batch.max(1), epoch.threads.max(1));
        let mut queues = Vec::new();
        for first in 0..threads {
            let (sender, receiver) = sync_channel(epoch.prefetch.max(1));
            let (shards, plan) = (Arc::clone(self), Arc::clone(&plan));
            let make = move || {
                for part in plan.chunks(batch).skip(first).step_by(threads) {
                    let made = shards.batch(part);
                    let failed = made.is_err();
                    // Nobody receives once the iterator is dropped.
                    if sender.send(made).is_err() || failed {
                        return;
                    }
                }
            };
            thread::Builder::new().name(format!("batches {first}")).spawn(make).context("starting a thread that makes batches")?;
            queues.push(receiver);
        }
        Ok(Batches { queues, next: 0, count: plan.len().div_ceil(batch) })
    }

    /// These samples, each turned by its symmetry.
    ///
    /// # Errors
    /// A damaged record.
    pub fn batch(&self, samples: &[(usize, Symmetry)]) -> Result<ShardBatch> {
        let grid = self.grid();
        let (size, pixels, channels) = (grid.size, grid.pixels(), 2 + usize::from(self.manifest().layout.cars));
        let (mut names, mut condition) = (Vec::with_capacity(samples.len()), Vec::with_capacity(samples.len() * channels * pixels));
        let mut truth = Vec::with_capacity(samples.len() * pixels);
        let (mut mask, mut turned) = (Vec::with_capacity(pixels + 7), vec![0; pixels]);
        for &(i, symmetry) in samples {
            let record = self.record(i)?;
            names.push((record.map, record.transmitter));
            symmetry.turn(size, record.gain, &mut turned);
            truth.extend(turned.iter().map(|&level| f32::from(level) / 127.5 - 1.0));
            let mut draw = |bits: &[u8], condition: &mut Vec<f32>| {
                unpack_bits(bits, &mut mask);
                symmetry.turn(size, &mask[..pixels], &mut turned);
                condition.extend(turned.iter().map(|&lit| 2.0 * f32::from(lit) - 1.0));
            };
            draw(record.buildings, &mut condition);
            let channel = condition.len();
            condition.resize(channel + pixels, -1.0);
            if let Some(pixel) = grid.pixel_of(record.position) {
                let (row, column) = symmetry.pixel(size, pixel);
                condition[channel + row * size + column] = 1.0;
            }
            if let Some(cars) = record.cars {
                draw(cars, &mut condition);
            }
        }
        Ok(ShardBatch { names, condition, truth })
    }
}

/// A byte's bits, the lowest first.
const BITS: [[u8; 8]; 256] = {
    let mut bits = [[0; 8]; 256];
    let mut i = 0;
    while i < 8 * 256 {
        bits[i / 8][i % 8] = ((i / 8) >> (i % 8)) as u8 & 1;
        i += 1;
    }
    bits
};

fn unpack_bits(bits: &[u8], mask: &mut Vec<u8>) {
    mask.clear();
    bits.iter().for_each(|&byte| mask.extend_from_slice(&BITS[usize::from(byte)]));
}

impl Batches {
    /// Number of batches of the whole epoch.
    pub fn count(&self) -> usize {
        self.count
    }
}

impl Iterator for Batches {
    type Item = Result<ShardBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        let queue = self.queues.get(self.next % self.queues.len().max(1))?;
        self.next += 1;
        // A queue that is closed early belonged to a thread that found a damaged record and has said so.
        let made = queue.recv().ok();
        if !matches!(made, Some(Ok(_))) {
            self.queues.clear();
        }
        made
    }
}

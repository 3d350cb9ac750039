//! Opening a folder of shards and reading its records where they lie in memory.

use super::format::{
    AGAIN, CRC, HEADER, MAGIC, MANIFEST, MOST_PIXELS, PLACE, RecordLayout, ShardEntry, ShardManifest, VERSION, digest, shard_name,
};
use crate::folder::METERS_PER_PIXEL;
use anyhow::{Context, Result, bail, ensure};
use geo::Coord;
use memmap2::Mmap;
use radiodiff_radio::scene::Grid;
use rayon::prelude::*;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

/// One sample, as it lies in the file.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    pub map: u32,
    pub transmitter: u32,
    /// Metres from the south-west.
    pub position: Coord<f64>,
    /// (N, N) gray levels.
    pub gain: &'a [u8],
    /// A bit a pixel.
    pub buildings: &'a [u8],
    pub cars: Option<&'a [u8]>,
}

fn number(bytes: &[u8], at: usize) -> u32 {
    let mut word = [0; 4];
    word.copy_from_slice(&bytes[at..at + 4]);
    u32::from_le_bytes(word)
}

fn real(bytes: &[u8], at: usize) -> f64 {
    let mut word = [0; 8];
    word.copy_from_slice(&bytes[at..at + 8]);
    f64::from_le_bytes(word)
}

/// An opened folder of shards.
#[derive(Debug)]
pub struct Shards {
    manifest: ShardManifest,
    /// Path, samples before it, and content.
    files: Vec<(PathBuf, usize, Mmap)>,
}

impl Shards {
    /// Whether a folder holds shards, complete or not.
    pub fn are_in(folder: &Path) -> bool {
        folder.join(MANIFEST).exists() || folder.join(shard_name(0)).exists()
    }

    /// Maps every shard and checks its header and length.
    ///
    /// # Errors
    /// A folder without a manifest, which is half written; a shard that is missing, shorter or longer than it should be, of
    /// another version or another packing, or whose header is damaged. The message names the file and what to do.
    pub fn open(folder: &Path) -> Result<Self> {
        let path = folder.join(MANIFEST);
        let shown = path.display();
        if !path.exists() && Self::are_in(folder) {
            bail!("{shown} is missing: the shards beside it are half written; {AGAIN}");
        }
        let text = fs::read_to_string(&path).with_context(|| format!("{shown} cannot be read; a folder of shards is expected"))?;
        let manifest: ShardManifest = serde_json::from_str(&text).with_context(|| format!("{shown} is damaged; {AGAIN}"))?;
        ensure!(manifest.version == VERSION, "{shown} has version {}, this program reads {VERSION}; {AGAIN}", manifest.version);
        let size = manifest.layout.size;
        ensure!((1..=MOST_PIXELS).contains(&size), "{shown} is damaged: maps of {size} x {size} pixels; {AGAIN}");
        let (mut files, mut samples) = (Vec::new(), 0);
        for entry in &manifest.shards {
            let path = folder.join(&entry.file);
            let content = open_shard(&path, entry, manifest.layout).with_context(|| format!("{}; {AGAIN}", path.display()))?;
            files.push((path, samples, content));
            samples += entry.samples;
        }
        ensure!(
            samples == manifest.samples && samples > 0,
            "{shown} is damaged: {} samples, {samples} in shards; {AGAIN}",
            manifest.samples
        );
        Ok(Self { manifest, files })
    }

    pub fn manifest(&self) -> &ShardManifest {
        &self.manifest
    }

    /// Number of samples.
    pub fn len(&self) -> usize {
        self.manifest.samples
    }

    /// Never true of opened shards.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Reads one sample.
    ///
    /// # Errors
    /// A record whose checksum is wrong or whose transmitter is not on the map; the message names the shard.
    ///
    /// # Panics
    /// When `i` is not below [`Self::len`].
    pub fn record(&self, i: usize) -> Result<Record<'_>> {
        assert!(i < self.len(), "sample {i} of {}", self.len());
        let (path, before, content) = &self.files[self.files.partition_point(|(_, before, _)| *before <= i) - 1];
        let (layout, at) = (self.manifest.layout, i - before);
        let record = &content[HEADER + at * layout.record_bytes()..][..layout.record_bytes()];
        let (body, crc) = record.split_at(record.len() - CRC);
        let damaged = || format!("{}: record {at} is damaged; {AGAIN}", path.display());
        ensure!(crc32fast::hash(body) == number(crc, 0), damaged());
        let (gain, rest) = body.split_at(layout.pixels());
        let (buildings, rest) = rest.split_at(layout.mask_bytes());
        let (cars, place) = rest.split_at(rest.len() - PLACE);
        let position = Coord { x: real(place, 8), y: real(place, 16) };
        ensure!(self.grid().pixel_of(position).is_some(), damaged());
        let cars = layout.cars.then_some(cars);
        Ok(Record { map: number(place, 0), transmitter: number(place, 4), position, gain, buildings, cars })
    }

    /// Reads all records and returns a line for every damage, with the file's name.
    pub fn damages(&self) -> Vec<String> {
        let record = self.manifest.layout.record_bytes();
        let wrong_digest = self.files.iter().zip(&self.manifest.shards).filter(|((_, _, content), entry)| {
            let records = content[HEADER..].chunks_exact(record);
            digest(records) != entry.digest
        });
        let of_files =
            wrong_digest.map(|((path, ..), _)| format!("{}: its records are not those it was written with; {AGAIN}", path.display()));
        let of_records = (0..self.len()).into_par_iter().filter_map(|i| self.record(i).err().map(|error| format!("{error:#}")));
        of_files.chain(of_records.collect::<Vec<_>>()).collect()
    }

    /// The samples' grid.
    pub fn grid(&self) -> Grid {
        Grid { size: self.manifest.layout.size, meters_per_pixel: METERS_PER_PIXEL }
    }
}

fn open_shard(path: &Path, entry: &ShardEntry, layout: RecordLayout) -> Result<Mmap> {
    let file = File::open(path).context("cannot be read")?;
    // SAFETY: shards are never written in place: a new one is renamed over the old, whose mapped content stays as it was. A
    // foreign program that shortens a mapped file ends this one with SIGBUS, which no Rust reference outlives.
    let content = unsafe { Mmap::map(&file) }.context("cannot be mapped")?;
    ensure!(content.len() >= HEADER && content[..8] == *MAGIC, "expected a shard, found {} bytes that are none", content.len());
    let [version, size, cars, records, digest, crc] = [8, 12, 16, 20, 24, 28].map(|at| number(&content, at));
    ensure!(crc32fast::hash(&content[..HEADER - CRC]) == crc, "its header is damaged");
    ensure!(version == VERSION, "it has version {version}, this program reads {VERSION}");
    let expected = HEADER as u128 + entry.samples as u128 * layout.record_bytes() as u128;
    ensure!(content.len() as u128 == expected, "expected {expected} bytes, found {}: it was cut or half written", content.len());
    let found = (size as usize, cars != 0, records as usize, digest);
    ensure!(found == (layout.size, layout.cars, entry.samples, entry.digest), "it is of another packing than {MANIFEST} says");
    Ok(content)
}

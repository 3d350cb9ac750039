//! Samples packed for training: files of equally long records that are mapped into memory and read without decoding.
//!
//! A folder of shards holds `shard-00000.bin` and so on, and `manifest.json`, which is written last: where it is, all is there.
//! Numbers are little-endian. A shard is
//!
//! | bytes | what |
//! |---|---|
//! | 8 | `RADSHARD` |
//! | 4 x 4 | version (1), side length N in pixels, 1 with cars and 0 without, number of records |
//! | 4 | digest: CRC-32 of the records' CRC-32s one after the other |
//! | 4 | CRC-32 of the 28 bytes before |
//!
//! and then the records, each
//!
//! | bytes | what |
//! |---|---|
//! | N * N | gray levels of path gain, row-major, row 0 in the north |
//! | N * N / 8, rounded up | buildings, a bit a pixel, the lowest bit first |
//! | as many | cars, in shards with cars |
//! | 4 + 4 | map, transmitter |
//! | 8 + 8 | the transmitter's x and y in metres from the south-west, float64, on an outdoor pixel |
//! | 4 | CRC-32 of the record's bytes before |
//!
//! In flow the samples of a [`Dataset`](super::Dataset) ([`encode`]); out flow [`Record`]s, or batches of them made by threads
//! ([`Shards::epoch`]). Sizes and headers are checked when a folder is opened, a record's checksum whenever it is read.

mod batches;

pub use batches::{Batch, Batches, Epoch, epoch_order};

use super::Sample;
use anyhow::{Context, Result, bail, ensure};
use geo::Coord;
use memmap2::Mmap;
use radiodiff_radio::scene::Grid;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::path::{Path, PathBuf};

pub const MANIFEST: &str = "manifest.json";
const MAGIC: &[u8; 8] = b"RADSHARD";
pub const VERSION: u32 = 1;
const HEADER: usize = 32;
/// Side length no map exceeds: what is above is damage, and would overflow sizes.
const MOST_PIXELS: usize = 1 << 15;
const CRC: usize = 4;
const PLACE: usize = 24;
const AGAIN: &str = "remove the folder and pack the dataset again with `trainer dataset pack`";

/// What a record holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layout {
    /// Side length in pixels.
    pub size: usize,
    pub cars: bool,
}

impl Layout {
    fn pixels(self) -> usize {
        self.size * self.size
    }

    fn mask_bytes(self) -> usize {
        self.pixels().div_ceil(8)
    }

    pub fn record_bytes(self) -> usize {
        self.pixels() + self.mask_bytes() * (1 + usize::from(self.cars)) + PLACE + CRC
    }
}

/// `manifest.json`: where the samples came from, and which files hold them.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Manifest {
    pub version: u32,
    pub dataset: PathBuf,
    pub method: String,
    /// The scheme's and the split's names, "all" without a split.
    pub split: String,
    /// Maps of the split that the dataset does not have.
    pub absent_maps: usize,
    pub layout: Layout,
    pub samples: usize,
    pub shards: Vec<ShardEntry>,
}

/// One file of the manifest.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ShardEntry {
    pub file: String,
    pub samples: usize,
    pub digest: u32,
}

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

/// A shard of `count` samples, which `sample` gives by their places in it, on all cores; and its digest.
///
/// # Errors
/// Those of `sample`; a sample that does not fit the layout.
pub fn encode(layout: Layout, count: usize, sample: impl Fn(usize) -> Result<Sample> + Sync) -> Result<(Vec<u8>, u32)> {
    let record = layout.record_bytes();
    let mut bytes = vec![0; HEADER + count * record];
    bytes[HEADER..].par_chunks_exact_mut(record).enumerate().try_for_each(|(i, out)| write_record(layout, &sample(i)?, out))?;
    let digest = digest(bytes[HEADER..].chunks_exact(record));
    let records = u32::try_from(count).context("too many samples for one shard")?;
    bytes[..8].copy_from_slice(MAGIC);
    for (i, number) in [VERSION, layout.size as u32, u32::from(layout.cars), records, digest].into_iter().enumerate() {
        bytes[8 + 4 * i..12 + 4 * i].copy_from_slice(&number.to_le_bytes());
    }
    let crc = crc32fast::hash(&bytes[..HEADER - CRC]);
    bytes[HEADER - CRC..HEADER].copy_from_slice(&crc.to_le_bytes());
    Ok((bytes, digest))
}

fn write_record(layout: Layout, sample: &Sample, out: &mut [u8]) -> Result<()> {
    let (mask, name) = (&sample.scene.mask, format!("map {}_{}", sample.map, sample.transmitter));
    let size = layout.size;
    ensure!(mask.size == size, "{name} has {0} x {0} pixels, the maps before it {size} x {size}: one folder, one size", mask.size);
    ensure!(sample.cars.is_some() == layout.cars, "{name} has cars where others have none");
    let mut parts: Vec<Vec<u8>> = vec![pack_bits(&mask.pixels)];
    parts.extend(sample.cars.as_deref().map(pack_bits));
    parts.push([sample.map.to_le_bytes(), sample.transmitter.to_le_bytes()].concat());
    parts.push([sample.position.x.to_le_bytes(), sample.position.y.to_le_bytes()].concat());
    let body = [sample.truth.as_slice(), &parts.concat()].concat();
    let (head, crc) = out.split_at_mut(body.len());
    head.copy_from_slice(&body);
    crc.copy_from_slice(&crc32fast::hash(&body).to_le_bytes());
    Ok(())
}

fn pack_bits(pixels: &[u8]) -> Vec<u8> {
    let byte = |eight: &[u8]| eight.iter().enumerate().fold(0, |byte, (i, &lit)| byte | (u8::from(lit != 0) << i));
    pixels.chunks(8).map(byte).collect()
}

fn digest<'a>(records: impl Iterator<Item = &'a [u8]>) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    records.for_each(|record| hasher.update(&record[record.len() - CRC..]));
    hasher.finalize()
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
    manifest: Manifest,
    /// Path, samples before it, and content.
    files: Vec<(PathBuf, usize, Mmap)>,
}

impl Shards {
    /// Whether a folder is one of shards, whole or not.
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
        let manifest: Manifest = serde_json::from_str(&text).with_context(|| format!("{shown} is damaged; {AGAIN}"))?;
        ensure!(manifest.version == VERSION, "{shown} has version {}, this trainer reads {VERSION}; {AGAIN}", manifest.version);
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

    pub fn manifest(&self) -> &Manifest {
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

    /// Every file's name and what is wrong with it: reads all records.
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
        Grid { size: self.manifest.layout.size, meters_per_pixel: super::METERS_PER_PIXEL }
    }
}

/// The file of a folder's `i`-th shard.
pub fn shard_name(i: usize) -> String {
    format!("shard-{i:05}.bin")
}

fn open_shard(path: &Path, entry: &ShardEntry, layout: Layout) -> Result<Mmap> {
    let file = File::open(path).context("cannot be read")?;
    // SAFETY: shards are never written in place: a new one is renamed over the old, whose mapped content stays as it was. A
    // foreign program that shortens a mapped file ends this one with SIGBUS, which no Rust reference outlives.
    let content = unsafe { Mmap::map(&file) }.context("cannot be mapped")?;
    ensure!(content.len() >= HEADER && content[..8] == *MAGIC, "expected a shard, found {} bytes that are none", content.len());
    let [version, size, cars, records, digest, crc] = [8, 12, 16, 20, 24, 28].map(|at| number(&content, at));
    ensure!(crc32fast::hash(&content[..HEADER - CRC]) == crc, "its header is damaged");
    ensure!(version == VERSION, "it has version {version}, this trainer reads {VERSION}");
    let expected = HEADER as u128 + entry.samples as u128 * layout.record_bytes() as u128;
    ensure!(content.len() as u128 == expected, "expected {expected} bytes, found {}: it was cut or half written", content.len());
    let found = (size as usize, cars != 0, records as usize, digest);
    ensure!(found == (layout.size, layout.cars, entry.samples, entry.digest), "it is of another packing than {MANIFEST} says");
    Ok(content)
}

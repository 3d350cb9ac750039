//! Opening a folder of shards and reading its records, each by one read at its place.

use super::format::{HEADER, MAGIC, MANIFEST, MOST_PIXELS, ShardEntry, ShardManifest, VERSION, digest, shard_name};
use super::layout::{AGAIN, CRC, PLACE, RecordLayout};
use anyhow::{Context, Result, bail, ensure};
use geo::Coord;
use radiodiff_radio::scene::Grid;
use rayon::prelude::*;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

/// One sample, as it lies in the file, in memory that was read into.
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
    /// The planes of the layout's channels, one after the other.
    pub planes: &'a [u8],
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
    files: Vec<Shard>,
}

#[derive(Debug)]
struct Shard {
    path: PathBuf,
    /// Samples of the shards before.
    before: usize,
    file: File,
}

impl Shards {
    /// Whether a folder holds shards, complete or not.
    pub fn are_in(folder: &Path) -> bool {
        folder.join(MANIFEST).exists() || folder.join(shard_name(0)).exists()
    }

    /// Opens every shard and checks its header and length.
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
            let file = open_shard(&path, entry, &manifest.layout).with_context(|| format!("{}; {AGAIN}", path.display()))?;
            files.push(Shard { path, before: samples, file });
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

    pub fn layout(&self) -> &RecordLayout {
        &self.manifest.layout
    }

    /// Reads one sample into `buffer`.
    ///
    /// # Errors
    /// A shard that cannot be read; a record whose checksum is wrong or whose transmitter is not on the map. The message names the
    /// shard.
    ///
    /// # Panics
    /// When `i` is not below [`Self::len`].
    pub fn record<'a>(&self, i: usize, buffer: &'a mut Vec<u8>) -> Result<Record<'a>> {
        assert!(i < self.len(), "sample {i} of {}", self.len());
        let shard = &self.files[self.files.partition_point(|shard| shard.before <= i) - 1];
        let (layout, at) = (&self.manifest.layout, i - shard.before);
        buffer.resize(layout.record_bytes(), 0);
        let read = read_at(&shard.file, buffer, (HEADER + at * layout.record_bytes()) as u64);
        read.with_context(|| format!("{}: record {at} cannot be read", shard.path.display()))?;
        let (body, crc) = buffer.split_at(layout.record_bytes() - CRC);
        let damaged = || format!("{}: record {at} is damaged; {AGAIN}", shard.path.display());
        ensure!(crc32fast::hash(body) == number(crc, 0), damaged());
        let (gain, rest) = body.split_at(layout.pixels());
        let (buildings, rest) = rest.split_at(layout.mask_bytes());
        let (rest, place) = rest.split_at(rest.len() - PLACE);
        let (cars, planes) = rest.split_at(if layout.cars { layout.mask_bytes() } else { 0 });
        let position = Coord { x: real(place, 8), y: real(place, 16) };
        ensure!(self.grid().pixel_of(position).is_some(), damaged());
        let cars = layout.cars.then_some(cars);
        Ok(Record { map: number(place, 0), transmitter: number(place, 4), position, gain, buildings, cars, planes })
    }

    /// Reads all records and returns a line for every damage, with the file's name.
    pub fn damages(&self) -> Vec<String> {
        let damage = |(shard, entry): (&Shard, &ShardEntry)| -> Vec<String> {
            let mut buffer = Vec::new();
            let (mut found, mut crcs) = (Vec::new(), Vec::with_capacity(entry.samples * CRC));
            for i in shard.before..shard.before + entry.samples {
                found.extend(self.record(i, &mut buffer).err().map(|error| format!("{error:#}")));
                crcs.extend_from_slice(&buffer[buffer.len() - CRC..]);
            }
            if digest(crcs.chunks_exact(CRC)) != entry.digest {
                found.insert(0, format!("{}: its records are not those it was written with; {AGAIN}", shard.path.display()));
            }
            found
        };
        let shards: Vec<_> = self.files.iter().zip(&self.manifest.shards).collect();
        shards.into_par_iter().flat_map_iter(damage).collect()
    }

    /// The samples' grid.
    pub fn grid(&self) -> Grid {
        self.manifest.layout.grid()
    }
}

fn open_shard(path: &Path, entry: &ShardEntry, layout: &RecordLayout) -> Result<File> {
    let file = File::open(path).context("cannot be read")?;
    let length = file.metadata().context("cannot be read")?.len();
    let mut header = [0; HEADER];
    let is_shard = length >= HEADER as u64 && read_at(&file, &mut header, 0).is_ok() && header[..8] == *MAGIC;
    ensure!(is_shard, "expected a shard, found {length} bytes that are none");
    let [version, size, cars, records, digest, crc] = [8, 12, 16, 20, 24, 28].map(|at| number(&header, at));
    ensure!(crc32fast::hash(&header[..HEADER - CRC]) == crc, "its header is damaged");
    ensure!(version == VERSION, "it has version {version}, this program reads {VERSION}");
    let expected = HEADER as u128 + entry.samples as u128 * layout.record_bytes() as u128;
    ensure!(u128::from(length) == expected, "expected {expected} bytes, found {length}: it was cut or half written");
    let found = (size as usize, cars != 0, records as usize, digest);
    ensure!(found == (layout.size, layout.cars, entry.samples, entry.digest), "it is of another packing than {MANIFEST} says");
    Ok(file)
}

/// Fills `buffer` from a place of a file, without moving the file's own place: threads read one file at once.
fn read_at(file: &File, buffer: &mut [u8], place: u64) -> std::io::Result<()> {
    #[cfg(unix)]
    return std::os::unix::fs::FileExt::read_exact_at(file, buffer, place);
    #[cfg(windows)]
    {
        let (mut buffer, mut place) = (buffer, place);
        while !buffer.is_empty() {
            let read = std::os::windows::fs::FileExt::seek_read(file, buffer, place)?;
            if read == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            (buffer, place) = (&mut buffer[read..], place + read as u64);
        }
        Ok(())
    }
}

//! The bytes of a shard and the manifest beside it. The essay of [`crate::shards`] has the tables.

use super::layout::{CRC, PlaneEncoding, RecordLayout};
use crate::folder::Sample;
use anyhow::{Context, Result, ensure};
use half::f16;
use radiodiff_radio::features::{ConditionChannel, condition};
use radiodiff_radio::geometry::PreparedScene;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

pub const MANIFEST: &str = "manifest.json";
pub const MAGIC: &[u8; 8] = b"RADSHARD";
pub const VERSION: u32 = 2;
pub const HEADER: usize = 32;
/// No map has more pixels along a side: a larger number is damage, and would overflow sizes.
pub const MOST_PIXELS: usize = 1 << 15;

/// `manifest.json`: where the samples came from, and which files hold them.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ShardManifest {
    pub version: u32,
    pub dataset: PathBuf,
    pub method: String,
    /// The scheme's and the split's names, "all" without a split.
    pub split: String,
    /// Maps of the split that the dataset does not have.
    pub absent_maps: usize,
    pub layout: RecordLayout,
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

/// The file of a folder's `i`-th shard.
pub fn shard_name(i: usize) -> String {
    format!("shard-{i:05}.bin")
}

/// Encodes a shard of `count` samples on all cores and returns it with its digest; `sample` gives the sample of each place in it.
///
/// # Errors
/// Those of `sample`; a sample that does not fit the layout.
pub fn encode(layout: &RecordLayout, count: usize, sample: impl Fn(usize) -> Result<Sample> + Sync) -> Result<(Vec<u8>, u32)> {
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

fn write_record(layout: &RecordLayout, sample: &Sample, out: &mut [u8]) -> Result<()> {
    let (mask, name) = (&sample.scene.mask, || format!("map {}_{}", sample.map, sample.transmitter));
    let size = layout.size;
    ensure!(mask.size == size, "{1} has {0} x {0} pixels, the maps before it {size} x {size}: one folder, one size", mask.size, name());
    ensure!(sample.known.is_none(), "{} is known in part only, which shards cannot say: train on the folder itself", name());
    ensure!(sample.car_mask.is_some() == layout.cars, "{} has cars where others have none", name());
    let mut parts: Vec<Vec<u8>> = vec![pack_bits(&mask.pixels)];
    parts.extend(sample.car_mask.as_deref().map(pack_bits));
    parts.push(planes(layout, sample).with_context(name)?);
    parts.push([sample.map.to_le_bytes(), sample.transmitter.to_le_bytes()].concat());
    parts.push([sample.position.x.to_le_bytes(), sample.position.y.to_le_bytes()].concat());
    let body = [sample.truth.as_slice(), &parts.concat()].concat();
    let (head, crc) = out.split_at_mut(body.len());
    head.copy_from_slice(&body);
    crc.copy_from_slice(&crc32fast::hash(&body).to_le_bytes());
    Ok(())
}

/// The planes of the layout's channels.
fn planes(layout: &RecordLayout, sample: &Sample) -> Result<Vec<u8>> {
    if layout.channels.is_empty() {
        return Ok(Vec::new());
    }
    let values = condition(&PreparedScene::new(&sample.scene), &sample.ends(), &layout.channels, &layout.gray)?;
    let plane = |(&channel, values): (&ConditionChannel, &[f32])| match PlaneEncoding::of(channel) {
        PlaneEncoding::Bits => pack_bits(&values.iter().map(|&value| u8::from(value > 0.0)).collect::<Vec<_>>()),
        PlaneEncoding::Half => values.iter().flat_map(|&value| f16::from_f32(value).to_le_bytes()).collect(),
    };
    Ok(layout.channels.iter().zip(values.chunks(layout.pixels())).flat_map(plane).collect())
}

fn pack_bits(pixels: &[u8]) -> Vec<u8> {
    let byte = |eight: &[u8]| eight.iter().enumerate().fold(0, |byte, (i, &lit)| byte | (u8::from(lit != 0) << i));
    pixels.chunks(8).map(byte).collect()
}

/// CRC-32 of the records' CRC-32s.
pub fn digest<'a>(records: impl Iterator<Item = &'a [u8]>) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    records.for_each(|record| hasher.update(&record[record.len() - CRC..]));
    hasher.finalize()
}

//! A sample out of a packed record.

use super::sample::{PreparedSample, SampleFormat};
use crate::shards::{PlaneEncoding, Record, Shards};
use anyhow::{Context, Result, bail};
use half::f16;
use radiodiff_radio::features::ConditionChannel;

const LIT: f16 = f16::ONE;
const DARK: f16 = f16::NEG_ONE;

/// # Errors
/// A channel that the records do not give; [`RecordLayout::check_channels`](crate::shards::RecordLayout::check_channels) finds that
/// when the shards are opened.
pub fn unpack(record: &Record, shards: &Shards, format: &SampleFormat) -> Result<PreparedSample> {
    let pixels = format.pixels();
    let mut condition = Vec::with_capacity(format.channels.len() * pixels);
    for &channel in &format.channels {
        match channel {
            ConditionChannel::Buildings => push_mask(record.buildings, pixels, &mut condition),
            ConditionChannel::Transmitter => {
                let (row, column) = shards.grid().pixel_of(record.position).context("a transmitter off the map")?;
                let first = condition.len();
                condition.resize(first + pixels, DARK);
                condition[first + row * format.size + column] = LIT;
            }
            ConditionChannel::Cars => push_mask(record.cars.context("a record without cars")?, pixels, &mut condition),
            other => push_plane(record, shards, other, &mut condition)?,
        }
    }
    let mut outdoors = Vec::with_capacity(pixels + 7);
    record.buildings.iter().for_each(|&byte| outdoors.extend_from_slice(&BITS[usize::from(!byte)]));
    outdoors.truncate(pixels);
    Ok(PreparedSample { condition, truth: record.gain.to_vec(), outdoors })
}

/// Appends a plane that was stored.
fn push_plane(record: &Record, shards: &Shards, channel: ConditionChannel, condition: &mut Vec<f16>) -> Result<()> {
    let (layout, mut place) = (shards.layout(), 0);
    for &stored in &layout.channels {
        let bytes = &record.planes[place..place + layout.plane_bytes(stored)];
        place += bytes.len();
        if stored == channel {
            match PlaneEncoding::of(stored) {
                PlaneEncoding::Bits => push_mask(bytes, layout.pixels(), condition),
                PlaneEncoding::Half => condition.extend(bytes.chunks_exact(2).map(|pair| f16::from_le_bytes([pair[0], pair[1]]))),
            }
            return Ok(());
        }
    }
    bail!("the records hold no channel {channel:?}")
}

/// Appends a mask of `pixels` bits: 1 where a bit is set, -1 elsewhere.
fn push_mask(bits: &[u8], pixels: usize, condition: &mut Vec<f16>) {
    let end = condition.len() + pixels;
    bits.iter().for_each(|&byte| condition.extend(BITS[usize::from(byte)].iter().map(|&bit| if bit != 0 { LIT } else { DARK })));
    condition.truncate(end);
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

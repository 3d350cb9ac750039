//! A TensorBoard event file: protobuf messages (tensorflow/core/util/event.proto), each framed as a TFRecord (its length, the
//! length's checksum, the message, the message's checksum).

use anyhow::{Context, Result};
use jiff::Timestamp;
use prost::Message;
use std::fs::{File, OpenOptions};
use std::io::{BufReader, Read, Seek, Write};
use std::path::{Path, PathBuf};

/// The first event of a file says this.
const VERSION: &str = "brain.Event:2";
/// Bytes of a record's length and of a checksum.
const LENGTH: usize = 8;
const CHECKSUM: usize = 4;
/// No event of ours is larger; a longer length is a damaged file's.
const MOST_BYTES: u64 = 1 << 28;
/// `Image.colorspace` of gray images.
const GRAY: i32 = 1;

pub struct EventFile {
    path: PathBuf,
    file: File,
}

#[derive(Clone, PartialEq, Message)]
struct Event {
    #[prost(double, tag = "1")]
    wall_time: f64,
    #[prost(int64, tag = "2")]
    step: i64,
    #[prost(oneof = "EventContent", tags = "3, 5")]
    content: Option<EventContent>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
enum EventContent {
    #[prost(string, tag = "3")]
    FileVersion(String),
    #[prost(message, tag = "5")]
    Summary(EventSummary),
}

#[derive(Clone, PartialEq, Message)]
struct EventSummary {
    #[prost(message, repeated, tag = "1")]
    values: Vec<SummaryValue>,
}

#[derive(Clone, PartialEq, Message)]
struct SummaryValue {
    #[prost(string, tag = "1")]
    tag: String,
    #[prost(oneof = "SummaryContent", tags = "2, 4")]
    content: Option<SummaryContent>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
enum SummaryContent {
    #[prost(float, tag = "2")]
    Scalar(f32),
    #[prost(message, tag = "4")]
    Image(SummaryImage),
}

#[derive(Clone, PartialEq, Message)]
struct SummaryImage {
    #[prost(int32, tag = "1")]
    height: i32,
    #[prost(int32, tag = "2")]
    width: i32,
    #[prost(int32, tag = "3")]
    colorspace: i32,
    #[prost(bytes = "vec", tag = "4")]
    png: Vec<u8>,
}

impl EventFile {
    /// Opens or begins the file and cuts it after the last whole record of a step up to `step`.
    pub fn open(path: &Path, step: u64) -> Result<Self> {
        let attempt = || -> std::io::Result<(File, u64)> {
            let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
            let kept = kept_bytes(BufReader::new(&file), step)?;
            file.set_len(kept)?;
            file.seek(std::io::SeekFrom::End(0))?;
            Ok((file, kept))
        };
        let (file, kept) = attempt().with_context(|| format!("opening the log {}", path.display()))?;
        let mut events = Self { path: path.to_owned(), file };
        if kept == 0 {
            events.append(0, Timestamp::now(), EventContent::FileVersion(VERSION.to_owned()))?;
        }
        Ok(events)
    }

    pub fn scalars(&mut self, step: u64, now: Timestamp, values: &[(&str, f64)]) -> Result<()> {
        let value =
            |&(name, value): &(&str, f64)| SummaryValue { tag: name.to_owned(), content: Some(SummaryContent::Scalar(value as f32)) };
        self.append(step, now, EventContent::Summary(EventSummary { values: values.iter().map(value).collect() }))
    }

    /// A gray image of (width, height).
    pub fn image(&mut self, step: u64, now: Timestamp, name: &str, (width, height): (u32, u32), png: Vec<u8>) -> Result<()> {
        let image = SummaryImage { height: height as i32, width: width as i32, colorspace: GRAY, png };
        let value = SummaryValue { tag: name.to_owned(), content: Some(SummaryContent::Image(image)) };
        self.append(step, now, EventContent::Summary(EventSummary { values: vec![value] }))
    }

    pub fn sync(&self) -> Result<()> {
        self.file.sync_data().with_context(|| format!("writing {}", self.path.display()))
    }

    fn append(&mut self, step: u64, now: Timestamp, content: EventContent) -> Result<()> {
        let event = Event { wall_time: now.as_microsecond() as f64 * 1e-6, step: step as i64, content: Some(content) };
        let record = framed(&event.encode_to_vec());
        self.file.write_all(&record).with_context(|| format!("writing {}", self.path.display()))
    }
}

/// TFRecord's checksum: CRC-32C, rotated and moved so that a checksum of checksums is no special case.
fn masked_crc(bytes: &[u8]) -> u32 {
    crc32c::crc32c(bytes).rotate_right(15).wrapping_add(0xa282_ead8)
}

fn framed(message: &[u8]) -> Vec<u8> {
    let length = (message.len() as u64).to_le_bytes();
    let checksum = |bytes: &[u8]| masked_crc(bytes).to_le_bytes();
    [&length[..], &checksum(&length), message, &checksum(message)].concat()
}

/// The message of the next record, `None` where no whole, undamaged record follows.
fn next_message(reader: &mut impl Read) -> std::io::Result<Option<Vec<u8>>> {
    let mut head = [0; LENGTH + CHECKSUM];
    if !fill(reader, &mut head)? {
        return Ok(None);
    }
    let (length, checksum) = head.split_at(LENGTH);
    let number = length.iter().rev().fold(0, |number: u64, &byte| number << 8 | u64::from(byte));
    if masked_crc(length).to_le_bytes() != checksum || number > MOST_BYTES {
        return Ok(None);
    }
    let mut message = vec![0; number as usize + CHECKSUM];
    if !fill(reader, &mut message)? {
        return Ok(None);
    }
    let checksum = message.split_off(number as usize);
    Ok((masked_crc(&message).to_le_bytes() == *checksum).then_some(message))
}

/// Whether `bytes` could be filled before the end.
fn fill(reader: &mut impl Read, bytes: &mut [u8]) -> std::io::Result<bool> {
    match reader.read_exact(bytes) {
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Ok(false),
        result => result.map(|()| true),
    }
}

fn kept_bytes(mut reader: impl Read, step: u64) -> std::io::Result<u64> {
    let mut kept = 0;
    while let Some(message) = next_message(&mut reader)? {
        match Event::decode(message.as_slice()) {
            Ok(event) if event.step <= step as i64 => kept += (LENGTH + 2 * CHECKSUM + message.len()) as u64,
            _ => break,
        }
    }
    Ok(kept)
}

//! A dataset far larger than memory streams through it: what is resident does not grow with the number of maps.

// Clippy allows unwrap in #[test] functions only; the helpers here are as much tests.
#![allow(clippy::unwrap_used)]

use radiodiff_dataset::folder::{ANTENNAS, BUILDINGS, FOOTPRINTS, GAIN, MapFiles, Writer};
use radiodiff_dataset::shards::{PackArgs, pack};
use radiodiff_dataset::share::RankShare;
use radiodiff_dataset::splits::Scheme;
use radiodiff_dataset::stream::{DatasetConfig, SampleFormat, SampleStream, SetOptions, StreamOptions, StreamPosition, TrainingSet};
use radiodiff_radio::features::ConditionChannel::{self, Buildings, DetourGain, LineOfSight, LogDistanceGain, Transmitter};
use radiodiff_radio::map::GrayCodec;
use radiodiff_radio::scene::BuildingMask;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

const SIZE: usize = 256;
const MIB: f64 = 1024.0;
/// The channels of nano.
const NANO: [ConditionChannel; 5] = [Buildings, Transmitter, LineOfSight, LogDistanceGain, DetourGain];

/// A folder of `maps` maps, each of its own number, whose files are links to those of map 0: a scene and its gain.
fn repeated(folder: &Path, maps: u32) {
    let pixels = (0..SIZE * SIZE).map(|i| u8::from((i / SIZE) % 40 < 12 && (i % SIZE) % 30 < 11)).collect();
    let mask = BuildingMask { size: SIZE, pixels };
    let gain = (0..SIZE * SIZE).map(|i| if mask.pixels[i] != 0 { 0 } else { 40 + (i % 199) as u8 }).collect();
    let transmitters = [((20, 20), gain)];
    let files = MapFiles { mask: &mask, outlines: Some("[]"), cars: None, transmitters: &transmitters };
    Writer::create(folder, "DPM", false).unwrap().write_map(0, &files).unwrap();
    for map in 1..maps {
        for (kind, name) in [(BUILDINGS, "{}.png"), (FOOTPRINTS, "{}.json"), (ANTENNAS, "{}.json"), (&format!("{GAIN}/DPM"), "{}_0.png")] {
            let path = |map: u32| folder.join(kind).join(name.replace("{}", &map.to_string()));
            // A file has a limited number of links, so every thousandth map is a copy that the next ones link to.
            let first = map / 1000 * 1000;
            if map == first {
                fs::copy(path(0), path(map)).unwrap();
            } else {
                fs::hard_link(path(first), path(map)).unwrap();
            }
        }
    }
}

fn packed(folder: &Path, out: PathBuf) -> PathBuf {
    let GrayCodec { floor_db, ceiling_db } = GrayCodec::default();
    let args = PackArgs {
        dataset: folder.to_owned(),
        method: "DPM".into(),
        split: None,
        scheme: Scheme::RadioUnet,
        out: out.clone(),
        channels: NANO.to_vec(),
        floor_db,
        ceiling_db,
        shard_samples: 64,
    };
    pack(&args).unwrap();
    out
}

fn open(folder: &Path, channels: &[ConditionChannel], keep_bytes: usize) -> Arc<TrainingSet> {
    let format = SampleFormat { size: SIZE, pixels_m: [1.0; 2], channels: channels.to_vec(), gray: GrayCodec::default() };
    Arc::new(TrainingSet::open(&[DatasetConfig::folder(folder)], format, &SetOptions { keep_bytes, ..SetOptions::default() }).unwrap())
}

/// Streams `samples` samples in batches of eight and returns the rate a second and the most memory that was resident during the first half
/// and during the second, in MiB.
fn streamed(set: &Arc<TrainingSet>, samples: usize) -> (f64, [f64; 2]) {
    let options = StreamOptions { batch: 8, symmetries: 8, threads: 2, share: RankShare::ALONE, curriculum: None };
    let mut stream = SampleStream::start(set, options, StreamPosition::start(3)).unwrap();
    let (started, steps, mut most) = (Instant::now(), samples / options.batch, [0.0_f64; 2]);
    for step in 0..steps {
        assert_eq!(stream.next_batch().unwrap().samples.len(), options.batch);
        if step % 8 == 0 {
            let most = &mut most[2 * step / steps];
            *most = most.max(resident_mib());
        }
    }
    (samples as f64 / started.elapsed().as_secs_f64(), most)
}

fn resident_mib() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches("kB").trim().parse::<f64>().unwrap() / MIB
}

/// Once 400 maps of 256 x 256 pixels have passed, more than the scenes that are kept, 400 others would take 50 MiB, and their scenes three
/// times as much.
#[test]
#[cfg(target_os = "linux")]
fn memory_does_not_grow_with_the_dataset() {
    let folder = tempfile::tempdir().unwrap();
    repeated(folder.path(), 800);
    let set = open(folder.path(), &[], 8 << 20);
    let (_, [first, second]) = streamed(&set, 800);
    println!("{first:.0} MiB during the first half, {second:.0} during the second");
    assert!(second - first < 25.0, "{first:.0} MiB grew to {second:.0}");
}

#[test]
#[cfg(target_os = "linux")]
#[ignore = "slow: 100,000 maps through a folder and through shards, minutes of two cores and 4 GB of disk"]
fn a_hundred_thousand_maps_stream_in_less_than_a_gigabyte() {
    let folder = tempfile::tempdir().unwrap();
    let (maps, few) = (folder.path().join("maps"), folder.path().join("few"));
    repeated(&maps, 100_000);
    let set = open(&maps, &[], 512 << 20);
    let (rate, most) = streamed(&set, 100_000);
    let most = most[0].max(most[1]);
    drop(set);
    println!("100,000 maps of a folder without channels: {rate:.0} samples a second, {most:.0} MiB resident");
    assert!(most < 1024.0, "{most:.0} MiB");
    repeated(&few, 1024);
    let shards = packed(&few, folder.path().join("shards"));
    // A hundred thousand samples of the shards: those of 98 lists of the same thousand.
    let format = SampleFormat { size: SIZE, pixels_m: [1.0; 2], channels: NANO.to_vec(), gray: GrayCodec::default() };
    let lists = vec![DatasetConfig::folder(shards); 98];
    let set = Arc::new(TrainingSet::open(&lists, format, &SetOptions::default()).unwrap());
    let (rate, most) = streamed(&set, 100_000);
    let most = most[0].max(most[1]);
    println!("100,000 samples of nano's channels from shards: {rate:.0} a second, {most:.0} MiB resident");
    assert!(most < 1024.0 && rate > 1000.0, "{rate:.0} a second, {most:.0} MiB");
}

//! Augmentation: a turned sample is the sample of the turned scene, for every channel of a batch.

// Clippy allows unwrap in #[test] functions only; the helpers here are as much tests.
#![allow(clippy::unwrap_used)]

use half::f16;
use radiodiff_dataset::folder::{MapFiles, Writer};
use radiodiff_dataset::shards::{PackArgs, pack};
use radiodiff_dataset::splits::Scheme;
use radiodiff_dataset::stream::{BatchMemory, DatasetConfig, OrderedSample, SampleBatch, SampleFormat, SetOptions, TrainingSet};
use radiodiff_radio::features::ConditionChannel;
use radiodiff_radio::geometry::Symmetry;
use radiodiff_radio::map::GrayCodec;
use radiodiff_radio::scene::BuildingMask;
use std::path::Path;

const SIZE: usize = 12;
/// All but the dominant path, whose walls a raster's outlines are read into by RadioMapSeer's convention, which no turn keeps.
const CHANNELS: [ConditionChannel; 9] = [
    ConditionChannel::Buildings,
    ConditionChannel::Transmitter,
    ConditionChannel::LineOfSight,
    ConditionChannel::LogDistanceGain,
    ConditionChannel::DetourGain,
    ConditionChannel::AngleToTransmitterSin,
    ConditionChannel::AngleToTransmitterCos,
    ConditionChannel::WallDistance,
    ConditionChannel::Cars,
];
const TRANSMITTER: (usize, usize) = (7, 2);

/// A scene that no symmetry leaves as it is: buildings, cars and gains.
fn images() -> [Vec<u8>; 3] {
    let image = |lit: &dyn Fn(usize, usize) -> u8| (0..SIZE * SIZE).map(|i| lit(i / SIZE, i % SIZE)).collect::<Vec<u8>>();
    let buildings = image(&|row, column| u8::from(row < 3 && column > 4 || (row, column) == (10, 10)));
    let cars = image(&|row, column| u8::from(row == 5 && (6..10).contains(&column)));
    let gains = image(&|row, column| (7 * row + 13 * column) as u8);
    [buildings, cars, gains]
}

/// The scene turned by a symmetry, written to a folder and packed.
fn packed(folder: &Path, symmetry: Symmetry) -> TrainingSet {
    let turned = images().map(|image| {
        let mut out = vec![0; SIZE * SIZE];
        symmetry.turn(SIZE, &image, &mut out);
        out
    });
    let [buildings, cars, gains] = turned;
    let [buildings, cars] = [buildings, cars].map(|pixels| BuildingMask { size: SIZE, pixels });
    let transmitters = [(symmetry.pixel(SIZE, TRANSMITTER), gains)];
    let writer = Writer::create(&folder.join("data"), "carsDPM", true).unwrap();
    let files = MapFiles { mask: &buildings, outlines: None, cars: Some((&cars, "[]")), transmitters: &transmitters };
    writer.write_map(0, &files).unwrap();
    let [dataset, out] = ["data", "shards"].map(|name| folder.join(name));
    let gray = GrayCodec::default();
    let args = PackArgs {
        dataset,
        method: "carsDPM".into(),
        split: None,
        scheme: Scheme::RadioUnet,
        out,
        channels: CHANNELS.to_vec(),
        floor_db: gray.floor_db,
        ceiling_db: gray.ceiling_db,
        shard_samples: 8,
    };
    pack(&args).unwrap();
    let format = SampleFormat { size: SIZE, pixels_m: [1.0; 2], channels: CHANNELS.to_vec(), gray };
    let options = SetOptions { method: "carsDPM".into(), ..SetOptions::default() };
    TrainingSet::open(&[DatasetConfig::folder(folder.join("shards"))], format, &options).unwrap()
}

/// Memory that holds something before a batch is written to it.
struct UsedMemory;

impl BatchMemory for UsedMemory {
    type Condition = Vec<f16>;
    type Image = Vec<u8>;

    fn condition(&self, values: usize) -> Vec<f16> {
        vec![f16::NAN; values]
    }

    fn image(&self, pixels: usize) -> Vec<u8> {
        vec![9; pixels]
    }
}

#[test]
fn a_batch_is_the_same_in_any_memory() {
    let folder = tempfile::tempdir().unwrap();
    let set = packed(&folder.path().join("plain"), Symmetry::default());
    let samples: Vec<_> = Symmetry::all().map(|symmetry| OrderedSample { index: 0, symmetry }).collect();
    assert_eq!(set.batch_in(&UsedMemory, &samples).unwrap(), set.batch(&samples).unwrap());
}

#[test]
fn a_turned_batch_is_the_batch_of_the_turned_scene() {
    let folder = tempfile::tempdir().unwrap();
    let plain = packed(&folder.path().join("plain"), Symmetry::default());
    let batch =
        |set: &TrainingSet, symmetry| SampleBatch { samples: Vec::new(), ..set.batch(&[OrderedSample { index: 0, symmetry }]).unwrap() };
    let mut batches = Vec::new();
    for (i, symmetry) in Symmetry::all().enumerate() {
        let turned = packed(&folder.path().join(i.to_string()), symmetry);
        let found = batch(&plain, symmetry);
        assert_eq!(found, batch(&turned, Symmetry::default()), "{symmetry:?}");
        assert_eq!(found.condition.len(), CHANNELS.len() * SIZE * SIZE);
        assert!(!batches.contains(&found), "each symmetry gives another sample");
        batches.push(found);
    }
}

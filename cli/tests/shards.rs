//! Packed shards: what is packed comes out again, whole and in order; what is damaged, cut or half written is refused by name.

// Clippy allows unwrap in #[test] functions only; the helpers here are as much tests.
#![allow(clippy::unwrap_used)]

mod common;

use common::{SIZE, damage, dataset, fails, radiodiff, succeeds, text};
use radiodiff_dataset::Dataset;
use radiodiff_dataset::shards::Shards;
use radiodiff_dataset::share::RankShare;
use radiodiff_dataset::stream::{
    DatasetConfig, SampleBatch, SampleFormat, SampleStream, SetOptions, StreamOptions, StreamPosition, TrainingSet,
};
use radiodiff_radio::features::ConditionChannel::{self, Buildings, Cars, DetourGain, LineOfSight, LogDistanceGain, Transmitter};
use radiodiff_radio::geometry::Symmetry;
use radiodiff_radio::map::GrayCodec;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

/// Packs a folder, three samples a shard.
fn pack(folder: &Path, args: &[&str]) -> (PathBuf, String) {
    let out = folder.join("shards");
    let paths = ["dataset", "pack", "--dataset", folder.to_str().unwrap(), "--out", out.to_str().unwrap(), "--shard-samples", "3"];
    let said = succeeds(&[&paths, args].concat());
    (out, said)
}

/// Maps 1 to 4, eight samples, with cars.
fn with_cars() -> tempfile::TempDir {
    let folder = dataset(&[1, 2, 3, 4]);
    fs::rename(folder.path().join("gain/DPM"), folder.path().join("gain/carsDPM")).unwrap();
    fs::create_dir_all(folder.path().join("png/cars")).unwrap();
    for map in 1..=4 {
        let mut cars = image::GrayImage::new(SIZE as u32, SIZE as u32);
        cars.put_pixel(30, map, image::Luma([255]));
        cars.save(folder.path().join(format!("png/cars/{map}.png"))).unwrap();
    }
    folder
}

/// Opens a folder of carsDPM for these channels.
fn open(path: &Path, channels: &[ConditionChannel], gray: GrayCodec) -> anyhow::Result<Arc<TrainingSet>> {
    let format = SampleFormat { size: SIZE, pixels_m: [1.0; 2], channels: channels.to_vec(), gray };
    let options = SetOptions { method: "carsDPM".into(), ..SetOptions::default() };
    Ok(Arc::new(TrainingSet::open(&[DatasetConfig::folder(path)], format, &options)?))
}

/// What every record gives.
const CHANNELS: [ConditionChannel; 3] = [Buildings, Transmitter, Cars];
const PLAIN: StreamOptions = StreamOptions { batch: 3, symmetries: 1, threads: 2, share: RankShare::ALONE, curriculum: None };
const TURNED: StreamOptions = StreamOptions { symmetries: 8, ..PLAIN };

/// The first batches of a seed's row.
fn batches(set: &Arc<TrainingSet>, options: StreamOptions, seed: u64, count: usize) -> Vec<SampleBatch> {
    let mut stream = SampleStream::start(set, options, StreamPosition::start(seed)).unwrap();
    (0..count).map(|_| stream.next_batch().unwrap()).collect()
}

fn indices(batches: &[SampleBatch]) -> Vec<usize> {
    batches.iter().flat_map(|batch| batch.samples.iter().map(|sample| sample.index)).collect()
}

#[test]
fn what_is_packed_comes_out_again() {
    let folder = with_cars();
    let (out, _) = pack(folder.path(), &["--method", "carsDPM"]);
    succeeds(&["dataset", "check", out.to_str().unwrap()]);
    let dataset = Dataset::open(folder.path(), "carsDPM").unwrap();
    let (shards, mut buffer) = (Shards::open(&out).unwrap(), Vec::new());
    assert_eq!((dataset.len(), shards.len(), shards.manifest().shards.len()), (8, 8, 3));
    let bit = |bits: &[u8], i: usize| (bits[i / 8] >> (i % 8)) & 1;
    for i in 0..8 {
        let (sample, record) = (dataset.load(i).unwrap(), shards.record(i, &mut buffer).unwrap());
        assert_eq!((record.map, record.transmitter, record.position), (sample.map, sample.transmitter, sample.position));
        assert_eq!(record.gain, sample.truth);
        let pixels = 0..SIZE * SIZE;
        assert!(pixels.clone().all(|pixel| bit(record.buildings, pixel) == sample.scene.mask.pixels[pixel]));
        let cars = sample.car_mask.unwrap();
        assert!(pixels.clone().all(|pixel| bit(record.cars.unwrap(), pixel) == cars[pixel]) && cars.contains(&1));
    }
}

#[test]
fn an_epoch_has_every_sample_once_in_an_order_of_its_seed() {
    let folder = with_cars();
    let set = open(&pack(folder.path(), &["--method", "carsDPM"]).0, &CHANNELS, GrayCodec::default()).unwrap();
    let two_epochs = batches(&set, TURNED, 5, 6);
    let drawn = indices(&two_epochs);
    let (first, second) = (&drawn[..8], &drawn[8..16]);
    for epoch in [first, second] {
        assert_eq!(epoch.iter().copied().collect::<BTreeSet<_>>().len(), 8);
    }
    for threads in [1, 3, 7] {
        assert_eq!(batches(&set, StreamOptions { threads, ..TURNED }, 5, 6), two_epochs, "{threads} threads");
    }
    assert_ne!(first, second);
    assert_ne!(indices(&batches(&set, PLAIN, 6, 6)), drawn);
}

/// A stream that starts where another one was gives what that one gives next, and processes share each step's samples.
#[test]
fn a_stream_goes_on_where_another_was() {
    let folder = with_cars();
    let set = open(folder.path(), &CHANNELS, GrayCodec::default()).unwrap();
    let whole = batches(&set, TURNED, 5, 7);
    for before in 0..6 {
        let mut stream = SampleStream::start(&set, TURNED, StreamPosition::start(5)).unwrap();
        (0..before).for_each(|_| drop(stream.next_batch().unwrap()));
        let written = serde_json::to_string(&stream.position()).unwrap();
        let mut resumed =
            SampleStream::start(&set, StreamOptions { threads: 3, ..TURNED }, serde_json::from_str(&written).unwrap()).unwrap();
        assert_eq!(resumed.next_batch().unwrap(), whole[before], "after {before}");
        assert_eq!(resumed.next_batch().unwrap(), whole[before + 1]);
    }
    let mut shares = (0..3).map(|rank| {
        let share = RankShare::new(rank, 3).unwrap();
        SampleStream::start(&set, StreamOptions { batch: 1, share, ..TURNED }, StreamPosition::start(5)).unwrap()
    });
    let mut shares: Vec<SampleStream> = shares.by_ref().collect();
    for step in &whole {
        let samples: Vec<_> = shares.iter_mut().flat_map(|stream| stream.next_batch().unwrap().samples).collect();
        assert_eq!(samples, step.samples);
    }
    let error = SampleStream::start(&set, PLAIN, StreamPosition { seed: 0, epoch: 1, index: 8 }).unwrap_err().to_string();
    assert!(error.contains("sample 8 of an epoch of 8"), "{error}");
}

/// Channels that were computed when the dataset was packed are those that a folder's samples get.
#[test]
fn packed_channels_are_those_that_would_be_computed() {
    let folder = with_cars();
    let channels = [Buildings, LogDistanceGain, Cars, LineOfSight, Transmitter, DetourGain];
    let (out, _) = pack(folder.path(), &["--method", "carsDPM", "--channels", "line-of-sight,detour-gain,log-distance-gain,buildings"]);
    succeeds(&["dataset", "check", out.to_str().unwrap()]);
    let [packed, computed] = [&out, folder.path()].map(|path| batches(&open(path, &channels, GrayCodec::default()).unwrap(), TURNED, 5, 5));
    assert_eq!(packed, computed);
    for (channels, gray, words) in [
        (&[ConditionChannel::WallDistance, DetourGain][..], GrayCodec::default(), "lack the channels wall-distance: remove the folder"),
        (&channels, GrayCodec { floor_db: -127.0, ..GrayCodec::default() }, "--floor-db=-127"),
    ] {
        let error = format!("{:#}", open(&out, channels, gray).unwrap_err());
        assert!(error.contains(words), "{error}");
    }
    let again = folder.path().join("without");
    let args = ["dataset", "pack", "--dataset", folder.path().to_str().unwrap(), "--out", again.to_str().unwrap(), "--method", "carsDPM"];
    let refused = radiodiff(&[&args[..], &["--channels", "detour"]].concat());
    assert!(text(&refused.stderr).contains("unknown variant `detour`, expected one of `buildings`"), "{}", text(&refused.stderr));
}

/// A damaged image is an error that names it, or is passed over with a warning where that is asked for.
#[test]
fn damaged_images_are_named_and_skipped_only_when_asked() {
    let folder = with_cars();
    damage(&folder.path().join("gain/carsDPM/2_1.png"), |bytes| bytes.truncate(40));
    damage(&folder.path().join("png/cars/4.png"), Vec::clear);
    let opened = |skip_damaged| {
        let format = SampleFormat { size: SIZE, pixels_m: [1.0; 2], channels: CHANNELS.to_vec(), gray: GrayCodec::default() };
        let options = SetOptions { method: "carsDPM".into(), skip_damaged, keep_bytes: 1 << 20, ..SetOptions::default() };
        Arc::new(TrainingSet::open(&[DatasetConfig::folder(folder.path())], format, &options).unwrap())
    };
    let mut stream = SampleStream::start(&opened(false), PLAIN, StreamPosition::start(5)).unwrap();
    let error = (0..4).find_map(|_| stream.next_batch().err()).map(|error| format!("{error:#}")).expect("eight samples, three damaged");
    assert!(error.contains("2_1.png: expected a whole PNG") || error.contains("4.png: expected a whole PNG"), "{error}");
    let ended = stream.next_batch().unwrap_err().to_string();
    assert!(ended.contains("has ended"), "{ended}");

    let set = opened(true);
    // Samples are those of maps 1 to 4, two each. Those of 2_1 and of map 4 are replaced by the next that can be read.
    let plain: Vec<_> = [0, 1, 2, 4, 5].map(|i| set.sample(i).unwrap().truth.clone()).into();
    assert_eq!(set.sample(3).unwrap().truth, plain[3]);
    assert_eq!((set.sample(6).unwrap().truth.clone(), set.sample(7).unwrap().truth.clone()), (plain[0].clone(), plain[0].clone()));
    assert_eq!(set.skipped(), 3);
    let rows = [1, 4].map(|threads| batches(&set, StreamOptions { threads, ..TURNED }, 5, 9));
    assert_eq!(rows[0], rows[1]);

    for name in ["1_0", "1_1", "2_0", "3_0", "3_1", "4_0", "4_1"] {
        damage(&folder.path().join(format!("gain/carsDPM/{name}.png")), Vec::clear);
    }
    let error = format!("{:#}", opened(true).sample(0).unwrap_err());
    assert!(error.contains("holds no sample that can be read"), "{error}");
}

/// Buildings, transmitter, cars and gain of a sample are turned alike: by the symmetry that the batch names.
#[test]
fn augmentation_turns_everything_alike() {
    let folder = with_cars();
    let set = open(&pack(folder.path(), &["--method", "carsDPM"]).0, &CHANNELS, GrayCodec::default()).unwrap();
    let (pixels, mut used) = (SIZE * SIZE, BTreeSet::new());
    for (plain, turned) in batches(&set, PLAIN, 5, 24).iter().zip(&batches(&set, TURNED, 5, 24)) {
        let images = |batch: &SampleBatch| -> Vec<Vec<f32>> {
            let condition = batch.condition.chunks(3 * pixels).map(|image| image.iter().map(|value| value.to_f32()).collect::<Vec<_>>());
            let bytes = |bytes: &[u8]| bytes.iter().map(|&byte| f32::from(byte)).collect::<Vec<_>>();
            let maps = batch.truth.chunks(pixels).map(bytes).zip(batch.outdoors.chunks(pixels).map(bytes));
            condition.zip(maps).map(|(condition, (truth, outdoors))| [condition, truth, outdoors].concat()).collect()
        };
        for (i, (plain_images, turned_images)) in images(plain).iter().zip(images(turned)).enumerate() {
            let (before, after) = (plain.samples[i], turned.samples[i]);
            assert_eq!((before.index, before.symmetry), (after.index, Symmetry::default()));
            let mut expected = vec![0.0; plain_images.len()];
            plain_images.chunks(pixels).zip(expected.chunks_mut(pixels)).for_each(|(image, out)| after.symmetry.turn(SIZE, image, out));
            assert_eq!(turned_images, expected, "{after:?}");
            used.insert(after.symmetry.number());
            let lit = |channel: usize| turned_images[channel * pixels..(channel + 1) * pixels].iter().filter(|&&v| v == 1.0).count();
            assert!(lit(0) > 1 && lit(1) == 1 && lit(2) == 1);
        }
    }
    assert_eq!(used.len(), 8, "all eight are used");
}

#[test]
fn splits_work_on_what_is_there() {
    // 159 and 501 are trained on, 419 is tested; 9001 is in no split.
    let folder = dataset(&[159, 501, 419, 9001]);
    let (out, said) = pack(folder.path(), &["--split", "train"]);
    assert!(said.contains("4 of 8 samples are packed (radiounet train); 499 maps of the split are absent"), "{said}");
    assert_eq!(Shards::open(&out).unwrap().manifest().absent_maps, 499);
    fails(
        &["dataset", "pack", "--dataset", folder.path().to_str().unwrap(), "--split", "validation", "--out", "/nowhere"],
        &["holds none of the 100 maps of this split"],
    );
    let methods = ["dataset", "pack", "--dataset", folder.path().to_str().unwrap(), "--out", "/nowhere", "--method", "DPN"];
    fails(&methods, &["no simulation \"DPN\"", "carsIRT4"]);
}

#[test]
fn damaged_shards_are_refused_by_name() {
    let folder = dataset(&[1, 2, 3, 4]);
    let (out, _) = pack(folder.path(), &[]);
    let again = "pack the dataset again";
    let refused = |file: &str, words: &str, change: &dyn Fn(&Path)| {
        let path = out.join(file);
        let whole = fs::read(&path).unwrap();
        change(&path);
        let check = ["dataset", "check", out.to_str().unwrap()];
        fails(&check, &[file, words, again]);
        fails(&["dataset", "bench", out.to_str().unwrap(), "--epochs", "1"], &[file, words, again]);
        fs::write(path, whole).unwrap();
        succeeds(&check);
    };
    let second = "shard-00001.bin";
    refused(second, "it was cut or half written", &|path| damage(path, |bytes| bytes.truncate(bytes.len() - 1)));
    refused(second, "expected a shard, found 0 bytes", &|path| damage(path, Vec::clear));
    refused(second, "expected a shard, found 4000 bytes", &|path| fs::write(path, [7; 4000]).unwrap());
    refused(second, "its header is damaged", &|path| damage(path, |bytes| bytes[13] ^= 1));
    refused(second, "record 0 is damaged", &|path| damage(path, |bytes| bytes[100] ^= 1));
    refused(second, "another packing", &|path| fs::write(path, fs::read(out.join("shard-00000.bin")).unwrap()).unwrap());
    refused(second, "cannot be read", &|path| fs::remove_file(path).unwrap());
    refused("manifest.json", "half written", &|path| fs::remove_file(path).unwrap());
    refused("manifest.json", "is damaged: maps of 18446744073709551615 x", &|path| {
        let text = fs::read_to_string(path).unwrap();
        fs::write(path, text.replace("\"size\": 32", "\"size\": 18446744073709551615")).unwrap();
    });
    refused("manifest.json", "is damaged", &|path| damage(path, |bytes| bytes.truncate(40)));
}

#[test]
fn a_whole_packing_is_not_written_over() {
    let folder = dataset(&[1]);
    let (out, _) = pack(folder.path(), &[]);
    let path = folder.path().to_str().unwrap();
    fails(&["dataset", "pack", "--dataset", path, "--out", out.to_str().unwrap()], &["manifest.json is there", "another --out"]);
}

#[test]
fn maps_of_two_sizes_are_not_packed_together() {
    let folder = dataset(&[1, 2]);
    for image in ["png/buildings_complete/2.png", "gain/DPM/2_0.png", "gain/DPM/2_1.png", "png/antennas/2_0.png", "png/antennas/2_1.png"] {
        image::GrayImage::new(40, 40).save(folder.path().join(image)).unwrap();
    }
    let out = folder.path().join("shards");
    let args = ["dataset", "pack", "--dataset", folder.path().to_str().unwrap(), "--out", out.to_str().unwrap()];
    fails(&args, &["map 2_", "has 40 x 40 pixels, the maps before it 32 x 32"]);
    assert!(!out.join("manifest.json").exists());
}

/// A limit on a file's size fails a write as a full disk does, once SIGXFSZ is ignored.
#[cfg(unix)]
#[test]
fn a_full_disk_leaves_nothing_half_and_a_second_run_mends_it() {
    let folder = dataset(&[1, 2, 3, 4]);
    let out = folder.path().join("shards");
    let args = ["dataset", "pack", "--dataset", folder.path().to_str().unwrap(), "--out", out.to_str().unwrap()];
    let output = Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 4; exec \"$@\"", "sh", env!("CARGO_BIN_EXE_radiodiff")])
        .args(args)
        .output()
        .unwrap();
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("writing") && said.contains("shard-00000.bin"), "{said}");
    assert_eq!(fs::read_dir(&out).unwrap().count(), 0, "nothing is left behind");
    succeeds(&args);
    succeeds(&["dataset", "check", folder.path().to_str().unwrap()]);
    succeeds(&["dataset", "check", out.to_str().unwrap()]);
}

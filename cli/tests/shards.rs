//! Packed shards: what is packed comes out again, whole and in order; what is damaged, cut or half written is refused by name.

// Clippy allows unwrap in #[test] functions only; the helpers here are as much tests.
#![allow(clippy::unwrap_used)]

mod common;

use common::{SIZE, damage, dataset, fails, succeeds, text};
use radiodiff_dataset::Dataset;
use radiodiff_dataset::shards::{Epoch, ShardBatch, Shards};
use radiodiff_radio::geometry::Symmetry;
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

fn epoch(shards: &Arc<Shards>, epoch: Epoch) -> Vec<ShardBatch> {
    shards.epoch(epoch).unwrap().collect::<Result<_, _>>().unwrap()
}

const PLAIN: Epoch = Epoch { seed: 5, number: 0, batch: 3, augment: false, threads: 2, prefetch: 1 };

#[test]
fn what_is_packed_comes_out_again() {
    let folder = with_cars();
    let (out, _) = pack(folder.path(), &["--method", "carsDPM"]);
    succeeds(&["dataset", "check", out.to_str().unwrap()]);
    let dataset = Dataset::open(folder.path(), "carsDPM").unwrap();
    let shards = Arc::new(Shards::open(&out).unwrap());
    assert_eq!((dataset.len(), shards.len(), shards.manifest().shards.len()), (8, 8, 3));
    let bit = |bits: &[u8], i: usize| (bits[i / 8] >> (i % 8)) & 1;
    for i in 0..8 {
        let (sample, record) = (dataset.load(i).unwrap(), shards.record(i).unwrap());
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
    let shards = Arc::new(Shards::open(&pack(folder.path(), &["--method", "carsDPM"]).0).unwrap());
    let batches = epoch(&shards, Epoch { augment: true, ..PLAIN });
    assert_eq!(batches.iter().map(|batch| batch.names.len()).collect::<Vec<_>>(), [3, 3, 2]);
    let names = |batches: &[ShardBatch]| batches.iter().flat_map(|batch| batch.names.clone()).collect::<Vec<_>>();
    assert_eq!(names(&batches).into_iter().collect::<BTreeSet<_>>().len(), 8);
    for threads in [1, 3, 7] {
        assert_eq!(epoch(&shards, Epoch { augment: true, threads, ..PLAIN }), batches, "{threads} threads");
    }
    assert_ne!(names(&epoch(&shards, Epoch { number: 1, ..PLAIN })), names(&batches));
    assert_ne!(names(&epoch(&shards, Epoch { seed: 6, ..PLAIN })), names(&batches));
    drop(shards.epoch(Epoch { batch: 1, ..PLAIN }).unwrap().next());
}

/// Buildings, transmitter, cars and gain of a sample are turned alike: by one symmetry that gives all four.
#[test]
fn augmentation_turns_everything_alike() {
    let folder = with_cars();
    let shards = Arc::new(Shards::open(&pack(folder.path(), &["--method", "carsDPM"]).0).unwrap());
    let (pixels, mut used) = (SIZE * SIZE, BTreeSet::new());
    for number in 0..8 {
        let augmented = epoch(&shards, Epoch { number, augment: true, ..PLAIN });
        for (plain, augmented) in epoch(&shards, Epoch { number, ..PLAIN }).iter().zip(&augmented) {
            assert_eq!(plain.names, augmented.names);
            let images = |batch: &ShardBatch| -> Vec<Vec<f32>> {
                let condition = batch.condition.chunks(3 * pixels);
                condition.zip(batch.truth.chunks(pixels)).map(|(condition, truth)| [condition, truth].concat()).collect()
            };
            for (plain, augmented) in images(plain).iter().zip(images(augmented)) {
                let turned = |symmetry: Symmetry| -> Vec<f32> {
                    let mut out = vec![0.0; plain.len()];
                    plain.chunks(pixels).zip(out.chunks_mut(pixels)).for_each(|(image, out)| symmetry.turn(SIZE, image, out));
                    out
                };
                let by = (0..8).find(|&k| turned(Symmetry::numbered(k)) == augmented);
                used.insert(by.expect("one of the eight symmetries"));
                let lit = |channel: usize| augmented[channel * pixels..(channel + 1) * pixels].iter().filter(|&&v| v == 1.0).count();
                assert!(lit(0) > 1 && lit(1) == 1 && lit(2) == 1);
            }
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

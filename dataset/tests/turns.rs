//! Augmentation: a turned sample is the sample of the turned scene, for every channel of a batch.

// Clippy allows unwrap in #[test] functions only; the helpers here are as much tests.
#![allow(clippy::unwrap_used)]

use radiodiff_dataset::folder::{MapFiles, Writer};
use radiodiff_dataset::shards::{PackArgs, Shards, pack};
use radiodiff_dataset::splits::Scheme;
use radiodiff_radio::geometry::Symmetry;
use radiodiff_radio::scene::BuildingMask;
use std::path::Path;

const SIZE: usize = 12;
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
fn packed(folder: &Path, symmetry: Symmetry) -> Shards {
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
    let args = PackArgs { dataset, method: "carsDPM".into(), split: None, scheme: Scheme::RadioUnet, out, shard_samples: 8 };
    pack(&args).unwrap();
    Shards::open(&folder.join("shards")).unwrap()
}

#[test]
fn a_turned_batch_is_the_batch_of_the_turned_scene() {
    let folder = tempfile::tempdir().unwrap();
    let plain = packed(&folder.path().join("plain"), Symmetry::default());
    let mut batches = Vec::new();
    for (i, symmetry) in Symmetry::all().enumerate() {
        let turned = packed(&folder.path().join(i.to_string()), symmetry);
        let batch = plain.batch(&[(0, symmetry)]).unwrap();
        assert_eq!(batch, turned.batch(&[(0, Symmetry::default())]).unwrap(), "{symmetry:?}");
        assert_eq!(batch.condition.len(), 3 * SIZE * SIZE);
        assert!(!batches.contains(&batch), "each symmetry gives another sample");
        batches.push(batch);
    }
}

//! Maps that are known in part: `png/valid` says where, and nothing else is learnt.

// Clippy allows unwrap in #[test] functions only; the helpers here are as much tests.
#![allow(clippy::unwrap_used)]

#[path = "../../tests/made_datasets.rs"]
#[allow(dead_code)]
mod made_datasets;

use made_datasets::{SIZE, dataset};
use radiodiff_dataset::Dataset;
use radiodiff_dataset::stream::{DatasetConfig, PreparedSample, SampleFormat, SetOptions, TrainingSet};
use radiodiff_radio::map::GrayCodec;
use std::fs;
use std::path::Path;

fn mark(folder: &Path, side: usize, known: impl Fn(usize) -> bool) {
    let pixels: Vec<u8> = (0..side * side).map(|i| if known(i) { 255 } else { 0 }).collect();
    fs::create_dir_all(folder.join("png/valid")).unwrap();
    image::GrayImage::from_raw(side as u32, side as u32, pixels).unwrap().save(folder.join("png/valid/DPM_3_1.png")).unwrap();
}

#[test]
fn what_is_not_known_is_neither_outdoors_nor_learnt() {
    let folder = dataset(&[3]);
    let whole = Dataset::open(folder.path(), "DPM").unwrap().load(1).unwrap();
    assert!(whole.known.is_none());
    let is_known = |i: usize| i / SIZE >= 10;
    mark(folder.path(), SIZE, is_known);
    let opened = Dataset::open(folder.path(), "DPM").unwrap();
    assert!(opened.load(0).unwrap().known.is_none(), "the file is of transmitter 1");
    let part = opened.load(1).unwrap();
    assert_eq!(part.truth, whole.truth, "a file is read as it is");

    let format = SampleFormat { size: SIZE, pixels_m: [1.0; 2], channels: Vec::new(), gray: GrayCodec::default() };
    let [whole, part] = [&whole, &part].map(|sample| PreparedSample::compute(sample, &format).unwrap());
    let mut outdoors = 0;
    for i in 0..SIZE * SIZE {
        let expected = if is_known(i) { (whole.truth[i], whole.outdoors[i]) } else { (0, 0) };
        assert_eq!((part.truth[i], part.outdoors[i]), expected, "pixel {i}");
        outdoors += usize::from(part.outdoors[i]);
    }
    assert!(outdoors > 500 && whole.outdoors[0] == 1, "{outdoors}");
    let set = TrainingSet::open(&[DatasetConfig::folder(folder.path())], format, &SetOptions::default()).unwrap();
    assert_eq!(set.sample(1).unwrap().outdoors, part.outdoors);

    mark(folder.path(), SIZE / 2, |i| i > 0);
    let error = opened.load(1).unwrap_err().to_string();
    assert!(error.contains("DPM_3_1.png: expected 32 x 32 pixels"), "{error}");
}

//! Samples of the simulations with cars know their cars.

// Clippy allows unwrap in #[test] functions only; the helpers here are as much tests.
#![allow(clippy::unwrap_used)]

use radiodiff_dataset::Dataset;
use radiodiff_radio::features::{ConditionChannel, condition};
use radiodiff_radio::geometry::PreparedScene;
use radiodiff_radio::map::GrayCodec;
use std::fs;
use std::path::Path;

const SIZE: u32 = 32;

/// One house, one transmitter and a car of 2 m x 4 m, with a map both of DPM and of carsDPM.
fn write(folder: &Path) {
    let image = |path: &str, lit: &[(u32, u32)]| {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let mut image = image::GrayImage::new(SIZE, SIZE);
        lit.iter().for_each(|&(x, y)| image.put_pixel(x, y, image::Luma([255])));
        image.save(path).unwrap();
    };
    image("png/buildings_complete/7.png", &[(4, 4), (5, 4), (4, 5), (5, 5)]);
    let car: Vec<(u32, u32)> = (20..24).flat_map(|x| [(x, 10), (x, 11)]).collect();
    image("png/cars/7.png", &car);
    image("png/antennas/7_0.png", &[(16, 16)]);
    image("gain/DPM/7_0.png", &[(16, 16)]);
    image("gain/carsDPM/7_0.png", &[(16, 16)]);
    fs::create_dir_all(folder.join("antenna")).unwrap();
    fs::write(folder.join("antenna/7.json"), "[[16, 15]]").unwrap();
}

/// The pixels (row, column) at which the channel `cars` of the first sample is 1.
fn lit_cars(folder: &Path, method: &str) -> Vec<(usize, usize)> {
    let sample = Dataset::open(folder, method).unwrap().load(0).unwrap();
    let condition =
        condition(&PreparedScene::new(&sample.scene), &sample.ends(), &[ConditionChannel::Cars], &GrayCodec::default()).unwrap();
    let size = SIZE as usize;
    (0..size * size).filter(|&i| condition[i] > 0.0).map(|i| (i / size, i % size)).collect()
}

#[test]
fn the_channel_of_cars_has_the_cars_of_the_image() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path());
    let car: Vec<(usize, usize)> = (10..12).flat_map(|row| (20..24).map(move |column| (row, column))).collect();
    assert_eq!(lit_cars(folder.path(), "carsDPM"), car);
    assert!(lit_cars(folder.path(), "DPM").is_empty(), "DPM was simulated without cars");
}

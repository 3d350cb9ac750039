//! Small datasets made by rule, and damage to their files: what the tests of `radiodiff` and `trainer` share, each by `#[path]`.

use radiodiff_dataset::folder::{MapFiles, Writer};
use radiodiff_radio::scene::BuildingMask;
use std::fs;
use std::path::Path;

/// Side length of the maps in pixels.
pub const SIZE: usize = 32;

/// Writes maps of DPM with two transmitters each: a house and a mast that tell each map from every other, however it is turned.
pub fn write_maps(folder: &Path, maps: &[u32]) {
    let writer = Writer::create(folder, "DPM", false).unwrap();
    for &map in maps {
        let number = map as usize;
        let mut pixels = vec![0; SIZE * SIZE];
        for row in 4..8 + number % 7 {
            pixels[row * SIZE + 6..row * SIZE + 9 + number % 11].fill(1);
        }
        pixels[(16 + number / 29 % 15) * SIZE + 2 + number % 29] = 1;
        let mask = BuildingMask { size: SIZE, pixels };
        let gray = |tx: usize| -> Vec<u8> {
            let level = |i: usize| if mask.pixels[i] != 0 { 0 } else { 40 + ((31 * i + 7 * number + 101 * tx) % 200) as u8 };
            (0..SIZE * SIZE).map(level).collect()
        };
        let transmitters: Vec<_> = (0..2).map(|tx| ((1 + tx, 2 + number % 20), gray(tx))).collect();
        let files = MapFiles { mask: &mask, outlines: None, cars: None, transmitters: &transmitters };
        writer.write_map(map, &files).unwrap();
    }
}

/// A new folder with such maps.
pub fn dataset(maps: &[u32]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    write_maps(folder.path(), maps);
    folder
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Overwrites a file with its bytes as `change` leaves them.
pub fn damage(path: &Path, change: impl Fn(&mut Vec<u8>)) {
    let mut bytes = fs::read(path).unwrap();
    change(&mut bytes);
    fs::write(path, bytes).unwrap();
}

/// Sets pixels of a gray PNG.
pub fn paint(path: &Path, paint: impl Fn(&mut image::GrayImage)) {
    let mut gray = image::open(path).unwrap().into_luma8();
    paint(&mut gray);
    gray.save(path).unwrap();
}

//! `radiodiff dataset check`: each kind of damage is named with its file, and sound folders pass.

// Clippy allows unwrap in #[test] functions only; the helpers here are as much tests.
#![allow(clippy::unwrap_used)]

mod common;

use common::{damage, dataset, fails, paint, succeeds, write_maps};
use geo::Translate;
use image::Luma;
use radiodiff_radio::scene::{Grid, buildings_from_json, rasterize};
use std::fs;
use std::path::Path;

fn check(folder: &Path) -> [String; 3] {
    ["dataset".into(), "check".into(), folder.display().to_string()]
}

/// Damages a sound dataset; the report has to say each of `words`.
fn found(words: &[&str], damage: impl Fn(&Path)) {
    let folder = dataset(&[3, 4]);
    damage(folder.path());
    fails(&check(folder.path()).each_ref().map(String::as_str), words);
}

#[test]
fn sound_folders_pass() {
    let folder = dataset(&[3, 4]);
    let said = succeeds(&check(folder.path()).each_ref().map(String::as_str));
    assert!(said.contains("2 maps of 32 x 32 pixels; 4 gain maps of DPM") && said.contains("nothing is wrong"), "{said}");
    assert!(!said.contains("note"), "{said}");
}

#[test]
fn missing_counterparts_are_found() {
    let remove = |file: &'static str| move |folder: &Path| fs::remove_file(folder.join(file)).unwrap();
    found(&["gain map without its antenna image: 1", "gain/DPM/3_1.png"], remove("png/antennas/3_1.png"));
    found(&["missing map of buildings: 1", "png/buildings_complete/4.png"], remove("png/buildings_complete/4.png"));
    found(&["unreadable file: 1", "antenna/3.json cannot be read"], remove("antenna/3.json"));
    found(&["gain map without its transmitter's position: 1", "gain/DPM/4_1.png: antenna/4.json has none"], |folder| {
        fs::write(folder.join("antenna/4.json"), "[[6, 30]]").unwrap();
    });
    found(&["unreadable file: 1", "png/cars/3.png cannot be read"], |folder| {
        fs::create_dir_all(folder.join("gain/carsDPM")).unwrap();
        fs::copy(folder.join("gain/DPM/3_0.png"), folder.join("gain/carsDPM/3_0.png")).unwrap();
    });
}

#[test]
fn unreadable_files_are_found() {
    let gain = |folder: &Path| folder.join("gain/DPM/3_0.png");
    found(&["3_0.png: expected a whole PNG"], |folder| damage(&gain(folder), |bytes| bytes.truncate(60)));
    found(&["3_0.png: expected 8-bit gray pixels, found L16"], |folder| {
        image::ImageBuffer::<Luma<u16>, Vec<u16>>::new(32, 32).save(gain(folder)).unwrap();
    });
    found(&["image of another size: 1", "3_0.png: 16 x 16 pixels, its buildings have 32 x 32"], |folder| {
        image::GrayImage::new(16, 16).save(gain(folder)).unwrap();
    });
    found(&["misnamed file: 1", "gain/DPM/03_0.png"], |folder| fs::rename(gain(folder), folder.join("gain/DPM/03_0.png")).unwrap());
    found(&["unreadable file: 1", "antenna/3.json: expected pairs"], |folder| fs::write(folder.join("antenna/3.json"), "[[1").unwrap());
    found(&["antenna heights of another number: 1", "antenna_height/3.json: 1 heights of 2 antennas", "1 thing is wrong"], |folder| {
        fs::create_dir_all(folder.join("antenna_height")).unwrap();
        fs::write(folder.join("antenna_height/3.json"), "[20]").unwrap();
    });
    // Heights are not held against antennas that cannot be read.
    found(&["unreadable file: 1", "antenna/3.json: expected pairs", "1 thing is wrong"], |folder| {
        fs::create_dir_all(folder.join("antenna_height")).unwrap();
        fs::write(folder.join("antenna_height/3.json"), "[20, 20]").unwrap();
        fs::write(folder.join("antenna/3.json"), "[[1").unwrap();
    });
    found(&["unreadable file: 1", "polygon/buildings/4.json: expected pairs"], |folder| {
        fs::create_dir_all(folder.join("polygon/buildings")).unwrap();
        fs::write(folder.join("polygon/buildings/4.json"), "[[[1, 2], [3]]]").unwrap();
    });
}

#[test]
fn values_that_cannot_be_are_found() {
    found(&["gain inside buildings: 1", "3_0.png: 1 pixels, up to gray level 9"], |folder| {
        paint(&folder.join("gain/DPM/3_0.png"), |gray| gray.put_pixel(7, 5, Luma([9])));
    });
    found(&["gain map without a lit pixel: 1", "3_0.png"], |folder| paint(&folder.join("gain/DPM/3_0.png"), |gray| gray.fill(0)));
    found(&["antenna image without exactly one lit pixel: 1", "3_0.png: 2 lit pixels"], |folder| {
        paint(&folder.join("png/antennas/3_0.png"), |gray| gray.put_pixel(0, 0, Luma([1])));
    });
    found(&["transmitter in a building: 1", "antenna image and position that differ: 1", "3_0.png: row 5, column 7"], |folder| {
        paint(&folder.join("png/antennas/3_0.png"), |gray| {
            gray.fill(0);
            gray.put_pixel(7, 5, Luma([255]));
        });
    });
    found(&["no outdoor pixel: 1", "buildings_complete/3.png"], |folder| {
        paint(&folder.join("png/buildings_complete/3.png"), |gray| gray.fill(255));
    });
}

/// Maps 159 and 419 are RadioUNet's first of training and second of testing, 501 is its second of training.
#[test]
fn one_place_in_two_splits_is_found_however_it_is_turned() {
    let same = |folder: &Path, to: &str, turn: fn(&image::GrayImage) -> image::GrayImage| {
        let buildings = folder.join("png/buildings_complete");
        let from = image::open(buildings.join("159.png")).unwrap().into_luma8();
        turn(&from).save(buildings.join(to)).unwrap();
    };
    let said = |turn, number| {
        let folder = dataset(&[159]);
        same(folder.path(), number, turn);
        common::radiodiff(&check(folder.path()).each_ref().map(String::as_str))
    };
    for turn in [image::imageops::rotate90, image::imageops::flip_horizontal] {
        let output = said(turn, "419.png");
        let text = common::text(&output.stdout);
        assert!(!output.status.success() && text.contains("the same buildings in two splits: 1"), "{text}");
        assert!(text.contains("159.png (train) = ") && text.contains("419.png (test, turned)"), "{text}");
    }
    let output = said(image::imageops::rotate180, "501.png");
    assert!(output.status.success() && common::text(&output.stdout).contains("note: the same buildings twice: 1"));
}

#[test]
fn folders_are_held_against_each_other() {
    let (train, test) = (dataset(&[3, 4]), dataset(&[5]));
    let [train, test] = [train.path(), test.path()];
    let args = ["dataset", "check", train.to_str().unwrap(), test.to_str().unwrap()];
    succeeds(&args);
    fs::copy(train.join("png/buildings_complete/4.png"), test.join("png/buildings_complete/5.png")).unwrap();
    fails(&args, &["the same buildings in two splits: 1", "4.png", "5.png"]);
}

#[test]
fn what_is_no_dataset_is_an_error_and_lists_are_bounded() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    fails(&["dataset", "check", path], &["gain cannot be listed"]);
    fs::create_dir_all(folder.path().join("gain/DPM")).unwrap();
    fails(&["dataset", "check", path], &["holds no gain maps"]);
    write_maps(folder.path(), &(1..=15).collect::<Vec<_>>());
    (1..=15).for_each(|map| fs::remove_file(folder.path().join(format!("png/antennas/{map}_0.png"))).unwrap());
    let said = fails(&["dataset", "check", path, "--list", "3"], &["antenna image: 15", "and 12 more", "15 things are wrong"]);
    assert_eq!(said.matches("_0.png").count(), 3, "{said}");
    let output = common::radiodiff(&["dataset", "check", path, "--json"]);
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["wrong"]["gain map without its antenna image"].as_array().unwrap().len(), 15);
}

#[test]
#[cfg_attr(not(reference_data), ignore = "needs the reference data (RADIODIFF_SHARED)")]
fn real_samples_are_sound_and_footprints_rasterise_to_their_buildings() {
    let folder = radiodiff_tests::shared_data().join("data/radiomapseer-samples");
    succeeds(&check(&folder).each_ref().map(String::as_str));
    let footprints = buildings_from_json(&fs::read_to_string(folder.join("polygon/buildings/0.json")).unwrap()).unwrap();
    let buildings = image::open(folder.join("png/buildings_complete/0.png")).unwrap().into_luma8().into_raw();
    let different = |x: f64, y: f64| {
        let mut moved = footprints.clone();
        moved.iter_mut().for_each(|building| building.footprint.translate_mut(x, y));
        let drawn = rasterize(Grid::default(), &moved).pixels;
        drawn.iter().zip(&buildings).filter(|&(&drawn, &real)| (drawn != 0) != (real > 0)).count()
    };
    assert_eq!(different(0.0, 0.0), 8);
    for (x, y) in [(0.5, 0.0), (-0.5, 0.0), (0.0, 0.5), (0.0, -0.5)] {
        assert!(different(x, y) > 600, "{} pixels differ when moved by ({x}, {y})", different(x, y));
    }
    let dataset = radiodiff_dataset::Dataset::open(&folder, "DPM").unwrap();
    assert_eq!(dataset.load(0).unwrap().scene.buildings.len(), footprints.len());
}

#[test]
fn footprints_are_read_and_cars_among_them_left_out() {
    // Rows 4 to 10 of map 3 are built from column 6 to 11: x is 7 to 13 counted from one, y = 32 - row.
    let house = "[[7, 22], [13, 22], [13, 29], [7, 29], [7, 22]]";
    let folder = dataset(&[3]);
    let read = |kind: &str, rings: String| {
        fs::create_dir_all(folder.path().join(kind)).unwrap();
        fs::write(folder.path().join(kind).join("3.json"), rings).unwrap();
        radiodiff_dataset::Dataset::open(folder.path(), "DPM").unwrap().load(0)
    };
    let car = "[[20, 8], [22, 8], [22, 12], [20, 12], [20, 8]]";
    let buildings = read("polygon/buildings_and_cars", format!("[{house}, {car}]")).unwrap().scene.buildings.clone();
    assert_eq!(buildings.len(), 1);
    let drawn = rasterize(Grid { size: 32, meters_per_pixel: 1.0 }, &buildings).pixels;
    let expected = |i: usize| u8::from((4..11).contains(&(i / 32)) && (6..12).contains(&(i % 32)));
    assert!((0..32 * 32).all(|i| drawn[i] == expected(i)), "the house's pixels");
    // Footprints of their own go first, and those without an area go nowhere.
    let line = "[[1, 1], [5, 5], [1, 1]]";
    assert_eq!(read("polygon/buildings", format!("[{house}, {house}, {line}, []]")).unwrap().scene.buildings.len(), 2);
    let error = format!("{:#}", read("polygon/buildings", "[[[1]]]".into()).unwrap_err());
    assert!(error.contains("polygon/buildings/3.json: expected rings"), "{error}");
}

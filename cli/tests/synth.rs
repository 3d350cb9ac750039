//! `radiodiff dataset synth` as a user runs it, and what reading a dataset says of damaged ones.

// Clippy allows unwrap in #[test] functions only; the helpers here are as much tests.
#![allow(clippy::unwrap_used)]

use radiodiff_dataset::Dataset;
use radiodiff_planning::export::geotiff;
use radiodiff_planning::raster::{GeoRaster, RasterQuantity};
use radiodiff_radio::scene::{GeoBounds, Grid, Transmitter, buildings_from_json, rasterize};
use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;

mod common;
mod pbf;

use common::contents;

fn command(out: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_radiodiff"));
    command.args(["dataset", "synth", "--out"]).arg(out).args(args);
    command
}

fn synth(out: &Path, args: &[&str]) -> Output {
    command(out, args).output().unwrap()
}

const SMALL: [&str; 6] = ["--procedural", "2", "--transmitters", "2", "--seed", "11"];

/// A folder with two maps of two transmitters.
fn small_dataset() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let output = synth(folder.path(), &SMALL);
    assert!(output.status.success(), "{}", stderr(&output));
    folder
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// What loading the first radio map of a damaged dataset says.
fn complaint(folder: &Path) -> String {
    format!("{:#}", Dataset::open(folder, "DPM").unwrap().load(0).unwrap_err())
}

#[test]
fn one_seed_gives_the_same_bytes_on_any_number_of_threads_and_another_does_not() {
    let (a, b, c) = (small_dataset(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    assert!(command(b.path(), &SMALL).env("RAYON_NUM_THREADS", "1").output().unwrap().status.success());
    assert_eq!(contents(a.path()), contents(b.path()));
    assert_eq!(contents(a.path()).len(), 2 + 2 + 4 + 4 + 2 + 1 + 1, "buildings, outlines, antennas, maps, positions, two tables");
    assert!(synth(c.path(), &["--procedural", "2", "--transmitters", "2", "--seed", "12"]).status.success());
    let buildings = Path::new("png/buildings_complete/0.png");
    assert_ne!(contents(a.path())[buildings], contents(c.path())[buildings]);
}

#[test]
fn what_is_simulated_can_be_read() {
    let folder = small_dataset();
    let dataset = Dataset::open(folder.path(), "DPM").unwrap();
    let names: Vec<_> = (0..dataset.len()).map(|i| dataset.name(i)).collect();
    assert_eq!(names, ["0_0", "0_1", "1_0", "1_1"]);
    let samples: Vec<_> = (0..dataset.len()).map(|i| dataset.load(i).unwrap()).collect();
    assert!(Arc::ptr_eq(&samples[0].scene, &samples[1].scene), "a city is read once");
    for sample in &samples {
        let scene = &sample.scene;
        let Transmitter { position, .. } =
            scene.place_transmitter(Transmitter::at(sample.position.x, sample.position.y)).unwrap().transmitter;
        assert_eq!(position, sample.position, "the transmitter stands outdoors");
        let (row, column) = scene.grid.pixel_of(sample.position).unwrap();
        assert_eq!(sample.truth[row * 256 + column], *sample.truth.iter().max().unwrap(), "it is brightest at the transmitter");
        let built = scene.mask.pixels.iter().filter(|&&inside| inside != 0).count();
        assert!((0.13..=0.42).contains(&(built as f64 / 65536.0)), "{built} pixels built");
        assert!(scene.mask.pixels.iter().zip(&sample.truth).all(|(&inside, &gray)| inside == 0 || gray == 0));
    }
}

/// Pixels of four metres: readers find their size in `dataset.toml`, transmitters at their pixels' centres and cars by their outlines, so
/// that simulating the folder again gives its maps.
#[test]
fn maps_of_larger_pixels_are_read_as_they_were_made() {
    let folder = tempfile::tempdir().unwrap();
    let options = ["--pixels", "96", "--resolution-m", "4", "--roofs", "4,40", "--cars", "60"];
    let output = synth(folder.path(), &[&SMALL[..], &options].concat());
    assert!(output.status.success(), "{}", stderr(&output));
    let dataset = Dataset::open(folder.path(), "carsDPM").unwrap();
    let sample = dataset.load(0).unwrap();
    let (grid, cars) = (sample.scene.grid, sample.scene.cars.len());
    assert_eq!((grid.size, grid.meters_per_pixel), (96, 4.0));
    assert!((20..=60).contains(&cars), "{cars} cars");
    let (row, column) = grid.pixel_of(sample.position).unwrap();
    assert_eq!(sample.position, grid.pixel_center(row, column));
    assert_eq!(sample.truth[row * 96 + column], *sample.truth.iter().max().unwrap(), "it is brightest at the transmitter");
    let again = tempfile::tempdir().unwrap();
    let run = |args: &[&str]| Command::new(env!("CARGO_BIN_EXE_radiodiff")).args(args).output().unwrap();
    let [made, again] = [folder.path(), again.path()].map(|path| path.to_str().unwrap());
    let simulated = run(&["simulate", "--dataset", made, "--method", "cars-dpm", "--out", again]);
    assert!(simulated.status.success(), "{}", stderr(&simulated));
    for name in ["0_0.png", "0_1.png", "1_0.png", "1_1.png"] {
        let [made, again] = [made, again].map(|folder| fs::read(Path::new(folder).join("gain/carsDPM").join(name)).unwrap());
        assert!(made == again, "{name}");
    }
    let checked = run(&["dataset", "check", made]);
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stdout));
    fs::remove_file(folder.path().join("polygon/buildings/0.json")).unwrap();
    let refused = format!("{:#}", Dataset::open(folder.path(), "carsDPM").unwrap().load(0).unwrap_err());
    assert!(refused.contains("polygon/buildings/0.json: expected it"), "{refused}");
    fs::write(folder.path().join("dataset.toml"), "meters_per_pixel = 0").unwrap();
    let refused = format!("{:#}", Dataset::open(folder.path(), "carsDPM").unwrap_err());
    assert!(refused.contains("dataset.toml: meters_per_pixel is 0, expected 0.1 to 100"), "{refused}");
}

#[test]
fn a_cut_run_goes_on_with_what_is_missing() {
    let folder = small_dataset();
    let whole = contents(folder.path());
    let kept = folder.path().join("gain/DPM/0_0.png");
    let untouched = fs::metadata(&kept).unwrap().modified().unwrap();
    fs::rename(folder.path().join("dataset.toml"), folder.path().join("dataset.unfinished.toml")).unwrap();
    fs::remove_file(folder.path().join("antenna/1.json")).unwrap();
    fs::write(folder.path().join("gain/DPM/1_1.png"), b"half").unwrap();
    assert!(synth(folder.path(), &SMALL).status.success());
    assert_eq!(contents(folder.path()), whole);
    assert_eq!(fs::metadata(&kept).unwrap().modified().unwrap(), untouched, "map 0 was not made again");
}

const SIX: [&str; 6] = ["--procedural", "6", "--transmitters", "1", "--seed", "4"];

#[test]
fn a_killed_run_that_is_started_again_gives_the_same_folder() {
    let (whole, killed) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    assert!(synth(whole.path(), &SIX).status.success());
    let mut child = command(killed.path(), &SIX).env("RAYON_NUM_THREADS", "1").spawn().unwrap();
    let antennas = killed.path().join("antenna");
    let done = || fs::read_dir(&antennas).map_or(0, |listing| listing.count());
    let started = std::time::Instant::now();
    while done() == 0 && started.elapsed().as_secs() < 120 {
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!((1..6).contains(&done()) && !killed.path().join("dataset.toml").exists(), "{} maps when killed", done());
    // What a kill between writing and renaming leaves.
    fs::write(killed.path().join("gain/DPM/.writing-x1"), b"half").unwrap();
    assert!(synth(killed.path(), &SIX).status.success());
    assert_eq!(contents(killed.path()), contents(whole.path()));
}

/// As on a full disk, every write beyond 8 KB of a file fails.
#[test]
#[cfg(unix)]
fn a_full_disk_names_the_file_and_loses_nothing() {
    let (whole, folder) = (small_dataset(), tempfile::tempdir().unwrap());
    let args: Vec<&str> = SMALL.to_vec();
    let limited = Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 16; exec \"$@\"", "sh", env!("CARGO_BIN_EXE_radiodiff"), "dataset", "synth", "--out"])
        .arg(folder.path())
        .args(&args)
        .output()
        .unwrap();
    assert_eq!(limited.status.code(), Some(1));
    let text = stderr(&limited);
    assert!(text.contains("gain/DPM/") && text.contains("writing") && text.contains("File too large"), "{text}");
    assert!(contents(folder.path()).keys().all(|path| !path.starts_with("gain") && !path.starts_with("antenna")), "no half map");
    assert!(synth(folder.path(), &args).status.success());
    assert_eq!(contents(folder.path()), contents(whole.path()));
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("gain")).unwrap();
    fs::write(folder.path().join("gain/DPM"), b"a file").unwrap();
    let output = synth(folder.path(), &SMALL);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("gain/DPM"), "{}", stderr(&output));
}

#[test]
fn outlines_are_the_image_of_the_buildings() {
    let folder = tempfile::tempdir().unwrap();
    assert!(synth(folder.path(), &["--procedural", "6", "--transmitters", "1", "--seed", "9"]).status.success());
    let dataset = Dataset::open(folder.path(), "DPM").unwrap();
    let mut courtyards = 0;
    for i in 0..dataset.len() {
        let scene = dataset.load(i).unwrap().scene;
        assert_eq!(rasterize(scene.grid, &scene.buildings), scene.mask, "{}", dataset.name(i));
        courtyards += scene.buildings.iter().filter(|b| b.footprint.exterior().0.len() > 12).count();
    }
    assert!(courtyards > 0, "some buildings have more than the corners of a box");
    let csv = fs::read_to_string(folder.path().join("dataset.csv")).unwrap();
    let sources: Vec<&str> = csv.lines().skip(1).filter_map(|line| line.rsplit(',').next()).collect();
    assert_eq!(sources, ["grid", "perimeter", "organic", "suburban", "towers", "campus"]);
}

#[test]
fn maps_with_cars_are_weakened_by_them_and_lie_under_their_own_name() {
    let (plain, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let args = ["--procedural", "1", "--kind", "perimeter", "--transmitters", "2", "--seed", "6"];
    assert!(synth(plain.path(), &args).status.success());
    assert!(synth(folder.path(), &[&args[..], &["--cars", "30"]].concat()).status.success());
    assert!(!folder.path().join("gain/DPM").exists(), "a map with cars is no DPM");
    let csv = fs::read_to_string(folder.path().join("dataset.csv")).unwrap();
    assert!(csv.contains(",gain/carsDPM/0_1.png,") && !csv.contains("gain/DPM"), "{csv}");
    let toml = fs::read_to_string(folder.path().join("dataset.toml")).unwrap();
    assert!(toml.contains("method = \"carsDPM\""), "{toml}");
    let (without, with_cars) = (contents(plain.path()), contents(folder.path()));
    for path in ["png/buildings_complete/0.png", "antenna/0.json", "polygon/buildings/0.json"] {
        assert_eq!(without[Path::new(path)], with_cars[Path::new(path)], "{path}");
    }

    let dataset = Dataset::open(folder.path(), "carsDPM").unwrap();
    let cars = image::open(folder.path().join("png/cars/0.png")).unwrap().into_luma8();
    let scene = dataset.load(0).unwrap().scene;
    let lit: Vec<usize> = cars.iter().enumerate().filter(|&(_, &v)| v > 0).map(|(i, _)| i).collect();
    // Thirty boxes of 8 square metres whose corners are rounded to metres.
    assert!((150..330).contains(&lit.len()), "{} pixels", lit.len());
    assert!(lit.iter().all(|&i| scene.mask.pixels[i] == 0));
    let both = String::from_utf8(with_cars[Path::new("polygon/buildings_and_cars/0.json")].clone()).unwrap();
    assert_eq!(buildings_from_json(&both).unwrap().len(), scene.buildings.len() + 30);

    let mut weakened = 0;
    for i in 0..dataset.len() {
        let with_cars = dataset.load(i).unwrap().truth;
        let without = Dataset::open(plain.path(), "DPM").unwrap().load(i).unwrap().truth;
        assert!(with_cars.iter().zip(&without).all(|(with, without)| with <= without), "cars never strengthen");
        // In sight a car takes 2.6 dB and more at 10 m, which is 6 gray levels.
        weakened += with_cars.iter().zip(&without).filter(|&(with, without)| with.saturating_add(6) <= *without).count();
    }
    assert!(weakened > 500, "{weakened} pixels are behind cars");

    // What is computed again from the folder's own files is the same.
    let again = tempfile::tempdir().unwrap();
    let [from, to] = [folder.path(), again.path()].map(|path| path.to_str().unwrap());
    let output = Command::new(env!("CARGO_BIN_EXE_radiodiff"))
        .args(["simulate", "--dataset", from, "--method", "cars-dpm", "--out", to])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    for name in ["0_0", "0_1"] {
        let path = format!("gain/carsDPM/{name}.png");
        assert_eq!(fs::read(again.path().join(&path)).unwrap(), with_cars[Path::new(&path)], "{path}");
    }
}

#[test]
fn rays_do_not_know_cars_and_say_so() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let output = synth(&out, &["--procedural", "1", "--method", "rays2", "--cars", "3"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("--method rays2 does not know cars"), "{}", stderr(&output));
    let output = synth(&out, &["--procedural", "1", "--method", "cars-dpm"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("--cars"), "{}", stderr(&output));
    let data = small_dataset();
    let [from, to] = [data.path(), &out].map(|path| path.to_str().unwrap());
    let simulate = |method: &str| {
        Command::new(env!("CARGO_BIN_EXE_radiodiff"))
            .args(["simulate", "--dataset", from, "--method", method, "--out", to])
            .output()
            .unwrap()
    };
    // A dataset without cars has no maps with cars.
    for method in ["cars-dpm", "cars-irt2"] {
        let output = simulate(method);
        assert_eq!(output.status.code(), Some(1));
        assert!(stderr(&output).contains("png/cars"), "{}", stderr(&output));
    }
    assert!(!out.exists() || contents(&out).is_empty(), "nothing is written");
}

#[test]
fn an_extract_of_openstreetmap_is_cut_into_maps() {
    let folder = tempfile::tempdir().unwrap();
    let (city, out) = (folder.path().join("town.osm.pbf"), folder.path().join("out"));
    fs::write(&city, pbf::town()).unwrap();
    let args = ["--city", city.to_str().unwrap(), "--blocks", "1", "--transmitters", "1", "--north-up"];
    let output = synth(&out, &args);
    assert!(output.status.success(), "{}", stderr(&output));
    let dataset = Dataset::open(&out, "DPM").unwrap();
    let scene = dataset.load(0).unwrap().scene;
    let built = scene.mask.pixels.iter().filter(|&&inside| inside != 0).count() as f64 / 65536.0;
    assert!((built - 0.25).abs() < 0.04, "{built}");
    // North is up, so that whole houses are squares of 20 m along the axes.
    let upright = |b: &&radiodiff_radio::scene::Building| b.footprint.exterior().0.len() == 5;
    assert!(scene.buildings.iter().filter(upright).count() > 20);
    fs::write(&city, b"no extract").unwrap();
    let output = synth(&folder.path().join("other"), &args);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("town.osm.pbf is no OpenStreetMap extract"), "{}", stderr(&output));
}

#[test]
fn another_dataset_is_not_mixed_in() {
    let folder = small_dataset();
    let output = synth(folder.path(), &["--procedural", "2", "--transmitters", "2", "--seed", "12"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("dataset.toml describes another dataset"), "{}", stderr(&output));
}

#[test]
fn wrong_usage_exits_with_2_and_a_missing_city_with_1() {
    let folder = tempfile::tempdir().unwrap();
    let wrong: [&[&str]; 7] = [
        &[],
        &["--procedural", "0"],
        &["--procedural", "1", "--transmitters", "0"],
        &["--procedural", "1", "--blocks", "3"],
        &["--city", "x.geojson"],
        &["--procedural", "1", "--kind", "village"],
        &["--procedural", "1", "--north-up"],
    ];
    for args in wrong {
        assert_eq!(synth(folder.path(), args).status.code(), Some(2), "{args:?}");
    }
    let output = synth(folder.path(), &["--city", "nowhere.geojson", "--blocks", "1"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("nowhere.geojson"), "{}", stderr(&output));
}

/// A town of square houses 20 m wide, 40 m from each other, as GeoJSON.
fn town() -> String {
    let ring = |x: f64, y: f64| {
        let at = |dx: f64, dy: f64| format!("[{:.7},{:.7}]", 11.0 + (x + dx) / 71_700.0, 50.0 + (y + dy) / 111_200.0);
        [at(0.0, 0.0), at(20.0, 0.0), at(20.0, 20.0), at(0.0, 20.0), at(0.0, 0.0)].join(",")
    };
    let polygon = |i: u32| format!("[[{}]]", ring(f64::from(i % 15) * 40.0, f64::from(i / 15) * 40.0));
    let polygons: Vec<String> = (0..225).map(polygon).collect();
    format!(r#"{{"type":"MultiPolygon","coordinates":[{}]}}"#, polygons.join(","))
}

/// Houses 20 m wide, 40 m from each other, as a laser scan gives them.
#[test]
fn a_raster_of_heights_is_cut_into_maps() {
    const SIDE: usize = 600;
    let grid = Grid { size: SIDE, meters_per_pixel: 1.0 };
    let bounds = GeoBounds { west: 11.0, south: 50.0, east: 11.0 + SIDE as f64 / 71_700.0, north: 50.0 + SIDE as f64 / 111_200.0 };
    let height_m = |i: usize| if i % SIDE % 40 < 20 && i / SIDE % 40 < 20 { 9.0 } else { 0.2 };
    let values = (0..grid.pixels()).map(height_m).collect();
    let raster = GeoRaster { grid, bounds, quantity: RasterQuantity::Difference, values };
    let folder = tempfile::tempdir().unwrap();
    let (city, out) = (folder.path().join("scan.tif"), folder.path().join("out"));
    fs::write(&city, geotiff(&raster).unwrap()).unwrap();
    let output = synth(&out, &["--city", city.to_str().unwrap(), "--blocks", "1", "--transmitters", "1"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let scene = Dataset::open(&out, "DPM").unwrap().load(0).unwrap().scene;
    let built = scene.mask.pixels.iter().filter(|&&inside| inside != 0).count() as f64 / 65536.0;
    assert!((built - 0.25).abs() < 0.05, "{built}");
}

#[test]
fn blocks_are_cut_from_a_city_and_its_licence_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let (city, out) = (folder.path().join("town.geojson"), folder.path().join("out"));
    fs::write(&city, town()).unwrap();
    let output = synth(&out, &["--city", city.to_str().unwrap(), "--blocks", "2", "--transmitters", "1", "--first-map", "70"]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(!stderr(&output).contains("all buildings stand within"), "the frame is larger than any town: {}", stderr(&output));
    let dataset = Dataset::open(&out, "DPM").unwrap();
    assert_eq!((dataset.name(0), dataset.name(1)), ("70_0".into(), "71_0".into()));
    // A quarter of the town is built, so that a quarter of any window is, whatever its angle.
    let built = dataset.load(0).unwrap().scene.mask.pixels.iter().filter(|&&inside| inside != 0).count() as f64 / 65536.0;
    assert!((built - 0.25).abs() < 0.05, "{built}");
    let provenance = fs::read_to_string(out.join("dataset.toml")).unwrap();
    assert!(provenance.contains(r#"name = "town""#) && provenance.contains("ODbL-1.0"), "{provenance}");
}

#[test]
fn a_city_without_a_usable_block_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let city = folder.path().join("hut.geojson");
    fs::write(&city, r#"{"type":"Polygon","coordinates":[[[11,50],[11.0001,50],[11.0001,50.0001],[11,50]]]}"#).unwrap();
    let output = synth(&folder.path().join("out"), &["--city", city.to_str().unwrap(), "--blocks", "1"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("the city hut gave no map that is 10 to 75 % built"), "{}", stderr(&output));
}

#[test]
fn a_truncated_png_is_named() {
    let folder = small_dataset();
    let path = folder.path().join("gain/DPM/0_0.png");
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    let text = complaint(folder.path());
    assert!(text.contains("0_0.png: expected a whole PNG"), "{text}");
}

fn write_gray(path: &Path, width: u32, height: u32) {
    image::GrayImage::new(width, height).save(path).unwrap();
}

#[test]
fn a_png_of_another_size_or_kind_is_named() {
    let folder = small_dataset();
    let path = folder.path().join("gain/DPM/0_0.png");
    write_gray(&path, 128, 128);
    let text = complaint(folder.path());
    assert!(text.contains("0_0.png: expected 256 x 256 pixels") && text.contains("found 128 x 128"), "{text}");
    write_gray(&path, 256, 200);
    let text = complaint(folder.path());
    assert!(text.contains("0_0.png: expected a square image, found 256 x 200"), "{text}");
    image::RgbImage::new(256, 256).save(&path).unwrap();
    let text = complaint(folder.path());
    assert!(text.contains("0_0.png: expected 8-bit gray pixels, found Rgb8"), "{text}");
}

#[test]
fn missing_or_short_antenna_files_are_named() {
    let folder = small_dataset();
    let path = folder.path().join("antenna/0.json");
    fs::write(&path, "[]").unwrap();
    let text = complaint(folder.path());
    assert!(text.contains("0.json: expected a position of transmitter 0, found 0 positions"), "{text}");
    fs::write(&path, "[[1,").unwrap();
    let text = complaint(folder.path());
    assert!(text.contains("0.json: expected a list of [x, y]"), "{text}");
    fs::write(&path, "[[900, 5]]").unwrap();
    let text = complaint(folder.path());
    assert!(text.contains("0.json, transmitter 0") && text.contains("outside the map"), "{text}");
    fs::remove_file(&path).unwrap();
    let text = complaint(folder.path());
    assert!(text.contains("0.json cannot be read"), "{text}");
}

#[test]
fn a_position_in_a_building_falls_back_to_the_lit_pixel_then_to_the_nearest_outdoors() {
    let folder = small_dataset();
    let load = || Dataset::open(folder.path(), "DPM").unwrap().load(0).unwrap();
    let true_position = load().position;
    let mask = load().scene.mask.clone();
    let inside = mask.pixels.iter().position(|&inside| inside != 0).unwrap();
    let (row, column) = (inside / 256, inside % 256);
    fs::write(folder.path().join("antenna/0.json"), format!("[[{column}, {}]]", 255 - row)).unwrap();
    assert_eq!(load().position, true_position);
    fs::remove_file(folder.path().join("png/antennas/0_0.png")).unwrap();
    let scene = load().scene;
    let center = scene.grid.pixel_center(row, column);
    let nearest = scene.place_transmitter(Transmitter::at(center.x, center.y)).unwrap();
    assert_eq!(load().position, nearest.transmitter.position);
}

#[test]
fn folders_that_are_no_dataset_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let message = |folder: &Path| format!("{:#}", Dataset::open(folder, "DPM").unwrap_err());
    assert!(message(folder.path()).contains("gain/DPM cannot be listed"));
    let gain = folder.path().join("gain/DPM");
    fs::create_dir_all(&gain).unwrap();
    assert!(message(folder.path()).contains("holds no .png"));
    fs::write(gain.join("map.png"), b"").unwrap();
    assert!(message(folder.path()).contains("map.png: expected a name like 12_3.png"));
}

#[test]
#[cfg_attr(not(reference_data), ignore = "needs the reference data (RADIODIFF_SHARED)")]
fn the_real_samples_are_read() {
    let folder = radiodiff_tests::shared_data().join("data/radiomapseer-samples");
    let dataset = Dataset::open(&folder, "DPM").unwrap();
    assert_eq!(dataset.len(), 22);
    for i in 0..dataset.len() {
        let sample = dataset.load(i).unwrap();
        let (row, column) = sample.scene.grid.pixel_of(sample.position).unwrap();
        assert!(!sample.scene.mask.is_building(row, column), "{}", dataset.name(i));
        // WinProp gives at least -70 dB within two pixels of a transmitter; a position read with x and y exchanged, say, does not.
        let near = |r: usize, c: usize| r.abs_diff(row) <= 2 && c.abs_diff(column) <= 2;
        let brightest = (0..65536).filter(|&i| near(i / 256, i % 256)).map(|i| sample.truth[i]).max().unwrap();
        assert!(brightest >= 198, "{}: gray level {brightest} at its transmitter", dataset.name(i));
    }
}

#[test]
fn roofs_of_different_heights_are_written_read_and_checked() {
    let folder = tempfile::tempdir().unwrap();
    let made = synth(folder.path(), &["--procedural", "1", "--transmitters", "1", "--roofs", "4,60"]);
    assert!(made.status.success(), "{}", stderr(&made));
    let sample = Dataset::open(folder.path(), "DPM").unwrap().load(0).unwrap();
    let scene = &sample.scene;
    let heights: std::collections::BTreeSet<u32> = scene.roofs.meters().iter().map(|&height_m| height_m as u32).collect();
    assert!(heights.len() > 5 && heights.iter().all(|&height_m| height_m == 0 || (4..=60).contains(&height_m)), "{heights:?}");
    assert!(scene.mask.pixels.iter().zip(scene.roofs.meters()).all(|(&inside, &height_m)| (inside != 0) == (height_m > 0.0)));
    let check = || {
        let output = Command::new(env!("CARGO_BIN_EXE_radiodiff")).args(["dataset", "check"]).arg(folder.path()).output().unwrap();
        (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned() + &stderr(&output))
    };
    assert!(check().0, "{}", check().1);
    let image = folder.path().join("png/heights/0.png");
    let inverted = image::open(&image).unwrap().into_luma8();
    image::GrayImage::from_fn(256, 256, |x, y| image::Luma([if inverted.get_pixel(x, y).0[0] == 0 { 9 } else { 0 }])).save(&image).unwrap();
    assert!(!check().0 && check().1.contains("heights outside buildings"), "{}", check().1);
    for wrong in ["4", "9,4", "1,9", "4,900", "a,b", "4,5,6"] {
        let refused = synth(folder.path(), &["--procedural", "1", "--roofs", wrong]);
        assert!(stderr(&refused).contains("--roofs"), "{wrong}: {}", stderr(&refused));
    }
}

#[test]
fn some_roofs_are_stated_and_the_gains_know_all() {
    let folder = tempfile::tempdir().unwrap();
    let options =
        ["--procedural", "2", "--kind", "old-town", "--transmitters", "1", "--roofs", "4,40", "--antennas", "12,12", "--seed", "3"];
    let open = |name: &str, more: &[&str]| {
        let path = folder.path().join(name);
        let made = synth(&path, &[&options[..], more].concat());
        assert!(made.status.success(), "{}", stderr(&made));
        Dataset::open(&path, "DPM").unwrap()
    };
    let all = open("all", &[]);
    let half = open("half", &["--stated-roofs", "0.5,0.5"]);
    let off = open("off", &["--stated-roofs", "1,1", "--stated-error", "0.2"]);
    let none = open("none", &["--stated-roofs", "0,0"]);
    for i in 0..2 {
        let [all, half, off, none] = [&all, &half, &off, &none].map(|dataset| dataset.load(i).unwrap());
        assert!([&half, &off, &none].into_iter().all(|other| other.truth == all.truth), "map {i}: the same gains");
        let truth = all.scene.roofs.stated_meters();
        assert_eq!(all.scene.roofs.meters(), &truth[..], "all are stated");
        assert!(none.scene.roofs.stated_meters().iter().all(|&height_m| height_m == 0.0));
        let of_half = half.scene.roofs.stated_meters();
        let pairs = of_half.iter().zip(&truth).filter(|(_, truth_m)| **truth_m > 0.0);
        let stated = pairs.clone().filter(|(stated_m, truth_m)| stated_m == truth_m).count();
        let unstated = pairs.clone().filter(|(stated_m, _)| **stated_m == 0.0).count();
        let overlapping = pairs.count() - stated - unstated;
        assert!(overlapping < 100, "map {i}: {overlapping} pixels are stated wrongly: more than where the higher of two buildings is not");
        assert!(stated > 1000 && unstated > 1000, "map {i}: {stated} and {unstated} pixels");
        let is_near = |(stated_m, truth_m): (&f32, &f32)| (stated_m - truth_m).abs() <= 0.2 * truth_m + 0.5;
        assert!(off.scene.roofs.stated_meters().iter().zip(&truth).all(is_near), "map {i}");
        assert_ne!(off.scene.roofs.stated_meters(), truth);
    }
    let wrong = folder.path().join("wrong");
    for (options, expected) in [
        (&["--roofs", "4,40", "--stated-roofs", "1,0.5"][..], "expected LOW,HIGH from 0 to 1"),
        (&["--roofs", "4,40", "--stated-roofs", "0,2"], "expected LOW,HIGH from 0 to 1"),
        (&["--roofs", "4,40", "--stated-roofs", "half"], "expected LOW,HIGH from 0 to 1"),
        (&["--roofs", "4,40", "--stated-roofs", "0,1", "--stated-error", "1"], "expected a share from 0 to less than 1"),
        (&["--roofs", "4,40", "--stated-roofs", "0,1", "--stated-error=-0.1"], "expected a share from 0 to less than 1"),
        (&["--roofs", "4,40", "--stated-error", "0.1"], "--stated-roofs"),
        (&["--stated-roofs", "0,1"], "--roofs"),
    ] {
        let refused = synth(&wrong, &[&["--procedural", "1"], options].concat());
        assert!(!refused.status.success() && stderr(&refused).contains(expected), "{options:?}: {}", stderr(&refused));
        assert!(!wrong.exists(), "{options:?}");
    }
}

#[test]
fn antennas_of_different_heights_are_written_read_and_simulated() {
    let folder = tempfile::tempdir().unwrap();
    let made = synth(folder.path(), &["--procedural", "1", "--kind", "old-town", "--transmitters", "3", "--antennas", "2.5,40"]);
    assert!(made.status.success(), "{}", stderr(&made));
    let samples: Vec<_> = (0..3).map(|i| Dataset::open(folder.path(), "DPM").unwrap().load(i).unwrap()).collect();
    let heights_m: Vec<f64> = samples.iter().map(|sample| sample.ends().height_m).collect();
    assert!(heights_m.iter().all(|height_m| (2.5..=40.0).contains(height_m)) && heights_m[0] != heights_m[1], "{heights_m:?}");
    assert!(fs::read_to_string(folder.path().join("dataset.toml")).unwrap().contains("antenna_heights_m"));
    let built = samples[0].scene.mask.pixels.iter().filter(|&&inside| inside != 0).count() as f64 / 65_536.0;
    assert!((0.35..=0.75).contains(&built), "an old town is dense: {built}");

    // Simulated again each has its height; with one height for all they are other maps.
    let simulated = |more: &[&str]| {
        let out = tempfile::tempdir().unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_radiodiff"));
        command.args(["simulate", "--method", "dpm", "--dataset"]).arg(folder.path()).arg("--out").arg(out.path()).args(more);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
        contents(&out.path().join("gain/DPM"))
    };
    assert_eq!(simulated(&[]), contents(&folder.path().join("gain/DPM")));
    assert_ne!(simulated(&["--height-m", "1.5"]), contents(&folder.path().join("gain/DPM")));

    let check = || {
        let output = Command::new(env!("CARGO_BIN_EXE_radiodiff")).args(["dataset", "check"]).arg(folder.path()).output().unwrap();
        (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned() + &stderr(&output))
    };
    assert!(check().0, "{}", check().1);
    let file = folder.path().join("antenna_height/0.json");
    for (text, words) in [("[3, 900, 3]", "transmitter 1"), ("[3]", "transmitter 1, found 1 heights"), ("{}", "list of heights in metres")]
    {
        fs::write(&file, text).unwrap();
        let said = format!("{:#}", Dataset::open(folder.path(), "DPM").unwrap().load(1).unwrap_err());
        assert!(said.contains(words), "{text}: {said}");
        assert!(!check().0 && check().1.contains("0.json"), "{text}: {}", check().1);
    }
    for wrong in ["4", "9,4", "0,9", "4,900", "a,b", "4,5,6"] {
        let refused = synth(folder.path(), &["--procedural", "1", "--antennas", wrong]);
        assert!(stderr(&refused).contains("--antennas"), "{wrong}: {}", stderr(&refused));
    }
}

//! `radiodiff predict` as a user runs it, on the scenes of the demo.

// Clippy allows unwrap in #[test] functions only; the helpers here are as much tests.
#![allow(clippy::unwrap_used)]

mod common;

use common::{radiodiff, succeeds, text};
use std::fs;
use std::path::Path;
use std::process::Output;

const SCENE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../www/scenes/munich-old-town.geojson");
const BOUNDS: &str = "11.575250292797158,48.133278847746034,11.578689707202841,48.13558115225397";
/// In a street of the scene.
const TX: &str = "11.57665,48.13487";

fn predict(out: &Path, args: &[&str]) -> Output {
    radiodiff(&[&["predict", SCENE, "--bounds", BOUNDS, "--out", out.to_str().unwrap()], args].concat())
}

/// Runs the command in a new folder; returns its output and the folder.
fn drawn(name: &str, args: &[&str]) -> (Output, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let output = predict(&folder.path().join(name), args);
    assert!(output.status.success(), "{args:?}: {}", text(&output.stderr));
    (output, folder)
}

/// The values of a NumPy file of 256 x 256 float32.
fn array(args: &[&str]) -> Vec<f32> {
    array_of(256, args)
}

/// As [`array`], of so many pixels a side.
fn array_of(side: usize, args: &[&str]) -> Vec<f32> {
    let (_, folder) = drawn("map.npy", args);
    let bytes = fs::read(folder.path().join("map.npy")).unwrap();
    assert!(bytes.starts_with(b"\x93NUMPY"));
    let header = u16::from_le_bytes([bytes[8], bytes[9]]) as usize;
    let description = String::from_utf8_lossy(&bytes[10..10 + header]).into_owned();
    assert!(["'<f4'", &format!("({side}, {side}"), "False"].iter().all(|words| description.contains(words)), "{description}");
    let values: Vec<f32> = bytes[10 + header..].chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
    assert_eq!(values.len(), side * side);
    values
}

/// An error's exit code and words; nothing may be written.
fn refused(args: &[&str], code: i32, words: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let output = predict(&folder.path().join("map.png"), args);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{args:?}: {said}");
    words.iter().for_each(|words| assert!(said.contains(words), "{args:?} says {said:?}, expected {words:?}"));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "{args:?}");
}

#[test]
fn an_image_lies_where_its_world_file_says() {
    let (output, folder) = drawn("map.png", &["--tx", TX]);
    let said = text(&output.stdout);
    assert!(said.contains("256 x 256 pixels of 1 m") && said.contains("dominant path") && said.contains("map.pgw"), "{said}");
    let image = image::open(folder.path().join("map.png")).unwrap().into_rgba8();
    assert_eq!(image.dimensions(), (256, 256));
    let buildings = image.pixels().filter(|pixel| pixel.0[3] == 0).count();
    assert!((10_000..50_000).contains(&buildings), "{buildings} transparent pixels");
    let world: Vec<f64> = fs::read_to_string(folder.path().join("map.pgw")).unwrap().lines().map(|line| line.parse().unwrap()).collect();
    let [column, a, b, row, west, north] = world[..] else { panic!("{world:?}") };
    assert_eq!((a, b), (0.0, 0.0));
    // One metre in degrees at this latitude.
    assert!((column * 74_400.0 - 1.0).abs() < 0.01 && (row * -111_200.0 - 1.0).abs() < 0.01, "{column} {row}");
    let (x, y) = ((11.57665 - west) / column, (48.13487 - north) / row);
    // The brightest pixel is red, and it is the transmitter's.
    let [r, g, b, _] = image.get_pixel(x.round() as u32, y.round() as u32).0;
    assert!(r > 100 && g < 60 && b < 60, "{r} {g} {b} at {x}, {y}");
}

#[test]
fn a_table_an_array_and_two_runs_agree() {
    let (_, folder) = drawn("map.csv", &["--tx", TX]);
    let table = fs::read_to_string(folder.path().join("map.csv")).unwrap();
    let values = array(&["--tx", TX]);
    let outdoors: Vec<f32> = values.iter().copied().filter(|dbm| !dbm.is_nan()).collect();
    let mut lines = table.lines();
    assert_eq!(lines.next(), Some("lng,lat,dbm"));
    let rows: Vec<Vec<f64>> = lines.map(|line| line.split(',').map(|v| v.parse().unwrap()).collect()).collect();
    assert_eq!(rows.len(), outdoors.len());
    assert!(rows.iter().zip(&outdoors).all(|(row, dbm)| (row[2] - f64::from(*dbm)).abs() < 0.006));
    // Rows go from north to south, and within a row from west to east.
    assert!(rows.windows(2).all(|pair| pair[1][1] < pair[0][1] || pair[1][0] > pair[0][0]));
    let again = array(&["--tx", TX]);
    assert!(values.iter().zip(&again).all(|(a, b)| a.to_bits() == b.to_bits()));
    // 23 dBm unless another power is given; 3 dB more are 3 dB more everywhere.
    let [same, more] = ["23", "26"].map(|dbm| array(&["--tx", &format!("{TX},{dbm}")]));
    let pairs = || values.iter().zip(&same).zip(&more).filter(|((dbm, _), _)| !dbm.is_nan());
    assert!(pairs().all(|((dbm, same), more)| dbm == same && *more == dbm + 3.0));
}

#[test]
fn models_frequencies_and_antennas_differ() {
    let dominant = array(&["--tx", TX]);
    let mean = |values: &[f32]| {
        let outdoors: Vec<f64> = values.iter().filter(|dbm| !dbm.is_nan()).map(|&dbm| f64::from(dbm)).collect();
        outdoors.iter().sum::<f64>() / outdoors.len() as f64
    };
    let distance = array(&["--tx", TX, "--method", "log-distance"]);
    assert!(mean(&distance) > mean(&dominant) + 3.0, "without buildings a map is brighter");
    let rays = array(&["--tx", TX, "--method", "rays"]);
    assert_ne!(mean(&rays), mean(&dominant));
    // Rays are traced at 28 GHz. Beside the transmitter they are the direct ray; what walls reflect and corners bend changes otherwise.
    let (output, _) = drawn("map.npy", &["--tx", TX, "--method", "rays", "--frequency-mhz", "28000"]);
    assert!(!text(&output.stderr).contains("scaled"), "{}", text(&output.stderr));
    let higher = array(&["--tx", TX, "--method", "rays", "--frequency-mhz", "28000"]);
    let nearest = (0..rays.len()).filter(|&i| !rays[i].is_nan()).max_by(|&a, &b| rays[a].total_cmp(&rays[b])).unwrap();
    let open_db = 20.0 * (5900.0f32 / 28000.0).log10();
    assert!((higher[nearest] - rays[nearest] - open_db).abs() < 0.1, "{} after {}", higher[nearest], rays[nearest]);
    let changes = rays.iter().zip(&higher).filter(|(low, high)| **low > -120.0 && (*high - *low - open_db).abs() > 1.0).count();
    assert!(changes > 1000, "{changes} pixels change by more or less than the direct ray");
    let (output, _) = drawn("map.csv", &["--tx", TX, "--frequency-mhz", "28000"]);
    assert!(text(&output.stderr).contains("scaled to 28000 MHz"), "{}", text(&output.stderr));
    // A sector to the north does not light the south as an omnidirectional antenna does.
    let sector = array(&["--tx", TX, "--antenna", r#"{"azi": 0, "txg": 0, "hbw": 65, "vbw": 65}"#]);
    let south = 200 * 256..;
    assert!(mean(&sector[south.clone()]) < mean(&dominant[south]) - 5.0);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("antenna.json");
    fs::write(&file, r#"{"azi": 0, "txg": 0, "hbw": 65, "vbw": 65}"#).unwrap();
    assert_eq!(mean(&array(&["--tx", TX, "--antenna", file.to_str().unwrap()])), mean(&sector));
    let table = folder.path().join("pattern.csv");
    fs::write(&table, "0,0,0\n180,0,-20\n").unwrap();
    assert!(mean(&array(&["--tx", TX, "--antenna", table.to_str().unwrap()])) < mean(&dominant));
}

#[test]
fn what_is_changed_is_a_warning() {
    // The middle of a large building of the old town.
    let values = array(&["--tx", TX]);
    let inside = (0..256 * 256).filter(|&i| values[i].is_nan()).max_by_key(|&i| {
        let near = (1..20).take_while(|&d| {
            i >= 256 * d && [i - d, i + d, i - 256 * d, i + 256 * d].iter().all(|&j| values.get(j).is_some_and(|v| v.is_nan()))
        });
        near.count()
    });
    let (row, column) = (inside.unwrap() / 256, inside.unwrap() % 256);
    let (lng, lat) = (11.575250292797158 + (column as f64 + 0.5) * 1.34352e-5, 48.13558115225397 - (row as f64 + 0.5) * 8.9934e-6);
    let (output, _) = drawn("map.png", &["--tx", &format!("{lng},{lat}")]);
    let said = text(&output.stderr);
    assert!(said.contains("warning: the transmitter stood inside a building: it is 1.5 m above the ground, the roof "), "{said}");
    let (output, _) = drawn("map.png", &["--tx", TX, "--antenna", r#"{"beams": 4}"#]);
    assert!(text(&output.stderr).contains("warning: The antenna's beams is not known"), "{}", text(&output.stderr));
    let folder = tempfile::tempdir().unwrap();
    let wide = "11.57,48.13,11.59,48.14";
    let out = folder.path().join("map.png");
    let output = radiodiff(&["predict", SCENE, "--bounds", wide, "--tx", "11.58,48.135", "--out", out.to_str().unwrap()]);
    assert!(output.status.success() && text(&output.stderr).contains("warning: the bounds span"), "{}", text(&output.stderr));
}

#[test]
#[cfg_attr(not(reference_data), ignore = "needs the reference data (RADIODIFF_SHARED)")]
fn odd_scenes_are_drawn_with_warnings() {
    let village = radiodiff_tests::shared_data().join("cases/base/village.geojson");
    let folder = tempfile::tempdir().unwrap();
    let (odd, out) = (folder.path().join("odd.geojson"), folder.path().join("map.csv"));
    let mut document: serde_json::Value = serde_json::from_str(&fs::read_to_string(&village).unwrap()).unwrap();
    let corner = document["features"][0]["geometry"]["coordinates"][0][0].clone();
    document["features"][7]["geometry"]["coordinates"] = serde_json::Value::Null;
    fs::write(&odd, document.to_string()).unwrap();
    let tx = format!("{},{}", corner[0].as_f64().unwrap() - 1e-4, corner[1].as_f64().unwrap());
    let run = |scene: &Path| {
        let output = radiodiff(&["predict", scene.to_str().unwrap(), "--tx", &tx, "--out", out.to_str().unwrap()]);
        assert!(output.status.success(), "{}", text(&output.stderr));
        (text(&output.stderr), fs::read_to_string(&out).unwrap().lines().count() - 1)
    };
    let (said, outdoors) = run(&village);
    assert_eq!((said.contains("warning"), 65_536 - outdoors), (false, 6720), "{said}");
    let (said, outdoors) = run(&odd);
    assert_eq!(65_536 - outdoors, 6440);
    assert!(said.contains("warning: feature 7 "), "{said}");
}

#[test]
fn heights_of_antennas_and_buildings_reach_the_map() {
    let mean = |args: &[&str]| {
        let values = array(&[&["--tx", TX], args].concat());
        let outdoors: Vec<f64> = values.iter().filter(|value| !value.is_nan()).map(|&value| f64::from(value)).collect();
        outdoors.iter().sum::<f64>() / outdoors.len() as f64
    };
    let low = mean(&[]);
    assert!(mean(&["--height-m", "60"]) > low + 8.0 && mean(&["--receiver-height-m", "60"]) > low + 8.0);
}

/// A file of boxes of so many metres around places so many metres east and north of the transmitter.
fn boxes(folder: &Path, boxes: &[[f64; 4]]) -> String {
    let degrees = |east: f64, north: f64| serde_json::json!([11.57665 + east / 74_400.0, 48.13487 + north / 111_200.0]);
    let polygon = |&[east, north, width, height]: &[f64; 4]| {
        let (x, y) = ([east - width / 2.0, east + width / 2.0], [north - height / 2.0, north + height / 2.0]);
        vec![[degrees(x[0], y[0]), degrees(x[1], y[0]), degrees(x[1], y[1]), degrees(x[0], y[1]), degrees(x[0], y[0])]]
    };
    let polygons: Vec<_> = boxes.iter().map(polygon).collect();
    let path = folder.join("cars.geojson");
    fs::write(&path, serde_json::json!({ "type": "MultiPolygon", "coordinates": polygons }).to_string()).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn a_car_darkens_the_street_behind_it_and_what_is_larger_is_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let car = boxes(folder.path(), &[[8.0, 0.0, 2.0, 4.0]]);
    // The transmitter's pixel is that of row 79 and column 104; the street runs to the east and to the west.
    let at = |map: &[f32], east: usize| map[79 * 256 + 104 + east];
    let (without, with) = (array(&["--tx", TX]), array(&["--tx", TX, "--cars", &car]));
    assert_eq!(at(&with, 5), at(&without, 5), "before the car");
    let lost_db = at(&without, 20) - at(&with, 20);
    assert!((2.0..10.0).contains(&lost_db), "{lost_db} dB behind the car");
    assert_eq!(with[79 * 256 + 84], without[79 * 256 + 84], "on the other side of the transmitter");
    let high = |more: &[&str]| array(&[&["--tx", TX, "--height-m", "10"], more].concat());
    let lost_db = at(&high(&[]), 20) - at(&high(&["--cars", &car]), 20);
    assert!((0.0..0.1).contains(&lost_db), "{lost_db} dB from 10 m above the street");

    let house = boxes(folder.path(), &[[8.0, 0.0, 6.0, 10.0]]);
    let same = array(&["--tx", TX, "--cars", &house]).iter().zip(&without).all(|(a, b)| a.to_bits() == b.to_bits());
    assert!(same, "a house among the cars changes the map");
    let (output, _) = drawn("map.tif", &["--tx", TX, "--cars", &house]);
    let said = text(&output.stderr);
    assert!(said.contains("cars: feature 0 does not have a car's size and is not used: it is 11.7 m long"), "{said}");
}

#[test]
fn a_batch_and_a_search_for_sites_take_cars() {
    let folder = tempfile::tempdir().unwrap();
    let car = boxes(folder.path(), &[[8.0, 0.0, 2.0, 4.0]]);
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    fs::write(path("jobs.csv"), format!("id,lng,lat,cars\nwith,11.57665,48.13487,{car}\nwithout,11.57665,48.13487,\n")).unwrap();
    succeeds(&["batch", &path("jobs.csv"), "--", "--scene", SCENE, "--bounds", BOUNDS, "--out", &path("{id}.npy")]);
    let (_, alone) = drawn("map.npy", &["--tx", TX, "--cars", &car]);
    let read = |path: &str| fs::read(path).unwrap();
    assert!(read(&path("with.npy")) == read(alone.path().join("map.npy").to_str().unwrap()), "a batch draws other cars");
    assert!(read(&path("with.npy")) != read(&path("without.npy")), "a batch keeps the cars of the job before");

    let sites = |more: &[&str]| {
        let args = ["sites", SCENE, "--bounds", BOUNDS, "--count", "1", "--threshold=-65", "--spacing-m", "120", "--existing", TX];
        let said = succeeds(&[&args, more].concat());
        let words = said.split(' ').nth(1).unwrap().to_owned();
        words.parse::<f64>().unwrap()
    };
    let (without, with) = (sites(&[]), sites(&["--cars", &car]));
    assert!(with < without, "{with} % are covered beside a car, {without} % without");
}

#[test]
fn cars_that_cannot_be_used_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let car = boxes(folder.path(), &[[8.0, 0.0, 2.0, 4.0]]);
    let (output, _) = drawn("map.tif", &["--tx", TX, "--cars", &car, "--method", "rays"]);
    let said = text(&output.stderr);
    assert!(said.contains("ray tracing knows no cars"), "{said}");
    fs::write(&car, "{\"type\": \"MultiPolygon\", \"coordinates\": [").unwrap();
    refused(&["--tx", TX, "--cars", &car], 1, &["the cars ", "the GeoJSON cannot be read: "]);
    refused(&["--tx", TX, "--cars", "nowhere.geojson"], 1, &["nowhere.geojson cannot be read"]);
}

#[test]
fn unknown_materials_are_told_where_rays_are_drawn() {
    let folder = tempfile::tempdir().unwrap();
    let (scene, out) = (folder.path().join("house.geojson"), folder.path().join("map.npy"));
    let house = "[[11.0,48.0],[11.0005,48.0],[11.0005,48.0004],[11.0,48.0004],[11.0,48.0]]";
    let properties = r#"{"height":9,"building:material":"plaster"}"#;
    fs::write(&scene, format!(r#"{{"type":"Feature","properties":{properties},"geometry":{{"type":"Polygon","coordinates":[{house}]}}}}"#))
        .unwrap();
    let said = |method: &str| {
        let args = ["predict", scene.to_str().unwrap(), "--tx", "11.0007,48.0002", "--method", method, "--out", out.to_str().unwrap()];
        let output = radiodiff(&args);
        assert!(output.status.success(), "{}", text(&output.stderr));
        text(&output.stderr).contains("has walls of a material that is not known, and counts as without one: \"plaster\"")
    };
    assert_eq!(["rays", "dominant-path", "log-distance"].map(said), [true, false, false]);
}

#[test]
fn an_antenna_below_the_roof_is_moved_and_one_above_it_stands() {
    let folder = tempfile::tempdir().unwrap();
    let (scene, out) = (folder.path().join("house.geojson"), folder.path().join("map.npy"));
    let house = "[[11.0,48.0],[11.0005,48.0],[11.0005,48.0004],[11.0,48.0004],[11.0,48.0]]";
    let write = |height: &str| {
        let feature =
            format!(r#"{{"type":"Feature","properties":{{"height":{height}}},"geometry":{{"type":"Polygon","coordinates":[{house}]}}}}"#);
        fs::write(&scene, format!(r#"{{"type":"FeatureCollection","features":[{feature}]}}"#)).unwrap();
    };
    let said_with = |height: &str, more: &[&str]| {
        let args = ["predict", scene.to_str().unwrap(), "--tx", "11.00025,48.0002", "--height-m", height, "--out", out.to_str().unwrap()];
        let output = radiodiff(&[&args[..], more].concat());
        assert!(output.status.success(), "{}", text(&output.stderr));
        text(&output.stderr)
    };
    let said = |height: &str| said_with(height, &[]);
    write("12");
    assert!(!said("15").contains("moved"), "{}", said("15"));
    assert!(said("9").contains("it is 9 m above the ground, the roof 12.0 m; it was moved"), "{}", said("9"));
    write(r#""3;4""#);
    assert!(said("9").contains("height is \"3;4\", read as 3"), "{}", said("9"));
    for unknown in ["null", "0", "-5", "10000", r#""10 km""#] {
        write(unknown);
        assert!(said("9").contains("the heights of 1 of 1 building are assumed: 1 taken as 25 m"), "{unknown}: {}", said("9"));
        assert_eq!(said("9").contains("no plain number"), unknown != "null", "{unknown}: {}", said("9"));
    }
    let low = said_with("9", &["--building-height-m", "6"]);
    assert!(low.contains("1 taken as 6 m") && !low.contains("moved"), "{low}");
    for (method, ignored) in [("log-distance", true), ("dominant-path", false), ("rays", false)] {
        let said = said_with("30", &["--method", method, "--building-height-m", "6"]);
        assert_eq!(said.contains("the log-distance law knows no heights"), ignored, "{method}: {said}");
    }
    let map = |more: &[&str]| {
        said_with("30", &[&["--method", "rays"], more].concat());
        fs::read(&out).unwrap()
    };
    assert_ne!(map(&[]), map(&["--ground", "soil"]));
}

#[test]
fn more_interactions_never_darken_and_walls_reflect_as_they_are() {
    let traced = |options: &[&str]| array(&[&["--tx", TX, "--method", "rays"], options].concat());
    let [none, one, two] = ["0", "1", "2"].map(|interactions| traced(&["--interactions", interactions]));
    for (fewer, more) in [(&none, &one), (&one, &two)] {
        let outdoors = || fewer.iter().zip(more).filter(|(fewer, _)| !fewer.is_nan());
        assert!(outdoors().all(|(fewer, more)| fewer <= more), "a pixel is darker");
        assert!(outdoors().any(|(fewer, more)| fewer < more), "nothing is brighter");
    }
    let metal = traced(&["--interactions", "1", "--walls", "metal"]);
    assert!(one.iter().zip(&metal).any(|(brick, metal)| brick + 6.0 < *metal), "brick takes more than 6 dB of a reflection");
    let usual = traced(&["--walls", "brick"]);
    assert!(usual.iter().zip(&two).all(|(usual, two)| usual.to_bits() == two.to_bits()));
}

#[test]
fn bad_requests_are_refused_by_name() {
    refused(&["--tx", "a,b"], 2, &["\"a\" is not a number"]);
    refused(&["--tx", "11.5"], 2, &["expected LNG,LAT"]);
    refused(&["--tx", "11.5,95"], 2, &["the latitude is 95"]);
    refused(&[], 2, &["--tx"]);
    for height in ["12 m", "3;4", "NaN"] {
        refused(&["--tx", TX, "--height-m", height], 2, &["--height-m"]);
        refused(&["--tx", TX, "--receiver-height-m", height], 2, &["--receiver-height-m"]);
    }
    refused(&["--tx", TX, "--method", "sonar"], 2, &["dominant-path"]);
    for [option, value] in [["--ground", "soil"], ["--interactions", "4"], ["--walls", "glass"]] {
        refused(&["--tx", TX, option, value], 1, &[&format!("{option} is for --method rays")]);
    }
    refused(&["--tx", TX, "--method", "rays", "--interactions", "5"], 2, &["0..=4"]);
    refused(&["--tx", TX, "--method", "rays", "--walls", "straw"], 2, &["brick, concrete, glass, stone, wood, metal"]);
    refused(&["--tx", TX, "--building-height-m", "5000"], 1, &["the height of the buildings is 5000 m"]);
    refused(&["--tx", "11.7,48.2"], 1, &["--tx 11.7,48.2", "outside the map"]);
    refused(&["--tx", "48.13487,11.57665"], 1, &["longitude and latitude have been exchanged"]);
    refused(&["--tx", "11.57665,48.13487,1e9"], 2, &["the power is 1000000000, expected -200 to 200 dBm"]);
    refused(&["--tx", TX, "--frequency-mhz", "5.9"], 1, &["5.9 MHz"]);
    refused(&["--tx", TX, "--antenna", "{"], 1, &["--antenna"]);
    refused(&["--tx", TX, "--antenna", "/nowhere.json"], 1, &["/nowhere.json cannot be read"]);
    let folder = tempfile::tempdir().unwrap();
    let png = folder.path().join("map.png").display().to_string();
    let run = |args: &[&str]| {
        let output = radiodiff(&[&["predict"], args].concat());
        (output.status.code(), text(&output.stderr))
    };
    let (code, said) = run(&["/nowhere.geojson", "--tx", TX, "--out", &png]);
    assert!(code == Some(1) && said.contains("/nowhere.geojson cannot be read"), "{said}");
    let (code, said) = run(&[SCENE, "--tx", TX, "--out", "map.gif"]);
    assert!(code == Some(2) && said.contains(".png, .csv or .npy"), "{said}");
    let (code, said) = run(&[SCENE, "--tx", TX, "--out", "/nowhere/map.png"]);
    assert!(code == Some(1) && said.contains("/nowhere/map.png"), "{said}");
    let (code, said) = run(&[SCENE, "--tx", "0,0", "--bounds", "0,0,0.001,0.001", "--out", &png]);
    assert!(code == Some(1) && said.contains("no building lies on the map"), "{said}");
    let broken = folder.path().join("broken.geojson");
    fs::write(&broken, "{\"type\": ").unwrap();
    let (code, said) = run(&[broken.to_str().unwrap(), "--tx", TX, "--out", &png]);
    assert!(code == Some(1) && said.contains("broken.geojson"), "{said}");
    assert!(!Path::new(&png).exists());
}

/// The more reliable, the less power; the mean is among the quantiles.
#[cfg(feature = "network")]
#[test]
fn quantiles_say_what_is_exceeded_with_a_probability() {
    let weights = radiodiff_tests::SHIPPED_QUANTILES;
    let draw = |more: &[&str]| array(&[&["--tx", TX, "--weights", weights], more].concat());
    let (sure, even, lucky) = (draw(&["--reliability", "95"]), draw(&["--reliability", "50"]), draw(&["--reliability", "5"]));
    let mean = draw(&[]);
    let outdoors = || (0..sure.len()).filter(|&i| !sure[i].is_nan());
    assert!(outdoors().all(|i| sure[i] <= even[i] && even[i] <= lucky[i] && (sure[i]..=lucky[i]).contains(&mean[i])));
    let width = outdoors().map(|i| f64::from(lucky[i] - sure[i])).sum::<f64>() / outdoors().count() as f64;
    assert!((1.0..40.0).contains(&width), "the interval of 90 % is {width} dB wide on average");
    let (output, _) = drawn("map.png", &["--tx", TX, "--weights", weights, "--reliability", "90"]);
    assert!(text(&output.stdout).contains("the quantiles of unknown-roofs (exceeded with 90 %)"), "{}", text(&output.stdout));
    let area = |meters| ["--tx", TX, "--weights", weights, "--extent-m", "400", "--resolution-m", meters];
    let (wide, physical) = (array_of(200, &area("2")), array_of(200, &["--tx", TX, "--extent-m", "400", "--resolution-m", "2"]));
    assert!(wide.iter().zip(&physical).all(|(wide, physical)| wide.is_nan() == physical.is_nan()), "outdoors has an expected power");
    let apart: Vec<f32> = wide.iter().zip(&physical).filter(|(_, physical)| !physical.is_nan()).map(|(a, b)| (a - b).abs()).collect();
    let mean_db = apart.iter().sum::<f32>() / apart.len() as f32;
    assert!((0.1..6.0).contains(&mean_db), "{mean_db} dB from the physical map, which knows the roofs");
    refused(&area("8"), 1, &["the scene has 50 x 50 pixels of 8 m", "draws up to 1024 x 1024 pixels of 1 to 4 m"]);
    for wrong in ["0", "96", "100"] {
        refused(&["--tx", TX, "--weights", weights, "--reliability", wrong], 2, &["expected one of 5, 10, ... 95 percent"]);
    }
    refused(&["--tx", TX, "--weights", radiodiff_tests::SHIPPED_WEIGHTS, "--reliability", "90"], 1, &["draw samples"]);
}

/// By quantiles and by samples.
#[cfg(feature = "network")]
#[test]
fn networks_say_how_sure_they_are() {
    let quantiles: &[&str] = &["--tx", TX, "--weights", radiodiff_tests::SHIPPED_QUANTILES];
    let samples: &[&str] = &["--tx", TX, "--weights", radiodiff_tests::SHIPPED_WEIGHTS, "--samples", "3", "--seed", "5"];
    for weights in [quantiles, samples] {
        let draw = |more: &[&str]| array(&[weights, more].concat());
        let (mean, deviation) = (draw(&[]), draw(&["--quantity", "standard-deviation"]));
        let likely = draw(&["--quantity", "probability", "--threshold", "-90"]);
        let outdoors = || (0..mean.len()).filter(|&i| !mean[i].is_nan());
        assert!((0..mean.len()).all(|i| mean[i].is_nan() == deviation[i].is_nan() && mean[i].is_nan() == likely[i].is_nan()));
        let average = outdoors().map(|i| f64::from(deviation[i])).sum::<f64>() / outdoors().count() as f64;
        assert!((0.5..12.0).contains(&average), "{average} dB");
        // By Cantelli's inequality a share of s^2 / (s^2 + d^2) at most lies d below the mean or lower.
        for i in outdoors().filter(|&i| mean[i] > -90.0) {
            let (below, variance) = (mean[i] + 90.0, deviation[i].powi(2));
            assert!(likely[i] >= below.powi(2) / (variance + below.powi(2)) - 1e-3, "{} {} {}", mean[i], deviation[i], likely[i]);
        }
    }
    // The same three maps, one by one; their spread is widened as the weights say, which leaves the mean.
    let one = |seed: &str| array(&["--tx", TX, "--weights", radiodiff_tests::SHIPPED_WEIGHTS, "--steps", "5", "--seed", seed]);
    let (maps, mean) = ([one("5"), one("6"), one("7")], array(samples));
    for i in (0..mean.len()).filter(|&i| !mean[i].is_nan()) {
        let expected = maps.iter().map(|map| map[i]).sum::<f32>() / 3.0;
        assert!((mean[i] - expected).abs() < 0.01, "{} dBm, expected {expected}", mean[i]);
    }
    let (output, _) = drawn("map.png", samples);
    assert!(text(&output.stdout).contains("the network nano (3 samples, 5 steps, seed 5)"), "{}", text(&output.stdout));
    let (output, _) = drawn("map.png", &[quantiles, &["--quantity", "probability", "--threshold", "-90"]].concat());
    assert!(text(&output.stdout).contains("probability of coverage"), "{}", text(&output.stdout));
    let deviation = ["--quantity", "standard-deviation"];
    refused(&[&["--tx", TX], &deviation[..]].concat(), 1, &["is for networks", "the dominant path model draws one map"]);
    refused(&[quantiles, &["--reliability", "90"], &deviation].concat(), 1, &["without --reliability"]);
    refused(&[quantiles, &["--quantity", "probability"]].concat(), 1, &["--quantity probability needs --threshold"]);
    refused(&[quantiles, &["--samples", "4"]].concat(), 1, &["say all quantiles at once"]);
    let many: Vec<&str> = ["--tx", TX].repeat(60);
    refused(&[&many, quantiles, &deviation, &["--extent-m", "1024"]].concat(), 1, &["1159 maps of 61 transmitters", "more than 4 GiB"]);
    let (output, _) = drawn("map.png", &[samples, &["--steps", "2", "--height-m", "60"]].concat());
    for warning in
        ["differ as they should in 5 steps, not in 2: leave --steps out", "has learnt antennas 1.5 to 40 m high, one stands at 60 m"]
    {
        assert!(text(&output.stderr).contains(warning), "{}", text(&output.stderr));
    }
    refused(&[samples, &["--samples", "0"]].concat(), 2, &["--samples"]);
}

/// Whose columns 2 to 7 and rows 2 to 6 are built, around a courtyard of one pixel.
#[test]
fn a_raster_of_heights_is_a_scene() {
    let raster = |name: &str| format!("{}/../fuzz/corpus/height_raster/{name}", env!("CARGO_MANIFEST_DIR"));
    let folder = tempfile::tempdir().unwrap();
    let csv = folder.path().join("map.csv").display().to_string();
    let run = |scene: &str| {
        let output = radiodiff(&["predict", scene, "--tx", "11.5705,48.1395", "--out", &csv]);
        (output.status.code(), text(&output.stderr))
    };
    let (code, said) = run(&raster("courtyard.tif"));
    assert!(code == Some(0) && !said.contains("without height"), "{said}");
    let outdoors = fs::read_to_string(&csv).unwrap().lines().count() - 1;
    assert!((256 * 256 - outdoors).abs_diff(29) <= 6, "{outdoors} pixels are outdoors");
    let (code, said) = run(&raster("other-system.tif"));
    assert!(code == Some(1) && said.contains("gdalwarp -t_srs EPSG:4326"), "{said}");
}

/// On any Vulkan adapter; `cargo xtask test` installs one that computes on the CPU.
#[cfg(feature = "vulkan")]
#[test]
fn a_gpu_draws_the_same_maps() {
    for weights in [radiodiff_tests::SHIPPED_QUANTILES, radiodiff_tests::SHIPPED_WEIGHTS] {
        let args = |backend| ["--tx", TX, "--weights", weights, "--backend", backend];
        let (cpu, gpu) = (array(&args("cpu")), array(&args("vulkan")));
        let apart = |(a, b): (&f32, &f32)| if a.is_nan() && b.is_nan() { 0.0 } else { (a - b).abs() };
        let most =
            cpu.iter().zip(&gpu).map(apart).fold(0.0, |most: f32, apart| if apart.is_nan() { f32::INFINITY } else { most.max(apart) });
        assert!(most < 0.01, "{weights}: {most} dB apart");
    }
    let (output, _) = drawn("map.png", &["--tx", TX, "--weights", radiodiff_tests::SHIPPED_QUANTILES, "--backend", "vulkan"]);
    assert!(text(&output.stdout).contains("the quantiles of unknown-roofs on "), "{}", text(&output.stdout));
    refused(&["--tx", TX, "--backend", "vulkan"], 2, &["--weights"]);
}

#[cfg(feature = "network")]
#[test]
fn a_network_draws_and_its_seed_decides() {
    let nano = radiodiff_tests::SHIPPED_WEIGHTS;
    let draw = |seed: &str| array(&["--tx", TX, "--weights", nano, "--seed", seed]);
    let (one, again, other) = (draw("1"), draw("1"), draw("2"));
    assert!(one.iter().zip(&again).all(|(a, b)| a.to_bits() == b.to_bits()));
    assert!(one.iter().zip(&other).any(|(a, b)| !a.is_nan() && a != b));
    let physical = array(&["--tx", TX]);
    assert!(one.iter().zip(&physical).all(|(a, b)| a.is_nan() == b.is_nan()), "the same buildings");
    let outdoors = || one.iter().zip(&physical).filter(|(a, _)| !a.is_nan());
    let rmse = (outdoors().map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>() / outdoors().count() as f64).sqrt();
    assert!(rmse < 10.0, "the network resembles the model it was trained on: {rmse} dB");
    let (output, _) = drawn("map.png", &["--tx", TX, "--weights", nano, "--steps", "2"]);
    assert!(text(&output.stdout).contains("the network nano (2 steps, seed 0)"), "{}", text(&output.stdout));
    refused(&["--tx", TX, "--weights", "/nowhere.safetensors"], 1, &["the weights /nowhere.safetensors cannot be read"]);
    refused(&["--tx", TX, "--weights", SCENE], 1, &["munich-old-town.geojson"]);
    refused(&["--tx", TX, "--weights", nano, "--steps", "0"], 2, &["--steps"]);
    refused(&["--tx", TX, "--seed", "3"], 2, &["--weights"]);
    refused(&["--tx", TX, "--weights", nano, "--method", "rays"], 2, &["--method"]);
    refused(&["--tx", TX, "--weights", nano, "--ground", "soil"], 1, &["--ground is for --method rays"]);
}

//! Plans of several transmitters, batches of maps and the search for sites, as a user runs them on a scene of the demo.

// Clippy allows unwrap in #[test] functions only; the helpers here are as much tests.
#![allow(clippy::unwrap_used)]

mod common;

use common::{fails, radiodiff, succeeds, text};
use std::fs;
use std::path::Path;
use std::process::Command;

const SCENE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../www/scenes/munich-old-town.geojson");
const BOUNDS: &str = "11.575250292797158,48.133278847746034,11.578689707202841,48.13558115225397";
/// Two places in streets of the scene.
const TX: [&str; 2] = ["11.57665,48.13487", "11.57790,48.13430"];

/// Runs `predict`, writing into a folder.
fn predict(folder: &Path, outs: &[&str], args: &[&str]) -> String {
    let paths: Vec<String> = outs.iter().map(|out| folder.join(out).display().to_string()).collect();
    let outs: Vec<&str> = paths.iter().flat_map(|path| ["--out", path]).collect();
    succeeds(&[&["predict", SCENE, "--bounds", BOUNDS], outs.as_slice(), args].concat())
}

/// The values of a NumPy file of float32.
fn array(path: &Path) -> Vec<f32> {
    let bytes = fs::read(path).unwrap();
    let header = usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    bytes[10 + header..].chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect()
}

/// A layer of a plan.
fn layer(transmitters: &[&str], quantity: &str) -> Vec<f32> {
    let folder = tempfile::tempdir().unwrap();
    let txs: Vec<&str> = transmitters.iter().flat_map(|tx| ["--tx", *tx]).collect();
    predict(folder.path(), &["map.npy"], &[txs.as_slice(), &["--quantity", quantity]].concat());
    array(&folder.path().join("map.npy"))
}

#[test]
fn of_several_transmitters_the_strongest_counts() {
    let [a, b] = TX.map(|tx| layer(&[tx], "received-power"));
    let both = layer(&TX, "received-power");
    let server = layer(&TX, "best-server");
    let [snr, sinr] = ["snr", "sinr"].map(|quantity| layer(&TX, quantity));
    let loss = layer(&TX[..1], "path-loss");
    let mut outdoors = 0;
    for i in 0..both.len() {
        if a[i].is_nan() {
            assert!(both[i].is_nan() && server[i].is_nan() && sinr[i].is_nan() && loss[i].is_nan());
            continue;
        }
        outdoors += 1;
        assert_eq!((both[i], server[i]), (a[i].max(b[i]), if b[i] > a[i] { 2.0 } else { 1.0 }));
        assert!(sinr[i] < snr[i] + 1e-3 && (snr[i] - both[i] - 93.965).abs() < 1e-2 && (loss[i] + a[i] - 23.0).abs() < 1e-3);
    }
    assert!(outdoors > 10_000);
}

#[test]
fn a_plan_is_written_in_every_format_with_its_statistics() {
    let folder = tempfile::tempdir().unwrap();
    let outs = ["plan.tif", "plan.png", "ground.kml", "plan.kmz", "plan.geojson", "plan.csv", "plan.npy"];
    let statistics = folder.path().join("statistics.json").display().to_string();
    let args = ["--tx", TX[0], "--tx", TX[1], "--threshold", "-80", "--statistics", &statistics];
    let said = predict(folder.path(), &outs, &args);
    let mut found: Vec<String> =
        fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    found.sort();
    let expected = [
        "ground.kml",
        "ground.png",
        "plan.csv",
        "plan.geojson",
        "plan.kmz",
        "plan.npy",
        "plan.pgw",
        "plan.png",
        "plan.tif",
        "statistics.json",
    ];
    assert_eq!(found, expected);
    let values = array(&folder.path().join("plan.npy"));
    let outdoors = values.iter().filter(|dbm| !dbm.is_nan()).count() as f64;
    let covered = values.iter().filter(|dbm| **dbm >= -80.0).count() as f64;
    let statistics: serde_json::Value = serde_json::from_slice(&fs::read(&statistics).unwrap()).unwrap();
    assert_eq!(statistics["coveredAreaM2"].as_f64(), Some(covered));
    assert!((statistics["share"].as_f64().unwrap() - covered / outdoors).abs() < 1e-12);
    assert!(said.contains(&format!("{:.1} % of the ground outdoors", 100.0 * covered / outdoors)), "{said}");
    let image = image::open(folder.path().join("plan.png")).unwrap().into_rgba8();
    assert_eq!(image.pixels().filter(|pixel| pixel.0[3] != 0).count() as f64, covered, "the threshold hides the rest");
    let kml = fs::read_to_string(folder.path().join("ground.kml")).unwrap();
    assert!(kml.contains("<href>ground.png</href>") && kml.matches("<Placemark>").count() == 2, "{kml}");
    assert!(fs::read_to_string(folder.path().join("plan.geojson")).unwrap().contains("\"level\":-80"));
}

#[test]
fn larger_areas_have_coarser_pixels() {
    let folder = tempfile::tempdir().unwrap();
    let said = predict(folder.path(), &["map.npy"], &["--tx", TX[0], "--extent-m", "512", "--resolution-m", "4"]);
    assert!(said.contains("128 x 128 pixels of 4 m"), "{said}");
    assert_eq!(array(&folder.path().join("map.npy")).len(), 128 * 128);
    let out = folder.path().join("map.tif").display().to_string();
    fails(&["predict", SCENE, "--tx", TX[0], "--out", &out, "--extent-m", "5000"], &["5000 pixels a side, expected 8 to 4096"]);
}

#[test]
fn a_batch_draws_what_predict_draws_goes_on_and_names_what_fails() {
    let folder = tempfile::tempdir().unwrap();
    let (jobs, out) = (folder.path().join("jobs.csv"), folder.path().join("{id}.npy").display().to_string());
    let lines = [
        "id,lng,lat,dbm,quantity",
        "a,11.57665,48.13487,,",
        "b,11.57790,48.13430,30,",
        "far,11.7,48.2,,",
        "c,11.57665,48.13487,,path-loss",
    ];
    fs::write(&jobs, lines.join("\n")).unwrap();
    let batch = |more: &[&str]| {
        let defaults = ["--", "--scene", SCENE, "--bounds", BOUNDS, "--out", &out];
        radiodiff(&[&["batch", jobs.to_str().unwrap()], more, &defaults].concat())
    };
    let drawn = batch(&[]);
    let said = text(&drawn.stderr);
    assert_eq!(drawn.status.code(), Some(1), "{said}");
    assert!(said.contains("rank 0 of 1: 4 of 4 jobs, 0 of them done") && said.contains("1 of 4 jobs failed"), "{said}");
    assert!(said.contains("failed: far: --tx 11.7,48.2"), "{said}");
    for (id, args) in [("a", ["--tx", TX[0], "--quantity", "received-power"]), ("c", ["--tx", TX[0], "--quantity", "path-loss"])] {
        predict(folder.path(), &["single.npy"], &args);
        let [single, batched] = ["single", id].map(|name| fs::read(folder.path().join(format!("{name}.npy"))).unwrap());
        assert!(single == batched, "job {id}");
    }
    // What is there is kept: a mark in a file survives, until all is drawn again.
    fs::write(folder.path().join("a.npy"), "mark").unwrap();
    assert!(text(&batch(&[]).stderr).contains("4 of 4 jobs, 3 of them done"));
    assert_eq!(fs::read_to_string(folder.path().join("a.npy")).unwrap(), "mark");
    batch(&["--again"]);
    assert_ne!(fs::read(folder.path().join("a.npy")).unwrap(), b"mark");
}

/// What each launcher tells process `rank` of two.
fn launched(rank: &str) -> [Vec<(&str, &str)>; 5] {
    [
        vec![("RANK", rank), ("WORLD_SIZE", "2"), ("LOCAL_RANK", rank)],
        vec![("OMPI_COMM_WORLD_RANK", rank), ("OMPI_COMM_WORLD_SIZE", "2"), ("PMIX_RANK", rank)],
        vec![("PMI_RANK", rank), ("PMI_SIZE", "2")],
        vec![("SLURM_PROCID", rank), ("SLURM_NTASKS", "2"), ("SLURM_STEP_ID", "0"), ("SLURM_STEP_NUM_TASKS", "2")],
        vec![("JOB_COMPLETION_INDEX", rank), ("WORLD_SIZE", "2")],
    ]
}

#[test]
fn ranks_share_a_batch() {
    let folder = tempfile::tempdir().unwrap();
    let jobs: Vec<serde_json::Value> =
        (0..5).map(|i| serde_json::json!({ "tx": [11.57665, 48.13487, 20 + i], "out": folder.path().join(format!("{i}.csv")) })).collect();
    let list = folder.path().join("jobs.json");
    fs::write(&list, serde_json::to_vec(&jobs).unwrap()).unwrap();
    let there = || (0..5).map(|i| folder.path().join(format!("{i}.csv")).exists()).collect::<Vec<_>>();
    let run = |variables: &[(&str, &str)]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_radiodiff"));
        command.args(["batch", list.to_str().unwrap(), "--", "--scene", SCENE, "--bounds", BOUNDS, "--method", "log-distance"]);
        assert!(command.envs(variables.iter().copied()).status().unwrap().success());
    };
    let drawn_by = |variables: &[(&str, &str)]| {
        (0..5).for_each(|i| fs::remove_file(folder.path().join(format!("{i}.csv"))).unwrap_or_default());
        run(variables);
        there()
    };
    for (first, second) in launched("0").into_iter().zip(launched("1")) {
        assert_eq!(drawn_by(&first), [true, false, true, false, true], "{first:?}");
        assert_eq!(drawn_by(&second), [false, true, false, true, false], "{second:?}");
        run(&first);
        assert_eq!(there(), [true; 5], "both");
    }
    assert_eq!(drawn_by(&[("SLURM_PROCID", "0"), ("SLURM_NTASKS", "2")]), [true; 5], "a script of sbatch that calls no srun");
    let same = serde_json::json!([jobs[0], jobs[0]]);
    fs::write(&list, same.to_string()).unwrap();
    fails(&["batch", list.to_str().unwrap(), "--", "--scene", SCENE], &["the jobs 1 and 2 both write"]);
    // The second would take the first one's map for its own.
    let table = folder.path().join("jobs.csv");
    let out = folder.path().join("{id}.csv").display().to_string();
    fs::write(&table, "id,lng,lat\nroof,11.57665,48.13487\nroof,11.57790,48.13430\n").unwrap();
    fails(&["batch", table.to_str().unwrap(), "--", "--scene", SCENE, "--out", &out], &["two jobs have the id roof and write"]);
    // A folder that is not there is told before the first map is drawn.
    let out = folder.path().join("maps/{id}.csv").display().to_string();
    fs::write(&table, "id,lng,lat\nroof,11.57665,48.13487\n").unwrap();
    let said =
        fails(&["batch", table.to_str().unwrap(), "--", "--scene", SCENE, "--out", &out], &["job roof: writing", "there is no folder"]);
    assert!(!said.contains("rank"), "{said}");
}

/// What people try first, and what they are told: field planners know their units and their tools, not this command.
#[test]
fn wrong_words_are_answered_with_the_right_ones() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    fs::write(path("antenna.msi"), "NAME 742215\nFREQUENCY 1855\nHORIZONTAL 360\n0 0.0\n").unwrap();
    let (out, missing, pattern) = (path("map.npy"), path("maps/map.npy"), path("antenna.msi"));
    let exchanged = "48.133278847746034,11.575250292797158,48.13558115225397,11.578689707202841";
    for (args, words) in [
        (["--out", &missing, "", ""], "there is no folder"),
        (["--out", &out, "--frequency-mhz", "3.5GHz"], "\"3.5GHz\" is not a number"),
        (["--out", &out, "--extent-m", "1km"], "\"1km\" is not a number"),
        (["--out", &out, "--bandwidth-mhz", "-20"], "the receiver's bandwidth is -20, expected a number from"),
        (["--out", &out, "--height-m", "-3"], "the height of the transmitter is -3 m above the ground, expected 0.5 to 200 m"),
        (["--out", &out, "--antenna", &pattern], "antenna.msi is no antenna that can be read: expected JSON"),
        (["--out", &out, "--bounds", exchanged], "longitude and latitude have been exchanged, in the bounds or in the buildings"),
    ] {
        let args: Vec<&str> = ["predict", SCENE, "--tx", TX[0]].into_iter().chain(args).filter(|word| !word.is_empty()).collect();
        let output = radiodiff(&args);
        assert!(!output.status.success() && text(&output.stderr).contains(words), "{args:?}: {}", text(&output.stderr));
    }
    assert!(!folder.path().join("maps").exists());
}

#[test]
fn sites_cover_what_is_said_of_them() {
    for spacing in ["0", "-16", "NaN"] {
        let refused = radiodiff(&["sites", SCENE, "--count", "1", "--threshold", "-80", &format!("--spacing-m={spacing}")]);
        assert!(
            !refused.status.success() && text(&refused.stderr).contains("no length from 1 to 10000 metres"),
            "{}",
            text(&refused.stderr)
        );
    }

    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("sites.csv").display().to_string();
    let args = ["--bounds", BOUNDS, "--count", "2", "--threshold", "-75", "--spacing-m", "40", "--existing", TX[0], "--out", &out];
    let said = succeeds(&[&["sites", SCENE], args.as_slice()].concat());
    assert!(said.starts_with("before: ") && said.contains("\n1: ") && said.contains("\n2: "), "{said}");
    let table = fs::read_to_string(&out).unwrap();
    assert!(
        table.lines().next().unwrap().ends_with(",name,height_m,power_dbm") && table.lines().nth(1).unwrap().ends_with(",,1.5,23"),
        "{table}"
    );
    let numbers = |line: &str| line.split(',').take(5).map(|cell| cell.parse().unwrap()).collect();
    let rows: Vec<Vec<f64>> = table.lines().skip(1).map(numbers).collect();
    assert!(rows.len() == 2 && rows[0][3] >= rows[1][3] && rows[1][3] > 0.0, "{table}");
    // The map of all three covers what the search says they cover.
    let places: Vec<String> = rows.iter().map(|row| format!("{},{}", row[1], row[2])).collect();
    let values = layer(&[TX[0], &places[0], &places[1]], "received-power");
    let outdoors = values.iter().filter(|dbm| !dbm.is_nan()).count() as f64;
    let covered = values.iter().filter(|dbm| **dbm >= -75.0).count() as f64;
    assert!((rows[1][4] - 100.0 * covered / outdoors).abs() < 0.01, "{table}: {}", 100.0 * covered / outdoors);
    // Given candidates: the better of two is chosen first.
    let list = folder.path().join("candidates.csv");
    fs::write(&list, format!("name,lng,lat\nx,{}\ny,{}\n", places[1], places[0])).unwrap();
    let args = ["--bounds", BOUNDS, "--count", "3", "--threshold", "-75", "--existing", TX[0], "--candidates", list.to_str().unwrap()];
    let said = succeeds(&[&["sites", SCENE], args.as_slice()].concat());
    assert!(said.contains(&format!("1: {:.6},{:.6} (y) adds", rows[0][1], rows[0][2])) && said.contains("no further candidate"), "{said}");
    // The same list as a spreadsheet of another country saves it, and one without places.
    let spreadsheet = format!("name;Longitude;Latitude\r\nx;{}\r\ny;{}\r\n", places[1], places[0]);
    fs::write(&list, spreadsheet.replace(',', ";").replace('.', ",")).unwrap();
    assert_eq!(succeeds(&[&["sites", SCENE], args.as_slice()].concat()), said);
    // One that hardly sends is not taken, a higher and stronger one is, and what it has is written with it.
    fs::write(&list, format!("name,lng,lat,height_m,power_dbm\nx,{},30,33\ny,{},,-60\n", places[1], places[0])).unwrap();
    let written = folder.path().join("chosen.csv").display().to_string();
    let alone = ["--bounds", BOUNDS, "--count", "3", "--threshold", "-75", "--candidates", list.to_str().unwrap(), "--out", &written];
    let strong = succeeds(&[&["sites", SCENE], alone.as_slice()].concat());
    assert!(strong.contains(&format!("1: {:.6},{:.6} (x) adds", rows[1][1], rows[1][2])), "{strong}");
    let chosen = fs::read_to_string(&written).unwrap();
    assert!(chosen.lines().nth(1).unwrap().ends_with(",x,30,33") && chosen.lines().count() == 2, "{chosen}");
    predict(folder.path(), &["x.npy"], &["--tx", &format!("{},33", places[1]), "--height-m", "30"]);
    let values = array(&folder.path().join("x.npy"));
    let covered = values.iter().filter(|dbm| **dbm >= -75.0).count() as f64;
    let share: f64 = chosen.lines().nth(1).unwrap().split(',').nth(4).unwrap().parse().unwrap();
    assert!((share - 100.0 * covered / outdoors).abs() < 0.01, "{chosen}: {}", 100.0 * covered / outdoors);
    let geojson = folder.path().join("chosen.geojson").display().to_string();
    succeeds(&[&["sites", SCENE], &alone[..8], &["--out", &geojson]].concat());
    let features: serde_json::Value = serde_json::from_str(&fs::read_to_string(&geojson).unwrap()).unwrap();
    let properties = &features["features"][0]["properties"];
    assert_eq!(
        [&properties["name"], &properties["heightM"], &properties["powerDbm"]],
        [&serde_json::json!("x"), &30.0.into(), &33.0.into()]
    );
    fs::write(&list, format!("lng,lat,height_m\n{},12 m\n", places[1])).unwrap();
    fails(&[&["sites", SCENE], args.as_slice()].concat(), &["line 2: the height in metres is \"12 m\", expected 0.5 to 200"]);
    // Candidates off the map, one of them by a typing error, cost no more than a warning, until none is left.
    let (off, again) =
        (["11.6,48.2", "1.157665,48.13487"], format!("lng,lat,name\n11.6,48.2,\n{},x\n1.157665,48.13487,\n{},y\n", places[1], places[0]));
    fs::write(&list, again).unwrap();
    let output = radiodiff(&[&["sites", SCENE], args.as_slice()].concat());
    assert_eq!(text(&output.stdout), said);
    let warning = format!("warning: 2 of 4 candidates lie off the map and are not used: {}; {}.", off[0], off[1]);
    assert!(text(&output.stderr).contains(&warning), "{}", text(&output.stderr));
    fs::write(&list, format!("lng,lat\n{}\n{}\n", off[0], off[1])).unwrap();
    fails(
        &[&["sites", SCENE], args.as_slice()].concat(),
        &["none of the 2 candidates is on the map", "the candidate 11.6,48.2", "west, south"],
    );
    fs::write(&list, "lat,lng\n11.57665,48.13487\n").unwrap();
    fails(&[&["sites", SCENE], args.as_slice()].concat(), &["longitude and latitude have been exchanged"]);
    // What is changed of a transmitter is told once, for existing ones and for those that are chosen.
    let antenna = [args.as_slice(), &["--antenna", r#"{"beams": 4}"#]].concat();
    fs::write(&list, format!("lng,lat\n{}\n{}\n", places[1], places[0])).unwrap();
    let said = text(&radiodiff(&[&["sites", SCENE], antenna.as_slice()].concat()).stderr);
    assert_eq!(said.matches("warning: The antenna's beams is not known and not used.").count(), 1, "{said}");
    fs::write(&list, "name,x,y\na,1,2\n").unwrap();
    fails(&[&["sites", SCENE], args.as_slice()].concat(), &["no column for the longitude", "its columns are name, x, y"]);
}

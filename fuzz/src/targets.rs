//! What is fuzzed: one function for each kind of bytes that come from outside. It must neither panic nor hang, whatever it is given,
//! and what it accepts must be sound.
//!
//! In flows anything. Checksums would stop a fuzzer at the door, so a target repairs them and lets what is behind them be reached.
//! `cargo fuzz` calls these functions (CONTRIBUTING.md says how), and the tests crate replays the committed corpora on them in
//! every test run: it includes this file, because libFuzzer is built here only.

use geo::Coord;
use radiodiff_core::engine::CountingEngine;
use radiodiff_core::weights::{Checkpoint, WeightsError, import, import_lpips, read_tensors};
use radiodiff_dataset::folder::gray_png;
use radiodiff_dataset::shards::{ShardManifest, Shards};
use radiodiff_planning::request::{Input, PlanRequest};
use radiodiff_radio::calibration::read_table;
use radiodiff_radio::height_raster::buildings_of_geotiff;
use radiodiff_radio::propagation::{AntennaPattern, AntennaRequest, DepartureDirection, PatternTable};
use radiodiff_radio::scene::{
    Grid, ImportOptions, ImportedCars, LocalFrame, Transmitter, antennas_from_json, buildings_from_json, cars_from_json,
    import as import_scene, import_cars, read_footprints,
};
use radiodiff_web::request::{CellRequest, PredictRequest, SceneRequest, SitesRequest};
use std::cell::OnceCell;
use std::fmt::Display;
use std::fs;

/// A weights file, and the networks that it is said to hold.
pub fn weights(bytes: &[u8]) {
    let checkpoint = match Checkpoint::parse(bytes) {
        // As whoever damages a file on purpose would.
        Err(WeightsError::Damaged { expected, found }) if !expected.is_empty() => {
            Checkpoint::parse(&replaced(bytes, expected.as_bytes(), found.as_bytes()))
        }
        other => other,
    };
    if let Some(checkpoint) = told(checkpoint) {
        told(checkpoint.build(&CountingEngine::default()));
        told(checkpoint.build_quantiles(&CountingEngine::default()));
    }
}

/// A checkpoint of the public code, of either kind.
pub fn checkpoint_import(bytes: &[u8]) {
    let file = [("checkpoint", bytes)];
    told(import(&file, "", &radiodiff_tests::small::preset()));
    told(import_lpips(file[0]));
    told(read_tensors(bytes, "model."));
}

/// A file of buildings, in whatever format it seems to be.
pub fn scene(bytes: &[u8]) {
    let options = ImportOptions { grid: Grid { size: 32, meters_per_pixel: 8.0 }, ..ImportOptions::default() };
    if let Some(imported) = told(import_scene(bytes, &options)) {
        assert_eq!(imported.scene.mask.pixels.len(), 32 * 32);
        assert!(!imported.scene.buildings.is_empty(), "a scene without buildings");
        let said = imported.report.warnings().len() + imported.report.assumptions().len();
        assert!(said < 1000, "a report of {said} lines");
    }
    if let Some((footprints, _)) = told(read_footprints(bytes)) {
        assert!(!footprints.is_empty());
    }
}

/// RadioMapSeer's JSON: transmitters, footprints, cars.
pub fn footprint_json(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    told(antennas_from_json(text));
    told(buildings_from_json(text));
    told(cars_from_json(text, "[]"));
}

/// A raster of heights.
pub fn height_raster(bytes: &[u8]) {
    if let Some(text) = told(buildings_of_geotiff(bytes)) {
        // Of pixels of kilometres or nothing no building is left, which is told.
        told(read_footprints(text.as_bytes()));
    }
}

/// A planner's cars.
pub fn cars(bytes: &[u8]) {
    let grid = Grid { size: 32, meters_per_pixel: 8.0 };
    let frame = LocalFrame::centered(Coord { x: 24.94, y: 60.17 }, grid);
    if let Some(ImportedCars { cars, warnings }) = told(import_cars(bytes, &frame, grid)) {
        assert!(cars.iter().all(|car| car.exterior().is_closed() && car.interiors().is_empty()), "outlines of cars");
        assert!(warnings.len() < 1000, "{} warnings", warnings.len());
    }
}

/// What JavaScript or a planning tool asks for.
pub fn request(bytes: &[u8]) {
    let Some(input) = told(serde_json::from_slice::<Input>(bytes)) else { return };
    told(PlanRequest::try_from(input.clone()));
    told(PredictRequest::try_from(input.clone()));
    told(SceneRequest::try_from(input.clone()));
    told(SitesRequest::try_from(input.clone()));
    told(CellRequest::try_from(input));
}

/// An antenna in CloudRF's words, or a measured pattern alone.
pub fn antenna(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    let patterns =
        [told(AntennaRequest::from_json(text)).map(|antenna| antenna.pattern), told(PatternTable::parse(text)).map(AntennaPattern::Table)];
    let transmitter = Transmitter { azimuth_deg: 33.0, downtilt_deg: 7.0, antenna_gain_dbi: 0.0, ..Transmitter::at(0.0, 0.0) };
    for pattern in patterns.into_iter().flatten() {
        for (bearing_deg, elevation_deg) in [(0.0, 0.0), (-180.0, 90.0), (213.0, -7.0), (359.9, -90.0)] {
            let gain = pattern.gain_dbi(&transmitter, DepartureDirection { bearing_deg, elevation_deg });
            assert!(gain.is_finite() && gain <= 1e-9, "{gain} dB relative to the strongest direction");
        }
    }
}

/// A table of measured power.
pub fn measurements(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    for row in told(read_table(text)).unwrap_or_default() {
        assert!(row.power_dbm.is_finite() && row.lng_lat.x.abs() <= 180.0 && row.lng_lat.y.abs() <= 90.0, "{row:?}");
    }
}

/// An image of a dataset.
pub fn png(bytes: &[u8]) {
    if let Some((side, levels)) = told(gray_png::decode(bytes, "image")) {
        assert_eq!(levels.len(), side * side);
    }
}

/// A folder of one shard: its manifest up to the first zero byte, then the shard.
pub fn shards(bytes: &[u8]) {
    thread_local! {
        static FOLDER: OnceCell<tempfile::TempDir> = const { OnceCell::new() };
    }
    let Some(end) = bytes.iter().position(|&byte| byte == 0) else { return };
    let (manifest, mut shard) = (&bytes[..end], bytes[end + 1..].to_vec());
    if let Ok(manifest) = serde_json::from_slice::<ShardManifest>(manifest) {
        seal_shard(&manifest, &mut shard);
    }
    FOLDER.with(|folder| {
        // In memory where the system has such a folder: two files are written for every input.
        let in_memory = || tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
        let folder = folder.get_or_init(|| in_memory().expect("a temporary folder"));
        let write = |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).expect("room in the temporary folder");
        write("manifest.json", manifest);
        write("shard-00000.bin", &shard);
        let Some(shards) = told(Shards::open(folder.path())) else { return };
        let mut buffer = Vec::new();
        for i in 0..shards.len().min(4) {
            if let Some(record) = told(shards.record(i, &mut buffer)) {
                assert_eq!(record.gain.len(), shards.layout().pixels());
            }
        }
        assert!(shards.damages().len() <= 2 * shards.len() + 1);
    });
}

/// Puts right checksums into a shard whose records are as long as the manifest says.
fn seal_shard(manifest: &ShardManifest, shard: &mut [u8]) {
    const HEADER: usize = 32;
    const CRC: usize = 4;
    let (Some(entry), Some((header, records))) = (manifest.shards.first(), shard.split_at_mut_checked(HEADER)) else { return };
    // Larger maps are longer than what a fuzzer gives.
    if manifest.layout.size <= 64 && manifest.layout.channels.len() <= 16 {
        for record in records.chunks_exact_mut(manifest.layout.record_bytes()) {
            let (body, crc) = record.split_at_mut(record.len() - CRC);
            crc.copy_from_slice(&crc32fast::hash(body).to_le_bytes());
        }
    }
    header[24..28].copy_from_slice(&entry.digest.to_le_bytes());
    let crc = crc32fast::hash(&header[..HEADER - CRC]);
    header[HEADER - CRC..].copy_from_slice(&crc.to_le_bytes());
}

/// The value, or nothing once its error has said what is wrong.
fn told<T, E: Display>(result: Result<T, E>) -> Option<T> {
    result.map_err(|error| assert!(!format!("{error:#}").is_empty(), "an error without a message")).ok()
}

/// `bytes` with the first `from` replaced.
fn replaced(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    match bytes.windows(from.len()).position(|window| window == from) {
        Some(at) => [&bytes[..at], to, &bytes[at + from.len()..]].concat(),
        None => bytes.to_vec(),
    }
}

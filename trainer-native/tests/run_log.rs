//! The log of a run that was killed and resumed is that of a run that was not.

use std::fs;
use std::path::Path;
use trainer::gpu::GpuMonitor;
use trainer::run_log::{GrayGrid, IMAGES, RunLog, TABLE};

const LINES: &str = "metrics.jsonl";
const EVENTS: &str = "events.out.tfevents";

/// A run's steps from `first` to `last`, each with a loss, some with a validation and a grid of maps.
fn log_steps(log: &mut RunLog, first: u64, last: u64) {
    for step in first..=last {
        let loss = 1.0 / step as f64;
        let mut values = vec![("train/total_loss", loss), ("lr", 5e-6), ("system/steps_per_second", 4.0)];
        if step.is_multiple_of(4) {
            values.push(("val/nmse", loss * 0.1));
            let grid = GrayGrid::new(2, &[vec![vec![step as u8; 4]]]).expect("a grid of one map");
            log.images(step, "samples", &grid).expect("the grid is written");
        }
        log.scalars(step, &values).expect("the step is written");
    }
}

fn text(folder: &Path, file: &str) -> String {
    fs::read_to_string(folder.join(file)).expect("the log is readable")
}

/// The table's rows without the time of day and the readings of a GPU.
fn timeless_rows(folder: &Path) -> Vec<Vec<String>> {
    let text = text(folder, TABLE);
    let timed = |name: &str| name == "datetime" || name.starts_with("system/gpu");
    let timed: Vec<bool> = text.lines().next().expect("a header").split(',').map(timed).collect();
    let row = |line: &str| line.split(',').zip(&timed).filter(|(_, timed)| !**timed).map(|(cell, _)| cell.to_owned()).collect();
    text.lines().map(row).collect()
}

fn image_names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder.join(IMAGES)).expect("the folder is there");
    let mut names: Vec<String> = entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// Appends the first half of a record, as a killed run leaves it.
fn tear(path: &Path) {
    let mut bytes = fs::read(path).expect("the log is readable");
    bytes.extend_from_within(bytes.len() - 30..bytes.len() - 9);
    fs::write(path, bytes).expect("the log is writable");
}

#[test]
fn a_resumed_log_is_that_of_an_undisturbed_run() {
    let [undisturbed, resumed] = [(); 2].map(|()| tempfile::tempdir().expect("a folder"));
    log_steps(&mut RunLog::create(undisturbed.path()).expect("a log"), 1, 20);
    for checkpoint in [0, 3, 9, 13] {
        log_steps(&mut RunLog::resume(resumed.path(), checkpoint).expect("a log"), checkpoint + 1, checkpoint + 6);
        [LINES, TABLE, EVENTS].iter().for_each(|file| tear(&resumed.path().join(file)));
    }
    log_steps(&mut RunLog::resume(resumed.path(), 16).expect("a log"), 17, 20);
    assert_eq!(text(resumed.path(), LINES), text(undisturbed.path(), LINES));
    assert_eq!(timeless_rows(resumed.path()), timeless_rows(undisturbed.path()));
    assert_eq!(image_names(resumed.path()), image_names(undisturbed.path()));
    // Times of day differ, their length does not; a GPU's readings come when they come.
    let events = |folder: &Path| fs::metadata(folder.join(EVENTS)).expect("the events are there").len();
    assert!(GpuMonitor::open().is_some() || events(resumed.path()) == events(undisturbed.path()));
}

#[test]
fn images_of_dropped_steps_go() {
    let folder = tempfile::tempdir().expect("a folder");
    log_steps(&mut RunLog::create(folder.path()).expect("a log"), 1, 12);
    RunLog::resume(folder.path(), 8).expect("a log");
    assert_eq!(image_names(folder.path()), ["samples-00000004.png", "samples-00000008.png"]);
}

#[test]
fn json_lines_hold_what_the_seed_decides_and_no_number_that_json_lacks() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut log = RunLog::create(folder.path()).expect("a log");
    log.scalars(1, &[("train/total_loss", f64::NAN), ("system/steps_per_second", 2.0), ("lr", 5e-7)]).expect("the step is written");
    assert_eq!(text(folder.path(), LINES), "{\"step\":1,\"train/total_loss\":null,\"lr\":5e-7}\n");
    assert!(text(folder.path(), TABLE).contains(",NaN,2.0,5e-7"), "{}", text(folder.path(), TABLE));
}

#[test]
fn steps_only_grow_and_names_are_plain() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut log = RunLog::create(folder.path()).expect("a log");
    log.scalars(5, &[("lr", 1.0)]).expect("the step is written");
    let error = log.scalars(5, &[("lr", 1.0)]).expect_err("a step has one record");
    assert!(error.to_string().contains("after step 5"), "{error}");
    let mut resumed = RunLog::resume(folder.path(), 5).expect("a log");
    assert!(resumed.scalars(4, &[("lr", 1.0)]).is_err());
    assert!(resumed.scalars(6, &[("a,b", 1.0)]).is_err());
}

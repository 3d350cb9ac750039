//! `trainer report` on a log with gaps, a pause, two resumed stretches, missing values and foreign columns, whose truth is known
//! (golden.py), and on logs that lack what they may lack.

// Clippy allows unwrap in #[test] functions only; the helpers here are as much tests.
#![allow(clippy::unwrap_used)]

use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use trainer::report::{LogTable, TrainingAnalysis, write};
use trainer::run_log::{GrayGrid, RunLog};

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/report").join(name)
}

/// Fails where two values differ by more than rounding.
fn assert_same(found: &Value, expected: &Value, place: &str) {
    match (found, expected) {
        (Value::Object(found), Value::Object(expected)) => {
            assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>(), "{place}");
            expected.iter().for_each(|(key, value)| assert_same(&found[key], value, &format!("{place}.{key}")));
        }
        (Value::Array(found), Value::Array(expected)) => {
            assert_eq!(found.len(), expected.len(), "{place}: {found:?}");
            found.iter().zip(expected).enumerate().for_each(|(i, (found, value))| assert_same(found, value, &format!("{place}[{i}]")));
        }
        (Value::Number(a), Value::Number(b)) => {
            let (a, b) = (a.as_f64().unwrap(), b.as_f64().unwrap());
            assert!((a - b).abs() <= 1e-13 * b.abs(), "{place}: {a}, expected {b}");
        }
        _ => assert_eq!(found, expected, "{place}"),
    }
}

#[test]
fn the_analysis_of_a_disturbed_log_is_exact() {
    let table = LogTable::read(&golden("golden.csv")).unwrap();
    let found = serde_json::to_value(TrainingAnalysis::of(&table, String::from("golden.csv"))).unwrap();
    let expected = serde_json::from_str(&fs::read_to_string(golden("golden.json")).unwrap()).unwrap();
    assert_same(&found, &expected, "analysis");
}

#[test]
fn the_parsed_table_has_what_counts_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    write(&golden("golden.csv"), folder.path()).unwrap();
    let text = fs::read_to_string(folder.path().join("training_data_parsed.csv")).unwrap();
    let mut lines = text.lines();
    let head = "step,datetime,stretch,train/total_loss,train/rec_loss,train/nll_loss,train/kl_loss,train/g_loss,train/d_weight,\
                train/disc_factor,lr";
    assert_eq!(lines.next(), Some(head));
    let steps: Vec<u64> = lines.clone().map(|line| line.split(',').next().unwrap().parse().unwrap()).collect();
    let expected: Vec<u64> = (50..=3000).step_by(50).filter(|step| !(600..800).contains(step)).collect();
    assert_eq!(steps, expected);
    for (step, stretch) in [("1750", "0"), ("1800", "1"), ("2400", "1"), ("2450", "2")] {
        let row = lines.find(|line| line.starts_with(&format!("{step},"))).unwrap();
        assert_eq!(row.split(',').nth(2), Some(stretch), "the stretch of step {step}");
    }
}

#[test]
fn a_report_has_its_files_and_the_page_needs_no_other() {
    let folder = tempfile::tempdir().unwrap();
    write(&golden("golden.csv"), folder.path()).unwrap();
    for figure in ["figure1_phases", "figure2_loss_components", "figure3_three_axes", "figure4_normalised", "figure5_dashboard"] {
        let picture = image::open(folder.path().join(figure.to_owned() + ".png")).unwrap().into_rgb8();
        let ink = picture.pixels().filter(|pixel| pixel.0 != [255; 3]).count();
        assert!(picture.width() >= 1600 && ink > 20_000, "{figure}: {ink} pixels are not white");
    }
    let page = fs::read_to_string(folder.path().join("report.html")).unwrap();
    assert_eq!(page.matches("src=\"data:image/png;base64,").count(), 5);
    assert!(!page.contains("http") && page.contains("went back from step 2,000 to 1,800"));
    let summary = fs::read_to_string(folder.path().join("training_summary.txt")).unwrap();
    assert!(summary.contains("no record between steps 550 and 800 (4 rows missing)"), "{summary}");
}

#[test]
fn a_run_of_ours_is_reported_with_its_samples() {
    let folder = tempfile::tempdir().unwrap();
    let log_folder = folder.path().join("diffusion");
    let mut log = RunLog::create(&log_folder).unwrap();
    for step in 1..=30 {
        let mut values = vec![("train/total_loss", 1.0 / step as f64), ("lr", 1e-4)];
        if step % 10 == 0 {
            values.push(("val/nmse", 0.5 / step as f64));
            log.images(step, "samples", &GrayGrid::new(2, &[vec![vec![9; 4]]]).unwrap()).unwrap();
        }
        log.scalars(step, &values).unwrap();
    }
    let report = Command::new(env!("CARGO_BIN_EXE_trainer")).arg("report").arg(folder.path()).output().unwrap();
    assert!(report.status.success(), "{}", String::from_utf8_lossy(&report.stderr));
    let out = folder.path().join("report/diffusion");
    let page = fs::read_to_string(out.join("report.html")).unwrap();
    assert!(page.contains("samples, step 10") && page.contains("samples, step 30"));
    let analysis: Value = serde_json::from_str(&fs::read_to_string(out.join("training_analysis.json")).unwrap()).unwrap();
    assert_eq!((&analysis["columns"]["val/nmse"]["count"], &analysis["columns"]["val/nmse"]["missing"]), (&3.into(), &27.into()));
}

#[test]
fn logs_may_be_short_and_without_times() {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in
        [("one.csv", "step,lr\n7,0.5\n"), ("two.csv", "train/rec_loss,step\n3,1\n,2\n"), ("nan.csv", "step,lr\n1,nan\n2,nan\n")]
    {
        let log = folder.path().join(name);
        fs::write(&log, text).unwrap();
        let out = folder.path().join("out");
        write(&log, &out).unwrap();
        let analysis: Value = serde_json::from_str(&fs::read_to_string(out.join("training_analysis.json")).unwrap()).unwrap();
        assert!(analysis["time"].is_null(), "{name}");
    }
}

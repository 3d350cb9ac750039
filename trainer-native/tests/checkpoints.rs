//! A checkpoint is whole or refused, whatever happened to its files, and the one before it is taken.

// Clippy allows unwrap in #[test] functions only; the helpers here are as much tests.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};
use tch::{Device, Kind, Tensor};
use trainer::checkpoint::{CheckpointError, Retention, Store};

const BLOCK: usize = 4096;

fn tensors(step: u64) -> Vec<(String, Tensor)> {
    let values: Vec<f32> = (0..5000).map(|i| (i as f32 + 1.0) * step as f32).collect();
    let count = Tensor::from(step as i64);
    vec![("weight".into(), Tensor::from_slice(&values).reshape([50, 100])), ("count".into(), count)]
}

fn store(folder: &Path, keep: usize, milestone_every: usize) -> Store {
    Store::open(folder, Retention { every: 1, keep, milestone_every }).unwrap()
}

fn write(store: &Store, step: u64) -> PathBuf {
    store.write(step, &step, &[("networks", tensors(step)), ("objective", Vec::new())]).unwrap()
}

#[test]
fn what_was_written_is_restored_in_place() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path(), 3, 0);
    write(&store, 7);
    let stored = store.latest::<u64>().unwrap().stored.unwrap();
    assert_eq!(stored.state, 7);
    let places =
        vec![("weight".to_owned(), Tensor::zeros([50, 100], (Kind::Float, Device::Cpu))), ("count".to_owned(), Tensor::from(0i64))];
    stored.restore("networks", &places).unwrap();
    stored.restore("objective", &[]).unwrap();
    places.iter().zip(tensors(7)).for_each(|((_, found), (_, expected))| assert!(found.equal(&expected)));

    let other = |name: &str, shape: [i64; 1]| vec![(name.to_owned(), Tensor::zeros(shape, (Kind::Float, Device::Cpu)))];
    let words = |places: &[(String, Tensor)]| stored.restore("networks", places).unwrap_err().to_string();
    assert!(words(&other("weight", [3])).contains("weight has shape [50, 100], this run's has [3]"));
    assert!(words(&other("bias", [3])).contains("bias is missing"));
    assert!(words(&places[..1]).contains("count has no place in this run"));
}

/// Every file, cut at every 4 KB and with every 4 KB zeroed.
#[test]
fn any_damage_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path(), 3, 0);
    write(&store, 1);
    let newest = write(&store, 2);
    let names: Vec<PathBuf> = fs::read_dir(&newest).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(names.len(), 3, "DONE, state and networks");
    let damaged = folder.path().join("damaged-step-00000002");
    let mut cases = 0;
    for path in names {
        let whole = fs::read(&path).unwrap();
        let cut = |at: usize| whole[..at].to_vec();
        let zeroed = |at: usize| {
            let mut bytes = whole.clone();
            bytes[at..(at + BLOCK).min(whole.len())].fill(0);
            bytes
        };
        for bytes in (0..whole.len()).step_by(BLOCK).flat_map(|at| [cut(at), zeroed(at)]) {
            fs::write(&path, &bytes).unwrap();
            let latest = store.latest::<u64>().unwrap();
            let [refusal] = &latest.refused[..] else { panic!("{}: {} refusals", path.display(), latest.refused.len()) };
            assert!(matches!(refusal, CheckpointError::Damaged { path: found, .. } if *found == path), "{}: {refusal}", path.display());
            assert_eq!(latest.stored.unwrap().state, 1, "the one before");
            fs::rename(&damaged, &newest).unwrap();
            cases += 1;
        }
        fs::remove_file(&path).unwrap();
        let latest = store.latest::<u64>().unwrap();
        assert!(matches!(&latest.refused[..], [CheckpointError::Missing { path: found }] if *found == path));
        fs::rename(&damaged, &newest).unwrap();
        fs::write(&path, whole).unwrap();
    }
    assert!(cases >= 14, "{cases} cases");
    assert_eq!(store.latest::<u64>().unwrap().stored.unwrap().state, 2, "whole again");

    for step in [1, 2] {
        fs::remove_file(folder.path().join(format!("step-{step:08}/DONE"))).unwrap();
    }
    assert!(matches!(store.latest::<u64>(), Err(CheckpointError::NoneWhole { count: 2, .. })));
}

#[test]
fn the_newest_and_the_milestones_stay() {
    let folder = tempfile::tempdir().unwrap();
    let kept = store(folder.path(), 2, 4);
    (1..=10).for_each(|step| drop(write(&kept, step)));
    assert_eq!(kept.steps().unwrap(), [4, 8, 9, 10]);
    // What a killed run left half-written goes when the folder is opened again.
    fs::create_dir(folder.path().join(".writing-abc")).unwrap();
    let again = store(folder.path(), 2, 4);
    assert!(!folder.path().join(".writing-abc").exists());
    assert_eq!(again.latest::<u64>().unwrap().stored.unwrap().state, 10);
}

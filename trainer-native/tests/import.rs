//! `trainer import`: what goes wrong is named, before the work where it can be.

// Clippy allows unwrap in #[test] functions only; the helpers here are as much tests.
#![allow(clippy::unwrap_used)]

mod common;

use common::{fails, succeeds};
use radiodiff_core::weights::Checkpoint;
use std::fs;

/// A state dict with the names of the public code: those of the weights that ship.
const NANO: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../models/nano.safetensors");

#[test]
fn a_state_dict_becomes_a_weights_file() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("weights.safetensors").display().to_string();
    let said = succeeds(&["import", NANO, "--preset", "nano", "--out", &out, "--license", "MIT"]);
    assert!(said.contains(" applied") && !said.contains("unused"), "{said}");
    let [found, expected] = [&out, NANO].map(|path| Checkpoint::parse(&fs::read(path).unwrap()).unwrap());
    assert_eq!(found.tensors(), expected.tensors());
    assert_eq!(found.manifest().license, "MIT");
}

#[test]
fn what_cannot_be_imported_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (out, pickle, cut) = (path("out.safetensors"), path("model.pt"), path("cut.safetensors"));
    fs::write(&pickle, b"PK\x03\x04\0\0\x08\x08\0\0 and so on").unwrap();
    fs::write(&cut, &fs::read(NANO).unwrap()[..100_000]).unwrap();
    let refused = |inputs: &[&str], preset: &str, out: &str| fails(&[&["import"], inputs, &["--preset", preset, "--out", out]].concat());

    let error = refused(&[NANO, &pickle], "nano", &out);
    assert!(error.contains(&format!("{pickle}: a file of PyTorch's own format")), "{error}");
    let error = refused(&[&cut], "nano", &out);
    assert!(error.contains(&format!("{cut}: not a safetensors file, or a damaged one")), "{error}");
    let error = refused(&[NANO], "edge", &out);
    assert!(error.contains("not one of preset edge") && error.contains("misshapen") && error.contains("another preset"), "{error}");
    let error = refused(&[NANO], "papr", &out);
    assert!(error.contains("there are nano, edge, paper"), "{error}");
    let error = refused(&[NANO, NANO], "nano", &out);
    assert!(error.contains("is there twice") && error.contains(NANO), "{error}");
    assert!(!folder.path().join("out.safetensors").exists());

    // The place is looked at first: the checkpoint is not there either.
    let error = refused(&["no file"], "nano", &path("no folder/out.safetensors"));
    assert!(error.contains("writing ") && error.contains("No such file"), "{error}");
    let error = refused(&["no file"], "nano", &path(""));
    assert!(error.contains("it is a folder, expected the name of a file"), "{error}");
}

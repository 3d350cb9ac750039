//! Small datasets made by rule, and the command as a user runs it.

// Each test program uses what it needs of this.
#![allow(dead_code, clippy::unwrap_used)]

#[path = "../../../tests/made_datasets.rs"]
mod made_datasets;

pub use made_datasets::*;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

pub fn radiodiff(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_radiodiff")).args(args).output().unwrap()
}

/// What it prints when all is well.
pub fn succeeds(args: &[&str]) -> String {
    let output = radiodiff(args);
    assert!(output.status.success(), "radiodiff {args:?}: {}{}", text(&output.stdout), text(&output.stderr));
    text(&output.stdout)
}

/// Both outputs of a run that ends with 1 and says each of `words`.
pub fn fails(args: &[&str], words: &[&str]) -> String {
    let output = radiodiff(args);
    let said = text(&output.stdout) + &text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "radiodiff {args:?}: {said}");
    words.iter().for_each(|words| assert!(said.contains(words), "radiodiff {args:?} says {said:?}, expected {words:?}"));
    said
}

/// Every file below a folder by its relative path.
pub fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files.insert(path.strip_prefix(folder).unwrap().to_owned(), fs::read(&path).unwrap());
            }
        }
    }
    files
}

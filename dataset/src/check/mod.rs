//! `trainer dataset check`: what is wrong with folders in RadioMapSeer's layout, or with packed shards.
//!
//! In flow folders; out flows a report: what is there, what is wrong (each kind with a count and the files' names) and what is
//! only worth knowing. Every file is read. With several folders each is taken for a split of its own, so that
//! `trainer dataset check train test` finds places that are in both; with one, RadioUNet's splits are.

mod duplicates;
mod folder;

use super::shards::Shards;
use super::{Scheme, Split, Variant};
use anyhow::{Result, bail};
use duplicates::Place;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Looks for what is wrong with datasets: missing files, sizes, values, the same place in two splits.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Folders in RadioMapSeer's layout, or of packed shards; several are held to be one split each
    #[arg(value_name = "DIR", required = true)]
    folders: Vec<PathBuf>,
    /// Print the report as JSON, with every file
    #[arg(long)]
    json: bool,
    /// Files named of each kind of finding
    #[arg(long, value_name = "N", default_value_t = 10)]
    list: usize,
}

/// What was found, by kind: a line for each, which names the file.
pub type Findings = BTreeMap<&'static str, Vec<String>>;

/// What a folder holds and what was found.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    /// A line for each folder.
    pub contents: Vec<String>,
    pub wrong: Findings,
    pub notes: Findings,
}

/// Runs the command.
///
/// # Errors
/// When something is wrong, after the report is printed; a folder that is no dataset at all.
pub fn run(args: &Args) -> Result<()> {
    let report = check(&args.folders)?;
    if args.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print!("{}", report.text(args.list));
    }
    match report.wrong.values().map(Vec::len).sum() {
        0 => Ok(()),
        1 => bail!("1 thing is wrong"),
        wrong => bail!("{wrong} things are wrong"),
    }
}

/// Checks the folders, each by itself and their places against each other.
///
/// # Errors
/// A folder that holds no maps, or cannot be listed.
pub fn check(folders: &[PathBuf]) -> Result<Report> {
    let (mut report, mut places) = (Report::default(), Vec::new());
    let splits = [Split::Train, Split::Validation, Split::Test].map(|split| (split, Scheme::RadioUnet.maps(Variant::Dpm, split)));
    let split_of = |map| splits.iter().find(|(_, maps)| maps.contains(&map)).map(|(split, _)| format!("{split:?}").to_lowercase());
    for path in folders {
        if Shards::are_in(path) {
            let shards = Shards::open(path)?;
            let manifest = shards.manifest();
            let (samples, files) = (manifest.samples, manifest.shards.len());
            report.contents.push(format!(
                "{}: {samples} samples of {} in {files} shards ({})",
                path.display(),
                manifest.method,
                manifest.split
            ));
            report.add_wrong("damaged shard", shards.damages());
            continue;
        }
        places.extend(folder::check(path, &mut report)?.into_iter().map(|(map, shape)| {
            let split = if folders.len() > 1 { Some(path.display().to_string()) } else { split_of(map) };
            Place { file: path.join(super::BUILDINGS).join(format!("{map}.png")), split, shape }
        }));
    }
    duplicates::find(&places, &mut report);
    Ok(report)
}

impl Report {
    fn add_wrong(&mut self, kind: &'static str, lines: impl IntoIterator<Item = String>) {
        add(&mut self.wrong, kind, lines);
    }

    fn add_note(&mut self, kind: &'static str, lines: impl IntoIterator<Item = String>) {
        add(&mut self.notes, kind, lines);
    }

    fn append(&mut self, other: Self) {
        self.contents.extend(other.contents);
        other.wrong.into_iter().for_each(|(kind, lines)| self.add_wrong(kind, lines));
        other.notes.into_iter().for_each(|(kind, lines)| self.add_note(kind, lines));
    }

    /// The report for people, with at most `most` files of each kind.
    pub fn text(&self, most: usize) -> String {
        let mut lines = self.contents.clone();
        for (word, findings) in [("note", &self.notes), ("wrong", &self.wrong)] {
            for (kind, found) in findings {
                lines.push(format!("{word}: {kind}: {}", found.len()));
                lines.extend(found.iter().take(most).map(|line| format!("    {line}")));
                if found.len() > most {
                    lines.push(format!("    ... and {} more (--list N names more, --json all)", found.len() - most));
                }
            }
        }
        if self.wrong.is_empty() {
            lines.push(String::from("nothing is wrong"));
        }
        lines.join("\n") + "\n"
    }
}

fn add(findings: &mut Findings, kind: &'static str, lines: impl IntoIterator<Item = String>) {
    let mut lines = lines.into_iter().peekable();
    if lines.peek().is_some() {
        findings.entry(kind).or_default().extend(lines);
    }
}

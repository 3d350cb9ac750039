//! The findings of a check, for people and for programs.

use serde::Serialize;
use std::collections::BTreeMap;

/// Findings by kind: a line for each, which names the file.
pub type Findings = BTreeMap<&'static str, Vec<String>>;

/// The contents of the checked folders and the findings.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    /// A line for each folder.
    pub contents: Vec<String>,
    pub wrong: Findings,
    pub notes: Findings,
}

impl Report {
    pub fn add_wrong(&mut self, kind: &'static str, lines: impl IntoIterator<Item = String>) {
        add(&mut self.wrong, kind, lines);
    }

    pub fn add_note(&mut self, kind: &'static str, lines: impl IntoIterator<Item = String>) {
        add(&mut self.notes, kind, lines);
    }

    pub fn append(&mut self, other: Self) {
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

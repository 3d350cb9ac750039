//! A training log as a table: read from CSV, in any order of columns, whatever program wrote it.
//!
//! The step and the values of columns named `train/...`, `val/...`, `system/...` or `lr` are read; other columns are ignored. Rows are
//! taken in the file's order. A step that is not above the one before it means that the run went back to a checkpoint: the rows it
//! had logged from that step on are superseded and dropped, and a new stretch begins. Two rows in a row of the same step are one step,
//! whose later values count. Nothing is interpolated: what the file lacks stays missing.

use anyhow::{Context, Result, bail, ensure};
use jiff::civil::DateTime;
use jiff::{Timestamp, tz::TimeZone};
use radiodiff_dataset::files;
use std::path::Path;

/// The public code's columns, in the order in which tables and figures show them.
pub const KNOWN: [&str; 8] =
    ["train/total_loss", "train/rec_loss", "train/nll_loss", "train/kl_loss", "train/g_loss", "train/d_weight", "train/disc_factor", "lr"];
const STEP: &str = "step";
const DATETIME: &str = "datetime";

/// A log's steps in ascending order, without what was superseded.
#[derive(Clone, Debug, Default)]
pub struct LogTable {
    pub steps: Vec<LoggedStep>,
    /// Names of the values, [`KNOWN`] ones first, the others in the file's order.
    pub columns: Vec<String>,
    pub counts: RowCounts,
    pub resumptions: Vec<Resumption>,
    /// What the reader could not use, in words.
    pub remarks: Vec<String>,
}

/// A step's record.
#[derive(Clone, Debug, PartialEq)]
pub struct LoggedStep {
    pub step: u64,
    /// As the file says it, without a time zone or in UTC.
    pub datetime: Option<DateTime>,
    /// One for each column; `None` where the file has nothing. May be not finite.
    pub values: Vec<Option<f64>>,
    /// The number of times that the run had been resumed before.
    pub stretch: usize,
}

/// What became of the file's rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize)]
pub struct RowCounts {
    pub read: usize,
    pub kept: usize,
    /// Logged, and then logged again after the run went back.
    pub superseded: usize,
    /// Put into the row before them, which has the same step.
    pub merged: usize,
    /// Without a step that is a whole number.
    pub unreadable: usize,
}

/// A place where the run went back.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Resumption {
    /// Of the file's data rows, from 1.
    pub row: usize,
    /// The last step logged before.
    pub reached_step: u64,
    /// The first step logged after.
    pub resumed_at_step: u64,
    pub superseded_rows: usize,
}

impl LogTable {
    /// Reads a CSV file.
    ///
    /// # Errors
    /// A file that cannot be read, without a column `step` or a column of values, without a row.
    pub fn read(path: &Path) -> Result<Self> {
        Self::parse(&files::read_text(path)?).with_context(|| format!("the log {}", path.display()))
    }

    fn parse(text: &str) -> Result<Self> {
        let mut reader = csv::ReaderBuilder::new().flexible(true).trim(csv::Trim::All).from_reader(text.as_bytes());
        let header: Vec<String> = reader.headers()?.iter().map(str::to_owned).collect();
        let place = |name: &str| header.iter().position(|column| column == name);
        let step_place = place(STEP).with_context(|| format!("has no column {STEP}; its columns are {}", header.join(", ")))?;
        let rows = reader.records().collect::<Result<Vec<_>, _>>()?;
        let columns = value_columns(&header, &rows);
        ensure!(!columns.is_empty(), "has no column of numbers named train/..., val/... or lr; its columns are {}", header.join(", "));

        let mut table = Self { columns: columns.iter().map(|&c| header[c].clone()).collect(), ..Self::default() };
        let (mut unreadable_cells, mut unreadable_times) = (0, 0);
        for (i, row) in rows.iter().enumerate() {
            table.counts.read += 1;
            let Some(step) = row.get(step_place).and_then(parse_step) else {
                table.counts.unreadable += 1;
                continue;
            };
            let time = place(DATETIME).and_then(|c| row.get(c)).filter(|text| !is_missing(text));
            let datetime = time.and_then(parse_datetime);
            unreadable_times += usize::from(time.is_some() && datetime.is_none());
            let cell = |&c: &usize| row.get(c).filter(|text| !is_missing(text));
            let values: Vec<Option<f64>> = columns.iter().map(|c| cell(c)?.parse().ok()).collect();
            unreadable_cells += columns.iter().zip(&values).filter(|(c, value)| cell(c).is_some() && value.is_none()).count();
            table.add(i + 1, step, datetime, values);
        }
        table.counts.kept = table.steps.len();
        if table.steps.is_empty() {
            bail!("has no row with a step");
        }
        let problems = [
            (table.counts.unreadable, "rows have no step that is a whole number and are left out"),
            (unreadable_cells, "cells are no numbers and count as missing"),
            (unreadable_times, "times of day cannot be read"),
        ];
        table.remarks = problems.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}.")).collect();
        Ok(table)
    }

    fn add(&mut self, row: usize, step: u64, datetime: Option<DateTime>, values: Vec<Option<f64>>) {
        let stretch = match self.steps.last_mut() {
            Some(last) if last.step == step => {
                last.datetime = datetime.or(last.datetime);
                last.values.iter_mut().zip(values).for_each(|(old, new)| *old = new.or(*old));
                self.counts.merged += 1;
                return;
            }
            Some(last) if last.step > step => {
                let (reached_step, stretch) = (last.step, last.stretch + 1);
                let kept = self.steps.partition_point(|earlier| earlier.step < step);
                let superseded_rows = self.steps.len() - kept;
                self.steps.truncate(kept);
                self.counts.superseded += superseded_rows;
                self.resumptions.push(Resumption { row, reached_step, resumed_at_step: step, superseded_rows });
                stretch
            }
            Some(last) => last.stretch,
            None => 0,
        };
        self.steps.push(LoggedStep { step, datetime, values, stretch });
    }

    /// A column's place.
    pub fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column == name)
    }

    /// Steps and finite values of a column; empty where there is no such column.
    pub fn series(&self, name: &str) -> Vec<(u64, f64)> {
        let Some(column) = self.column(name) else { return Vec::new() };
        self.steps.iter().filter_map(|row| Some((row.step, row.values[column].filter(|value| value.is_finite())?))).collect()
    }
}

/// The places of the columns of values: those of the names above that hold at least one number.
fn value_columns(header: &[String], rows: &[csv::StringRecord]) -> Vec<usize> {
    let named = |name: &str| name == "lr" || ["train/", "val/", "system/"].iter().any(|prefix| name.starts_with(prefix));
    let has_number = |&c: &usize| rows.iter().any(|row| row.get(c).is_some_and(|text| text.parse::<f64>().is_ok()));
    let mut columns: Vec<usize> = (0..header.len()).filter(|&c| named(&header[c])).filter(has_number).collect();
    columns.sort_by_key(|&c| KNOWN.iter().position(|known| *known == header[c]).unwrap_or(KNOWN.len()));
    columns.dedup_by(|a, b| header[*a] == header[*b]);
    columns
}

fn is_missing(text: &str) -> bool {
    text.is_empty() || ["none", "null"].iter().any(|word| text.eq_ignore_ascii_case(word))
}

/// A whole number, also as `1200.0`, which spreadsheets and pandas write.
fn parse_step(text: &str) -> Option<u64> {
    const MOST: f64 = 9e15;
    text.parse().ok().or_else(|| {
        let number: f64 = text.parse().ok()?;
        (number.fract() == 0.0 && (0.0..MOST).contains(&number)).then_some(number as u64)
    })
}

/// `2026-01-31 12:00:00`, also with `T`, `/` and fractions of a second. A time with an offset is brought to UTC.
fn parse_datetime(text: &str) -> Option<DateTime> {
    let zoned = text.parse::<Timestamp>().ok().map(|time| TimeZone::UTC.to_datetime(time));
    zoned.or_else(|| text.replace('/', "-").parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(table: &LogTable) -> Vec<u64> {
        table.steps.iter().map(|row| row.step).collect()
    }

    #[test]
    fn columns_stand_in_any_order_and_others_are_ignored() {
        let text = "note,lr,step,train/total_loss,train/note\nx,1e-5,1,0.5,a\ny,,2.0,nan,b\n";
        let table = LogTable::parse(text).expect("a log");
        assert_eq!(table.columns, ["train/total_loss", "lr"]);
        assert_eq!(table.steps[0].values, [Some(0.5), Some(1e-5)]);
        assert!(table.steps[1].values[0].is_some_and(f64::is_nan) && table.steps[1].values[1].is_none());
        assert_eq!(table.series("train/total_loss"), [(1, 0.5)]);
        assert!(table.series("train/kl_loss").is_empty());
    }

    #[test]
    fn a_run_that_goes_back_supersedes_what_it_logged() {
        let table = LogTable::parse("step,lr\n10,1\n20,2\n30,3\n20,4\n30,5\n40,6\n15,7\n").expect("a log");
        assert_eq!(steps(&table), [10, 15]);
        assert_eq!(table.counts, RowCounts { read: 7, kept: 2, superseded: 5, merged: 0, unreadable: 0 });
        let back = |row, reached_step, resumed_at_step, superseded_rows| Resumption { row, reached_step, resumed_at_step, superseded_rows };
        assert_eq!(table.resumptions, [back(4, 30, 20, 2), back(7, 40, 15, 3)]);
        assert_eq!(table.steps[1].stretch, 2);
    }

    #[test]
    fn rows_of_one_step_are_one() {
        let table = LogTable::parse("step,lr,val/nmse\n10,1,\n10,,0.5\n11,2,\n").expect("a log");
        assert_eq!((steps(&table), table.counts.merged), (vec![10, 11], 1));
        assert_eq!(table.steps[0].values, [Some(1.0), Some(0.5)]);
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        let table = LogTable::parse("step,lr,datetime\n1,1,2026-01-31 12:00:00\n?,2,\n3,x,yesterday\n").expect("a log");
        assert_eq!(steps(&table), [1, 3]);
        assert_eq!(table.remarks.len(), 3, "{:?}", table.remarks);
        assert!(table.steps[0].datetime.is_some() && table.steps[1].datetime.is_none());
        assert!(LogTable::parse("a,b\n1,2\n").expect_err("no step").to_string().contains("no column step"));
        assert!(LogTable::parse("step,b\n1,2\n").expect_err("no values").to_string().contains("no column of numbers"));
        assert!(LogTable::parse("step,lr\n,2\n").expect_err("no rows").to_string().contains("no row"));
    }

    #[test]
    fn times_are_read_as_programs_write_them() {
        let noon: DateTime = "2026-01-31T12:00:00".parse().expect("a time");
        for text in ["2026-01-31 12:00:00", "2026/01/31 12:00:00", "2026-01-31T12:00:00Z", "2026-01-31T13:00:00+01:00"] {
            assert_eq!(parse_datetime(text), Some(noon), "{text}");
        }
    }
}

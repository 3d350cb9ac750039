//! What a log says: its gaps and resumed stretches, the time training took, its phases, the statistics of every column, and how far
//! the losses have settled.
//!
//! Time is only counted where the log shows it. The interval between two steps of one stretch is training time unless it is a pause:
//! more than a minute, and more than ten times what its steps take at the median rate. The time between two stretches is never
//! counted, because the log does not say when the run went on.

use super::log_table::{LogTable, LoggedStep, Resumption, RowCounts};
use super::statistics::{ColumnStatistics, mean, quantile};
use jiff::civil::DateTime;
use serde::Serialize;
use std::collections::BTreeMap;

/// A gap is an interval of more than this many median intervals.
const GAP: f64 = 1.5;
const PAUSE: f64 = 10.0;
const LEAST_PAUSE_S: f64 = 60.0;
/// The share of a log's steps that stands for its end.
const END: f64 = 0.1;

/// The content of `training_analysis.json`.
#[derive(Clone, Debug, Serialize)]
pub struct TrainingAnalysis {
    pub source: String,
    pub rows: RowCounts,
    pub steps: StepSpan,
    pub gaps: Vec<StepGap>,
    pub resumptions: Vec<Resumption>,
    /// Absent where the log has no times of day.
    pub time: Option<TimeSpan>,
    pub phases: Vec<PhaseAnalysis>,
    pub columns: BTreeMap<String, ColumnStatistics>,
    pub ends: BTreeMap<String, EndOfColumn>,
    pub remarks: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StepSpan {
    pub first: u64,
    pub last: u64,
    /// Median of the differences between two logged steps.
    pub interval: f64,
}

/// Steps that should have been logged and were not.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StepGap {
    pub after_step: u64,
    pub next_step: u64,
    /// At the median interval.
    pub missing_rows: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TimeSpan {
    pub begun: String,
    pub ended: String,
    /// From the first time of day to the last.
    pub elapsed_s: f64,
    /// Without pauses, and without the time between two stretches.
    pub training_s: f64,
    pub pauses: Vec<LogPause>,
    /// Over the training time.
    pub steps_per_second: f64,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LogPause {
    pub after_step: u64,
    pub next_step: u64,
    pub seconds: f64,
}

/// A part of the run with or without the adversary.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PhaseAnalysis {
    pub name: &'static str,
    pub first_step: u64,
    pub last_step: u64,
    pub rows: usize,
    pub training_s: Option<f64>,
    /// Means of the columns over the phase.
    pub means: BTreeMap<String, f64>,
}

/// The last tenth of a log's steps, and the tenth before.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct EndOfColumn {
    /// Over the steps above this.
    pub above_step: f64,
    pub mean: f64,
    pub previous_mean: Option<f64>,
    /// (mean - previous mean) / |previous mean|.
    pub relative_change: Option<f64>,
}

pub const TRAINING: &str = "training";
pub const BEFORE_ADVERSARY: &str = "without adversary";
pub const WITH_ADVERSARY: &str = "with adversary";

impl TrainingAnalysis {
    pub fn of(table: &LogTable, source: String) -> Self {
        let rows = &table.steps;
        let interval = median(rows.windows(2).map(|pair| (pair[1].step - pair[0].step) as f64));
        let gap = |pair: &[LoggedStep]| {
            let intervals = (pair[1].step - pair[0].step) as f64 / interval;
            let missing_rows = intervals.round() as u64 - 1;
            (intervals > GAP).then_some(StepGap { after_step: pair[0].step, next_step: pair[1].step, missing_rows })
        };
        let intervals = training_intervals(rows);
        let columns = table.columns.iter().enumerate().filter_map(|(c, name)| {
            let values: Vec<_> = rows.iter().map(|row| (row.step, row.values[c])).collect();
            Some((name.clone(), ColumnStatistics::of(&values)?))
        });
        let ends = table.columns.iter().filter_map(|name| Some((name.clone(), end(&table.series(name), rows)?)));
        Self {
            source,
            rows: table.counts,
            steps: StepSpan { first: rows[0].step, last: rows[rows.len() - 1].step, interval },
            gaps: rows.windows(2).filter_map(gap).collect(),
            resumptions: table.resumptions.clone(),
            time: time_span(rows, &intervals),
            phases: phases(table, &intervals),
            columns: columns.collect(),
            ends: ends.collect(),
            remarks: table.remarks.clone(),
        }
    }

    /// The first step with the adversary, where there are steps without.
    pub fn transition(&self) -> Option<u64> {
        self.phases.windows(2).find(|pair| pair[1].name == WITH_ADVERSARY).map(|pair| pair[1].first_step)
    }

    /// Whether a gap lies between two steps: a line from one to the other would be made up.
    pub fn is_broken(&self, from: u64, to: u64) -> bool {
        self.gaps.iter().any(|gap| from < gap.next_step && to > gap.after_step)
    }
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    if values.is_empty() { 1.0 } else { quantile(&values, 0.5) }
}

fn seconds_between(from: DateTime, to: DateTime) -> f64 {
    to.duration_since(from).as_secs_f64()
}

/// What lies between a row and the next one.
#[derive(Clone, Copy, PartialEq)]
enum Interval {
    Training(f64),
    Pause(f64),
    /// No times, or two stretches.
    Unknown,
}

fn training_intervals(rows: &[LoggedStep]) -> Vec<Interval> {
    let seconds = |pair: &[LoggedStep]| {
        let seconds = seconds_between(pair[0].datetime?, pair[1].datetime?);
        (pair[0].stretch == pair[1].stretch && seconds >= 0.0).then_some(seconds)
    };
    let steps = |pair: &[LoggedStep]| (pair[1].step - pair[0].step) as f64;
    let per_step = median(rows.windows(2).filter_map(|pair| Some(seconds(pair)? / steps(pair))));
    let interval = |pair: &[LoggedStep]| match seconds(pair) {
        Some(seconds) if seconds > LEAST_PAUSE_S && seconds > PAUSE * per_step * steps(pair) => Interval::Pause(seconds),
        Some(seconds) => Interval::Training(seconds),
        None => Interval::Unknown,
    };
    rows.windows(2).map(interval).collect()
}

fn time_span(rows: &[LoggedStep], intervals: &[Interval]) -> Option<TimeSpan> {
    let mut times = rows.iter().filter_map(|row| row.datetime);
    let begun = times.next()?;
    let ended = times.next_back()?;
    let (mut training_s, mut steps, mut pauses) = (0.0, 0, Vec::new());
    for (pair, interval) in rows.windows(2).zip(intervals) {
        let (after_step, next_step) = (pair[0].step, pair[1].step);
        match *interval {
            Interval::Training(seconds) => (training_s, steps) = (training_s + seconds, steps + next_step - after_step),
            Interval::Pause(seconds) => pauses.push(LogPause { after_step, next_step, seconds }),
            Interval::Unknown => {}
        }
    }
    let steps_per_second = if training_s > 0.0 { steps as f64 / training_s } else { 0.0 };
    let elapsed_s = seconds_between(begun, ended);
    Some(TimeSpan { begun: begun.to_string(), ended: ended.to_string(), elapsed_s, training_s, pauses, steps_per_second })
}

/// Consecutive steps whose adversary is on, or off. A row that does not say is in the phase of the row before it.
fn phases(table: &LogTable, intervals: &[Interval]) -> Vec<PhaseAnalysis> {
    let factor = table.column("train/disc_factor");
    let mut name = if factor.is_some() { BEFORE_ADVERSARY } else { TRAINING };
    let mut phases: Vec<(&'static str, usize, usize)> = Vec::new();
    for (i, row) in table.steps.iter().enumerate() {
        if let Some(factor) = factor.and_then(|column| row.values[column]) {
            name = if factor > 0.0 { WITH_ADVERSARY } else { BEFORE_ADVERSARY };
        }
        match phases.last_mut() {
            Some((last, _, end)) if *last == name => *end = i,
            _ => phases.push((name, i, i)),
        }
    }
    let analyse = |(name, begin, end): (&'static str, usize, usize)| {
        let rows = &table.steps[begin..=end];
        // An interval belongs to the phase of the step that it led to.
        let seconds: Vec<f64> = intervals[begin.saturating_sub(1)..end]
            .iter()
            .filter_map(|interval| if let Interval::Training(seconds) = interval { Some(*seconds) } else { None })
            .collect();
        let mean_of = |(c, name): (usize, &String)| {
            let values: Vec<f64> = rows.iter().filter_map(|row| row.values[c].filter(|value| value.is_finite())).collect();
            (!values.is_empty()).then(|| (name.clone(), mean(&values)))
        };
        PhaseAnalysis {
            name,
            first_step: rows[0].step,
            last_step: rows[rows.len() - 1].step,
            rows: rows.len(),
            training_s: (!seconds.is_empty()).then(|| seconds.iter().sum()),
            means: table.columns.iter().enumerate().filter_map(mean_of).collect(),
        }
    };
    phases.into_iter().map(analyse).collect()
}

fn end(series: &[(u64, f64)], rows: &[LoggedStep]) -> Option<EndOfColumn> {
    let (first, last) = (rows.first()?.step as f64, rows.last()?.step as f64);
    let mean_between = |from: f64, to: f64| {
        let values: Vec<f64> =
            series.iter().filter(|(step, _)| *step as f64 > from && *step as f64 <= to).map(|(_, value)| *value).collect();
        (!values.is_empty()).then(|| mean(&values))
    };
    let above_step = last - END * (last - first);
    // A log of a single step is its own end.
    let end = if last > first { mean_between(above_step, last) } else { series.last().map(|(_, value)| *value) }?;
    let previous_mean = mean_between(above_step - END * (last - first), above_step);
    let relative_change = previous_mean.filter(|previous| *previous != 0.0).map(|previous| (end - previous) / previous.abs());
    Some(EndOfColumn { above_step, mean: end, previous_mean, relative_change })
}

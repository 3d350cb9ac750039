//! Figure 5: a run at a glance, in six panels.

use super::analysis::WITH_ADVERSARY;
use super::figures::Subject;
use super::statistics::histogram;
use crate::chart::{Axis, COLORS, Canvas, ChartFrame, GRID, INK, Rect, TextSide, duration, number, picture, thousands};
use anyhow::Result;

const WIDTH: f64 = 1800.0;
const HEIGHT: f64 = 1120.0;
const CELLS: (usize, usize) = (3, 2);
const ROW: f64 = 34.0;
const TEXT: f64 = 16.0;
/// Rows that a table of a panel has room for.
const ROWS: usize = 9;

pub fn dashboard(subject: Subject) -> Result<Vec<u8>> {
    picture(WIDTH as u32, HEIGHT as u32, |canvas| {
        canvas.bold_text("Figure 5. The run at a glance", (24.0, 30.0), 26.0, TextSide::Left)?;
        let rect = |column, row| Rect::cell(WIDTH, HEIGHT, CELLS, (column, row));
        progress(subject, canvas, rect(0, 0))?;
        final_metrics(subject, canvas, rect(1, 0))?;
        loss_distribution(subject, canvas, rect(2, 0))?;
        phase_durations(subject, canvas, rect(0, 1))?;
        convergence(subject, canvas, rect(1, 1))?;
        statistics(subject, canvas, rect(2, 1))
    })
}

/// Steps over the hours since the first record, pauses and all.
fn progress(subject: Subject, canvas: &Canvas, rect: Rect) -> Result<()> {
    let rows = &subject.table.steps;
    let timed: Vec<_> = rows.iter().filter_map(|row| Some((row.datetime?, row.step, row.stretch))).collect();
    let title = "Progress";
    let (Some((begun, ..)), Some(time)) = (timed.first(), &subject.analysis.time) else {
        return note(canvas, rect, title, "The log has no times of day.");
    };
    let hours =
        |(datetime, step, _): &(jiff::civil::DateTime, u64, usize)| (datetime.duration_since(*begun).as_secs_f64() / 3600.0, *step as f64);
    let most = timed.iter().map(|row| hours(row).0).fold(0.0, f64::max);
    let steps = &subject.analysis.steps;
    let frame = ChartFrame { rect, x: Axis::linear(0.0, most), y: Axis::linear(steps.first as f64, steps.last as f64) };
    frame.draw(canvas, title, "hours since the first record", "step")?;
    for unbroken in timed.chunk_by(|a, b| a.2 == b.2 && !subject.analysis.is_broken(a.1, b.1)) {
        let points: Vec<_> = unbroken.iter().map(hours).map(|(x, y)| frame.at(x, y)).collect();
        canvas.line(&points, COLORS[0], 2.5)?;
    }
    let (x, y) = (rect.left + 14.0, rect.top + 16.0);
    canvas.text(&format!("{} steps/s", number(time.steps_per_second)), (x, y), TEXT, TextSide::Left, INK)?;
    canvas.text(&format!("{} of training", duration(time.training_s)), (x, y + 24.0), TEXT, TextSide::Left, INK)?;
    canvas.text(
        &format!("pauses: {}, resumptions: {}", time.pauses.len(), subject.table.resumptions.len()),
        (x, y + 48.0),
        TEXT,
        TextSide::Left,
        INK,
    )
}

fn final_metrics(subject: Subject, canvas: &Canvas, rect: Rect) -> Result<()> {
    let names = subject.columns(&super::log_table::KNOWN, ROWS);
    let rows = names.iter().filter_map(|name| {
        let end = subject.analysis.ends.get(*name)?;
        let change = end.relative_change.map_or(String::from("\u{2013}"), |change| format!("{:+.1} %", 100.0 * change));
        Some(vec![(*name).to_owned(), number(end.mean), change])
    });
    table(canvas, rect, "Final metrics", &["mean of the last tenth", "mean", "change"], rows.collect())
}

/// How often the principal loss had which value, in each phase.
fn loss_distribution(subject: Subject, canvas: &Canvas, rect: Rect) -> Result<()> {
    const BINS: usize = 40;
    let name = subject.principal();
    let series = subject.table.series(name);
    let (axis, outside) = Axis::fit(&series.iter().map(|(_, value)| *value).collect::<Vec<_>>());
    let phases = &subject.analysis.phases;
    let counts: Vec<Vec<usize>> = phases
        .iter()
        .map(|phase| {
            let within = series.iter().filter(|(step, _)| (phase.first_step..=phase.last_step).contains(step));
            histogram(&within.map(|(_, value)| axis.place(*value)).collect::<Vec<_>>(), 0.0, 1.0, BINS)
        })
        .collect();
    let most = counts.iter().flatten().max().copied().unwrap_or(1);
    let frame = ChartFrame { rect, x: axis, y: Axis::linear(0.0, most as f64 * 1.08) };
    frame.draw(canvas, "Loss distribution", name, "rows")?;
    let width = (rect.right - rect.left) / BINS as f64;
    for (phase, counts) in phases.iter().zip(&counts) {
        let color = COLORS[usize::from(phase.name == WITH_ADVERSARY)];
        for (bin, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            let left = rect.left + bin as f64 * width;
            let (_, top) = frame.at(axis.low, *count as f64);
            canvas.rectangle((left, top), (left + width - 1.0, rect.bottom), color, 0.6)?;
        }
    }
    for (i, phase) in phases.iter().take(2).enumerate().filter(|_| phases.len() > 1) {
        let color = COLORS[usize::from(phase.name == WITH_ADVERSARY)];
        canvas.text(phase.name, (rect.right - 6.0, rect.top + 14.0 + 24.0 * i as f64), TEXT, TextSide::Right, color)?;
    }
    match outside {
        0 => Ok(()),
        _ => canvas.text(
            &format!("{outside} values outside, in the last bars"),
            (rect.right - 6.0, rect.top + 66.0),
            TEXT,
            TextSide::Right,
            INK,
        ),
    }
}

fn phase_durations(subject: Subject, canvas: &Canvas, rect: Rect) -> Result<()> {
    let phases = &subject.analysis.phases;
    let timed = phases.iter().all(|phase| phase.training_s.is_some());
    let length = |i: usize| match phases[i].training_s.filter(|_| timed) {
        Some(seconds) => seconds / 3600.0,
        None => (phases[i].last_step - phases[i].first_step) as f64,
    };
    let most = (0..phases.len()).map(length).fold(0.0, f64::max);
    let frame = ChartFrame { rect, x: Axis::linear(0.0, most * 1.05), y: Axis::linear(0.0, 1.0) };
    let shown: Vec<usize> = (0..phases.len()).take(6).collect();
    for tick in frame.x.ticks(4) {
        let (x, _) = frame.at(tick, 0.0);
        canvas.line(&[(x, rect.top), (x, rect.bottom)], GRID, 1.0)?;
        canvas.text(&number(tick), (x, rect.bottom + 16.0), TEXT - 1.0, TextSide::Center, INK)?;
    }
    canvas.line(&[(rect.left, rect.top), (rect.left, rect.bottom), (rect.right, rect.bottom)], INK, 1.0)?;
    canvas.bold_text("Phase durations", (rect.left, rect.top - 18.0), 21.0, TextSide::Left)?;
    let label = if timed { "hours of training" } else { "steps" };
    canvas.text(label, ((rect.left + rect.right) / 2.0, rect.bottom + 42.0), 17.0, TextSide::Center, INK)?;
    let height = (rect.bottom - rect.top) / shown.len() as f64;
    for i in shown {
        let phase = &phases[i];
        let top = rect.top + i as f64 * height;
        let (x, _) = frame.at(length(i), 0.0);
        let color = COLORS[usize::from(phase.name == WITH_ADVERSARY)];
        canvas.rectangle((rect.left, top + 0.35 * height), (x, top + 0.85 * height), color, 0.75)?;
        let time = phase.training_s.map_or(String::new(), |seconds| format!(", {}", duration(seconds)));
        let text = format!("{}: steps {} to {}{time}", phase.name, thousands(phase.first_step), thousands(phase.last_step));
        canvas.text(&text, (rect.left + 8.0, top + 0.2 * height), TEXT, TextSide::Left, INK)?;
    }
    Ok(())
}

/// The principal loss, with the means of its last two tenths.
fn convergence(subject: Subject, canvas: &Canvas, rect: Rect) -> Result<()> {
    let name = subject.principal();
    let frame = subject.panel(canvas, rect, ("Convergence", name), name, COLORS[0])?;
    let Some(end) = subject.analysis.ends.get(name) else { return Ok(()) };
    let (last, above) = (subject.analysis.steps.last as f64, end.above_step);
    let level = |from: f64, to: f64, value: f64| canvas.line(&[frame.at(from, value), frame.at(to, value)], COLORS[1], 4.0);
    level(above, last, end.mean)?;
    if let Some(previous) = end.previous_mean {
        level(above - (last - above), above, previous)?;
    }
    let change = end.relative_change.map_or(String::from("unknown"), |change| format!("{:+.2} %", 100.0 * change));
    canvas.text(
        &format!("last tenth against the tenth before: {change}"),
        (rect.right - 6.0, rect.top + 14.0),
        TEXT,
        TextSide::Right,
        COLORS[1],
    )
}

fn statistics(subject: Subject, canvas: &Canvas, rect: Rect) -> Result<()> {
    let names = subject.columns(&super::log_table::KNOWN, ROWS);
    let rows = names.iter().map(|name| {
        let s = &subject.analysis.columns[*name];
        vec![(*name).to_owned(), number(s.mean), number(s.standard_deviation), number(s.median)]
    });
    table(canvas, rect, "Statistics", &["over all steps", "mean", "deviation", "median"], rows.collect())
}

/// Rows of cells, the first of each at the left and the others right-aligned.
fn table(canvas: &Canvas, rect: Rect, title: &str, head: &[&str], rows: Vec<Vec<String>>) -> Result<()> {
    const NUMBER_WIDTH: f64 = 106.0;
    // The room of the vertical axis' labels, which a table has none of.
    let left = rect.left - 60.0;
    canvas.bold_text(title, (left, rect.top - 18.0), 21.0, TextSide::Left)?;
    let head = head.iter().map(|text| (*text).to_owned()).collect();
    for (i, cells) in std::iter::once(&head).chain(&rows).enumerate() {
        let y = rect.top + 16.0 + ROW * i as f64;
        for (column, cell) in cells.iter().enumerate() {
            match column {
                0 => canvas.text(cell, (left, y), TEXT, TextSide::Left, INK)?,
                _ => canvas.text(cell, (rect.right - NUMBER_WIDTH * (cells.len() - 1 - column) as f64, y), TEXT, TextSide::Right, INK)?,
            }
        }
        canvas.line(&[(left, y + ROW / 2.0), (rect.right, y + ROW / 2.0)], if i == 0 { INK } else { GRID }, 1.0)?;
    }
    Ok(())
}

fn note(canvas: &Canvas, rect: Rect, title: &str, text: &str) -> Result<()> {
    canvas.bold_text(title, (rect.left, rect.top - 18.0), 21.0, TextSide::Left)?;
    canvas.text(text, ((rect.left + rect.right) / 2.0, (rect.top + rect.bottom) / 2.0), TEXT, TextSide::Center, INK)
}

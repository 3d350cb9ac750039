//! Figures 1 to 4: the phases, the components of the loss, three of them on axes of their own, and all of them on one scale.
//!
//! A curve is the mean over two hundredths of the log's steps, and behind it, pale, the range of the values. It breaks where the log
//! has a gap, which is gray. Figures show the public code's columns where the log has them, else the columns it has.

use super::analysis::{TRAINING, TrainingAnalysis, WITH_ADVERSARY};
use super::log_table::LogTable;
use crate::chart::{Axis, COLORS, Canvas, ChartFrame, CurveBin, INK, Rect, Rgb, TREND, TextSide, number, picture, pieces, thousands};
use anyhow::Result;

const WIDTH: f64 = 1600.0;
const PHASE_COLORS: [Rgb; 2] = [Rgb(86, 180, 233), Rgb(230, 159, 0)];
const PHASE_OPACITY: f64 = 0.13;
const GAP_COLOR: Rgb = Rgb(150, 150, 150);
const STEP: &str = "step";

/// A log and what is known of it.
#[derive(Clone, Copy)]
pub struct Subject<'a> {
    pub table: &'a LogTable,
    pub analysis: &'a TrainingAnalysis,
}

impl<'a> Subject<'a> {
    /// The first `count` of the preferred columns that hold numbers, then of the others, without those of the machine.
    pub fn columns(self, preferred: &[&str], count: usize) -> Vec<&'a str> {
        let there: Vec<&str> = self.table.columns.iter().map(String::as_str).filter(|name| self.is_shown(name)).collect();
        let first = there.iter().copied().filter(|name| preferred.contains(name));
        let mut first: Vec<&str> = first.collect();
        first.sort_by_key(|name| preferred.iter().position(|preferred| preferred == name));
        let others: Vec<&str> = there.iter().copied().filter(|name| !first.contains(name) && *name != "train/disc_factor").collect();
        first.into_iter().chain(others).take(count).collect()
    }

    /// The column that says how good the run is: the reconstruction's loss, else the first.
    pub fn principal(self) -> &'a str {
        self.columns(&["train/rec_loss", "train/total_loss"], 1).first().copied().unwrap_or_default()
    }

    fn is_shown(self, name: &str) -> bool {
        !name.starts_with("system/") && self.analysis.columns.contains_key(name)
    }

    /// A frame for these columns over all steps, and how many values it leaves out.
    fn frame(self, rect: Rect, names: &[&str]) -> (ChartFrame, usize) {
        let values: Vec<f64> = names.iter().flat_map(|name| self.table.series(name)).map(|(_, value)| value).collect();
        let (y, outside) = Axis::fit(&values);
        (ChartFrame { rect, x: self.steps(), y }, outside)
    }

    fn steps(self) -> Axis {
        Axis::linear(self.analysis.steps.first as f64, self.analysis.steps.last as f64)
    }

    fn curve(self, canvas: &Canvas, frame: &ChartFrame, name: &str, color: Rgb) -> Result<()> {
        frame.curve(canvas, &self.pieces(&self.table.series(name)), color)
    }

    /// A series' pieces between gaps and phases: no mean is over two phases.
    fn pieces(self, series: &[(u64, f64)]) -> Vec<Vec<CurveBin>> {
        let begins = |from: u64, to: u64| self.analysis.phases.iter().any(|phase| (from + 1..=to).contains(&phase.first_step));
        pieces(series, |from, to| self.analysis.is_broken(from, to) || begins(from, to))
    }

    /// A column in a frame of its own, with the log's gaps and the adversary's begin.
    pub fn panel(self, canvas: &Canvas, rect: Rect, (title, label): (&str, &str), name: &str, color: Rgb) -> Result<ChartFrame> {
        let (frame, outside) = self.frame(rect, &[name]);
        self.gaps(canvas, &frame)?;
        frame.draw(canvas, title, STEP, label)?;
        self.curve(canvas, &frame, name, color)?;
        if let Some(transition) = self.analysis.transition() {
            frame.mark(canvas, transition as f64, "", INK)?;
        }
        if outside > 0 {
            frame.remark(canvas, &format!("{} values lie outside, at the edge", thousands(outside as u64)))?;
        }
        Ok(frame)
    }

    /// Gray where the log has no record, and a short line from below where the run was resumed.
    fn gaps(self, canvas: &Canvas, frame: &ChartFrame) -> Result<()> {
        for gap in &self.analysis.gaps {
            frame.shade(canvas, gap.after_step as f64, gap.next_step as f64, GAP_COLOR, 0.25)?;
        }
        for resumption in &self.analysis.resumptions {
            let (x, _) = frame.at(resumption.resumed_at_step as f64, frame.y.low);
            canvas.line(&[(x, frame.rect.bottom), (x, frame.rect.bottom - 14.0)], COLORS[3], 3.0)?;
        }
        Ok(())
    }

    /// The figure's title and what its marks mean; `ranges` where the range of the values is drawn behind their mean.
    fn head(self, canvas: &Canvas, title: &str, ranges: bool) -> Result<()> {
        canvas.bold_text(title, (24.0, 30.0), 26.0, TextSide::Left)?;
        let mut key = format!("line: mean over {} % of the steps", number(TREND * 100.0));
        if ranges {
            key += "; pale: range of the values";
        }
        if !self.analysis.gaps.is_empty() {
            key += "; gray: no record";
        }
        if !self.analysis.resumptions.is_empty() {
            key += "; tick from below: run resumed";
        }
        canvas.text(&key, (WIDTH - 24.0, 30.0), 16.0, TextSide::Right, INK)
    }
}

/// Figure 1: the loss over the run's phases.
pub fn phases(subject: Subject) -> Result<Vec<u8>> {
    const HEIGHT: f64 = 1000.0;
    let names = subject.columns(&["train/total_loss", "train/rec_loss"], 2);
    picture(WIDTH as u32, HEIGHT as u32, |canvas| {
        subject.head(canvas, "Figure 1. Phases of the training", true)?;
        for (row, name) in names.iter().enumerate() {
            let (frame, outside) = subject.frame(Rect::cell(WIDTH, HEIGHT, (1, names.len()), (0, row)), &[name]);
            for phase in &subject.analysis.phases {
                let color = PHASE_COLORS[usize::from(phase.name == WITH_ADVERSARY)];
                // Up to the step before, so that the phases meet.
                let from = subject.analysis.phases.iter().take_while(|earlier| earlier.first_step < phase.first_step).last();
                let from = from.map_or(phase.first_step, |earlier| earlier.last_step);
                frame.shade(canvas, from as f64, phase.last_step as f64, color, PHASE_OPACITY)?;
                // Right of the column's name.
                const NAME_WIDTH: f64 = 340.0;
                let (x, _) = frame.at((from + phase.last_step) as f64 / 2.0, frame.y.low);
                let x = x.max(frame.rect.left + NAME_WIDTH);
                let label =
                    if phase.name == TRAINING { String::new() } else { format!("{} ({} rows)", phase.name, thousands(phase.rows as u64)) };
                canvas.text(&label, (x, frame.rect.top - 14.0), 16.0, TextSide::Center, INK)?;
            }
            subject.gaps(canvas, &frame)?;
            frame.draw(canvas, name, STEP, "")?;
            subject.curve(canvas, &frame, name, COLORS[row])?;
            if let Some(transition) = subject.analysis.transition() {
                frame.mark(canvas, transition as f64, &format!("adversary from step {}", thousands(transition)), INK)?;
            }
            if outside > 0 {
                frame.remark(canvas, &format!("{} values lie outside, at the edge", thousands(outside as u64)))?;
            }
        }
        Ok(())
    })
}

/// Figure 2: four components of the loss.
pub fn components(subject: Subject) -> Result<Vec<u8>> {
    const HEIGHT: f64 = 1000.0;
    let names = subject.columns(&["train/rec_loss", "train/kl_loss", "train/nll_loss", "train/g_loss"], 4);
    picture(WIDTH as u32, HEIGHT as u32, |canvas| {
        subject.head(canvas, "Figure 2. Components of the loss", true)?;
        for (i, name) in names.iter().enumerate() {
            subject.panel(canvas, Rect::cell(WIDTH, HEIGHT, (2, 2), (i % 2, i / 2)), (name, ""), name, COLORS[i])?;
        }
        Ok(())
    })
}

/// Figure 3: three columns over the same steps, each on an axis of its own.
pub fn three_axes(subject: Subject) -> Result<Vec<u8>> {
    const HEIGHT: f64 = 800.0;
    /// Between the two axes at the right.
    const APART: f64 = 120.0;
    let names = subject.columns(&["train/total_loss", "train/rec_loss", "train/kl_loss"], 3);
    picture(WIDTH as u32, HEIGHT as u32, |canvas| {
        subject.head(canvas, "Figure 3. Three losses, each on its own axis", true)?;
        let rect = Rect { left: 110.0, top: 110.0, right: WIDTH - 250.0, bottom: HEIGHT - 80.0 };
        let frames: Vec<ChartFrame> = names.iter().map(|name| subject.frame(rect, &[name]).0).collect();
        let Some(first) = frames.first() else { return Ok(()) };
        subject.gaps(canvas, first)?;
        first.draw(canvas, "", STEP, names[0])?;
        for (i, (name, frame)) in names.iter().zip(&frames).enumerate() {
            if i > 0 {
                frame.right_axis(canvas, &frame.y, APART * (i - 1) as f64, name, COLORS[i])?;
            }
            subject.curve(canvas, frame, name, COLORS[i])?;
            legend(canvas, (rect.left + 10.0 + 320.0 * i as f64, rect.top - 22.0), name, COLORS[i])?;
        }
        match subject.analysis.transition() {
            Some(transition) => first.mark(canvas, transition as f64, "adversary", INK),
            None => Ok(()),
        }
    })
}

/// Figure 4: every column from its smallest value (0) to its largest (1).
pub fn normalised(subject: Subject) -> Result<Vec<u8>> {
    const HEIGHT: f64 = 800.0;
    let names = subject.columns(&super::log_table::KNOWN, COLORS.len());
    picture(WIDTH as u32, HEIGHT as u32, |canvas| {
        subject.head(canvas, "Figure 4. All components, normalised to [0, 1]", false)?;
        let rect = Rect { left: 110.0, top: 90.0, right: WIDTH - 470.0, bottom: HEIGHT - 80.0 };
        let frame = ChartFrame { rect, x: subject.steps(), y: Axis::linear(-0.03, 1.08) };
        subject.gaps(canvas, &frame)?;
        frame.draw(canvas, "", STEP, "share of the range")?;
        for (i, name) in names.iter().enumerate() {
            let (low, high) = (subject.analysis.columns[*name].min, subject.analysis.columns[*name].max);
            let text = if low == high {
                format!("{name}: always {}", number(low))
            } else {
                let share = |(step, value): (u64, f64)| (step, (value - low) / (high - low));
                let series: Vec<(u64, f64)> = subject.table.series(name).into_iter().map(share).collect();
                let mut curve = subject.pieces(&series);
                // Eight ranges over each other would hide the trends.
                curve.iter_mut().flatten().for_each(|bin| (bin.low, bin.high) = (bin.trend, bin.trend));
                frame.curve(canvas, &curve, COLORS[i])?;
                format!("{name}: {} to {}", number(low), number(high))
            };
            legend(canvas, (rect.right + 24.0, rect.top + 20.0 + 36.0 * i as f64), &text, COLORS[i])?;
        }
        match subject.analysis.transition() {
            Some(transition) => frame.mark(canvas, transition as f64, "adversary", INK),
            None => Ok(()),
        }
    })
}

/// A short line and what it stands for.
fn legend(canvas: &Canvas, (x, y): (f64, f64), text: &str, color: Rgb) -> Result<()> {
    canvas.line(&[(x, y), (x + 28.0, y)], color, 4.0)?;
    canvas.text(text, (x + 38.0, y), 17.0, TextSide::Left, INK)
}

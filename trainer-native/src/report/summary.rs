//! `training_summary.txt`: the analysis as a page of text.

use super::analysis::{TrainingAnalysis, WITH_ADVERSARY};
use crate::chart::{duration, number, thousands};
use std::fmt::Write as _;

/// How many gaps, pauses and resumptions are listed one by one.
const LISTED: usize = 10;

/// The text.
pub fn summary(analysis: &TrainingAnalysis) -> String {
    let mut text = format!("Training summary of {}\n\n", analysis.source);
    for section in [rows(analysis), interruptions(analysis), time(analysis), phases(analysis), columns(analysis), remarks(analysis)] {
        text += &section;
    }
    text
}

// Writing to a string cannot fail, here and below.
fn rows(analysis: &TrainingAnalysis) -> String {
    let (rows, steps) = (&analysis.rows, &analysis.steps);
    let mut text =
        format!("Steps {} to {}, one record every {} steps.\n", thousands(steps.first), thousands(steps.last), number(steps.interval));
    let _ = write!(text, "{} rows read, {} kept", thousands(rows.read as u64), thousands(rows.kept as u64));
    let others = [
        (rows.superseded, "superseded by a resumed stretch"),
        (rows.merged, "merged with a row of the same step"),
        (rows.unreadable, "unreadable"),
    ];
    for (count, what) in others.into_iter().filter(|(count, _)| *count > 0) {
        let _ = write!(text, ", {count} {what}");
    }
    text + ".\n\n"
}

fn interruptions(analysis: &TrainingAnalysis) -> String {
    let resumptions = analysis.resumptions.iter().map(|r| {
        format!(
            "went back from step {} to {} ({} rows superseded)",
            thousands(r.reached_step),
            thousands(r.resumed_at_step),
            r.superseded_rows
        )
    });
    let gaps = analysis.gaps.iter().map(|gap| {
        format!(
            "no record between steps {} and {} ({} rows missing)",
            thousands(gap.after_step),
            thousands(gap.next_step),
            gap.missing_rows
        )
    });
    list("Resumptions", resumptions.collect()) + &list("Gaps", gaps.collect())
}

fn list(title: &str, lines: Vec<String>) -> String {
    let mut text = format!("{title}: {}\n", if lines.is_empty() { String::from("none") } else { lines.len().to_string() });
    for line in lines.iter().take(LISTED) {
        let _ = writeln!(text, "  {line}");
    }
    if lines.len() > LISTED {
        let _ = writeln!(text, "  and {} more, in training_analysis.json", lines.len() - LISTED);
    }
    text + "\n"
}

fn time(analysis: &TrainingAnalysis) -> String {
    let Some(time) = &analysis.time else { return String::from("The log has no times of day.\n\n") };
    let mut text =
        format!("From {} to {}: {} elapsed, {} of training", time.begun, time.ended, duration(time.elapsed_s), duration(time.training_s));
    let _ = writeln!(text, " at {} steps/s.", number(time.steps_per_second));
    let pauses = time
        .pauses
        .iter()
        .map(|p| format!("{} between steps {} and {}", duration(p.seconds), thousands(p.after_step), thousands(p.next_step)));
    text + &list("Pauses", pauses.collect())
}

fn phases(analysis: &TrainingAnalysis) -> String {
    let mut text = String::from("Phases\n");
    for phase in &analysis.phases {
        let time = phase.training_s.map_or(String::new(), |seconds| format!(", {} of training", duration(seconds)));
        let _ = writeln!(
            text,
            "  {}: steps {} to {}, {} rows{time}",
            phase.name,
            thousands(phase.first_step),
            thousands(phase.last_step),
            phase.rows
        );
        for (name, mean) in &phase.means {
            let _ = writeln!(text, "    {name:<24} mean {:>12}", number(*mean));
        }
    }
    if analysis.phases.iter().any(|phase| phase.name == WITH_ADVERSARY) {
        text +=
            "  With the adversary the total loss has a term whose weight changes from step to step. Compare the reconstruction's loss.\n";
    }
    text + "\n"
}

fn columns(analysis: &TrainingAnalysis) -> String {
    let head = ["values", "mean", "deviation", "min", "at step", "median", "max", "at step", "last tenth", "change"];
    let mut text = format!("{:<24}", "Columns");
    for name in head {
        let _ = write!(text, " {name:>11}");
    }
    text.push('\n');
    for (name, s) in &analysis.columns {
        let end = analysis.ends.get(name);
        let change = end.and_then(|end| end.relative_change).map_or(String::from("-"), |change| format!("{:+.2} %", 100.0 * change));
        let cells = [
            thousands(s.count as u64),
            number(s.mean),
            number(s.standard_deviation),
            number(s.min),
            thousands(s.min_step),
            number(s.median),
            number(s.max),
            thousands(s.max_step),
            end.map_or(String::from("-"), |end| number(end.mean)),
            change,
        ];
        let _ = write!(text, "{name:<24}");
        for cell in cells {
            let _ = write!(text, " {cell:>11}");
        }
        text.push('\n');
        for (count, what) in [(s.missing, "steps without a value"), (s.not_finite, "values that are not finite")] {
            if count > 0 {
                let _ = writeln!(text, "  {count} {what}");
            }
        }
    }
    text + "The change is of the mean over the last tenth of the steps against the tenth before.\n"
}

fn remarks(analysis: &TrainingAnalysis) -> String {
    analysis.remarks.iter().map(|remark| format!("\n{remark}\n")).collect()
}

//! `trainer report`: what a run's log says, as tables, figures and one page.
//!
//! In flows the folder of a run, or a CSV log of another program with the public code's columns. Out flow, for each log:
//! `training_data_parsed.csv` (the steps that count, [`log_table`]), `training_analysis.json` ([`analysis`]),
//! `training_summary.txt`, five figures as PNG and `report.html`, which holds all of them and the samples the run drew.

mod analysis;
mod dashboard;
mod figures;
mod gallery;
mod log_table;
mod page;
mod statistics;
mod summary;

pub use analysis::TrainingAnalysis;
pub use log_table::LogTable;

use crate::run_log::TABLE;
use anyhow::{Context, Result, bail};
use figures::Subject;
use radiodiff_dataset::files;
use std::path::{Path, PathBuf};

/// Analyse a run's log: tables, figures and a page
#[derive(clap::Args, Debug)]
pub struct Args {
    /// A run's folder; or a CSV log with columns step, train/total_loss, train/kl_loss, train/nll_loss, train/rec_loss,
    /// train/d_weight, train/disc_factor, train/g_loss, lr, datetime, of which some may be absent.
    run: PathBuf,
    /// Where the report goes; by default the folder `report` in the run's, or `NAME-report` beside NAME.csv.
    #[arg(long)]
    out: Option<PathBuf>,
}

/// Runs `trainer report`.
pub fn run(args: &Args) -> Result<()> {
    let logs = logs(&args.run)?;
    let out = match &args.out {
        Some(out) => out.clone(),
        None if args.run.is_dir() => args.run.join("report"),
        None => args.run.with_file_name(format!("{}-report", args.run.file_stem().unwrap_or_default().to_string_lossy())),
    };
    for (name, table) in &logs {
        let folder = name.as_ref().map_or(out.clone(), |name| out.join(name));
        write(table, &folder)?;
        println!("{}", folder.join("report.html").display());
    }
    Ok(())
}

/// The tables to report on, each with its network's name: those in the folders of a run, or the one file.
fn logs(run: &Path) -> Result<Vec<(Option<String>, PathBuf)>> {
    if !run.is_dir() {
        return Ok(vec![(None, run.to_owned())]);
    }
    let mut logs = Vec::new();
    for entry in std::fs::read_dir(run).with_context(|| format!("reading the run {}", run.display()))? {
        let entry = entry.with_context(|| format!("reading the run {}", run.display()))?;
        let table = entry.path().join(TABLE);
        if table.is_file() {
            logs.push((Some(entry.file_name().to_string_lossy().into_owned()), table));
        }
    }
    logs.sort();
    if logs.is_empty() {
        bail!("{} holds no log of a run: none of its folders has a {TABLE}", run.display());
    }
    Ok(logs)
}

/// Writes the report of one log.
pub fn write(log: &Path, folder: &Path) -> Result<()> {
    let table = LogTable::read(log)?;
    let analysis = TrainingAnalysis::of(&table, log.display().to_string());
    let subject = Subject { table: &table, analysis: &analysis };
    files::make_folder(folder)?;
    files::write(&folder.join("training_data_parsed.csv"), parsed_csv(&table)?.as_bytes())?;
    files::write(&folder.join("training_analysis.json"), &serde_json::to_vec_pretty(&analysis)?)?;
    let summary = summary::summary(&analysis);
    files::write(&folder.join("training_summary.txt"), summary.as_bytes())?;
    let figures = [
        ("figure1_phases.png", "Phases of the training", figures::phases(subject)?),
        ("figure2_loss_components.png", "Components of the loss", figures::components(subject)?),
        ("figure3_three_axes.png", "Three losses, each on its own axis", figures::three_axes(subject)?),
        ("figure4_normalised.png", "All components, normalised", figures::normalised(subject)?),
        ("figure5_dashboard.png", "The run at a glance", dashboard::dashboard(subject)?),
    ];
    for (name, _, png) in &figures {
        files::write(&folder.join(name), png)?;
    }
    let gallery = gallery::images(log.parent().unwrap_or(Path::new(".")))?;
    let captioned: Vec<(&str, Vec<u8>)> = figures.into_iter().map(|(_, caption, png)| (caption, png)).collect();
    let page = page::page(&format!("Training report: {}", log.display()), &summary, &captioned, &gallery);
    files::write(&folder.join("report.html"), page.as_bytes())
}

/// The steps that count, with the stretch that each is of; cells are empty where the log has no value.
fn parsed_csv(table: &LogTable) -> Result<String> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let leading = ["step", "datetime", "stretch"].map(str::to_owned);
    writer.write_record(leading.iter().chain(&table.columns))?;
    for row in &table.steps {
        let leading = [row.step.to_string(), row.datetime.map_or(String::new(), |time| time.to_string()), row.stretch.to_string()];
        let values = row.values.iter().map(|value| value.map_or(String::new(), |value| format!("{value:?}")));
        writer.write_record(leading.into_iter().chain(values))?;
    }
    Ok(String::from_utf8(writer.into_inner().context("writing a table")?)?)
}

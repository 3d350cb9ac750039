//! `radiodiff batch`: many maps, one a line of a list.
//!
//! In flow a list of jobs ([`jobs`]), whose fields are the options of `radiodiff predict`, and defaults for the fields that a job
//! leaves out. Jobs are drawn on all cores, and scenes are prepared once for the jobs that share them. A job whose files are there is
//! done, so that an interrupted run goes on. Started as one of several ranks ([`RankShare`]), a run draws its share of the jobs.

mod jobs;

use crate::drawing::{MapSource, SceneCache};
use crate::predict;
use anyhow::{Context, Result, bail};
use jobs::{BatchJob, JobFields};
use radiodiff_dataset::share::RankShare;
use radiodiff_dataset::{files, progress};
use rayon::prelude::*;
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// Failures shown again at the end.
const SHOWN_FAILURES: usize = 20;

/// Draw many maps, one for each line of a list
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Jobs: CSV with a header, or JSON (an array of objects, or an object a line). Fields are named as the options of `predict`, also
    /// with underscores: scene, tx, out, quantity, ... `id` names a job, and {id} stands for it in file names; lng, lat and dbm together
    /// are a tx; in CSV `;` separates several
    jobs: PathBuf,
    /// Draw again what is there
    #[arg(long)]
    again: bool,
    /// Threads [default: all cores]
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
    /// Options of `predict` for the jobs that do not have them: -- --scene city.geojson --out maps/{id}.tif
    #[arg(last = true, value_name = "PREDICT OPTIONS")]
    defaults: Vec<String>,
}

/// A job that has been checked.
struct CheckedJob {
    id: String,
    args: predict::Args,
}

/// Runs the command.
///
/// # Errors
/// A list that cannot be read, or with a job that cannot be; at the end, when some maps could not be made.
pub fn run(args: &Args) -> Result<()> {
    let share = RankShare::from_environment()?;
    let shown = args.jobs.display();
    let text = files::read_text(&args.jobs)?;
    let defaults = JobFields::from_options(&args.defaults).context("the options after --")?;
    let jobs = jobs::read(&text).with_context(|| format!("the jobs {shown}"))?;
    // All jobs are checked before the first is drawn: a slip in the last line shows now, and on every rank.
    let jobs: Vec<CheckedJob> = jobs.iter().map(|job| checked(job, &defaults)).collect::<Result<_>>().with_context(|| shown.to_string())?;
    distinct_files(&jobs)?;
    let total = jobs.len();
    let (done, open): (Vec<&CheckedJob>, Vec<&CheckedJob>) = share.of(&jobs).partition(|job| !args.again && is_done(job));
    let (rank, world) = (share.rank(), share.world());
    writable_folders(&open)?;
    eprintln!("rank {rank} of {world}: {} of {total} jobs, {} of them done", done.len() + open.len(), done.len());
    let pool = rayon::ThreadPoolBuilder::new().num_threads(args.threads.unwrap_or(0)).build().context("starting threads")?;
    let failures = pool.install(|| draw_all(&open))?;
    if failures.is_empty() {
        return Ok(());
    }
    failures.iter().take(SHOWN_FAILURES).for_each(|failure| eprintln!("failed: {failure}"));
    bail!("{} of {} jobs failed", failures.len(), open.len())
}

fn checked(job: &BatchJob, defaults: &JobFields) -> Result<CheckedJob> {
    let args = job.args(defaults).with_context(|| format!("job {}", job.id))?;
    Ok(CheckedJob { id: job.id.clone(), args })
}

/// # Errors
/// Two jobs that write the same file.
fn distinct_files(jobs: &[CheckedJob]) -> Result<()> {
    let mut writer = HashMap::new();
    for (number, job) in jobs.iter().enumerate() {
        for path in predict::written_files(&job.args) {
            let shown = path.display().to_string();
            // A job may name a file twice; jobs may have the same id.
            match writer.insert(path, number).map(|other| (other, &jobs[other].id)) {
                Some((_, other)) if *other != job.id => {
                    bail!("the jobs {other} and {} both write {shown}; put {{id}} into the name", job.id)
                }
                Some((other, id)) if other != number => bail!("two jobs have the id {id} and write {shown}; give each an id of its own"),
                _ => {}
            }
        }
    }
    Ok(())
}

/// # Errors
/// A folder that cannot be written to, by the first job that writes into it.
fn writable_folders(jobs: &[&CheckedJob]) -> Result<()> {
    let mut seen = HashSet::new();
    for job in jobs {
        for path in predict::written_files(&job.args) {
            if seen.insert(path.parent().map(Path::to_owned)) {
                files::check_place(&path).with_context(|| format!("job {}", job.id))?;
            }
        }
    }
    Ok(())
}

/// A file is written whole or not at all, so what is there is done.
fn is_done(job: &CheckedJob) -> bool {
    predict::written_files(&job.args).iter().all(|path| path.is_file())
}

/// Draws the jobs on all threads of the pool; returns what failed.
fn draw_all(jobs: &[&CheckedJob]) -> Result<Vec<String>> {
    let (bar, scenes, failures) = (progress::bar(jobs.len() as u64, "maps")?, SceneCache::default(), Mutex::new(Vec::new()));
    jobs.par_iter().for_each_init(
        || None,
        |kept, job| {
            let drawn = source_for(kept, job).and_then(|source| predict::draw(&job.args, source, &scenes));
            bar.suspend(|| match &drawn {
                Ok(report) => {
                    report.warnings.iter().for_each(|warning| eprintln!("{}: warning: {warning}", job.id));
                    report.lines.iter().for_each(|line| println!("{}: {line}", job.id));
                }
                Err(error) => eprintln!("{}: error: {error:#}", job.id),
            });
            if let Err(error) = drawn {
                failures.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).push(format!("{}: {error:#}", job.id));
            }
            bar.inc(1);
        },
    );
    bar.finish_and_clear();
    Ok(failures.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner()))
}

/// A thread's source and what it was made of: weights are read once a thread, not once a map.
type KeptSource = Option<(String, MapSource)>;

/// The thread's source, a new one where the job asks for another.
fn source_for<'a>(kept: &'a mut KeptSource, job: &CheckedJob) -> Result<&'a MapSource> {
    let key = format!("{:?}", job.args.source);
    if kept.as_ref().is_none_or(|(known, _)| *known != key) {
        *kept = Some((key, MapSource::new(&job.args.source)?));
    }
    kept.as_ref().map(|(_, source)| source).context("there is a source")
}

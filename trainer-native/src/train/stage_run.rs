//! The files of a stage's run: its resolved configuration, its log, its checkpoints; and where a resumed run goes on.
//!
//! Where several processes train together, process 0 has the files, and the others are told by it where the run is.
//!
//! The run's folder has `config-<network>.toml` and a folder `<network>` with the log, `checkpoints` and `sessions.toml`, one
//! entry for each time the run was begun or gone on with.

use super::guard::StepGuard;
use super::stop::StopFlag;
use super::transfer::{difference, flattened};
use super::trouble::TroubleWatch;
use crate::checkpoint::{Store, Stored};
use crate::config::Config;
use crate::data::StreamPosition;
use crate::parallel::ProcessGroup;
use crate::run_log::{GrayGrid, RunLog};
use anyhow::{Context, Result, bail, ensure};
use radiodiff_core::model::Preset;
use radiodiff_dataset::files;
use serde::{Deserialize, Serialize};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use tch::Tensor;

/// How a stage is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunMode {
    /// From its first step.
    Begin,
    /// From its newest checkpoint, or its first step where there is none.
    Resume,
    /// One step of each phase, and no files.
    Dry,
}

/// Where a phase of training is.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Progress {
    pub phase: String,
    /// Steps of the phase that are done.
    pub step: usize,
    /// Steps of the stage that are done, those of earlier phases included: the log's and the checkpoints' numbers.
    pub stage_step: u64,
    /// Where the next batch begins; `None` before the first.
    pub data: Option<StreamPosition>,
    /// Running mean of the loss.
    pub smoothed_loss: Option<f64>,
    pub guard: StepGuard,
    /// Of the adversary's steps.
    pub adversary_guard: StepGuard,
    pub trouble: TroubleWatch,
}

impl Progress {
    /// Of a phase that begins after `done` steps of the stage.
    fn start(phase: &str, done: u64) -> Self {
        let (guard, adversary_guard, trouble) = (StepGuard::default(), StepGuard::default(), TroubleWatch::default());
        let phase = phase.to_owned();
        Self { phase, step: 0, stage_step: done, data: None, smoothed_loss: None, guard, adversary_guard, trouble }
    }
}

/// What a checkpoint says beside its tensors.
#[derive(Deserialize, Serialize)]
struct RunState {
    /// The resolved configuration, as TOML.
    config: String,
    progress: Progress,
}

/// See the module.
pub struct StageRun {
    pub network: &'static str,
    pub stop: StopFlag,
    group: Rc<ProcessGroup>,
    /// Of process 0.
    files: Option<RunFiles>,
    every: usize,
    /// Steps of the stage in the phases so far.
    done: u64,
}

/// What process 0 has on the disk.
struct RunFiles {
    log: RunLog,
    checkpoints: Store,
    /// The newest checkpoint's step.
    saved: Option<u64>,
    config: String,
    /// Taken by the phase it is of.
    resumed: Option<Stored<RunState>>,
}

impl StageRun {
    /// Begins the run of a stage, or goes on from its newest whole checkpoint; `None` for a dry run, which has no files.
    ///
    /// # Errors
    /// Checkpoints are there and the run is to begin; they are of another preset, seed or dataset; none of them is whole.
    pub fn open(network: &'static str, config: &Config, folder: &Path, mode: RunMode, group: &Rc<ProcessGroup>) -> Result<Option<Self>> {
        if mode == RunMode::Dry {
            return Ok(None);
        }
        let stop = StopFlag::install()?;
        let files = group.leads().then(|| RunFiles::open(network, config, folder, mode == RunMode::Resume)).transpose()?;
        Ok(Some(Self { network, stop, group: Rc::clone(group), files, every: config.checkpoints.every, done: 0 }))
    }

    /// Whether the networks come from a checkpoint.
    pub fn resumes(&self) -> bool {
        self.files.as_ref().is_some_and(|files| files.resumed.is_some())
    }

    /// Where the phase begins, or goes on with the tensors of a checkpoint, which process 0 is given; `None` where all of it was done
    /// before.
    pub fn enter(&mut self, phase: &str) -> Result<Option<(Progress, Option<PhaseTensors>)>> {
        let progress = self.group.text_of_leader(|| {
            let progress = self.files.as_ref().and_then(|files| files.progress(phase, self.done));
            Ok(serde_json::to_string(&progress)?)
        })?;
        let Some(progress) = serde_json::from_str::<Option<Progress>>(&progress)? else { return Ok(None) };
        let resumed = self.files.as_mut().and_then(|files| files.resumed.take());
        Ok(Some((progress, resumed.map(PhaseTensors))))
    }

    /// Notes how far the stage is when a phase ends.
    pub fn leave(&mut self, progress: &Progress) {
        self.done = progress.stage_step;
    }

    /// Checks after the last phase that no phase was left out.
    pub fn finish(&self) -> Result<()> {
        match self.files.as_ref().and_then(|files| files.resumed.as_ref()) {
            None => Ok(()),
            Some(stored) => {
                bail!("{} is of a phase {:?} that this run does not have", stored.folder.display(), stored.state.progress.phase)
            }
        }
    }

    /// Logs a step's scalars; see [`RunLog::scalars`].
    pub fn scalars(&mut self, stage_step: u64, values: &[(&str, f64)]) -> Result<()> {
        self.files.as_mut().map_or(Ok(()), |files| files.log.scalars(stage_step, values))
    }

    /// Logs a grid of maps; see [`RunLog::images`].
    pub fn images(&mut self, stage_step: u64, name: &str, grid: &GrayGrid) -> Result<()> {
        self.files.as_mut().map_or(Ok(()), |files| files.log.images(stage_step, name, grid))
    }

    /// Whether a checkpoint is due after this many steps of the stage.
    pub fn checkpoint_due(&self, stage_step: u64) -> bool {
        stage_step.is_multiple_of(self.every as u64)
    }

    /// Has process 0 write a checkpoint, and waits for it; its place.
    ///
    /// # Errors
    /// A full disk, for one. The checkpoints before it are whole then.
    pub fn checkpoint(&mut self, progress: &Progress, parts: &[(&str, Vec<(String, Tensor)>)]) -> Result<PathBuf> {
        let written = self.files.as_mut().map(|files| files.checkpoint(progress, parts)).transpose();
        // All end together, and none before the checkpoint is whole: a launcher may kill all processes when one has ended.
        let failed = self.group.any(written.is_err())?;
        let place = written.with_context(|| self.what_remains(progress.stage_step))?;
        ensure!(!failed, "process 0 could not write the checkpoint of step {}; its output says why", progress.stage_step);
        Ok(place.unwrap_or_else(|| PathBuf::from("the checkpoint of process 0")))
    }

    /// For a run that ends: what can be gone on from.
    pub fn what_remains(&self, step: u64) -> String {
        match self.files.as_ref().and_then(|files| files.saved) {
            Some(saved) => format!("the run ends after step {step}; its checkpoint of step {saved} is whole, and --resume goes on from it"),
            None => format!("the run ends after step {step}, before its first checkpoint"),
        }
    }
}

impl RunFiles {
    fn open(network: &'static str, config: &Config, folder: &Path, resume: bool) -> Result<Self> {
        let own = folder.join(network);
        let checkpoints = Store::open(&own.join("checkpoints"), config.checkpoints)?;
        if !resume && let Some(step) = checkpoints.steps()?.last() {
            bail!(
                "{} holds a run of the {network} at step {step}. Add --resume to go on with it, choose another --out, or delete that folder",
                own.display()
            );
        }
        let latest = checkpoints.latest::<RunState>()?;
        for refusal in &latest.refused {
            eprintln!("warning: a checkpoint is refused: {refusal}");
        }
        let text = toml::to_string(config)?;
        if let Some(stored) = &latest.stored {
            check_same_run(&stored.folder, &stored.state.config, config)?;
        }
        let saved = latest.stored.as_ref().map(|stored| stored.state.progress.stage_step);
        match saved {
            Some(step) => println!("{network}: going on after step {step}"),
            None if resume => println!("{network}: there is no checkpoint to go on from, beginning at the first step"),
            None => {}
        }
        files::write(&folder.join(format!("config-{network}.toml")), text.as_bytes())?;
        let log = match saved {
            Some(step) => RunLog::resume(&own, step)?,
            None => RunLog::create(&own)?,
        };
        note_session(&own.join("sessions.toml"), config.seed, saved.unwrap_or(0))?;
        Ok(Self { log, checkpoints, saved, config: text, resumed: latest.stored })
    }

    /// Where the phase begins, or goes on; nothing where all of it was done before.
    fn progress(&self, phase: &str, done: u64) -> Option<Progress> {
        match &self.resumed {
            Some(stored) => (stored.state.progress.phase == phase).then(|| stored.state.progress.clone()),
            None => Some(Progress::start(phase, done)),
        }
    }

    fn checkpoint(&mut self, progress: &Progress, parts: &[(&str, Vec<(String, Tensor)>)]) -> Result<PathBuf> {
        self.log.sync()?;
        let state = RunState { config: self.config.clone(), progress: progress.clone() };
        let place = self.checkpoints.write(progress.stage_step, &state, parts)?;
        self.saved = Some(progress.stage_step);
        Ok(place)
    }
}

/// The tensors of the checkpoint that a phase goes on from.
pub struct PhaseTensors(Stored<RunState>);

impl PhaseTensors {
    /// Copies them into the run's.
    pub fn restore(&self, parts: &[(&str, Vec<(String, Tensor)>)]) -> Result<()> {
        for (part, tensors) in parts {
            self.0.restore(part, tensors)?;
        }
        Ok(())
    }
}

/// Settings that a resumed run cannot change; the preset is another.
const FIXED: [&str; 14] = [
    "seed",
    "compat",
    "overfit_batch",
    "data.train",
    "data.method",
    "data.scheme",
    "data.gains",
    "data.building_weight",
    "autoencoder.freeze",
    "autoencoder.curriculum.start",
    "autoencoder.curriculum.epochs",
    "diffusion.freeze",
    "diffusion.curriculum.start",
    "diffusion.curriculum.epochs",
];

/// A resumed run must be of the same networks, seed and data. Other settings may change, which is said.
fn check_same_run(checkpoint: &Path, saved: &str, config: &Config) -> Result<()> {
    let shown = checkpoint.display();
    let saved: toml::Table = saved.parse().with_context(|| format!("{shown}: its configuration"))?;
    let preset: Preset =
        saved.get("preset").cloned().context("no preset").and_then(|value| Ok(value.try_into()?)).with_context(|| format!("{shown}"))?;
    if preset != config.preset {
        bail!(
            "{shown} is of another preset. It is {}, this run's is {}{}",
            preset.name,
            config.preset.name,
            difference(&preset, &config.preset)?
        );
    }
    // Through the same text as the saved one: a table would widen float32 to other digits.
    let now: toml::Table = toml::to_string(config)?.parse()?;
    let [old, new] = [&saved, &now].map(|table| flattened("", table));
    let keys: std::collections::BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let absent = String::from("nothing");
    for key in keys {
        let [was, is] = [&old, &new].map(|entries| entries.get(key).unwrap_or(&absent));
        let fixed = FIXED.contains(&key.as_str());
        ensure!(was == is || !fixed, "{shown} is of a run with {key} = {was}, this one has {is}");
        if was != is {
            eprintln!("warning: {key} was {was} and is {is} from here on, so the run ends otherwise than it was begun");
        }
    }
    Ok(())
}

/// Adds an entry to the list of sessions.
fn note_session(path: &Path, seed: u64, after_step: u64) -> Result<()> {
    let text = format!(
        "[[session]]\nafter_step = {after_step}\nseed = {seed}\ncommit = {:?}\ndevice = {:?}\nthreads = {}\n\n",
        files::commit(),
        format!("{:?}", crate::torch::best_device()),
        tch::get_num_threads()
    );
    let mut options = std::fs::OpenOptions::new();
    let options = if after_step == 0 { options.write(true).create(true).truncate(true) } else { options.append(true).create(true) };
    options.open(path).and_then(|mut file| file.write_all(text.as_bytes())).with_context(|| format!("writing {}", path.display()))
}

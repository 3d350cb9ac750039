//! Training: the first stage on maps alone, then the denoiser on its latents, then both by the map itself. The network of
//! quantiles is a stage of its own.
//!
//! What flows in: a configuration and datasets. What flows out, in the run's folder: `config-<network>.toml` as resolved, the
//! averaged weights with their manifest, `<network>.safetensors`, `preview.png` of the last validation (truth above, drawn below),
//! and a folder `<network>` with the log and the checkpoints, where the network is `autoencoder`, `diffusion` or `quantiles`.
//!
//! `steps.rs` is the training loop, written to be read from top to bottom. `autoencoder.rs`, `diffusion.rs` and
//! `quantiles.rs` say what is trained and on what loss.

mod autoencoder;
pub mod diffusion;
mod dry_run;
pub mod first_stage;
mod guard;
mod net2net;
mod noise;
mod objective;
mod pixels;
mod quantiles;
mod session;
mod stage_run;
mod steps;
mod stop;
mod transfer;
mod trouble;

pub use objective::StepLoss;
pub use pixels::pixel_weights;
pub use stop::{EXIT_CODE, Interrupted};

use crate::config::Config;
use crate::parallel::ProcessGroup;
use anyhow::{Result, bail, ensure};
use stage_run::RunMode;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use transfer::Beginning;

/// Train a network; see configs/nano.toml.
#[derive(clap::Args, Debug)]
pub struct Args {
    #[command(subcommand)]
    stage: StageArgs,
}

#[derive(clap::Subcommand, Debug)]
enum StageArgs {
    /// The first stage: maps to latents and back.
    Autoencoder {
        #[command(flatten)]
        run: RunArgs,
        /// Weights, or a checkpoint's folder, to begin with instead of fresh ones (autoencoder.init).
        #[arg(long)]
        from: Option<PathBuf>,
    },
    /// The second stage: latents from noise and a scene.
    Diffusion {
        #[command(flatten)]
        run: RunArgs,
        /// Weights, or a checkpoint's folder, to begin with, at least of the first stage (diffusion.init); by default
        /// autoencoder.safetensors in the run's folder.
        #[arg(long)]
        from: Option<PathBuf>,
    },
    /// The network of quantiles, which says in one evaluation how a map is distributed.
    Quantiles {
        #[command(flatten)]
        run: RunArgs,
        /// Weights, or a checkpoint's folder, to begin with instead of fresh ones (quantiles.init).
        #[arg(long)]
        from: Option<PathBuf>,
    },
    /// Autoencoder and diffusion, one after the other.
    All {
        #[command(flatten)]
        run: RunArgs,
        /// Weights that the first stage begins with instead of fresh ones.
        #[arg(long)]
        from: Option<PathBuf>,
    },
}

#[derive(clap::Args, Debug)]
struct RunArgs {
    /// The run's configuration. With --resume it may be left out: the run's folder has it.
    #[arg(long, required_unless_present = "resume")]
    config: Option<PathBuf>,
    /// The run's folder.
    #[arg(long)]
    out: PathBuf,
    /// Overrides of the configuration, a.b=value; may be given more than once.
    #[arg(long = "set", value_name = "A.B=VALUE")]
    overrides: Vec<String>,
    /// Go on from the run's newest checkpoint, or begin where it has none.
    #[arg(long)]
    resume: bool,
    /// Print parameters and memory and take one step of each phase, without writing anything.
    #[arg(long, conflicts_with = "resume")]
    dry_run: bool,
    /// Train on the first batch alone, again and again: its loss must go to about nothing.
    #[arg(long)]
    overfit_batch: bool,
}

impl RunArgs {
    fn mode(&self) -> RunMode {
        match (self.dry_run, self.resume) {
            (true, _) => RunMode::Dry,
            (false, true) => RunMode::Resume,
            (false, false) => RunMode::Begin,
        }
    }

    /// The configuration of a stage, as process 0 reads it.
    fn config(&self, network: &str, group: &ProcessGroup) -> Result<Config> {
        Config::resolved(&group.text_of_leader(|| Ok(toml::to_string(&self.own_config(network)?)?))?)
    }

    /// The file's, else the run's own, of this stage or the one before.
    fn own_config(&self, network: &str) -> Result<Config> {
        let own = [network, "autoencoder"].map(|network| self.out.join(format!("config-{network}.toml")));
        match self.config.iter().chain(own.iter().filter(|path| path.exists())).next() {
            Some(path) => {
                let mut config = Config::load(path, &self.overrides)?;
                config.overfit_batch |= self.overfit_batch;
                Ok(config)
            }
            None => bail!("{} has no run of the {network} to go on with; begin it with --config", self.out.display()),
        }
    }
}

/// Runs `trainer train`.
pub fn run(args: &Args) -> Result<()> {
    let group = Rc::new(ProcessGroup::from_environment()?);
    let ended = run_stages(args, &group);
    // All processes are interrupted together; any other error may be of this one alone.
    if let Err(error) = &ended
        && !error.is::<Interrupted>()
    {
        group.abandon(error);
    }
    ended
}

fn run_stages(args: &Args, group: &Rc<ProcessGroup>) -> Result<()> {
    let (StageArgs::Autoencoder { run, .. }
    | StageArgs::Diffusion { run, .. }
    | StageArgs::Quantiles { run, .. }
    | StageArgs::All { run, .. }) = &args.stage;
    ensure!(group.share().is_alone() || !run.dry_run, "a dry run is one of one process: start it without torchrun, srun or mpirun");
    match &args.stage {
        StageArgs::Autoencoder { run, from } => train_autoencoder(run, from.as_deref(), group)?,
        StageArgs::Diffusion { run, from } => train_diffusion(run, from.as_deref(), group)?,
        StageArgs::Quantiles { run, from } => train_quantiles(run, from.as_deref(), group)?,
        StageArgs::All { run, from } => {
            // The second stage only begins when the first has ended.
            let second_has_begun = group.leads() && run.resume && run.out.join("diffusion/checkpoints").exists();
            if !group.any(second_has_begun)? {
                train_autoencoder(run, from.as_deref(), group)?;
            }
            train_diffusion(run, None, group)?;
        }
    }
    // Process 0 writes last; a launcher may end all processes with the first that ends.
    group.any(false).map(drop)
}

fn train_autoencoder(run: &RunArgs, from: Option<&Path>, group: &Rc<ProcessGroup>) -> Result<()> {
    let config = run.config("autoencoder", group)?;
    let beginning = from.or(config.autoencoder.init.as_deref()).map(Beginning::whole);
    autoencoder::run(config, &run.out, beginning, run.mode(), group)
}

fn train_quantiles(run: &RunArgs, from: Option<&Path>, group: &Rc<ProcessGroup>) -> Result<()> {
    let config = run.config("quantiles", group)?;
    let beginning = from.or(config.quantiles.as_ref().and_then(|settings| settings.init.as_deref())).map(Beginning::whole);
    quantiles::run(config, &run.out, beginning, run.mode(), group)
}

fn train_diffusion(run: &RunArgs, from: Option<&Path>, group: &Rc<ProcessGroup>) -> Result<()> {
    let config = run.config("diffusion", group)?;
    let first_stage = run.out.join("autoencoder.safetensors");
    let beginnings = match (from, &config.diffusion.init) {
        (Some(path), _) => vec![Beginning::whole(path)],
        // The first stage of this run, where there is one, comes before that of the weights.
        (None, Some(path)) if first_stage.exists() => {
            vec![Beginning::whole(path), Beginning { path: first_stage, first_stage_only: true }]
        }
        (None, Some(path)) => vec![Beginning::whole(path)],
        // A dry run of both stages has no first stage yet.
        (None, None) if run.dry_run && !first_stage.exists() => Vec::new(),
        (None, None) => vec![Beginning { path: first_stage, first_stage_only: true }],
    };
    diffusion::run(config, &run.out, beginnings, run.mode(), group)
}

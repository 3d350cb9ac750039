//! Comparing drawn maps with a dataset's: a table of the literature's metrics for the baseline, physical maps and a network; or, for
//! two folders of maps, of the one against the other ([`folders`]).
//!
//! Maps are compared as gray levels in [0, 1] on the files' scale without a threshold, with buildings at 0 in both, because their
//! footprints are given; pixels that `png/valid` calls unknown are treated alike. Each metric is computed for each map and averaged over
//! maps. The baseline is the line-of-sight law with a log-distance law out of sight, which is fitted by least squares to the very maps it
//! is compared with: no other log-distance law does better. The physical maps are the dominant path's and, for a folder of intelligent ray
//! tracing, that model's. A network draws gray levels on its preset's scale; its map is compared after it went through dB. The physical
//! maps and the networks know a scene's cars where the dataset was simulated with cars. Several samples are also judged together, by
//! how well they say what is not known ([`reliability`]).

mod dataset;
mod folders;
mod reliability;
mod scores;
mod widening;
mod worst;

pub use dataset::{DatasetEvaluation, EvaluationRequest, evaluate};
pub use reliability::{Reliability, ReliabilityRow};
pub use scores::{Evaluation, NAMES, Row, Scores, mean};
pub use widening::{listed, widening};

use crate::drawing::DrawOptions;
use crate::selection::MapSelection;
use anyhow::{Context, Result, bail};
use radiodiff_dataset::files;
use std::path::{Path, PathBuf};

/// Compare the baseline, physical maps and a network with a dataset's maps, or one folder of maps with another
#[derive(clap::Args, Debug)]
#[command(group(clap::ArgGroup::new("subject").required(true).args(["data", "prediction"])))]
pub struct Args {
    /// Folder in RadioMapSeer's layout.
    #[arg(long)]
    data: Option<PathBuf>,
    #[command(flatten)]
    selection: MapSelection,
    /// Weights of a network to compare too: a file, or the folder of a checkpoint.
    #[arg(long, requires = "data")]
    weights: Option<PathBuf>,
    #[command(flatten)]
    drawing: DrawOptions,
    /// Leave out the baseline and the physical maps, which take longer than a small network.
    #[arg(long, requires = "weights")]
    network_only: bool,
    /// With several samples, judge the probability of a path gain above this, in dB, by the Brier score; -100 unless given.
    #[arg(long, value_name = "DB", requires = "weights", allow_negative_numbers = true)]
    threshold_db: Option<f32>,
    /// Draw the maps of the network's largest errors here, truth, drawn map and error side by side; with several samples truth,
    /// physical map, mean, standard deviation and error.
    #[arg(long, value_name = "FILE.png", requires = "weights")]
    worst: Option<PathBuf>,
    /// Folder of gain maps, `{map}_{tx}.png`, to compare with those of --truth.
    #[arg(long, value_name = "DIR", requires = "truth")]
    prediction: Option<PathBuf>,
    /// Folder of the true gain maps.
    #[arg(long, value_name = "DIR", requires = "prediction")]
    truth: Option<PathBuf>,
    /// Folder of `{map}.png`, above 0 inside buildings, or the dataset that it belongs to. RMSE in dB is over the pixels without a
    /// building; without this folder, over the pixels where the truth is above 0.
    #[arg(long, value_name = "DIR", requires = "prediction")]
    buildings: Option<PathBuf>,
    /// Also write a table with a line for each map here.
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
    /// Also write the figures here, as JSON.
    #[arg(long)]
    out: Option<PathBuf>,
}

pub fn run(args: &Args) -> Result<()> {
    args.out.iter().chain(&args.csv).chain(&args.worst).try_for_each(|path| files::check_place(path))?;
    let evaluation = match (&args.data, &args.prediction, &args.truth) {
        (_, Some(prediction), Some(truth)) => {
            let buildings = args.buildings.as_deref().map(buildings_of);
            let outdoors = buildings.as_deref().map_or(String::from("are those above 0 in the truth"), |folder| {
                format!("are those that {} has no building on", folder.display())
            });
            println!("Gray levels over whole images, buildings included; RMSE in dB outdoors: outdoor pixels {outdoors}.\n");
            folders::evaluate(prediction, truth, buildings.as_deref(), args.csv.as_deref())?
        }
        (Some(data), ..) => evaluate_dataset(args, data)?,
        _ => bail!("--data, or --prediction and --truth, say what to compare"),
    };
    print!("{}", evaluation.table());
    match &args.out {
        Some(path) => files::write(path, &serde_json::to_vec_pretty(&evaluation)?),
        None => Ok(()),
    }
}

fn evaluate_dataset(args: &Args, data: &Path) -> Result<Evaluation> {
    let request = EvaluationRequest {
        selection: args.selection.clone(),
        weights: args.weights.as_deref(),
        drawing: args.drawing,
        network_only: args.network_only,
        threshold_db: args.threshold_db,
    };
    let result = evaluate(data, &request)?;
    if let Some(path) = &args.csv {
        files::write(path, result.csv().as_bytes())?;
    }
    if let Some(path) = &args.worst {
        files::write(path, &result.worst.picture()?.context("no map was drawn")?)?;
    }
    Ok(result.evaluation)
}

/// The folder of buildings of a dataset, or the folder itself.
fn buildings_of(folder: &Path) -> PathBuf {
    let within = radiodiff_dataset::folder::path(folder, radiodiff_dataset::folder::BUILDINGS);
    if within.is_dir() { within } else { folder.to_owned() }
}

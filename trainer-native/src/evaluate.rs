//! Comparing drawn maps with a dataset's: a table of the literature's metrics for the baseline, the simulator and a network; or, for
//! two folders of maps, of the one against the other ([`folders`]).
//!
//! Maps are compared as gray levels in [0, 1] on the files' scale without a threshold, with buildings at 0 in both, because their
//! footprints are given. Each metric is computed for each map and averaged over maps. The baseline is the line-of-sight law with a
//! log-distance law out of sight, which is fitted by least squares to the very maps it is compared with: no other log-distance law
//! does better. A network draws gray levels on its preset's scale; its map is compared after it went through dB. The simulator and
//! the networks know a scene's cars where the dataset was simulated with cars.

mod folders;

use anyhow::{Context, Result, bail, ensure};
use indicatif::ParallelProgressIterator;
use radiodiff_core::diffusion::{MAX_STEPS, MIN_TIME};
use radiodiff_dataset::files;
use radiodiff_dataset::{Dataset, Sample};
use radiodiff_radio::geometry::PreparedScene;
use radiodiff_radio::map::{GrayCodec, RadioMap};
use radiodiff_radio::metrics;
use radiodiff_radio::propagation::{DominantPath, LogDistance, LogDistanceLaw, PropagationError, PropagationModel, WithCars};
use radiodiff_radio::scene::LinkEnds;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Compare the baseline, the simulator and a network with a dataset's maps, or one folder of maps with another
#[derive(clap::Args, Debug)]
#[command(group(clap::ArgGroup::new("subject").required(true).args(["data", "prediction"])))]
pub struct Args {
    /// Folder in RadioMapSeer's layout.
    #[arg(long)]
    data: Option<PathBuf>,
    /// Weights of a network to compare too.
    #[arg(long, requires = "data")]
    weights: Option<PathBuf>,
    /// Folder of `gain` that holds the truth.
    #[arg(long, default_value = "DPM")]
    method: String,
    /// Only the first maps.
    #[arg(long, requires = "data")]
    limit: Option<usize>,
    /// Steps of the sampler.
    #[arg(long, default_value_t = 1, value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..=MAX_STEPS as u64))]
    steps: usize,
    /// Start the network at this time, above 0 and at most 1, from the scene's dominant path map and as much noise as belongs to the
    /// time. 1 is noise alone; the nearer to 0, the more of that map stays.
    #[arg(long, value_name = "T", value_parser = start_time, requires = "weights")]
    start: Option<f32>,
    /// Seed of the sampler's noise.
    #[arg(long, default_value_t = 0)]
    seed: u64,
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
    #[arg(long, value_name = "FILE", requires = "prediction")]
    csv: Option<PathBuf>,
    /// Also write the figures here, as JSON.
    #[arg(long)]
    out: Option<PathBuf>,
}

/// Means over maps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize, Serialize)]
pub struct Scores {
    pub nmse: f64,
    pub rmse: f64,
    pub ssim: f64,
    pub psnr_db: f64,
    /// Over outdoor pixels.
    pub rmse_db: f64,
}

/// One method's scores.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Row {
    pub method: String,
    pub scores: Scores,
}

/// A comparison and its results.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Evaluation {
    pub data: PathBuf,
    pub method: String,
    pub maps: usize,
    pub rows: Vec<Row>,
}

/// How a network draws its maps.
#[derive(Clone, Copy, Debug)]
pub struct DrawOptions {
    pub steps: usize,
    pub seed: u64,
    /// The sampler's first time when it starts from the dominant path map; `None` starts from noise.
    pub start: Option<f32>,
}

impl Default for DrawOptions {
    fn default() -> Self {
        Self { steps: 1, seed: 0, start: None }
    }
}

fn start_time(text: &str) -> Result<f32, String> {
    let expected = || format!("expected a time from {MIN_TIME} to 1");
    text.parse().ok().filter(|time| (MIN_TIME..=1.0).contains(time)).ok_or_else(expected)
}

pub fn run(args: &Args) -> Result<()> {
    args.out.iter().chain(&args.csv).try_for_each(|path| files::check_place(path))?;
    let evaluation = match (&args.data, &args.prediction, &args.truth) {
        (_, Some(prediction), Some(truth)) => {
            let buildings = args.buildings.as_deref().map(buildings_of);
            let outdoors = buildings.as_deref().map_or(String::from("are those above 0 in the truth"), |folder| {
                format!("are those that {} has no building on", folder.display())
            });
            println!("Gray levels over whole images, buildings included; RMSE in dB outdoors: outdoor pixels {outdoors}.\n");
            folders::evaluate(prediction, truth, buildings.as_deref(), args.csv.as_deref())?
        }
        (Some(data), ..) => {
            let drawing = DrawOptions { steps: args.steps, seed: args.seed, start: args.start };
            evaluate(data, &args.method, args.limit, args.weights.as_deref(), drawing)?
        }
        _ => bail!("--data, or --prediction and --truth, say what to compare"),
    };
    print!("{}", evaluation.table());
    match &args.out {
        Some(path) => files::write(path, &serde_json::to_vec_pretty(&evaluation)?),
        None => Ok(()),
    }
}

/// The folder of buildings of a dataset, or the folder itself.
fn buildings_of(folder: &Path) -> PathBuf {
    let within = radiodiff_dataset::folder::path(folder, radiodiff_dataset::folder::BUILDINGS);
    if within.is_dir() { within } else { folder.to_owned() }
}

/// Scores the baseline, the simulator and, with `weights`, a network.
pub fn evaluate(folder: &Path, method: &str, limit: Option<usize>, weights: Option<&Path>, drawing: DrawOptions) -> Result<Evaluation> {
    let dataset = Dataset::open(folder, method)?;
    if let Some(notice) = dataset.notice() {
        eprintln!("warning: {notice}");
    }
    let count = dataset.len().min(limit.unwrap_or(usize::MAX));
    if count == 0 {
        bail!("{} holds no maps of {method}", folder.display());
    }
    let truths = (0..count).map(|i| Truth::new(&dataset, i)).collect::<Result<Vec<_>>>()?;
    let baseline = LogDistance { in_sight: LogDistanceLaw::LINE_OF_SIGHT, out_of_sight: fit(&truths)? };
    // Samples have cars only where their maps were simulated with cars.
    let physical = truths.par_iter().progress().map(|truth| {
        let baseline = baseline.path_gain(&truth.prepared, &LinkEnds::at(truth.sample.position))?;
        let simulated = WithCars(DominantPath::default()).path_gain(&truth.prepared, &LinkEnds::at(truth.sample.position))?;
        Ok([truth.scores(&baseline), truth.scores(&simulated)])
    });
    let physical = physical.collect::<Result<Vec<_>, PropagationError>>().context("computing physical maps")?;
    let mut rows = vec![
        Row { method: "line of sight + log distance".into(), scores: mean(physical.iter().map(|[baseline, _]| *baseline)) },
        Row { method: "dominant path (simulator)".into(), scores: mean(physical.iter().map(|[_, simulated]| *simulated)) },
    ];
    if let Some(path) = weights {
        let (name, maps) = draw(path, &truths, drawing)?;
        let scores = truths.iter().zip(&maps).map(|(truth, map)| truth.scores(map)).collect::<Vec<_>>();
        rows.push(Row { method: name, scores: mean(scores.into_iter()) });
    }
    Ok(Evaluation { data: folder.to_owned(), method: method.to_owned(), maps: count, rows })
}

/// A sample that maps are compared with.
struct Truth {
    sample: Sample,
    prepared: PreparedScene,
    gray: Vec<f32>,
}

impl Truth {
    fn new(dataset: &Dataset, i: usize) -> Result<Self> {
        let sample = dataset.load(i)?;
        let (size, least) = (sample.scene.mask.size, metrics::SSIM_WINDOW);
        ensure!(size >= least, "map {} has {size} x {size} pixels, SSIM needs at least {least} x {least}", dataset.name(i));
        let outdoors = |(&level, &inside): (&u8, &u8)| if inside != 0 { 0.0 } else { f32::from(level) / 255.0 };
        let gray = sample.truth.iter().zip(&sample.scene.mask.pixels).map(outdoors).collect();
        Ok(Self { prepared: PreparedScene::new(&sample.scene), sample, gray })
    }

    fn scores(&self, map: &RadioMap) -> Scores {
        let (codec, mask) = (GrayCodec::default(), &self.sample.scene.mask);
        let gray = codec.encode_map(map);
        Scores {
            nmse: metrics::nmse(&gray, &self.gray),
            rmse: metrics::rmse(&gray, &self.gray),
            ssim: metrics::ssim(&gray, &self.gray, mask.size),
            psnr_db: metrics::psnr(&gray, &self.gray),
            rmse_db: metrics::rmse_db(&gray, &self.gray, &mask.pixels, &codec),
        }
    }
}

fn mean(scores: impl ExactSizeIterator<Item = Scores>) -> Scores {
    let n = scores.len() as f64;
    let sum = scores.fold(Scores::default(), |a, b| Scores {
        nmse: a.nmse + b.nmse,
        rmse: a.rmse + b.rmse,
        ssim: a.ssim + b.ssim,
        psnr_db: a.psnr_db + b.psnr_db,
        rmse_db: a.rmse_db + b.rmse_db,
    });
    Scores { nmse: sum.nmse / n, rmse: sum.rmse / n, ssim: sum.ssim / n, psnr_db: sum.psnr_db / n, rmse_db: sum.rmse_db / n }
}

/// The log-distance law that fits the outdoor pixels out of sight best, in the least squares of dB.
fn fit(truths: &[Truth]) -> Result<LogDistanceLaw> {
    let codec = GrayCodec::default();
    let pixels = truths
        .par_iter()
        .map(|truth| {
            let (sample, grid) = (&truth.sample, truth.sample.scene.grid);
            let sight = truth.prepared.line_of_sight(sample.position)?;
            let out_of_sight = sample.scene.outdoor_pixels().filter(|&(row, column)| sight[row * grid.size + column] == 0);
            let pixel = |(row, column): (usize, usize)| {
                let center = grid.pixel_center(row, column);
                let distance_m = (center.x - sample.position.x).hypot(center.y - sample.position.y);
                (distance_m, f64::from(codec.decode(truth.gray[row * grid.size + column])))
            };
            Ok(out_of_sight.map(pixel).collect::<Vec<_>>())
        })
        .collect::<Result<Vec<_>, PropagationError>>()
        .context("finding what is in sight")?;
    // A dataset without shadows needs no law for them.
    Ok(LogDistanceLaw::fit(pixels.into_iter().flatten()).unwrap_or(LogDistanceLaw::LINE_OF_SIGHT))
}

/// The network's name and its map of every sample.
fn draw(path: &Path, truths: &[Truth], drawing: DrawOptions) -> Result<(String, Vec<RadioMap>)> {
    use indicatif::ProgressIterator;
    use radiodiff_core::diffusion::SampleOptions;
    use radiodiff_core::pipeline::{MapRequest, Pipeline, no_hook};
    use radiodiff_core::weights::Checkpoint;

    let bytes = std::fs::read(path).with_context(|| format!("reading the weights {}", path.display()))?;
    let checkpoint = Checkpoint::parse(&bytes).with_context(|| format!("the weights {}", path.display()))?;
    let engine = crate::torch::TorchEngine::new(crate::torch::best_device());
    let pipeline = Pipeline::new(checkpoint.build(&engine).with_context(|| format!("the weights {}", path.display()))?);
    let options = SampleOptions { steps: drawing.steps, seed: drawing.seed, ..SampleOptions::default() };
    let _guard = tch::no_grad_guard();
    let maps = truths.iter().progress().map(|truth| {
        let sample = &truth.sample;
        let start = drawing.start.unwrap_or(1.0);
        let request = MapRequest { scene: &truth.prepared, position: sample.position, start, options };
        let map = pollster::block_on(pipeline.draw_map(&engine, &request, no_hook));
        map.with_context(|| format!("map {}_{}", sample.map, sample.transmitter))
    });
    let begun = drawing.start.map_or(String::new(), |start| format!(" from the dominant path at t = {start}"));
    Ok((checkpoint.manifest().preset.name.clone() + &begun, maps.collect::<Result<_>>()?))
}

impl Evaluation {
    /// A Markdown table.
    pub fn table(&self) -> String {
        let mut text = String::from("| method | NMSE | RMSE | SSIM | PSNR, dB | RMSE outdoors, dB |\n|---|---:|---:|---:|---:|---:|\n");
        for Row { method, scores: s } in &self.rows {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "| {method} | {:.5} | {:.4} | {:.4} | {:.2} | {:.2} |", s.nmse, s.rmse, s.ssim, s.psnr_db, s.rmse_db);
        }
        text
    }
}

//! Comparing the baseline, physical maps and a network with a dataset's maps, a few maps at a time: a dataset need not fit memory.

use super::reliability::{self, Reliability};
use super::scores::{Evaluation, NAMES, Row, Scores, deviation, mean};
use super::worst::{Panel, Shade, WorstMap, WorstMaps};
use crate::drawing::{DrawOptions, MapDrawer};
use crate::selection::MapSelection;
use anyhow::{Context, Result, ensure};
use indicatif::ProgressBar;
use radiodiff_dataset::simulate::Simulator;
use radiodiff_dataset::{Dataset, Sample, Variant};
use radiodiff_radio::geometry::PreparedScene;
use radiodiff_radio::map::{GrayCodec, RadioMap};
use radiodiff_radio::metrics::{self, EnsembleKind, EnsembleScores};
use radiodiff_radio::propagation::{DominantPath, LogDistance, LogDistanceLaw, PropagationError, PropagationModel, WithCars};
use rayon::prelude::*;
use std::path::Path;

/// Maps in memory at once.
const CHUNK: usize = 64;
/// The path gain in dB whose exceeding is forecast unless another is asked for: about the middle of the scale.
const THRESHOLD_DB: f32 = -100.0;

/// What to compare.
#[derive(Clone, Debug, Default)]
pub struct EvaluationRequest<'a> {
    pub selection: MapSelection,
    pub weights: Option<&'a Path>,
    pub drawing: DrawOptions,
    /// Without the baseline and the physical maps.
    pub network_only: bool,
    /// The path gain in dB whose exceeding several samples forecast.
    pub threshold_db: Option<f32>,
}

/// The comparison, map by map and in all.
pub struct DatasetEvaluation {
    pub evaluation: Evaluation,
    pub maps: Vec<MapScores>,
    /// The columns of the maps' physical scores.
    physical: Vec<String>,
    pub worst: WorstMaps,
}

/// The scores of one map.
pub struct MapScores {
    /// `{map}_{tx}`.
    name: String,
    /// The baseline's and the physical maps', in the order of [`PhysicalMaps::rows`]; none where they were left out.
    physical: Vec<Scores>,
    /// The network's, of each sample; none of quantiles, which are no maps that a place could have.
    network: Vec<Scores>,
    /// Of the mean of the gray levels, where there are several maps.
    mean_map: Option<Scores>,
    /// Where there are several maps: of the physical maps, the mean map and the maps as an ensemble.
    reliability: Vec<EnsembleScores>,
}

/// The maps that are drawn of a truth, as gray levels in [0, 1].
struct DrawnMaps {
    physical: Vec<Vec<f32>>,
    kind: EnsembleKind,
    /// Samples, or quantiles.
    samples: Vec<Vec<f32>>,
    /// Of the samples, where there are several.
    mean: Option<Vec<f32>>,
}

/// Compares a folder's maps.
///
/// # Errors
/// Nothing to compare; a map that cannot be read or computed; weights that cannot be used.
pub fn evaluate(folder: &Path, request: &EvaluationRequest) -> Result<DatasetEvaluation> {
    ensure!(request.weights.is_some() || !request.network_only, "there is no network to compare: no weights are given");
    let (threshold_db, codec) = (request.threshold_db.unwrap_or(THRESHOLD_DB), GrayCodec::default());
    let scale = codec.floor_db..=codec.ceiling_db;
    ensure!(scale.contains(&threshold_db), "the threshold is {threshold_db} dB, expected a path gain on the maps' scale, {scale:?} dB");
    let (dataset, count) = request.selection.open(folder)?;
    let drawer = request.weights.map(|path| MapDrawer::open(path, request.drawing)).transpose()?;
    let forecast = drawer.as_ref().map(Forecast::of);
    let several = forecast.as_ref().is_some_and(|forecast| forecast.members > 1);
    ensure!(request.threshold_db.is_none() || several, "a threshold is forecast by several samples, give --samples");
    let physical_maps = if request.network_only { None } else { Some(PhysicalMaps::new(&dataset, &request.selection.method, count)?) };
    let physical_rows = physical_maps.as_ref().map_or_else(Vec::new, PhysicalMaps::rows);
    let bar = ProgressBar::new(count as u64);
    let (mut maps, mut worst) = (Vec::new(), WorstMaps::default());
    for truths in chunks(&dataset, count) {
        let truths = truths?;
        let physical = truths.par_iter().map(|truth| physical_maps.as_ref().map_or(Ok(Vec::new()), |maps| truth.physical(maps)));
        let physical = physical.collect::<Result<Vec<_>, PropagationError>>().context("computing physical maps")?;
        for (truth, physical) in truths.iter().zip(physical) {
            let samples = drawer.as_ref().map_or(Ok(Vec::new()), |drawer| drawer.draw(&truth.prepared, &truth.sample))?;
            let samples: Vec<Vec<f32>> = samples.iter().map(|map| GrayCodec::default().encode_map(map)).collect();
            let (physical, physical_scores) = physical.into_iter().unzip();
            let kind = drawer.as_ref().map(MapDrawer::kind).unwrap_or_default();
            let drawn = DrawnMaps { physical, mean: (samples.len() > 1).then(|| mean_levels(&samples)), kind, samples };
            let scores = MapScores::new(truth, physical_scores, &drawn, threshold_db);
            if let Some(shown) = scores.shown() {
                worst.offer(shown.nmse, || truth.as_worst(&scores, &drawn, physical_rows.last()));
            }
            maps.push(scores);
            bar.inc(1);
        }
    }
    bar.finish();
    let reliability = reliability(&maps, physical_rows.clone(), forecast.as_ref(), threshold_db);
    let rows = rows(&maps, physical_rows, forecast.as_ref());
    let evaluation = Evaluation { data: folder.to_owned(), method: request.selection.description(), maps: count, rows, reliability };
    let physical = physical_maps.iter().flat_map(PhysicalMaps::columns).collect();
    Ok(DatasetEvaluation { evaluation, maps, physical, worst })
}

/// What a network draws of each scene.
struct Forecast {
    network: String,
    kind: EnsembleKind,
    members: usize,
}

impl Forecast {
    fn of(drawer: &MapDrawer) -> Self {
        Self { network: drawer.name(), kind: drawer.kind(), members: drawer.maps().len() }
    }

    /// The name of the members together, for a table.
    fn together(&self) -> String {
        match (self.kind, self.members) {
            (EnsembleKind::Draws, 1) => self.network.clone(),
            (EnsembleKind::Draws, samples) => format!("{}, {samples} samples", self.network),
            (EnsembleKind::Quantiles, members) => format!("{}, {members} together", self.network),
        }
    }

    /// The name of their mean.
    fn mean(&self) -> String {
        match self.kind {
            EnsembleKind::Draws => format!("{}, mean of {} maps", self.network, self.members),
            EnsembleKind::Quantiles => format!("{}, their mean", self.network),
        }
    }
}

/// The table's rows: means over the maps.
fn rows(maps: &[MapScores], physical: Vec<String>, forecast: Option<&Forecast>) -> Vec<Row> {
    let row = |(i, method)| Row { method, scores: mean(maps.iter().map(|map| map.physical[i])), deviation: None };
    let mut rows: Vec<Row> = physical.into_iter().enumerate().map(row).collect();
    let Some(forecast) = forecast else { return rows };
    let samples = maps.first().map_or(0, |map| map.network.len());
    let means: Vec<Scores> = (0..samples).map(|i| mean(maps.iter().map(|map| map.network[i]))).collect();
    if samples > 0 {
        rows.push(Row { method: forecast.together(), scores: mean(means.iter().copied()), deviation: deviation(&means) });
    }
    let of_means: Vec<Scores> = maps.iter().filter_map(|map| map.mean_map).collect();
    if !of_means.is_empty() {
        rows.push(Row { method: forecast.mean(), scores: mean(of_means.into_iter()), deviation: None });
    }
    rows
}

/// The means over maps of what is in [`MapScores::reliability`]; none without several members.
fn reliability(maps: &[MapScores], physical: Vec<String>, forecast: Option<&Forecast>, threshold_db: f32) -> Option<Reliability> {
    let forecast = forecast.filter(|forecast| forecast.members > 1)?;
    let forecasts = physical.into_iter().chain([forecast.mean(), forecast.together()]).collect();
    // A map of which no outdoor pixel is known says nothing.
    let scores: Vec<&[EnsembleScores]> = maps.iter().map(|map| map.reliability.as_slice()).filter(|scores| !scores.is_empty()).collect();
    (!scores.is_empty()).then(|| Reliability::new(threshold_db, forecast.members, forecasts, &scores))
}

impl MapScores {
    fn new(truth: &Truth, physical: Vec<Scores>, drawn: &DrawnMaps, threshold_db: f32) -> Self {
        let single = if drawn.kind == EnsembleKind::Draws { drawn.samples.as_slice() } else { &[] };
        let network = single.par_iter().map(|gray| truth.scores(gray)).collect();
        let mean_map = drawn.mean.as_ref().map(|gray| truth.scores(gray));
        let certain = drawn.physical.iter().chain(&drawn.mean).map(std::slice::from_ref);
        let forecasts: Vec<&[Vec<f32>]> = certain.chain([drawn.samples.as_slice()]).collect();
        let codec = GrayCodec::default();
        let score = |members: &&[Vec<f32>]| EnsembleScores::new((drawn.kind, members), &truth.gray, &truth.excluded, &codec, threshold_db);
        let is_known = truth.excluded.contains(&0);
        let reliability = if drawn.mean.is_some() && is_known { forecasts.par_iter().map(score).collect() } else { Vec::new() };
        Self { name: truth.name.clone(), physical, network, mean_map, reliability }
    }

    /// The scores of what a picture shows of the network: its map, or the mean of its samples.
    fn shown(&self) -> Option<Scores> {
        self.mean_map.or(self.network.first().copied())
    }
}

impl DatasetEvaluation {
    /// A line for each map: every method's scores, and the deviations between samples where there are several.
    pub fn csv(&self) -> String {
        let first = self.maps.first();
        let columns = |prefix: &str, suffix: &str| NAMES.map(|name| format!("{prefix}_{name}{suffix}")).join(",");
        let mut head = vec![String::from("map,transmitter")];
        head.extend(self.physical.iter().map(|name| columns(name, "")));
        let samples = first.map_or(0, |map| map.network.len());
        head.extend((samples > 0).then(|| columns("network", "")));
        head.extend((samples > 1).then(|| columns("network", "_deviation")));
        let mut of_ensembles = Vec::new();
        if first.is_some_and(|map| map.mean_map.is_some()) {
            head.push(columns("mean_map", ""));
            let certain = self.physical.iter().map(String::as_str).chain(["mean_map"]);
            of_ensembles.extend(certain.map(|name| reliability::columns(name, false)));
            of_ensembles.push(reliability::columns("samples", true));
        }
        let without = of_ensembles.iter().map(|columns| ",".repeat(columns.matches(',').count()));
        let without: Vec<String> = without.collect();
        head.extend(of_ensembles);
        let line = |map: &MapScores| {
            let mut cells = vec![map.name.replace('_', ",")];
            cells.extend(map.physical.iter().map(Scores::csv));
            cells.extend((samples > 0).then(|| mean(map.network.iter().copied()).csv()));
            cells.extend(deviation(&map.network).map(|scores| scores.csv()));
            cells.extend(map.mean_map.map(|scores| scores.csv()));
            let scores: Vec<String> = map.reliability.iter().map(reliability::csv).collect();
            cells.extend(if scores.is_empty() { without.clone() } else { scores });
            cells.join(",") + "\n"
        };
        head.join(",") + "\n" + &self.maps.iter().map(line).collect::<String>()
    }
}

/// What networks are compared with: the baseline, the dominant path, and for a folder of intelligent ray tracing that model. Ray
/// tracing from first principles takes minutes for the maps that a network draws in seconds.
struct PhysicalMaps {
    /// The baseline's law out of sight.
    out_of_sight: LogDistanceLaw,
    own: Option<Variant>,
}

impl PhysicalMaps {
    /// Fits the baseline to the dataset.
    fn new(dataset: &Dataset, method: &str, count: usize) -> Result<Self> {
        let traced = |variant: &Variant| matches!(variant, Variant::Irt2 | Variant::Irt4 | Variant::CarsIrt2 | Variant::CarsIrt4);
        let own = method.parse().ok().filter(traced);
        Ok(Self { out_of_sight: fit(dataset, count)?, own })
    }

    /// Names of the methods, for a table.
    fn rows(&self) -> Vec<String> {
        let own = self.own.map(|variant| format!("{} (simulator)", variant.name()));
        ["line of sight + log distance", "dominant path (simulator)"].into_iter().map(str::to_owned).chain(own).collect()
    }

    /// The same, for the columns of a CSV file.
    fn columns(&self) -> Vec<String> {
        ["baseline", "dominant_path"].into_iter().map(str::to_owned).chain(self.own.map(|_| String::from("simulator"))).collect()
    }

    fn draw(&self, prepared: &PreparedScene, sample: &Sample) -> Result<Vec<RadioMap>, PropagationError> {
        let ends = sample.ends();
        let baseline = LogDistance { in_sight: LogDistanceLaw::LINE_OF_SIGHT, out_of_sight: self.out_of_sight };
        let mut maps = vec![baseline.path_gain(prepared, &ends)?, WithCars(DominantPath::of_maps()).path_gain(prepared, &ends)?];
        if let Some(variant) = self.own {
            maps.push(Simulator::new(variant).path_gain(prepared, sample.position)?);
        }
        Ok(maps)
    }
}

/// A sample that maps are compared with.
pub(super) struct Truth {
    name: String,
    pub(super) sample: Sample,
    pub(super) prepared: PreparedScene,
    /// Above 0 inside buildings and where the map is not known.
    pub(super) excluded: Vec<u8>,
    /// Gray levels in [0, 1], 0 where excluded.
    pub(super) gray: Vec<f32>,
}

/// The dataset's first `count` maps, a few at a time.
pub(super) fn chunks(dataset: &Dataset, count: usize) -> impl Iterator<Item = Result<Vec<Truth>>> {
    let load = move |begin: usize| (begin..count.min(begin + CHUNK)).into_par_iter().map(|i| Truth::new(dataset, i)).collect();
    (0..count).step_by(CHUNK).map(load)
}

impl Truth {
    fn new(dataset: &Dataset, i: usize) -> Result<Self> {
        let sample = dataset.load(i)?;
        let (size, least) = (sample.scene.mask.size, metrics::SSIM_WINDOW);
        ensure!(size >= least, "map {} has {size} x {size} pixels, SSIM needs at least {least} x {least}", dataset.name(i));
        let excluded: Vec<u8> = sample.known_outdoors().into_iter().map(|known| 1 - known).collect();
        let level = |(&level, &excluded): (&u8, &u8)| if excluded != 0 { 0.0 } else { f32::from(level) / 255.0 };
        let gray = sample.truth.iter().zip(&excluded).map(level).collect();
        Ok(Self { name: dataset.name(i), prepared: PreparedScene::new(&sample.scene), sample, excluded, gray })
    }

    fn scores(&self, gray: &[f32]) -> Scores {
        let gray: Vec<f32> = gray.iter().zip(&self.excluded).map(|(&level, &excluded)| if excluded != 0 { 0.0 } else { level }).collect();
        Scores {
            nmse: metrics::nmse(&gray, &self.gray),
            rmse: metrics::rmse(&gray, &self.gray),
            ssim: metrics::ssim(&gray, &self.gray, self.sample.scene.mask.size),
            psnr_db: metrics::psnr(&gray, &self.gray),
            rmse_db: metrics::rmse_db(&gray, &self.gray, &self.excluded, &GrayCodec::default()),
        }
    }

    /// The baseline and the physical maps, and their scores. Samples have cars only where their maps were simulated with cars.
    fn physical(&self, maps: &PhysicalMaps) -> Result<Vec<(Vec<f32>, Scores)>, PropagationError> {
        let gray = maps.draw(&self.prepared, &self.sample)?.into_iter().map(|map| GrayCodec::default().encode_map(&map));
        Ok(gray.map(|gray| (self.scores(&gray), gray)).map(|(scores, gray)| (gray, scores)).collect())
    }

    /// Truth, drawn map and error; of several samples truth, the last physical map, their mean, deviation and absolute error.
    fn as_worst(&self, scores: &MapScores, drawn: &DrawnMaps, physical: Option<&String>) -> WorstMap {
        let range_db = GrayCodec::default().range_db();
        let error_db = |gray: &[f32]| gray.iter().zip(&self.gray).map(|(drawn, truth)| (drawn - truth) * range_db).collect::<Vec<_>>();
        let panel = |head: &str, shade, values| Panel { head: head.to_owned(), shade, values };
        let mut panels = vec![panel("truth", Shade::Level, self.gray.clone())];
        if let Some(mean) = &drawn.mean {
            panels.extend(physical.zip(drawn.physical.last()).map(|(name, map)| panel(name, Shade::Level, map.clone())));
            let of_what = if drawn.kind == EnsembleKind::Draws { "maps" } else { "quantiles" };
            panels.push(panel(&format!("mean of {} {of_what}", drawn.samples.len()), Shade::Level, mean.clone()));
            let deviation_db = deviations(&drawn.samples).into_iter().map(|deviation| deviation * range_db).collect();
            panels.push(panel("standard deviation", Shade::Size, deviation_db));
            panels.push(panel("error of the mean", Shade::Size, error_db(mean).into_iter().map(f32::abs).collect()));
        } else if let Some(map) = drawn.samples.first() {
            panels.push(panel("drawn", Shade::Level, map.clone()));
            panels.push(panel("error", Shade::Error, error_db(map)));
        }
        let (of_network, ensemble) = (scores.shown().unwrap_or_default(), scores.reliability.last().copied());
        WorstMap {
            name: self.name.clone(),
            scores: of_network,
            ensemble,
            side: self.sample.scene.mask.size,
            inside: self.excluded.clone(),
            panels,
        }
    }
}

fn mean_levels(maps: &[Vec<f32>]) -> Vec<f32> {
    let sum = |i: usize| maps.iter().map(|map| f64::from(map[i])).sum::<f64>();
    (0..maps[0].len()).map(|i| (sum(i) / maps.len() as f64) as f32).collect()
}

/// Standard deviations of the gray levels of several maps, of a sample.
fn deviations(maps: &[Vec<f32>]) -> Vec<f32> {
    let means = mean_levels(maps);
    let squares = |i: usize| maps.iter().map(|map| f64::from(map[i] - means[i]).powi(2)).sum::<f64>();
    (0..means.len()).map(|i| (squares(i) / (maps.len() - 1) as f64).sqrt() as f32).collect()
}

/// The log-distance law that fits the outdoor pixels out of sight best, in the least squares of dB.
fn fit(dataset: &Dataset, count: usize) -> Result<LogDistanceLaw> {
    let codec = GrayCodec::default();
    let out_of_sight = |truth: &Truth| -> Result<Vec<(f64, f64)>, PropagationError> {
        let (sample, grid) = (&truth.sample, truth.sample.scene.grid);
        let sight = truth.prepared.line_of_sight(sample.position)?;
        let counts = |i: usize| truth.excluded[i] == 0 && sight[i] == 0;
        let shadowed = sample.scene.outdoor_pixels().filter(|&(row, column)| counts(row * grid.size + column));
        let pixel = |(row, column): (usize, usize)| {
            let center = grid.pixel_center(row, column);
            let distance_m = (center.x - sample.position.x).hypot(center.y - sample.position.y);
            (distance_m, f64::from(codec.decode(truth.gray[row * grid.size + column])))
        };
        Ok(shadowed.map(pixel).collect())
    };
    let mut pixels = Vec::new();
    for truths in chunks(dataset, count) {
        let found = truths?.par_iter().map(out_of_sight).collect::<Result<Vec<_>, PropagationError>>();
        pixels.extend(found.context("finding what is in sight")?.into_iter().flatten());
    }
    // A dataset without shadows needs no law for them.
    Ok(LogDistanceLaw::fit(pixels).unwrap_or(LogDistanceLaw::LINE_OF_SIGHT))
}

//! How much a network's samples must be widened for their spread to hold the truth as often as it says.
//!
//! A network is surer than its errors allow: a few steps of a sampler and a median in the loss make samples alike, and cities that it has
//! not seen are harder than those of its training, for quantiles as well. One factor on the deviations from the mean, found on maps that it
//! was not trained on, mends the size of the spread and leaves alone where it is large. It is the simplest of the corrections of ensembles
//! in weather forecasting (Gneiting et al., 2005, "Calibrated probabilistic forecasting using ensemble model output statistics").

use super::dataset::chunks;
use crate::drawing::{DrawOptions, MapDrawer};
use crate::selection::MapSelection;
use anyhow::{Context, Result, ensure};
use indicatif::ProgressBar;
use radiodiff_radio::map::GrayCodec;
use radiodiff_radio::metrics::{EnsembleKind, INTERVAL, IntervalMiss, widening_that_holds};
use std::path::{Path, PathBuf};

/// Fewer samples have no interval that is meant to hold the truth this often.
const MIN_SAMPLES: usize = 19;

/// The factor at which the central interval of a network's samples or quantiles holds the truth of the folders' maps as often as it should,
/// 90 % of a map's pixels on average over all maps. The weights' own widening must be 1.
///
/// # Errors
/// Too few samples; maps and weights that cannot be used; samples that agree where they are wrong.
pub fn widening(folders: &[PathBuf], selection: &MapSelection, weights: &Path, drawing: DrawOptions) -> Result<f32> {
    let plain = DrawOptions { samples: 1, steps: None, start: None, ..drawing };
    let is_quantiles = MapDrawer::open(weights, plain)?.kind() == EnsembleKind::Quantiles;
    ensure!(
        is_quantiles || drawing.samples >= MIN_SAMPLES,
        "an interval of 90 % takes {MIN_SAMPLES} samples and more, found {}",
        drawing.samples
    );
    let datasets = folders.iter().map(|folder| selection.open(folder)).collect::<Result<Vec<_>>>()?;
    let drawer = MapDrawer::open(weights, drawing)?;
    let codec = GrayCodec::default();
    let bar = ProgressBar::new(datasets.iter().map(|(_, count)| *count as u64).sum());
    let mut maps = Vec::new();
    for truths in datasets.iter().flat_map(|(dataset, count)| chunks(dataset, *count)) {
        for truth in truths? {
            let samples = drawer.draw(&truth.prepared, &truth.sample)?;
            let miss = |pixel: usize| {
                let members = samples.iter().map(|map| f64::from(map.values[pixel])).collect();
                IntervalMiss::new(members, codec.decode(truth.gray[pixel]).into())
            };
            maps.push((0..truth.gray.len()).filter(|&pixel| truth.excluded[pixel] == 0).map(miss).collect());
            bar.inc(1);
        }
    }
    bar.finish();
    widening_that_holds(INTERVAL, &maps).with_context(|| {
        format!(
            "the maps agree on too many pixels of {} where they are wrong: no factor makes their interval hold {INTERVAL}",
            listed(folders)
        )
    })
}

/// Folders in a sentence.
pub fn listed(folders: &[PathBuf]) -> String {
    folders.iter().map(|folder| folder.display().to_string()).collect::<Vec<_>>().join(", ")
}

//! Comparing two folders of gain maps, `{map}_{tx}.png` each, map by map.
//!
//! Gray levels are compared over the whole image, buildings included: once as they are, and once under RadioUNet's threshold, by which
//! levels below 0.2 become 0 and the rest is stretched to [0, 1], as its published scores are computed. RMSE in dB is over outdoor
//! pixels; under the threshold no gain is below -127.17 dB. Every metric is computed for each map and averaged over maps.

use super::scores::{Evaluation, NAMES, Row, Scores, mean};
use anyhow::{Context, Result, bail, ensure};
use indicatif::ParallelProgressIterator;
use radiodiff_dataset::files;
use radiodiff_dataset::folder::{FileNumbers, Listing, gray_png, passed_over, path};
use radiodiff_radio::map::GrayCodec;
use radiodiff_radio::metrics;
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// RadioUNet's threshold, as a share of the gray scale.
const THRESHOLD: f32 = 0.2;
/// How many missing predictions an error names.
const NAMED: usize = 5;

/// Compares `prediction` with `truth`; with `csv`, writes a line for each map there.
///
/// # Errors
/// A true map without a prediction, an image that is unreadable or of another size, a truth without a lit pixel.
pub fn evaluate(prediction: &Path, truth: &Path, buildings: Option<&Path>, csv: Option<&Path>) -> Result<Evaluation> {
    let (predictions, truths) = (maps(prediction)?, maps(truth)?);
    let missing: Vec<String> = truths.keys().filter(|name| !predictions.contains_key(name)).map(|name| name.stem() + ".png").collect();
    if !missing.is_empty() {
        let dots = if missing.len() > NAMED { ", ..." } else { "" };
        let first = missing[..missing.len().min(NAMED)].join(", ");
        bail!("{} lacks {} maps that the truth has: {first}{dots}", prediction.display(), missing.len());
    }
    // Predictions of a whole dataset may be compared with a part of it.
    let ignored = predictions.len() - truths.len();
    if ignored > 0 {
        println!("{ignored} maps of {} are not in the truth and are ignored.\n", prediction.display());
    }
    let names: Vec<_> = truths.keys().copied().collect();
    let compare = |name: &(u32, u32)| {
        let buildings = buildings.map(|folder| path(folder, &format!("{}.png", name.0)));
        compare(&predictions[name], &truths[name], buildings.as_deref())
    };
    let scores = names.par_iter().progress().map(compare).collect::<Result<Vec<_>>>()?;
    if let Some(path) = csv {
        let columns = NAMES.join(",");
        let thresholded = NAMES.map(|column| format!("thresholded_{column}")).join(",");
        let line =
            |((map, tx), [raw, thresholded]): (&(u32, u32), &[Scores; 2])| format!("{map},{tx},{},{}\n", raw.csv(), thresholded.csv());
        let lines: String = names.iter().zip(&scores).map(line).collect();
        files::write(path, format!("map,transmitter,{columns},{thresholded}\n{lines}").as_bytes())?;
    }
    let row =
        |method: &str, which: usize| Row { method: method.into(), scores: mean(scores.iter().map(|both| both[which])), deviation: None };
    Ok(Evaluation {
        data: truth.to_owned(),
        method: prediction.display().to_string(),
        maps: names.len(),
        rows: vec![row("raw gray levels", 0), row("RadioUNet's threshold 0.2", 1)],
        reliability: None,
    })
}

/// The maps of a folder by (map, transmitter).
fn maps(folder: &Path) -> Result<BTreeMap<(u32, u32), PathBuf>> {
    let listing = Listing::read(folder, "png").context("a folder of gain maps is expected")?;
    if let Some(notice) = passed_over(&listing.others) {
        eprintln!("warning: {notice}");
    }
    listing.sound(folder, "png")
}

/// The scores of one map, raw and under the threshold.
fn compare(prediction: &Path, path: &Path, buildings: Option<&Path>) -> Result<[Scores; 2]> {
    let (size, truth) = gray_png::read(path)?;
    let least = metrics::SSIM_WINDOW;
    ensure!(size >= least, "{} has {size} x {size} pixels, SSIM needs at least {least} x {least}", path.display());
    let of_size = |path: &Path| -> Result<Vec<u8>> {
        let (found, gray) = gray_png::read(path)?;
        ensure!(found == size, "{}: expected {size} x {size} pixels as the truth has, found {found} x {found}", path.display());
        Ok(gray)
    };
    let prediction = of_size(prediction)?;
    let inside: Vec<u8> = match buildings {
        Some(image) => of_size(image)?.iter().map(|&level| u8::from(level > 0)).collect(),
        None => truth.iter().map(|&level| u8::from(level == 0)).collect(),
    };
    let [prediction, truth] = [prediction, truth].map(|gray| gray.into_iter().map(|level| f32::from(level) / 255.0).collect::<Vec<_>>());
    let [prediction_cut, truth_cut] = [&prediction, &truth].map(|gray| gray.iter().map(|&level| cut(level)).collect::<Vec<_>>());
    let lit = |gray: &[f32]| gray.iter().any(|&level| level > 0.0);
    ensure!(lit(&truth_cut), "{}: no pixel is above RadioUNet's threshold, {} of 255", path.display(), THRESHOLD * 255.0);
    let codec = GrayCodec::default();
    let codec_cut = GrayCodec { floor_db: codec.decode(THRESHOLD), ..codec };
    let score = |prediction: &[f32], truth: &[f32], codec: &GrayCodec| Scores {
        nmse: metrics::nmse(prediction, truth),
        rmse: metrics::rmse(prediction, truth),
        ssim: metrics::ssim(prediction, truth, size),
        psnr_db: metrics::psnr(prediction, truth),
        rmse_db: metrics::rmse_db(prediction, truth, &inside, codec),
    };
    Ok([score(&prediction, &truth, &codec), score(&prediction_cut, &truth_cut, &codec_cut)])
}

/// A gray level under RadioUNet's threshold.
fn cut(level: f32) -> f32 {
    (level - THRESHOLD).max(0.0) / (1.0 - THRESHOLD)
}

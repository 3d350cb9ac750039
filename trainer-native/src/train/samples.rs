//! A dataset made ready for training: every sample's condition and map in memory, because lines of sight take longer to compute
//! than a small network takes to train on them.
//!
//! In flow folders in RadioMapSeer's layout; out flow [`Batch`]es. Scenes have their cars where the simulation had some, conditions
//! turn with their maps (a vector's components change places and signs), and maps are gray levels on the preset's scale, whatever
//! the scale of the files.

use anyhow::{Context, Result, bail};
use indicatif::{ProgressBar, ProgressStyle};
use radiodiff_core::model::Preset;
use radiodiff_dataset::Dataset;
use radiodiff_dataset::epoch_order;
use radiodiff_radio::features::{TurnError, TurnedPlane, condition, turned_planes};
use radiodiff_radio::geometry::PreparedScene;
pub use radiodiff_radio::geometry::Symmetry;
use radiodiff_radio::map::GrayCodec;
use rayon::prelude::*;
use std::path::{Path, PathBuf};
use tch::{Device, Kind, Tensor};

struct Prepared {
    /// (C, N, N), float16.
    condition: Tensor,
    /// (1, N, N) gray levels, uint8.
    truth: Tensor,
    /// (1, N, N), 1 outdoors, uint8.
    outdoors: Tensor,
}

/// Samples in memory.
pub struct Samples {
    samples: Vec<Prepared>,
    /// By the symmetry's number, the planes that a turned condition is made of.
    planes: Vec<Vec<TurnedPlane>>,
    /// The preset's gray level in [-1, 1] of each level of the files, (256); `None` where both scales are the same.
    rescaled: Option<Tensor>,
    /// The samples' sources, for the weights' manifest.
    pub description: String,
}

/// Samples on a device, float32; maps are gray levels of the preset's scale, moved to [-1, 1].
pub struct Batch {
    /// (B, C, N, N)
    pub condition: Tensor,
    /// (B, 1, N, N)
    pub truth: Tensor,
    /// (B, 1, N, N), 1 outdoors, 0 inside buildings.
    pub outdoors: Tensor,
}

/// A batch of images (B, C, N, N) whose pixels are turned by a symmetry.
fn turned(symmetry: Symmetry, x: &Tensor) -> Tensor {
    let x = if symmetry.transposed { x.transpose(2, 3) } else { x.shallow_clone() };
    let reversed = [(symmetry.rows_reversed, 2), (symmetry.columns_reversed, 3)];
    let dims: Vec<i64> = reversed.into_iter().filter(|(reversed, _)| *reversed).map(|(_, dim)| dim).collect();
    (if dims.is_empty() { x } else { x.flip(dims) }).contiguous()
}

/// The channels (B, C, N, N), whose pixels are turned already, as those of the turned scene: components of vectors change places and
/// signs.
fn gathered(planes: &[TurnedPlane], x: Tensor) -> Tensor {
    if planes.iter().enumerate().all(|(i, plane)| *plane == TurnedPlane { source: i, sign: 1.0 }) {
        return x;
    }
    let sources: Vec<i64> = planes.iter().map(|plane| plane.source as i64).collect();
    let signs: Vec<f32> = planes.iter().map(|plane| plane.sign).collect();
    let (sources, signs) = (Tensor::from_slice(&sources).to_device(x.device()), Tensor::from_slice(&signs).to_device(x.device()));
    x.index_select(1, &sources) * signs.reshape([1, -1, 1, 1])
}

impl Samples {
    /// The first `most` samples of each folder.
    pub fn load(folders: &[PathBuf], method: &str, preset: &Preset, most: usize) -> Result<Self> {
        let (mut samples, mut descriptions) = (Vec::new(), Vec::new());
        for folder in folders {
            let prepared = prepare(folder, method, preset, most)?;
            descriptions.push(format!("{} maps of {method} from {}", prepared.len(), described(folder)));
            samples.extend(prepared);
        }
        if samples.is_empty() {
            bail!("the configuration names no folder to read maps from; see data.train and data.valid");
        }
        let planes = Symmetry::all().map(|symmetry| turned_planes(symmetry, &preset.condition.channels));
        let planes = planes.collect::<Result<_, TurnError>>().context("the preset's channels cannot be turned")?;
        Ok(Self { samples, planes, rescaled: rescaled(&preset.gray), description: descriptions.join("; ") })
    }

    pub fn len(&self) -> usize {
        self.samples.len()
    }

    /// Never true: [`Self::load`] refuses a configuration without maps.
    pub fn is_empty(&self) -> bool {
        self.samples.is_empty()
    }

    /// The indices of step `step`'s samples: every epoch goes through all samples in an order of its own that the seed fixes.
    pub fn order(&self, seed: u64, step: usize, batch: usize) -> Vec<usize> {
        let (batches, batch) = ((self.len() / batch).max(1), batch.min(self.len()));
        let (epoch, place) = (step / batches, step % batches);
        epoch_order(seed, epoch, self.len())[place * batch..(place + 1) * batch].to_vec()
    }

    /// These samples, turned by one symmetry.
    pub fn batch(&self, indices: &[usize], symmetry: Symmetry, device: Device) -> Batch {
        let stack = |part: fn(&Prepared) -> &Tensor| {
            let parts: Vec<&Tensor> = indices.iter().map(|&i| part(&self.samples[i])).collect();
            turned(symmetry, &Tensor::stack(&parts, 0)).to_device(device).to_kind(Kind::Float)
        };
        let (levels, outdoors) = (stack(|s| &s.truth), stack(|s| &s.outdoors));
        let truth = match &self.rescaled {
            None => levels / 127.5 - 1.0,
            Some(table) => {
                let rescaled = table.to_device(device).index_select(0, &levels.to_kind(Kind::Int64).view(-1)).view_as(&levels);
                (rescaled + 1.0) * &outdoors - 1.0
            }
        };
        let condition = gathered(&self.planes[symmetry.number()], stack(|s| &s.condition));
        Batch { condition, truth, outdoors }
    }
}

/// The preset's gray level of each level of the files, `None` where both scales are the same.
fn rescaled(preset: &GrayCodec) -> Option<Tensor> {
    let files = GrayCodec::default();
    let level = |level: u8| 2.0 * preset.encode(files.decode(f32::from(level) / 255.0)) - 1.0;
    (*preset != files).then(|| Tensor::from_slice(&(0..=u8::MAX).map(level).collect::<Vec<_>>()))
}

/// Reads the first `most` samples of a folder and computes their conditions.
fn prepare(folder: &Path, method: &str, preset: &Preset, most: usize) -> Result<Vec<Prepared>> {
    let dataset = Dataset::open(folder, method)?;
    if let Some(notice) = dataset.notice() {
        eprintln!("warning: {notice}");
    }
    let count = dataset.len().min(most);
    let bar = progress("reading", count);
    let prepare = |i: usize| -> Result<Prepared> {
        let sample = dataset.load(i)?;
        let grid = sample.scene.grid;
        if (grid.size, grid.meters_per_pixel) != (preset.map_size, preset.meters_per_pixel) {
            bail!(
                "map {} of {} has {} pixels of {} m a side; preset {} wants {} of {} m",
                dataset.name(i),
                folder.display(),
                grid.size,
                grid.meters_per_pixel,
                preset.name,
                preset.map_size,
                preset.meters_per_pixel
            );
        }
        let condition = condition(&PreparedScene::new(&sample.scene), sample.position, &preset.condition.channels, &preset.gray)
            .with_context(|| format!("map {} of {}", dataset.name(i), folder.display()))?;
        let side = grid.size as i64;
        let outdoors: Vec<u8> = sample.scene.mask.pixels.iter().map(|&inside| u8::from(inside == 0)).collect();
        bar.inc(1);
        Ok(Prepared {
            condition: Tensor::from_slice(&condition).reshape([-1, side, side]).to_kind(Kind::Half),
            truth: Tensor::from_slice(&sample.truth).reshape([1, side, side]),
            outdoors: Tensor::from_slice(&outdoors).reshape([1, side, side]),
        })
    };
    let samples = (0..count).into_par_iter().map(prepare).collect();
    bar.finish();
    samples
}

fn progress(name: &'static str, steps: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{prefix} {bar:30} {pos}/{len} {per_sec}, {eta} left");
    ProgressBar::new(steps as u64).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar())).with_prefix(name)
}

/// What `dataset.toml` says of a folder's sources, else the folder's name.
fn described(folder: &Path) -> String {
    let table = std::fs::read_to_string(folder.join("dataset.toml")).ok().and_then(|text| text.parse::<toml::Table>().ok());
    let sources = table.as_ref().and_then(|table| table.get("sources")?.as_array());
    let source = |source: &toml::Value| {
        let text = |key| source.get(key).and_then(toml::Value::as_str).unwrap_or("?");
        let maps = source.get("maps").and_then(toml::Value::as_integer).unwrap_or_default();
        format!("{} ({maps} scenes, {}, {})", text("name"), text("licence"), text("credit"))
    };
    match sources {
        Some(sources) => sources.iter().map(source).collect::<Vec<_>>().join("; "),
        None => folder.display().to_string(),
    }
}

impl Batch {
    /// The same samples cut to `side` x `side` pixels from (top, left).
    pub fn crop(&self, top: i64, left: i64, side: i64) -> Self {
        let cut = |x: &Tensor| x.narrow(2, top, side).narrow(3, left, side).contiguous();
        Self { condition: cut(&self.condition), truth: cut(&self.truth), outdoors: cut(&self.outdoors) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use radiodiff_radio::features::{ConditionChannel, turn_condition};

    #[test]
    fn tensors_turn_as_conditions_do() {
        const SIDE: usize = 5;
        let channels = ConditionChannel::ALL;
        let values: Vec<f32> = (0..channels.len() * SIDE * SIDE).map(|i| (i as f32 * 0.37).sin()).collect();
        let shape = [1, channels.len() as i64, SIDE as i64, SIDE as i64];
        for symmetry in Symmetry::all() {
            let pixels = turned(symmetry, &Tensor::from_slice(&values).reshape(shape));
            let found = gathered(&turned_planes(symmetry, &channels).expect("pairs are whole"), pixels);
            let expected = turn_condition(symmetry, SIDE, &channels, &values).expect("pairs are whole");
            assert!(found.equal(&Tensor::from_slice(&expected).reshape(shape)), "{symmetry:?}");
        }
    }
}

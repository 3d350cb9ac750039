//! Beginning a stage with weights that exist: of another run, of another dataset, or of this run's stage before.
//!
//! Everything is taken whose shapes are this run's. Of another denoiser the second stage takes the first stage alone. Weights of
//! another first stage are refused.

use super::net2net::{is_twice_as_wide, told_more, widened};
use crate::stored_weights::{self, WeightsKind};
use crate::torch::TorchParameters;
use anyhow::{Context, Result, bail};
use radiodiff_core::diffusion::parameter_shapes;
use radiodiff_core::model::Preset;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::path::PathBuf;

/// Names of the parameters that the second stage takes over from the first.
pub const FIRST_STAGE: [&str; 2] = ["first_stage_model.", "scale_factor"];

/// Of the first stage, what weights for drawing have too.
const THAT_DRAW: [&str; 2] = ["first_stage_model.decoder.", "first_stage_model.post_quant_conv."];

/// Names of the denoiser's parameters.
const DENOISER: &str = "model.";

/// Copies weights into a run's parameters, the later over the earlier. `second_stage` says whether a first stage alone will do, which
/// then has to encode maps.
///
/// # Errors
/// As of [`Beginning::restore`]; no encoder among weights that the second stage begins with.
pub fn restore(from: &[Beginning], parameters: &TorchParameters, preset: &Preset, second_stage: bool) -> Result<()> {
    let mut encodes = from.is_empty();
    for beginning in from {
        encodes |= beginning.restore(parameters, preset, second_stage)?;
    }
    match from.last() {
        Some(last) if !encodes && second_stage => {
            let shown = last.path.display();
            bail!(
                "{shown} holds weights for drawing, without the encoder that training the denoiser takes: train one by `trainer train \
                 autoencoder --from {shown} --set 'autoencoder.freeze={THAT_DRAW:?}'`, then the denoiser in the same run with \
                 `--set diffusion.init={shown:?}`"
            )
        }
        Some(last) if !encodes => println!("{} holds weights for drawing: the encoder begins afresh", last.path.display()),
        _ => {}
    }
    Ok(())
}

/// Weights that a stage begins with.
pub struct Beginning {
    /// A weights file, or a checkpoint's folder, of which the averages are taken.
    pub path: PathBuf,
    /// Take the first stage alone.
    pub first_stage_only: bool,
}

impl Beginning {
    /// Everything that the file or folder has.
    pub fn whole(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), first_stage_only: false }
    }

    /// Copies the weights into a run's parameters, and says whether an encoder was among them: `trainer export` leaves it out unless told
    /// otherwise, and the run's then stays as it is. `second_stage` says whether a first stage alone will do.
    ///
    /// # Errors
    /// A file that cannot be read, or weights of another preset, with both shapes of a parameter that differs.
    fn restore(&self, parameters: &TorchParameters, preset: &Preset, second_stage: bool) -> Result<bool> {
        let shown = self.path.display();
        let stored = stored_weights::open(&self.path, WeightsKind::Averaged)?;
        let found = &stored.manifest().preset;
        let [theirs, ours] = [parameter_shapes(found)?, parameter_shapes(preset)?];
        let of_first_stage = |name: &str| FIRST_STAGE.iter().any(|prefix| name.starts_with(prefix));
        let first_stage_alone = self.first_stage_only || (second_stage && theirs != ours);
        let wanted = |name: &str| !first_stage_alone || of_first_stage(name);
        if let Some(difference) = difference_in_shapes([&found.name, &preset.name], [&theirs, &ours], wanted) {
            bail!("{shown} holds weights of another preset: {difference}. Begin with weights of these shapes, or with fresh ones");
        }
        if first_stage_alone && !self.first_stage_only {
            println!("{shown}: its denoiser is another than {}'s, so only its first stage is taken", preset.name);
        }
        warn_of_settings(&shown, found, preset)?;
        let mut prefixes = if stored.draws_only() { [&THAT_DRAW[..], &["scale_factor"]].concat() } else { FIRST_STAGE.to_vec() };
        prefixes.extend((!first_stage_alone).then_some(DENOISER));
        parameters.restore(stored.tensors(), &prefixes).with_context(|| format!("the weights {shown}"))?;
        Ok(!stored.draws_only())
    }

    /// Copies a network of quantiles into a run's parameters. One half as wide is widened, and one that is told less does not read what is
    /// new; both compute what they did.
    ///
    /// # Errors
    /// A file that cannot be read, or one without the preset's network of quantiles, with the first parameter that is missing or has
    /// another shape.
    pub fn restore_quantiles(&self, parameters: &TorchParameters, preset: &Preset, seed: u64) -> Result<()> {
        let shown = self.path.display();
        let stored = stored_weights::open(&self.path, WeightsKind::Averaged)?;
        let found = &stored.manifest().preset;
        let [told, known] = [preset, found].map(|preset| &preset.condition.channels[..]);
        let widths = preset.quantiles.as_ref().zip(found.quantiles.as_ref()).filter(|(wide, narrow)| is_twice_as_wide(wide, narrow));
        let mut grown = None;
        if told.len() > known.len() && (widths.is_some() || preset.quantiles == found.quantiles) {
            println!("{shown}: {:?} are new to it, and are not read at first", &told[known.len()..]);
            grown = Some(told_more(stored.tensors(), told.len() - known.len()));
        }
        if let Some((wide, narrow)) = widths {
            println!("{shown}: every channel becomes two, {:?} become {:?}", narrow.widths, wide.widths);
            grown = Some(widened(grown.as_ref().unwrap_or(stored.tensors()), &parameters.shapes(), seed));
        }
        parameters
            .restore(grown.as_ref().unwrap_or(stored.tensors()), &[""])
            .with_context(|| format!("{shown} does not hold {}'s network of quantiles", preset.name))?;
        if grown.is_none() {
            return warn_of_settings(&shown, found, preset);
        }
        if let Some((was, is)) = known.iter().zip(told).find(|(was, is)| was != is) {
            eprintln!("warning: {shown} was trained for other channels: where it read {was:?}, it is told {is:?} now");
        }
        Ok(())
    }
}

/// Says on stderr where weights of the same shapes were trained for other settings.
fn warn_of_settings(shown: &impl Display, found: &Preset, preset: &Preset) -> Result<()> {
    if let Some(difference) = difference_in_settings(found, preset)? {
        eprintln!("warning: {shown} was trained for another preset of the same shapes: {difference}");
    }
    Ok(())
}

/// Says how two presets differ: by a parameter's two shapes where there is one, else by a setting.
pub fn difference(saved: &Preset, wanted: &Preset) -> Result<String> {
    let names = [saved.name.as_str(), wanted.name.as_str()];
    let [theirs, ours] = [parameter_shapes(saved)?, parameter_shapes(wanted)?];
    let difference = match difference_in_shapes(names, [&theirs, &ours], |_| true) {
        Some(difference) => Some(difference),
        None => difference_in_settings(saved, wanted)?,
    };
    Ok(difference.map_or(String::new(), |difference| format!(": {difference}")))
}

type Shapes = BTreeMap<String, Vec<usize>>;

/// The first parameter among the wanted that two presets have in different shapes.
fn difference_in_shapes(names: [&str; 2], shapes: [&Shapes; 2], wanted: impl Fn(&str) -> bool) -> Option<String> {
    let parameters: BTreeSet<&String> = shapes.iter().flat_map(|shapes| shapes.keys()).filter(|name| wanted(name)).collect();
    let differs = parameters.into_iter().find(|name| shapes[0].get(*name) != shapes[1].get(*name))?;
    let shape = |i: usize| shapes[i].get(differs).map_or(String::from("absent"), |shape| format!("{shape:?}"));
    Some(format!("{differs} is {} in {} and {} in {}", shape(0), names[0], shape(1), names[1]))
}

/// The first setting, beside the name, that two presets have differently.
fn difference_in_settings(saved: &Preset, wanted: &Preset) -> Result<Option<String>> {
    let [theirs, ours] = [toml::Table::try_from(saved)?, toml::Table::try_from(wanted)?].map(|table| flattened("", &table));
    let keys: BTreeSet<&String> = theirs.keys().chain(ours.keys()).filter(|key| *key != "name").collect();
    let absent = String::from("nothing");
    let value = |entries: &BTreeMap<String, String>, key: &String| entries.get(key).unwrap_or(&absent).clone();
    let differs = keys.into_iter().find(|key| theirs.get(*key) != ours.get(*key));
    Ok(differs.map(|key| format!("{key} is {} in {} and {} in {}", value(&theirs, key), saved.name, value(&ours, key), wanted.name)))
}

/// The entries of a table and of those within, by dotted names.
pub fn flattened(prefix: &str, table: &toml::Table) -> BTreeMap<String, String> {
    let mut entries = BTreeMap::new();
    for (key, value) in table {
        match value {
            toml::Value::Table(inner) => entries.extend(flattened(&format!("{prefix}{key}."), inner)),
            value => drop(entries.insert(format!("{prefix}{key}"), value.to_string())),
        }
    }
    entries
}

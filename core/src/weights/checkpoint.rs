//! Weights files: safetensors with a JSON manifest in the metadata.
//!
//! The manifest (key [`MANIFEST_KEY`]) says which networks the tensors belong to and what their numbers mean. Reading validates
//! everything before a tensor is made. Building the networks fails on any tensor that is missing, unused or misshapen, by name.
//! Tensors are float32, float16 or 8-bit integers with scales; all are widened on load, so any engine runs any of them. A file may lack
//! the first stage's encoder, which drawing from noise does not need. The weights of a network of quantiles are a file of their own.

use super::error::WeightsError;
use super::host::{HostSource, HostTensor};
use super::manifest::{FORMAT_VERSION, MANIFEST_KEY, WeightsManifest};
use super::precision::{LEAST_LEVELS, MOST_LEVELS, Precision};
use super::quantized::{Quantized, quantize, scale_name};
use super::tensors::{read, widened};
use crate::diffusion::RadioDiff;
use crate::engine::Engine;
use crate::model::Preset;
use crate::model::preset::GridRange;
use crate::model::quantiles::{self, QuantileNet};
use crate::parameters::VarBuilder;
use radiodiff_radio::map::Quantity;
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashMap};

/// SHA-256, in hexadecimal, over the manifest with an empty `content_sha256` and over every tensor, in the order of names: any
/// damaged byte that matters is found.
fn content_hash<'a>(
    manifest: &WeightsManifest,
    tensors: impl Iterator<Item = (&'a str, TensorView<'a>)>,
) -> Result<String, serde_json::Error> {
    let manifest = WeightsManifest { content_sha256: String::new(), ..manifest.clone() };
    let mut hasher = Sha256::new();
    hasher.update(serde_json::to_vec(&manifest)?);
    for (name, view) in tensors.collect::<BTreeMap<_, _>>() {
        hasher.update(format!("\n{name} {:?} {:?}\n", view.dtype(), view.shape()));
        hasher.update(view.data());
    }
    Ok(hexadecimal(&hasher.finalize()))
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whether a tensor belongs to what turns maps into latents.
pub fn is_encoder(name: &str) -> bool {
    ["first_stage_model.encoder.", "first_stage_model.quant_conv."].iter().any(|part| name.starts_with(part))
}

/// A validated weights file.
pub struct Checkpoint {
    manifest: WeightsManifest,
    tensors: HashMap<String, HostTensor>,
}

impl Checkpoint {
    /// Reads and validates a file's bytes.
    pub fn parse(bytes: &[u8]) -> Result<Self, WeightsError> {
        let file = read(bytes)?;
        let (_, header) = SafeTensors::read_metadata(bytes)?;
        let manifest = header.metadata().as_ref().and_then(|m| m.get(MANIFEST_KEY)).ok_or(WeightsError::NoManifest)?;
        // The version first: a newer manifest may have other fields.
        #[derive(Deserialize)]
        struct Version {
            format_version: u32,
        }
        let Version { format_version: found } = serde_json::from_str(manifest)?;
        if found != FORMAT_VERSION {
            return Err(WeightsError::Version { found });
        }
        let manifest: WeightsManifest = serde_json::from_str(manifest)?;
        let found = content_hash(&manifest, file.iter())?;
        if found != manifest.content_sha256 {
            return Err(WeightsError::Damaged { expected: manifest.content_sha256, found });
        }
        if manifest.quantity != Quantity::PathGainDb {
            return Err(WeightsError::Quantity { found: manifest.quantity });
        }
        manifest.preset.validate()?;
        Ok(Self { manifest, tensors: widened(&file)? })
    }

    pub fn manifest(&self) -> &WeightsManifest {
        &self.manifest
    }

    /// The tensors by name, widened to f32.
    pub fn tensors(&self) -> &HashMap<String, HostTensor> {
        &self.tensors
    }

    /// Whether the file lacks the first stage's encoder.
    pub fn draws_only(&self) -> bool {
        !self.tensors.keys().any(|name| is_encoder(name))
    }

    /// Whether these are the weights of a network of quantiles, which [`Self::build_quantiles`] builds.
    pub fn holds_quantiles(&self) -> bool {
        self.tensors.keys().any(|name| name.starts_with(&format!("{}.", quantiles::ROOT)))
    }

    /// The grids that the networks draw.
    pub fn grids(&self) -> GridRange {
        let preset = &self.manifest.preset;
        if self.holds_quantiles() { preset.quantile_grids() } else { GridRange::of_one(preset.grid()) }
    }

    /// The networks of diffusion with these weights on an engine.
    pub fn build<E: Engine>(&self, engine: &E) -> Result<RadioDiff<E>, WeightsError> {
        if self.holds_quantiles() {
            return Err(WeightsError::OfQuantiles { preset: self.manifest.preset.name.clone() });
        }
        self.with_all(engine, |preset, vb| {
            Ok(if self.draws_only() { RadioDiff::without_encoder(preset, vb)? } else { RadioDiff::new(preset, vb)? })
        })
    }

    /// The network of quantiles with these weights on an engine.
    pub fn build_quantiles<E: Engine>(&self, engine: &E) -> Result<QuantileNet<E>, WeightsError> {
        self.with_all(engine, |preset, vb| Ok(QuantileNet::new(preset, vb)?))
    }

    /// What `build` makes of the file's tensors, of which none may be left over.
    fn with_all<E: Engine, M>(
        &self,
        engine: &E,
        build: impl FnOnce(&Preset, &VarBuilder<E>) -> Result<M, WeightsError>,
    ) -> Result<M, WeightsError> {
        let source = HostSource::new(&self.tensors);
        let preset = &self.manifest.preset;
        let model = build(preset, &VarBuilder::new(engine, &source))?;
        match source.unused() {
            names if names.is_empty() => Ok(model),
            names => Err(WeightsError::Unused { preset: preset.name.clone(), names }),
        }
    }
}

/// The bytes of a weights file. `manifest.format_version` and `.content_sha256` are filled in here.
///
/// # Errors
/// A value too large for float16; levels out of their range.
pub fn serialize(
    tensors: &BTreeMap<String, HostTensor>,
    mut manifest: WeightsManifest,
    precision: Precision,
) -> Result<Vec<u8>, WeightsError> {
    let mut encoded = Vec::new();
    for (name, tensor) in tensors {
        encoded.extend(encode(name, tensor, precision)?);
    }
    let views = encoded
        .iter()
        .map(|(name, dtype, shape, bytes)| Ok((name.as_str(), TensorView::new(*dtype, shape.clone(), bytes)?)))
        .collect::<Result<Vec<_>, safetensors::SafeTensorError>>()?;
    manifest.format_version = FORMAT_VERSION;
    manifest.content_sha256 = content_hash(&manifest, views.iter().cloned())?;
    let metadata = HashMap::from([(MANIFEST_KEY.to_owned(), serde_json::to_string(&manifest)?)]);
    Ok(safetensors::serialize(views, Some(metadata))?)
}

/// A tensor of a file: name, element type, shape, bytes.
type EncodedTensor = (String, Dtype, Vec<usize>, Vec<u8>);

/// A tensor as it is written; of 8-bit integers also their scales.
fn encode(name: &str, tensor: &HostTensor, precision: Precision) -> Result<Vec<EncodedTensor>, WeightsError> {
    let HostTensor { shape, values } = tensor;
    let quantized = match precision {
        Precision::F32 => {
            let bytes = values.iter().flat_map(|v| v.to_le_bytes()).collect();
            return Ok(vec![(name.to_owned(), Dtype::F32, shape.clone(), bytes)]);
        }
        Precision::F16 => None,
        Precision::Int8 { levels } if (LEAST_LEVELS..=MOST_LEVELS).contains(&levels) => quantize(tensor, levels),
        Precision::Int8 { levels } => return Err(WeightsError::Levels { found: levels }),
    };
    if let Some(index) = values.iter().position(|&v| v.is_finite() && !half::f16::from_f32(v).is_finite()) {
        return Err(WeightsError::TooLarge { name: name.into(), index, value: values[index] });
    }
    let halves = |values: &[half::f16]| values.iter().flat_map(|v| v.to_le_bytes()).collect();
    Ok(match quantized {
        None => {
            let values: Vec<half::f16> = values.iter().map(|&v| half::f16::from_f32(v)).collect();
            vec![(name.to_owned(), Dtype::F16, shape.clone(), halves(&values))]
        }
        Some(Quantized { integers, scales }) => vec![
            (name.to_owned(), Dtype::I8, shape.clone(), integers.iter().map(|integer| integer.cast_unsigned()).collect()),
            (scale_name(name), Dtype::F16, vec![scales.len()], halves(&scales)),
        ],
    })
}

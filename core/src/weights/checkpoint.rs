//! Weights files: safetensors with a JSON manifest in the metadata.
//!
//! The manifest (key [`MANIFEST_KEY`]) says which networks the tensors belong to and what their numbers mean. Reading validates
//! everything before a tensor is made. Building the networks fails on any tensor that is missing, unused or misshapen, by name.
//! Tensors are float32 or float16; float16 is widened on load, so any engine runs either.

use super::error::WeightsError;
use super::host::{HostSource, HostTensor};
use super::manifest::{FORMAT_VERSION, MANIFEST_KEY, WeightsManifest};
use super::tensors::{read, widen};
use crate::diffusion::RadioDiff;
use crate::engine::Engine;
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
        let tensors =
            file.iter().map(|(name, view)| Ok((name.to_owned(), widen(name, &view)?))).collect::<Result<HashMap<_, _>, WeightsError>>()?;
        Ok(Self { manifest, tensors })
    }

    pub fn manifest(&self) -> &WeightsManifest {
        &self.manifest
    }

    /// The tensors by name, widened to f32.
    pub fn tensors(&self) -> &HashMap<String, HostTensor> {
        &self.tensors
    }

    /// The networks with these weights on an engine.
    pub fn build<E: Engine>(&self, engine: &E) -> Result<RadioDiff<E>, WeightsError> {
        let source = HostSource::new(&self.tensors);
        let model = RadioDiff::new(&self.manifest.preset, &VarBuilder::new(engine, &source))?;
        let names = source.unused();
        if !names.is_empty() {
            return Err(WeightsError::Unused { preset: self.manifest.preset.name.clone(), names });
        }
        Ok(model)
    }
}

/// Element type of a written file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    F32,
    F16,
}

/// The bytes of a weights file. `manifest.format_version` and `.content_sha256` are filled in here.
///
/// # Errors
/// A value too large for float16.
pub fn serialize(
    tensors: &BTreeMap<String, HostTensor>,
    mut manifest: WeightsManifest,
    precision: Precision,
) -> Result<Vec<u8>, WeightsError> {
    let encode = |name: &String, values: &[f32]| -> Result<Vec<u8>, WeightsError> {
        if precision == Precision::F32 {
            return Ok(values.iter().flat_map(|v| v.to_le_bytes()).collect());
        }
        if let Some(index) = values.iter().position(|&v| v.is_finite() && !half::f16::from_f32(v).is_finite()) {
            return Err(WeightsError::TooLarge { name: name.clone(), index, value: values[index] });
        }
        Ok(values.iter().flat_map(|&v| half::f16::from_f32(v).to_le_bytes()).collect())
    };
    let dtype = if precision == Precision::F32 { Dtype::F32 } else { Dtype::F16 };
    let encoded = tensors.iter().map(|(name, t)| Ok((name, t, encode(name, &t.values)?))).collect::<Result<Vec<_>, WeightsError>>()?;
    let views = encoded
        .iter()
        .map(|(name, t, bytes)| Ok((name.as_str(), TensorView::new(dtype, t.shape.clone(), bytes)?)))
        .collect::<Result<Vec<_>, safetensors::SafeTensorError>>()?;
    manifest.format_version = FORMAT_VERSION;
    manifest.content_sha256 = content_hash(&manifest, views.iter().cloned())?;
    let metadata = HashMap::from([(MANIFEST_KEY.to_owned(), serde_json::to_string(&manifest)?)]);
    Ok(safetensors::serialize(views, Some(metadata))?)
}

//! Weights files: safetensors with a JSON manifest in the metadata.
//!
//! The manifest (key [`MANIFEST_KEY`]) says which networks the tensors are for and what their numbers mean. Reading validates
//! everything before a tensor is made; building the networks fails on anything missing, unused or of another shape, by name.
//!
//! Tensors are f32 or f16; f16 is widened on load, so any engine runs either.

use super::{ParameterError, ParameterSource, ParameterSpec, Parameters};
use crate::engine::Engine;
use crate::model::radiodiff::BuildError;
use crate::model::{Preset, PresetError, RadioDiff};
use radiodiff_radio::map::Quantity;
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use thiserror::Error;

/// The metadata entry that holds the manifest.
pub const MANIFEST_KEY: &str = "radiodiff";
/// The format this build reads and writes.
pub const FORMAT_VERSION: u32 = 1;

/// What a weights file says of itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    pub format_version: u32,
    pub preset: Preset,
    /// SHA-256 over this manifest and all tensors, by which a damaged file is found.
    pub content_sha256: String,
    /// What the gray levels decode to; this format has path gain only.
    pub quantity: Quantity,
    /// Data the weights were trained on, and its licence.
    pub training_data: String,
    pub license: String,
    /// Metrics of an evaluation, by name.
    pub metrics: BTreeMap<String, f64>,
    /// Commit of the code that trained them.
    pub commit: String,
}

impl Manifest {
    /// Of weights for `preset` that draw path gain, with nothing else known of them. [`serialize`] fills in version and hash.
    pub fn of(preset: Preset) -> Self {
        Self {
            format_version: FORMAT_VERSION,
            preset,
            content_sha256: String::new(),
            quantity: Quantity::PathGainDb,
            training_data: String::new(),
            license: String::new(),
            metrics: BTreeMap::new(),
            commit: String::new(),
        }
    }
}

/// Why a weights file was refused.
#[derive(Debug, Error)]
pub enum WeightsError {
    #[error("not a safetensors file, or a damaged one: {0}; download or export it again")]
    Format(safetensors::SafeTensorError),
    #[error("a file of PyTorch's own format, which only Python reads: save its tensors by safetensors.torch.save_file")]
    PyTorch,
    #[error("the safetensors file has no \"{MANIFEST_KEY}\" entry in its metadata: it is not a RadioDiff weights file")]
    NoManifest,
    #[error("the manifest cannot be read: {0}")]
    Manifest(serde_json::Error),
    #[error("weights format {found}, expected {FORMAT_VERSION}: use a matching version of this program")]
    Version { found: u32 },
    #[error("the network draws {found:?}, expected {:?}: to anything else the transmit power cannot be added", Quantity::PathGainDb)]
    Quantity { found: Quantity },
    #[error(transparent)]
    Preset(#[from] PresetError),
    #[error("tensor {name} has element type {found}, expected {expected}")]
    ElementType { name: String, found: String, expected: &'static str },
    #[error("tensor {name} holds a value that is not finite at element {index}: the file is damaged or its training failed")]
    NotFinite { name: String, index: usize },
    #[error("tensor {name} holds {value} at element {index}, which float16 cannot hold: write float32")]
    TooLarge { name: String, index: usize, value: f32 },
    #[error("tensor {name} holds the variance {value} at element {index}, expected at least 0: the file was not made by training")]
    NegativeVariance { name: String, index: usize, value: f32 },
    #[error("the content's SHA-256 is {found}, the manifest says {expected}: the file is damaged; download or export it again")]
    Damaged { expected: String, found: String },
    #[error("{} of the file's tensors are not used by preset {preset}: {}", names.len(), names.join(", "))]
    Unused { preset: String, names: Vec<String> },
    #[error(transparent)]
    Parameter(#[from] ParameterError),
}

impl From<BuildError> for WeightsError {
    fn from(error: BuildError) -> Self {
        match error {
            BuildError::Preset(error) => Self::Preset(error),
            BuildError::Parameter(error) => Self::Parameter(error),
        }
    }
}

// By hand: `#[from]` would make them sources too, and a chain of errors say the same twice.
impl From<safetensors::SafeTensorError> for WeightsError {
    fn from(error: safetensors::SafeTensorError) -> Self {
        Self::Format(error)
    }
}

impl From<serde_json::Error> for WeightsError {
    fn from(error: serde_json::Error) -> Self {
        Self::Manifest(error)
    }
}

/// A tensor on the host.
#[derive(Clone, Debug, PartialEq)]
pub struct HostTensor {
    pub shape: Vec<usize>,
    pub values: Vec<f32>,
}

/// The tensors of a safetensors file, which is told from one that PyTorch wrote: a ZIP archive or, of old, a bare pickle.
pub(super) fn read(bytes: &[u8]) -> Result<SafeTensors<'_>, WeightsError> {
    SafeTensors::deserialize(bytes).map_err(|error| match bytes {
        [b'P', b'K', 3, 4, ..] | [0x80, 2..=5, ..] => WeightsError::PyTorch,
        _ => WeightsError::Format(error),
    })
}

/// SHA-256, in hexadecimal, over the manifest with an empty `content_sha256` and over every tensor, in the order of names: any
/// damaged byte that matters is found.
fn content_hash<'a>(manifest: &Manifest, tensors: impl Iterator<Item = (&'a str, TensorView<'a>)>) -> Result<String, serde_json::Error> {
    let manifest = Manifest { content_sha256: String::new(), ..manifest.clone() };
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
    manifest: Manifest,
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
        let manifest: Manifest = serde_json::from_str(manifest)?;
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

    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The tensors by name, widened to f32.
    pub fn tensors(&self) -> &HashMap<String, HostTensor> {
        &self.tensors
    }

    /// The networks with these weights on an engine.
    pub fn build<E: Engine>(&self, engine: &E) -> Result<RadioDiff<E>, WeightsError> {
        let source = HostSource::new(&self.tensors);
        let model = RadioDiff::new(&self.manifest.preset, &Parameters::new(engine, &source))?;
        let names = source.unused();
        if !names.is_empty() {
            return Err(WeightsError::Unused { preset: self.manifest.preset.name.clone(), names });
        }
        Ok(model)
    }
}

fn widen(name: &str, view: &TensorView) -> Result<HostTensor, WeightsError> {
    match view.dtype() {
        Dtype::F32 | Dtype::F16 => host_tensor(name, view),
        other => Err(WeightsError::ElementType { name: name.into(), found: format!("{other:?}"), expected: "F32 or F16" }),
    }
}

/// A tensor of any floating-point type as f32; its values are finite, and variances not negative.
pub(super) fn host_tensor(name: &str, view: &TensorView) -> Result<HostTensor, WeightsError> {
    let bytes = view.data();
    let values: Vec<f32> = match view.dtype() {
        Dtype::F32 => bytes.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect(),
        Dtype::F64 => bytes.as_chunks().0.iter().map(|b| f64::from_le_bytes(*b) as f32).collect(),
        Dtype::F16 => bytes.as_chunks().0.iter().map(|b| half::f16::from_le_bytes(*b).to_f32()).collect(),
        Dtype::BF16 => bytes.as_chunks().0.iter().map(|b| half::bf16::from_le_bytes(*b).to_f32()).collect(),
        other => {
            let (name, found) = (name.into(), format!("{other:?}"));
            return Err(WeightsError::ElementType { name, found, expected: "F16, BF16, F32 or F64" });
        }
    };
    if let Some(index) = values.iter().position(|v| !v.is_finite()) {
        return Err(WeightsError::NotFinite { name: name.into(), index });
    }
    // Its square root would be no number, which some operations swallow.
    let negative = values.iter().position(|&v| v < 0.0).filter(|_| name.ends_with(".running_var"));
    if let Some(index) = negative {
        return Err(WeightsError::NegativeVariance { name: name.into(), index, value: values[index] });
    }
    Ok(HostTensor { shape: view.shape().to_vec(), values })
}

/// The tensors of a safetensors file whose names begin with `prefix`, widened to f32; no manifest is asked for. For weights that
/// others made and that do not draw maps.
pub fn read_tensors(bytes: &[u8], prefix: &str) -> Result<HashMap<String, HostTensor>, WeightsError> {
    let file = read(bytes)?;
    let wanted = file.iter().filter(|(name, _)| name.starts_with(prefix));
    wanted.map(|(name, view)| Ok((name.to_owned(), widen(name, &view)?))).collect()
}

/// Gives parameters from host tensors and remembers which.
pub struct HostSource<'a> {
    tensors: &'a HashMap<String, HostTensor>,
    used: RefCell<BTreeSet<String>>,
}

impl<'a> HostSource<'a> {
    pub fn new(tensors: &'a HashMap<String, HostTensor>) -> Self {
        Self { tensors, used: RefCell::default() }
    }

    /// Names nobody has asked for, sorted.
    pub fn unused(&self) -> Vec<String> {
        let used = self.used.borrow();
        let mut names: Vec<String> = self.tensors.keys().filter(|&name| !used.contains(name)).cloned().collect();
        names.sort();
        names
    }
}

impl<E: Engine> ParameterSource<E> for HostSource<'_> {
    fn parameter(&self, engine: &E, spec: &ParameterSpec) -> Result<E::Tensor, ParameterError> {
        let (name, expected) = (spec.name.clone(), spec.shape.clone());
        let Some(tensor) = self.tensors.get(&spec.name) else {
            return Err(ParameterError::Missing { name, expected });
        };
        if tensor.shape != spec.shape {
            return Err(ParameterError::Shape { name, expected, found: tensor.shape.clone() });
        }
        self.used.borrow_mut().insert(name);
        Ok(engine.tensor(&tensor.values, &tensor.shape))
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
pub fn serialize(tensors: &BTreeMap<String, HostTensor>, mut manifest: Manifest, precision: Precision) -> Result<Vec<u8>, WeightsError> {
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

//! Tensors out of safetensors files: reading, widening to float32, and the checks that any file must pass.

use super::error::WeightsError;
use super::host::HostTensor;
use super::quantized::{restore, scale_name};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use std::collections::HashMap;

/// Opens a safetensors file. A file that PyTorch wrote, a ZIP archive or in old versions a bare pickle, is an error of its own.
pub(super) fn read(bytes: &[u8]) -> Result<SafeTensors<'_>, WeightsError> {
    SafeTensors::deserialize(bytes).map_err(|error| match bytes {
        [b'P', b'K', 3, 4, ..] | [0x80, 2..=5, ..] => WeightsError::PyTorch,
        _ => WeightsError::Format(error),
    })
}

/// The tensors of a file as float32, by name. Tensors of 8-bit integers are multiplied by their scales, which are no tensors of their own
/// then.
pub(super) fn widened(file: &SafeTensors<'_>) -> Result<HashMap<String, HostTensor>, WeightsError> {
    let mut tensors = HashMap::new();
    let mut scales = HashMap::new();
    for (name, view) in file.iter() {
        let is_integer = |of: &str| file.tensor(of).is_ok_and(|tensor| tensor.dtype() == Dtype::I8);
        if view.dtype() == Dtype::I8 {
            continue;
        }
        let is_scale = name.strip_suffix(".scale").is_some_and(is_integer);
        let kept = if is_scale { &mut scales } else { &mut tensors };
        kept.insert(name.to_owned(), widen(name, &view)?);
    }
    for (name, view) in file.iter().filter(|(_, view)| view.dtype() == Dtype::I8) {
        let scales = scales.get(&scale_name(name)).ok_or_else(|| WeightsError::NoScales { name: name.into() })?;
        tensors.insert(name.to_owned(), restore(name, view.shape(), view.data(), scales)?);
    }
    Ok(tensors)
}

/// A float32 or float16 tensor as float32.
pub(super) fn widen(name: &str, view: &TensorView) -> Result<HostTensor, WeightsError> {
    match view.dtype() {
        Dtype::F32 | Dtype::F16 => host_tensor(name, view),
        other => Err(WeightsError::ElementType { name: name.into(), found: format!("{other:?}"), expected: "F32, F16 or I8 with scales" }),
    }
}

/// A tensor of any floating-point type as float32. Its values must be finite, and variances not negative.
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
    // Its square root would be NaN, which some operations swallow.
    let negative = values.iter().position(|&v| v < 0.0).filter(|_| name.ends_with(".running_var"));
    if let Some(index) = negative {
        return Err(WeightsError::NegativeVariance { name: name.into(), index, value: values[index] });
    }
    Ok(HostTensor { shape: view.shape().to_vec(), values })
}

/// The tensors of a safetensors file whose names begin with `prefix`, widened to float32. The file needs no manifest: these are
/// reference values and weights that do not draw maps.
///
/// # Errors
/// A damaged file, other element types than float32 and float16, values that are not finite, negative variances.
pub fn read_tensors(bytes: &[u8], prefix: &str) -> Result<HashMap<String, HostTensor>, WeightsError> {
    let file = read(bytes)?;
    let wanted = file.iter().filter(|(name, _)| name.starts_with(prefix));
    wanted.map(|(name, view)| Ok((name.to_owned(), widen(name, &view)?))).collect()
}

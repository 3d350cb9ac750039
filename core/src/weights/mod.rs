//! Weights files in and out: this project's own safetensors files, and checkpoints of the public code.

mod checkpoint;
mod error;
mod host;
mod import;
mod manifest;
mod precision;
mod quantized;
mod tensors;

pub use checkpoint::{Checkpoint, is_encoder, serialize};
pub use error::WeightsError;
pub use host::{HostSource, HostTensor};
pub use import::{ImportError, LPIPS_ROOT, LoadReport, import, import_lpips};
pub use manifest::{EnsembleRule, FORMAT_VERSION, MANIFEST_KEY, WeightsManifest};
pub use precision::Precision;
pub use tensors::read_tensors;

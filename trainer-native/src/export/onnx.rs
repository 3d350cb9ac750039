//! Networks as an ONNX file: the graph that draws a map in one step, or says its quantiles, as the recording engine was asked to run it.
//!
//! Inputs: `condition` (1, C, H, W), the preset's channels in [-1, 1], and of a network that draws `noise` (1, Z, h, w), standard normal.
//! Output: `gray`, gray levels in [0, 1] on the preset's scale, (1, 1, H, W), or of quantiles (1, Q, H, W), ascending. The metadata names
//! the channels, and gives the scale in dB and the factor by which several maps are moved away from their mean. The batch is one map of
//! the preset's size, because the networks are recorded with fixed shapes.

use super::messages::{MetadataEntry, OnnxModel, OperatorSet};
use super::recorder::{NamedConstants, OnnxRecorder};
use anyhow::Result;
use prost::Message;
use radiodiff_core::diffusion::{RadioDiff, SampleOptions, Sampling};
use radiodiff_core::model::quantiles::QuantileNet;
use radiodiff_core::parameters::VarBuilder;
use radiodiff_core::weights::{Checkpoint, HostSource};

/// Names of the graph's inputs and of its output.
pub const CONDITION: &str = "condition";
pub const NOISE: &str = "noise";
pub const GRAY: &str = "gray";
const IR_VERSION: i64 = 8;
const OPERATORS: i64 = 17;
/// A protobuf message cannot be longer.
const MOST_BYTES: usize = i32::MAX as usize;

/// The bytes of an ONNX file.
///
/// # Errors
/// Networks that do not fit their preset, or weights of 2 GiB and more.
pub fn onnx(checkpoint: &Checkpoint) -> Result<Vec<u8>> {
    let manifest = checkpoint.manifest();
    let preset = &manifest.preset;
    let recorder = OnnxRecorder::default();
    let constants = NamedConstants(HostSource::new(checkpoint.tensors()));
    let parameters = VarBuilder::new(&recorder, &constants);
    let condition = recorder.input(CONDITION, &[1, preset.condition.channels.len(), preset.map_size, preset.map_size]);
    let (gray, what) = if checkpoint.holds_quantiles() {
        let quantiles = QuantileNet::new(preset, &parameters)?.gray(&recorder, &condition);
        (quantiles, "Says the quantiles of a radio map. condition: channels in [-1, 1]; gray: 0 to 1, for the probabilities 1/20 to 19/20.")
    } else {
        let model = RadioDiff::without_encoder(preset, &parameters)?;
        let noise = recorder.input(NOISE, &model.latent_shape(1));
        let features = model.denoiser.encode_condition(&recorder, &condition);
        let mut sampling = Sampling::new(noise, 1.0, &SampleOptions::default());
        while model.advance(&recorder, &features, &mut sampling) {}
        let map = model.decode_gray(&recorder, &sampling.latent, &condition);
        (map, "Draws a radio map in one step. condition: channels in [-1, 1]; noise: standard normal; gray: 0 to 1.")
    };
    let mut graph = recorder.finish(GRAY, &gray);
    graph.name.clone_from(&preset.name);
    // Constants that one step does not use: the U-Net's second decoder, for one.
    let used: std::collections::HashSet<&String> = graph.nodes.iter().flat_map(|node| &node.inputs).collect();
    let unused: Vec<bool> = graph.initializers.iter().map(|constant| !used.contains(&constant.name)).collect();
    let mut unused = unused.into_iter();
    graph.initializers.retain(|_| unused.next() == Some(false));

    let channels = serde_json::to_string(&preset.condition.channels)?;
    let entry = |key: &str, value: String| MetadataEntry { key: key.to_owned(), value };
    let file = OnnxModel {
        ir_version: IR_VERSION,
        producer_name: String::from("trainer export"),
        producer_version: env!("CARGO_PKG_VERSION").to_owned(),
        doc_string: what.to_owned(),
        graph: Some(graph),
        operator_sets: vec![OperatorSet { domain: String::new(), version: OPERATORS }],
        metadata: vec![
            entry("preset", preset.name.clone()),
            entry("channels", channels),
            entry("gray_floor_db", preset.gray.floor_db.to_string()),
            entry("gray_ceiling_db", preset.gray.ceiling_db.to_string()),
            entry("meters_per_pixel", preset.meters_per_pixel.to_string()),
            entry("widening", manifest.widening().to_string()),
            entry("weights_sha256", manifest.content_sha256.clone()),
            entry("license", manifest.license.clone()),
        ],
    };
    let bytes = file.encoded_len();
    anyhow::ensure!(bytes <= MOST_BYTES, "preset {} takes {bytes} bytes as ONNX, at most {MOST_BYTES} fit a file", preset.name);
    Ok(file.encode_to_vec())
}

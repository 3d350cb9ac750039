//! Linear attention in two kernels: the context of each head, which is small, then every pixel's product with it.

use super::recorder::{Kernel, Recorder, grid, groups};
use super::tensor::GpuTensor;

const SOURCE: &[&str] = &[include_str!("common.wgsl"), include_str!("linear_attention.wgsl")];

static CONTEXT: Kernel = Kernel { source: SOURCE, entry: "attention_context", inputs: 1 };
static APPLY: Kernel = Kernel { source: SOURCE, entry: "apply_context", inputs: 2 };

/// Channels that a thread of the second kernel computes.
const CHANNELS: usize = 4;

/// [`radiodiff_core::engine::Engine::linear_attention`]: qkv (N, 3 heads d, H, W) -> (N, heads d, H, W).
pub(super) fn linear_attention(recorder: &Recorder, qkv: &GpuTensor, heads: usize) -> GpuTensor {
    let &[batch, channels, height, width] = qkv.shape() else {
        panic!("linear_attention takes (N, 3 heads d, H, W), found {:?}", qkv.shape())
    };
    assert!(heads > 0 && channels.is_multiple_of(3 * heads), "linear_attention of {:?} with {heads} heads", qkv.shape());
    let (head_dim, tokens) = (channels / 3 / heads, height * width);
    let context = recorder.empty(&[batch * heads, head_dim, head_dim]);
    let out = recorder.empty(&[batch, heads * head_dim, height, width]);
    let threads = batch * heads * head_dim.div_ceil(CHANNELS) * tokens;
    let parameters = [heads, head_dim, tokens, batch * heads * head_dim, threads].map(|n| n as u32);
    recorder.dispatch(&CONTEXT, &parameters, &[qkv], &context, groups(batch * heads * head_dim));
    recorder.dispatch(&APPLY, &parameters, &[qkv, &context], &out, grid(threads));
    out
}

//! Softmax attention. Where barriers are cheap, one kernel computes it and no score leaves a workgroup; a software adapter computes products
//! of matrices, with at most so many scores at a time.

use super::layout;
use super::products::{matmul, scaled_product_with_transposed};
use super::recorder::{Kernel, MOST_GROUPS, Recorder};
use super::rows;
use super::tensor::GpuTensor;

static ATTENTION: Kernel = Kernel { source: &[include_str!("attention.wgsl")], entry: "attention", inputs: 3 };

/// Queries of a workgroup, and channels of the values that it computes.
const QUERIES: usize = 16;
const CHANNELS: usize = 256;

/// Most elements of the matrix of logits that exist at a time (64 MiB; WebGPU guarantees buffers of 128 MiB).
const MOST_LOGITS: usize = 1 << 24;

/// Which of a tensor's last two dimensions holds the tokens.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    /// (B, tokens, channels).
    TokensFirst,
    /// (B, channels, tokens).
    ChannelsFirst,
}

impl Layout {
    /// (batch, tokens, channels).
    fn sizes(self, x: &GpuTensor) -> [usize; 3] {
        let &[batch, first, second] = x.shape() else { panic!("attention takes tensors of three dimensions, found {:?}", x.shape()) };
        match self {
            Self::TokensFirst => [batch, first, second],
            Self::ChannelsFirst => [batch, second, first],
        }
    }

    /// Elements from one token to the next and from one channel to the next.
    fn strides(self, tokens: usize, channels: usize) -> [usize; 2] {
        match self {
            Self::TokensFirst => [channels, 1],
            Self::ChannelsFirst => [1, tokens],
        }
    }

    fn shape(self, [batch, tokens, channels]: [usize; 3]) -> [usize; 3] {
        match self {
            Self::TokensFirst => [batch, tokens, channels],
            Self::ChannelsFirst => [batch, channels, tokens],
        }
    }
}

/// softmax(scale * q k^T) v in the layout of [`radiodiff_core::engine::Engine::attention`] or of `attention_channels_first`.
pub(super) fn attention(recorder: &Recorder, [q, k, v]: [&GpuTensor; 3], scale: f32, layout: Layout) -> GpuTensor {
    let ([batch, queries, width], [k_batch, keys, k_width], [v_batch, v_keys, channels]) =
        (layout.sizes(q), layout.sizes(k), layout.sizes(v));
    let fits = batch == k_batch && batch == v_batch && width == k_width && keys == v_keys;
    assert!(fits, "attention of {:?}, {:?} and {:?}", q.shape(), k.shape(), v.shape());
    if recorder.without_barriers.get() {
        return match layout {
            Layout::TokensFirst => by_products(recorder, q, k, v, scale),
            Layout::ChannelsFirst => {
                let [q, k, v] = [q, k, v].map(|x| layout::permute(recorder, x, &[0, 2, 1]));
                layout::permute(recorder, &by_products(recorder, &q, &k, &v, scale), &[0, 2, 1])
            }
        };
    }
    assert!(batch <= MOST_GROUPS, "attention of {batch} images, at most {MOST_GROUPS}");
    let out = recorder.empty(&layout.shape([batch, queries, channels]));
    let strides =
        [layout.strides(queries, width), layout.strides(keys, width), layout.strides(keys, channels), layout.strides(queries, channels)];
    let mut parameters =
        [&[queries, keys, width, channels][..], strides.as_flattened()].concat().iter().map(|&n| n as u32).collect::<Vec<_>>();
    parameters.push(scale.to_bits());
    recorder.dispatch(&ATTENTION, &parameters, &[q, k, v], &out, [queries.div_ceil(QUERIES), channels.div_ceil(CHANNELS), batch]);
    out
}

/// q (B, M, D), k (B, N, D), v (B, N, E) -> (B, M, E).
fn by_products(recorder: &Recorder, q: &GpuTensor, k: &GpuTensor, v: &GpuTensor, scale: f32) -> GpuTensor {
    let [batch, queries, _] = Layout::TokensFirst.sizes(q);
    let most = (MOST_LOGITS / (batch * k.shape()[1]).max(1)).max(1);
    if queries > most {
        let part = |first| by_products(recorder, &layout::narrow(recorder, q, 1, first, most.min(queries - first)), k, v, scale);
        let parts: Vec<GpuTensor> = (0..queries).step_by(most).map(part).collect();
        return layout::concat(recorder, &parts.iter().collect::<Vec<_>>(), 1);
    }
    matmul(recorder, &rows::softmax(recorder, &scaled_product_with_transposed(recorder, q, k, scale), 2), v)
}

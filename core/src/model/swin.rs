//! The Swin transformer as a condition encoder (Liu et al., 2021; Swin-B in the public code), as torchvision builds it.
//!
//! A patch convolution (4 x 4, stride 4) makes tokens of the scene's channels. Each stage's blocks attend within windows of
//! 7 x 7 tokens; every odd block shifts the windows by half their side, so that neighbours meet. Between stages four tokens become
//! one of twice the channels. What leaves the stages, before the merging, is the encoder's output, one map a U-Net level.
//!
//! Tokens are (N, H, W, C). Which tokens of a shifted window are neighbours, and where a pair of tokens finds its position bias,
//! depends on sizes only: masks and indices are computed on the host. Source: shared/radiodiff-spec.md, section 4.1.

use super::condition::PATCH;
use super::layers::{Conv2d, LayerNorm, Linear};
use super::preset::SwinPreset;
use crate::engine::{ConvGeometry, Engine, Padding, Unary};
use crate::weights::{Initializer, ParameterError, Parameters};

/// Added to the logits of tokens that only the shift made neighbours.
const MASKED: f32 = -100.0;
/// Hidden channels of a block's perceptron as a multiple of its width.
const MLP_RATIO: usize = 4;
/// Classes of the public checkpoints' unused classifier.
const CLASSES: usize = 1000;

/// How a stage's tokens fall into windows, for its blocks with a shift or those without.
struct Windows<T> {
    window: usize,
    /// Rows and columns after zero padding at the bottom and on the right to whole windows.
    padded: [usize; 2],
    /// Tokens the windows are moved down and right; 0 along a side with one window.
    shift: [usize; 2],
    /// (windows, 1, window^2, window^2), 0 or [`MASKED`]; none without a shift.
    mask: Option<T>,
}

impl<T: Clone> Windows<T> {
    fn new<E: Engine<Tensor = T>>(e: &E, size: [usize; 2], window: usize, shifted: bool) -> Self {
        let padded = size.map(|n| n.next_multiple_of(window));
        let shift = padded.map(|n| if shifted && n > window { window / 2 } else { 0 });
        let mut windows = Self { window, padded, shift, mask: None };
        if shift != [0, 0] {
            let tokens = window * window;
            windows.mask = Some(e.tensor(&windows.mask_values(), &[windows.count(), 1, tokens, tokens]));
        }
        windows
    }

    fn count(&self) -> usize {
        self.padded.iter().map(|n| n / self.window).product()
    }

    /// After the shift the last windows hold tokens of both of the map's ends; only those of the same end may meet.
    fn mask_values(&self) -> Vec<f32> {
        let part = |axis: usize, place: usize| {
            let (n, shift) = (self.padded[axis], self.shift[axis]);
            if shift == 0 { 0 } else { usize::from(place >= n - self.window) + usize::from(place >= n - shift) }
        };
        let columns = self.padded[1] / self.window;
        let tokens = self.window * self.window;
        let mut values = Vec::with_capacity(self.count() * tokens * tokens);
        for window in 0..self.count() {
            let region = |token: usize| {
                let row = window / columns * self.window + token / self.window;
                (part(0, row), part(1, window % columns * self.window + token % self.window))
            };
            for query in 0..tokens {
                values.extend((0..tokens).map(|key| if region(query) == region(key) { 0.0 } else { MASKED }));
            }
        }
        values
    }

    /// (N, H, W, C) -> (N windows, window^2, C).
    fn split<E: Engine<Tensor = T>>(&self, e: &E, x: &T) -> T {
        let (shape, [height, width]) = (e.shape(x), self.padded);
        let (batch, channels) = (shape[0], shape[3]);
        let flat = e.reshape(x, &[batch, shape[1], shape[2] * channels]);
        let missing = Padding { bottom: height - shape[1], right: (width - shape[2]) * channels, ..Padding::default() };
        let flat = if missing == Padding::default() { flat } else { e.pad(&flat, missing) };
        let x = e.reshape(&flat, &[batch, height, width, channels]);
        let x = roll(e, &roll(e, &x, 1, self.shift[0]), 2, self.shift[1]);
        let (window, tokens) = (self.window, self.window * self.window);
        let x = e.reshape(&x, &[batch, height / window, window, width / window, window, channels]);
        e.reshape(&e.permute(&x, &[0, 1, 3, 2, 4, 5]), &[batch * self.count(), tokens, channels])
    }

    /// The way back; `size` is what the tokens had before padding.
    fn join<E: Engine<Tensor = T>>(&self, e: &E, x: &T, size: [usize; 2]) -> T {
        let (shape, [height, width], window) = (e.shape(x), self.padded, self.window);
        let (batch, channels) = (shape[0] / self.count(), shape[2]);
        let x = e.reshape(x, &[batch, height / window, width / window, window, window, channels]);
        let x = e.reshape(&e.permute(&x, &[0, 1, 3, 2, 4, 5]), &[batch, height, width, channels]);
        // The rest of a whole turn undoes the shift.
        let x = roll(e, &roll(e, &x, 1, (height - self.shift[0]) % height), 2, (width - self.shift[1]) % width);
        (1..=2).fold(x, |x, dim| if size[dim - 1] < self.padded[dim - 1] { e.narrow(&x, dim, 0, size[dim - 1]) } else { x })
    }
}

/// Moves everything `by` places towards the beginning of `dim`; what falls off comes in at the end.
fn roll<E: Engine>(e: &E, x: &E::Tensor, dim: usize, by: usize) -> E::Tensor {
    if by == 0 {
        return x.clone();
    }
    let n = e.shape(x)[dim];
    e.concat(&[&e.narrow(x, dim, by, n - by), &e.narrow(x, dim, 0, by)], dim)
}

/// softmax(q k^T / sqrt(d) + position bias + mask) v within each window, several heads.
struct WindowAttention<T> {
    qkv: Linear<T>,
    proj: Linear<T>,
    /// ((2 window - 1)^2, heads): a bias for every way two tokens of a window can lie to each other.
    bias_table: T,
    heads: usize,
}

impl<T: Clone> WindowAttention<T> {
    fn new<E: Engine<Tensor = T>>(p: &Parameters<E>, channels: usize, heads: usize, window: usize) -> Result<Self, ParameterError> {
        let offsets = (2 * window - 1) * (2 * window - 1);
        Ok(Self {
            qkv: Linear::of_transformer(&p.at("qkv"), channels, 3 * channels, true)?,
            proj: Linear::of_transformer(&p.at("proj"), channels, channels, true)?,
            bias_table: p.trained("relative_position_bias_table", &[offsets, heads], Initializer::Normal { std: 0.02 })?,
            heads,
        })
    }

    /// (N windows, tokens, C) -> the same shape.
    fn forward<E: Engine<Tensor = T>>(&self, e: &E, x: &T, windows: &Windows<T>) -> T {
        let shape = e.shape(x);
        let (all, tokens, channels, heads) = (shape[0], shape[1], shape[2], self.heads);
        let qkv = self.qkv.forward(e, x);
        let head_dim = channels / heads;
        let [q, k, v] = [0, 1, 2].map(|i| {
            let part = e.reshape(&e.narrow(&qkv, 2, i * channels, channels), &[all, tokens, heads, head_dim]);
            e.reshape(&e.permute(&part, &[0, 2, 1, 3]), &[all * heads, tokens, head_dim])
        });
        let q = e.affine(&q, (head_dim as f32).powf(-0.5), 0.0);
        let logits = e.reshape(&e.matmul(&q, &e.permute(&k, &[0, 2, 1])), &[all, heads, tokens, tokens]);
        let logits = e.add(&logits, &self.position_bias(e, windows.window));
        let logits = match &windows.mask {
            Some(mask) => {
                let by_map = e.reshape(&logits, &[all / windows.count(), windows.count(), heads, tokens, tokens]);
                e.add(&by_map, mask)
            }
            None => logits,
        };
        let weights = e.softmax(&e.reshape(&logits, &[all * heads, tokens, tokens]), 2);
        let mixed = e.reshape(&e.matmul(&weights, &v), &[all, heads, tokens, head_dim]);
        self.proj.forward(e, &e.reshape(&e.permute(&mixed, &[0, 2, 1, 3]), &shape))
    }

    /// (heads, tokens, tokens).
    fn position_bias<E: Engine<Tensor = T>>(&self, e: &E, window: usize) -> T {
        let tokens = window * window;
        let by_pair = e.gather_rows(&self.bias_table, &relative_positions(window));
        e.permute(&e.reshape(&by_pair, &[tokens, tokens, self.heads]), &[2, 0, 1])
    }
}

/// The row of the bias table for each pair of a window's tokens, query by query: the public `relative_position_index`.
fn relative_positions(window: usize) -> Vec<usize> {
    let tokens = window * window;
    let offset = |query: usize, key: usize| query + window - 1 - key;
    let pair = |i: usize| {
        let (query, key) = (i / tokens, i % tokens);
        offset(query / window, key / window) * (2 * window - 1) + offset(query % window, key % window)
    };
    (0..tokens * tokens).map(pair).collect()
}

/// x + attention(norm(x)), then + perceptron(norm(x)); training skips either for some samples.
struct Block<T> {
    norm1: LayerNorm<T>,
    attn: WindowAttention<T>,
    norm2: LayerNorm<T>,
    hidden: Linear<T>,
    out: Linear<T>,
    skipped: f64,
}

impl<T: Clone> Block<T> {
    fn new<E: Engine<Tensor = T>>(
        p: &Parameters<E>,
        channels: usize,
        heads: usize,
        window: usize,
        skipped: f64,
    ) -> Result<Self, ParameterError> {
        Ok(Self {
            norm1: LayerNorm::new(&p.at("norm1"), channels)?,
            attn: WindowAttention::new(&p.at("attn"), channels, heads, window)?,
            norm2: LayerNorm::new(&p.at("norm2"), channels)?,
            hidden: Linear::of_transformer(&p.at("mlp.0"), channels, MLP_RATIO * channels, true)?,
            out: Linear::of_transformer(&p.at("mlp.3"), MLP_RATIO * channels, channels, true)?,
            skipped,
        })
    }

    fn forward<E: Engine<Tensor = T>>(&self, e: &E, x: &T, windows: &Windows<T>) -> T {
        let shape = e.shape(x);
        let tokens = windows.split(e, &self.norm1.forward(e, x));
        let mixed = windows.join(e, &self.attn.forward(e, &tokens, windows), [shape[1], shape[2]]);
        let x = e.add(x, &e.stochastic_depth(&mixed, self.skipped));
        let hidden = e.unary(Unary::Gelu, &self.hidden.forward(e, &self.norm2.forward(e, &x)));
        e.add(&x, &e.stochastic_depth(&self.out.forward(e, &hidden), self.skipped))
    }
}

/// Four tokens become one: (N, H, W, C) -> (N, H / 2, W / 2, 2 C), an odd side padded with zeros first.
pub(super) struct PatchMerging<T> {
    norm: LayerNorm<T>,
    reduction: Linear<T>,
}

impl<T: Clone> PatchMerging<T> {
    pub(super) fn new<E: Engine<Tensor = T>>(p: &Parameters<E>, channels: usize) -> Result<Self, ParameterError> {
        let reduction = Linear::of_transformer(&p.at("reduction"), 4 * channels, 2 * channels, false)?;
        Ok(Self { norm: LayerNorm::new(&p.at("norm"), 4 * channels)?, reduction })
    }

    pub(super) fn forward<E: Engine<Tensor = T>>(&self, e: &E, x: &T) -> T {
        let shape = e.shape(x);
        let (batch, channels) = (shape[0], shape[3]);
        let [height, width] = [shape[1], shape[2]].map(|n| n.div_ceil(2));
        let flat = e.reshape(x, &[batch, shape[1], shape[2] * channels]);
        let missing = Padding { bottom: shape[1] % 2, right: shape[2] % 2 * channels, ..Padding::default() };
        let flat = if missing == Padding::default() { flat } else { e.pad(&flat, missing) };
        // Columns before rows: (0, 0), (1, 0), (0, 1), (1, 1) as (row, column).
        let fours = e.permute(&e.reshape(&flat, &[batch, height, 2, width, 2, channels]), &[0, 1, 3, 4, 2, 5]);
        let joined = e.reshape(&fours, &[batch, height, width, 4 * channels]);
        self.reduction.forward(e, &self.norm.forward(e, &joined))
    }
}

struct Stage<T> {
    merging: Option<PatchMerging<T>>,
    blocks: Vec<Block<T>>,
}

/// See the module.
pub struct SwinEncoder<T> {
    patch: Conv2d<T>,
    patch_norm: LayerNorm<T>,
    stages: Vec<Stage<T>>,
    window: usize,
}

impl<T: Clone> SwinEncoder<T> {
    /// Parameters `first_coonv` (so spelt in the public code), `features.{2 i}.{block}` of stage i, `features.{2 i - 1}` of the
    /// merging before it.
    pub fn new<E: Engine<Tensor = T>>(p: &Parameters<E>, channels: usize, preset: &SwinPreset) -> Result<Self, ParameterError> {
        let patch = ConvGeometry { stride: PATCH, padding: Padding::default() };
        let last = preset.depths.iter().sum::<usize>() - 1;
        let mut block = 0;
        let mut stages = Vec::new();
        for (i, (&depth, width)) in preset.depths.iter().zip(preset.widths()).enumerate() {
            let merging = (i > 0).then(|| PatchMerging::new(&p.at("features").at(2 * i - 1), width / 2)).transpose()?;
            let mut blocks = Vec::new();
            for j in 0..depth {
                let skipped = preset.stochastic_depth * block as f64 / last.max(1) as f64;
                let p = p.at("features").at(2 * i).at(j);
                blocks.push(Block::new(&p, width, preset.heads[i], preset.window, skipped)?);
                block += 1;
            }
            stages.push(Stage { merging, blocks });
        }
        if preset.public_leftovers {
            let width = preset.width << (preset.depths.len() - 1);
            let leftovers: [(&str, &[usize]); 4] =
                [("norm.weight", &[width]), ("norm.bias", &[width]), ("head.weight", &[CLASSES, width]), ("head.bias", &[CLASSES])];
            for (name, shape) in leftovers {
                p.fixed(name, shape, Initializer::Constant(0.0))?;
            }
        }
        Ok(Self {
            patch: Conv2d::new(&p.at("first_coonv.0"), channels, preset.width, PATCH, patch)?,
            patch_norm: LayerNorm::new(&p.at("first_coonv.2"), preset.width)?,
            stages,
            window: preset.window,
        })
    }

    /// (N, C, H, W) in [-1, 1] -> per stage (N, width 2^stage, H / 4 / 2^stage, W / 4 / 2^stage).
    pub fn forward<E: Engine<Tensor = T>>(&self, e: &E, condition: &T) -> Vec<T> {
        let mut x = self.patch_norm.forward(e, &e.permute(&self.patch.forward(e, condition), &[0, 2, 3, 1]));
        let mut outputs = Vec::with_capacity(self.stages.len());
        for stage in &self.stages {
            if let Some(merging) = &stage.merging {
                x = merging.forward(e, &x);
            }
            let shape = e.shape(&x);
            let windows = [false, true].map(|shifted| Windows::new(e, [shape[1], shape[2]], self.window, shifted));
            for (i, block) in stage.blocks.iter().enumerate() {
                x = block.forward(e, &x, &windows[i % 2]);
            }
            outputs.push(e.permute(&x, &[0, 3, 1, 2]));
        }
        outputs
    }
}

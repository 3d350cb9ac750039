//! Relation layers: how the scene's features reach the U-Net's.
//!
//! Queries come from the condition, keys and values from the U-Net's features, both average-pooled to the same few tokens and
//! given a sine position code. Source: shared/radiodiff-spec.md, section 4.4.

use super::layers::{BatchNorm, Conv2d, GroupNorm, Linear};
use crate::engine::{Engine, Padding, Unary};
use crate::weights::{Initializer, ParameterError, Parameters};

/// Of the attention, the public code's.
pub(super) const HEADS: usize = 8;
const DROPOUT: f64 = 0.1;

/// Sizes of one relation layer.
#[derive(Clone, Copy, Debug)]
pub struct RelationShape {
    /// Channels of the condition, of the feature, and E of what both become.
    pub condition: usize,
    pub feature: usize,
    pub embedding: usize,
    /// Side of the pooling tiles of condition and feature.
    pub window: usize,
    /// Of the group normalisation.
    pub groups: usize,
}

/// With c and f the condition and the feature after a 1 x 1 convolution and batch normalisation (momentum 0.03, epsilon 1e-3),
/// P the mean of window x window tiles, s the position code, U bilinear resizing to f's size with aligned corners:
///
/// - shortcut = GroupNorm(f + conv([U(c), f])),
/// - a = P(c) + softmax(q k^T) v, q = W_q (P(c) + s) + b_q, k and v = W (P(f) + s) + b, eight heads, logits not scaled,
/// - y = shortcut + conv(U(a + mlp(a))), mlp = two 1 x 1 convolutions of 2 E and E channels with a ReLU, dropout 0.1 after each.
///
/// Under `attentions` convolutions begin Kaiming-normal, linears Xavier-normal, biases 0, as in the public code; the two at the
/// inputs by PyTorch's default. Source: shared/radiodiff-spec.md, section 4.4 (the paper's equations 17 to 19 have queries and
/// keys the other way round).
pub struct RelationLayer<T> {
    condition_in: (Conv2d<T>, BatchNorm<T>),
    feature_in: (Conv2d<T>, BatchNorm<T>),
    q: Linear<T>,
    k: Linear<T>,
    v: Linear<T>,
    fc1: Conv2d<T>,
    fc2: Conv2d<T>,
    concat_conv: Conv2d<T>,
    norm: GroupNorm<T>,
    out_conv: Conv2d<T>,
    shape: RelationShape,
}

impl<T: Clone> RelationLayer<T> {
    /// Parameters `input_conv{1, 2}.*` and `attentions.0.*`. `embedding` is a multiple of 8 and of `groups`.
    pub fn new<E: Engine<Tensor = T>>(p: &Parameters<E>, shape: RelationShape) -> Result<Self, ParameterError> {
        let c = shape.embedding;
        let input = |name, channels| -> Result<_, ParameterError> {
            let p = p.at(name);
            Ok((Conv2d::same(&p.at(0), channels, c, 1)?, BatchNorm::new(&p.at(1), c, Initializer::Constant(1.0), 0.03, 1e-3)?))
        };
        let a = p.at("attentions.0");
        Ok(Self {
            condition_in: input("input_conv1", shape.condition)?,
            feature_in: input("input_conv2", shape.feature)?,
            q: Linear::xavier(&a.at("q_lin"), c, c)?,
            k: Linear::xavier(&a.at("k_lin"), c, c)?,
            v: Linear::xavier(&a.at("v_lin"), c, c)?,
            fc1: Conv2d::pointwise_kaiming(&a.at("mlp.fc1"), c, 2 * c)?,
            fc2: Conv2d::pointwise_kaiming(&a.at("mlp.fc2"), 2 * c, c)?,
            concat_conv: Conv2d::pointwise_kaiming(&a.at("concat_conv"), 2 * c, c)?,
            norm: GroupNorm::new(&a.at("gn"), c, shape.groups, 1e-5)?,
            out_conv: Conv2d::pointwise_kaiming(&a.at("out_conv"), c, c)?,
            shape,
        })
    }

    /// condition (N, condition, Hc, Wc), feature (N, feature, H, W) -> (N, embedding, H, W). Both fill as many tiles.
    pub fn forward<E: Engine<Tensor = T>>(&self, e: &E, condition: &T, feature: &T) -> T {
        let condition = self.condition_in.1.forward(e, &self.condition_in.0.forward(e, condition));
        let feature = self.feature_in.1.forward(e, &self.feature_in.0.forward(e, feature));
        let size = e.shape(&feature);
        let (height, width) = (size[2], size[3]);

        let resized = resize(e, &condition, height, width);
        let shortcut = e.add(&feature, &self.concat_conv.forward(e, &e.concat(&[&resized, &feature], 1)));
        let shortcut = self.norm.forward(e, &shortcut);

        let query_map = pool(e, &condition, self.shape.window);
        let key_map = pool(e, &feature, self.shape.window);
        let mixed = e.add(&query_map, &self.attend(e, &query_map, &key_map));
        let hidden = e.dropout(&e.unary(Unary::Relu, &self.fc1.forward(e, &mixed)), DROPOUT);
        let mixed = e.add(&mixed, &e.dropout(&self.fc2.forward(e, &hidden), DROPOUT));
        e.add(&shortcut, &self.out_conv.forward(e, &resize(e, &mixed, height, width)))
    }

    /// Eight heads of unscaled softmax attention; both maps (N, C, h, w) get the position code first.
    fn attend<E: Engine<Tensor = T>>(&self, e: &E, query_map: &T, key_map: &T) -> T {
        let shape = e.shape(query_map);
        let (batch, channels, tokens) = (shape[0], shape[1], shape[2] * shape[3]);
        let head_dim = channels / HEADS;
        let code = e.tensor(&sine_position_code(channels, shape[2], shape[3]), &[1, channels, shape[2], shape[3]]);
        let by_token = |map: &T| {
            let coded = e.reshape(&e.add(map, &code), &[batch, channels, tokens]);
            e.permute(&coded, &[0, 2, 1])
        };
        let by_head = |x: &T| {
            let split = e.permute(&e.reshape(x, &[batch, tokens, HEADS, head_dim]), &[0, 2, 1, 3]);
            e.reshape(&split, &[batch * HEADS, tokens, head_dim])
        };
        let (queries, keys) = (by_token(query_map), by_token(key_map));
        let q = by_head(&self.q.forward(e, &queries));
        let k = by_head(&self.k.forward(e, &keys));
        let v = by_head(&self.v.forward(e, &keys));
        let out = e.reshape(&e.attention(&q, &k, &v, 1.0), &[batch, HEADS, tokens, head_dim]);
        e.reshape(&e.permute(&out, &[0, 1, 3, 2]), &shape)
    }
}

/// Bilinear with aligned corners, left out where the size is right already.
fn resize<E: Engine>(e: &E, x: &E::Tensor, height: usize, width: usize) -> E::Tensor {
    if e.shape(x)[2..] == [height, width] { x.clone() } else { e.resize_bilinear(x, height, width) }
}

/// Means of window x window tiles, after zero padding at the bottom and right to whole tiles.
fn pool<E: Engine>(e: &E, x: &E::Tensor, window: usize) -> E::Tensor {
    if window == 1 {
        return x.clone();
    }
    let shape = e.shape(x);
    let missing = |n: usize| n.next_multiple_of(window) - n;
    let (bottom, right) = (missing(shape[2]), missing(shape[3]));
    if bottom + right == 0 {
        return e.average_pool(x, window);
    }
    e.average_pool(&e.pad(x, Padding { bottom, right, ..Padding::default() }), window)
}

/// The un-normalised sine code of DETR (Carion et al., 2020): (channels, height, width), the first half of the channels for the
/// row, the second for the column, both counted from 1; sine and cosine interleaved, temperature 10,000. Periods and angles are
/// rounded to float32 as in the public code: the attention that follows is not scaled and shows the difference.
fn sine_position_code(channels: usize, height: usize, width: usize) -> Vec<f32> {
    let half = channels / 2;
    let mut values = Vec::with_capacity(channels * height * width);
    for channel in 0..channels {
        let i = channel % half;
        let period = libm::pow(10_000.0, (2 * (i / 2)) as f64 / half as f64) as f32;
        for row in 0..height {
            for column in 0..width {
                let position = f64::from(if channel < half { row + 1 } else { column + 1 } as f32 / period);
                values.push(if i.is_multiple_of(2) { libm::sin(position) } else { libm::cos(position) } as f32);
            }
        }
    }
    values
}

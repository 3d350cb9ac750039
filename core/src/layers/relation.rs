//! Relation layer: how the scene's features reach the U-Net's.
//!
//! Queries come from the condition, keys and values from the U-Net's features; both are average-pooled to the same few tokens and
//! get a sine position code. The paper's equations 17 to 19 have queries and keys the other way round than its code.

use super::batch_norm::BatchNorm;
use super::conv2d::Conv2d;
use super::group_norm::GroupNorm;
use super::linear::Linear;
use crate::engine::{Engine, Padding, Unary};
use crate::parameters::{Initializer, ParameterError, VarBuilder};
use std::rc::Rc;

/// Number of attention heads; the public code uses 8. The embedding's channels are a multiple of it.
pub const RELATION_HEADS: usize = 8;
const DROPOUT: f64 = 0.1;

/// Sizes of one relation layer.
#[derive(Clone, Copy, Debug)]
pub struct RelationShape {
    /// Channels of the condition.
    pub condition: usize,
    /// Channels of the U-Net's feature.
    pub feature: usize,
    /// Channels that condition and feature are projected to, and of the result.
    pub embedding: usize,
    /// Side of the pooling tiles in pixels; 0 for a layer without its attention, which is the shortcut alone.
    pub window: usize,
    /// Groups of the group normalisation.
    pub groups: usize,
}

/// Cross attention from the scene to the U-Net. Let c and f be the condition and the feature after a 1 x 1 convolution and batch
/// normalisation (momentum 0.03, epsilon 1e-3), P the mean of window x window tiles, s the position code, U bilinear resizing to
/// f's size with aligned corners, E the embedding's channels:
///
/// - shortcut = GroupNorm(f + conv([U(c), f])),
/// - a = P(c) + softmax(q k^T) v, q = W_q (P(c) + s) + b_q, k and v = W (P(f) + s) + b, eight heads, logits not scaled,
/// - y = shortcut + conv(U(a + mlp(a))), mlp = two 1 x 1 convolutions of 2 E and E channels with a ReLU, dropout 0.1 after each.
///
/// Without attention y is the shortcut, by which the scene still reaches the level pixel by pixel.
///
/// Under `attentions`, convolutions begin Kaiming-normal, linear layers Xavier-normal and biases at 0, as in the public code. The
/// convolutions at the inputs begin by PyTorch's default.
pub struct RelationLayer<E: Engine> {
    condition_in: (Conv2d<E>, BatchNorm<E>),
    feature_in: (Conv2d<E>, BatchNorm<E>),
    concat_conv: Conv2d<E>,
    norm: GroupNorm<E>,
    attention: Option<TileAttention<E>>,
}

/// What the layer adds to its shortcut.
struct TileAttention<E: Engine> {
    q: Linear<E>,
    k: Linear<E>,
    v: Linear<E>,
    fc1: Conv2d<E>,
    fc2: Conv2d<E>,
    out_conv: Conv2d<E>,
    window: usize,
}

impl<E: Engine> RelationLayer<E> {
    /// Parameters `input_conv{1, 2}.*` and `attentions.0.*`. `embedding` is a multiple of 8 and of `groups`.
    pub fn new(vb: &VarBuilder<E>, shape: RelationShape) -> Result<Rc<Self>, ParameterError> {
        let c = shape.embedding;
        let input = |name, channels| -> Result<_, ParameterError> {
            let vb = vb.pp(name);
            Ok((Conv2d::same(&vb.pp(0), channels, c, 1)?, BatchNorm::new(&vb.pp(1), c, Initializer::Constant(1.0), 0.03, 1e-3)?))
        };
        let a = vb.pp("attentions.0");
        Ok(Rc::new(Self {
            condition_in: input("input_conv1", shape.condition)?,
            feature_in: input("input_conv2", shape.feature)?,
            concat_conv: Conv2d::pointwise_kaiming(&a.pp("concat_conv"), 2 * c, c)?,
            norm: GroupNorm::new(&a.pp("gn"), c, shape.groups, 1e-5)?,
            attention: (shape.window > 0).then(|| TileAttention::new(&a, c, shape.window)).transpose()?,
        }))
    }

    /// condition (N, condition, Hc, Wc), feature (N, feature, H, W) -> (N, embedding, H, W). Both have the same number of tiles.
    pub fn forward(self: &Rc<Self>, e: &E, condition: &E::Tensor, feature: &E::Tensor) -> E::Tensor {
        let layer = Rc::clone(self);
        e.recomputable([condition, feature], move |e, [condition, feature]| layer.compute(e, condition, feature))
    }

    fn compute(&self, e: &E, condition: &E::Tensor, feature: &E::Tensor) -> E::Tensor {
        let condition = self.condition_in.1.forward(e, &self.condition_in.0.forward(e, condition));
        let feature = self.feature_in.1.forward(e, &self.feature_in.0.forward(e, feature));
        let size = e.shape(&feature);
        let (height, width) = (size[2], size[3]);

        let resized = resize(e, &condition, height, width);
        let shortcut = self.concat_conv.forward_plus(e, &e.concat(&[&resized, &feature], 1), &feature);
        let shortcut = self.norm.forward(e, &shortcut);
        match &self.attention {
            None => shortcut,
            Some(attention) => attention.forward_plus(e, &condition, &feature, &shortcut),
        }
    }
}

impl<E: Engine> TileAttention<E> {
    fn new(vb: &VarBuilder<E>, channels: usize, window: usize) -> Result<Self, ParameterError> {
        Ok(Self {
            q: Linear::xavier(&vb.pp("q_lin"), channels, channels)?,
            k: Linear::xavier(&vb.pp("k_lin"), channels, channels)?,
            v: Linear::xavier(&vb.pp("v_lin"), channels, channels)?,
            fc1: Conv2d::pointwise_kaiming(&vb.pp("mlp.fc1"), channels, 2 * channels)?,
            fc2: Conv2d::pointwise_kaiming(&vb.pp("mlp.fc2"), 2 * channels, channels)?,
            out_conv: Conv2d::pointwise_kaiming(&vb.pp("out_conv"), channels, channels)?,
            window,
        })
    }

    /// Both maps after the layer's input convolutions; `plus` and the result are as large as the feature.
    fn forward_plus(&self, e: &E, condition: &E::Tensor, feature: &E::Tensor, plus: &E::Tensor) -> E::Tensor {
        let size = e.shape(feature);
        let query_map = pool(e, condition, self.window);
        let key_map = pool(e, feature, self.window);
        let mixed = e.add(&query_map, &self.attend(e, &query_map, &key_map));
        let hidden = e.dropout(&e.unary(Unary::Relu, &self.fc1.forward(e, &mixed)), DROPOUT);
        let mixed = e.add(&mixed, &e.dropout(&self.fc2.forward(e, &hidden), DROPOUT));
        self.out_conv.forward_plus(e, &resize(e, &mixed, size[2], size[3]), plus)
    }

    /// Softmax attention with unscaled logits; the position code is added to both maps (N, C, h, w) first.
    fn attend(&self, e: &E, query_map: &E::Tensor, key_map: &E::Tensor) -> E::Tensor {
        let shape = e.shape(query_map);
        let (batch, channels, tokens) = (shape[0], shape[1], shape[2] * shape[3]);
        let head_dim = channels / RELATION_HEADS;
        let code = e.tensor(&sine_position_code(channels, shape[2], shape[3]), &[1, channels, shape[2], shape[3]]);
        let by_token = |map: &E::Tensor| {
            let coded = e.reshape(&e.add(map, &code), &[batch, channels, tokens]);
            e.permute(&coded, &[0, 2, 1])
        };
        let by_head = |x: &E::Tensor| {
            let split = e.permute(&e.reshape(x, &[batch, tokens, RELATION_HEADS, head_dim]), &[0, 2, 1, 3]);
            e.reshape(&split, &[batch * RELATION_HEADS, tokens, head_dim])
        };
        let (queries, keys) = (by_token(query_map), by_token(key_map));
        let q = by_head(&self.q.forward(e, &queries));
        let k = by_head(&self.k.forward(e, &keys));
        let v = by_head(&self.v.forward(e, &keys));
        let out = e.reshape(&e.attention(&q, &k, &v, 1.0), &[batch, RELATION_HEADS, tokens, head_dim]);
        e.reshape(&e.permute(&out, &[0, 1, 3, 2]), &shape)
    }
}

/// Bilinear resizing with aligned corners; the identity where the size is right already.
fn resize<E: Engine>(e: &E, x: &E::Tensor, height: usize, width: usize) -> E::Tensor {
    if e.shape(x)[2..] == [height, width] { x.clone() } else { e.resize_bilinear(x, height, width) }
}

/// Means of window x window tiles, after zero padding at the bottom and on the right to whole tiles.
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

/// The un-normalised sine code of DETR (Carion et al., 2020), (channels, height, width). The first half of the channels codes the row,
/// the second half the column, both counted from 1; sine and cosine alternate, the temperature is 10,000. Periods and angles are
/// rounded to float32 as in the public code, because the unscaled attention shows the difference.
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

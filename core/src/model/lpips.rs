//! LPIPS (Zhang et al., 2018): the perceptual distance of two maps, by the features a classifier of photographs finds in them.
//!
//! VGG16 without its head (Simonyan and Zisserman, 2015) gives features at five depths. They are scaled to length 1 over their
//! channels; the squared differences are weighted by a learnt 1 x 1 convolution, averaged over the image and added up:
//! d(x, y) = sum_l mean_hw w_l . (f_l(x)/|f_l(x)| - f_l(y)/|f_l(y)|)^2.
//! Names are those of the public code's `loss.perceptual_loss`. The weights come from elsewhere (ImageNet and the comparisons of
//! LPIPS's authors) and are never trained here. See docs/radiodiff.md, "First-stage losses and critics".
//!
//! Two things differ from the public code. It leaves dropout on from its first validation on, because it puts the whole model into
//! training mode; [`Lpips::distance`] takes the probability as an argument, which should be 0. And the gradient of its length is
//! 0/0 where all features of a pixel are 0; here 1e-20 is added to the squared length, far below a float32's resolution.

use crate::engine::{Binary, Engine, Unary};
use crate::layers::Conv2d;
use crate::parameters::{ParameterError, VarBuilder};

/// The channels of each depth and its convolutions, by their index in torchvision's `features`. Every depth but the first begins
/// with max pooling.
const DEPTHS: [(usize, &[usize]); 5] = [(64, &[0, 2]), (128, &[5, 7]), (256, &[10, 12, 14]), (512, &[17, 19, 21]), (512, &[24, 26, 28])];
/// Mean and standard deviation of ImageNet's red, green and blue for values in [-1, 1].
const SHIFT: [f32; 3] = [-0.030, -0.088, -0.188];
const SCALE: [f32; 3] = [0.458, 0.448, 0.450];
const EPSILON: f32 = 1e-10;

/// The shortest side of a map in pixels: four poolings leave one pixel of it.
pub const MIN_SIDE: usize = 16;
/// Probability of the dropout before each learnt weighting in the public code's training.
pub const UPSTREAM_DROPOUT: f64 = 0.5;

/// The network; see the module.
pub struct Lpips<E: Engine> {
    depths: Vec<Depth<E>>,
    shift: E::Tensor,
    scale: E::Tensor,
}

struct Depth<E: Engine> {
    convs: Vec<Conv2d<E>>,
    weighting: Conv2d<E>,
}

impl<E: Engine> Lpips<E> {
    /// Parameters `net.slice{1..5}.*` and `lin{0..4}.model.1.weight`.
    pub fn new(vb: &VarBuilder<E>) -> Result<Self, ParameterError> {
        let mut input = SHIFT.len();
        let mut depths = Vec::new();
        for (depth, (channels, places)) in DEPTHS.into_iter().enumerate() {
            let slice = vb.pp("net").pp(format!("slice{}", depth + 1));
            let mut convs = Vec::new();
            for &place in places {
                convs.push(Conv2d::same(&slice.pp(place), input, channels, 3)?);
                input = channels;
            }
            let weighting = Conv2d::pointwise_without_bias(&vb.pp(format!("lin{depth}")).pp("model.1"), channels, 1)?;
            depths.push(Depth { convs, weighting });
        }
        let e = vb.engine();
        let color = |values: &[f32; 3]| e.tensor(values, &[1, 3, 1, 1]);
        Ok(Self { depths, shift: color(&SHIFT), scale: color(&SCALE) })
    }

    /// The distance of each pair of maps (N, 1, H, W), values about [-1, 1], sides at least [`MIN_SIDE`] -> (N, 1, 1, 1).
    /// `dropout` is the probability of dropout in training, 0 unless the public code is to be reproduced.
    pub fn distance(&self, e: &E, x: &E::Tensor, y: &E::Tensor, dropout: f64) -> E::Tensor {
        // One gray channel becomes three by broadcasting.
        let colored = |map: &E::Tensor| e.binary(Binary::Div, &e.sub(map, &self.shift), &self.scale);
        let (mut x, mut y) = (colored(x), colored(y));
        let mut sum: Option<E::Tensor> = None;
        for (i, depth) in self.depths.iter().enumerate() {
            [x, y] = [x, y].map(|features| {
                let features = if i == 0 { features } else { e.max_pool_2x(&features) };
                depth.convs.iter().fold(features, |x, conv| e.unary(Unary::Relu, &conv.forward(e, &x)))
            });
            let difference = e.unary(Unary::Square, &e.sub(&unit(e, &x), &unit(e, &y)));
            let weighted = depth.weighting.forward(e, &e.dropout(&difference, dropout));
            let distance = e.mean_from(&weighted, 1);
            sum = Some(sum.map_or_else(|| distance.clone(), |sum| e.add(&sum, &distance)));
        }
        sum.expect("VGG16 has five depths")
    }
}

/// Features (N, C, H, W) divided by their length over the channels.
fn unit<E: Engine>(e: &E, features: &E::Tensor) -> E::Tensor {
    let shape = e.shape(features);
    let squares = e.permute(&e.unary(Unary::Square, features), &[0, 2, 3, 1]);
    let length = e.unary(Unary::Sqrt, &e.affine(&e.mean_from(&squares, 3), shape[1] as f32, EPSILON * EPSILON));
    let length = e.reshape(&e.affine(&length, 1.0, EPSILON), &[shape[0], 1, shape[2], shape[3]]);
    e.binary(Binary::Div, features, &length)
}

//! LPIPS (Zhang et al., 2018): how different two maps look, by the features a classifier of photographs sees in them.
//!
//! VGG16 without its head (Simonyan and Zisserman, 2015) gives features at five depths; each is scaled to length 1 over its
//! channels, and the squared differences are weighted by a learnt 1 x 1 convolution, averaged over the image and added up:
//! d(x, y) = sum_l mean_hw w_l . (f_l(x)/|f_l(x)| - f_l(y)/|f_l(y)|)^2.
//! Names are those of the public code's `loss.perceptual_loss`. The weights are learnt elsewhere (ImageNet and the authors'
//! comparisons) and never change here. Source: shared/radiodiff-spec.md, section 2.
//!
//! The public code leaves the features' dropout on from its first validation on, because it puts the whole model into
//! training; [`Lpips::distance`] takes its probability, 0 by right. It also divides zero by zero in the gradient where all
//! features of a pixel are 0; here the length's square has 1e-20 added, far below what a length's float32 shows.

use super::layers::Conv2d;
use crate::engine::{Binary, Engine, Unary};
use crate::weights::{ParameterError, Parameters};

/// Channels and, by their place in torchvision's `features`, the convolutions of each depth. Every depth but the first begins
/// with max pooling.
const DEPTHS: [(usize, &[usize]); 5] = [(64, &[0, 2]), (128, &[5, 7]), (256, &[10, 12, 14]), (512, &[17, 19, 21]), (512, &[24, 26, 28])];
/// Mean and deviation of ImageNet's red, green and blue for values in [-1, 1].
const SHIFT: [f32; 3] = [-0.030, -0.088, -0.188];
const SCALE: [f32; 3] = [0.458, 0.448, 0.450];
const EPSILON: f32 = 1e-10;

/// The shortest side of a map: four poolings must leave a pixel.
pub const MIN_SIDE: usize = 16;
/// Dropout before each learnt weighting in the public code's training.
pub const UPSTREAM_DROPOUT: f64 = 0.5;

/// See the module.
pub struct Lpips<T> {
    depths: Vec<Depth<T>>,
    shift: T,
    scale: T,
}

struct Depth<T> {
    convs: Vec<Conv2d<T>>,
    weighting: Conv2d<T>,
}

impl<T: Clone> Lpips<T> {
    /// Parameters `net.slice{1..5}.*` and `lin{0..4}.model.1.weight`.
    pub fn new<E: Engine<Tensor = T>>(p: &Parameters<E>) -> Result<Self, ParameterError> {
        let mut input = SHIFT.len();
        let mut depths = Vec::new();
        for (depth, (channels, places)) in DEPTHS.into_iter().enumerate() {
            let slice = p.at("net").at(format!("slice{}", depth + 1));
            let mut convs = Vec::new();
            for &place in places {
                convs.push(Conv2d::same(&slice.at(place), input, channels, 3)?);
                input = channels;
            }
            let weighting = Conv2d::pointwise_without_bias(&p.at(format!("lin{depth}")).at("model.1"), channels, 1)?;
            depths.push(Depth { convs, weighting });
        }
        let e = p.engine();
        let color = |values: &[f32; 3]| e.tensor(values, &[1, 3, 1, 1]);
        Ok(Self { depths, shift: color(&SHIFT), scale: color(&SCALE) })
    }

    /// The distance of each pair of (N, 1, H, W), values about [-1, 1], sides at least [`MIN_SIDE`] -> (N, 1, 1, 1).
    /// `dropout` is the probability of the public code's dropout, see the module.
    pub fn distance<E: Engine<Tensor = T>>(&self, e: &E, x: &T, y: &T, dropout: f64) -> T {
        // One gray channel becomes three by broadcasting.
        let colored = |map: &T| e.binary(Binary::Div, &e.sub(map, &self.shift), &self.scale);
        let (mut x, mut y) = (colored(x), colored(y));
        let mut sum: Option<T> = None;
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

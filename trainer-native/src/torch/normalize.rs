//! Group normalisation, alone or with SiLU, on images whose channels lie side by side in memory, which libtorch's convolutions are
//! fastest on and its group normalisation is slowest on.
//!
//! One pass over the values takes the moments, another writes the result. Kept for the gradient are the input and two numbers a group:
//! the normalised values are computed anew.

use super::custom::{Shared, differentiable, parallel, values, values_mut};
use super::kernels;
use std::ops::Range;
use tch::{Kind, Tensor};

/// Values that one call of a kernel takes, so that they stay in a core's cache between its passes.
const CHUNK: usize = 1 << 14;
/// A pixel's coefficients are repeated to about this length, so that kernels walk along both without a thought for channels.
const PATTERN: usize = 512;

/// Sizes of the images, and how they are divided.
#[derive(Clone, Copy)]
struct Layout {
    images: usize,
    pixels: usize,
    channels: usize,
    groups: usize,
}

impl Layout {
    fn group_of(self, channel: usize) -> usize {
        channel * self.groups / self.channels
    }

    /// Values of a group in an image.
    fn count(self) -> f64 {
        (self.pixels * self.channels / self.groups) as f64
    }

    /// Values of a chunk, which has whole pixels.
    fn chunk(self) -> usize {
        (CHUNK / self.channels).max(1) * self.channels
    }

    fn chunks_per_image(self) -> usize {
        (self.pixels * self.channels).div_ceil(self.chunk())
    }

    fn chunks(self) -> usize {
        self.images * self.chunks_per_image()
    }

    /// Calls `work` with every chunk's image, number and place among the values.
    fn for_each_chunk(self, work: impl Fn(usize, usize, Range<usize>) + Sync) {
        let (per_image, size) = (self.chunks_per_image(), self.pixels * self.channels);
        parallel(self.chunks(), |numbers| {
            for number in numbers {
                let (image, start) = (number / per_image, number % per_image * self.chunk());
                work(image, number, image * size + start..image * size + (start + self.chunk()).min(size));
            }
        });
    }

    /// Two sums a channel of every chunk.
    fn sums(self, of_chunk: impl Fn(usize, usize, Range<usize>) -> Vec<[f64; 2]> + Sync) -> Vec<[f64; 2]> {
        let mut sums = vec![[0.0; 2]; self.chunks() * self.channels];
        let shared = Shared::new(&mut sums);
        self.for_each_chunk(|image, number, range| {
            // SAFETY: every chunk has its own number.
            let place = unsafe { shared.part(number * self.channels..(number + 1) * self.channels) };
            place.copy_from_slice(&of_chunk(image, number, range));
        });
        sums
    }

    /// A coefficient of every image and channel, from one a channel or as many.
    fn by_image(self, coefficients: &Tensor) -> Vec<f32> {
        values(&coefficients.expand([self.images as i64, self.channels as i64], false).contiguous()).to_vec()
    }

    /// A coefficient a channel, along as many pixels as the kernels take at a time.
    fn pattern(self, of_channel: impl Fn(usize) -> f32) -> Vec<f32> {
        (0..self.channels).map(of_channel).collect::<Vec<_>>().repeat(PATTERN.div_ceil(self.channels))
    }
}

/// Mean of a group, and one over its standard deviation.
#[derive(Clone, Copy)]
struct GroupMoments {
    mean: f64,
    inverse: f64,
}

/// y = (x - mean) / sqrt(variance + epsilon) weight + bias over groups of channels; then SiLU, where `silu` says so.
///
/// x is (N, H, W, C), contiguous float32 on the CPU; weight and bias are (C), or (N, C) where every image has its own -> (N, H, W, C).
pub(super) fn group_norm(x: &Tensor, groups: usize, weight: &Tensor, bias: &Tensor, epsilon: f32, silu: bool) -> Tensor {
    let size = x.size();
    let layout = Layout { images: size[0] as usize, pixels: (size[1] * size[2]) as usize, channels: size[3] as usize, groups };
    let forward = tch::no_grad(|| Normalization {
        layout,
        silu,
        moments: group_moments(layout, values(x), epsilon),
        weight: layout.by_image(weight),
        bias: layout.by_image(bias),
    });
    let output = tch::no_grad(|| {
        let mut output = x.empty_like();
        forward.apply(values(x), values_mut(&mut output));
        output
    });
    let (x_kept, shared_weights) = (x.detach(), weight.dim() == 1);
    differentiable(output, &[x, weight, bias], move |gradient| {
        let gradient = gradient.contiguous();
        let mut of_input = x_kept.empty_like();
        let sums = forward.gradients(values(&x_kept), values(&gradient), values_mut(&mut of_input));
        let [of_weight, of_bias] = sums.map(|of_images| {
            let of_images = Tensor::from_slice(&of_images).view([layout.images as i64, layout.channels as i64]);
            let sum = if shared_weights { of_images.sum_dim_intlist(0i64, false, Kind::Double) } else { of_images };
            Some(sum.to_kind(Kind::Float))
        });
        vec![Some(of_input), of_weight, of_bias]
    })
}

/// Mean and deviation of every image's groups.
fn group_moments(layout: Layout, x: &[f32], epsilon: f32) -> Vec<GroupMoments> {
    let chunks = layout.sums(|_, _, range| kernels::moments(&x[range], layout.channels, PATTERN));
    let (per_image, size) = (layout.chunks_per_image(), layout.pixels * layout.channels);
    // Pixels of a chunk; an image's last may have fewer.
    let pixels = |part: usize| ((size - part * layout.chunk()).min(layout.chunk()) / layout.channels) as f64;
    let of_group = |number: usize| {
        let (image, group) = (number / layout.groups, number % layout.groups);
        let members = || {
            let parts = (0..per_image).flat_map(|part| (0..layout.channels).map(move |channel| (part, channel)));
            let parts = parts.filter(|&(_, channel)| layout.group_of(channel) == group);
            parts.map(|(part, channel)| (pixels(part), chunks[(image * per_image + part) * layout.channels + channel]))
        };
        let mean = members().map(|(_, [sum, _])| sum).sum::<f64>() / layout.count();
        // Chan, Golub and LeVeque (1983): the squares about a chunk's own mean, and its mean's about the whole's.
        let squares: f64 = members().map(|(pixels, [sum, squares])| squares + pixels * (sum / pixels - mean).powi(2)).sum();
        GroupMoments { mean, inverse: (squares / layout.count() + f64::from(epsilon)).sqrt().recip() }
    };
    (0..layout.images * layout.groups).map(of_group).collect()
}

/// What the backward pass needs beside the input.
struct Normalization {
    layout: Layout,
    silu: bool,
    /// Of every image's groups.
    moments: Vec<GroupMoments>,
    /// Of every image's channels.
    weight: Vec<f32>,
    bias: Vec<f32>,
}

impl Normalization {
    fn moments(&self, image: usize, channel: usize) -> GroupMoments {
        self.moments[image * self.layout.groups + self.layout.group_of(channel)]
    }

    fn weight(&self, image: usize, channel: usize) -> f64 {
        f64::from(self.weight[image * self.layout.channels + channel])
    }

    fn bias(&self, image: usize, channel: usize) -> f64 {
        f64::from(self.bias[image * self.layout.channels + channel])
    }

    /// Scale and shift of every image: z = scale x + shift is what SiLU takes.
    fn affine(&self) -> Vec<[Vec<f32>; 2]> {
        let scale = |image, channel| self.weight(image, channel) * self.moments(image, channel).inverse;
        let shift = |image, channel| self.bias(image, channel) - self.moments(image, channel).mean * scale(image, channel);
        let of_image = |image| {
            [self.layout.pattern(|channel| scale(image, channel) as f32), self.layout.pattern(|channel| shift(image, channel) as f32)]
        };
        (0..self.layout.images).map(of_image).collect()
    }

    fn apply(&self, x: &[f32], output: &mut [f32]) {
        let (affine, output) = (self.affine(), Shared::new(output));
        self.layout.for_each_chunk(|image, _, range| {
            // SAFETY: chunks do not overlap.
            let output = unsafe { output.part(range.clone()) };
            kernels::scale_and_shift(&x[range], &affine[image], self.silu, output);
        });
    }

    /// From the output's gradient: writes the input's, returns those of every image's weights and biases.
    fn gradients(&self, x: &[f32], gradient: &[f32], of_input: &mut [f32]) -> [Vec<f64>; 2] {
        let (layout, affine) = (self.layout, self.affine());
        let of_input = Shared::new(of_input);
        let means: Vec<Vec<f32>> =
            (0..layout.images).map(|image| layout.pattern(|channel| self.moments(image, channel).mean as f32)).collect();

        // The gradient of z takes the input's place for now; its sums, alone and times x - mean.
        let sums = layout.sums(|image, _, range| {
            // SAFETY: chunks do not overlap.
            let of_z = unsafe { of_input.part(range.clone()) };
            kernels::activation_gradient(
                &x[range.clone()],
                &gradient[range],
                &affine[image],
                &means[image],
                self.silu,
                of_z,
                layout.channels,
            )
        });
        let by_channel = |image: usize, channel: usize| {
            let first = image * layout.chunks_per_image();
            let parts = (first..first + layout.chunks_per_image()).map(|chunk| sums[chunk * layout.channels + channel]);
            parts.fold([0.0; 2], |sum, part| [sum[0] + part[0], sum[1] + part[1]])
        };
        let by_image: Vec<Vec<[f64; 2]>> =
            (0..layout.images).map(|image| (0..layout.channels).map(|channel| by_channel(image, channel)).collect()).collect();

        // dx = weight inverse dz - what it moves the group's mean and deviation by.
        let coefficients = |image: usize| {
            let group_sum = |channel: usize, which: usize| {
                let members = (0..layout.channels).filter(|&other| layout.group_of(other) == layout.group_of(channel));
                members.map(|other| self.weight(image, other) * by_image[image][other][which]).sum::<f64>() / layout.count()
            };
            let slope = |channel| -self.moments(image, channel).inverse.powi(3) * group_sum(channel, 1);
            let offset = |channel| {
                let moments = self.moments(image, channel);
                -moments.inverse * group_sum(channel, 0) - slope(channel) * moments.mean
            };
            [
                layout.pattern(|channel| (self.weight(image, channel) * self.moments(image, channel).inverse) as f32),
                layout.pattern(|channel| slope(channel) as f32),
                layout.pattern(|channel| offset(channel) as f32),
            ]
        };
        let coefficients: Vec<[Vec<f32>; 3]> = (0..layout.images).map(coefficients).collect();
        layout.for_each_chunk(|image, _, range| {
            // SAFETY: chunks do not overlap.
            let of_input = unsafe { of_input.part(range.clone()) };
            kernels::combine(of_input, &x[range], &coefficients[image]);
        });

        let of_images = |of: &dyn Fn(usize, usize) -> f64| {
            (0..layout.images).flat_map(|image| (0..layout.channels).map(move |channel| of(image, channel))).collect()
        };
        [
            of_images(&|image, channel| by_image[image][channel][1] * self.moments(image, channel).inverse),
            of_images(&|image, channel| by_image[image][channel][0]),
        ]
    }
}

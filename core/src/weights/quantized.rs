//! Weights in eight bits: small files for the browser.
//!
//! In flow the float32 weights of a convolution or a linear layer; out flow integers of -127 to 127 and a scale for each output channel,
//! so that a weight is its integer times its channel's scale. A scale is a share of the channel's root mean square, so that the integers
//! of all channels have nearly the same distribution and a web server's compression stores one in fewer bits than eight. In a file the
//! scales of a tensor `x` are the tensor `x.scale`. Engines never see integers: a file is widened to float32 as it is read.

use super::error::WeightsError;
use super::host::HostTensor;
use half::f16;

/// The largest integer; -128 is not used, so that the range is symmetric.
const LARGEST: f32 = 127.0;
/// A channel of fewer weights is not worth a scale.
const LEAST_WEIGHTS: usize = 8;

/// A tensor's integers, row-major, and the scale of each output channel.
pub(super) struct Quantized {
    pub integers: Vec<i8>,
    pub scales: Vec<f16>,
}

/// The name of the scales of a tensor.
pub(super) fn scale_name(name: &str) -> String {
    format!("{name}.scale")
}

/// The weights of several output channels as integers, `levels` of which are a channel's root mean square: more of them are finer.
/// `None` of tensors that are stored as they are: biases, the gains of normalisations, a single output channel.
pub(super) fn quantize(tensor: &HostTensor, levels: f32) -> Option<Quantized> {
    let (&channels, rest) = tensor.shape.split_first()?;
    let weights = rest.iter().product::<usize>();
    if channels < 2 || rest.is_empty() || weights < LEAST_WEIGHTS {
        return None;
    }
    let mut quantized = Quantized { integers: Vec::with_capacity(tensor.values.len()), scales: Vec::with_capacity(channels) };
    for channel in tensor.values.chunks_exact(weights) {
        let scale = scale_of(channel, levels);
        let integer = |weight: &f32| (weight / scale.to_f32()).round().clamp(-LARGEST, LARGEST) as i8;
        quantized.integers.extend(channel.iter().map(integer));
        quantized.scales.push(scale);
    }
    Some(quantized)
}

/// The scale of a channel: its root mean square over the levels, or more where its largest weight would not fit.
fn scale_of(channel: &[f32], levels: f32) -> f16 {
    let mean_square = channel.iter().map(|weight| weight * weight).sum::<f32>() / channel.len() as f32;
    let largest = channel.iter().fold(0.0, |most: f32, weight| most.max(weight.abs()));
    // Never zero, which nothing could be divided by.
    f16::from_f32((mean_square.sqrt() / levels).max(largest / LARGEST)).max(f16::MIN_POSITIVE_SUBNORMAL)
}

/// A tensor of `shape` from its integers and the scales that were read for it.
///
/// # Errors
/// Other scales than one for each output channel.
pub(super) fn restore(name: &str, shape: &[usize], integers: &[u8], scales: &HostTensor) -> Result<HostTensor, WeightsError> {
    let expected = shape.first().copied().unwrap_or(0);
    if scales.shape != [expected] || expected == 0 {
        return Err(WeightsError::Scales { name: scale_name(name), channels: expected, found: scales.shape.clone() });
    }
    let weights = shape[1..].iter().product::<usize>().max(1);
    let channels = integers.chunks(weights).zip(&scales.values);
    let values = channels.flat_map(|(integers, &scale)| integers.iter().map(move |&byte| f32::from(byte.cast_signed()) * scale));
    Ok(HostTensor { shape: shape.to_vec(), values: values.collect() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_weight_is_its_integer_times_its_channels_scale() {
        // Channels of different sizes; one with an outlier, one of zeros.
        const WEIGHTS: usize = 512;
        let value = |i: usize| ((i * 37 % 64) as f32 - 31.5) / 40.0 * [1.0, 0.01, 1.0, 0.0][i / WEIGHTS];
        let mut tensor = HostTensor { shape: vec![4, 32, 4, 4], values: (0..4 * WEIGHTS).map(value).collect() };
        let (outlier, levels) = (2 * WEIGHTS + 40, 8.0);
        tensor.values[outlier] = 50.0;
        let Quantized { integers, scales } = quantize(&tensor, levels).expect("channels of weights");
        let bytes: Vec<u8> = integers.iter().map(|integer| integer.cast_unsigned()).collect();
        let of_channels = HostTensor { shape: vec![4], values: scales.iter().map(|scale| scale.to_f32()).collect() };
        let restored = restore("w", &tensor.shape, &bytes, &of_channels).expect("a scale a channel");
        for (channel, (found, expected)) in restored.values.chunks(WEIGHTS).zip(tensor.values.chunks(WEIGHTS)).enumerate() {
            let rms = (expected.iter().map(|v| v * v).sum::<f32>() / WEIGHTS as f32).sqrt();
            let step = if channel == 2 { 50.0 / LARGEST } else { rms / levels };
            let worst = found.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            // Half a step, and what float16 rounds of the scale.
            assert!(worst <= 0.57 * step + 1e-7, "channel {channel}: {worst}, a step is {step}");
            assert!(channel == 3 || worst > 0.3 * step, "channel {channel}: {worst}, finer than asked for");
        }
        assert_eq!(integers[outlier], 127);
    }

    #[test]
    fn tensors_without_channels_of_weights_stay() {
        for shape in [vec![], vec![64], vec![1, 64], vec![8, 7], vec![1, 8, 3, 3]] {
            let values = vec![0.5; shape.iter().product()];
            assert!(quantize(&HostTensor { shape, values }, 8.0).is_none());
        }
    }
}

//! A larger network that computes what the smaller one does, so that training goes on where that one ended ("Net2Net", Chen, Goodfellow and
//! Shlens, 2016).
//!
//! In flow the smaller network's values and the larger one's shapes, out flow the larger one's values. Of a network twice as wide every
//! channel becomes two neighbours, so that as many groups as before have the statistics that they had. Whatever reads a channel shares its
//! weight out between the two, unevenly: two that begin alike and are read alike would be trained alike. Of a network that is told more, the
//! new channels of the condition come last, and their weights begin at zero.

use radiodiff_core::model::preset::QuantilesPreset;
use radiodiff_core::random::{seed_for, uniform};
use radiodiff_core::weights::HostTensor;
use std::collections::{BTreeMap, HashMap};

/// A half of a doubled channel has this share of its weight more or less than the other, at most.
const UNEVEN: f64 = 0.5;

/// Whether one network of quantiles has the other's levels and groups, and twice its channels.
pub fn is_twice_as_wide(wide: &QuantilesPreset, narrow: &QuantilesPreset) -> bool {
    let twice = |width: &usize| 2 * width;
    wide.widths == narrow.widths.iter().map(twice).collect::<Vec<_>>()
        && wide.detail_width == 2 * narrow.detail_width
        && wide.norm_groups == narrow.norm_groups
}

/// The values of the wide network's parameters, whose shapes are `shapes`. What is not a widening is taken as it is.
pub fn widened(narrow: &HashMap<String, HostTensor>, shapes: &BTreeMap<String, Vec<usize>>, seed: u64) -> HashMap<String, HostTensor> {
    let wide = |(name, stored): (&String, &HostTensor)| {
        let of_shape = shapes.get(name).and_then(|shape| widened_tensor(stored, shape, seed_for(seed, name)));
        (name.clone(), of_shape.unwrap_or_else(|| HostTensor { shape: stored.shape.clone(), values: stored.values.clone() }))
    };
    narrow.iter().map(wide).collect()
}

/// The convolutions that read the condition, as their last inputs.
const READ_CONDITION: [&str; 2] = ["quantiles.stem.weight", "quantiles.detail.weight"];

/// The values where the condition has `more` channels after those that it had.
pub fn told_more(stored: &HashMap<String, HostTensor>, more: usize) -> HashMap<String, HostTensor> {
    let padded = |(name, HostTensor { shape, values }): (&String, &HostTensor)| {
        let mut told = HostTensor { shape: shape.clone(), values: values.clone() };
        if let (true, &[_, inputs, height, width]) = (READ_CONDITION.contains(&name.as_str()), &shape[..]) {
            let (taps, zeros) = (height * width, vec![0.0; more * height * width]);
            told.shape[1] = inputs + more;
            told.values = values.chunks_exact(inputs * taps).flat_map(|of_output| [of_output, &zeros].concat()).collect();
        }
        (name.clone(), told)
    };
    stored.iter().map(padded).collect()
}

/// Of a convolution's weight (out, in, height, width), or of a vector of channels. An axis that grows doubles its first channels as far as
/// it grows: those of the network's input come last and stay.
fn widened_tensor(stored: &HostTensor, shape: &[usize], seed: u64) -> Option<HostTensor> {
    let (&[outputs, ref rest @ ..], &[old_outputs, ref old_rest @ ..]) = (shape, &stored.shape[..]) else { return None };
    let (inputs, old_inputs) = (rest.first().copied().unwrap_or(1), old_rest.first().copied().unwrap_or(1));
    if rest.len() != old_rest.len() || rest.iter().skip(1).ne(old_rest.iter().skip(1)) {
        return None;
    }
    let (from, to) = (channels(old_outputs, outputs)?, channels(old_inputs, inputs)?);
    let taps: usize = rest.iter().skip(1).product();
    let chance = uniform(seed, 0, outputs * old_inputs * taps);
    let mut values = Vec::with_capacity(outputs * inputs * taps);
    for (output, &old_output) in from.iter().enumerate() {
        for (input, &old_input) in to.iter().enumerate() {
            for tap in 0..taps {
                let uneven = UNEVEN * (chance[(output * old_inputs + old_input) * taps + tap] - 0.5);
                let share = match (input > 0 && to[input - 1] == old_input, to.get(input + 1) == Some(&old_input)) {
                    (false, false) => 1.0,
                    (false, true) => 0.5 + uneven,
                    (true, _) => 0.5 - uneven,
                };
                values.push((f64::from(stored.values[(old_output * old_inputs + old_input) * taps + tap]) * share) as f32);
            }
        }
    }
    Some(HostTensor { shape: shape.to_vec(), values })
}

/// The old channel that each of `new` comes from.
fn channels(old: usize, new: usize) -> Option<Vec<usize>> {
    let doubled = new.checked_sub(old).filter(|&doubled| doubled <= old)?;
    Some((0..new).map(|channel| if channel < 2 * doubled { channel / 2 } else { channel - doubled }).collect())
}

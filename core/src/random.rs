//! Random numbers that are the same on every engine and platform.
//!
//! Philox 4x32-10 (Salmon et al., 2011) is counter-based: value `i` of a stream depends on the seed, the stream and `i` only. The
//! sampler's noise comes from here, and everything in training that a seed must reproduce on another machine. Normal values are
//! made by the Box-Muller transform with libm's functions, because the functions of each platform differ in the last bit.

const MULTIPLIERS: [u32; 2] = [0xD251_1F53, 0xCD9E_8D57];
const WEYL: [u32; 2] = [0x9E37_79B9, 0xBB67_AE85];
const TWO_POW_32: f64 = 4_294_967_296.0;

fn philox4x32(mut counter: [u32; 4], mut key: [u32; 2]) -> [u32; 4] {
    for round in 0..10 {
        if round > 0 {
            key = [key[0].wrapping_add(WEYL[0]), key[1].wrapping_add(WEYL[1])];
        }
        let product = |i: usize| u64::from(MULTIPLIERS[i]) * u64::from(counter[2 * i]);
        let (a, b) = (product(0), product(1));
        counter = [(b >> 32) as u32 ^ counter[1] ^ key[0], b as u32, (a >> 32) as u32 ^ counter[3] ^ key[1], a as u32];
    }
    counter
}

/// Blocks of four 32-bit words of a stream.
fn blocks(seed: u64, stream: u32, count: usize) -> impl Iterator<Item = [u32; 4]> {
    let key = [seed as u32, (seed >> 32) as u32];
    (0..count as u32).map(move |block| philox4x32([block, 0, stream, 0], key))
}

/// `count` values, uniform in [0, 1), of the stream `stream` of `seed`.
pub fn uniform(seed: u64, stream: u32, count: usize) -> Vec<f64> {
    let words = blocks(seed, stream, count.div_ceil(4)).flatten();
    words.take(count).map(|word| f64::from(word) / TWO_POW_32).collect()
}

/// `count` standard normal values of the stream `stream` of `seed`. The sampler's start is stream 0, the noise of step i is stream
/// i + 1.
pub fn standard_normal(seed: u64, stream: u32, count: usize) -> Vec<f32> {
    let mut values = Vec::with_capacity(count + 3);
    for words in blocks(seed, stream, count.div_ceil(4)) {
        for pair in [[words[0], words[1]], [words[2], words[3]]] {
            // In (0, 1], so that the logarithm is finite.
            let u = (f64::from(pair[0]) + 1.0) / TWO_POW_32;
            let angle = std::f64::consts::TAU * f64::from(pair[1]) / TWO_POW_32;
            let radius = (-2.0 * libm::log(u)).sqrt();
            values.push((radius * libm::cos(angle)) as f32);
            values.push((radius * libm::sin(angle)) as f32);
        }
    }
    values.truncate(count);
    values
}

/// The seed of a named use: `seed` combined with the 64-bit FNV-1a hash of `name`. Two names give independent streams.
pub fn seed_for(seed: u64, name: &str) -> u64 {
    seed ^ name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The known answers of the Random123 library for philox4x32-10.
    #[test]
    fn philox_gives_the_published_answers() {
        assert_eq!(philox4x32([0; 4], [0; 2]), [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]);
        assert_eq!(philox4x32([u32::MAX; 4], [u32::MAX; 2]), [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]);
    }

    fn moments(values: impl ExactSizeIterator<Item = f64> + Clone) -> (f64, f64) {
        let n = values.len() as f64;
        let mean = values.clone().sum::<f64>() / n;
        (mean, values.map(|v| (v - mean).powi(2)).sum::<f64>() / n)
    }

    #[test]
    fn values_are_standard_normal_and_streams_differ() {
        let values = standard_normal(7, 0, 100_001);
        let (mean, variance) = moments(values.iter().map(|&v| f64::from(v)));
        assert!(mean.abs() < 0.01 && (variance - 1.0).abs() < 0.02, "mean {mean}, variance {variance}");
        assert_eq!(values[..10], standard_normal(7, 0, 10)[..]);
        assert_ne!(values[..10], standard_normal(7, 1, 10)[..]);
        assert_ne!(values[..10], standard_normal(8, 0, 10)[..]);
    }

    #[test]
    fn values_are_uniform_and_names_differ() {
        let values = uniform(seed_for(7, "time"), 0, 100_001);
        let (mean, variance) = moments(values.iter().copied());
        assert!((mean - 0.5).abs() < 0.005 && (variance - 1.0 / 12.0).abs() < 0.002, "mean {mean}, variance {variance}");
        assert!(values.iter().all(|value| (0.0..1.0).contains(value)));
        assert_ne!(values[..10], uniform(seed_for(7, "start"), 0, 10)[..]);
    }
}

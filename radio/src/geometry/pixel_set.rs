//! Sets of a map's pixels, one bit for each: what a point sees.

use crate::scene::BuildingMask;

/// A set of pixels by their row-major indices.
#[derive(Clone)]
pub struct PixelSet {
    words: Vec<u64>,
}

impl PixelSet {
    /// All pixels outside buildings.
    pub fn outdoors(mask: &BuildingMask) -> Self {
        let word = |pixels: &[u8]| pixels.iter().rev().fold(0, |word, &inside| word << 1 | u64::from(inside == 0));
        Self { words: mask.pixels.chunks(64).map(word).collect() }
    }

    /// Of a map of so many pixels.
    pub fn of(pixels: usize, members: impl IntoIterator<Item = usize>) -> Self {
        let mut set = Self { words: vec![0; pixels.div_ceil(64)] };
        members.into_iter().for_each(|pixel| set.insert(pixel));
        set
    }

    /// Whether the pixel is in the set.
    pub fn contains(&self, pixel: usize) -> bool {
        self.words[pixel / 64] >> (pixel % 64) & 1 != 0
    }

    /// Adds a pixel.
    pub fn insert(&mut self, pixel: usize) {
        self.words[pixel / 64] |= 1 << (pixel % 64);
    }

    /// Removes the pixels `from..to`.
    pub fn remove(&mut self, from: usize, to: usize) {
        clear_bits(&mut self.words, from, to);
    }
}

/// Clears the bits `from..to`, counted from the first word's lowest.
pub fn clear_bits(words: &mut [u64], from: usize, to: usize) {
    if from >= to {
        return;
    }
    let (first, last) = (from / 64, (to - 1) / 64);
    let (head, tail) = (u64::MAX << (from % 64), u64::MAX >> (63 - (to - 1) % 64));
    if first == last {
        words[first] &= !(head & tail);
    } else {
        words[first] &= !head;
        words[first + 1..last].fill(0);
        words[last] &= !tail;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_removed_within_a_word_and_across_words() {
        let mask = BuildingMask { size: 16, pixels: vec![0; 256] };
        for (from, to) in [(0, 0), (3, 9), (60, 70), (0, 64), (63, 193), (128, 256)] {
            let mut set = PixelSet::outdoors(&mask);
            set.remove(from, to);
            assert!((0..256).all(|pixel| set.contains(pixel) != (from..to).contains(&pixel)), "{from}..{to}");
        }
    }
}

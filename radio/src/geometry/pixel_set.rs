//! Sets of a map's pixels: what a point sees.
//!
//! A set is made with one bit for each pixel ([`PixelSet`]). What the corners of a scene see is kept for every map that follows, and a
//! corner of a dense city sees a few streets of a large map, so it is kept without its empty words ([`SparsePixelSet`]).

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
    pub fn of(pixels: usize, members: impl Iterator<Item = usize>) -> Self {
        let mut set = Self { words: vec![0; pixels.div_ceil(64)] };
        members.for_each(|pixel| set.insert(pixel));
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

/// A set that never changes, without the words of 64 pixels that hold none.
pub struct SparsePixelSet {
    /// One bit for each word of the map: whether it is kept.
    kept: Vec<u64>,
    /// For each of these, how many words are kept before its own.
    before: Vec<u32>,
    words: Vec<u64>,
}

impl From<&PixelSet> for SparsePixelSet {
    fn from(set: &PixelSet) -> Self {
        let index = |words: &[u64]| words.iter().rev().fold(0, |index, &word| index << 1 | u64::from(word != 0));
        let kept: Vec<u64> = set.words.chunks(64).map(index).collect();
        Self { before: counts_before(&kept), kept, words: set.words.iter().copied().filter(|&word| word != 0).collect() }
    }
}

/// For each word of an index, the bits that are set in the words before it.
fn counts_before(kept: &[u64]) -> Vec<u32> {
    let earlier = |count: &mut u32, index: &u64| Some(std::mem::replace(count, *count + index.count_ones()));
    kept.iter().scan(0, earlier).collect()
}

impl SparsePixelSet {
    /// Whether the pixel is in the set.
    pub fn contains(&self, pixel: usize) -> bool {
        let (word, bit) = (pixel / 64, pixel % 64);
        let (index, place) = (self.kept[word / 64], word % 64);
        if index >> place & 1 == 0 {
            return false;
        }
        let earlier = (index & ((1 << place) - 1)).count_ones();
        self.words[(self.before[word / 64] + earlier) as usize] >> bit & 1 != 0
    }

    /// Appends the set to `bytes`, for [`Self::read`].
    pub fn write(&self, bytes: &mut Vec<u8>) {
        self.kept.iter().chain(&self.words).for_each(|word| bytes.extend(word.to_le_bytes()));
    }

    /// Takes the set of a map of `pixels` from the front of `bytes`; `None` where they end too early.
    pub fn read(bytes: &mut &[u8], pixels: usize) -> Option<Self> {
        let mut take = |words: usize| -> Option<Vec<u64>> {
            let (taken, rest) = bytes.split_at_checked(8 * words)?;
            *bytes = rest;
            Some(taken.as_chunks().0.iter().map(|&word| u64::from_le_bytes(word)).collect())
        };
        let kept = take(pixels.div_ceil(64).div_ceil(64))?;
        let words = take(kept.iter().map(|index| index.count_ones() as usize).sum())?;
        Some(Self { before: counts_before(&kept), kept, words })
    }

    /// What it takes in memory.
    pub fn bytes(&self) -> usize {
        8 * (self.kept.len() + self.words.len()) + 4 * self.before.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_without_its_empty_words_holds_the_same_pixels() {
        // 100 x 100 pixels: the last word and the last index are not full. Some words are full, some empty, some between.
        let mask = BuildingMask { size: 100, pixels: (0..10_000).map(|i| u8::from(i % 7 == 0 || (i / 640) % 3 == 1)).collect() };
        let mut set = PixelSet::outdoors(&mask);
        for removed in [(0, 1), (64, 4200), (9000, 9001)] {
            set.remove(removed.0, removed.1);
            let sparse = SparsePixelSet::from(&set);
            assert!((0..10_000).all(|pixel| sparse.contains(pixel) == set.contains(pixel)));
            assert!(sparse.bytes() < 10_000 / 8);
        }
        let mut bytes = Vec::new();
        let sparse = SparsePixelSet::from(&set);
        sparse.write(&mut bytes);
        bytes.push(7);
        let mut rest = bytes.as_slice();
        let read = SparsePixelSet::read(&mut rest, 10_000).expect("a whole set");
        assert!(rest == [7] && (0..10_000).all(|pixel| read.contains(pixel) == sparse.contains(pixel)));
        assert!((0..bytes.len() - 1).all(|end| SparsePixelSet::read(&mut &bytes[..end], 10_000).is_none()));
        set.remove(0, 10_000);
        let empty = SparsePixelSet::from(&set);
        assert!(empty.bytes() < 100 && (0..10_000).all(|pixel| !empty.contains(pixel)));
    }

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

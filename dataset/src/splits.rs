//! The published lists of maps to train, validate and test on, as RadioUNet's loader shuffles RadioMapSeer's maps 1 to 700. Map 0 is
//! in no split.
//!
//! The order is numpy's `RandomState(42).shuffle(arange(700))`, plus one: MT19937 (Matsumoto and Nishimura, 1998) seeded with 42,
//! and Fisher-Yates from the last place down. A split is a range of places in that order, so that everyone who names a split means
//! the same maps. The ranges are those of RadioUNet's and RadioDiff's public loaders; docs/data.md has them in a table. This
//! generator exists to repeat numpy; all other random numbers of data are [`crate::random`]'s.

use crate::folder::{Dataset, Variant};
use anyhow::{Result, ensure};
use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::ops::RangeInclusive;

const MAPS: u32 = 700;
const SEED: u32 = 42;

/// Whose ranges of places.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
pub enum Scheme {
    /// RadioUNet's: 501 maps to train, 100 to validate, 99 to test; no map is in two.
    #[default]
    #[value(name = "radiounet")]
    #[serde(rename = "radiounet")]
    RadioUnet,
    /// RadioDiff's public code: map 289 is trained on and tested, validation maps are tested on (DPM) or trained on (IRT4).
    #[value(name = "radiodiff-leaking")]
    #[serde(rename = "radiodiff-leaking")]
    RadioDiffLeaking,
}

/// A part of the maps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Split {
    Train,
    Validation,
    Test,
}

/// A split's name, "radiounet train" for example.
pub fn split_name(scheme: Scheme, split: Split) -> String {
    let name = |value: Option<clap::builder::PossibleValue>| value.map(|value| value.get_name().to_owned()).unwrap_or_default();
    format!("{} {}", name(scheme.to_possible_value()), name(split.to_possible_value()))
}

impl Scheme {
    /// The maps' numbers, 1 to 700, in the shuffle's order. RadioDiff's loaders for IRT4 have a validation range of their own.
    pub fn maps(self, variant: Variant, split: Split) -> Vec<u32> {
        shuffled()[self.places(variant, split)].to_vec()
    }

    /// Keeps the radio maps of a split that `dataset` has; returns how many of the split's maps it does not have.
    ///
    /// # Errors
    /// When it has none.
    pub fn keep(self, split: Split, dataset: &mut Dataset) -> Result<usize> {
        let maps: BTreeSet<u32> = self.maps(dataset.variant(), split).into_iter().collect();
        let absent = dataset.keep(&maps);
        ensure!(!dataset.is_empty(), "the folder holds none of the {} maps of this split, which go by the numbers 1 to 700", maps.len());
        Ok(absent)
    }

    fn places(self, variant: Variant, split: Split) -> RangeInclusive<usize> {
        match (self, split, variant) {
            (Self::RadioUnet, Split::Train, _) => 0..=500,
            (Self::RadioUnet, Split::Validation, _) => 501..=600,
            (Self::RadioUnet, Split::Test, _) => 601..=699,
            (Self::RadioDiffLeaking, Split::Train, _) => 0..=600,
            (Self::RadioDiffLeaking, Split::Validation, Variant::Irt4 | Variant::CarsIrt4) => 501..=600,
            (Self::RadioDiffLeaking, Split::Validation, _) => 600..=650,
            (Self::RadioDiffLeaking, Split::Test, _) => 600..=699,
        }
    }
}

fn shuffled() -> Vec<u32> {
    let mut maps: Vec<u32> = (1..=MAPS).collect();
    let mut random = MersenneTwister::new(SEED);
    for last in (1..maps.len()).rev() {
        maps.swap(last, random.at_most(last as u32) as usize);
    }
    maps
}

const WORDS: usize = 624;
const MIDDLE: usize = 397;

/// MT19937, as numpy's legacy `RandomState` runs it.
struct MersenneTwister {
    state: [u32; WORDS],
    used: usize,
}

impl MersenneTwister {
    /// Knuth's `init_genrand`.
    fn new(seed: u32) -> Self {
        let mut state = [seed; WORDS];
        for i in 1..WORDS {
            let previous = state[i - 1];
            state[i] = 1_812_433_253_u32.wrapping_mul(previous ^ (previous >> 30)).wrapping_add(i as u32);
        }
        Self { state, used: WORDS }
    }

    fn bits(&mut self) -> u32 {
        if self.used == WORDS {
            for i in 0..WORDS {
                let joined = (self.state[i] & 0x8000_0000) | (self.state[(i + 1) % WORDS] & 0x7fff_ffff);
                let twist = if joined & 1 != 0 { 0x9908_b0df } else { 0 };
                self.state[i] = self.state[(i + MIDDLE) % WORDS] ^ (joined >> 1) ^ twist;
            }
            self.used = 0;
        }
        let mut y = self.state[self.used];
        self.used += 1;
        y ^= y >> 11;
        y ^= (y << 7) & 0x9d2c_5680;
        y ^= (y << 15) & 0xefc6_0000;
        y ^ (y >> 18)
    }

    /// Uniform in 0 to `most`: draws under the smallest mask of ones that holds `most`, until one is not above it.
    fn at_most(&mut self, most: u32) -> u32 {
        let mask = u32::MAX >> most.leading_zeros();
        loop {
            let draw = self.bits() & mask;
            if draw <= most {
                return draw;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shuffle_is_numpys() {
        // numpy 2: a = arange(700); RandomState(42).shuffle(a); a + 1; crc32 of it as little-endian 32-bit words.
        let maps = shuffled();
        assert_eq!(maps[..10], [159, 501, 397, 156, 322, 213, 235, 290, 301, 357]);
        assert_eq!(maps[600..606], [289, 419, 392, 593, 499, 139]);
        let bytes: Vec<u8> = maps.iter().flat_map(|map| map.to_le_bytes()).collect();
        assert_eq!(crc32fast::hash(&bytes), 891_276_865);
    }

    #[test]
    fn radiounets_split_is_disjoint_and_radiodiffs_leaks() {
        use Split::{Test, Train, Validation};
        let set = |scheme: Scheme, variant, split| scheme.maps(variant, split).into_iter().collect::<BTreeSet<u32>>();
        let shared = |scheme, variant, a, b| {
            let (a, b) = (set(scheme, variant, a), set(scheme, variant, b));
            a.intersection(&b).copied().collect::<Vec<u32>>()
        };
        let sizes = [Train, Validation, Test].map(|split| set(Scheme::RadioUnet, Variant::Dpm, split).len());
        assert_eq!(sizes, [501, 100, 99]);
        for (a, b) in [(Train, Validation), (Train, Test), (Validation, Test)] {
            assert!(shared(Scheme::RadioUnet, Variant::Dpm, a, b).is_empty());
        }
        let leaking = Scheme::RadioDiffLeaking;
        assert_eq!(shared(leaking, Variant::CarsDpm, Train, Test), [289]);
        assert_eq!(shared(leaking, Variant::Dpm, Validation, Test).len(), 51, "validation is within test");
        assert_eq!(shared(leaking, Variant::Irt4, Train, Validation).len(), 100, "validation is within training");
    }
}

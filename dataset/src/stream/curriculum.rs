//! Easy samples first: a curriculum by competence (Platanios et al., 2019).
//!
//! Samples are ranked by difficulty within their dataset. At first only the easiest share is drawn, evenly, and the share grows until
//! all are. In flow the ranks and how far the training is; out flows, for the sample that would come, the one that comes.
//!
//! A sample is the harder the lower its gray level is outdoors on average: dark maps are mostly shadow, and what a network has to
//! learn beyond the law of distance lies in the shadow.

use super::sample::PreparedSample;
use anyhow::{Result, ensure};
use serde::{Deserialize, Serialize};

/// How the share of the samples grows that is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Curriculum {
    /// The share at first, above 0 and at most 1.
    pub start: f64,
    /// Epochs over which it grows, evenly, to all samples.
    pub epochs: f64,
}

impl Curriculum {
    /// # Errors
    /// A number outside its range, under the name of the table `table`.
    pub fn check(self, table: &str) -> Result<()> {
        ensure!(self.start > 0.0 && self.start <= 1.0, "{table}.start is {}, expected above 0, at most 1", self.start);
        ensure!(self.epochs > 0.0 && self.epochs.is_finite(), "{table}.epochs is {}, expected above 0", self.epochs);
        Ok(())
    }

    /// The share that is drawn after so many epochs.
    pub fn share_after(self, epochs: f64) -> f64 {
        (self.start + (1.0 - self.start) * epochs / self.epochs).min(1.0)
    }
}

/// A sample's difficulty, the larger the harder: the mean darkness outdoors, 0 to 255; 0 where everything is built over.
pub fn difficulty(sample: &PreparedSample) -> f64 {
    let outdoors = sample.truth.iter().zip(&sample.outdoors).filter(|&(_, &outdoors)| outdoors != 0);
    let (count, sum) = outdoors.fold((0_u64, 0_u64), |(count, sum), (&level, _)| (count + 1, sum + u64::from(u8::MAX - level)));
    if count == 0 { 0.0 } else { sum as f64 / count as f64 }
}

/// A dataset's samples from the easiest to the hardest.
#[derive(Debug)]
pub struct Ranks {
    /// The samples, counted within the dataset.
    by_difficulty: Vec<u32>,
    /// A sample's place among them.
    rank: Vec<u32>,
}

impl Ranks {
    /// Of the samples' difficulties. Of two alike the first is the easier.
    pub fn new(difficulties: &[f64]) -> Self {
        let mut by_difficulty: Vec<u32> = (0..difficulties.len() as u32).collect();
        by_difficulty.sort_by(|&a, &b| difficulties[a as usize].total_cmp(&difficulties[b as usize]));
        let mut rank = vec![0; difficulties.len()];
        by_difficulty.iter().zip(0..).for_each(|(&sample, place)| rank[sample as usize] = place);
        Self { by_difficulty, rank }
    }

    /// The sample that stands for `sample` while only the easiest `share` is drawn: all of these stand for equally many.
    pub fn easier(&self, sample: u32, share: f64) -> u32 {
        let place = (f64::from(self.rank[sample as usize]) * share) as usize;
        self.by_difficulty[place]
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_easiest_stand_for_all_until_all_are_drawn() {
        let ranks = Ranks::new(&[5.0, 1.0, 9.0, 3.0, 7.0, 0.0, 8.0, 2.0]);
        assert_eq!(ranks.by_difficulty, [5, 1, 7, 3, 0, 4, 6, 2]);
        let drawn = |share: f64| {
            let mut counts = [0; 8];
            (0..8).for_each(|sample| counts[ranks.easier(sample, share) as usize] += 1);
            counts
        };
        assert_eq!(drawn(0.25), [0, 4, 0, 0, 0, 4, 0, 0], "two samples, each for four");
        assert_eq!(drawn(1.0), [1; 8]);
        assert!((0..8).all(|sample| ranks.easier(sample, 1.0) == sample), "nothing is left of the curriculum");
    }

    #[test]
    fn dark_maps_are_hard_and_buildings_do_not_count() {
        let sample =
            |truth: [u8; 4], outdoors: [u8; 4]| PreparedSample { truth: truth.into(), outdoors: outdoors.into(), ..Default::default() };
        let [bright, dark, built] = [sample([200, 0, 200, 0], [1, 0, 1, 0]), sample([50, 60, 0, 0], [1, 1, 0, 0]), sample([0; 4], [0; 4])];
        assert_eq!([&bright, &dark, &built].map(difficulty), [55.0, 200.0, 0.0]);
    }

    #[test]
    fn the_share_grows_to_all() {
        let curriculum = Curriculum { start: 0.25, epochs: 4.0 };
        curriculum.check("x").unwrap();
        assert_eq!([0.0, 2.0, 4.0, 9.0].map(|epochs| curriculum.share_after(epochs)), [0.25, 0.625, 1.0, 1.0]);
        for (start, epochs, words) in [(0.0, 1.0, "x.start is 0"), (1.5, 1.0, "x.start is 1.5"), (0.5, f64::NAN, "x.epochs is NaN")] {
            assert!(Curriculum { start, epochs }.check("x").unwrap_err().to_string().contains(words));
        }
    }
}

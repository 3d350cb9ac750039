//! The greedy choice, with lazy evaluation.

use super::covered::CoveredPixels;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ops::ControlFlow;

/// A chosen place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SiteChoice {
    /// Index of the candidate.
    pub candidate: usize,
    /// Pixels that nothing covered before.
    pub gained_pixels: usize,
    /// Pixels covered by everything up to this one.
    pub covered_pixels: usize,
}

/// Chooses up to `count` candidates, each the one that adds most to what `existing` and the earlier ones cover, the first of equal
/// ones. It ends early where no candidate adds a pixel, and where `on_choice` breaks.
pub fn choose_sites(
    candidates: &[CoveredPixels],
    existing: &CoveredPixels,
    count: usize,
    mut on_choice: impl FnMut(&SiteChoice) -> ControlFlow<()>,
) -> Vec<SiteChoice> {
    let mut covered = existing.clone();
    let mut chosen = Vec::new();
    // What each candidate adds, as it was when last counted, and after how many choices that was.
    let added = |(i, pixels): (usize, &CoveredPixels)| (pixels.count_beyond(existing), Reverse(i), 0);
    let mut queue: BinaryHeap<(usize, Reverse<usize>, usize)> = candidates.iter().enumerate().map(added).collect();
    while chosen.len() < count {
        let Some((gained_pixels, Reverse(candidate), counted_at)) = queue.pop() else { break };
        if counted_at < chosen.len() {
            queue.push((candidates[candidate].count_beyond(&covered), Reverse(candidate), chosen.len()));
            continue;
        }
        if gained_pixels == 0 {
            break;
        }
        covered.merge(&candidates[candidate]);
        chosen.push(SiteChoice { candidate, gained_pixels, covered_pixels: covered.count() });
        if chosen.last().is_some_and(|choice| on_choice(choice).is_break()) {
            break;
        }
    }
    chosen
}

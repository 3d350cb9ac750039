//! The greedy choice of sites against counting everything.

// Clippy allows unwrap in #[test] functions only; the helpers here are as much tests.
#![allow(clippy::unwrap_used)]

use radiodiff_planning::raster::PlanLayer;
use radiodiff_planning::sites::{CoveredPixels, SiteChoice, choose_sites};
use std::ops::ControlFlow;

const PIXELS: usize = 150;

fn set(pixels: &[bool]) -> CoveredPixels {
    let values: Vec<f32> = pixels.iter().map(|&inside| if inside { 1.0 } else { f32::NAN }).collect();
    CoveredPixels::new(PlanLayer::Snr, &values, 0.0)
}

/// Discs on a line of pixels, of seeded places and widths.
fn seeded(random: &mut fastrand::Rng, count: usize) -> Vec<Vec<bool>> {
    let disc = |_| {
        let (middle, width) = (random.usize(0..PIXELS), random.usize(0..25));
        (0..PIXELS).map(|pixel| pixel.abs_diff(middle) <= width && pixel % 7 != 0).collect()
    };
    (0..count).map(disc).collect()
}

fn union(sets: &[&[bool]]) -> usize {
    (0..PIXELS).filter(|&pixel| sets.iter().any(|set| set[pixel])).count()
}

/// The greedy choice by counting every candidate in every round.
fn exhaustive(candidates: &[Vec<bool>], existing: &[bool], count: usize) -> Vec<SiteChoice> {
    let mut covered: Vec<&[bool]> = vec![existing];
    let mut chosen = Vec::new();
    for _ in 0..count {
        let before = union(&covered);
        let gained = |candidate: &Vec<bool>| union(&[covered.as_slice(), &[candidate]].concat()) - before;
        let gains: Vec<usize> = candidates.iter().map(gained).collect();
        let Some(&most) = gains.iter().max().filter(|&&most| most > 0) else { break };
        let candidate = gains.iter().position(|&gain| gain == most).unwrap();
        covered.push(&candidates[candidate]);
        chosen.push(SiteChoice { candidate, gained_pixels: most, covered_pixels: union(&covered) });
    }
    chosen
}

/// The most pixels that `count` of the candidates cover.
fn optimum(candidates: &[Vec<bool>], count: usize) -> usize {
    let chosen = |subset: u32| (0..candidates.len()).filter(move |i| subset >> i & 1 == 1);
    let subsets = (0..1_u32 << candidates.len()).filter(|subset| subset.count_ones() as usize <= count);
    subsets.map(|subset| union(&chosen(subset).map(|i| candidates[i].as_slice()).collect::<Vec<_>>())).max().unwrap()
}

#[test]
fn the_lazy_choice_is_the_exhaustive_greedy_one() {
    for seed in 0..200 {
        let mut random = fastrand::Rng::with_seed(seed);
        let candidates = seeded(&mut random, 30);
        let existing = seeded(&mut random, 1).remove(0);
        let sets: Vec<CoveredPixels> = candidates.iter().map(|candidate| set(candidate)).collect();
        let count = random.usize(1..12);
        let found = choose_sites(&sets, &set(&existing), count, |_| ControlFlow::Continue(()));
        assert_eq!(found, exhaustive(&candidates, &existing, count), "seed {seed}");
    }
}

#[test]
fn it_covers_at_least_63_percent_of_the_optimum() {
    for seed in 0..60 {
        let mut random = fastrand::Rng::with_seed(seed);
        let candidates = seeded(&mut random, 10);
        let sets: Vec<CoveredPixels> = candidates.iter().map(|candidate| set(candidate)).collect();
        for count in 1..5 {
            let found = choose_sites(&sets, &CoveredPixels::default(), count, |_| ControlFlow::Continue(()));
            let covered = found.last().map_or(0, |choice| choice.covered_pixels) as f64;
            let best = optimum(&candidates, count) as f64;
            assert!(covered <= best && covered >= (1.0 - (-1.0_f64).exp()) * best, "seed {seed}, {count} sites: {covered} of {best}");
        }
    }
}

#[test]
fn nothing_to_gain_ends_the_choice_and_so_does_the_caller() {
    let all = set(&[true; PIXELS]);
    assert_eq!(choose_sites(std::slice::from_ref(&all), &all, 3, |_| ControlFlow::Continue(())), []);
    assert_eq!(choose_sites(&[], &all, 3, |_| ControlFlow::Continue(())), []);
    let mut random = fastrand::Rng::with_seed(1);
    let sets: Vec<CoveredPixels> = seeded(&mut random, 20).iter().map(|candidate| set(candidate)).collect();
    let mut calls = 0;
    let found = choose_sites(&sets, &CoveredPixels::default(), 5, |_| {
        calls += 1;
        if calls == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    assert_eq!((found.len(), calls), (2, 2));
}

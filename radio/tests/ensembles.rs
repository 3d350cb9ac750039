//! The scores of ensembles against closed forms, against their definitions, and on ensembles that are calibrated by construction.

use radiodiff_radio::map::GrayCodec;
use radiodiff_radio::metrics::EnsembleKind::{Draws, Quantiles};
use radiodiff_radio::metrics::{EnsembleScores, IntervalMiss, central_interval, crps, nominal_coverage, widening_that_holds};
use std::f64::consts::{PI, SQRT_2, TAU};

/// Gray levels that are dB above the floor.
const DB: GrayCodec = GrayCodec { floor_db: 0.0, ceiling_db: 1.0 };

fn normal(random: &mut fastrand::Rng) -> f64 {
    (-2.0 * (1.0 - random.f64()).ln()).sqrt() * (TAU * random.f64()).cos()
}

fn sorted(mut values: Vec<f64>) -> Vec<f64> {
    values.sort_by(f64::total_cmp);
    values
}

/// The mean of many draws is within four standard errors of `expected`.
#[track_caller]
fn assert_expected(draws: &[f64], expected: f64) {
    let n = draws.len() as f64;
    let mean = draws.iter().sum::<f64>() / n;
    let standard_error = (draws.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n * (n - 1.0))).sqrt();
    assert!((mean - expected).abs() < 4.0 * standard_error, "{mean} +- {standard_error}, expected {expected}");
    assert!(standard_error < 0.02 * expected, "the test says something: {standard_error}");
}

/// A normal distribution's CRPS is sigma (z erf(z / sqrt 2) + 2 phi(z) - 1 / sqrt pi) with z = (truth - mu) / sigma (Gneiting and
/// Raftery, 2007). The fair estimator's expectation is this whatever the number of members, two as well.
#[test]
fn the_crps_of_few_members_is_a_normal_distributions() {
    let mut random = fastrand::Rng::with_seed(5);
    let (mean, deviation, truth) = (-95.0, 6.0, -91.0);
    let z: f64 = (truth - mean) / deviation;
    let density = (-z * z / 2.0).exp() / TAU.sqrt();
    let expected = deviation * (z * libm::erf(z / SQRT_2) + 2.0 * density - 1.0 / PI.sqrt());
    for (members, draws) in [(2, 40_000), (5, 10_000), (50, 1_000)] {
        let draw = |_| crps(Draws, &sorted((0..members).map(|_| mean + deviation * normal(&mut random)).collect()), truth);
        assert_expected(&(0..draws).map(draw).collect::<Vec<_>>(), expected);
    }
}

#[test]
fn sorting_gives_what_all_pairs_give() {
    let mut random = fastrand::Rng::with_seed(6);
    let members = sorted((0..7).map(|_| -80.0 * random.f64()).collect());
    for truth in [-100.0, -33.0, members[3], 5.0] {
        let distance: f64 = members.iter().map(|x| (x - truth).abs()).sum::<f64>() / 7.0;
        let pairs: f64 = members.iter().flat_map(|a| members.iter().map(move |b| (a - b).abs())).sum();
        assert!((crps(Draws, &members, truth) - (distance - pairs / (2.0 * 7.0 * 6.0))).abs() < 1e-12);
    }
}

#[test]
fn intervals_are_those_of_the_convention() {
    let places = |count: usize| (1..=count).map(|i| i as f64).collect::<Vec<_>>();
    // Few members reach no further than their extremes; 19 reach exactly them; 30 have the place 1.55.
    assert_eq!(central_interval(&places(4)), [1.0, 4.0]);
    let close = |[a, b]: [f64; 2], [c, d]: [f64; 2]| assert!((a - c).abs() < 1e-12 && (b - d).abs() < 1e-12, "{a}, {b}");
    close(central_interval(&places(19)), [1.0, 19.0]);
    close(central_interval(&places(30)), [1.55, 29.45]);
    assert_eq!([2, 9, 19, 100].map(nominal_coverage), [1.0 / 3.0, 0.8, 0.9, 0.9]);
}

/// Maps of `pixels` pixels, each with a spread of its own in dB; the truth is one more draw, or one with more spread than is said.
fn maps(members: usize, pixels: usize, spread_of_truth: f64) -> (Vec<Vec<f32>>, Vec<f32>) {
    let mut random = fastrand::Rng::with_seed(7);
    let (mut maps, mut truth) = (vec![Vec::new(); members], Vec::new());
    for _ in 0..pixels {
        let (center, spread) = (40.0 + 20.0 * random.f64(), 0.5 + 8.0 * random.f64());
        maps.iter_mut().for_each(|map| map.push((center + spread * normal(&mut random)) as f32));
        truth.push((center + spread_of_truth * spread * normal(&mut random)) as f32);
    }
    (maps, truth)
}

#[test]
fn a_calibrated_ensemble_is_found_calibrated() {
    const PIXELS: usize = 10_000;
    for members in [4, 19] {
        let (maps, truth) = maps(members, PIXELS, 1.0);
        let scores = EnsembleScores::new((Draws, &maps), &truth, &[0; PIXELS], &DB, 50.0).spread.expect("several members");
        let nominal = nominal_coverage(members);
        let standard_error = (nominal * (1.0 - nominal) / PIXELS as f64).sqrt();
        assert!((scores.coverage - nominal).abs() < 4.0 * standard_error, "{members} members hold {}", scores.coverage);
        let ratio = scores.spread_db / scores.rmse_db;
        assert!((ratio - 1.0).abs() < 0.05, "{members} members: spread over error {ratio}");
        let [pearson, spearman] = [scores.pearson, scores.spearman].map(|found| found.expect("both vary"));
        assert!((0.2..0.9).contains(&pearson) && (0.2..0.9).contains(&spearman), "{pearson}, {spearman}");
    }
    // Twice too sure.
    let (maps, truth) = maps(19, PIXELS, 2.0);
    let scores = EnsembleScores::new((Draws, &maps), &truth, &[0; PIXELS], &DB, 50.0).spread.expect("several members");
    assert!(scores.coverage < 0.7 && scores.spread_db < 0.6 * scores.rmse_db, "{scores:?}");
}

#[test]
fn proper_scores_punish_too_much_and_too_little_spread() {
    let (maps, truth) = maps(19, 4_000, 1.0);
    let mean = |pixel: usize| maps.iter().map(|map| map[pixel]).sum::<f32>() / 19.0;
    let widened = |factor: f32| {
        let widen = |map: &Vec<f32>| map.iter().enumerate().map(|(i, value)| mean(i) + factor * (value - mean(i))).collect::<Vec<_>>();
        EnsembleScores::new((Draws, &maps.iter().map(widen).collect::<Vec<_>>()), &truth, &vec![0; truth.len()], &DB, 50.0)
    };
    let honest = widened(1.0);
    for other in [widened(0.3), widened(3.0)] {
        assert!(other.crps_db > 1.1 * honest.crps_db && other.brier > 1.02 * honest.brier, "{other:?}, honest {honest:?}");
    }
}

#[test]
fn one_member_is_a_certain_forecast() {
    let codec = GrayCodec::default();
    let gray = |gains_db: [f32; 4]| gains_db.map(|gain_db| codec.encode(gain_db));
    let (map, truth) = (gray([-110.0, -96.0, -60.0, -140.0]), gray([-107.0, -101.0, -61.0, -50.0]));
    let scores = EnsembleScores::new((Draws, &[map]), &truth, &[0, 0, 0, 1], &codec, -100.0);
    assert!((scores.crps_db - 3.0).abs() < 1e-4, "the mean of 3, 5 and 1 dB: {}", scores.crps_db);
    assert!((scores.brier - 1.0 / 3.0).abs() < 1e-12 && scores.spread.is_none(), "one of three is on the wrong side");
    // Members that agree say the same; their spread says nothing of the error.
    let same = EnsembleScores::new((Draws, &[map; 7]), &truth, &[0, 0, 0, 1], &codec, -100.0);
    assert!((same.crps_db - scores.crps_db).abs() < 1e-9 && (same.brier - scores.brier).abs() < 1e-12);
    let spread = same.spread.expect("several members");
    assert_eq!((spread.pearson, spread.spearman, spread.coverage), (None, None, 0.0));
    assert!(spread.width_db == 0.0 && (spread.rmse_db - (35.0_f64 / 3.0).sqrt()).abs() < 1e-4);
}

/// Two of four members above the threshold and the truth too: (1/2 - 1)^2 - 1/4 / 3.
#[test]
fn the_brier_score_is_the_fair_one() {
    let members = [[40.0], [45.0], [55.0], [60.0]];
    let scores = EnsembleScores::new((Draws, &members), &[52.0], &[0], &DB, 50.0);
    assert!((scores.brier - (0.25 - 0.25 / 3.0)).abs() < 1e-12);
    let scores = EnsembleScores::new((Draws, &members), &[52.0], &[0], &DB, 60.0);
    assert_eq!(scores.brier, 0.0, "a threshold is not above itself");
}

/// Normal quantiles 1/20 to 19/20, the truths normal too: the mean CRPS is 1 / sqrt pi but for there being 19 of them, and what the other
/// estimators would give is as far off as [`EnsembleKind`](radiodiff_radio::metrics::EnsembleKind) says.
#[test]
fn quantiles_are_scored_as_a_distribution() {
    const TRUTHS: usize = 100_000;
    let place = |p: f64| {
        let (mut low, mut high) = (-9.0, 9.0);
        while high - low > 1e-12 {
            let middle = 0.5 * (low + high);
            *(if 0.5 * libm::erfc(-middle / SQRT_2) < p { &mut low } else { &mut high }) = middle;
        }
        low
    };
    let quantiles: Vec<f64> = (1..20).map(|i| place(f64::from(i) / 20.0)).collect();
    let truths: Vec<f64> = (0..TRUTHS).map(|i| place((i as f64 + 0.5) / TRUTHS as f64)).collect();
    let off = |score: &dyn Fn(f64) -> f64| truths.iter().map(|&truth| score(truth)).sum::<f64>() / TRUTHS as f64 * PI.sqrt() - 1.0;
    let pinball = |truth: f64| {
        let of_quantile = |(i, q): (usize, &f64)| ((i + 1) as f64 / 20.0 - f64::from(u8::from(truth < *q))) * (truth - q);
        2.0 * quantiles.iter().enumerate().map(of_quantile).sum::<f64>() / 19.0
    };
    let found = [off(&|truth| crps(Quantiles, &quantiles, truth)), off(&|truth| crps(Draws, &quantiles, truth)), off(&pinball)];
    found.iter().zip([0.005, -0.044, 0.049]).for_each(|(found, said)| assert!((found - said).abs() < 1e-3, "{found}, expected {said}"));

    // The interval's ends are the outermost quantiles, and a share is not corrected.
    let members: Vec<[f32; 1]> = quantiles.iter().map(|q| [50.0 + 10.0 * *q as f32]).collect();
    let scores = EnsembleScores::new((Quantiles, &members), &[55.0], &[0], &DB, 50.5);
    assert!((scores.brier - (9.0_f64 / 19.0 - 1.0).powi(2)).abs() < 1e-12, "nine of 19 are above: {}", scores.brier);
    let spread = scores.spread.expect("several members");
    let (width, squares) = (20.0 * quantiles[18], quantiles.iter().map(|q| q * q).sum::<f64>());
    assert!((spread.width_db - width).abs() < 1e-5 && spread.coverage == 1.0, "{spread:?}");
    assert!((spread.spread_db - 10.0 * (squares / 19.0).sqrt()).abs() < 1e-5, "{spread:?}");
}

#[test]
fn the_least_widening_that_holds_enough_is_found() {
    // 100 pixels, in which the truth is 0.1 to 10 dB above the mean of members that reach 1 dB to either side.
    let pixel = |truth: f64| IntervalMiss::new(vec![-1.0, 1.0], truth);
    let map: Vec<IntervalMiss> = (1..=100).map(|i| pixel(f64::from(i) / 10.0)).collect();
    let factor = widening_that_holds(0.9, std::slice::from_ref(&map)).unwrap();
    assert!((factor - 9.0).abs() < 0.02, "{factor}");
    // Each map counts the same, whatever its size; below 1, members come nearer to their mean.
    let factor = widening_that_holds(0.75, &[map, vec![pixel(0.0); 3]]).unwrap();
    assert!((factor - 5.0).abs() < 0.02, "{factor}");
    assert_eq!(widening_that_holds(0.9, &[vec![pixel(0.5)]]), Some(0.5));
    assert_eq!(widening_that_holds(0.9, &[vec![IntervalMiss::new(vec![2.0, 2.0], 2.5)]]), None);
}

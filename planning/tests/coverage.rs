//! Coverage of several transmitters: what must hold for any maps.

// Clippy allows unwrap in #[test] functions only; the helpers here are as much tests.
#![allow(clippy::unwrap_used)]

use radiodiff_planning::coverage::{Coverage, Receiver, Signal};
use radiodiff_planning::raster::PlanLayer;
use radiodiff_radio::map::{Quantity, RadioMap};
use radiodiff_radio::propagation::{AntennaPattern, Sector};
use radiodiff_radio::scene::{Grid, Transmitter};

const GRID: Grid = Grid { size: 16, meters_per_pixel: 2.0 };

/// A transmitter with a seeded map; pixels 0 to 9 are inside a building.
fn seeded(random: &mut fastrand::Rng, frequency_mhz: f64) -> Signal {
    let value = |i: usize| if i < 10 { f32::NAN } else { -50.0 - 90.0 * random.f32() };
    let path_gain = RadioMap { grid: GRID, quantity: Quantity::PathGainDb, values: (0..256).map(value).collect() };
    let transmitter = Transmitter { frequency_mhz, ..Transmitter::at(32.0 * random.f64(), 32.0 * random.f64()) };
    Signal::new(&path_gain, &transmitter, 1.5, &AntennaPattern::Omni).unwrap()
}

fn plan(signals: &[Signal], receiver: Receiver) -> Coverage {
    let mut coverage = Coverage::new(GRID, receiver).unwrap();
    signals.iter().for_each(|signal| coverage.add(signal.clone()).unwrap());
    coverage
}

fn signals(seed: u64, count: usize) -> Vec<Signal> {
    let mut random = fastrand::Rng::with_seed(seed);
    (0..count).map(|_| seeded(&mut random, 5900.0)).collect()
}

fn outdoors(values: &[f32]) -> &[f32] {
    assert!(values[..10].iter().all(|value| value.is_nan()) && values[10..].iter().all(|value| value.is_finite()));
    &values[10..]
}

#[test]
fn the_strongest_signal_is_the_best_servers_and_no_weaker_than_any() {
    for seed in 0..20 {
        let signals = signals(seed, 1 + seed as usize % 5);
        let coverage = plan(&signals, Receiver::default());
        let (strongest, server) = (coverage.values(PlanLayer::ReceivedPower), coverage.values(PlanLayer::BestServer));
        for (i, (&dbm, &server)) in outdoors(&strongest).iter().zip(outdoors(&server)).enumerate() {
            assert_eq!(dbm, signals[server as usize - 1].received().values[i + 10]);
            assert!(signals.iter().all(|signal| signal.received().values[i + 10] <= dbm));
        }
        let loss = coverage.values(PlanLayer::PathLoss);
        // All send 23 dBm from isotropic antennas, so that the least loss is the strongest signal.
        assert!(outdoors(&loss).iter().zip(outdoors(&strongest)).all(|(loss, dbm)| (23.0 - loss - dbm).abs() < 1e-4));
    }
}

/// Of any map that a transmitter may have: near and far, in its beam and behind it.
#[test]
fn the_signals_of_one_transmitter_are_those_of_each_map_alone() {
    let mut random = fastrand::Rng::with_seed(3);
    let maps: Vec<RadioMap> = (0..3)
        .map(|_| {
            let values = (0..256).map(|i| if i < 10 { f32::NAN } else { -50.0 - 90.0 * random.f32() }).collect();
            RadioMap { grid: GRID, quantity: Quantity::PathGainDb, values }
        })
        .collect();
    for (frequency_mhz, pattern) in [(5900.0, AntennaPattern::Omni), (28_000.0, AntennaPattern::Sector(Sector::default()))] {
        let transmitter = Transmitter { frequency_mhz, height_m: 12.0, azimuth_deg: 40.0, ..Transmitter::at(9.0, 21.0) };
        let together = Signal::all(&maps, &transmitter, 1.5, &pattern).unwrap();
        assert_eq!(together.len(), maps.len());
        for (signal, map) in together.iter().zip(&maps) {
            let alone = Signal::new(map, &transmitter, 1.5, &pattern).unwrap();
            assert_eq!(outdoors(&signal.received().values), outdoors(&alone.received().values));
            assert_eq!(outdoors(signal.path_loss_db()), outdoors(alone.path_loss_db()));
        }
        assert_ne!(outdoors(&together[0].received().values), outdoors(&together[1].received().values));
    }
    assert!(Signal::all(&[], &Transmitter::at(1.0, 1.0), 1.5, &AntennaPattern::Omni).unwrap().is_empty());
}

#[test]
fn the_order_of_transmitters_changes_their_numbers_only() {
    for seed in 0..10 {
        let mut signals = signals(seed, 4);
        let before = plan(&signals, Receiver::default());
        signals.reverse();
        let after = plan(&signals, Receiver::default());
        for layer in [PlanLayer::ReceivedPower, PlanLayer::PathLoss, PlanLayer::Snr] {
            assert_eq!(outdoors(&before.values(layer)), outdoors(&after.values(layer)), "{layer:?}");
        }
        let (a, b) = (before.values(PlanLayer::Sinr), after.values(PlanLayer::Sinr));
        assert!(outdoors(&a).iter().zip(outdoors(&b)).all(|(a, b)| (a - b).abs() < 1e-4));
        let (a, b) = (before.values(PlanLayer::BestServer), after.values(PlanLayer::BestServer));
        assert!(outdoors(&a).iter().zip(outdoors(&b)).all(|(a, b)| a + b == 5.0));
    }
}

#[test]
fn interference_lowers_the_ratio_and_other_channels_do_not_interfere() {
    for seed in 0..20 {
        let mut random = fastrand::Rng::with_seed(seed);
        let same = [seeded(&mut random, 5900.0), seeded(&mut random, 5900.0)];
        let (one, both) = (plan(&same[..1], Receiver::default()), plan(&same, Receiver::default()));
        let (snr, sinr) = (one.values(PlanLayer::Snr), one.values(PlanLayer::Sinr));
        assert!(outdoors(&snr).iter().zip(outdoors(&sinr)).all(|(snr, sinr)| (snr - sinr).abs() < 1e-4), "alone, nothing interferes");
        let (snr, sinr) = (both.values(PlanLayer::Snr), both.values(PlanLayer::Sinr));
        assert!(outdoors(&snr).iter().zip(outdoors(&sinr)).all(|(snr, sinr)| *sinr < *snr + 1e-4));
        let apart = [same[0].clone(), seeded(&mut random, 5920.0)];
        let apart = plan(&apart, Receiver::default());
        let (snr, sinr) = (apart.values(PlanLayer::Snr), apart.values(PlanLayer::Sinr));
        assert!(outdoors(&snr).iter().zip(outdoors(&sinr)).all(|(snr, sinr)| (snr - sinr).abs() < 1e-4));
    }
}

#[test]
fn two_equal_transmitters_without_noise_share_alike() {
    let signal = signals(7, 1).remove(0);
    let receiver = Receiver { noise_floor_dbm: Some(-250.0), ..Receiver::default() };
    let sinr = plan(&[signal.clone(), signal.clone()], receiver).values(PlanLayer::Sinr);
    assert!(outdoors(&sinr).iter().all(|db| db.abs() < 1e-4));
    // Noise as strong as the interference costs 3 dB more.
    let equal = Receiver { noise_floor_dbm: Some(f64::from(signal.received().values[100])), ..Receiver::default() };
    let sinr = plan(&[signal.clone(), signal], equal).values(PlanLayer::Sinr);
    assert!((sinr[100] + 3.0103).abs() < 1e-3, "{}", sinr[100]);
}

#[test]
fn the_receivers_gain_and_noise_shift_the_layers() {
    let signals = signals(3, 2);
    let plain = plan(&signals, Receiver { noise_floor_dbm: Some(-100.0), ..Receiver::default() });
    let better = plan(&signals, Receiver { noise_floor_dbm: Some(-103.0), gain_dbi: 2.0, ..Receiver::default() });
    for (layer, shift) in [(PlanLayer::ReceivedPower, 2.0), (PlanLayer::Snr, 5.0), (PlanLayer::PathLoss, 0.0)] {
        let (a, b) = (plain.values(layer), better.values(layer));
        assert!(outdoors(&a).iter().zip(outdoors(&b)).all(|(a, b)| (b - a - shift).abs() < 1e-4), "{layer:?}");
    }
}

#[test]
fn statistics_count_what_the_layers_hold() {
    for seed in 0..20 {
        let signals = signals(seed, 1 + seed as usize % 3);
        let coverage = plan(&signals, Receiver::default());
        for layer in PlanLayer::ALL {
            let values = coverage.values(layer);
            let mut before = if layer == PlanLayer::PathLoss { 0.0 } else { 1.0 };
            for threshold in [-150.0, -100.0, -85.0, -60.0, 0.0, 40.0, 100.0] {
                let found = coverage.statistics(layer, threshold);
                let covered = values.iter().filter(|value| layer.covers(**value, threshold)).count();
                assert_eq!((found.outdoor_pixels, found.covered_pixels), (246, covered));
                assert_eq!((found.outdoor_area_m2, found.covered_area_m2), (246.0 * 4.0, covered as f64 * 4.0));
                assert_eq!(found.share, covered as f64 / 246.0);
                assert!((found.served_share.iter().sum::<f64>() - found.share).abs() < 1e-12);
                // A higher demand on power covers less, a larger loss allowed more.
                assert!(if layer == PlanLayer::PathLoss { found.share >= before } else { found.share <= before });
                before = found.share;
                assert_eq!(found.largest_range_m.is_some(), covered > 0);
                assert!(found.largest_range_m.is_none_or(|range_m| range_m <= 32.0 * 2_f64.sqrt()));
            }
        }
    }
}

#[test]
fn a_distribution_rises_to_one_and_agrees_with_the_values() {
    let coverage = plan(&signals(11, 2), Receiver::default());
    let values = coverage.values(PlanLayer::ReceivedPower);
    let found = coverage.statistics(PlanLayer::ReceivedPower, -90.0);
    assert!(found.cdf.windows(2).all(|pair| pair[1].value == pair[0].value + 1.0 && pair[1].share >= pair[0].share));
    assert_eq!(found.cdf.last().map(|point| point.share), Some(1.0));
    for point in &found.cdf {
        let below = outdoors(&values).iter().filter(|value| f64::from(**value) <= point.value).count();
        assert_eq!(point.share, below as f64 / 246.0);
    }
    let (min, max) = (found.min.unwrap(), found.max.unwrap());
    assert!(found.cdf[0].value <= min && found.cdf.last().unwrap().value >= max && (min..=max).contains(&found.mean.unwrap()));
}

#[test]
fn the_largest_range_is_from_the_transmitter_that_serves() {
    let gain = |strong: usize| {
        let values = (0..256).map(|i| if i == strong { -50.0 } else { -140.0 }).collect();
        RadioMap { grid: GRID, quantity: Quantity::PathGainDb, values }
    };
    let signal = |strong, x, y| Signal::new(&gain(strong), &Transmitter::at(x, y), 1.5, &AntennaPattern::Omni).unwrap();
    // Pixel (0, 0) has its centre at (1, 31) m, pixel (15, 15) at (31, 1) m.
    let coverage = plan(&[signal(0, 1.0, 21.0), signal(255, 31.0, 5.0)], Receiver::default());
    let found = coverage.statistics(PlanLayer::ReceivedPower, -60.0);
    assert_eq!((found.covered_pixels, found.largest_range_m), (2, Some(10.0)));
    assert_eq!(found.served_share, [1.0 / 256.0; 2]);
}

#[test]
fn a_plan_without_transmitters_covers_nothing_and_other_grids_are_refused() {
    let mut coverage = plan(&[], Receiver::default());
    for layer in PlanLayer::ALL {
        assert!(coverage.values(layer).iter().all(|value| value.is_nan()));
        let found = coverage.statistics(layer, -90.0);
        assert_eq!((found.share, found.largest_range_m, found.mean, found.cdf.len()), (0.0, None, None, 0));
    }
    let grid = Grid { size: 8, meters_per_pixel: 2.0 };
    let map = RadioMap { grid, quantity: Quantity::PathGainDb, values: vec![-80.0; 64] };
    let signal = Signal::new(&map, &Transmitter::at(1.0, 1.0), 1.5, &AntennaPattern::Omni).unwrap();
    let error = coverage.add(signal).unwrap_err().to_string();
    assert!(error.contains("expected 16 pixels a side, found 8"), "{error}");
    assert!(Coverage::new(GRID, Receiver { bandwidth_mhz: -1.0, ..Receiver::default() }).is_err());
    assert_eq!(coverage.signals().len(), 0);
}

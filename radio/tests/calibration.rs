//! Calibration on simulated measurements, whose constants are known.

use geo::{Coord, Rect};
use radiodiff_radio::calibration::{
    Calibration, CalibrationError, CalibrationOptions, CellLaw, ConstantName, Constants, Covariance, Measurement, Surroundings,
    average_by_squares, cross_validate,
};
use radiodiff_radio::scene::{Building, Grid, Scene};

const ANTENNA: Coord<f64> = Coord { x: 128.0, y: 128.0 };
const LAW: CellLaw = CellLaw { frequency_mhz: 3600.0 };

/// Sixteen blocks of houses around a crossing.
fn surroundings() -> Surroundings {
    let house = |i: usize| {
        let corner = Coord { x: 12.0 + 64.0 * (i % 4) as f64, y: 12.0 + 64.0 * (i / 4) as f64 };
        let footprint = Rect::new(corner, corner + Coord { x: 40.0, y: 40.0 }).to_polygon();
        Building { height_m: i.is_multiple_of(3).then_some(12.0), ..Building::from(footprint) }
    };
    let scene = Scene::from_polygons(Grid { size: 128, meters_per_pixel: 2.0 }, (0..16).map(house).collect());
    Surroundings::new(&scene, ANTENNA).expect("the antenna is on the map")
}

fn options(azimuth_deg: Option<f64>) -> CalibrationOptions {
    CalibrationOptions::new(LAW, azimuth_deg, Some(20.0))
}

/// As if the law erred by little more than the measurements' noise, which it does in simulated ones.
fn trusting(options: CalibrationOptions) -> CalibrationOptions {
    CalibrationOptions { covariance: Covariance { local_db: 1.0, shadow_db: 1.0, ..options.covariance }, ..options }
}

/// Constants two to three deviations from their priors' means, and how near a fit must come.
const FAR_FROM_PRIORS: [(ConstantName, f64, f64); 4] = [
    (ConstantName::Offset, -50.0, 6.0),
    (ConstantName::Exponent, 3.9, 0.6),
    (ConstantName::Azimuth, 118.0, 4.0),
    (ConstantName::OverRoof, 0.35, 0.06),
];

/// The priors' means but for these.
fn truth() -> Constants {
    let mut constants = options(Some(100.0)).priors.map(|prior| prior.mean);
    for (name, value, _) in FAR_FROM_PRIORS {
        constants[name as usize] = value;
    }
    constants
}

/// Places in the streets, without order.
fn places(count: usize) -> Vec<Coord<f64>> {
    let mut random = fastrand::Rng::with_seed(7);
    (0..count).map(|_| Coord { x: 256.0 * random.f64(), y: 256.0 * random.f64() }).collect()
}

fn simulated(surroundings: &Surroundings, count: usize, noise_db: f64) -> Vec<Measurement> {
    simulated_by(&truth(), surroundings, count, noise_db)
}

fn simulated_by(truth: &Constants, surroundings: &Surroundings, count: usize, noise_db: f64) -> Vec<Measurement> {
    let mut random = fastrand::Rng::with_seed(3);
    // A sum of uniform numbers is as good as normal here; its variance is 12 / 12.
    let mut normal = || (0..12).map(|_| random.f64()).sum::<f64>() - 6.0;
    let mut power_dbm = |position| LAW.power_dbm(truth, &surroundings.link(position)) + noise_db * normal();
    places(count).into_iter().map(|position| Measurement { position, power_dbm: power_dbm(position) }).collect()
}

fn rms_db(calibration: &Calibration, surroundings: &Surroundings) -> f64 {
    let fresh = places(400).split_off(300);
    let error_db =
        |&place: &Coord<f64>| calibration.predict(surroundings, place).power_dbm - LAW.power_dbm(&truth(), &surroundings.link(place));
    (fresh.iter().map(error_db).map(|error| error * error).sum::<f64>() / fresh.len() as f64).sqrt()
}

/// Also where another roof becomes the main edge on the way, and the loss jumps by some decibels.
#[test]
fn a_deviation_of_a_height_changes_power_by_no_more_than_roofs_can() {
    const MOST_DB: f64 = 12.0;
    let surroundings = surroundings();
    let priors = options(Some(100.0)).priors;
    let mut constants = truth();
    constants[ConstantName::OverRoof as usize] = 0.2;
    // Beside the antenna its own pattern changes more.
    for place in places(300).into_iter().filter(|&place| (place - ANTENNA).x.hypot((place - ANTENNA).y) > 20.0) {
        let link = surroundings.link(place);
        for centimetres in (50..3000).step_by(35) {
            constants[ConstantName::AntennaHeight as usize] = f64::from(centimetres) / 100.0;
            let (_, slopes) = LAW.linearised(&constants, &priors, &link);
            for name in [ConstantName::AntennaHeight, ConstantName::RoofHeight] {
                let slope_db = slopes[name as usize];
                assert!(slope_db.abs() < MOST_DB, "{name:?}: {slope_db} dB at {place:?}, the antenna {centimetres} cm high");
            }
        }
    }
}

#[test]
fn known_constants_are_recovered_through_noise_and_outliers() {
    let surroundings = surroundings();
    let mut measurements = simulated(&surroundings, 250, 1.0);
    for one in measurements.iter_mut().step_by(25) {
        one.power_dbm -= 45.0;
    }
    let calibration = Calibration::fit(&surroundings, &measurements, &trusting(options(Some(100.0)))).expect("a fit");
    for (name, truth, within) in FAR_FROM_PRIORS {
        let (prior, found) = (calibration.options().priors[name as usize], calibration.constants()[name as usize]);
        println!("{name:?}: {found:.2}, truth {truth}, before {}", prior.mean);
        assert!((found - truth).abs() < within && within < 0.5 * (prior.mean - truth).abs(), "{name:?}: {found}, truth {truth}");
        let sure = calibration.deviations()[name as usize];
        assert!(sure < prior.deviation, "{name:?} is no surer than before: {sure}");
    }
    let error_db = rms_db(&calibration, &surroundings);
    assert!(error_db < 2.5, "{error_db} dB");
}

#[test]
fn an_unknown_azimuth_is_found() {
    let surroundings = surroundings();
    let calibration = Calibration::fit(&surroundings, &simulated(&surroundings, 120, 1.0), &options(None)).expect("a fit");
    let found = calibration.constants()[ConstantName::Azimuth as usize];
    assert!((found - 118.0).abs() < 10.0, "{found} degrees");
}

/// From 20 m alone, the fits of the first two end at 17 m.
#[test]
fn an_unknown_height_is_found() {
    let surroundings = surroundings();
    let options = trusting(CalibrationOptions::new(LAW, Some(100.0), None));
    for height_m in [6.0, 12.0, 20.0, 40.0] {
        let mut truth = truth();
        truth[ConstantName::AntennaHeight as usize] = height_m;
        let measurements = simulated_by(&truth, &surroundings, 200, 1.0);
        let calibration = Calibration::fit(&surroundings, &measurements, &options).expect("a fit");
        let found_m = calibration.constants()[ConstantName::AntennaHeight as usize];
        assert!((found_m - height_m).abs() < 0.2 * height_m, "{found_m} m, truth {height_m} m");
        let assumed = calibration.options().priors[ConstantName::AntennaHeight as usize];
        assert_eq!((assumed.mean, assumed.deviation), (20.0, 4.0));
        let warning = calibration.height_warning();
        let told = warning.as_ref().is_some_and(|warning| warning.contains("20 m explains the measurements far worse"));
        assert_eq!((told, warning.is_some()), (height_m != 20.0, height_m != 20.0), "{warning:?}");
    }
}

#[test]
fn without_noise_measured_places_keep_their_power() {
    let surroundings = surroundings();
    let mut options = options(Some(100.0));
    options.covariance.noise_db = 1e-3;
    let mut measurements = simulated(&surroundings, 60, 0.0);
    for one in &mut measurements {
        one.power_dbm += 6.0 * (one.position.x / 30.0).sin();
    }
    let calibration = Calibration::fit(&surroundings, &measurements, &options).expect("a fit");
    for one in &measurements {
        let predicted = calibration.predict(&surroundings, one.position);
        assert!((predicted.power_dbm - one.power_dbm).abs() < 0.2, "{predicted:?} for {} dBm", one.power_dbm);
        assert!(predicted.deviation_db < 0.5, "{predicted:?}");
    }
}

#[test]
fn the_deviation_grows_with_the_distance_to_the_measurements() {
    let surroundings = surroundings();
    let measurements: Vec<Measurement> =
        simulated(&surroundings, 300, 1.0).into_iter().filter(|one| one.position.x < 60.0 && one.position.y < 60.0).collect();
    let calibration = Calibration::fit(&surroundings, &measurements, &options(Some(100.0))).expect("a fit");
    let deviation_db = |away_m: f64| calibration.predict(&surroundings, Coord { x: 60.0 + away_m, y: 60.0 + away_m }).deviation_db;
    let deviations = [0.0, 10.0, 20.0, 40.0].map(deviation_db);
    assert!(deviations.is_sorted() && deviations[3] > 1.3 * deviations[0], "{deviations:?}");
}

#[test]
fn a_blocks_own_measurements_do_not_help_to_predict_it() {
    let surroundings = surroundings();
    let measurements = simulated(&surroundings, 200, 1.0);
    let errors = |measurements: &[Measurement]| {
        let calibration = Calibration::fit(&surroundings, measurements, &options(Some(100.0))).expect("a fit");
        cross_validate(&surroundings, measurements, &calibration, 64.0).expect("blocks")
    };
    let honest = errors(&measurements);
    assert!(honest.all.after_db < honest.all.before_db, "{:?}", honest.all);
    assert_eq!(honest.blocks.iter().map(|block| block.errors.count).sum::<usize>(), 200);
    // A block whose powers are all 30 dB off is predicted as if they were not: its error is the 30 dB.
    let in_block = |one: &Measurement| one.position.x < 64.0 && one.position.y < 64.0;
    let moved = |one: &Measurement| Measurement { power_dbm: one.power_dbm + if in_block(one) { 30.0 } else { 0.0 }, ..*one };
    let off = errors(&measurements.iter().map(moved).collect::<Vec<_>>()).blocks[0].errors;
    assert!((off.after_db - 30.0).abs() < 4.0, "{off:?}");
}

#[test]
fn measurements_that_cannot_be_fitted_are_refused() {
    let surroundings = surroundings();
    let good = simulated(&surroundings, 30, 1.0);
    let refused = |change: fn(&mut Vec<Measurement>)| {
        let mut measurements = good.clone();
        change(&mut measurements);
        Calibration::fit(&surroundings, &measurements, &options(Some(100.0))).err()
    };
    assert_eq!(refused(Vec::clear), Some(CalibrationError::TooFew { found: 0 }));
    assert_eq!(refused(|all| all.truncate(1)), Some(CalibrationError::TooFew { found: 1 }));
    assert_eq!(refused(|all| all.iter_mut().for_each(|one| one.power_dbm = -90.0)), Some(CalibrationError::AllEqual { power_dbm: -90.0 }));
    assert_eq!(refused(|all| all[4].power_dbm = f64::NAN), Some(CalibrationError::NotFinite { index: 4 }));
    assert_eq!(refused(|all| all[5].position.x = f64::INFINITY), Some(CalibrationError::NotFinite { index: 5 }));
    assert_eq!(refused(|all| all[6].power_dbm = 900.0), Some(CalibrationError::Power { index: 6, power_dbm: 900.0 }));
    assert!(matches!(refused(|all| all[7].position.x = 300.0), Some(CalibrationError::OffMap { index: 7, .. })));
    // Many measurements of one place are no error: they agree or are noise.
    let one_place = |all: &mut Vec<Measurement>| all.iter_mut().for_each(|one| one.position = Coord { x: 30.0, y: 5.0 });
    assert_eq!(refused(one_place), None);
}

#[test]
fn squares_hold_the_mean_of_their_measurements() {
    let at = |x, y, power_dbm| Measurement { position: Coord { x, y }, power_dbm };
    let squares = average_by_squares(&[at(9.0, 1.0, -70.0), at(1.0, 1.0, -80.0), at(3.0, 2.0, -90.0)], 4.0);
    assert_eq!(squares, [at(2.0, 1.5, -85.0), at(9.0, 1.0, -70.0)]);
}

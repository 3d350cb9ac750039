//! The physical maps against WinProp's: the 22 real maps of the shared reference data.

use radiodiff_dataset::Dataset;
use radiodiff_radio::geometry::PreparedScene;
use radiodiff_radio::map::GrayCodec;
use radiodiff_radio::propagation::{DominantPath, LogDistanceLaw, PropagationModel};
use radiodiff_radio::scene::LinkEnds;
use std::path::PathBuf;
use trainer::evaluate::{EvaluationRequest, evaluate};

fn samples() -> PathBuf {
    radiodiff_tests::shared_data().join("data/radiomapseer-samples")
}

/// Absolute errors in dB, sorted, of the law on what map `i`'s transmitter sees.
fn errors_in_sight_db(dataset: &Dataset, i: usize) -> Vec<f64> {
    let sample = dataset.load(i).expect("the sample is sound");
    let grid = sample.scene.grid;
    let sight = PreparedScene::new(&sample.scene).line_of_sight(sample.position).expect("the transmitter is outdoors");
    let codec = GrayCodec::default();
    let error = |(row, column): (usize, usize)| {
        let center = grid.pixel_center(row, column);
        let distance_m = (center.x - sample.position.x).hypot(center.y - sample.position.y);
        let truth_db = codec.decode(f32::from(sample.truth[row * grid.size + column]) / 255.0);
        (LogDistanceLaw::LINE_OF_SIGHT.gain_db(distance_m) - f64::from(truth_db)).abs()
    };
    let seen = sample.scene.outdoor_pixels().filter(|&(row, column)| sight[row * grid.size + column] != 0);
    let mut errors: Vec<f64> = seen.map(error).collect();
    errors.sort_by(f64::total_cmp);
    errors
}

#[test]
#[cfg_attr(not(reference_data), ignore = "needs the reference data (RADIODIFF_SHARED)")]
fn in_sight_the_law_is_within_a_gray_level() {
    // Map 0's positions are exact; the other samples' are read off the brightest pixel and right to about a pixel.
    let dataset = Dataset::open(&samples(), "DPM").expect("the samples are there");
    for i in (0..dataset.len()).filter(|&i| dataset.name(i).starts_with("0_")) {
        let errors = errors_in_sight_db(&dataset, i);
        let median = errors[errors.len() / 2];
        assert!(median < 0.389, "{}: median error {median} dB over {} pixels in sight", dataset.name(i), errors.len());
    }
}

#[test]
#[cfg_attr(not(reference_data), ignore = "needs the reference data (RADIODIFF_SHARED)")]
fn the_dominant_path_is_winprops() {
    let evaluation = evaluate(&samples(), &EvaluationRequest::default()).expect("the samples are sound").evaluation;
    let [baseline, simulator] = [0, 1].map(|i| evaluation.rows[i].scores);
    println!("{}", evaluation.table());
    assert_eq!(evaluation.maps, 22);
    assert!(simulator.nmse < 0.1 * baseline.nmse, "NMSE {} against the baseline's {}", simulator.nmse, baseline.nmse);
    assert!(simulator.ssim > 0.988, "SSIM {}", simulator.ssim);
    assert!(simulator.rmse_db < 1.15, "{} dB outdoors", simulator.rmse_db);
}

#[test]
#[cfg_attr(not(reference_data), ignore = "needs the reference data (RADIODIFF_SHARED)")]
fn what_the_dominant_path_sees_is_in_sight() {
    let dataset = Dataset::open(&samples(), "DPM").expect("the samples are there");
    let (codec, sight) = (GrayCodec::default(), LogDistanceLaw::LINE_OF_SIGHT);
    let (mut seen, mut right) = (0, 0);
    for i in 0..dataset.len() {
        let sample = dataset.load(i).expect("the sample is sound");
        let grid = sample.scene.grid;
        let prepared = PreparedScene::new(&sample.scene);
        let map = DominantPath::default().path_gain(&prepared, &LinkEnds::at(sample.position)).expect("the transmitter is outdoors");
        for (row, column) in sample.scene.outdoor_pixels() {
            let (pixel, center) = (row * grid.size + column, grid.pixel_center(row, column));
            let law_db = sight.gain_db((center.x - sample.position.x).hypot(center.y - sample.position.y));
            if (f64::from(map.values[pixel]) - law_db).abs() < 1e-3 {
                let truth_db = codec.decode(f32::from(sample.truth[pixel]) / 255.0);
                seen += 1;
                right += usize::from((f64::from(truth_db) - law_db.min(f64::from(codec.decode(1.0)))).abs() < 0.5);
            }
        }
    }
    assert!(seen > 300_000 && right * 100 >= seen * 99, "{right} of {seen} pixels in sight within 0.5 dB");
}

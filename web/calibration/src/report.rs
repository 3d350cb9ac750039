//! What JavaScript is told of a calibration beside its map: `CalibrationReport` of web/js/planning.d.ts.

use geo::Coord;
use radiodiff_radio::calibration::{BlockErrors, Calibration, HeldOutErrors, Measurement, Prior, Validation};
use radiodiff_radio::scene::LocalFrame;
use serde::Serialize;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CalibrationReport {
    pub readings: usize,
    pub squares: usize,
    pub constants: Vec<ConstantReport>,
    pub errors: Option<ErrorsReport>,
    pub blocks: Vec<BlockReport>,
    pub places: Vec<PlaceReport>,
    pub warnings: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ConstantReport {
    name: &'static str,
    unit: &'static str,
    before: f64,
    before_deviation: f64,
    fitted: f64,
    fitted_deviation: f64,
}

/// Root mean square errors in dB in blocks that the fit was not given.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ErrorsReport {
    squares: usize,
    before_db: f64,
    law_db: f64,
    after_db: f64,
    within_deviation: f64,
}

#[derive(Serialize)]
pub struct BlockReport {
    /// Its south-west corner, degrees.
    lng: f64,
    lat: f64,
    #[serde(flatten)]
    errors: ErrorsReport,
}

/// A square that was measured.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PlaceReport {
    lng: f64,
    lat: f64,
    /// The mean of the square's readings.
    power_dbm: f64,
    /// By the map that was not given the square's block.
    predicted_dbm: Option<f64>,
}

impl From<&HeldOutErrors> for ErrorsReport {
    fn from(errors: &HeldOutErrors) -> Self {
        let &HeldOutErrors { count: squares, before_db, law_db, after_db, within_deviation } = errors;
        Self { squares, before_db, law_db, after_db, within_deviation }
    }
}

/// The law's constants before and after the fit.
pub fn constants(calibration: &Calibration) -> Vec<ConstantReport> {
    let fitted = calibration.constants().iter().zip(calibration.deviations());
    let report = |(prior, (&fitted, &fitted_deviation)): (&Prior, (&f64, &f64))| ConstantReport {
        name: prior.label,
        unit: prior.unit,
        before: prior.mean,
        before_deviation: prior.deviation,
        fitted,
        fitted_deviation,
    };
    calibration.options().priors.iter().zip(fitted).map(report).collect()
}

/// The blocks with their places on the globe.
pub fn blocks(validation: &Validation, frame: &LocalFrame) -> Vec<BlockReport> {
    let report = |block: &BlockErrors| {
        let corner = frame.to_degrees(Coord { x: block.east_m, y: block.north_m });
        BlockReport { lng: corner.x, lat: corner.y, errors: (&block.errors).into() }
    };
    validation.blocks.iter().map(report).collect()
}

/// The measured squares, with what the validation predicted of them.
pub fn places(measurements: &[Measurement], validation: Option<&Validation>, frame: &LocalFrame) -> Vec<PlaceReport> {
    let predicted = |index: usize| validation.and_then(|found| found.predictions.get(index).copied().flatten()).map(|one| one.power_dbm);
    let report = |(index, one): (usize, &Measurement)| {
        let place = frame.to_degrees(one.position);
        PlaceReport { lng: place.x, lat: place.y, power_dbm: one.power_dbm, predicted_dbm: predicted(index) }
    };
    measurements.iter().enumerate().map(report).collect()
}

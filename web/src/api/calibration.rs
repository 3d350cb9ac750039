//! A calibration under way. JavaScript takes it step by step, so that it can report and stop between them.

use super::scene::{SceneHandle, TransmitterReport, antenna};
use super::{checked, error, object};
use crate::request::CalibrationRequest;
use geo::Coord;
use js_sys::Float32Array;
use radiodiff_radio::calibration::{
    Calibration, CalibrationOptions, CellLaw, HeldOutErrors, Measurement, Surroundings, TableRow, Validation, average_by_squares,
    cross_validate,
};
use radiodiff_radio::propagation::{AntennaPattern, FrequencyScaling};
use serde::Serialize;
use std::collections::BTreeMap;
use wasm_bindgen::prelude::*;

/// A cell, its surroundings and what was measured of it.
#[wasm_bindgen]
pub struct CalibrationHandle {
    request: CalibrationRequest,
    surroundings: Surroundings,
    options: CalibrationOptions,
    /// Readings on the map, and their means over squares.
    readings: usize,
    measurements: Vec<Measurement>,
    calibration: Option<Calibration>,
    validation: Option<Validation>,
    power_dbm: Vec<f32>,
    deviation_db: Vec<f32>,
    warnings: Vec<String>,
}

/// What JavaScript is told beside the map.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CalibrationReport {
    readings: usize,
    squares: usize,
    constants: Vec<ConstantReport>,
    errors: Option<ErrorsReport>,
    blocks: Vec<BlockReport>,
    warnings: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ConstantReport {
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
struct ErrorsReport {
    squares: usize,
    before_db: f64,
    law_db: f64,
    after_db: f64,
    within_deviation: f64,
}

#[derive(Serialize)]
struct BlockReport {
    /// Its south-west corner, degrees.
    lng: f64,
    lat: f64,
    #[serde(flatten)]
    errors: ErrorsReport,
}

impl From<&HeldOutErrors> for ErrorsReport {
    fn from(errors: &HeldOutErrors) -> Self {
        let &HeldOutErrors { count: squares, before_db, law_db, after_db, within_deviation } = errors;
        Self { squares, before_db, law_db, after_db, within_deviation }
    }
}

#[wasm_bindgen]
impl CalibrationHandle {
    /// Checks `{ transmitter, measurements, device, squareM, blockM }` and looks around the cell.
    #[wasm_bindgen(constructor)]
    pub fn new(scene: &SceneHandle, request: JsValue) -> Result<CalibrationHandle, JsValue> {
        let request: CalibrationRequest = checked(request)?;
        let asked = &request.transmitter;
        // The same frequencies as for a transmitter that is drawn.
        FrequencyScaling::to(asked.frequency_mhz).map_err(|e| error("frequency", &e))?;
        let antenna = antenna(asked)?;
        let azimuth_deg = (antenna.pattern != AntennaPattern::Omni).then_some(antenna.azimuth_deg);
        let position = scene.frame().to_meters(Coord { x: asked.lng, y: asked.lat });
        let surroundings = Surroundings::new(scene.scene(), position).map_err(|e| error("transmitter", &e))?;
        let options = CalibrationOptions::new(CellLaw { frequency_mhz: asked.frequency_mhz }, azimuth_deg, request.height_m);
        let mut warnings = asked.warnings.clone();
        warnings.extend(antenna.warnings);
        let rows = rows_of_device(&request, &mut warnings)?;
        let place = |row: &&TableRow| Measurement { position: scene.frame().to_meters(row.lng_lat), power_dbm: row.power_dbm };
        let on_map: Vec<Measurement> = rows.iter().map(place).filter(|one| scene.grid().pixel_of(one.position).is_some()).collect();
        if on_map.len() < rows.len() {
            warnings.push(format!("{} of {} measurements lie off the map and are not used.", rows.len() - on_map.len(), rows.len()));
        }
        let measurements = average_by_squares(&on_map, request.square_m);
        Ok(CalibrationHandle {
            surroundings,
            options,
            readings: on_map.len(),
            measurements,
            calibration: None,
            validation: None,
            power_dbm: Vec::new(),
            deviation_db: Vec::new(),
            warnings,
            request,
        })
    }

    /// Fits the law to all measurements.
    pub fn fit(&mut self) -> Result<(), JsValue> {
        let fitted = Calibration::fit(&self.surroundings, &self.measurements, &self.options);
        self.calibration = Some(fitted.map_err(|e| error("measurements", &e))?);
        Ok(())
    }

    /// Predicts blocks of the ground from the others; where that is not possible, a warning says why.
    pub fn validate(&mut self) {
        match cross_validate(&self.surroundings, &self.measurements, &self.options, self.request.block_m) {
            Ok(validation) => self.validation = Some(validation),
            Err(cause) => self.warnings.push(format!("The errors in blocks are not known: {cause}.")),
        }
    }

    /// Draws the next row of the map, from the north.
    #[wasm_bindgen(js_name = drawRow)]
    pub fn draw_row(&mut self, scene: &SceneHandle) -> Result<(), JsValue> {
        let calibration = self.calibration.as_ref().ok_or_else(|| error("failed", &"nothing is fitted yet"))?;
        let (grid, mask) = (scene.grid(), &scene.scene().mask);
        let row = self.power_dbm.len() / grid.size;
        for column in 0..grid.size {
            let outdoors = !mask.is_building(row, column);
            let predicted = outdoors.then(|| calibration.predict(&self.surroundings, grid.pixel_center(row, column)));
            self.power_dbm.push(predicted.map_or(f32::NAN, |one| one.power_dbm as f32));
            self.deviation_db.push(predicted.map_or(f32::NAN, |one| one.deviation_db as f32));
        }
        Ok(())
    }

    /// Power in dBm in the rows that are drawn, NaN inside buildings.
    pub fn power(&self) -> Float32Array {
        Float32Array::from(self.power_dbm.as_slice())
    }

    /// Standard deviation in dB of what a measurement would show about the power.
    pub fn deviation(&self) -> Float32Array {
        Float32Array::from(self.deviation_db.as_slice())
    }

    /// `CalibrationReport` of web/js/index.d.ts.
    pub fn report(&self, scene: &SceneHandle) -> Result<JsValue, JsValue> {
        let calibration = self.calibration.as_ref().ok_or_else(|| error("failed", &"nothing is fitted yet"))?;
        let fitted = calibration.constants().iter().zip(calibration.deviations());
        let constants = calibration.priors().iter().zip(fitted).map(|(prior, (&fitted, &fitted_deviation))| ConstantReport {
            name: prior.label,
            unit: prior.unit,
            before: prior.mean,
            before_deviation: prior.deviation,
            fitted,
            fitted_deviation,
        });
        let blocks = self.validation.iter().flat_map(|validation| &validation.blocks).map(|block| {
            let corner = scene.frame().to_degrees(Coord { x: block.east_m, y: block.north_m });
            BlockReport { lng: corner.x, lat: corner.y, errors: (&block.errors).into() }
        });
        object(&CalibrationReport {
            readings: self.readings,
            squares: self.measurements.len(),
            constants: constants.collect(),
            errors: self.validation.as_ref().map(|validation| (&validation.all).into()),
            blocks: blocks.collect(),
            warnings: self.warnings.clone(),
        })
    }

    /// The cell as it was asked for, in the words of [`super::scene::PlacedTransmitter::report`].
    pub fn transmitter(&self) -> Result<JsValue, JsValue> {
        object(&TransmitterReport::as_asked(&self.request.transmitter))
    }
}

/// The rows of the request's device; without one, of the device with the most rows, because phones differ by several dB.
fn rows_of_device<'a>(request: &'a CalibrationRequest, warnings: &mut Vec<String>) -> Result<Vec<&'a TableRow>, JsValue> {
    let name = |row: &'a TableRow| row.device.as_deref().unwrap_or_default();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for row in &request.rows {
        *counts.entry(name(row)).or_default() += 1;
    }
    let names = || counts.iter().map(|(name, count)| format!("{name:?} ({count})")).collect::<Vec<_>>().join(", ");
    let most = counts.iter().max_by_key(|&(_, count)| count).map_or("", |(name, _)| *name);
    let chosen = request.device.as_deref().unwrap_or(most);
    if !counts.contains_key(chosen) {
        return Err(error("measurements", &format!("there are no measurements of {chosen:?}, only of {}", names())));
    }
    if request.device.is_none() && counts.len() > 1 {
        warnings.push(format!("Several devices measured: {}. Only {chosen:?} is used; device chooses another.", names()));
    }
    Ok(request.rows.iter().filter(|row| name(row) == chosen).collect())
}

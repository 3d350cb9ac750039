//! A calibration under way. JavaScript takes it step by step, so that it can report and stop between them.

use crate::report::{CalibrationReport, blocks, constants, places};
use crate::request::MeasurementsRequest;
use geo::Coord;
use js_sys::Float32Array;
use radiodiff_radio::calibration::{
    Calibration, CalibrationOptions, CellLaw, Measurement, Surroundings, TableRow, Validation, average_by_squares, cross_validate,
};
use radiodiff_radio::scene::{BuildingMask, Grid, LocalFrame};
use radiodiff_web_values::{CellTerms, checked, error, object, parsed};
use std::collections::BTreeMap;
use wasm_bindgen::prelude::*;

/// A cell, its surroundings and what was measured of it.
#[wasm_bindgen]
pub struct CalibrationHandle {
    surroundings: Surroundings,
    options: CalibrationOptions,
    frame: LocalFrame,
    block_m: f64,
    /// Readings on the map, and their means over squares.
    readings: usize,
    measurements: Vec<Measurement>,
    calibration: Option<Calibration>,
    validation: Option<Validation>,
    power_dbm: Vec<f32>,
    deviation_db: Vec<f32>,
    warnings: Vec<String>,
}

#[wasm_bindgen]
impl CalibrationHandle {
    /// `terms` and the four arrays, (N, N) with row 0 in the north, are those of the main module's `CellSurroundings`; `measurements` is
    /// `{ measurements, device }` of the request.
    #[wasm_bindgen(constructor)]
    pub fn new(
        terms: JsValue,
        mask: Vec<u8>,
        stated_roofs_m: Vec<f32>,
        wall_distance_m: Vec<f64>,
        gain_db: Vec<f32>,
        measurements: JsValue,
    ) -> Result<CalibrationHandle, JsValue> {
        let terms: CellTerms = parsed(terms)?;
        let request: MeasurementsRequest = checked(measurements)?;
        let grid = Grid { size: terms.size, meters_per_pixel: terms.meters_per_pixel };
        if [mask.len(), stated_roofs_m.len(), wall_distance_m.len(), gain_db.len()].iter().any(|&pixels| pixels != grid.pixels()) {
            return Err(error("failed", &format!("the arrays around the cell have not {} pixels each", grid.pixels())));
        }
        let place = |[x, y]: [f64; 2]| Coord { x, y };
        let mask = BuildingMask { size: grid.size, pixels: mask };
        let (antenna, street_antenna) = (place(terms.antenna), place(terms.street_antenna));
        let surroundings = Surroundings { grid, antenna, mask, stated_roofs_m, wall_distance_m, gain_db, street_antenna };
        let options = CalibrationOptions::new(CellLaw { frequency_mhz: terms.frequency_mhz }, terms.azimuth_deg, terms.height_m);
        let frame = LocalFrame::centered(place(terms.center), grid);
        let mut warnings = Vec::new();
        let rows = rows_of_device(&request, &mut warnings)?;
        let measured = |row: &&TableRow| Measurement { position: frame.to_meters(row.lng_lat), power_dbm: row.power_dbm };
        let on_map: Vec<Measurement> = rows.iter().map(measured).filter(|one| grid.pixel_of(one.position).is_some()).collect();
        if on_map.len() < rows.len() {
            warnings.push(format!("{} of {} measurements lie off the map and are not used.", rows.len() - on_map.len(), rows.len()));
        }
        Ok(CalibrationHandle {
            surroundings,
            options,
            frame,
            block_m: terms.block_m,
            readings: on_map.len(),
            measurements: average_by_squares(&on_map, terms.square_m),
            calibration: None,
            validation: None,
            power_dbm: Vec::new(),
            deviation_db: Vec::new(),
            warnings,
        })
    }

    /// Fits the law to all measurements.
    pub fn fit(&mut self) -> Result<(), JsValue> {
        let fitted = Calibration::fit(&self.surroundings, &self.measurements, &self.options).map_err(|e| error("measurements", &e))?;
        self.warnings.extend(fitted.height_warning());
        self.calibration = Some(fitted);
        Ok(())
    }

    /// Predicts blocks of the ground from the others; where that is not possible, a warning says why.
    pub fn validate(&mut self) -> Result<(), JsValue> {
        match cross_validate(&self.surroundings, &self.measurements, self.fitted()?, self.block_m) {
            Ok(validation) => self.validation = Some(validation),
            Err(cause) => self.warnings.push(format!("The errors in blocks are not known: {cause}.")),
        }
        Ok(())
    }

    /// Draws the next row of the map, from the north.
    #[wasm_bindgen(js_name = drawRow)]
    pub fn draw_row(&mut self) -> Result<(), JsValue> {
        let calibration = self.fitted()?;
        let (grid, mask) = (self.surroundings.grid, &self.surroundings.mask);
        let row = self.power_dbm.len() / grid.size;
        if row >= grid.size {
            return Err(error("failed", &format!("all {} rows are drawn", grid.size)));
        }
        let predict = |column| {
            let outdoors = !mask.is_building(row, column);
            outdoors.then(|| calibration.predict(&self.surroundings, grid.pixel_center(row, column)))
        };
        let predicted: Vec<_> = (0..grid.size).map(predict).collect();
        self.power_dbm.extend(predicted.iter().map(|one| one.map_or(f32::NAN, |one| one.power_dbm as f32)));
        self.deviation_db.extend(predicted.iter().map(|one| one.map_or(f32::NAN, |one| one.deviation_db as f32)));
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

    /// `CalibrationReport` of web/js/planning.d.ts without map and milliseconds.
    pub fn report(&self) -> Result<JsValue, JsValue> {
        object(&CalibrationReport {
            readings: self.readings,
            squares: self.measurements.len(),
            constants: constants(self.fitted()?),
            errors: self.validation.as_ref().map(|validation| (&validation.all).into()),
            blocks: self.validation.as_ref().map(|validation| blocks(validation, &self.frame)).unwrap_or_default(),
            places: places(&self.measurements, self.validation.as_ref(), &self.frame),
            warnings: self.warnings.clone(),
        })
    }

    fn fitted(&self) -> Result<&Calibration, JsValue> {
        self.calibration.as_ref().ok_or_else(|| error("failed", &"nothing is fitted yet"))
    }
}

/// The rows of the request's device; without one, of the device with the most rows, because phones differ by several dB.
fn rows_of_device<'a>(request: &'a MeasurementsRequest, warnings: &mut Vec<String>) -> Result<Vec<&'a TableRow>, JsValue> {
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

//! The search for places of new transmitters. JavaScript draws one candidate after the other, so that it can report and stop between them.

use super::scene::{PlacedTransmitter, SceneHandle, TransmitterReport};
use crate::request::sites::{CandidatePlaces, MOST_CANDIDATES, SPACING_SHARE, SitesRequest};
use crate::request::{Method, TransmitterRequest};
use geo::Coord;
use radiodiff_planning::raster::PlanLayer;
use radiodiff_planning::sites::{CandidatesOnMap, CoveredPixels, SiteChoice, candidate_places, candidates_on_map, choose_sites};
use radiodiff_radio::scene::GeoBounds;
use radiodiff_web_values::{checked, error, object};
use serde::Serialize;
use std::ops::ControlFlow;
use wasm_bindgen::prelude::*;

/// A candidate that stands on the map.
struct Candidate {
    /// Its number among those that were given.
    index: usize,
    placed: PlacedTransmitter,
}

/// A search under way.
#[wasm_bindgen]
pub struct SiteSearch {
    request: SitesRequest,
    existing: Vec<PlacedTransmitter>,
    candidates: Vec<Candidate>,
    /// Numbers of those that lie off the map.
    off_map: Vec<usize>,
    /// What the existing transmitters cover, as far as they were drawn.
    before: CoveredPixels,
    /// What each candidate that was drawn covers.
    covered: Vec<CoveredPixels>,
    /// Maps that are drawn, of existing transmitters and of candidates.
    drawn: usize,
    warnings: Vec<String>,
}

/// What JavaScript is told in the end.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SitesReport {
    sites: Vec<SiteReport>,
    candidates: usize,
    off_map: Vec<usize>,
    outdoor_pixels: usize,
    /// Share of the ground outdoors that was covered before.
    share_before: f64,
    warnings: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SiteReport {
    candidate: usize,
    name: Option<String>,
    gained_share: f64,
    covered_share: f64,
    transmitter: TransmitterReport,
}

#[wasm_bindgen]
impl SiteSearch {
    /// Checks `{ candidates, area, spacingM, count, thresholdDbm, existing, transmitter, receiver }` and puts all transmitters on the
    /// map. Candidates off the map are left out with a warning.
    #[wasm_bindgen(constructor)]
    pub fn new(scene: &SceneHandle, request: JsValue) -> Result<SiteSearch, JsValue> {
        let request: SitesRequest = checked(request)?;
        let height_m = request.plan.receiver_height_m;
        let place = |asked: &TransmitterRequest| scene.place_transmitter(asked, height_m);
        let existing = request.existing.iter().map(place).collect::<Result<Vec<_>, _>>()?;
        let places = places(scene, &request.candidates);
        let asked = places.len();
        if asked > MOST_CANDIDATES {
            let hint = "a larger spacingM or a smaller area makes fewer";
            return Err(error("candidates", &format!("there are {asked} candidates, expected at most {MOST_CANDIDATES}: {hint}")));
        }
        let CandidatesOnMap { on_map, off_map, warning } = candidates_on_map(&places, scene.grid(), &scene.frame());
        let stand = |index: usize| {
            let Coord { x: lng, y: lat } = places[index];
            let placed = match &request.candidates {
                CandidatePlaces::Given(given) => place(&given[index].transmitter),
                CandidatePlaces::Spread { .. } => place(&TransmitterRequest { lng, lat, ..request.transmitter.clone() }),
            };
            Ok(Candidate { index, placed: placed? })
        };
        let candidates = on_map.into_iter().map(stand).collect::<Result<Vec<_>, JsValue>>()?;
        if candidates.is_empty() {
            return Err(error("candidates", &format!("none of {asked} candidates stands outdoors on the map")));
        }
        let mut warnings = request.plan.warnings.clone();
        warnings.extend(warning);
        warnings.extend(existing.iter().flat_map(|placed| placed.report(Method::DominantPath).warnings));
        Ok(SiteSearch { request, existing, candidates, off_map, before: CoveredPixels::default(), covered: Vec::new(), drawn: 0, warnings })
    }

    /// How many maps there are to draw: of the existing transmitters, then of the candidates.
    #[wasm_bindgen(getter)]
    pub fn steps(&self) -> usize {
        self.existing.len() + self.candidates.len()
    }

    /// Draws the next map; JavaScript counts them.
    pub fn draw(&mut self, scene: &SceneHandle) -> Result<(), JsValue> {
        if let Some(placed) = self.existing.get(self.drawn) {
            let covered = self.covered_by(scene, placed)?;
            self.before.merge(&covered);
        } else if let Some(candidate) = self.candidates.get(self.covered.len()) {
            let covered = self.covered_by(scene, &candidate.placed)?;
            self.covered.push(covered);
        } else {
            return Err(error("failed", &format!("all {} maps are drawn", self.steps())));
        }
        self.drawn += 1;
        Ok(())
    }

    /// `SuggestedSites` of web/js/index.d.ts without its milliseconds, once all maps are drawn.
    pub fn choose(&self, scene: &SceneHandle) -> Result<JsValue, JsValue> {
        let outdoor_pixels = scene.scene().outdoor_pixels().count();
        let share = |pixels: usize| pixels as f64 / outdoor_pixels.max(1) as f64;
        let chosen = choose_sites(&self.covered, &self.before, self.request.count, |_| ControlFlow::Continue(()));
        let mut warnings = self.warnings.clone();
        let mut report = |choice: &SiteChoice| {
            let Candidate { index, placed } = &self.candidates[choice.candidate];
            let name = match &self.request.candidates {
                CandidatePlaces::Given(given) => given[*index].name.clone(),
                CandidatePlaces::Spread { .. } => None,
            };
            let transmitter = placed.report(Method::DominantPath);
            for warning in &transmitter.warnings {
                if !warnings.contains(warning) {
                    warnings.push(warning.clone());
                }
            }
            SiteReport {
                candidate: *index,
                name,
                gained_share: share(choice.gained_pixels),
                covered_share: share(choice.covered_pixels),
                transmitter,
            }
        };
        let sites: Vec<SiteReport> = chosen.iter().map(&mut report).collect();
        if sites.len() < self.request.count {
            warnings.push(format!(
                "Only {} of {} sites were found: no further candidate covers anything more.",
                sites.len(),
                self.request.count
            ));
        }
        object(&SitesReport {
            sites,
            candidates: self.candidates.len(),
            off_map: self.off_map.clone(),
            outdoor_pixels,
            share_before: share(self.before.count()),
            warnings,
        })
    }

    fn covered_by(&self, scene: &SceneHandle, placed: &PlacedTransmitter) -> Result<CoveredPixels, JsValue> {
        let signal = scene.dominant_path(placed)?.signal;
        // A signal is what an isotropic receiver gets.
        let threshold_dbm = self.request.threshold_dbm - self.request.plan.receiver.gain_dbi;
        Ok(CoveredPixels::new(PlanLayer::ReceivedPower, &signal.received().values, threshold_dbm))
    }
}

/// The candidates' places in degrees.
fn places(scene: &SceneHandle, candidates: &CandidatePlaces) -> Vec<Coord<f64>> {
    match candidates {
        CandidatePlaces::Given(given) => given.iter().map(|one| Coord { x: one.transmitter.lng, y: one.transmitter.lat }).collect(),
        CandidatePlaces::Spread { area, spacing_m } => {
            let grid = scene.grid();
            let within = |place: &Coord<f64>| {
                area.is_none_or(|GeoBounds { west, south, east, north }| {
                    (west..=east).contains(&place.x) && (south..=north).contains(&place.y)
                })
            };
            let spacing_m = spacing_m.unwrap_or(grid.extent_m() * SPACING_SHARE);
            let spread = candidate_places(grid, &scene.scene().mask, spacing_m);
            spread.into_iter().map(|meters| scene.frame().to_degrees(meters)).filter(within).collect()
        }
    }
}

//! `radiodiff sites`: places for new transmitters that cover most together with those that are there.
//!
//! In flow buildings and candidates, given or spread over the map; those off the map are left out with a warning. A map of each candidate
//! is drawn on all cores; the choice among them is [`radiodiff_planning::sites`]'s. Out flows a list of places with what each adds, as
//! GeoJSON or CSV. The CSV is a list of sites again, as the page reads it.

mod args;

pub use args::Args;

use crate::drawing::{MapScene, MapSource, PlacedStation, Station, TransmitterArg};
use anyhow::{Context, Result};
use args::SiteFormat;
use geo::Coord;
use radiodiff_dataset::{files, progress};
use radiodiff_planning::raster::PlanLayer;
use radiodiff_planning::sites::{CandidatesOnMap, CoveredPixels, SiteChoice, candidate_places, candidates_on_map, choose_sites};
use radiodiff_radio::calibration::SiteRow;
use rayon::prelude::*;
use serde_json::json;
use std::ops::ControlFlow;
use std::time::Instant;

/// What stands at a candidate, by the name that it has in a list.
struct Named {
    name: Option<String>,
    station: Station,
}

/// A candidate and what it would cover.
struct Candidate {
    name: Option<String>,
    placed: PlacedStation,
    covered: CoveredPixels,
}

/// Runs the command.
///
/// # Errors
/// Files that cannot be read or written, existing transmitters off the map, and a map on which no candidate can stand.
pub fn run(args: &Args) -> Result<()> {
    if let Some(out) = &args.out {
        files::check_place(&out.path)?;
    }
    let source = MapSource::new(&args.source)?;
    let grid = args.area.grid(source.grid())?;
    let map = MapScene::read(&args.scene, args.area.cars.as_deref(), &args.area.import_options(grid))?;
    map.assumptions().iter().for_each(|assumption| eprintln!("note: {assumption}"));
    map.warnings().iter().for_each(|warning| eprintln!("warning: {warning}"));
    map.warnings_for(&source).iter().for_each(|warning| eprintln!("warning: {warning}"));
    let mut told = Vec::from_iter(args.stations.unused_heights(&source));
    told.iter().for_each(|warning| eprintln!("warning: {warning}"));
    let mut existing = CoveredPixels::default();
    for tx in &args.existing {
        let (placed, covered) = evaluate(args, &map, &source, &Station::new(tx, &args.stations)?)?;
        tell(&mut told, &placed.warnings);
        existing.merge(&covered);
    }
    let stations = stations(args, &map, &source)?;
    let with_height = stations.iter().any(|candidate| candidate.station.height_m.is_some());
    tell(&mut told, &Vec::from_iter(source.unused_heights().filter(|_| with_height)));
    let started = Instant::now();
    let bar = progress::bar(stations.len() as u64, "candidates")?;
    let evaluated: Result<Vec<Candidate>> = stations
        .par_iter()
        .map_init(
            || None,
            |kept: &mut Option<MapSource>, Named { name, station }| {
                if kept.is_none() {
                    *kept = Some(MapSource::new(&args.source)?);
                }
                let (placed, covered) = evaluate(args, &map, kept.as_ref().context("there is a source")?, station)?;
                bar.inc(1);
                Ok(Candidate { name: name.clone(), placed, covered })
            },
        )
        .collect();
    bar.finish_and_clear();
    let candidates = evaluated?;
    let sets: Vec<CoveredPixels> = candidates.iter().map(|candidate| candidate.covered.clone()).collect();
    let chosen = choose_sites(&sets, &existing, args.count, |_| ControlFlow::Continue(()));
    chosen.iter().for_each(|choice| tell(&mut told, &candidates[choice.candidate].placed.warnings));
    report(args, &map, &candidates, &existing, &chosen, started)
}

/// Prints the warnings that were not printed before: what is said of the antenna and the frequency is the same for all.
fn tell(told: &mut Vec<String>, warnings: &[String]) {
    for warning in warnings {
        if !told.contains(warning) {
            eprintln!("warning: {warning}");
            told.push(warning.clone());
        }
    }
}

/// The candidates: those of the file that are on the map, or one in each square of the map.
fn stations(args: &Args, map: &MapScene, source: &MapSource) -> Result<Vec<Named>> {
    let named = |SiteRow { lng_lat, name, height_m, power_dbm }: &SiteRow| -> Result<Named> {
        let arg = TransmitterArg { lng_lat: *lng_lat, power_dbm: power_dbm.or(args.power_dbm) };
        let like = Station::new(&arg, &args.stations)?;
        let place = format!("{},{}", lng_lat.x, lng_lat.y);
        let called = name.as_ref().map_or_else(|| format!("the candidate {place}"), |name| format!("the candidate {name} ({place})"));
        Ok(Named { name: name.clone(), station: Station { name: called, height_m: height_m.or(like.height_m), ..like } })
    };
    let asked_for = match &args.candidates {
        Some(path) => args::read_candidates(path)?,
        None => {
            let places = candidate_places(map.grid(), &map.scene().mask, args.spacing_m);
            let row = |meters| SiteRow { lng_lat: map.frame().to_degrees(meters), name: None, height_m: None, power_dbm: None };
            places.into_iter().map(row).collect()
        }
    };
    let places: Vec<Coord<f64>> = asked_for.iter().map(|row| row.lng_lat).collect();
    let CandidatesOnMap { on_map, warning, .. } = candidates_on_map(&places, map.grid(), map.frame());
    if on_map.is_empty() {
        let first = named(asked_for.first().context("there is no candidate: the map has no outdoor place")?)?;
        // The first one's error says where the map is.
        map.place(&first.station, source).with_context(|| format!("none of the {} candidates is on the map", places.len()))?;
    }
    warning.iter().for_each(|warning| eprintln!("warning: {warning}"));
    on_map.into_iter().map(|index| named(&asked_for[index])).collect()
}

/// A transmitter on the map, and what it covers.
fn evaluate(args: &Args, map: &MapScene, source: &MapSource, station: &Station) -> Result<(PlacedStation, CoveredPixels)> {
    let placed = map.place(station, source)?;
    let signal = map.signal(source, &placed, args.stations.receiver_height_m)?;
    let covered = CoveredPixels::new(PlanLayer::ReceivedPower, &signal.received().values, args.threshold);
    Ok((placed, covered))
}

fn report(
    args: &Args,
    map: &MapScene,
    candidates: &[Candidate],
    existing: &CoveredPixels,
    chosen: &[SiteChoice],
    started: Instant,
) -> Result<()> {
    let outdoors = map.scene().outdoor_pixels().count().max(1) as f64;
    let percent = |pixels: usize| 100.0 * pixels as f64 / outdoors;
    eprintln!("{} candidates drawn in {:.1} s", candidates.len(), started.elapsed().as_secs_f64());
    println!("before: {:.1} % of the ground outdoors at {} dBm or more", percent(existing.count()), args.threshold);
    for (i, choice) in chosen.iter().enumerate() {
        let Candidate { name, placed, .. } = &candidates[choice.candidate];
        let Coord { x: lng, y: lat } = placed.lng_lat;
        let called = name.as_ref().map(|name| format!(" ({name})")).unwrap_or_default();
        println!(
            "{}: {lng:.6},{lat:.6}{called} adds {:.1} %, together {:.1} %",
            i + 1,
            percent(choice.gained_pixels),
            percent(choice.covered_pixels)
        );
    }
    if chosen.len() < args.count {
        println!("no further candidate adds anything");
    }
    let Some(out) = &args.out else { return Ok(()) };
    let bytes = match out.format {
        SiteFormat::GeoJson => geojson(candidates, chosen, &percent),
        SiteFormat::Csv => csv(candidates, chosen, &percent)?,
    };
    files::write(&out.path, &bytes)
}

fn geojson(candidates: &[Candidate], chosen: &[SiteChoice], percent: &impl Fn(usize) -> f64) -> Vec<u8> {
    let feature = |(i, choice): (usize, &SiteChoice)| {
        let Candidate { name, placed, .. } = &candidates[choice.candidate];
        let Coord { x: lng, y: lat } = placed.lng_lat;
        json!({
            "type": "Feature",
            "properties": {
                "site": i + 1,
                "name": name,
                "heightM": placed.transmitter.height_m,
                "powerDbm": placed.transmitter.power_dbm,
                "addedPercent": percent(choice.gained_pixels),
                "coveredPercent": percent(choice.covered_pixels),
            },
            "geometry": { "type": "Point", "coordinates": [lng, lat] },
        })
    };
    let features: Vec<_> = chosen.iter().enumerate().map(feature).collect();
    json!({ "type": "FeatureCollection", "features": features }).to_string().into_bytes()
}

fn csv(candidates: &[Candidate], chosen: &[SiteChoice], percent: &impl Fn(usize) -> f64) -> Result<Vec<u8>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(["site", "lng", "lat", "added_percent", "covered_percent", "name", "height_m", "power_dbm"])?;
    for (i, choice) in chosen.iter().enumerate() {
        let Candidate { name, placed, .. } = &candidates[choice.candidate];
        let Coord { x: lng, y: lat } = placed.lng_lat;
        let (added, covered) = (percent(choice.gained_pixels), percent(choice.covered_pixels));
        writer.write_record([
            (i + 1).to_string(),
            format!("{lng:.7}"),
            format!("{lat:.7}"),
            format!("{added:.3}"),
            format!("{covered:.3}"),
            name.clone().unwrap_or_default(),
            placed.transmitter.height_m.to_string(),
            placed.transmitter.power_dbm.to_string(),
        ])?;
    }
    writer.into_inner().context("encoding the table")
}

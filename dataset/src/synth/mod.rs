//! `trainer dataset synth`: a dataset of radio maps in RadioMapSeer's layout, without RadioMapSeer.
//!
//! In flow procedural cities ([`procedural`]) and windows of real ones ([`cities`]), both cut to the map and put into the data's
//! own outlines ([`outlines`]), perhaps with [`cars`]; one of core's models gives each transmitter's path gain
//! ([`transmitters`]); out flow PNGs and JSON by [`Writer`], `dataset.csv` and [`provenance`]. Every map has random numbers of
//! its own, so that the same seed gives the same bytes on any number of threads, and a run that was cut goes on with the maps
//! that are missing.

mod cars;
mod cities;
mod outlines;
mod procedural;
mod provenance;
mod random;
mod transmitters;

use crate::progress;
use crate::simulate::Method;
use crate::{ANTENNAS, BUILDINGS, DATASET_CSV, GAIN, MapFiles, Writer};
use anyhow::{Context, Result, bail, ensure};
use cities::City;
use clap::{ArgGroup, value_parser};
use geo::Polygon;
use procedural::Kind;
use provenance::{FINISHED, Provenance, Source, UNFINISHED};
use radiodiff_radio::scene::{Grid, Scene, buildings_from_json, buildings_to_json};
use random::Random;
use rayon::prelude::*;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Built share of a procedural map and of a window of a city.
const PROCEDURAL_BUILT: std::ops::RangeInclusive<f64> = 0.13..=0.42;
const CITY_BUILT: std::ops::RangeInclusive<f64> = 0.10..=0.75;
/// Drafts of a map before its source is held to have none.
const DRAFTS: u32 = 200;

/// Makes a dataset: procedural and real city blocks and their radio maps
#[derive(clap::Args, Debug)]
#[command(group(ArgGroup::new("source").required(true).multiple(true).args(["procedural", "city"])))]
pub struct Args {
    /// Folder of the dataset; a run that was cut goes on with the maps that are missing
    #[arg(long)]
    pub out: PathBuf,
    /// Number of procedural maps
    #[arg(long, value_name = "N", value_parser = value_parser!(u32).range(1..))]
    pub procedural: Option<u32>,
    /// What procedural maps look like, in turn
    #[arg(long, value_enum, value_name = "KIND", value_delimiter = ',', requires = "procedural", default_values_t = Kind::ALL)]
    pub kind: Vec<Kind>,
    /// Footprints of a city: GeoJSON, as `cargo xtask cities` writes, or an OpenStreetMap extract (.osm.pbf)
    #[arg(long, value_name = "FILE", num_args = 1.., requires = "blocks")]
    pub city: Vec<PathBuf>,
    /// Number of maps cut from each city
    #[arg(long, value_name = "N", requires = "city", value_parser = value_parser!(u32).range(1..))]
    pub blocks: Option<u32>,
    /// Do not turn the maps cut from cities: north is up, as in RadioMapSeer
    #[arg(long, requires = "city")]
    pub north_up: bool,
    /// Cars of 2 m x 4 m along the streets of each map
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub cars: u32,
    /// Model of propagation
    #[arg(long, value_enum, default_value = "dpm")]
    pub method: Method,
    /// Smallest built share of a map, 0 to 1; where streets are narrow, waves go round more corners
    #[arg(long, value_name = "SHARE", default_value_t = 0.0)]
    pub least_built: f64,
    /// Transmitters a map
    #[arg(long, value_name = "K", default_value_t = 8, value_parser = value_parser!(u32).range(1..))]
    pub transmitters: u32,
    /// The same seed gives the same bytes
    #[arg(long, value_name = "S", default_value_t = 0)]
    pub seed: u64,
    /// Number of the first map
    #[arg(long, value_name = "M", default_value_t = 0)]
    pub first_map: u32,
}

/// Where a map's buildings come from.
enum Place<'a> {
    Procedural(Kind),
    City(&'a City),
}

impl Place<'_> {
    /// Footprints in metres in the grid's frame, as they come: they may overlap and reach over the map's edge.
    fn footprints(&self, grid: Grid, north_up: bool, random: &mut Random) -> Vec<Polygon<f64>> {
        match self {
            Self::Procedural(kind) => procedural::footprints(*kind, grid, random),
            Self::City(city) => city.window(grid, north_up, random),
        }
    }

    fn built(&self) -> std::ops::RangeInclusive<f64> {
        match self {
            Self::Procedural(_) => PROCEDURAL_BUILT,
            Self::City(_) => CITY_BUILT,
        }
    }

    /// What `dataset.csv` calls it.
    fn source(&self) -> &str {
        match self {
            Self::Procedural(kind) => kind.name(),
            Self::City(city) => &city.name,
        }
    }

    fn name(&self) -> String {
        match self {
            Self::Procedural(kind) => format!("procedural maps of kind {}", kind.name()),
            Self::City(city) => format!("the city {}", city.name),
        }
    }
}

/// A map's number and its place.
type Job<'a> = (u32, Place<'a>);

/// Runs the command.
///
/// # Errors
/// A city that cannot be read, a folder that holds another dataset, a disk that cannot be written, a source without usable maps.
pub fn run(args: &Args) -> Result<()> {
    let reading = progress::waiting("reading the cities");
    let cities = args.city.iter().map(|path| City::read(path)).collect::<Result<Vec<_>>>()?;
    reading.finish_and_clear();
    let (jobs, sources) = plan(args, &cities)?;
    let grid = Grid::default();
    let maps = jobs.len() as u32;
    let provenance = toml::to_string_pretty(&Provenance {
        description: "radio maps by radiodiff's own models, in RadioMapSeer's layout".into(),
        method: args.method.name().into(),
        seed: args.seed,
        maps,
        transmitters_per_map: args.transmitters,
        cars_per_map: args.cars,
        radio_maps: maps.checked_mul(args.transmitters).context("too many radio maps")?,
        map_size_pixels: grid.size,
        meters_per_pixel: grid.meters_per_pixel,
        sources,
    })?;
    let writer = Writer::create(&args.out, args.method.name(), args.cars > 0)?;
    claim(&args.out, &provenance, &writer)?;

    let transmitters = args.transmitters as usize;
    let missing: Vec<_> = jobs.iter().filter(|(map, _)| !writer.has_map(*map, transmitters)).collect();
    let progress = progress::bar(missing.len() as u64, "maps")?;
    let started = Instant::now();
    missing.par_iter().try_for_each(|(map, place)| {
        simulate(*map, place, grid, args, &writer).with_context(|| format!("map {map}"))?;
        progress.inc(1);
        Ok::<(), anyhow::Error>(())
    })?;
    progress.finish_and_clear();

    writer.write_text(DATASET_CSV, &table(args, &jobs)?)?;
    writer.write_text(FINISHED, &provenance)?;
    let unfinished = args.out.join(UNFINISHED);
    if unfinished.exists() {
        fs::remove_file(&unfinished).with_context(|| format!("removing {}", unfinished.display()))?;
    }
    let seconds = started.elapsed().as_secs_f64();
    let (made, kept) = (missing.len(), jobs.len() - missing.len());
    println!(
        "{}: {made} maps with {transmitters} transmitters each in {seconds:.1} s ({:.2} maps a second), {kept} were there",
        args.out.display(),
        made as f64 / seconds.max(1e-9)
    );
    Ok(())
}

/// Every map's number and place, and the sources in words. Procedural maps go through the kinds in turn.
fn plan<'a>(args: &Args, cities: &'a [City]) -> Result<(Vec<Job<'a>>, Vec<Source>)> {
    let (mut jobs, mut sources, mut next) = (Vec::new(), Vec::new(), args.first_map);
    let mut take = |count: u32| -> Result<std::ops::Range<u32>> {
        let first = next;
        next = first.checked_add(count).context("the numbers of the maps do not fit into 32 bits")?;
        Ok(first..next)
    };
    if let Some(count) = args.procedural {
        let maps = take(count)?;
        sources.push(Source::procedural(&args.kind, maps.start, count));
        jobs.extend(maps.zip(args.kind.iter().cycle()).map(|(map, &kind)| (map, Place::Procedural(kind))));
    }
    for city in cities {
        let count = args.blocks.context("--blocks says how many maps to cut from each city")?;
        let maps = take(count)?;
        sources.push(Source::city(&city.name, args.north_up, maps.start, count));
        jobs.extend(maps.map(|map| (map, Place::City(city))));
    }
    Ok((jobs, sources))
}

/// Marks the folder as this dataset's, or finds that it is another's.
fn claim(folder: &Path, provenance: &str, writer: &Writer) -> Result<()> {
    for name in [FINISHED, UNFINISHED] {
        let path = folder.join(name);
        if path.exists() {
            let found = fs::read_to_string(&path).with_context(|| format!("{} cannot be read", path.display()))?;
            ensure!(
                found == provenance,
                "{} describes another dataset than this command makes; choose another --out, or the options it was made with",
                path.display()
            );
            return Ok(());
        }
    }
    writer.write_text(UNFINISHED, provenance)
}

/// `dataset.csv`, a line a radio map in the order of their numbers; positions as in `antenna/{map}.json`.
fn table(args: &Args, jobs: &[Job]) -> Result<String> {
    let mut text = String::from("map,transmitter,x,y,buildings,gain,source\n");
    for (map, place) in jobs {
        let path = args.out.join(ANTENNAS).join(format!("{map}.json"));
        let antennas = fs::read_to_string(&path).with_context(|| format!("{} cannot be read", path.display()))?;
        let antennas: Vec<[u32; 2]> =
            serde_json::from_str(&antennas).with_context(|| format!("{}: expected a list of [x, y] in metres", path.display()))?;
        for (tx, [x, y]) in antennas.iter().enumerate() {
            // A city is named after a file, whose name may hold what separates columns.
            let source = place.source().replace([',', '"', '\n', '\r'], "_");
            let method = args.method.name();
            writeln!(text, "{map},{tx},{x},{y},{BUILDINGS}/{map}.png,{GAIN}/{method}/{map}_{tx}.png,{source}")?;
        }
    }
    Ok(text)
}

/// Drafts scenes until one is built densely enough, but not too densely, and has room for its transmitters; writes that.
fn simulate(map: u32, place: &Place, grid: Grid, args: &Args, writer: &Writer) -> Result<()> {
    let mut random = Random::new(args.seed, u64::from(map));
    for _ in 0..DRAFTS {
        // The scene is what a reader of the file gets.
        let outlines = buildings_to_json(&outlines::on_the_map(&place.footprints(grid, args.north_up, &mut random), grid));
        let scene = Scene::from_polygons(grid, buildings_from_json(&outlines)?);
        let built = scene.mask.pixels.iter().filter(|&&inside| inside != 0).count() as f64 / grid.pixels() as f64;
        if !place.built().contains(&built) || built < args.least_built {
            continue;
        }
        let Some(transmitted) = transmitters::place(&scene, args.method, args.transmitters as usize, &mut random)? else { continue };
        let pixels: Vec<(usize, usize)> = transmitted.iter().map(|(pixel, _)| *pixel).collect();
        let cars = if args.cars > 0 { Some(cars::place(&scene, &pixels, args.cars, &mut random)?) } else { None };
        let cars = cars.as_ref().map(|(mask, outlines)| (mask, outlines.as_str()));
        return writer.write_map(map, &MapFiles { mask: &scene.mask, outlines: Some(&outlines), cars, transmitters: &transmitted });
    }
    let built = place.built();
    bail!(
        "{DRAFTS} drafts from {} gave no map that is {:.0} to {:.0} % built and has room for {} transmitters",
        place.name(),
        100.0 * built.start().max(args.least_built),
        100.0 * built.end(),
        args.transmitters
    )
}

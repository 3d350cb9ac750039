//! `radiodiff dataset synth`: the command.

use super::cities::CityFootprints;
use super::draft::{self, MapOptions, StatedRoofs};
use super::procedural::Kind;
use super::provenance::{Provenance, SourceRecord};
use super::source::SceneSource;
use crate::folder::{ANTENNAS, BUILDINGS, DATASET_CSV, DATASET_TOML, GAIN, PIXELS_M, UNFINISHED_TOML, Variant, Writer};
use crate::progress;
use crate::share::RankShare;
use crate::simulate::Simulator;
use anyhow::{Context, Result, ensure};
use clap::{ArgGroup, value_parser};
use radiodiff_radio::scene::{
    ANTENNA_HEIGHT_M, BUILDING_HEIGHT_M, Grid, LEAST_ANTENNA_HEIGHT_M, MOST_ANTENNA_HEIGHT_M, check_antenna_height,
};
use rayon::prelude::*;
use serde_json::Number;
use std::fmt::Write as _;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Instant;

/// Make a dataset: procedural and real city blocks and their radio maps
#[derive(clap::Args, Debug)]
#[command(group(ArgGroup::new("source").required(true).multiple(true).args(["procedural", "city"])))]
pub struct Args {
    /// Folder of the dataset; an interrupted run goes on with the maps that are missing
    #[arg(long)]
    pub out: PathBuf,
    /// Number of procedural maps
    #[arg(long, value_name = "N", value_parser = value_parser!(u32).range(1..))]
    pub procedural: Option<u32>,
    /// Kinds of procedural maps, which take turns
    #[arg(long, value_enum, value_name = "KIND", value_delimiter = ',', requires = "procedural", default_values_t = Kind::ALL)]
    pub kind: Vec<Kind>,
    /// Footprints of a city: GeoJSON, as `cargo xtask cities` writes, an OpenStreetMap extract (.osm.pbf) or any other file of docs/scenes.md
    #[arg(long, value_name = "FILE", num_args = 1.., requires = "blocks")]
    pub city: Vec<PathBuf>,
    /// Number of maps cut from each city
    #[arg(long, value_name = "N", requires = "city", value_parser = value_parser!(u32).range(1..))]
    pub blocks: Option<u32>,
    /// Do not turn the maps cut from cities: north is up, as in RadioMapSeer
    #[arg(long, requires = "city")]
    pub north_up: bool,
    /// Cars of 2 m x 4 m along the streets of each map; their maps are those of carsDPM
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub cars: u32,
    /// Heights of the buildings, drawn evenly from LOW to HIGH whole metres and written to png/heights [default: 25 m everywhere]
    #[arg(long, value_name = "LOW,HIGH", value_parser = roofs)]
    pub roofs: Option<[u8; 2]>,
    /// Share of the buildings whose heights png/heights states, drawn for each map evenly from LOW to HIGH, 0 to 1; the gains know all
    /// heights [default: all are stated]
    #[arg(long, value_name = "LOW,HIGH", value_parser = shares, requires = "roofs")]
    pub stated_roofs: Option<[f64; 2]>,
    /// Share of its height by which a stated height is off at most, up or down, evenly: 0.15 is about what counting storeys gives
    #[arg(long, value_name = "SHARE", value_parser = share, requires = "stated_roofs", default_value_t = 0.0)]
    pub stated_error: f64,
    /// Heights of the antennas above the ground, drawn evenly by their logarithm from LOW to HIGH metres and written to antenna_height;
    /// all stand outdoors [default: 1.5 m everywhere]
    #[arg(long, value_name = "LOW,HIGH", value_parser = antennas)]
    pub antennas: Option<[f64; 2]>,
    /// Simulation to compute
    #[arg(long, value_enum, default_value = "dpm", ignore_case = true)]
    pub method: Variant,
    /// Pixels a side of each map
    #[arg(long, value_name = "N", default_value_t = Grid::default().size, value_parser = pixels)]
    pub pixels: usize,
    /// Side of a pixel in metres; readers of the folder find it in dataset.toml
    #[arg(long, value_name = "M", default_value_t = Grid::default().meters_per_pixel, value_parser = resolution)]
    pub resolution_m: f64,
    /// Smallest built share of a map, 0 to 1
    #[arg(long, value_name = "SHARE", default_value_t = 0.0)]
    pub least_built: f64,
    /// Transmitters in each map
    #[arg(long, value_name = "K", default_value_t = 8, value_parser = value_parser!(u32).range(1..))]
    pub transmitters: u32,
    /// The same seed gives the same bytes
    #[arg(long, value_name = "S", default_value_t = 0)]
    pub seed: u64,
    /// Number of the first map
    #[arg(long, value_name = "M", default_value_t = 0)]
    pub first_map: u32,
}

/// Two numbers as LOW,HIGH, the lower first.
fn low_high<T: FromStr + PartialOrd + Copy>(text: &str) -> Option<[T; 2]> {
    let numbers: Result<Vec<T>, _> = text.split(',').map(|part| part.trim().parse()).collect();
    <[T; 2]>::try_from(numbers.ok()?).ok().filter(|[low, high]| low <= high)
}

/// Two heights in whole metres, the lower first; antennas at 1.5 m stand below all roofs.
fn roofs(text: &str) -> Result<[u8; 2], String> {
    low_high(text).filter(|[low, _]| 2 <= *low).ok_or_else(|| "expected LOW,HIGH in whole metres from 2 to 255, the lower first".into())
}

/// A share below the whole.
fn share(text: &str) -> Result<f64, String> {
    text.parse().ok().filter(|share| (0.0..1.0).contains(share)).ok_or_else(|| "expected a share from 0 to less than 1".into())
}

/// Two shares, the lower first.
fn shares(text: &str) -> Result<[f64; 2], String> {
    low_high(text).filter(|[low, high]| 0.0 <= *low && *high <= 1.0).ok_or_else(|| "expected LOW,HIGH from 0 to 1, the lower first".into())
}

/// Two heights of antennas in metres, the lower first.
fn antennas(text: &str) -> Result<[f64; 2], String> {
    let is_one = |height_m: f64| check_antenna_height("transmitters", height_m).is_ok();
    let expected = || format!("expected LOW,HIGH in metres from {LEAST_ANTENNA_HEIGHT_M} to {MOST_ANTENNA_HEIGHT_M}, the lower first");
    low_high(text).filter(|&[low, high]| is_one(low) && is_one(high)).ok_or_else(expected)
}

/// Pixels a side of a map.
fn pixels(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|pixels| (16..=4096).contains(pixels)).ok_or_else(|| "expected a whole number from 16 to 4096".into())
}

/// Side of a pixel in metres.
fn resolution(text: &str) -> Result<f64, String> {
    let expected = || format!("expected {} to {} metres", PIXELS_M.start(), PIXELS_M.end());
    text.parse().ok().filter(|side_m| PIXELS_M.contains(side_m)).ok_or_else(expected)
}

/// A map's number and its source.
type Job<'a> = (u32, SceneSource<'a>);

/// Runs the command.
///
/// # Errors
/// A city that cannot be read, a folder that holds another dataset, a disk that cannot be written, a source without usable maps.
pub fn run(args: &Args) -> Result<()> {
    ensure!(
        args.cars > 0 || !args.method.has_cars(),
        "--method {} computes maps with cars; --cars says how many each map has",
        args.method.name()
    );
    let variant = if args.cars == 0 {
        args.method
    } else {
        let refused = || format!("--method {} does not know cars; leave --cars out, or take dpm, irt2 or irt4", args.method.name());
        args.method.with_cars().with_context(refused)?
    };
    let simulator = Simulator::new(variant).without_cars();
    let roofs = || args.roofs.is_some_and(|heights_m| heights_m.map(f64::from) != [BUILDING_HEIGHT_M; 2]);
    let antennas = || args.antennas.is_some_and(|heights_m| heights_m != [ANTENNA_HEIGHT_M; 2]);
    simulator.unused_heights(roofs, antennas).iter().for_each(|warning| eprintln!("warning: {warning}"));
    let reading = progress::waiting("reading the cities");
    let cities = args.city.iter().map(|path| CityFootprints::read(path)).collect::<Result<Vec<_>>>()?;
    reading.finish_and_clear();
    let (jobs, sources) = plan(args, &cities)?;
    let grid = Grid { size: args.pixels, meters_per_pixel: args.resolution_m };
    let maps = jobs.len() as u32;
    let provenance = toml::to_string_pretty(&Provenance {
        description: "radio maps by radiodiff's own models, in RadioMapSeer's layout".into(),
        method: variant.name().into(),
        seed: args.seed,
        maps,
        transmitters_per_map: args.transmitters,
        cars_per_map: args.cars,
        roof_heights_m: args.roofs,
        stated_roofs: args.stated_roofs,
        stated_error: args.stated_roofs.map(|_| args.stated_error),
        antenna_heights_m: args.antennas,
        radio_maps: maps.checked_mul(args.transmitters).context("too many radio maps")?,
        map_size_pixels: grid.size,
        meters_per_pixel: grid.meters_per_pixel,
        sources,
    })?;
    let share = RankShare::from_environment()?;
    let create = if share.is_alone() { Writer::create } else { Writer::create_shared };
    let writer = create(&args.out, variant.name(), args.cars > 0)?.with_pixels(args.resolution_m);
    claim(&args.out, &provenance, &writer)?;

    let transmitters = args.transmitters as usize;
    let options = MapOptions {
        grid,
        seed: args.seed,
        north_up: args.north_up,
        least_built: args.least_built,
        transmitters,
        cars: args.cars,
        roofs_m: args.roofs,
        stated_roofs: args.stated_roofs.map(|shares| StatedRoofs { shares, error: args.stated_error }),
        antennas_m: args.antennas,
        simulator,
    };
    let own: Vec<&Job> = share.of(&jobs).collect();
    let missing: Vec<_> = own.iter().filter(|(map, _)| !writer.has_map(*map, transmitters)).collect();
    let progress = progress::bar(missing.len() as u64, "maps")?;
    let started = Instant::now();
    missing.par_iter().try_for_each(|(map, source)| {
        draft::make(*map, source, &options, &writer).with_context(|| format!("map {map}"))?;
        progress.inc(1);
        Ok::<(), anyhow::Error>(())
    })?;
    progress.finish_and_clear();

    let of_share = if share.is_alone() {
        String::new()
    } else {
        format!("process {} of {}, whose share are {} of {} maps: ", share.rank(), share.world(), own.len(), jobs.len())
    };
    let (shown, seconds) = (args.out.display(), started.elapsed().as_secs_f64());
    let (made, kept) = (missing.len(), own.len() - missing.len());
    println!(
        "{shown}: {of_share}{made} maps with {transmitters} transmitters each in {seconds:.1} s ({:.2} maps a second), {kept} were there",
        made as f64 / seconds.max(1e-9)
    );
    let absent = jobs.iter().filter(|(map, _)| !writer.has_map(*map, transmitters)).count();
    if absent > 0 {
        println!("{shown}: {absent} maps of other processes are missing; the last process completes the dataset, or a later run does");
        return Ok(());
    }
    finish(args, variant, &jobs, &writer, &provenance)
}

/// Completes a dataset that has all of its maps. Processes that end at the same time write the same bytes.
fn finish(args: &Args, variant: Variant, jobs: &[Job], writer: &Writer, provenance: &str) -> Result<()> {
    writer.write_text(DATASET_CSV, &table(&args.out, variant, jobs)?)?;
    writer.write_text(DATASET_TOML, provenance)?;
    let unfinished = args.out.join(UNFINISHED_TOML);
    match fs::remove_file(&unfinished) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error).with_context(|| format!("removing {}", unfinished.display())),
        _ => Ok(()),
    }
}

/// Every map's number and source, and the sources in words. Procedural maps go through the kinds in turn.
fn plan<'a>(args: &Args, cities: &'a [CityFootprints]) -> Result<(Vec<Job<'a>>, Vec<SourceRecord>)> {
    let (mut jobs, mut sources, mut next) = (Vec::new(), Vec::new(), args.first_map);
    let mut take = |count: u32| -> Result<std::ops::Range<u32>> {
        let first = next;
        next = first.checked_add(count).context("the numbers of the maps do not fit into 32 bits")?;
        Ok(first..next)
    };
    if let Some(count) = args.procedural {
        let maps = take(count)?;
        sources.push(SourceRecord::procedural(&args.kind, maps.start, count));
        jobs.extend(maps.zip(args.kind.iter().cycle()).map(|(map, &kind)| (map, SceneSource::Procedural(kind))));
    }
    for city in cities {
        let count = args.blocks.context("--blocks says how many maps to cut from each city")?;
        let maps = take(count)?;
        sources.push(SourceRecord::city(&city.name, args.north_up, maps.start, count));
        jobs.extend(maps.map(|map| (map, SceneSource::City(city))));
    }
    Ok((jobs, sources))
}

/// Marks the folder as this dataset's, or finds that it is another's.
fn claim(folder: &Path, provenance: &str, writer: &Writer) -> Result<()> {
    for name in [DATASET_TOML, UNFINISHED_TOML] {
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
    writer.write_text(UNFINISHED_TOML, provenance)
}

/// `dataset.csv`, a line a radio map in the order of their numbers; positions as in `antenna/{map}.json`.
fn table(folder: &Path, variant: Variant, jobs: &[Job]) -> Result<String> {
    let mut text = String::from("map,transmitter,x,y,buildings,gain,source\n");
    for (map, source) in jobs {
        let path = folder.join(ANTENNAS).join(format!("{map}.json"));
        let antennas = fs::read_to_string(&path).with_context(|| format!("{} cannot be read", path.display()))?;
        let antennas: Vec<[Number; 2]> =
            serde_json::from_str(&antennas).with_context(|| format!("{}: expected a list of [x, y] in metres", path.display()))?;
        for (tx, [x, y]) in antennas.iter().enumerate() {
            // A city is named after a file, whose name may hold what separates columns.
            let label = source.label().replace([',', '"', '\n', '\r'], "_");
            let method = variant.name();
            writeln!(text, "{map},{tx},{x},{y},{BUILDINGS}/{map}.png,{GAIN}/{method}/{map}_{tx}.png,{label}")?;
        }
    }
    Ok(text)
}

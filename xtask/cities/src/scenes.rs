//! The places the page opens: 256 m x 256 m of a city, or a kilometre, with the buildings that reach into them, whole.

use std::path::Path;

use anyhow::{Context, Result};
use geo::{BoundingRect, Coord, MapCoords};
use radiodiff_radio::scene::{Footprint, LocalFrame};
use serde_json::json;

use super::City;
use super::footprints::{self, OSM_ATTRIBUTION, OSM_LICENCE};

/// A place the page opens: where its map is centred, and its first transmitter, longitude and latitude in degrees.
struct DemoScene {
    file: &'static str,
    name: &'static str,
    city: &'static str,
    center: Coord<f64>,
    transmitter: Coord<f64>,
    side_m: f64,
    /// Where its pixels are not of one metre.
    meters_per_pixel: Option<u32>,
}

const SCENES: [DemoScene; 4] = [
    DemoScene {
        file: "munich-old-town.geojson",
        name: "Old town",
        city: "munich",
        center: Coord { x: 11.57697, y: 48.13443 },
        transmitter: Coord { x: 11.57665, y: 48.13487 },
        side_m: 256.0,
        meters_per_pixel: None,
    },
    DemoScene {
        file: "helsinki-center.geojson",
        name: "City centre",
        city: "helsinki",
        center: Coord { x: 24.9471, y: 60.16649 },
        transmitter: Coord { x: 24.94773, y: 60.16614 },
        side_m: 256.0,
        meters_per_pixel: None,
    },
    DemoScene {
        file: "paris-etoile.geojson",
        name: "Étoile",
        city: "paris",
        center: Coord { x: 2.2982, y: 48.87253 },
        transmitter: Coord { x: 2.2982, y: 48.87302 },
        side_m: 256.0,
        meters_per_pixel: None,
    },
    DemoScene {
        file: "florence-center.geojson",
        name: "Historic centre",
        city: "florence",
        center: Coord { x: 11.25602, y: 43.77341 },
        transmitter: Coord { x: 11.25622, y: 43.77283 },
        side_m: 1024.0,
        meters_per_pixel: Some(2),
    },
];

/// Writes the places and their index into `folder`.
pub fn write(folder: &Path, cities: &[(&City, Vec<Footprint>)]) -> Result<()> {
    std::fs::create_dir_all(folder).with_context(|| format!("creating {}", folder.display()))?;
    let mut index = Vec::new();
    for scene in &SCENES {
        let (city, all) = cities.iter().find(|(city, _)| city.id == scene.city).context("every place lies in a city we read")?;
        let frame = LocalFrame::about(scene.center);
        let half = scene.side_m / 2.0;
        let reaches = |footprint: &&Footprint| {
            let rect = footprint.polygon.map_coords(|degrees| frame.to_meters(degrees)).bounding_rect();
            rect.is_some_and(|r| r.min().x < half && r.max().x > -half && r.min().y < half && r.max().y > -half)
        };
        let near: Vec<Footprint> = all.iter().filter(reaches).cloned().collect();
        footprints::write(&folder.join(scene.file), &format!("{}, {}", scene.name, city.name), &near)?;
        let (south_west, north_east) = (frame.to_degrees(Coord { x: -half, y: -half }), frame.to_degrees(Coord { x: half, y: half }));
        let mut place = json!({
            "file": scene.file,
            "name": scene.name,
            "city": city.name,
            "bounds": { "west": south_west.x, "south": south_west.y, "east": north_east.x, "north": north_east.y },
            "transmitter": [scene.transmitter.x, scene.transmitter.y],
            "attribution": OSM_ATTRIBUTION,
            "licence": OSM_LICENCE,
        });
        if let Some(meters) = scene.meters_per_pixel {
            place["metersPerPixel"] = meters.into();
        }
        index.push(place);
        println!("{}: {} buildings", scene.file, near.len());
    }
    let path = folder.join("index.json");
    std::fs::write(&path, serde_json::to_string_pretty(&index)? + "\n").with_context(|| format!("writing {}", path.display()))
}

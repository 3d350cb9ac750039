//! Exported files, read back by other readers than wrote them.

// Clippy allows unwrap in #[test] functions only; the helpers here are as much tests.
#![allow(clippy::unwrap_used)]

mod common;

use common::{BOUNDS, hills, options};
use geo::{Contains, Coord, LineString, MultiPolygon, Point, Polygon};
use quick_xml::Reader;
use quick_xml::events::Event;
use radiodiff_planning::export::{
    ExportFormat, ImageProjection, Look, TILE_PIXELS, TileAddress, contours, csv, export, geotiff, npy, png, rgba, tile_rgba, world_file,
};
use radiodiff_planning::raster::{GeoRaster, PlanLayer, RasterQuantity};
use std::io::{Cursor, Read};
use tiff::decoder::{Decoder, DecodingResult};
use tiff::tags::Tag;

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| if value.is_nan() { u32::MAX } else { value.to_bits() }).collect()
}

#[test]
fn a_geotiff_has_the_values_and_says_where_they_lie() {
    let raster = hills(1, 40, PlanLayer::ReceivedPower);
    let mut decoder = Decoder::new(Cursor::new(geotiff(&raster).unwrap())).unwrap();
    assert_eq!(decoder.dimensions().unwrap(), (40, 40));
    let scale = decoder.get_tag_f64_vec(Tag::ModelPixelScaleTag).unwrap();
    let tie = decoder.get_tag_f64_vec(Tag::ModelTiepointTag).unwrap();
    assert_eq!(tie, [0.0, 0.0, 0.0, BOUNDS.west, BOUNDS.north, 0.0]);
    let corner = (tie[3] + 40.0 * scale[0], tie[4] - 40.0 * scale[1]);
    assert!((corner.0 - BOUNDS.east).abs() < 1e-12 && (corner.1 - BOUNDS.south).abs() < 1e-12);
    let keys = decoder.get_tag_u16_vec(Tag::GeoKeyDirectoryTag).unwrap();
    assert_eq!(usize::from(keys[3]) * 4 + 4, keys.len());
    assert!(keys.chunks(4).any(|key| key == [2048, 0, 1, 4326]) && keys.chunks(4).any(|key| key == [1025, 0, 1, 1]));
    assert_eq!(decoder.get_tag_ascii_string(Tag::GdalNodata).unwrap(), "nan");
    let DecodingResult::F32(values) = decoder.read_image().unwrap() else { panic!("float32 was written") };
    assert_eq!(bits(&values), bits(&raster.values));
}

#[test]
fn a_table_read_back_gives_every_value_at_its_pixel() {
    for layer in PlanLayer::ALL {
        let raster = hills(2, 32, layer);
        let bytes = csv(&[&raster]).unwrap();
        let mut reader = ::csv::Reader::from_reader(bytes.as_slice());
        assert_eq!(reader.headers().unwrap().iter().collect::<Vec<_>>(), ["lng", "lat", layer.column()]);
        let mut found = vec![f32::NAN; raster.values.len()];
        for record in reader.deserialize::<(f64, f64, f32)>() {
            let (lng, lat, value) = record.unwrap();
            let pixel = raster.pixel_degrees();
            let (column, row) = (((lng - BOUNDS.west) / pixel.x) as usize, ((BOUNDS.north - lat) / pixel.y) as usize);
            assert!(found[row * 32 + column].is_nan(), "one line a pixel");
            found[row * 32 + column] = value;
            assert_eq!(raster.at(Coord { x: lng, y: lat }).map(f32::to_bits), Some(value.to_bits()));
        }
        assert_eq!(bits(&found), bits(&raster.values));
    }
}

#[test]
fn an_array_read_back_is_the_same() {
    let raster = hills(3, 24, PlanLayer::Snr);
    let file = npyz::NpyFile::new(Cursor::new(npy(&[&raster]).unwrap())).unwrap();
    assert_eq!(file.shape(), [24, 24]);
    assert_eq!(bits(&file.into_vec::<f32>().unwrap()), bits(&raster.values));
}

#[test]
fn maps_of_one_place_share_a_file() {
    let power = hills(3, 24, PlanLayer::ReceivedPower);
    let deviation = GeoRaster { quantity: RasterQuantity::StandardDeviation, ..power.clone() };
    let table = String::from_utf8(csv(&[&power, &deviation]).unwrap()).unwrap();
    let mut lines = table.lines();
    assert_eq!(lines.next(), Some("lng,lat,dbm,deviation_db"));
    assert!(lines.all(|line| line.split(',').nth(2) == line.split(',').nth(3)));
    let file = npyz::NpyFile::new(Cursor::new(npy(&[&power, &deviation]).unwrap())).unwrap();
    assert_eq!(file.shape(), [2, 24, 24]);
    assert_eq!(bits(&file.into_vec::<f32>().unwrap()), bits(&[power.values.clone(), deviation.values].concat()));
    assert!(csv(&[&power, &hills(3, 25, PlanLayer::Snr)]).is_err() && npy(&[]).is_err());
}

#[test]
fn an_image_lies_where_its_world_file_says_and_hides_what_has_no_value() {
    let raster = hills(4, 48, PlanLayer::ReceivedPower);
    let look = Look { threshold: Some(-95.0), ..options().look };
    let bytes = png(&raster, &look, ImageProjection::Equirectangular).unwrap();
    let mut reader = ::png::Decoder::new(Cursor::new(bytes)).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    reader.next_frame(&mut pixels).unwrap();
    assert_eq!((reader.info().width, reader.info().height, pixels.len()), (48, 48, 48 * 48 * 4));
    for (value, pixel) in raster.values.iter().zip(pixels.chunks(4)) {
        assert_eq!(pixel[3], if *value >= -95.0 { 255 } else { 0 }, "{value}");
    }
    let lines: Vec<f64> = world_file(&raster).lines().map(|line| line.parse().unwrap()).collect();
    let [column, a, b, row, x, y] = lines[..] else { panic!("{lines:?}") };
    assert_eq!((a, b), (0.0, 0.0));
    for (found, expected) in
        [(x - column / 2.0, BOUNDS.west), (y - row / 2.0, BOUNDS.north), (x + 47.5 * column, BOUNDS.east), (y + 47.5 * row, BOUNDS.south)]
    {
        assert!((found - expected).abs() < 1e-9, "{found} for {expected}");
    }
}

/// The texts of the elements of a KML document, by the path of their names.
fn elements(text: &str) -> Vec<(String, String)> {
    let (mut reader, mut path, mut found) = (Reader::from_str(text), Vec::<String>::new(), Vec::new());
    loop {
        match reader.read_event().unwrap() {
            Event::Start(start) => {
                path.push(String::from_utf8(start.name().as_ref().to_vec()).unwrap());
                found.push((path.join("/"), String::new()));
            }
            Event::Text(text) => found.last_mut().into_iter().for_each(|(_, content)| content.push_str(text.decode().unwrap().trim())),
            Event::GeneralRef(name) => {
                let known = quick_xml::escape::resolve_predefined_entity(&name.decode().unwrap()).unwrap();
                found.last_mut().unwrap().1 += known;
            }
            Event::End(_) => drop(path.pop()),
            Event::Eof => return found,
            _ => {}
        }
    }
}

#[test]
fn kml_read_back_has_the_maps_corners_its_image_and_the_transmitters() {
    let raster = hills(5, 16, PlanLayer::ReceivedPower);
    let files = export(&raster, ExportFormat::Kml, &options(), "old-town").unwrap();
    assert_eq!(files.iter().map(|file| file.name.as_str()).collect::<Vec<_>>(), ["old-town.kml", "old-town.png"]);
    let found = elements(std::str::from_utf8(&files[0].bytes).unwrap());
    let text = |name: &str| found.iter().find(|(path, _)| path.ends_with(name)).unwrap_or_else(|| panic!("{name}: {found:?}")).1.as_str();
    for (side, degrees) in [("north", BOUNDS.north), ("south", BOUNDS.south), ("east", BOUNDS.east), ("west", BOUNDS.west)] {
        let written: f64 = text(&format!("LatLonBox/{side}")).parse().unwrap();
        assert!((written - degrees).abs() < 1e-11, "{side}");
    }
    assert_eq!(text("Icon/href"), "old-town.png");
    assert_eq!(text("GroundOverlay/name"), "Munich&<old town>");
    assert_eq!(text("Point/coordinates"), "11.576650000,48.134870000");
    let kmz = export(&raster, ExportFormat::Kmz, &options(), "old-town").unwrap();
    let mut archive = zip::ZipArchive::new(Cursor::new(&kmz[0].bytes)).unwrap();
    let mut read = |name: &str| {
        let mut bytes = Vec::new();
        archive.by_name(name).unwrap().read_to_end(&mut bytes).unwrap();
        bytes
    };
    let document = elements(&String::from_utf8(read("doc.kml")).unwrap());
    let href = &document.iter().find(|(path, _)| path.ends_with("Icon/href")).unwrap().1;
    assert_eq!(read(href), files[1].bytes, "the image that the document names is in the archive");
}

/// The multipolygons of a feature collection, with their levels.
fn areas(collection: &serde_json::Value) -> Vec<(f64, MultiPolygon<f64>)> {
    let ring = |ring: &serde_json::Value| -> LineString<f64> {
        ring.as_array().unwrap().iter().map(|c| (c[0].as_f64().unwrap(), c[1].as_f64().unwrap())).collect()
    };
    let polygon = |rings: &serde_json::Value| {
        let mut rings = rings.as_array().unwrap().iter().map(ring);
        Polygon::new(rings.next().unwrap(), rings.collect())
    };
    let area = |feature: &serde_json::Value| {
        let parts = feature["geometry"]["coordinates"].as_array().unwrap().iter().map(polygon).collect();
        (feature["properties"]["level"].as_f64().unwrap(), MultiPolygon::new(parts))
    };
    collection["features"].as_array().unwrap().iter().map(area).collect()
}

#[test]
fn contours_hold_the_covered_pixels_and_no_others() {
    for (seed, layer) in [(6, PlanLayer::ReceivedPower), (7, PlanLayer::Sinr), (8, PlanLayer::PathLoss), (9, PlanLayer::ReceivedPower)] {
        let raster = hills(seed, 36, layer);
        let levels = if layer == PlanLayer::PathLoss { [75.0, 90.0, 101.5] } else { [-105.0, -90.0, -80.5] };
        let found = areas(&contours(&raster, &levels).unwrap());
        assert_eq!(found.iter().map(|(level, _)| *level).collect::<Vec<_>>(), levels);
        for (level, area) in &found {
            for (pixel, value) in raster.values.iter().enumerate() {
                // An outline may pass within the centimetre that coordinates are rounded to.
                if (f64::from(*value) - level).abs() < 0.05 {
                    continue;
                }
                let inside = area.contains(&Point(raster.center(pixel / 36, pixel % 36)));
                assert_eq!(inside, layer.covers(*value, *level), "{layer:?} at {level}: pixel {pixel} has {value}");
            }
            // RFC 7946: outer rings counter-clockwise, holes clockwise, all closed.
            let signed = |ring: &LineString<f64>| ring.lines().map(|l| (l.end.x - l.start.x) * (l.end.y + l.start.y - 96.27)).sum::<f64>();
            for polygon in area {
                assert!(signed(polygon.exterior()) < 0.0 && polygon.interiors().iter().all(|hole| signed(hole) > 0.0));
            }
        }
    }
}

#[test]
fn contours_of_nothing_are_empty_and_wild_levels_are_refused() {
    let raster = GeoRaster { values: vec![f32::NAN; 64], ..hills(1, 8, PlanLayer::Snr) };
    assert_eq!(areas(&contours(&raster, &[-90.0]).unwrap()), [(-90.0, MultiPolygon::new(Vec::new()))]);
    assert!(contours(&raster, &[f64::NAN]).is_err() && contours(&raster, &[0.0; 101]).is_err());
}

#[test]
fn an_image_for_a_web_map_takes_other_rows() {
    let mut raster = hills(10, 64, PlanLayer::ReceivedPower);
    // A map of whole degrees shows the difference.
    raster.bounds = radiodiff_radio::scene::GeoBounds { west: 0.0, south: 0.0, east: 60.0, north: 60.0 };
    raster.values = (0..64 * 64).map(|i| -60.0 - (i / 64) as f32).collect();
    let look = options().look;
    let (flat, mercator) = ([ImageProjection::Equirectangular, ImageProjection::Mercator]).map(|p| rgba(&raster, &look, p)).into();
    assert_ne!(flat, mercator);
    // Mercator's middle is at 35.26 degrees, which is 0.412 of the way from the north.
    let row = |image: &[u8], row: usize| image[row * 64 * 4..][..4].to_vec();
    assert_eq!(row(&mercator, 32), row(&flat, (0.41 * 64.0) as usize));
    assert_eq!((row(&mercator, 0), row(&mercator, 63)), (row(&flat, 0), row(&flat, 63)));
}

#[test]
fn a_tile_shows_the_value_under_each_of_its_pixels() {
    let raster = hills(11, 64, PlanLayer::ReceivedPower);
    let look = options().look;
    let tile = TileAddress::new(17, 69_751, 45_489).unwrap();
    let pixels = tile_rgba(&raster, &look, tile).expect("it meets the map");
    let mut shown = 0;
    for (pixel, color) in pixels.chunks(4).enumerate() {
        let place = tile.degrees((pixel % TILE_PIXELS) as f64 + 0.5, (pixel / TILE_PIXELS) as f64 + 0.5);
        let expected = raster.at(place).map_or([0; 4], |value| look.rgba(raster.quantity, value));
        assert_eq!(color, expected);
        shown += usize::from(color[3] != 0);
    }
    assert!(shown > 1000, "{shown} of 65536 pixels show the map");
    assert_eq!(tile_rgba(&raster, &look, TileAddress::new(17, 0, 0).unwrap()), None);
    assert!(tile_rgba(&raster, &look, TileAddress::new(0, 0, 0).unwrap()).is_some());
}

#[test]
fn formats_are_known_by_their_endings() {
    for format in ExportFormat::ALL {
        assert_eq!(ExportFormat::from_extension(&format.extension().to_uppercase()), Some(format));
        let files = export(&hills(12, 20, PlanLayer::ReceivedPower), format, &options(), "map").unwrap();
        assert!(files[0].name == format!("map.{}", format.extension()) && !files[0].bytes.is_empty());
    }
    assert_eq!(ExportFormat::from_extension("tiff"), Some(ExportFormat::GeoTiff));
    assert_eq!(ExportFormat::from_extension("gif"), None);
}

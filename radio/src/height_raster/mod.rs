//! Footprints out of a raster of heights: what laser scans give (a surface model minus the terrain), or a plain mask of buildings.
//!
//! In flows a GeoTIFF with one band, whose values are metres above the ground, in degrees, Web Mercator or UTM ([`projection`]); out flows
//! GeoJSON, which every reader of buildings takes. [`import_any`] takes any format of buildings, rasters among them. Where only 0 and 1,
//! 255 or 65535 occur, that value is no height but says "building". Rings follow the pixels' sides in straight pieces, so that walls are
//! good to a pixel. Buildings that touch are one outline as high as the lowest part of them, and each part that stands higher, in storeys of
//! 3 m, is another outline within it: of overlapping outlines the highest counts, and no gap comes between them.

mod projection;

use crate::geometry::outline::straight_outlines;
use crate::scene::{BuildingMask, Grid, ImportOptions, Imported, SceneError, import};
use geo::{Area, BoundingRect, Contains, Coord, LineString, Polygon, Translate};
use projection::ReferenceSystem;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::{Cursor, Read, Seek};
use thiserror::Error;
use tiff::ColorType;
use tiff::decoder::{Decoder, DecodingResult, Limits};
use tiff::tags::Tag;

/// Lower than this is no building: cars, hedges, the noise of a scan.
const LOWEST_M: f32 = 2.0;
const STOREY_M: f32 = 3.0;
/// As of [`crate::scene`]: nothing built is higher.
const HIGHEST_M: f32 = 1000.0;
/// What GeoTIFF writes instead of an EPSG code.
const USER_DEFINED: u16 = 32767;
/// Pixels along a side of the largest raster: 4 km at 1 m.
const MOST_PIXELS: u32 = 4096;
/// Pixels that are traced at most, counted once for each height: some ten seconds of a browser.
const MOST_TRACED: u64 = 1 << 29;

/// Why a raster gives no footprints.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum HeightRasterError {
    #[error(
        "the TIFF image cannot be read ({0}); check that the file is complete, or write it anew: gdal_translate -ot Float32 FILE heights.tif"
    )]
    Syntax(String),
    #[error(
        "the TIFF image has {width} x {height} pixels, at most {MOST_PIXELS} x {MOST_PIXELS} are read: cut the region out (gdal_translate -projwin)"
    )]
    Size { width: u32, height: u32 },
    #[error(
        "the TIFF image is {0}, expected one band of heights in metres or of a mask, of 8 bits and more: gdal_translate -b 1 -ot Float32 FILE heights.tif"
    )]
    Bands(String),
    #[error(
        "the TIFF image does not say where it lies ({0}), expected a GeoTIFF in degrees, UTM or Web Mercator: gdalwarp -t_srs EPSG:4326 \
         FILE heights.tif; where it says nothing, tell gdalwarp its system too (-s_srs EPSG:...)"
    )]
    Place(String),
    #[error(
        "the TIFF image's coordinates are not of the system it names: its north-western corner is at {x}, {y}, expected {expected}; check \
         both (gdalinfo FILE) and name the right system (gdal_translate -a_srs EPSG:... FILE heights.tif)"
    )]
    Corner { x: f64, y: f64, expected: &'static str },
    #[error(
        "the TIFF image has pixels of {x} x {y}, expected more than 0 and less than {longest} along each side; check its pixels and its \
         system (gdalinfo FILE)"
    )]
    Pixel { x: f64, y: f64, longest: &'static str },
    #[error("the raster has no building: no value of at least {LOWEST_M} m above the ground, and it is no mask of 0 and 1, 255 or 65535")]
    Empty,
    #[error(
        "the raster's buildings are too rugged to be traced: they touch over large areas at many heights, as forests do. Cut a smaller region \
         out (gdal_translate -projwin), or take a scan without vegetation"
    )]
    Rugged,
}

/// Why a file of any format gives no scene.
#[derive(Clone, Debug, Error, PartialEq)]
#[error(transparent)]
pub enum AnyFormatError {
    Raster(#[from] HeightRasterError),
    Scene(#[from] SceneError),
}

/// Makes a scene of a file of any format that [`import`] knows, or of a raster of heights.
///
/// # Errors
/// Those of either reader.
pub fn import_any(bytes: &[u8], options: &ImportOptions) -> Result<Imported, AnyFormatError> {
    let of_raster = is_tiff(bytes).then(|| buildings_of_geotiff(bytes)).transpose()?;
    Ok(import(of_raster.as_ref().map_or(bytes, String::as_bytes), options)?)
}

/// Whether a file is a TIFF image, of 32 bits or BigTIFF.
pub fn is_tiff(bytes: &[u8]) -> bool {
    [b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"].iter().any(|magic| bytes.starts_with(*magic))
}

/// The GeoTIFF's buildings as a GeoJSON FeatureCollection. Each has its `height` in metres, a mask's have none.
///
/// # Errors
/// [`HeightRasterError`].
pub fn buildings_of_geotiff(bytes: &[u8]) -> Result<String, HeightRasterError> {
    let raster = Raster::read(bytes)?;
    let features: Vec<Value> = raster.parts()?.iter().map(|part| raster.feature(part)).collect();
    if features.is_empty() {
        return Err(HeightRasterError::Empty);
    }
    Ok(json!({ "type": "FeatureCollection", "features": features }).to_string())
}

/// A building, or a higher part of one.
struct Part {
    /// In pixels, x to the east and y to the north of the south-western corner.
    outline: Polygon<f64>,
    height_m: Option<f32>,
}

/// Storeys above the ground on a square that holds the raster, 0 where there is no building.
struct Raster {
    side: usize,
    storeys: Vec<u16>,
    is_mask: bool,
    /// The square's south-western corner and the sides of a pixel in `system`.
    corner: Coord<f64>,
    pixel: Coord<f64>,
    system: ReferenceSystem,
}

impl Raster {
    fn read(bytes: &[u8]) -> Result<Self, HeightRasterError> {
        let failed = |error: tiff::TiffError| HeightRasterError::Syntax(error.to_string());
        let mut limits = Limits::default();
        // Of float64.
        limits.decoding_buffer_size = 8 * (MOST_PIXELS * MOST_PIXELS) as usize;
        let mut decoder = Decoder::new(Cursor::new(bytes)).map_err(failed)?.with_limits(limits);
        let (width, height) = decoder.dimensions().map_err(failed)?;
        if width.max(height) > MOST_PIXELS || width.min(height) == 0 {
            return Err(HeightRasterError::Size { width, height });
        }
        match decoder.colortype().map_err(failed)? {
            ColorType::Gray(bits) if bits >= 8 => {}
            other => return Err(HeightRasterError::Bands(format!("{other:?}"))),
        }
        let (north_west, pixel, system) = place(&mut decoder)?;
        let absent = decoder.get_tag_ascii_string(Tag::GdalNodata).ok();
        let absent: Option<f32> = absent.and_then(|text| text.trim_end_matches('\0').trim().parse().ok());
        let values = values(decoder.read_image().map_err(failed)?);
        let (width, height) = (width as usize, height as usize);
        if values.len() != width * height {
            return Err(HeightRasterError::Bands(format!("{} values", values.len())));
        }
        let there = |value: f32| if value.is_finite() && Some(value) != absent { value.max(0.0) } else { 0.0 };
        let is_mask = is_mask(values.iter().map(|&value| there(value)));
        let known = |value: f32| if is_mask || there(value) <= HIGHEST_M { there(value) } else { 0.0 };
        let storeys = |value: f32| match known(value) {
            value if is_mask => u16::from(value > 0.0),
            value if value < LOWEST_M => 0,
            value => ((value / STOREY_M).round() as u16).max(1),
        };
        let side = width.max(height);
        let mut square = vec![0; side * side];
        for (row, line) in values.chunks_exact(width).enumerate() {
            let at = (side - height + row) * side;
            square[at..at + width].iter_mut().zip(line).for_each(|(into, &value)| *into = storeys(value));
        }
        let corner = Coord { x: north_west.x, y: north_west.y - height as f64 * pixel.y };
        Ok(Self { side, storeys: square, is_mask, corner, pixel, system })
    }

    fn parts(&self) -> Result<Vec<Part>, HeightRasterError> {
        let mut left = MOST_TRACED;
        let mut parts = Vec::new();
        for block in self.blocks() {
            let of_block = self.parts_of(&block, &mut left).ok_or(HeightRasterError::Rugged)?;
            parts.extend(of_block);
        }
        Ok(parts)
    }

    /// The pixels of buildings that touch, also by a corner.
    fn blocks(&self) -> Vec<Vec<usize>> {
        let (mut blocks, mut seen, side) = (Vec::new(), vec![false; self.storeys.len()], self.side as isize);
        for start in 0..self.storeys.len() {
            if self.storeys[start] == 0 || seen[start] {
                continue;
            }
            let (mut block, mut at) = (vec![start], 0);
            seen[start] = true;
            while at < block.len() {
                let (x, y) = (block[at] as isize % side, block[at] as isize / side);
                for (dx, dy) in [(-1, -1), (0, -1), (1, -1), (-1, 0), (1, 0), (-1, 1), (0, 1), (1, 1)] {
                    let (x, y) = (x + dx, y + dy);
                    let next = (y * side + x) as usize;
                    if (0..side).contains(&x) && (0..side).contains(&y) && self.storeys[next] != 0 && !seen[next] {
                        seen[next] = true;
                        block.push(next);
                    }
                }
                at += 1;
            }
            blocks.push(block);
        }
        blocks
    }

    /// The whole of a block, as high as its lowest part, and each higher part; nothing where that would trace more pixels than are left.
    fn parts_of(&self, block: &[usize], pixels_left: &mut u64) -> Option<Vec<Part>> {
        let (columns, rows) = (block.iter().map(|i| i % self.side), block.iter().map(|i| i / self.side));
        let [left, right] = [columns.clone().min(), columns.max()].map(Option::unwrap_or_default);
        let [top, bottom] = [rows.clone().min(), rows.max()].map(Option::unwrap_or_default);
        // A square around the block, which lies in its south-western corner.
        let side = (right - left).max(bottom - top) + 1;
        let heights: BTreeSet<u16> = block.iter().map(|&i| self.storeys[i]).collect();
        // A browser's usize has 32 bits.
        *pixels_left = pixels_left.checked_sub((side * side) as u64 * heights.len() as u64)?;
        let mut storeys = vec![0; side * side];
        for &i in block {
            storeys[(side - 1 + i / self.side - bottom) * side + i % self.side - left] = self.storeys[i];
        }
        let corner = Coord { x: left as f64, y: (self.side - 1 - bottom) as f64 };
        let of_height = |&height: &u16| {
            let pixels = storeys.iter().map(|&found| u8::from(found >= height)).collect();
            let height_m = (!self.is_mask).then(|| f32::from(height) * STOREY_M);
            let outlines = outlines(&BuildingMask { size: side, pixels });
            outlines.into_iter().map(move |outline| Part { outline: outline.translate(corner.x, corner.y), height_m })
        };
        Some(heights.iter().flat_map(of_height).collect())
    }

    fn feature(&self, Part { outline, height_m }: &Part) -> Value {
        let place = |at: &Coord<f64>| {
            let Coord { x, y } =
                self.system.degrees(Coord { x: self.corner.x + at.x * self.pixel.x, y: self.corner.y + at.y * self.pixel.y });
            json!([x, y])
        };
        let ring = |ring: &LineString<f64>| ring.coords().map(place).collect::<Vec<_>>();
        let rings: Vec<_> = std::iter::once(outline.exterior()).chain(outline.interiors()).map(ring).collect();
        let mut properties = json!({ "building": "yes" });
        if let Some(height_m) = height_m {
            properties["height"] = json!(height_m);
        }
        json!({ "type": "Feature", "properties": properties, "geometry": { "type": "Polygon", "coordinates": rings } })
    }
}

/// The outlines of what is built, with their courtyards, in pixels.
fn outlines(mask: &BuildingMask) -> Vec<Polygon<f64>> {
    let rings = straight_outlines(mask, Grid { size: mask.size, meters_per_pixel: 1.0 });
    let with_area = rings.into_iter().map(|ring| Polygon::new(ring, Vec::new())).filter(|ring| ring.unsigned_area() > 0.0);
    let (mut outlines, courtyards): (Vec<_>, Vec<_>) = with_area.partition(|ring| ring.signed_area() > 0.0);
    for courtyard in courtyards {
        let around = outlines.iter_mut().filter(|outline| surrounds(outline, &courtyard));
        if let Some(outline) = around.min_by(|a, b| a.unsigned_area().total_cmp(&b.unsigned_area())) {
            outline.interiors_push(courtyard.into_inner().0);
        }
    }
    outlines
}

/// Whether a courtyard lies in an outline, whose corners it may touch.
fn surrounds(outline: &Polygon<f64>, courtyard: &Polygon<f64>) -> bool {
    let (Some(around), Some(within)) = (outline.bounding_rect(), courtyard.bounding_rect()) else { return false };
    if !around.contains(&within) {
        return false;
    }
    let exterior = Polygon::new(outline.exterior().clone(), Vec::new());
    courtyard.exterior().coords().any(|corner| exterior.contains(corner))
}

/// Whether all values are 0 or one other, which as a height would be odd: 1, or what a full byte or word has.
fn is_mask(mut values: impl Iterator<Item = f32>) -> bool {
    let mut other = None;
    values.all(|value| value == 0.0 || *other.get_or_insert(value) == value) && matches!(other, Some(1.0 | 255.0 | 65535.0))
}

fn values(found: DecodingResult) -> Vec<f32> {
    match found {
        DecodingResult::U8(values) => values.into_iter().map(f32::from).collect(),
        DecodingResult::U16(values) => values.into_iter().map(f32::from).collect(),
        DecodingResult::U32(values) => values.into_iter().map(|value| value as f32).collect(),
        DecodingResult::U64(values) => values.into_iter().map(|value| value as f32).collect(),
        DecodingResult::I8(values) => values.into_iter().map(f32::from).collect(),
        DecodingResult::I16(values) => values.into_iter().map(f32::from).collect(),
        DecodingResult::I32(values) => values.into_iter().map(|value| value as f32).collect(),
        DecodingResult::I64(values) => values.into_iter().map(|value| value as f32).collect(),
        DecodingResult::F16(values) => values.into_iter().map(|value| value.to_f32()).collect(),
        DecodingResult::F32(values) => values,
        DecodingResult::F64(values) => values.into_iter().map(|value| value as f32).collect(),
    }
}

/// The north-western corner and the sides of a pixel, and the system that both are in.
fn place<R: Read + Seek>(decoder: &mut Decoder<R>) -> Result<(Coord<f64>, Coord<f64>, ReferenceSystem), HeightRasterError> {
    let missing = |what: &str| HeightRasterError::Place(what.to_owned());
    let scale = decoder.get_tag_f64_vec(Tag::ModelPixelScaleTag).map_err(|_| missing("no ModelPixelScale"))?;
    let tie = decoder.get_tag_f64_vec(Tag::ModelTiepointTag).map_err(|_| missing("no ModelTiepoint"))?;
    let keys = decoder.get_tag_u16_vec(Tag::GeoKeyDirectoryTag).map_err(|_| missing("no GeoKeyDirectory"))?;
    let key = |wanted: u16| {
        keys.get(4..).and_then(|keys| keys.chunks_exact(4).find(|entry| entry[0] == wanted && entry[1] == 0)).map(|entry| entry[3])
    };
    let (code, system) = match key(1024) {
        Some(1) => (key(3072), key(3072).and_then(ReferenceSystem::projected)),
        Some(2) => (key(2048), key(2048).and_then(ReferenceSystem::geographic)),
        _ => (None, None),
    };
    let Some(system) = system else {
        let known = code.filter(|&code| code != USER_DEFINED);
        return Err(HeightRasterError::Place(known.map_or("in a system without an EPSG code".into(), |code| format!("in EPSG:{code}"))));
    };
    let (&[x, y, ..], &[column, row, _, east, north, ..]) = (&scale[..], &tie[..]) else { return Err(missing("tags that are too short")) };
    // Of a pixel that is a point, its centre has the place.
    let half = if key(1025) == Some(2) { 0.5 } else { 0.0 };
    let corner = Coord { x: east - (column + half) * x, y: north + (row + half) * y };
    if let Some(expected) = system.expected(corner) {
        return Err(HeightRasterError::Corner { x: corner.x, y: corner.y, expected });
    }
    let (longest, words) = system.longest_pixel();
    if !(x > 0.0 && y > 0.0 && x < longest && y < longest) {
        return Err(HeightRasterError::Pixel { x, y, longest: words });
    }
    Ok((corner, Coord { x, y }, system))
}

//! Footprints of rasters of heights: what comes out is what was put in, to a pixel, whatever the values are stored as.

// Clippy allows unwrap in #[test] functions only; the helpers here are as much tests.
#![allow(clippy::unwrap_used)]

use radiodiff_radio::height_raster::{HeightRasterError, buildings_of_geotiff, is_tiff};
use radiodiff_radio::scene::{GeoBounds, Grid, ImportOptions, Imported, import};
use std::io::{Cursor, Seek, Write};
use tiff::encoder::colortype::{ColorType, Gray8, Gray16, Gray32Float, Gray64Float, RGB8};
use tiff::encoder::{Compression, TiffEncoder, TiffKind, TiffValue};
use tiff::tags::Tag;

const WIDTH: usize = 120;
const HEIGHT: usize = 90;
const WEST: f64 = 11.57;
const NORTH: f64 = 48.14;
/// About a metre at this latitude.
const PIXEL: [f64; 2] = [1.345e-5, 8.983e-6];

/// Metres above the ground: a block of 9 m with a courtyard and a tower of 21 m, a house of 6 m, cars and noise.
fn height_m(column: usize, row: usize) -> f32 {
    match (column, row) {
        (10..50, 10..50) if (20..40).contains(&column) && (22..38).contains(&row) => 0.4,
        (40..50, 10..20) => 20.6,
        (10..50, 10..50) => 9.2,
        (70..100, 30..41) => 6.4,
        (60..64, 60..62) => 1.4,
        _ => 0.3,
    }
}

/// GeoKeys: the model (2: degrees), whether a pixel is an area, and the system.
fn keys(model: u16, code: (u16, u16)) -> Vec<u16> {
    vec![1, 1, 0, 3, 1024, 0, 1, model, 1025, 0, 1, 1, code.0, 0, 1, code.1]
}

fn geotiff<C: ColorType>(values: &[C::Inner], keys: Option<Vec<u16>>, compression: Compression) -> Vec<u8>
where
    [C::Inner]: TiffValue,
{
    let mut bytes = Cursor::new(Vec::new());
    write::<C, _, _>(TiffEncoder::new(&mut bytes).unwrap().with_compression(compression), values, keys, (PIXEL, [WEST, NORTH]));
    bytes.into_inner()
}

/// `sides` of a pixel and the north-western `corner`, in the raster's system.
fn write<C: ColorType, W: Write + Seek, K: TiffKind>(
    mut encoder: TiffEncoder<W, K>,
    values: &[C::Inner],
    keys: Option<Vec<u16>>,
    (sides, corner): ([f64; 2], [f64; 2]),
) where
    [C::Inner]: TiffValue,
{
    let mut image = encoder.new_image::<C>(WIDTH as u32, HEIGHT as u32).unwrap();
    let tags = image.encoder();
    tags.write_tag(Tag::ModelPixelScaleTag, &[sides[0], sides[1], 0.0][..]).unwrap();
    tags.write_tag(Tag::ModelTiepointTag, &[0.0, 0.0, 0.0, corner[0], corner[1], 0.0][..]).unwrap();
    if let Some(keys) = keys {
        tags.write_tag(Tag::GeoKeyDirectoryTag, &keys[..]).unwrap();
    }
    tags.write_tag(Tag::GdalNodata, "-9999").unwrap();
    image.write_data(values).unwrap();
}

fn pixels<T>(value: impl Fn(usize, usize) -> T) -> Vec<T> {
    (0..WIDTH * HEIGHT).map(|i| value(i % WIDTH, i / WIDTH)).collect()
}

fn degrees() -> Option<Vec<u16>> {
    Some(keys(2, (2048, 4326)))
}

fn heights() -> Vec<f32> {
    pixels(|column, row| if (column, row) == (0, 0) { -9999.0 } else { height_m(column, row) })
}

/// The buildings on a map of the raster's own pixels, which lies upon it.
fn imported(file: &[u8]) -> Imported {
    let text = buildings_of_geotiff(file).expect("a raster of heights");
    let side = WIDTH.max(HEIGHT);
    let bounds = GeoBounds { west: WEST, south: NORTH - side as f64 * PIXEL[1], east: WEST + side as f64 * PIXEL[0], north: NORTH };
    let options = ImportOptions { grid: Grid { size: side, meters_per_pixel: 1.0 }, bounds: Some(bounds), ..ImportOptions::default() };
    import(text.as_bytes(), &options).expect("footprints")
}

/// Outdoor and indoor pixels are those of the raster, but for a few at the walls: pixels are a metre to a thousandth.
fn assert_is_the_raster(Imported { scene, .. }: &Imported) {
    let side = scene.grid.size;
    let wrong = (0..WIDTH * HEIGHT).filter(|&i| {
        let (column, row) = (i % WIDTH, i / WIDTH);
        (scene.mask.pixels[row * side + column] != 0) != (height_m(column, row) >= 2.0)
    });
    let wrong = wrong.count();
    assert!(wrong <= 4, "{wrong} pixels differ");
}

#[test]
fn heights_become_footprints_in_storeys_whatever_they_are_stored_as() {
    let values = heights();
    let files = [
        geotiff::<Gray32Float>(&values, degrees(), Compression::Uncompressed),
        geotiff::<Gray32Float>(&values, degrees(), Compression::Lzw),
        geotiff::<Gray64Float>(&values.iter().map(|&value| f64::from(value)).collect::<Vec<_>>(), degrees(), Compression::Packbits),
        geotiff::<Gray16>(&values.iter().map(|&value| value.max(0.0).round() as u16).collect::<Vec<_>>(), degrees(), Compression::Lzw),
    ];
    for file in files {
        assert!(is_tiff(&file));
        let found = imported(&file);
        assert_is_the_raster(&found);
        let mut heights: Vec<f64> = found.scene.buildings.iter().filter_map(|building| building.height_m).collect();
        heights.sort_by(f64::total_cmp);
        assert_eq!(heights, [6.0, 9.0, 21.0], "the house, the block, its tower");
        assert_eq!(found.report.assumptions(), Vec::<String>::new(), "every height is stated");
    }
}

#[test]
fn a_mask_has_no_heights() {
    let mask = |built: u16| pixels(|column, row| if height_m(column, row) >= 2.0 { built } else { 0 });
    for built in [1, 65_535] {
        assert_is_the_raster(&imported(&geotiff::<Gray16>(&mask(built), degrees(), Compression::Lzw)));
    }
    let bytes: Vec<u8> = mask(255).into_iter().map(|value| value as u8).collect();
    let found = imported(&geotiff::<Gray8>(&bytes, degrees(), Compression::Lzw));
    assert_is_the_raster(&found);
    assert_eq!(found.scene.buildings.len(), 2, "the block with its tower, and the house");
    assert!(found.report.assumptions().iter().any(|assumed| assumed.contains("25 m")), "{:?}", found.report.assumptions());
}

/// Where a pixel is a point, the tie point is the middle of the first pixel.
#[test]
fn pixels_that_are_points_lie_half_a_pixel_to_the_north_west() {
    let corner = |of_point: u16| {
        let mut keys = keys(2, (2048, 4326));
        keys[11] = of_point;
        let text = buildings_of_geotiff(&geotiff::<Gray32Float>(&heights(), Some(keys), Compression::Lzw)).unwrap();
        let found: serde_json::Value = serde_json::from_str(&text).unwrap();
        [0, 1].map(|i| found["features"][0]["geometry"]["coordinates"][0][0][i].as_f64().unwrap())
    };
    let (area, point) = (corner(1), corner(2));
    for (moved, expected) in [(point[0] - area[0], -PIXEL[0] / 2.0), (point[1] - area[1], PIXEL[1] / 2.0)] {
        assert!((moved - expected).abs() < 1e-9, "{area:?} and {point:?}");
    }
}

/// A BigTIFF of pixels of a metre.
fn of_metres(system: u16, corner: [f64; 2]) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    let encoder = TiffEncoder::new_big(&mut bytes).unwrap();
    write::<Gray32Float, _, _>(encoder, &heights(), Some(keys(1, (3072, system))), ([1.0, 1.0], corner));
    bytes.into_inner()
}

/// The first corner of the first building of a raster of metres, in degrees.
fn first_corner(system: u16, corner: [f64; 2]) -> [f64; 2] {
    let file = of_metres(system, corner);
    assert!(is_tiff(&file));
    let found: serde_json::Value = serde_json::from_str(&buildings_of_geotiff(&file).unwrap()).unwrap();
    let corners = found["features"][0]["geometry"]["coordinates"][0].as_array().unwrap();
    let places = corners.iter().map(|corner| [0, 1].map(|i| corner[i].as_f64().unwrap()));
    // The north-western one: the block begins ten pixels from the raster's corner.
    places.min_by(|a, b| (a[0] - a[1]).total_cmp(&(b[0] - b[1]))).unwrap()
}

/// Of BigTIFFs. The figures are GDAL 3.6.2's: `echo "691000 5335000" | gdaltransform -s_srs EPSG:32632 -t_srs EPSG:4326 -output_xy`.
#[test]
fn rasters_in_utm_and_web_mercator_lie_where_gdal_says() {
    for (system, x, y, degrees) in [
        (32632, 691_000.0, 5_335_000.0, [11.567_501_229_203_8, 48.139_558_348_769_8]),
        (3857, 1_288_000.0, 6_129_000.0, [11.570_300_859_459_4, 48.132_940_726_379_1]),
        // Fiji, east of the antimeridian.
        (32760, 834_000.0, 8_130_000.0, [-179.865_316_710_747, -16.889_613_847_439_8]),
    ] {
        let found = first_corner(system, [x - 10.0, y + 10.0]);
        let apart = [0, 1].map(|i| (found[i] - degrees[i]).abs());
        assert!(apart[0].max(apart[1]) < 2e-8, "EPSG:{system}: {found:?}, expected two millimetres");
    }
}

/// On Taveuni in Fiji.
#[test]
fn a_raster_across_the_antimeridian_is_one_place() {
    // The antimeridian runs at 819,789 m (GDAL 3.6.2), through the block.
    let text = buildings_of_geotiff(&of_metres(32760, [819_760.0, 8_140_148.0])).unwrap();
    assert!(text.contains("[-179.") && text.contains("[179."), "{text}");
    let found = import(text.as_bytes(), &ImportOptions::default()).expect("footprints");
    assert_eq!(found.scene.buildings.len(), 3, "the house, the block, its tower");
}

#[test]
fn coordinates_that_are_not_of_the_system_are_told() {
    for (system, corner, named) in [
        (32632, [5_335_000.0, 691_000.0], "eastings of -500,000 to 1,500,000 m"),
        (32632, [691_000.0, -5_335_000.0], "northings of 0 to 10,000,000 m"),
        (3857, [21_000_000.0, 0.0], "20,037,508 m"),
    ] {
        let said = buildings_of_geotiff(&of_metres(system, corner)).expect_err("refused").to_string();
        assert!(said.contains(named) && said.contains(&format!("is at {}, {}", corner[0], corner[1])) && said.contains("-a_srs"), "{said}");
    }
}

#[test]
fn what_cannot_be_used_says_what_to_do() {
    let values = heights();
    let refused = |file: &[u8]| buildings_of_geotiff(file).expect_err("refused");
    for (code, named) in [(31468, "in EPSG:31468"), (32767, "without an EPSG code")] {
        let said = refused(&geotiff::<Gray32Float>(&values, Some(keys(1, (3072, code))), Compression::Lzw)).to_string();
        assert!(said.contains(named) && said.contains("gdalwarp -t_srs EPSG:4326"), "{said}");
    }
    let nowhere = geotiff::<Gray32Float>(&values, None, Compression::Lzw);
    assert!(matches!(refused(&nowhere), HeightRasterError::Place(_)), "{}", refused(&nowhere));
    let flat = geotiff::<Gray32Float>(&vec![0.5; WIDTH * HEIGHT], degrees(), Compression::Lzw);
    assert_eq!(refused(&flat), HeightRasterError::Empty);
    let colours = geotiff::<RGB8>(&vec![7; 3 * WIDTH * HEIGHT], degrees(), Compression::Lzw);
    assert!(matches!(refused(&colours), HeightRasterError::Bands(_)), "{}", refused(&colours));
    let whole = geotiff::<Gray32Float>(&values, degrees(), Compression::Uncompressed);
    for length in [4, 60, whole.len() / 2, whole.len() - 1] {
        assert!(!refused(&whole[..length]).to_string().is_empty());
    }
    assert!(!is_tiff(b"{}") && matches!(refused(b"II*\0"), HeightRasterError::Syntax(_)));
}

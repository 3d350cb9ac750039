//! The channels of the condition: their scale is the caller's, and they turn with the map.

use geo::{Coord, LineString, Polygon, Rect};
use radiodiff_radio::features::{ConditionChannel, TurnError, condition, turn_condition, turned_planes};
use radiodiff_radio::geometry::{PreparedScene, Symmetry};
use radiodiff_radio::map::{GrayCodec, RadioMap};
use radiodiff_radio::propagation::{DominantPath, PropagationModel};
use radiodiff_radio::scene::{BUILDING_HEIGHT_M, Building, Grid, LinkEnds, RoofHeights, Scene};

const GRID: Grid = Grid { size: 64, meters_per_pixel: 1.0 };
const TRANSMITTER: Coord<f64> = Coord { x: 20.5, y: 30.5 };

/// Buildings and cars without any symmetry of their own, with no edge through a pixel's centre, and cars in whole metres: half a pixel to
/// the north-east of them, where the channel has them, they have the same pixels whichever way the map is turned.
fn scene() -> Scene {
    let slanted = LineString::from(vec![(44.3, 8.2), (55.1, 12.9), (51.2, 21.7), (40.4, 17.0)]);
    let footprints = [
        Rect::new(Coord { x: 28.0, y: 20.0 }, Coord { x: 38.0, y: 42.0 }).to_polygon(),
        Rect::new(Coord { x: 8.0, y: 44.0 }, Coord { x: 24.0, y: 52.0 }).to_polygon(),
        Polygon::new(slanted, Vec::new()),
    ];
    let mut buildings = footprints.map(Building::from);
    buildings[1].height_m = Some(9.0);
    let car = |x: f64, y: f64| Rect::new(Coord { x, y }, Coord { x: x + 4.0, y: y + 2.0 }).to_polygon();
    Scene::from_polygons(GRID, buildings.to_vec()).with_cars(vec![car(20.0, 10.0), car(50.0, 45.0)])
}

fn channel_of(scene: &Scene, position: Coord<f64>, channels: &[ConditionChannel]) -> Vec<f32> {
    condition(&PreparedScene::new(scene), &LinkEnds::at(position), channels, &GrayCodec::default()).expect("the transmitter is outdoors")
}

/// A map of path gain as a channel has it.
fn levels_of(map: &RadioMap) -> Vec<f32> {
    let codec = GrayCodec::default();
    map.values.iter().map(|&gain_db| if gain_db.is_nan() { -1.0 } else { 2.0 * codec.encode(gain_db) - 1.0 }).collect()
}

/// How much a channel of a turned scene may differ from the turned channel. Most are exact: they read the mask, or distances between
/// points on half metres, which turn without rounding. The sweeps of the detour stop at 1e-3 pixels, in an order of their own, and
/// turned corners of the dominant path are rounded: both stay below 1e-3 dB of the gray range. Ray tracing leaves out paths that are too
/// weak beside those it has found before, and meets them in another order; what it averages along rows and then columns is rounded.
fn tolerance(channel: ConditionChannel) -> f32 {
    match channel {
        ConditionChannel::DetourGain => 2.0 * 0.02 / GrayCodec::default().range_db(),
        ConditionChannel::DominantPathGain
        | ConditionChannel::DominantPathGainAtHeight
        | ConditionChannel::DominantPathGainOfStatedRoofs => 2.0 * 1e-3 / GrayCodec::default().range_db(),
        ConditionChannel::Irt2Gain => 2.0 * 1e-4 / GrayCodec::default().range_db(),
        ConditionChannel::Irt3Gain | ConditionChannel::Irt4Gain => 2.0 * 0.02 / GrayCodec::default().range_db(),
        _ => 0.0,
    }
}

#[test]
fn a_channel_of_the_turned_scene_is_the_turned_channel() {
    let scene = scene();
    for symmetry in Symmetry::all() {
        let (turned, position) = (symmetry.scene(&scene), symmetry.position(GRID, TRANSMITTER));
        let channels = ConditionChannel::ALL;
        let expected = channel_of(&turned, position, &channels);
        let found = turn_condition(symmetry, GRID.size, &channels, &channel_of(&scene, TRANSMITTER, &channels)).expect("pairs are whole");
        for (c, channel) in channels.into_iter().enumerate() {
            let plane = c * GRID.pixels()..(c + 1) * GRID.pixels();
            for (i, (found, expected)) in found[plane.clone()].iter().zip(&expected[plane]).enumerate() {
                assert!((found - expected).abs() <= tolerance(channel), "{channel:?}, {symmetry:?}, pixel {i}: {found} for {expected}");
            }
        }
    }
}

#[test]
fn every_channel_differs_from_its_turned_self() {
    // Otherwise the test above could not fail.
    // The antenna's height is one number, which has nothing to turn.
    let channels: Vec<_> = ConditionChannel::ALL.into_iter().filter(|&channel| channel != ConditionChannel::AntennaHeight).collect();
    let plain = channel_of(&scene(), TRANSMITTER, &channels);
    for symmetry in Symmetry::all().skip(1) {
        let turned = turn_condition(symmetry, GRID.size, &channels, &plain).expect("pairs are whole");
        for (c, channel) in channels.iter().enumerate() {
            let plane = c * GRID.pixels()..(c + 1) * GRID.pixels();
            assert_ne!(turned[plane.clone()], plain[plane], "{channel:?}, {symmetry:?}");
        }
    }
}

#[test]
fn half_a_vector_is_turned_by_reversals_and_refused_by_transpositions() {
    let sine = [ConditionChannel::Buildings, ConditionChannel::AngleToTransmitterSin];
    let scene = scene();
    for symmetry in Symmetry::all() {
        let turned = turn_condition(symmetry, GRID.size, &sine, &channel_of(&scene, TRANSMITTER, &sine));
        if symmetry.transposed {
            let (channel, needed) = (ConditionChannel::AngleToTransmitterSin, ConditionChannel::AngleToTransmitterCos);
            assert_eq!(turned, Err(TurnError::MissingComponent { channel, needed, symmetry }));
            assert!(turned_planes(symmetry, &sine).is_err());
        } else {
            let expected = channel_of(&symmetry.scene(&scene), symmetry.position(GRID, TRANSMITTER), &sine);
            assert_eq!(turned, Ok(expected), "{symmetry:?}");
        }
    }
    let short = turn_condition(Symmetry::default(), GRID.size, &sine, &[0.0; 9]);
    assert_eq!(short, Err(TurnError::Length { found: 9, expected: 2 * 64 * 64, channels: 2, size: 64 }));
}

#[test]
fn gains_are_gray_levels_of_the_callers_codec() {
    let (prepared, default) = (PreparedScene::new(&scene()), GrayCodec::default());
    let other = GrayCodec { floor_db: -120.0, ceiling_db: -60.0 };
    for channel in [ConditionChannel::LogDistanceGain, ConditionChannel::DetourGain, ConditionChannel::DominantPathGain] {
        let values = |codec: &GrayCodec| condition(&prepared, &LinkEnds::at(TRANSMITTER), &[channel], codec).expect("outdoors");
        let mut compared = 0;
        for (default_level, other_level) in values(&default).into_iter().zip(values(&other)) {
            let gain_db = default.decode((default_level + 1.0) / 2.0);
            if default_level > -1.0 {
                assert!((2.0 * other.encode(gain_db) - 1.0 - other_level).abs() < 1e-5, "{channel:?}: {other_level} for {gain_db} dB");
                compared += 1;
            }
        }
        assert!(compared > 2000, "{channel:?}: {compared}");
    }
}

#[test]
fn a_prepared_scene_keeps_its_cars() {
    let plane = channel_of(&scene(), TRANSMITTER, &[ConditionChannel::Cars]);
    assert_eq!(plane.iter().filter(|&&v| v == 1.0).count(), 16);
}

#[test]
fn a_raised_antenna_has_its_own_physical_map_and_its_height() {
    // The scene's own roofs are no more known to the channel than the cars.
    let scene = scene().with_level_roofs(8.0);
    let codec = GrayCodec::default();
    let (prepared, level) = (PreparedScene::new(&scene), PreparedScene::new(&scene.clone().with_level_roofs(BUILDING_HEIGHT_M)));
    let at = |height_m: f64| LinkEnds { height_m, ..LinkEnds::at(TRANSMITTER) };
    let plane = |height_m: f64, channel| condition(&prepared, &at(height_m), &[channel], &codec).expect("outdoors");
    let low = plane(1.5, ConditionChannel::DominantPathGainAtHeight);
    for height_m in [1.5, 20.0, 39.0] {
        let map = DominantPath::default().path_gain(&level, &at(height_m)).expect("outdoors");
        let expected = levels_of(&map);
        let found = plane(height_m, ConditionChannel::DominantPathGainAtHeight);
        assert_eq!(found, expected, "{height_m} m");
        assert!(height_m == 1.5 || found.iter().zip(&low).any(|(high, low)| (high - low).abs() > 0.05), "{height_m} m");
        // The other channel's antennas stay where its networks learnt them.
        assert_eq!(plane(height_m, ConditionChannel::DominantPathGain), plane(1.5, ConditionChannel::DominantPathGain));
    }
    let level_at = |height_m: f64| {
        let plane = plane(height_m, ConditionChannel::AntennaHeight);
        assert!(plane.iter().all(|&level| level == plane[0]) && plane.len() == GRID.pixels());
        plane[0]
    };
    assert_eq!((level_at(0.5), level_at(1.5), level_at(40.0), level_at(200.0)), (-1.0, -1.0, 1.0, 1.0));
    assert!(level_at(60.0_f64.sqrt()).abs() < 1e-6, "the middle of the logarithms");
    assert!(condition(&prepared, &at(500.0), &[ConditionChannel::AntennaHeight], &codec).is_err(), "no antenna is so high");
}

#[test]
fn stated_roofs_are_told_and_the_others_are_at_25_m_whatever_the_scene_assumes() {
    let codec = GrayCodec::default();
    let plane = |scene: &Scene, channel| {
        let ends = LinkEnds { height_m: 12.0, ..LinkEnds::at(TRANSMITTER) };
        condition(&PreparedScene::new(scene), &ends, &[channel], &codec).expect("outdoors")
    };
    let scene = scene();
    // The same buildings where the others are taken as 6 m high, and where nobody states a height.
    let assumed = scene.clone().with_roofs(RoofHeights::of_buildings(GRID, &scene.buildings, 6.0));
    let mut bare = scene.clone();
    bare.buildings.iter_mut().for_each(|building| building.height_m = None);
    let unstated = bare.clone().with_roofs(RoofHeights::of_buildings(GRID, &bare.buildings, BUILDING_HEIGHT_M));

    let roofs = plane(&scene, ConditionChannel::StatedRoofs);
    let (stated, built) = (9.0 / 40.0, scene.mask.pixels.iter().filter(|&&inside| inside != 0).count());
    let count = |level: f32| roofs.iter().filter(|&&found| found == level).count();
    assert_eq!((count(stated), count(0.0)), (16 * 8, GRID.pixels() - built));
    assert_eq!(count(-1.0), built - 16 * 8);
    assert_eq!(plane(&assumed, ConditionChannel::StatedRoofs), roofs);
    assert!(plane(&unstated, ConditionChannel::StatedRoofs).iter().all(|&level| level == 0.0 || level == -1.0));

    let channel = ConditionChannel::DominantPathGainOfStatedRoofs;
    let expected = |scene: &Scene| -> Vec<f32> {
        let ends = LinkEnds { height_m: 12.0, ..LinkEnds::at(TRANSMITTER) };
        levels_of(&DominantPath::of_maps().path_gain(&PreparedScene::new(scene), &ends).expect("outdoors"))
    };
    assert_eq!(plane(&scene, channel), expected(&scene));
    assert_eq!(plane(&assumed, channel), expected(&scene), "what is assumed is not told");
    assert_eq!(plane(&unstated, channel), expected(&unstated));
    assert_ne!(plane(&unstated, channel), expected(&scene), "a roof of 9 m lets through what one of 25 m does not");
}

#[test]
fn where_a_building_without_a_height_overlaps_one_with_a_height_the_roof_is_not_stated() {
    let square = |x: f64, height_m: Option<f64>| {
        let footprint = Rect::new(Coord { x, y: 20.0 }, Coord { x: x + 12.0, y: 32.0 }).to_polygon();
        Building { height_m, ..Building::from(footprint) }
    };
    // Four metres of each overlap.
    let buildings = [square(30.0, Some(9.0)), square(38.0, None), square(46.0, Some(60.0))];
    let (west, middle, east) = (Coord { x: 32.5, y: 26.5 }, Coord { x: 40.5, y: 26.5 }, Coord { x: 48.5, y: 26.5 });
    let scene = Scene::from_polygons(GRID, buildings.to_vec());
    let pixel = |place: Coord<f64>| GRID.pixel_of(place).map(|(row, column)| row * GRID.size + column).expect("on the map");
    let roofs = channel_of(&scene, TRANSMITTER, &[ConditionChannel::StatedRoofs]);
    assert_eq!([west, middle, east].map(|place| roofs[pixel(place)]), [9.0 / 40.0, -1.0, -1.0]);
    assert_eq!(roofs[pixel(Coord { x: 56.5, y: 26.5 })], 1.0, "60 m are beyond the scale");
    assert_eq!([west, middle, east].map(|place| scene.roofs.at(pixel(place))), [9.0, 25.0, 60.0], "the highest counts");
    let assumed = RoofHeights::of_buildings(GRID, &buildings, 6.0);
    assert_eq!([west, middle, east].map(|place| assumed.at(pixel(place))), [9.0, 9.0, 60.0]);
    assert!(assumed != scene.roofs && assumed.with_unstated_at(BUILDING_HEIGHT_M) == scene.roofs);
}

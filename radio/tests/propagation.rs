//! Physical maps as a planner would check them: laws in the open, symmetry, shadows, and paths round a corner.

use geo::{Coord, LineString, Polygon};
use radiodiff_radio::features::{ConditionChannel, condition};
use radiodiff_radio::geometry::{PositionError, PreparedScene};
use radiodiff_radio::map::{GrayCodec, RadioMap};
use radiodiff_radio::propagation::{
    DominantPath, DominantPathLaw, IntelligentRayTracing, LogDistance, LogDistanceLaw, PropagationError, PropagationModel, RayTracing,
};
use radiodiff_radio::scene::{Building, BuildingMask, Grid, LinkEnds, Scene};

const GRID: Grid = Grid { size: 64, meters_per_pixel: 1.0 };
/// On a pixel's centre, where mirrored scenes keep it.
const TRANSMITTER: Coord<f64> = Coord { x: 20.5, y: 30.5 };

/// Axis-aligned boxes (x, y, width, height) in metres.
fn scene(boxes: &[[f64; 4]]) -> Scene {
    let building = |&[x, y, width, height]: &[f64; 4]| {
        let corners = [(x, y), (x + width, y), (x + width, y + height), (x, y + height)];
        Building::from(Polygon::new(LineString::from(corners.to_vec()), Vec::new()))
    };
    Scene::from_polygons(GRID, boxes.iter().map(building).collect())
}

fn dominant_path(boxes: &[[f64; 4]], position: Coord<f64>) -> RadioMap {
    let prepared = PreparedScene::new(&scene(boxes));
    DominantPath::default().path_gain(&prepared, &LinkEnds::at(position)).expect("the transmitter is outdoors")
}

fn distance_m(row: usize, column: usize, from: Coord<f64>) -> f64 {
    let center = GRID.pixel_center(row, column);
    (center.x - from.x).hypot(center.y - from.y)
}

#[test]
fn in_the_open_every_pixel_follows_the_law() {
    let map = dominant_path(&[], TRANSMITTER);
    for (i, &gain_db) in map.values.iter().enumerate() {
        let expected = LogDistanceLaw::LINE_OF_SIGHT.gain_db(distance_m(i / GRID.size, i % GRID.size, TRANSMITTER));
        assert!((f64::from(gain_db) - expected).abs() < 1e-4, "pixel {i}: {gain_db} dB, the law says {expected}");
    }
}

#[test]
fn a_mirrored_scene_gives_the_mirrored_map() {
    let boxes = [[28.0, 20.0, 10.0, 22.0], [8.0, 44.0, 16.0, 8.0], [44.0, 6.0, 6.0, 30.0]];
    let mirrored_boxes = boxes.map(|[x, y, width, height]| [GRID.extent_m() - x - width, y, width, height]);
    let map = dominant_path(&boxes, TRANSMITTER);
    let mirrored = dominant_path(&mirrored_boxes, Coord { x: GRID.extent_m() - TRANSMITTER.x, ..TRANSMITTER });
    for i in 0..GRID.pixels() {
        let (row, column) = (i / GRID.size, i % GRID.size);
        let (a, b) = (map.values[i], mirrored.values[row * GRID.size + GRID.size - 1 - column]);
        assert!((a - b).abs() < 1e-3 || (a.is_nan() && b.is_nan()), "pixel ({row}, {column}): {a} and {b}");
    }
}

/// Files of footprints have rings of both kinds.
#[test]
fn which_way_a_footprints_ring_runs_does_not_matter() {
    let scene = scene(&[[28.0, 20.0, 10.0, 22.0], [8.0, 44.0, 16.0, 8.0], [44.0, 6.0, 6.0, 30.0]]);
    let mut turned = scene.clone();
    turned.buildings[1].footprint.exterior_mut(|ring| ring.0.reverse());
    let ends = LinkEnds::at(TRANSMITTER);
    let high = LinkEnds { height_m: 30.0, ..ends };
    let models: [&dyn PropagationModel; 3] = [&DominantPath::default(), &IntelligentRayTracing::irt2(), &RayTracing::default()];
    for (model, ends) in models.into_iter().map(|model| (model, ends)).chain([(models[0], high), (models[2], high)]) {
        let [a, b] = [&scene, &turned].map(|scene| model.path_gain(&PreparedScene::new(scene), &ends).expect("outdoors").values);
        assert!(a.iter().zip(&b).all(|(a, b)| (a - b).abs() < 1e-3 || (a.is_nan() && b.is_nan())), "{} m", ends.height_m);
    }
}

#[test]
fn a_shadow_is_reached_round_the_nearer_corner() {
    // A wall from the southern edge up to y = 36 between the transmitter and the shadow: the only way is over its top.
    let wall = [30.0, 0.0, 4.0, 36.0];
    let map = dominant_path(&[wall], TRANSMITTER);
    let (row, column) = GRID.pixel_of(Coord { x: 44.5, y: 20.5 }).expect("on the map");
    // The path turns at the wall's two upper corners.
    let corners = [Coord { x: 30.0, y: 36.0 }, Coord { x: 34.0, y: 36.0 }];
    let stops = [TRANSMITTER, corners[0], corners[1], GRID.pixel_center(row, column)];
    let legs: Vec<Coord<f64>> = stops.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let length_m: f64 = legs.iter().map(|leg| leg.x.hypot(leg.y)).sum();
    let heading = |leg: &Coord<f64>| leg.y.atan2(leg.x);
    let law = DominantPathLaw::default();
    let turns_db: f64 = legs.windows(2).map(|pair| law.turn_db((heading(&pair[1]) - heading(&pair[0])).cos())).sum();
    let expected = -law.loss_db(length_m, turns_db);
    let found = f64::from(map.values[row * GRID.size + column]);
    assert!((found - expected).abs() < 0.1, "{found} dB behind the wall, the path over its corners gives {expected}");
    let open = LogDistanceLaw::LINE_OF_SIGHT.gain_db(distance_m(row, column, TRANSMITTER));
    assert!(found < open - 5.0, "a shadow is darker than the open field: {found} and {open}");
}

/// Four walls round a courtyard of 10 m x 10 m.
const COURTYARD: [[f64; 4]; 4] = [[40.0, 40.0, 16.0, 3.0], [40.0, 53.0, 16.0, 3.0], [40.0, 40.0, 3.0, 16.0], [53.0, 40.0, 3.0, 16.0]];

#[test]
fn a_closed_courtyard_is_reached_over_the_roofs_and_buildings_have_no_value() {
    let prepared = PreparedScene::new(&scene(&COURTYARD));
    let at = |x, y, law: &DominantPathLaw| {
        let map = DominantPath { law: *law, ..DominantPath::level() }
            .path_gain(&prepared, &LinkEnds::at(TRANSMITTER))
            .expect("the transmitter is outdoors");
        let (row, column) = GRID.pixel_of(Coord { x, y }).expect("on the map");
        f64::from(map.values[row * GRID.size + column])
    };
    let law = DominantPathLaw::default();
    assert!(at(41.0, 48.0, &law).is_nan());
    // Straight over the western wall: 19.5 m to it, 3 m over it, 5.5 m down behind it, all in the row of the transmitter's height.
    let straight = DominantPath { law, ..DominantPath::level() }
        .path_gain(&prepared, &LinkEnds::at(Coord { x: 20.5, y: 48.5 }))
        .expect("the transmitter is outdoors");
    let (row, column) = GRID.pixel_of(Coord { x: 48.5, y: 48.5 }).expect("on the map");
    let slope = |run_m: f64| (run_m.hypot(law.roof_m), law.turn_db(run_m / run_m.hypot(law.roof_m)));
    let ((up_m, up_db), (down_m, down_db)) = (slope(19.5), slope(5.5));
    let expected = -law.loss_db(up_m + 3.0 + down_m, up_db + down_db);
    let found = f64::from(straight.values[row * GRID.size + column]);
    assert!((found - expected).abs() < 0.5, "{found} dB in the courtyard, over the wall it is {expected}");
    // Roofs out of reach leave it at the floor.
    let walled = DominantPathLaw { roof_m: 1e6, ..law };
    assert_eq!(at(48.0, 48.0, &walled), walled.floor_db);
}

#[test]
fn a_path_round_a_corner_is_as_good_either_way() {
    let prepared = PreparedScene::new(&scene(&[[24.0, 10.0, 14.0, 20.0]]));
    let (a, b) = (Coord { x: 20.5, y: 20.5 }, Coord { x: 44.5, y: 34.5 });
    let gain = |from, to| {
        let map = DominantPath::default().path_gain(&prepared, &LinkEnds::at(from)).expect("the transmitter is outdoors");
        let (row, column) = GRID.pixel_of(to).expect("on the map");
        map.values[row * GRID.size + column]
    };
    assert!((gain(a, b) - gain(b, a)).abs() < 0.05, "{} dB there and {} dB back", gain(a, b), gain(b, a));
}

#[test]
fn a_transmitter_indoors_or_off_the_map_is_refused() {
    let prepared = PreparedScene::new(&scene(&[[10.0, 10.0, 20.0, 20.0]]));
    let at = |x, y| DominantPath::default().path_gain(&prepared, &LinkEnds::at(Coord { x, y })).map(|_| ());
    assert!(matches!(at(15.0, 15.0), Err(PropagationError::Position(PositionError::Indoors { .. }))));
    assert!(matches!(at(-3.0, 15.0), Err(PropagationError::Position(PositionError::Outside { .. }))));
    assert!(matches!(at(f64::NAN, 15.0), Err(PropagationError::Position(PositionError::Outside { .. }))));
}

#[test]
fn the_condition_says_what_its_channels_mean() {
    let scene = scene(&[[28.0, 20.0, 10.0, 22.0]]);
    let prepared = PreparedScene::new(&scene);
    let channels = [
        ConditionChannel::Buildings,
        ConditionChannel::Transmitter,
        ConditionChannel::LineOfSight,
        ConditionChannel::LogDistanceGain,
        ConditionChannel::DetourGain,
    ];
    let condition =
        condition(&prepared, &LinkEnds::at(TRANSMITTER), &channels, &GrayCodec::default()).expect("the transmitter is outdoors");
    let planes: Vec<&[f32]> = condition.chunks(GRID.pixels()).collect();
    let count = |plane: usize| planes[plane].iter().filter(|&&v| v == 1.0).count();
    assert_eq!((planes.len(), count(0), count(1)), (5, 220, 1));
    let sight = prepared.line_of_sight(TRANSMITTER).expect("outdoors");
    assert!(sight.iter().zip(planes[2]).all(|(&seen, &v)| v == if seen != 0 { 1.0 } else { -1.0 }));
    let codec = GrayCodec::default();
    for (i, &v) in planes[3].iter().enumerate() {
        let law = LogDistanceLaw::LINE_OF_SIGHT.gain_db(distance_m(i / GRID.size, i % GRID.size, TRANSMITTER)) as f32;
        assert!((v - (2.0 * codec.encode(law) - 1.0)).abs() < 1e-6);
        // A way round is never shorter than the straight line, but for the first-order scheme's error.
        let detour = planes[4][i];
        assert!(detour <= v + 0.02 && (scene.mask.pixels[i] == 0 || detour == -1.0), "pixel {i}: {detour} and {v}");
    }
}

#[test]
fn the_physical_channels_say_what_they_mean() {
    let car = Polygon::new(LineString::from(vec![(20.0, 10.0), (24.0, 10.0), (24.0, 12.0), (20.0, 12.0)]), Vec::new());
    let prepared = PreparedScene::new(&scene(&[[28.0, 20.0, 10.0, 22.0]]).with_cars(vec![car]));
    let plane =
        |channel| condition(&prepared, &LinkEnds::at(TRANSMITTER), &[channel], &GrayCodec::default()).expect("the transmitter is outdoors");
    let at = |x: f64, y: f64| GRID.pixel_of(Coord { x, y }).map(|(row, column)| row * GRID.size + column).expect("on the map");

    let (map, codec) = (dominant_path(&[[28.0, 20.0, 10.0, 22.0]], TRANSMITTER), GrayCodec::default());
    for (&gain, &gain_db) in plane(ConditionChannel::DominantPathGain).iter().zip(&map.values) {
        assert_eq!(gain, if gain_db.is_nan() { -1.0 } else { 2.0 * codec.encode(gain_db) - 1.0 });
    }

    let (sin, cos) = (plane(ConditionChannel::AngleToTransmitterSin), plane(ConditionChannel::AngleToTransmitterCos));
    // West of the transmitter it is in the east, north of it in the south, and to the north-east in the south-west.
    let half = std::f32::consts::FRAC_1_SQRT_2;
    for (x, y, east, north) in [(10.5, 30.5, 1.0, 0.0), (20.5, 50.5, 0.0, -1.0), (25.5, 35.5, -half, -half), (20.5, 30.5, 0.0, 0.0)] {
        let found = (sin[at(x, y)], cos[at(x, y)]);
        assert!((found.0 - east).abs() < 1e-6 && (found.1 - north).abs() < 1e-6, "({x}, {y}): {found:?}");
    }

    let walls = plane(ConditionChannel::WallDistance);
    // Inside, beside the wall, 8 m from it, 3 m and 4 m from its corner, and beyond 32 m on a map without any.
    for (x, y, distance_m) in [(30.5, 30.5, 0.0), (27.5, 30.5, 1.0), (20.5, 30.5, 8.0), (40.5, 45.5, 5.0)] {
        assert_eq!(walls[at(x, y)], 2.0 * distance_m / 32.0 - 1.0, "({x}, {y})");
    }
    let open = PreparedScene::new(&scene(&[]));
    let open = condition(&open, &LinkEnds::at(TRANSMITTER), &[ConditionChannel::WallDistance], &GrayCodec::default()).expect("outdoors");
    assert!(open.iter().all(|&v| v == 1.0));

    let cars = plane(ConditionChannel::Cars);
    assert_eq!((cars.iter().filter(|&&v| v == 1.0).count(), cars[at(22.5, 11.5)], cars[at(24.5, 11.5)]), (8, 1.0, -1.0));
    assert_eq!(serde_json::to_string(&ConditionChannel::AngleToTransmitterSin).ok().as_deref(), Some("\"angle-to-transmitter-sin\""));
}

#[test]
fn a_log_distance_law_is_recovered_from_its_own_samples() {
    let law = LogDistanceLaw { intercept_db: -60.0, slope_db: 31.0 };
    let fitted = LogDistanceLaw::fit((2..200).map(|d| (f64::from(d), law.gain_db(f64::from(d))))).expect("distances differ");
    assert!((fitted.intercept_db - law.intercept_db).abs() < 1e-9 && (fitted.slope_db - law.slope_db).abs() < 1e-9);
    assert_eq!(LogDistanceLaw::fit([(5.0, -70.0), (5.0, -71.0)]), None);
}

#[test]
fn gray_levels_are_radiomapseers() {
    let codec = GrayCodec::default();
    assert_eq!((codec.encode(-147.0), codec.encode(-47.84), codec.encode(f32::NAN), codec.encode(-200.0)), (0.0, 1.0, 0.0, 0.0));
    for level in 0..=255u8 {
        let gain_db = codec.decode(f32::from(level) / 255.0);
        assert_eq!((codec.encode(gain_db) * 255.0).round() as u8, level, "{gain_db} dB");
    }
    assert!((codec.range_db() / 255.0 - 0.389).abs() < 1e-3, "dB a level");
}

#[test]
fn models_are_chosen_at_run_time() {
    let prepared = PreparedScene::new(&scene(&[[28.0, 20.0, 10.0, 22.0]]));
    let out_of_sight = LogDistanceLaw { intercept_db: -60.0, slope_db: 31.0 };
    let log_distance = LogDistance { in_sight: LogDistanceLaw::LINE_OF_SIGHT, out_of_sight };
    let models: [(&str, Box<dyn PropagationModel>); 3] = [
        ("log distance", Box::new(log_distance)),
        ("dominant path", Box::new(DominantPath::default())),
        ("ray tracing", Box::new(RayTracing::default())),
    ];
    let sight = prepared.line_of_sight(TRANSMITTER).expect("outdoors");
    for (name, model) in &models {
        let map = model.path_gain(&prepared, &LinkEnds::at(TRANSMITTER)).expect("the transmitter is outdoors");
        assert!(map.values.iter().zip(&prepared.mask().pixels).all(|(gain, &inside)| gain.is_nan() == (inside != 0)), "{name}");
        assert!(model.path_gain(&prepared, &LinkEnds::at(Coord { x: 30.5, y: 30.5 })).is_err(), "{name}");
        if *name == "log distance" {
            for i in (0..GRID.pixels()).filter(|&i| prepared.mask().pixels[i] == 0) {
                let distance_m = distance_m(i / GRID.size, i % GRID.size, TRANSMITTER);
                let law = if sight[i] != 0 { LogDistanceLaw::LINE_OF_SIGHT } else { out_of_sight };
                assert_eq!(map.values[i], law.gain_db(distance_m) as f32, "pixel {i}");
            }
        }
    }
}

/// Ten thousand boxes of 1.6 m x 1.6 m every 2.5 m, and a mask of pure noise: much to turn at, nothing to wait long for.
#[test]
#[ignore = "slow: the dev profile takes minutes; docs/measurements/propagation-speed.md has its figures"]
fn ten_thousand_buildings_and_noise_give_a_map() {
    let grid = Grid::default();
    let building = |i: i32| {
        let corner = Coord { x: f64::from(i % 100) * 2.5, y: f64::from(i / 100) * 2.5 } + Coord { x: 0.8, y: 0.8 };
        let footprint = geo::Rect::new(corner, corner + Coord { x: 1.6, y: 1.6 }).to_polygon();
        Building::from(footprint)
    };
    // Splitmix64's last steps: every fourth pixel is built.
    let noise = |i: u64| (i.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ (i << 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9) >> 62 == 0;
    let mask = BuildingMask { size: grid.size, pixels: (0..grid.pixels() as u64).map(|i| u8::from(noise(i))).collect() };
    for scene in [Scene::from_polygons(grid, (0..10_000).map(building).collect()), Scene::from_mask(grid, mask)] {
        let (row, column) = scene.outdoor_pixels().nth(grid.pixels() / 3).expect("most is outdoors");
        let start = std::time::Instant::now();
        let prepared = PreparedScene::new(&scene);
        let map = DominantPath::default().path_gain(&prepared, &LinkEnds::at(grid.pixel_center(row, column))).expect("outdoors");
        println!("first map after {} ms", start.elapsed().as_millis());
        assert!(map.values.iter().zip(&scene.mask.pixels).all(|(gain_db, &inside)| gain_db.is_nan() == (inside != 0)));
    }
}

#[test]
fn a_far_wall_is_lit_through_its_building_where_footprints_are_in_whole_pixels() {
    let position = Coord { x: 10.5, y: 35.5 };
    let gain = |west: f64, column: usize| f64::from(dominant_path(&[[west, 25.499, 20.0, 15.0]], position).values[27 * GRID.size + column]);
    // On the eastern wall: one turn at the north-western corner, not a second one by 90 degrees at the north-eastern.
    let (through, round) = (gain(20.499, 40), gain(20.8, 41));
    println!("{through} dB through the building, {round} dB round it");
    assert!(through > round + 8.0);
    // Beside the wall, from there by one turn more.
    assert!(gain(20.499, 41) > round + 4.0);
}

#[test]
fn medians_are_taken_out_of_sight_and_of_small_pixels_alone() {
    let boxes = [[24.3, 20.1, 6.0, 14.0], [34.2, 10.4, 12.0, 9.0], [33.1, 30.7, 7.0, 16.0]];
    let buildings = scene(&boxes).buildings;
    for meters_per_pixel in [1.0, 2.0] {
        let grid = Grid { size: (GRID.extent_m() / meters_per_pixel) as usize, meters_per_pixel };
        let prepared = PreparedScene::new(&Scene::from_polygons(grid, buildings.clone()));
        for height_m in [1.5, 30.0] {
            let ends = LinkEnds { height_m, ..LinkEnds::at(TRANSMITTER) };
            let [with, without] =
                [DominantPath::of_maps(), DominantPath::default()].map(|model| model.path_gain(&prepared, &ends).expect("outdoors").values);
            let (sight, same) = (prepared.in_sight(&ends), |&pixel: &usize| with[pixel].to_bits() == without[pixel].to_bits());
            assert!((0..grid.pixels()).filter(|&pixel| sight.contains(pixel) || without[pixel].is_nan()).all(|pixel| same(&pixel)));
            let changed = (0..grid.pixels()).filter(|pixel| !same(pixel)).count();
            assert_eq!(changed > 0, meters_per_pixel == 1.0, "{changed} pixels of {meters_per_pixel} m, the antenna at {height_m} m");
        }
    }
}

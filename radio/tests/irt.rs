//! Intelligent ray tracing by closed forms: the open, one corner, one mirror, one roof; and what must hold of any map.

use geo::{Coord, LineString, Polygon};
use radiodiff_radio::geometry::PreparedScene;
use radiodiff_radio::map::RadioMap;
use radiodiff_radio::propagation::{IntelligentRayTracing, InteractionLaw, PropagationError, PropagationModel};
use radiodiff_radio::scene::{Building, Grid, LinkEnds, Scene};

const GRID: Grid = Grid { size: 64, meters_per_pixel: 1.0 };
const TRANSMITTER: Coord<f64> = Coord { x: 10.5, y: 30.5 };

/// Axis-aligned boxes (x, y, width, height) in metres.
fn scene(boxes: &[[f64; 4]]) -> PreparedScene {
    let building = |&[x, y, width, height]: &[f64; 4]| {
        let corners = [(x, y), (x + width, y), (x + width, y + height), (x, y + height)];
        Building::from(Polygon::new(LineString::from(corners.to_vec()), Vec::new()))
    };
    PreparedScene::new(&Scene::from_polygons(GRID, boxes.iter().map(building).collect()))
}

/// Without softness, as the closed forms are.
fn sharp(model: IntelligentRayTracing) -> IntelligentRayTracing {
    IntelligentRayTracing { softness_m: 0.0, ..model }
}

fn traced(model: IntelligentRayTracing, boxes: &[[f64; 4]], position: Coord<f64>) -> RadioMap {
    model.path_gain(&scene(boxes), &LinkEnds::at(position)).expect("the transmitter is outdoors")
}

fn at(map: &RadioMap, x: f64, y: f64) -> f64 {
    let (row, column) = GRID.pixel_of(Coord { x, y }).expect("on the map");
    f64::from(map.values[row * GRID.size + column])
}

fn apart(a: Coord<f64>, b: Coord<f64>) -> f64 {
    (a.x - b.x).hypot(a.y - b.y)
}

/// Loss of a path out of sight whose interactions lose `loss_db`, as the law's documentation says it.
fn gain_db(length_m: f64, loss_db: f64) -> f64 {
    let law = InteractionLaw::default();
    -(law.loss_intercept_db + law.loss_slope_db * length_m.log10() + loss_db)
}

#[test]
fn in_sight_the_direct_path_counts_alone() {
    let boxes = [[30.0, 10.0, 10.0, 40.0]];
    let law = InteractionLaw::default().line_of_sight;
    for map in [traced(IntelligentRayTracing::irt4(), &[], TRANSMITTER), traced(IntelligentRayTracing::irt4(), &boxes, TRANSMITTER)] {
        // In front of the wall too, where its reflection would add.
        for (x, y) in [(28.5, 30.5), (2.5, 3.5), (20.5, 60.5), (11.5, 30.5)] {
            let expected = law.gain_db(apart(TRANSMITTER, Coord { x, y }));
            assert!((at(&map, x, y) - expected).abs() < 1e-4, "({x}, {y}): {} dB, the law says {expected}", at(&map, x, y));
        }
    }
}

#[test]
fn behind_a_corner_one_diffraction_is_left() {
    // The far end of the box is off the map, so one corner leads round it.
    let map = traced(sharp(IntelligentRayTracing::irt2()), &[[20.0, -10.0, 4.0, 50.0]], TRANSMITTER);
    let corner = Coord { x: 20.0, y: 40.0 };
    for to in [Coord { x: 40.5, y: 42.5 }, Coord { x: 60.5, y: 50.5 }, Coord { x: 60.5, y: 44.5 }] {
        let (into, out) = (corner - TRANSMITTER, to - corner);
        let turn = (into.x * out.y - into.y * out.x).atan2(into.x * out.x + into.y * out.y).to_degrees().abs();
        let law = InteractionLaw::default();
        let loss_db = law.diffraction_offset_db + law.diffraction_per_degree_db * turn;
        let expected = gain_db(apart(TRANSMITTER, corner) + apart(corner, to), loss_db);
        assert!((at(&map, to.x, to.y) - expected).abs() < 0.05, "{to:?}: {} dB, the law says {expected}", at(&map, to.x, to.y));
    }
}

#[test]
fn one_interaction_does_not_turn_twice() {
    // Straight behind the box, seen from neither near corner.
    let boxes = [[20.0, 20.0, 20.0, 21.0]];
    let (two, four) = (sharp(IntelligentRayTracing::irt2()), sharp(IntelligentRayTracing::irt4()));
    assert_eq!(at(&traced(two, &boxes, TRANSMITTER), 42.5, 30.5), two.floor_db);
    assert!(at(&traced(four, &boxes, TRANSMITTER), 42.5, 30.5) > -130.0);
}

#[test]
fn a_closed_courtyard_is_reached_over_the_roof() {
    let boxes = [[20.0, 20.0, 24.0, 4.0], [20.0, 40.0, 24.0, 4.0], [20.0, 20.0, 4.0, 24.0], [40.0, 20.0, 4.0, 24.0]];
    let map = traced(sharp(IntelligentRayTracing::irt4()), &boxes, TRANSMITTER);
    let law = InteractionLaw::default();
    // In the transmitter's row, so that the walls are met at right angles: 9.5 m before the first, 6.5 m behind the last.
    let (climb, descent, width, rise) = (9.5, 6.5, 4.0, 23.5f64);
    let angles = rise.atan2(climb).to_degrees() + rise.atan2(descent).to_degrees();
    let loss_db = law.roof_offset_db + law.roof_per_degree_db * angles + law.roof_per_meter_db * width;
    let expected = gain_db(rise.hypot(climb) + width + rise.hypot(descent), loss_db);
    assert!((at(&map, 30.5, 30.5) - expected).abs() < 1e-3, "{} dB, the law says {expected}", at(&map, 30.5, 30.5));
    let irt2 = sharp(IntelligentRayTracing::irt2());
    assert_eq!(at(&traced(irt2, &boxes, TRANSMITTER), 30.5, 30.5), irt2.floor_db);
}

#[test]
fn a_wall_lights_what_lies_in_the_shadow() {
    // A short screen and beside both a mirror whose own corners are far away.
    let (screen, mirror) = ([30.0, 28.0, 2.0, 5.0], [-100.0, 50.0, 264.0, 4.0]);
    let without = traced(sharp(IntelligentRayTracing::irt2()), &[screen], TRANSMITTER);
    let with = traced(sharp(IntelligentRayTracing::irt2()), &[screen, mirror], TRANSMITTER);
    let to = Coord { x: 50.5, y: 30.5 };
    let reflected = gain_db(apart(TRANSMITTER, Coord { x: to.x, y: 100.0 - to.y }), InteractionLaw::default().reflection_db);
    let sum = 10.0 * (10f64.powf(at(&without, to.x, to.y) / 10.0) + 10f64.powf(reflected / 10.0)).log10();
    assert!((at(&with, to.x, to.y) - sum).abs() < 0.05, "{} dB, the sum is {sum}", at(&with, to.x, to.y));
}

#[test]
fn more_interactions_never_darken_and_a_mirrored_scene_gives_the_mirrored_map() {
    let boxes = [[28.3, 20.2, 10.1, 22.3], [8.7, 44.3, 16.2, 8.1], [44.4, 6.2, 6.3, 30.1], [18.1, 6.3, 12.2, 7.4]];
    let mirrored_boxes = boxes.map(|[x, y, width, height]| [GRID.extent_m() - x - width, y, width, height]);
    let two = traced(sharp(IntelligentRayTracing::irt2()), &boxes, TRANSMITTER);
    let four = traced(sharp(IntelligentRayTracing::irt4()), &boxes, TRANSMITTER);
    let mirrored =
        traced(sharp(IntelligentRayTracing::irt4()), &mirrored_boxes, Coord { x: GRID.extent_m() - TRANSMITTER.x, ..TRANSMITTER });
    let (mut gained, mut differ) = (0, 0);
    for i in 0..GRID.pixels() {
        let (a, b) = (four.values[i], mirrored.values[i / GRID.size * GRID.size + GRID.size - 1 - i % GRID.size]);
        differ += usize::from((a - b).abs() > 0.1 || a.is_nan() != b.is_nan());
        assert!(two.values[i] <= a + 0.1 || a.is_nan(), "pixel {i}: {} and {a}", two.values[i]);
        gained += usize::from(two.values[i] + 1.0 < a);
    }
    // A ray that grazes a corner may fall on either side of it.
    assert!(differ < 10, "{differ} pixels differ from the mirrored map");
    assert!(gained > 100, "{gained} pixels gain by more interactions");
}

#[test]
fn a_shadow_edge_goes_over_and_lights_nothing_that_no_path_reaches() {
    let boxes = [[20.0, 20.0, 4.0, 12.0]];
    for model in [IntelligentRayTracing::irt2(), IntelligentRayTracing::irt4()] {
        let [hard, soft] = [sharp(model), model].map(|model| traced(model, &boxes, TRANSMITTER));
        let dark = |map: &RadioMap| -> Vec<bool> { map.values.iter().map(|&gain_db| f64::from(gain_db) <= model.floor_db).collect() };
        assert_eq!(dark(&soft), dark(&hard));
        // Across the shadow's northern edge, which is at y = 38.4 m here.
        let steepest =
            |map: &RadioMap| (35..43).map(|y| at(map, 60.5, f64::from(y) + 0.5) - at(map, 60.5, f64::from(y) - 0.5)).fold(0.0, f64::max);
        assert!(steepest(&hard) > 8.0 && steepest(&soft) < 0.7 * steepest(&hard), "{} and {} dB a metre", steepest(&hard), steepest(&soft));
    }
}

#[test]
fn an_antenna_above_the_roofs_is_refused() {
    let prepared = scene(&[]);
    let high = LinkEnds { height_m: 30.0, ..LinkEnds::at(TRANSMITTER) };
    let refused = IntelligentRayTracing::irt4().path_gain(&prepared, &high).map(|_| ());
    assert_eq!(refused, Err(PropagationError::AboveRoofs { height_m: 30.0, roof_m: 25.0 }));
    // Receivers likewise; below the roofs both may stand anywhere.
    let high = LinkEnds { receiver_height_m: 25.0, ..LinkEnds::at(TRANSMITTER) };
    assert!(IntelligentRayTracing::irt2().path_gain(&prepared, &high).is_err());
    assert!(IntelligentRayTracing::irt2().path_gain(&prepared, &LinkEnds { height_m: 10.0, ..LinkEnds::at(TRANSMITTER) }).is_ok());
}

#[test]
fn a_pixel_on_a_wall_is_dark_and_the_one_before_it_is_not() {
    let model = IntelligentRayTracing::irt4();
    let map = traced(model, &[[30.499, 10.499, 10.0, 20.0]], TRANSMITTER);
    assert_eq!(at(&map, 35.5, 30.5), model.floor_db);
    assert!(at(&map, 35.5, 31.5) > -100.0);
    // Where its wall is elsewhere, the same pixel has a value.
    assert!(at(&traced(model, &[[30.2, 10.2, 10.0, 20.0]], TRANSMITTER), 35.5, 30.5) > -100.0);
}

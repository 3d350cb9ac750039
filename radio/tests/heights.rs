//! Antennas and roofs of different heights: what is in sight, and what paths over roofs lose.

use geo::{BooleanOps, Coord, Line, LineString, MultiLineString, Polygon};
use radiodiff_radio::geometry::{PositionError, PreparedScene};
use radiodiff_radio::propagation::{DominantPath, DominantPathLaw, LogDistanceLaw, PropagationError, PropagationModel};
use radiodiff_radio::scene::{Building, Grid, LinkEnds, Scene};
use std::f64::consts::PI;

const GRID: Grid = Grid { size: 96, meters_per_pixel: 1.0 };
const WAVELENGTH_M: f64 = 299.792_458 / 5900.0;

/// Boxes of [west, south, width, depth, height] in metres.
fn scene(boxes: &[[f64; 5]]) -> Scene {
    let building = |&[x, y, w, h, height_m]: &[f64; 5]| {
        let corners = [(x, y), (x + w, y), (x + w, y + h), (x, y + h), (x, y)];
        Building {
            footprint: Polygon::new(LineString::from(corners.to_vec()), Vec::new()),
            height_m: Some(height_m),
            levels: None,
            material: None,
        }
    };
    Scene::from_polygons(GRID, boxes.iter().map(building).collect())
}

fn ends(x: f64, y: f64, height_m: f64, receiver_height_m: f64) -> LinkEnds {
    LinkEnds { height_m, receiver_height_m, ..LinkEnds::at(Coord { x, y }) }
}

fn gain_at(model: &DominantPath, prepared: &PreparedScene, from: &LinkEnds, to: (f64, f64)) -> f64 {
    let map = model.path_gain(prepared, from).expect("the transmitter has a place");
    let (row, column) = GRID.pixel_of(Coord { x: to.0, y: to.1 }).expect("on the map");
    f64::from(map.values[row * GRID.size + column])
}

/// Turns cost so much that only the direct line over the roofs is left.
fn straight_lines_only() -> DominantPath {
    let law = DominantPathLaw { turn_offset_db: 1000.0, turn_most_db: 1000.0, floor_db: -900.0, ..DominantPathLaw::default() };
    DominantPath { law, ..DominantPath::default() }
}

fn knife_edge_db(v: f64) -> f64 {
    6.9 + 20.0 * (((v - 0.1).powi(2) + 1.0).sqrt() + v - 0.1).log10()
}

#[test]
fn a_ray_is_blocked_where_it_is_lower_than_a_roof() {
    let mut random = fastrand::Rng::with_seed(12);
    for case in 0..3 {
        let boxes: Vec<[f64; 5]> = (0..14)
            .map(|_| {
                let (x, y) = (2.03 + random.f64() * 80.0, 2.03 + random.f64() * 80.0);
                [x, y, 3.0 + random.f64() * 9.0, 3.0 + random.f64() * 9.0, 2.0 + random.f64() * 28.0]
            })
            .collect();
        let scene = scene(&boxes);
        let prepared = PreparedScene::new(&scene);
        for (height_m, receiver_height_m) in [(12.0, 1.5), (30.5, 1.5), (1.5, 16.0), (9.0, 9.0), (20.0, 14.0)] {
            let at = scene.grid.pixel_center(random.usize(0..96), random.usize(0..96)) + Coord { x: 0.13, y: -0.21 };
            let link = ends(at.x, at.y, height_m, receiver_height_m);
            if prepared.antenna_pixel(&link).is_err() {
                continue;
            }
            let seen = prepared.in_sight(&link);
            for (row, column) in scene.outdoor_pixels() {
                let to = GRID.pixel_center(row, column);
                let ray: MultiLineString<f64> = MultiLineString::new(vec![Line::new(at, to).into()]);
                let blocked = scene.buildings.iter().any(|building| {
                    let inside = building.footprint.clip(&ray, false);
                    inside.0.iter().flat_map(|part| part.coords()).any(|point| {
                        let share = (point.x - at.x).hypot(point.y - at.y) / (to.x - at.x).hypot(to.y - at.y);
                        height_m + share * (receiver_height_m - height_m) < building.height_m.expect("it has one") - 1e-9
                    })
                });
                assert_eq!(seen.contains(row * 96 + column), !blocked, "case {case}: {link:?} to {to:?}");
            }
        }
    }
}

#[test]
fn the_shadow_of_a_wall_ends_where_the_ray_clears_its_top() {
    let prepared = PreparedScene::new(&scene(&[[30.0, 0.0, 2.0, 96.0, 10.0]]));
    let seen = prepared.in_sight(&ends(12.5, 48.5, 20.0, 1.5));
    // From 20 m over the far edge, 10 m high and 19.5 m away, down to 1.5 m: 19.5 * 18.5 / 10 = 36.1 m from the transmitter.
    let row = 47 * 96;
    let visible: Vec<usize> = (32..96).filter(|column| seen.contains(row + column)).collect();
    assert_eq!(visible.first(), Some(&49), "12.5 m + 36.1 m is 48.6 m");
    assert_eq!(visible.len(), 96 - 49);
}

/// The line from a transmitter above the roof to the wall's far side passes clear of its near side, so that the far side is the only edge.
#[test]
fn a_wall_below_the_transmitter_is_the_knife_edge_of_its_far_side() {
    let model = straight_lines_only();
    for (roof_m, height_m) in [(10.0, 18.0), (10.0, 16.5), (10.0, 17.3), (12.0, 20.0)] {
        let prepared = PreparedScene::new(&scene(&[[40.0, 0.0, 1.0, 96.0, roof_m]]));
        let found = gain_at(&model, &prepared, &ends(10.5, 48.5, height_m, 1.5), (70.5, 48.5));
        let above_m = roof_m - (height_m + (1.5 - height_m) * 30.5 / 60.0);
        let v = above_m * (2.0 / WAVELENGTH_M * (1.0 / 30.5 + 1.0 / 29.5)).sqrt();
        let expected = LogDistanceLaw::LINE_OF_SIGHT.gain_db(60f64.hypot(height_m - 1.5)) - knife_edge_db(v);
        assert!(v > 0.6 && (found - expected).abs() < 0.01, "{roof_m} m, {height_m} m, v = {v}: {found} dB, expected {expected}");
    }
}

/// At grazing incidence two edges let through 1/4 + asin(sqrt(a c / ((a + b) (b + c)))) / 2 pi of the field, with a, b and c the distances
/// from the transmitter to the receiver: the share of the plane where two Gaussian variables so correlated are positive.
#[test]
fn walls_at_grazing_incidence_let_through_what_path_integrals_say() {
    let two_edges_db = |a: f64, b: f64, c: f64| -20.0 * (0.25 + (a * c / ((a + b) * (b + c))).sqrt().asin() / (2.0 * PI)).log10();
    let wall = |west: f64| [west, 0.0, 1.0, 96.0, 20.0];
    let loss_db = |walls: &[[f64; 5]]| {
        let gain_db = gain_at(&straight_lines_only(), &PreparedScene::new(&scene(walls)), &ends(4.5, 48.5, 20.0, 20.0), (85.5, 48.5));
        LogDistanceLaw::LINE_OF_SIGHT.gain_db(81.0) - gain_db
    };
    let one_db = loss_db(&[wall(30.0)]);
    assert!((one_db - two_edges_db(25.5, 1.0, 54.5)).abs() < 0.1, "{one_db} dB");
    // Thick walls have four edges, of which Deygout's construction counts three at most: more than two lose, and no more than two and twice
    // what a wall's second edge adds.
    let (both_db, thin_db) = (loss_db(&[wall(30.0), wall(60.0)]), two_edges_db(25.5, 30.0, 25.5));
    let second_edge_db = two_edges_db(25.5, 1.0, 54.5) - 20.0 * 2f64.log10();
    assert!((thin_db..thin_db + 2.0 * second_edge_db).contains(&both_db), "{both_db} dB, two thin walls {thin_db} dB");
}

/// A path must be the best at every pixel on its way, which depends on where it begins. Among unequal roofs, between places drawn at random.
#[test]
fn a_link_is_as_good_with_its_ends_and_heights_swapped() {
    let mut random = fastrand::Rng::with_seed(7);
    let model = DominantPath::default();
    for (high_m, low_m, median_db, nine_tenths_db) in [(12.0, 1.5, 0.4, 5.3), (30.0, 1.5, 0.1, 2.1), (1.5, 1.5, 0.1, 3.8)] {
        let mut differences = Vec::new();
        for _ in 0..4 {
            let boxes: Vec<[f64; 5]> = (0..16)
                .map(|i| {
                    let (x, y) = (f64::from(i % 4) * 24.0 + 3.0 + random.f64() * 6.0, f64::from(i / 4) * 24.0 + 3.0 + random.f64() * 6.0);
                    [x, y, 6.0 + random.f64() * 9.0, 6.0 + random.f64() * 9.0, 4.0 + random.f64() * 22.0]
                })
                .collect();
            let scene = scene(&boxes);
            let prepared = PreparedScene::new(&scene);
            let outdoors: Vec<(usize, usize)> = scene.outdoor_pixels().collect();
            let places: Vec<Coord<f64>> =
                (0..6).map(|_| random.choice(&outdoors).unwrap()).map(|&(row, column)| GRID.pixel_center(row, column)).collect();
            for (i, a) in places.iter().enumerate() {
                for b in &places[..i] {
                    let there = gain_at(&model, &prepared, &ends(a.x, a.y, high_m, low_m), (b.x, b.y));
                    let back = gain_at(&model, &prepared, &ends(b.x, b.y, low_m, high_m), (a.x, a.y));
                    differences.push((there - back).abs());
                }
            }
        }
        differences.sort_by(f64::total_cmp);
        let [median, nine_tenths] = [5, 9].map(|tenths| differences[differences.len() * tenths / 10]);
        println!(
            "{high_m} and {low_m} m: median {median:.2} dB, nine tenths {nine_tenths:.2} dB, most {:.2} dB",
            differences[differences.len() - 1]
        );
        assert!(median < median_db && nine_tenths < nine_tenths_db, "{high_m} and {low_m} m: {median} and {nine_tenths} dB");
    }
}

#[test]
fn nothing_jumps_as_a_transmitter_rises_past_roofs() {
    let prepared = PreparedScene::new(&scene(&[[30.0, 10.0, 12.0, 70.0, 15.0], [60.0, 10.0, 8.0, 70.0, 15.0]]));
    let model = DominantPath::default();
    let spots = [(47.5, 48.5), (55.5, 48.5), (72.5, 48.5), (90.5, 48.5), (47.5, 90.5)];
    let mut last: Option<Vec<f64>> = None;
    for step in 0..=170 {
        let height_m = 13.0 + 0.1 * f64::from(step);
        let map = model.path_gain(&prepared, &ends(20.5, 48.5, height_m, 1.5)).expect("outdoors");
        let here: Vec<f64> = spots
            .iter()
            .map(|&(x, y)| {
                let (row, column) = GRID.pixel_of(Coord { x, y }).expect("on the map");
                f64::from(map.values[row * 96 + column])
            })
            .collect();
        for (i, &gain_db) in here.iter().enumerate() {
            if let Some(last) = &last {
                assert!((gain_db - last[i]).abs() < 1.0, "{:?} at {height_m:.1} m: {gain_db} dB after {} dB", spots[i], last[i]);
            }
        }
        last = Some(here);
    }
}

#[test]
fn no_map_jumps_where_a_transmitter_passes_a_roof() {
    let (near, level, higher, aside) =
        ([40.0, 20.0, 12.0, 50.0, 15.0], [62.0, 12.0, 9.0, 40.0, 15.0], [62.0, 12.0, 9.0, 40.0, 22.0], [12.0, 70.0, 22.0, 8.0, 9.0]);
    let model = DominantPath::default();
    for boxes in [vec![near], vec![near, level], vec![near, higher, aside]] {
        let prepared = PreparedScene::new(&scene(&boxes));
        let outdoors = prepared.mask().pixels.iter().filter(|&&built| built == 0).count();
        for (x, roof_m) in [3.5, 22.5, 34.5].into_iter().flat_map(|x| boxes.iter().map(move |of| (x, of[4]))) {
            let [below, level, above] =
                [-1e-3, 0.0, 1e-3].map(|rise_m| model.path_gain(&prepared, &ends(x, 44.5, roof_m + rise_m, 1.5)).expect("outdoors").values);
            for [before, after] in [[&below, &level], [&level, &above]] {
                let jumps = before.iter().zip(after).filter(|(a, b)| (*a - *b).abs() > 1.0).count();
                // Rays that graze a corner see past it or not.
                assert!(jumps * 200 <= outdoors, "{} boxes from {x} m past {roof_m} m: {jumps} of {outdoors} pixels", boxes.len());
            }
        }
    }
}

#[test]
fn no_path_leads_through_a_tower_however_it_comes_over_the_roofs_beside_it() {
    // A tower, a low building behind it, and a shed by which paths over roofs get round the tower.
    let (tower, low, shed) = ([25.0, 10.0, 10.0, 60.0, 30.0], [55.0, 3.0, 5.0, 90.0, 8.0], [12.0, 72.0, 45.0, 6.0, 5.0]);
    let model = DominantPath::default();
    let gain = |boxes: &[[f64; 5]], height_m: f64| {
        gain_at(&model, &PreparedScene::new(&scene(boxes)), &ends(10.5, 40.5, height_m, 1.5), (75.5, 40.5))
    };
    for height_m in [4.9, 5.1, 9.0, 12.0, 20.0, 29.0] {
        let [with, without, hidden] = [&[tower, low, shed][..], &[low, shed], &[tower, low]].map(|boxes| gain(boxes, height_m));
        println!("{height_m} m: {with} dB with the tower, {without} without, {hidden} without the shed");
        assert!(with < without - 8.0, "{height_m} m: {with} dB with the tower and {without} without");
    }
    let [below, above] = [4.9, 5.1].map(|height_m| gain(&[tower, low, shed], height_m));
    assert!((above - below).abs() < 3.0, "a shed that the antenna looks over changes {below} to {above} dB");
}

#[test]
fn among_endless_buildings_the_plane_is_left() {
    let boxes = [[30.0, 20.0, 12.0, 50.0], [55.0, 10.0, 8.0, 40.0], [60.0, 60.0, 20.0, 9.0]];
    let tall: Vec<[f64; 5]> = boxes.iter().map(|&[x, y, w, h]| [x, y, w, h, 1e6]).collect();
    let prepared = PreparedScene::new(&scene(&tall));
    let law = DominantPathLaw { roof_m: 1e6, ..DominantPathLaw::default() };
    let plane = DominantPath { law, ..DominantPath::level() }.path_gain(&prepared, &ends(12.5, 40.5, 1.5, 1.5)).expect("outdoors");
    let tall = DominantPath::default().path_gain(&prepared, &ends(12.5, 40.5, 1.5, 1.5)).expect("outdoors");
    assert!(plane.values.iter().zip(&tall.values).all(|(a, b)| a.to_bits() == b.to_bits()));
}

#[test]
fn an_antenna_may_stand_on_a_roof_and_not_below_it() {
    let prepared = PreparedScene::new(&scene(&[[30.0, 30.0, 20.0, 20.0, 15.0], [60.0, 30.0, 10.0, 20.0, 9.0]]));
    let at = |height_m: f64| DominantPath::default().path_gain(&prepared, &ends(40.5, 40.5, height_m, 1.5));
    let map = at(25.0).expect("on the roof");
    assert!(map.values.iter().filter(|value| !value.is_nan()).all(|&value| value > -147.0));
    // Far from the building the roof is no obstacle; at its foot it is.
    let gain = |x: f64, y: f64| {
        let (row, column) = GRID.pixel_of(Coord { x, y }).expect("on the map");
        f64::from(map.values[row * 96 + column])
    };
    let open = |x: f64, y: f64| LogDistanceLaw::LINE_OF_SIGHT.gain_db((x - 40.5f64).hypot(y - 40.5).hypot(23.5));
    assert!((gain(2.5, 90.5) - open(2.5, 90.5)).abs() < 6.1 && gain(28.5, 40.5) < open(28.5, 40.5) - 8.0);
    for height_m in [1.5, 15.0] {
        assert!(matches!(at(height_m), Err(PropagationError::Position(PositionError::Indoors { .. }))), "{height_m} m");
    }
    for height_m in [0.0, -3.0, 10_000.0, f64::NAN] {
        assert!(matches!(at(height_m), Err(PropagationError::Height(_))), "{height_m} m");
    }
}

/// One that is lower than both antennas, in a corner of the map, of roofs that differ and of roofs that do not. Sight over roofs and sight in
/// the plane differ by single pixels, which may decide which corner a path takes.
#[test]
fn a_shed_changes_hardly_anything() {
    for (roofs_m, [height_m, receiver_height_m]) in [
        ([4.0, 24.0], [1.5, 1.5]),
        ([4.0, 24.0], [1.5, 3.5]),
        ([15.0, 15.0], [1.5, 1.5]),
        ([15.0, 15.0], [1.5, 10.0]),
        ([15.0, 15.0], [10.0, 1.5]),
    ] {
        let (mut random, mut differ) = (fastrand::Rng::with_seed(31), 0);
        for _ in 0..4 {
            let mut building = || {
                let [x, y, w, h, above] = [80.0, 80.0, 12.0, 12.0, 1.0].map(|most| random.f64() * most);
                [x.max(8.0), y.max(8.0), 3.0 + w, 3.0 + h, roofs_m[0] + above * (roofs_m[1] - roofs_m[0])]
            };
            let town: Vec<[f64; 5]> = std::iter::repeat_with(&mut building).take(14).collect();
            let with_shed = [town.as_slice(), &[[1.0, 1.0, 2.0, 2.0, 1.4]]].concat();
            let [before, after] = [&town, &with_shed].map(|boxes| {
                let prepared = PreparedScene::new(&scene(boxes));
                let along = (0..96).map(|column| ends(f64::from(column) + 0.5, 60.5, height_m, receiver_height_m));
                let from = along.into_iter().find(|from| prepared.antenna_pixel(from).is_ok()).expect("a place outdoors");
                DominantPath::default().path_gain(&prepared, &from).expect("a map").values
            });
            differ += before.iter().zip(&after).filter(|(a, b)| (**a - **b).abs() > 1.5).count();
        }
        println!("roofs of {roofs_m:?} m, antennas at {height_m} and {receiver_height_m} m: {differ} places differ");
        assert!(differ < 60000, "roofs of {roofs_m:?} m, antennas at {height_m} and {receiver_height_m} m: {differ} places differ");
    }
}

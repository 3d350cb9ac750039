//! Cars weaken what lies behind them, in sight and out of it.

use geo::{BoundingRect, Coord, LineString, Polygon};
use radiodiff_radio::geometry::{CarOutlines, PreparedScene};
use radiodiff_radio::map::RadioMap;
use radiodiff_radio::propagation::{DominantPath, PropagationModel, WithCars};
use radiodiff_radio::scene::{Building, Grid, LinkEnds, Scene, cars_from_json, cars_from_pixels};

const GRID: Grid = Grid { size: 64, meters_per_pixel: 1.0 };
const TRANSMITTER: Coord<f64> = Coord { x: 20.5, y: 30.5 };

/// A box of `length` x `width` metres around (x, y), turned anticlockwise from the x axis.
fn car_of(x: f64, y: f64, turned_deg: f64, length: f64, width: f64) -> Polygon<f64> {
    let (sin, cos) = turned_deg.to_radians().sin_cos();
    let corner = |(l, w): (f64, f64)| Coord {
        x: x + cos * l * length / 2.0 - sin * w * width / 2.0,
        y: y + sin * l * length / 2.0 + cos * w * width / 2.0,
    };
    Polygon::new(LineString::new([(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)].map(corner).to_vec()), Vec::new())
}

fn car(x: f64, y: f64, turned_deg: f64) -> Polygon<f64> {
    car_of(x, y, turned_deg, 4.0, 2.0)
}

fn cars() -> Vec<Polygon<f64>> {
    vec![car(28.0, 31.0, 80.0), car(35.0, 33.0, 10.0), car(15.0, 50.0, -35.0), car(22.0, 12.0, 0.0), car(40.0, 30.5, 90.0)]
}

/// The map with a building and these cars.
fn map(cars: Vec<Polygon<f64>>, position: Coord<f64>, mirrored: bool) -> (PreparedScene, RadioMap) {
    let x = |x: f64| if mirrored { GRID.extent_m() - x } else { x };
    let corners = vec![(x(30.0), 40.0), (x(42.0), 40.0), (x(42.0), 52.0), (x(30.0), 52.0)];
    let building = Building::from(Polygon::new(LineString::from(corners), Vec::new()));
    let prepared = PreparedScene::new(&Scene::from_polygons(GRID, vec![building]).with_cars(cars));
    let map = WithCars(DominantPath::default()).path_gain(&prepared, &LinkEnds::at(position)).expect("outdoors");
    (prepared, map)
}

fn center(i: usize) -> Coord<f64> {
    GRID.pixel_center(i / GRID.size, i % GRID.size)
}

/// Whether the straight line to a pixel comes within half a metre of the car, by samples along it.
fn meets(pixel: Coord<f64>, car: &Polygon<f64>) -> bool {
    use geo::{Distance, Euclidean, Point};
    (0..=400).any(|step| {
        let along = TRANSMITTER + (pixel - TRANSMITTER) * (f64::from(step) / 400.0);
        Euclidean.distance(&Point(along), car) < 0.5
    })
}

#[test]
fn without_cars_the_map_is_the_same() {
    let (prepared, weakened) = map(Vec::new(), TRANSMITTER, false);
    let plain = DominantPath::default().path_gain(&prepared, &LinkEnds::at(TRANSMITTER)).expect("outdoors");
    assert!(plain.values.iter().zip(&weakened.values).all(|(a, b)| a.to_bits() == b.to_bits()));
}

#[test]
fn a_car_weakens_what_is_behind_it_and_nothing_else_in_sight() {
    let one = car(28.0, 31.0, 80.0);
    let (prepared, weakened) = map(vec![one.clone()], TRANSMITTER, false);
    let (_, plain) = map(Vec::new(), TRANSMITTER, false);
    let sight = prepared.line_of_sight(TRANSMITTER).expect("outdoors");
    let lost = |i: usize| plain.values[i] - weakened.values[i];
    let mut behind = 0;
    for i in (0..GRID.pixels()).filter(|&i| !plain.values[i].is_nan()) {
        assert!(lost(i) >= 0.0, "pixel {i} gained {} dB", -lost(i));
        if sight[i] != 0 && lost(i) > 0.0 {
            // Half a turn's offset, half of 3 log10(length), and the turn's angle.
            assert!(meets(center(i), &one) && (1.09..6.0).contains(&lost(i)), "pixel {i} lost {} dB", lost(i));
            behind += 1;
        }
    }
    // The car is 4 m broad at 7.5 m: of the half of the map to the east a good quarter.
    assert!((300..900).contains(&behind), "{behind} pixels are behind the car");
    let at = |x, y| GRID.pixel_of(Coord { x, y }).map(|(row, column)| row * GRID.size + column).expect("on the map");
    assert!(lost(at(60.5, 30.5)) > 0.0 && lost(at(24.5, 30.5)) == 0.0);
}

#[test]
fn a_transmitter_among_cars_or_in_one_still_has_a_map() {
    let walls = [(20.5, 34.5, 0.0), (20.5, 26.5, 0.0), (16.5, 30.5, 90.0), (24.5, 30.5, 90.0)];
    let enclosing = walls.map(|(x, y, turned_deg)| car_of(x, y, turned_deg, 12.0, 2.0));
    let (_, plain) = map(Vec::new(), TRANSMITTER, false);
    // Around it; over it; over its pixel but not the pixel's centre.
    for cars in [enclosing.to_vec(), vec![car(TRANSMITTER.x, TRANSMITTER.y, 0.0)], vec![car(TRANSMITTER.x - 2.0, TRANSMITTER.y, 0.0)]] {
        let (_, weakened) = map(cars, TRANSMITTER, false);
        assert!(plain.values.iter().zip(&weakened.values).all(|(plain, with)| plain.is_nan() == with.is_nan()));
        let lost: Vec<f32> = plain.values.iter().zip(&weakened.values).map(|(plain, with)| plain - with).collect();
        assert!(lost.iter().any(|&lost| lost > 1.0) && lost.iter().all(|&lost| lost.is_nan() || (0.0..8.0).contains(&lost)));
    }
}

#[test]
fn in_a_scene_of_pixels_alone_a_car_leaves_the_other_side_as_it_is() {
    let turned = |x, y, turned_deg| Building::from(car_of(x, y, turned_deg, 14.0, 7.0));
    let mask = Scene::from_polygons(GRID, vec![turned(9.3, 44.1, 27.0), turned(8.7, 15.2, -38.0), turned(44.1, 50.3, 12.0)]).mask;
    let draw = |cars| {
        let prepared = PreparedScene::new(&Scene::from_mask(GRID, mask.clone()).with_cars(cars));
        WithCars(DominantPath::default()).path_gain(&prepared, &LinkEnds::at(TRANSMITTER)).expect("outdoors").values
    };
    let (plain, weakened) = (draw(Vec::new()), draw(vec![car(30.0, 30.5, 80.0)]));
    let lost = |i: usize| plain[i] - weakened[i];
    let outdoors = || (0..GRID.pixels()).filter(|&i| !plain[i].is_nan());
    assert!(outdoors().filter(|&i| center(i).x < TRANSMITTER.x).all(|i| lost(i) == 0.0));
    assert!(outdoors().filter(|&i| lost(i) > 1.0).count() > 300);
}

#[test]
fn a_car_too_narrow_for_a_pixel_weakens_too() {
    let (_, plain) = map(Vec::new(), TRANSMITTER, false);
    let (_, weakened) = map(vec![car_of(26.0, 31.0, 90.0, 8.0, 0.8)], TRANSMITTER, false);
    let behind = GRID.pixel_of(Coord { x: 50.5, y: 30.5 }).map(|(row, column)| row * GRID.size + column).expect("on the map");
    // Over it: two turns by small angles and 3 log10(30), halved.
    let lost = plain.values[behind] - weakened.values[behind];
    assert!((lost - (2.19 + 1.5 * 30.0f32.log10())).abs() < 0.01, "{lost} dB");
}

#[test]
fn out_of_sight_a_turn_at_a_car_costs_half_an_offset_and_half_of_its_angle() {
    // A wall from the north to (30, 30), the transmitter west of it: what lies east of it is one turn away. The car stands in that shadow.
    let wall = Polygon::new(LineString::from(vec![(28.0, 30.0), (30.0, 30.0), (30.0, 64.0), (28.0, 64.0)]), Vec::new());
    let wall = Building::from(wall);
    let prepared = |cars| PreparedScene::new(&Scene::from_polygons(GRID, vec![wall.clone()]).with_cars(cars));
    let at = LinkEnds::at(Coord { x: 10.5, y: 40.5 });
    let draw = |cars| WithCars(DominantPath::default()).path_gain(&prepared(cars), &at).expect("outdoors");
    let (plain, weakened) = (draw(Vec::new()), draw(vec![car_of(41.0, 33.0, 0.0, 2.0, 4.0)]));
    let lost = |x: f64, y: f64| {
        let (row, column) = GRID.pixel_of(Coord { x, y }).expect("on the map");
        plain.values[row * GRID.size + column] - weakened.values[row * GRID.size + column]
    };
    // Round the car's corner at (42, 31) the path turns by 2 degrees more than straight from the wall's, 20 m behind the car, and by 8 at
    // 5 m: half of 2.19 dB and of 0.1544 dB a degree.
    let turned = |to: (f64, f64)| {
        let angle = |from: (f64, f64)| (to.1 - from.1).atan2(to.0 - from.0).to_degrees();
        0.5 * (2.19 + 0.1544 * (angle((42.0, 31.0)) - angle((30.0, 30.0)))) as f32
    };
    for to in [(61.5, 34.5), (61.5, 35.5), (47.5, 32.5)] {
        assert!((lost(to.0, to.1) - turned(to)).abs() < 0.15, "{to:?}: {} and {} dB", lost(to.0, to.1), turned(to));
    }
    // Out of sight and clear of the car's shadow.
    assert_eq!(lost(61.5, 28.5), 0.0);
}

#[test]
fn rays_from_a_roof_come_down_over_cars() {
    let footprint = Polygon::new(LineString::from(vec![(4.0, 4.0), (14.0, 4.0), (14.0, 14.0), (4.0, 14.0)]), Vec::new());
    let building = Building { height_m: Some(12.0), ..Building::from(footprint) };
    let prepared = PreparedScene::new(&Scene::from_polygons(GRID, vec![building]).with_cars(cars()));
    let roof = LinkEnds { height_m: 16.0, ..LinkEnds::at(Coord { x: 9.5, y: 9.5 }) };
    let [with, without] =
        [WithCars(DominantPath::default()).path_gain(&prepared, &roof), DominantPath::default().path_gain(&prepared, &roof)];
    let (with, without) = (with.expect("above the roof"), without.expect("above the roof"));
    assert!(with.values.iter().zip(&without.values).all(|(a, b)| a.to_bits() == b.to_bits()));
    assert!(WithCars(DominantPath::default()).path_gain(&prepared, &LinkEnds { height_m: 8.0, ..roof }).is_err());
}

#[test]
fn above_the_cars_a_signal_keeps_what_a_knife_edge_leaves() {
    let wall = Polygon::new(LineString::from(vec![(28.0, 40.0), (30.0, 40.0), (30.0, 64.0), (28.0, 64.0)]), Vec::new());
    let scene = Scene::from_polygons(GRID, vec![Building::from(wall)]);
    let prepared = PreparedScene::new(&scene.with_cars(vec![car(30.0, 31.0, 90.0), car(42.0, 50.0, 90.0)]));
    let losses = |height_m: f64, receiver_height_m: f64| {
        let ends = LinkEnds { height_m, receiver_height_m, ..LinkEnds::at(TRANSMITTER) };
        let with = WithCars(DominantPath::default()).path_gain(&prepared, &ends).expect("outdoors");
        let without = DominantPath::default().path_gain(&prepared, &ends).expect("outdoors");
        with.values.iter().zip(&without.values).map(|(with, without)| without - with).collect::<Vec<f32>>()
    };
    let at = |x, y| GRID.pixel_of(Coord { x, y }).map(|(row, column)| row * GRID.size + column).expect("on the map");
    let (behind, out_of_sight, on_car) = (at(50.5, 30.5), at(60.5, 62.5), at(30.5, 30.5));
    let level = losses(1.5, 1.5);
    assert!(level[behind] > 2.0 && level[out_of_sight] > 0.5, "{} and {} dB", level[behind], level[out_of_sight]);

    // The line from 1.75 m to 1.5 m is lowest above the car's far side, where the knife edge says how much of J(0) is left.
    let raised = losses(1.75, 1.5);
    let (to, from) = (10.5f64, 19.5f64);
    let knife_edge = |v: f64| 6.9 + 20.0 * ((v - 0.1).hypot(1.0) + v - 0.1).log10();
    let wavelength_m = 299.792_458 / 5900.0;
    let v = -0.25 * (from / 30.0) * (2.0 * 30.0 / (wavelength_m * to * from)).sqrt();
    let left = (knife_edge(v) / knife_edge(0.0)) as f32;
    assert!((0.3..0.7).contains(&left), "the antenna is at a height that tells: {left}");
    assert!((raised[behind] / level[behind] - left).abs() < 0.01, "{} of {} dB, expected {left}", raised[behind], level[behind]);

    // As an antenna rises, whichever, cars cost less and then nothing.
    for heights in [[1.5, 1.5001], [1.5001, 1.5]] {
        let near = losses(heights[0], heights[1]);
        assert!(near.iter().zip(&level).all(|(near, level)| (near - level).abs() < 0.05 || near.is_nan()));
    }
    assert!(level[on_car] > 1.0 && losses(1.5, 1.51)[on_car] > 1.0 && losses(1.51, 1.5)[on_car] > 1.0);
    let mut before = level;
    for height_m in [2.0, 3.0, 5.0, 10.0] {
        let higher = losses(height_m, 1.5);
        assert!(higher.iter().zip(&before).all(|(higher, before)| *higher <= before + 1e-4 || higher.is_nan()), "{height_m} m");
        before = higher;
    }
    assert!(before[behind] == 0.0 && before[on_car] == 0.0);
    assert!(before[out_of_sight] < 0.2, "{} dB out of sight", before[out_of_sight]);
    assert!(losses(4.0, 4.0).iter().all(|&lost| lost == 0.0 || lost.is_nan()));
    // Below a car's roof an antenna counts as one beside it.
    assert_eq!(losses(0.5, 1.5)[behind], losses(1.5, 1.5)[behind]);
}

#[test]
fn cars_never_strengthen() {
    let (all, (_, plain)) = (cars(), map(Vec::new(), TRANSMITTER, false));
    for count in 1..=all.len() {
        let (_, weakened) = map(all[..count].to_vec(), TRANSMITTER, false);
        assert!(weakened.values.iter().zip(&plain.values).all(|(with, without)| with <= without || with.is_nan()), "{count} cars");
        assert!(weakened.values.iter().zip(&plain.values).any(|(with, without)| with < without), "{count} cars weaken nothing");
    }
}

#[test]
fn a_mirrored_scene_gives_the_mirrored_map() {
    let mirrored: Vec<Polygon<f64>> = cars()
        .iter()
        .map(|car| Polygon::new(car.exterior().coords().map(|c| Coord { x: GRID.extent_m() - c.x, ..*c }).collect(), Vec::new()))
        .collect();
    let (_, a) = map(cars(), TRANSMITTER, false);
    let (_, b) = map(mirrored, Coord { x: GRID.extent_m() - TRANSMITTER.x, ..TRANSMITTER }, true);
    for i in 0..GRID.pixels() {
        let (a, b) = (a.values[i], b.values[i / GRID.size * GRID.size + GRID.size - 1 - i % GRID.size]);
        assert!((a - b).abs() < 1e-3 || a.is_nan() && b.is_nan(), "pixel {i}: {a} and {b}");
    }
}

#[test]
fn looked_up_or_one_by_one_and_in_either_direction_a_leg_crosses_the_same_cars() {
    let cars = CarOutlines::new(&cars());
    let mut crossed = 0;
    // From beside, between and inside the cars.
    for from in [TRANSMITTER, Coord { x: 35.0, y: 33.0 }, Coord { x: 0.5, y: 63.5 }, Coord { x: 31.7, y: 30.2 }] {
        let seen = cars.seen_from(from);
        for i in 0..GRID.pixels() {
            let (to, count) = (center(i), seen.crossings(center(i)).count());
            assert_eq!(count, cars.crossed(from, to), "{from:?} to {to:?}");
            assert_eq!(count, cars.crossed(to, from), "{to:?} to {from:?}");
            crossed += usize::from(count > 1);
        }
    }
    assert!(crossed > 100, "two cars in a row {crossed} times");
}

#[test]
fn degenerate_outlines_are_no_cars() {
    let flat = Polygon::new(LineString::from(vec![(1.0, 1.0), (5.0, 1.0), (3.0, 1.0)]), Vec::new());
    let nan = Polygon::new(LineString::from(vec![(1.0, f64::NAN), (5.0, 1.0), (3.0, 4.0)]), Vec::new());
    let nothing = Polygon::new(LineString::new(Vec::new()), Vec::new());
    let cars = CarOutlines::new(&[flat, nan, nothing]);
    assert!(cars.is_empty() && cars.crossed(Coord { x: 0.0, y: 2.0 }, Coord { x: 9.0, y: 0.5 }) == 0);
}

#[test]
fn cars_come_out_of_the_datasets_json_and_png() {
    let (block, shed) = ("[[10,10],[30,10],[30,30],[10,30],[10,10]]", "[[40,40],[44,40],[44,42],[40,42],[40,40]]");
    let parked = "[[50,20],[52,20],[52,24],[50,24],[50,20]]";
    let found = cars_from_json(&format!("[{block},{shed},{parked}]"), &format!("[{block},{shed}]")).expect("three outlines");
    assert_eq!(found.len(), 1);
    let pixels = |cars: &[Polygon<f64>]| CarOutlines::new(cars).pixels(GRID);
    let count = |pixels: &[u8]| pixels.iter().filter(|&&p| p != 0).count();
    assert_eq!(count(&pixels(&found)), 8);
    // A second one, slanted, and both read back from their pixels.
    let both = pixels(&[found[0].clone(), car_of(19.5, 39.5, 30.0, 6.0, 3.0)]);
    let again = cars_from_pixels(GRID, &both);
    assert_eq!(again.len(), 2);
    // The image has cars elsewhere than the gains; what is read off it stands where it stood.
    let place = |car: &Polygon<f64>| car.bounding_rect().expect("a car is somewhere");
    assert_eq!(place(&again[1]), place(&found[0]));
    let (reread, both) = (count(&pixels(&again)), count(&both));
    assert!(reread.abs_diff(both) <= 2, "{reread} and {both}");
    assert!(cars_from_json("[[[1,2],[3]]]", "[]").is_err() && cars_from_json("", "[]").is_err());
}

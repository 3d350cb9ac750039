//! Cars weaken the pixels behind them and nothing else.

use geo::{Coord, LineString, Polygon};
use radiodiff_radio::geometry::{CarOutlines, PreparedScene};
use radiodiff_radio::map::RadioMap;
use radiodiff_radio::propagation::{DominantPath, PropagationModel, WithCars, car_loss_db};
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
    let building =
        Building { footprint: Polygon::new(LineString::from(corners), Vec::new()), height_m: None, levels: None, material: None };
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
fn a_car_takes_its_loss_behind_it_and_nothing_elsewhere() {
    let one = car(28.0, 31.0, 80.0);
    let (prepared, weakened) = map(vec![one.clone()], TRANSMITTER, false);
    let (_, plain) = map(Vec::new(), TRANSMITTER, false);
    let sight = prepared.line_of_sight(TRANSMITTER).expect("outdoors");
    let mut behind = 0;
    for i in (0..GRID.pixels()).filter(|&i| !plain.values[i].is_nan()) {
        let lost = plain.values[i] - weakened.values[i];
        assert!(lost == 0.0 || (lost - 4.3).abs() < 1e-4 && meets(center(i), &one) && sight[i] != 0, "pixel {i} lost {lost} dB");
        behind += usize::from(lost > 0.0);
    }
    // The car is 4 m broad at 7.5 m: of the half of the map to the east a good quarter.
    assert!((300..900).contains(&behind), "{behind} pixels are behind the car");
    let at = |x, y| GRID.pixel_of(Coord { x, y }).map(|(row, column)| row * GRID.size + column).expect("on the map");
    assert!(
        weakened.values[at(60.5, 30.5)] < plain.values[at(60.5, 30.5)] && weakened.values[at(24.5, 30.5)] == plain.values[at(24.5, 30.5)]
    );
}

#[test]
fn rays_from_a_roof_come_down_over_cars() {
    let footprint = Polygon::new(LineString::from(vec![(4.0, 4.0), (14.0, 4.0), (14.0, 14.0), (4.0, 14.0)]), Vec::new());
    let building = Building { footprint, height_m: Some(12.0), levels: None, material: None };
    let prepared = PreparedScene::new(&Scene::from_polygons(GRID, vec![building]).with_cars(cars()));
    let roof = LinkEnds { height_m: 16.0, ..LinkEnds::at(Coord { x: 9.5, y: 9.5 }) };
    let [with, without] =
        [WithCars(DominantPath::default()).path_gain(&prepared, &roof), DominantPath::default().path_gain(&prepared, &roof)];
    let (with, without) = (with.expect("above the roof"), without.expect("above the roof"));
    assert!(with.values.iter().zip(&without.values).all(|(a, b)| a.to_bits() == b.to_bits()));
    assert!(WithCars(DominantPath::default()).path_gain(&prepared, &LinkEnds { height_m: 8.0, ..roof }).is_err());
}

#[test]
fn more_cars_never_strengthen() {
    let all = cars();
    let maps: Vec<RadioMap> = (0..=all.len()).map(|count| map(all[..count].to_vec(), TRANSMITTER, false).1).collect();
    for (count, pair) in maps.windows(2).enumerate() {
        assert!(pair[0].values.iter().zip(&pair[1].values).all(|(fewer, more)| more <= fewer || more.is_nan()), "car {count}");
        assert!(pair[0].values.iter().zip(&pair[1].values).any(|(fewer, more)| more < fewer), "car {count} weakens nothing");
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
fn looked_up_or_one_by_one_and_in_either_direction_a_leg_loses_the_same() {
    let cars = CarOutlines::new(&cars());
    let mut crossed = 0;
    // From beside, between and inside the cars.
    for from in [TRANSMITTER, Coord { x: 35.0, y: 33.0 }, Coord { x: 0.5, y: 63.5 }, Coord { x: 31.7, y: 30.2 }] {
        let seen = cars.seen_from(from);
        for i in 0..GRID.pixels() {
            let (to, loss) = (center(i), car_loss_db(seen.crossed(center(i))));
            assert_eq!(loss, car_loss_db(cars.crossed(from, to)), "{from:?} to {to:?}");
            assert_eq!(loss, car_loss_db(cars.crossed(to, from)), "{to:?} to {from:?}");
            crossed += usize::from(loss > 4.5);
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
    assert_eq!(car_loss_db(cars.crossed(Coord { x: 0.0, y: 2.0 }, Coord { x: 9.0, y: 0.5 })), 0.0);
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
    let both = pixels(&[found[0].clone(), car_of(20.0, 40.0, 30.0, 6.0, 3.0)]);
    let again = cars_from_pixels(GRID, &both);
    assert_eq!(again.len(), 2);
    let (reread, both) = (count(&pixels(&again)), count(&both));
    assert!(reread.abs_diff(both) <= 2, "{reread} and {both}");
    assert!(cars_from_json("[[[1,2],[3]]]", "[]").is_err() && cars_from_json("", "[]").is_err());
}

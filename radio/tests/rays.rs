//! Ray tracing against closed forms, against an independent ray launcher, and against the laws that every tracer must keep:
//! reciprocity, symmetry, conservation of energy.

mod boxes;
mod complex;

use boxes::random_boxes;
use complex::{C, add, divide, mul, polar, power};
use geo::{Coord, Polygon, Rect};
use radiodiff_radio::geometry::{PositionError, PreparedScene};
use radiodiff_radio::map::RadioMap;
use radiodiff_radio::propagation::{
    Combining, MAX_INTERACTIONS, Material, Polarisation, PropagationError, PropagationModel, RayOptions, RayTracing,
};
use radiodiff_radio::scene::{Building, Grid, LinkEnds, Scene};
use std::f64::consts::PI;

const WAVELENGTH_M: f64 = 299_792_458.0 / 5.9e9;
const WAVENUMBER: f64 = 2.0 * PI / WAVELENGTH_M;
/// Gains are Float32: about 1e-5 dB at -100 dB.
const ROUNDING_DB: f64 = 3e-5;

/// Brick's reflection coefficient at 5.9 GHz, by the angle of incidence from the normal.
fn brick(polarisation: Polarisation, angle: f64) -> C {
    let permittivity = (3.91, -17.98 * 0.0238 * 5.9_f64.powf(0.16) / 5.9);
    let radicand = add(permittivity, (-angle.sin().powi(2), 0.0));
    let root = polar(power(radicand).powf(0.25), radicand.1.atan2(radicand.0) / 2.0);
    let incident = match polarisation {
        Polarisation::Vertical => (angle.cos(), 0.0),
        Polarisation::Horizontal => mul(permittivity, (angle.cos(), 0.0)),
    };
    divide(add(incident, (-root.0, -root.1)), add(incident, root))
}

fn gain_db(power: f64) -> f64 {
    10.0 * power.log10() - 20.0 * (4.0 * PI / WAVELENGTH_M).log10()
}

fn footprint(west: f64, south: f64, east: f64, north: f64) -> Polygon<f64> {
    Rect::new(Coord { x: west, y: south }, Coord { x: east, y: north }).to_polygon()
}

fn scene(size: usize, footprints: Vec<Polygon<f64>>) -> Scene {
    Scene::from_polygons(Grid { size, meters_per_pixel: 1.0 }, footprints.into_iter().map(Building::from).collect())
}

fn traced(scene: &Scene, position: Coord<f64>, options: RayOptions) -> RadioMap {
    RayTracing { options }.path_gain(&PreparedScene::new(scene), &LinkEnds::at(position)).expect("the transmitter is outdoors")
}

/// Outdoor pixels with their centres and gains.
fn gains<'a>(scene: &'a Scene, map: &'a RadioMap) -> impl Iterator<Item = (Coord<f64>, f64)> + 'a {
    scene.outdoor_pixels().map(|(r, c)| (scene.grid.pixel_center(r, c), f64::from(map.values[r * scene.grid.size + c])))
}

fn boxes_of(seed: u64) -> Vec<Polygon<f64>> {
    random_boxes(&mut fastrand::Rng::with_seed(seed))
}

#[test]
fn an_empty_scene_is_free_space() {
    let scene = scene(64, vec![]);
    let position = Coord { x: 20.3, y: 31.8 };
    for combining in [Combining::Incoherent, Combining::Coherent] {
        let map = traced(&scene, position, RayOptions { combining, ..RayOptions::default() });
        for (center, gain) in gains(&scene, &map) {
            let distance_m = (center.x - position.x).hypot(center.y - position.y).max(1.0);
            let free_space = -20.0 * (4.0 * PI * distance_m / WAVELENGTH_M).log10();
            assert!((gain - free_space).abs() < ROUNDING_DB, "{center:?}: {gain} for {free_space}");
        }
    }
}

#[test]
fn a_wall_reflects_as_its_closed_form() {
    let scene = scene(64, vec![footprint(-500.0, -100.0, 500.0, 20.0)]);
    let position = Coord { x: 20.3, y: 31.8 };
    for polarisation in [Polarisation::Vertical, Polarisation::Horizontal] {
        for combining in [Combining::Incoherent, Combining::Coherent] {
            let map =
                traced(&scene, position, RayOptions { combining, polarisation, interactions: 1, diffractions: 0, ..RayOptions::default() });
            for (center, gain) in gains(&scene, &map) {
                let direct = (center.x - position.x).hypot(center.y - position.y);
                let (dx, dy) = (center.x - position.x, center.y - (40.0 - position.y));
                let image = dx.hypot(dy);
                let coefficient = brick(polarisation, dx.abs().atan2(dy));
                let expected = match combining {
                    Combining::Incoherent => direct.max(1.0).powi(-2) + power(coefficient) / (image * image),
                    Combining::Coherent => power(add(
                        polar(1.0 / direct.max(1.0), -WAVENUMBER * direct),
                        mul(coefficient, polar(1.0 / image, -WAVENUMBER * image)),
                    )),
                };
                // In a fade the fields' difference has fewer digits.
                let tolerance_db = if combining == Combining::Incoherent { ROUNDING_DB } else { 1e-3 };
                assert!((gain - gain_db(expected)).abs() < tolerance_db, "{center:?}: {gain} for {}", gain_db(expected));
            }
        }
    }
}

/// F(x) = 2j sqrt(x) e^(jx) times the integral of e^(-j u^2) from sqrt(x) on, by Simpson's rule.
fn transition(x: f64) -> C {
    let end = x.sqrt();
    let steps = 2 * (end * end * 40.0 + 50.0) as usize;
    let mut integral = (0.0, 0.0);
    for i in 0..=steps {
        let u = end * i as f64 / steps as f64;
        let weight = if i == 0 || i == steps {
            1.0
        } else if i % 2 == 1 {
            4.0
        } else {
            2.0
        };
        integral = add(integral, polar(weight * end / steps as f64 / 3.0, -u * u));
    }
    let rest = add(polar(PI.sqrt() / 2.0, -PI / 4.0), (-integral.0, -integral.1));
    mul(mul((0.0, 2.0 * end), polar(1.0, x)), rest)
}

/// Kouyoumjian and Pathak's coefficient with Luebbers' reflection coefficients, as in the textbooks.
fn diffraction(phi: f64, incident: f64, n: f64, length_m: f64, faces: [C; 2]) -> C {
    let term = |beta: f64, sign: f64| {
        let whole = ((sign * PI + beta) / (2.0 * PI * n)).round();
        let a = 2.0 * ((2.0 * PI * n * whole - beta) / 2.0).cos().powi(2);
        let f = transition(WAVENUMBER * length_m * a);
        mul(f, (1.0 / ((PI + sign * beta) / (2.0 * n)).tan(), 0.0))
    };
    let (minus, plus) = (phi - incident, phi + incident);
    let mut sum = add(term(minus, 1.0), term(minus, -1.0));
    sum = add(sum, add(mul(faces[0], term(plus, -1.0)), mul(faces[1], term(plus, 1.0))));
    mul(sum, polar(-1.0 / (2.0 * n * (2.0 * PI * WAVENUMBER).sqrt()), -PI / 4.0))
}

#[test]
fn a_corner_diffracts_as_its_closed_form() {
    assert!(diffracted_pixels(16) > 20);
}

#[test]
#[ignore = "slow: integrating Fresnel's function for every pixel takes ten seconds and more unoptimised"]
fn a_corner_diffracts_as_its_closed_form_at_every_pixel() {
    assert!(diffracted_pixels(1) > 300);
}

/// Number of pixels in a shadow, one in `step`, whose gain was held to the closed form; panics where it is another.
fn diffracted_pixels(step: usize) -> usize {
    // The shadow east of a building whose other corners the transmitter does not light or the shadow does not see.
    let scene = scene(64, vec![footprint(-500.0, -500.0, 30.0, 40.0)]);
    let (corner, position): (Coord<f64>, Coord<f64>) = (Coord { x: 30.0, y: 40.0 }, Coord { x: 21.3, y: 46.2 });
    let (s1, n) = ((position.x - corner.x).hypot(position.y - corner.y), 1.5);
    // Angles from the wall to the north, which the transmitter lights.
    let incident = (position.y - corner.y).atan2(corner.x - position.x);
    let map = traced(&scene, position, RayOptions { interactions: 1, ..RayOptions::default() });
    let metal = traced(&scene, position, RayOptions { interactions: 1, material: Material::METAL, ..RayOptions::default() });
    let mut pixels = 0;
    for ((center, gain), (_, metal_gain)) in gains(&scene, &map).zip(gains(&scene, &metal)).step_by(step) {
        let (dx, dy) = (center.x - corner.x, center.y - corner.y);
        let phi = PI - dy.atan2(dx);
        if phi < PI + incident + 0.01 {
            continue;
        }
        pixels += 1;
        let s2 = dx.hypot(dy);
        let angle = PI / 2.0 - (n * PI - phi);
        let expected = |faces| {
            let coefficient = diffraction(phi, incident, n, s1 * s2 / (s1 + s2), faces);
            gain_db(power(coefficient) / (s1 * s2 * (s1 + s2)))
        };
        let vertical = Polarisation::Vertical;
        let brick_db = expected([brick(vertical, PI / 2.0 - incident), brick(vertical, angle.abs())]);
        assert!((gain - brick_db).abs() < 1e-3, "{center:?}: {gain} for {brick_db}");
        let metal_db = expected([(-1.0, 0.0); 2]);
        assert!((metal_gain - metal_db).abs() < 1e-2, "{center:?}: {metal_gain} for {metal_db}");
    }
    println!("{pixels} pixels in the shadow");
    pixels
}

/// Behind a corner, right at the shadow's edge, half the field is left: the sum of fields is continuous there.
#[test]
fn fields_are_continuous_over_a_shadows_edge() {
    let scene = scene(256, vec![footprint(-500.0, -500.0, 100.0, 100.0)]);
    let position = Coord { x: 80.7, y: 120.3 };
    let map = traced(&scene, position, RayOptions { interactions: 1, combining: Combining::Coherent, ..RayOptions::default() });
    let edge = (100.0 - position.y) / (100.0 - position.x);
    for (center, gain) in gains(&scene, &map).filter(|(center, _)| center.x > 130.0) {
        let distance_m = (center.x - position.x).hypot(center.y - position.y);
        let off_m = (center.y - (100.0 + edge * (center.x - 100.0))) / (1.0 + edge * edge).sqrt();
        if off_m.abs() < 0.05 {
            let lost_db = gain - gain_db(distance_m.powi(-2));
            assert!((lost_db + 6.0).abs() < 1.5, "{center:?}, {off_m} m off the edge: {lost_db} dB");
        }
    }
}

#[test]
fn swapping_transmitter_and_receiver_changes_nothing() {
    assert!(reciprocal_pairs(0..1) > 3);
}

#[test]
#[ignore = "slow: five more scenes take ten seconds and more unoptimised"]
fn swapping_transmitter_and_receiver_changes_nothing_in_more_scenes() {
    assert!(reciprocal_pairs(1..6) > 20);
}

/// Number of pairs of positions with a path in random scenes; panics where a pair's gain depends on who sends.
fn reciprocal_pairs(seeds: std::ops::Range<u64>) -> usize {
    let options = RayOptions { interactions: 4, floor_db: -500.0, ..RayOptions::default() };
    let mut pairs = 0;
    for seed in seeds {
        let scene = scene(64, boxes_of(seed));
        let prepared = PreparedScene::new(&scene);
        let outdoors: Vec<_> = scene.outdoor_pixels().collect();
        let chosen: Vec<_> = (1..5).map(|i| outdoors[i * outdoors.len() / 5]).collect();
        let maps: Vec<_> = chosen
            .iter()
            .map(|&(r, c)| {
                RayTracing { options }.path_gain(&prepared, &LinkEnds::at(scene.grid.pixel_center(r, c))).expect("an outdoor pixel")
            })
            .collect();
        for (i, from) in maps.iter().enumerate() {
            for (j, to) in maps.iter().enumerate().skip(i + 1) {
                let at = |map: &RadioMap, (r, c): (usize, usize)| f64::from(map.values[r * 64 + c]);
                let (there, back) = (at(from, chosen[j]), at(to, chosen[i]));
                assert!((there - back).abs() < ROUNDING_DB, "scene {seed}, {i} and {j}: {there} and {back}");
                pairs += usize::from(there > -500.0);
            }
        }
    }
    println!("{pairs} pairs have a path");
    pairs
}

#[test]
fn a_mirrored_scene_has_a_mirrored_map() {
    for seed in 10..13 {
        let boxes = boxes_of(seed);
        let mirror = |c: Coord<f64>| Coord { x: 64.0 - c.x, y: c.y };
        let mirrored = boxes.iter().map(|b| Polygon::new(b.exterior().coords().map(|&c| mirror(c)).collect(), vec![])).collect();
        let (scene, mirrored) = (scene(64, boxes), scene(64, mirrored));
        let (row, column) = scene.outdoor_pixels().nth(500).expect("500 outdoor pixels");
        let center = scene.grid.pixel_center(row, column);
        let position = Coord { x: center.x + 0.217, y: center.y - 0.139 };
        let options = RayOptions { interactions: 3, ..RayOptions::default() };
        let (map, other) = (traced(&scene, position, options), traced(&mirrored, mirror(position), options));
        for (row, column) in scene.outdoor_pixels().filter(|(r, c)| !mirrored.mask.is_building(*r, 63 - c)) {
            let (a, b) = (map.values[row * 64 + column], other.values[row * 64 + 63 - column]);
            assert!((a - b).abs() < 1e-3, "scene {seed}, {row}, {column}: {a} and {b}");
        }
    }
}

/// The power through a wide ring around a transmitter beside a building is the power it sent, less the building's absorption.
#[test]
fn no_energy_is_made() {
    let scene = scene(256, vec![footprint(122.0, 130.0, 134.0, 137.0)]);
    let position = Coord { x: 128.3, y: 125.1 };
    let leaving = |material, polarisation| {
        let options = RayOptions { interactions: 4, combining: Combining::Coherent, material, polarisation, ..RayOptions::default() };
        let map = traced(&scene, position, options);
        let (mut sum, mut pixels) = (0.0, 0.0);
        for (center, gain) in gains(&scene, &map) {
            // Around the middle of source and image, so that both are as far.
            let distance_m = (center.x - 128.3).hypot(center.y - 130.0);
            if (100.0..120.0).contains(&distance_m) {
                sum += 10_f64.powf((gain - gain_db(1.0)) / 10.0) * distance_m * distance_m;
                pixels += 1.0;
            }
        }
        sum / pixels
    };
    for polarisation in [Polarisation::Vertical, Polarisation::Horizontal] {
        let brick = leaving(Material::BRICK, polarisation);
        println!("{polarisation:?}: {brick:.3} of the energy leaves beside brick");
        assert!((0.5..0.9).contains(&brick), "{polarisation:?}: {brick} of the energy leaves beside brick");
    }
    let metal = leaving(Material::METAL, Polarisation::Vertical);
    println!("{metal:.3} of the energy leaves beside metal");
    assert!((0.95..1.05).contains(&metal), "{metal} of the energy leaves beside metal");
}

/// The first wall that a ray meets: distance and unit normal.
fn first_hit(walls: &[(Coord<f64>, Coord<f64>)], from: Coord<f64>, ray: Coord<f64>) -> Option<(f64, Coord<f64>)> {
    let cross = |a: Coord<f64>, b: Coord<f64>| a.x * b.y - a.y * b.x;
    let hit = |&(a, b): &(Coord<f64>, Coord<f64>)| {
        let along = b - a;
        let slant = cross(ray, along);
        let (distance, share) = (cross(a - from, along) / slant, cross(a - from, ray) / slant);
        let length = along.x.hypot(along.y);
        let normal = Coord { x: along.y / length, y: -along.x / length };
        (distance > 1e-9 && (0.0..=1.0).contains(&share)).then_some((distance, normal))
    };
    walls.iter().filter_map(hit).min_by(|a, b| a.0.total_cmp(&b.0))
}

/// The power of launched rays that pass a disc around a receiver converges to the beams' as the number of rays grows.
#[test]
fn launched_rays_converge_to_the_beams() {
    const DISC_M: f64 = 0.05;
    let boxes = vec![footprint(10.0, 40.0, 30.0, 52.0), footprint(36.0, 34.0, 50.0, 44.0), footprint(20.0, 8.0, 44.0, 16.0)];
    let walls: Vec<_> = boxes.iter().flat_map(|b| b.exterior().lines().map(|l| (l.start, l.end)).collect::<Vec<_>>()).collect();
    let scene = scene(64, boxes);
    let position = Coord { x: 31.3, y: 27.9 };
    let map = traced(&scene, position, RayOptions { diffractions: 0, floor_db: -300.0, ..RayOptions::default() });
    let receivers: Vec<_> = gains(&scene, &map).filter(|(_, gain)| *gain > -300.0).step_by(131).collect();
    assert!(receivers.len() > 15);
    let error = |rays: usize| {
        let mut sums = vec![0.0; receivers.len()];
        for i in 0..rays {
            let angle = 2.0 * PI * (i as f64 + 0.5) / rays as f64;
            let (mut from, mut ray) = (position, Coord { x: angle.cos(), y: angle.sin() });
            let (mut travelled, mut kept) = (0.0, 1.0);
            for _ in 0..=2 {
                let hit = first_hit(&walls, from, ray);
                for (sum, (center, _)) in sums.iter_mut().zip(&receivers) {
                    let to = *center - from;
                    let (along, off) = (to.x * ray.x + to.y * ray.y, to.x * ray.y - to.y * ray.x);
                    if off.abs() < DISC_M && along > 0.0 && hit.is_none_or(|(distance, _)| along < distance) {
                        let length = travelled + along;
                        *sum += kept / (length * length) * 2.0 * PI * length / (rays as f64 * 2.0 * DISC_M);
                    }
                }
                let Some((distance, normal)) = hit else { break };
                let cosine = ray.x * normal.x + ray.y * normal.y;
                kept *= power(brick(Polarisation::Vertical, cosine.abs().acos()));
                travelled += distance;
                from = from + ray * distance;
                ray = ray - normal * (2.0 * cosine);
            }
        }
        let errors: Vec<f64> = sums.iter().zip(&receivers).map(|(sum, (_, gain))| (gain_db(*sum) - gain).abs().min(20.0)).collect();
        errors.iter().sum::<f64>() / errors.len() as f64
    };
    let errors = [3_000, 30_000, 300_000].map(error);
    println!("mean error in dB of 3,000, 30,000 and 300,000 rays: {errors:.3?}");
    assert!(errors[1] < errors[0] / 3.0 && errors[2] < errors[1] / 3.0 && errors[2] < 0.05, "{errors:?}");
}

#[test]
fn more_interactions_are_never_less_power() {
    for seed in 20..22 {
        let scene = scene(64, boxes_of(seed));
        let (row, column) = scene.outdoor_pixels().nth(700).expect("700 outdoor pixels");
        let position = scene.grid.pixel_center(row, column);
        let maps: Vec<_> = (0..=MAX_INTERACTIONS)
            .map(|interactions| traced(&scene, position, RayOptions { interactions, ..RayOptions::default() }))
            .collect();
        let mut gained = 0;
        for pair in maps.windows(2) {
            for (less, more) in pair[0].values.iter().zip(&pair[1].values).filter(|(less, _)| !less.is_nan()) {
                assert!(more + 1e-4 >= *less, "{more} after {less}");
                gained += usize::from(*more > less + 0.01);
            }
        }
        assert!(gained > 1000, "{gained} pixels gained");
    }
}

/// How a building is drawn does not matter: as one, as halves that touch, as halves that overlap, or as pixels, whose outline has its
/// corners at pixels' centres where it can.
#[test]
fn outlines_are_united() {
    let position = Coord { x: 12.3, y: 31.8 };
    let options = RayOptions { interactions: 3, ..RayOptions::default() };
    let whole = scene(64, vec![footprint(20.5, 16.5, 40.5, 48.5), footprint(48.5, 10.5, 58.5, 30.5)]);
    let expected = traced(&whole, position, options);
    let others = [
        scene(64, vec![footprint(20.5, 16.5, 40.5, 30.5), footprint(20.5, 30.5, 40.5, 48.5), footprint(48.5, 10.5, 58.5, 30.5)]),
        scene(64, vec![footprint(20.5, 16.5, 40.5, 35.5), footprint(20.5, 25.5, 40.5, 48.5), footprint(48.5, 10.5, 58.5, 30.5)]),
        Scene::from_mask(whole.grid, whole.mask.clone()),
    ];
    for (i, other) in others.iter().enumerate() {
        let map = traced(other, position, options);
        for (a, b) in expected.values.iter().zip(&map.values).filter(|(a, _)| !a.is_nan()) {
            assert!((a - b).abs() < 1e-3, "drawing {i}: {a} and {b}");
        }
    }
}

#[test]
fn bad_outlines_and_a_transmitter_on_a_wall_do_no_harm() {
    let ring = |points: &[(f64, f64)]| Polygon::new(points.iter().map(|&(x, y)| Coord { x, y }).collect(), vec![]);
    let scene = scene(
        64,
        vec![
            ring(&[]),
            ring(&[(5.0, 5.0)]),
            ring(&[(5.0, 5.0), (9.0, 9.0), (5.0, 5.0)]),
            ring(&[(8.0, 8.0), (8.0, 8.0), (14.0, 8.0), (14.0, 8.0), (14.0, 14.0), (8.0, 14.0), (8.0, 11.0), (8.0, 11.0)]),
            ring(&[(f64::NAN, 3.0), (10.0, 3.0), (10.0, 6.0)]),
            ring(&[(f64::INFINITY, 3.0), (10.0, 3.0), (10.0, 6.0)]),
            ring(&[(20.0, 20.0), (30.0, 30.0), (30.0, 20.0), (20.0, 30.0)]),
            footprint(40.0, 40.0, 56.0, 56.0),
            footprint(44.0, 44.0, 48.0, 48.0),
            footprint(56.0, 40.0, 60.0, 60.0),
            footprint(30.0, 50.0, 40.0, 56.0),
            ring(&[(20.0, 40.0), (24.0, 40.0), (20.0, 40.000_000_000_1)]),
        ],
    );
    let prepared = PreparedScene::new(&scene);
    let model = RayTracing { options: RayOptions { interactions: 4, ..RayOptions::default() } };
    // In the open, on a wall, on its line, in a corner between two buildings and on a corner.
    for position in [(34.3, 20.2), (14.0, 10.0), (14.0, 20.0), (40.0, 57.0), (60.0, 60.0), (8.0, 8.0), (14.0, 14.0)] {
        let map = match model.path_gain(&prepared, &LinkEnds::at(position.into())) {
            Ok(map) => map,
            Err(PropagationError::Position(PositionError::Indoors { .. })) => continue,
            Err(error) => panic!("{error}"),
        };
        for (center, gain) in gains(&scene, &map) {
            assert!(gain.is_finite() && gain < 0.0, "transmitter {position:?}, {center:?}: {gain}");
        }
    }
}

#[test]
fn impossible_options_are_refused() {
    let prepared = PreparedScene::new(&scene(16, vec![]));
    let options = RayOptions::default();
    for wrong in [
        RayOptions { interactions: MAX_INTERACTIONS + 1, ..options },
        RayOptions { frequency_mhz: 0.0, ..options },
        RayOptions { frequency_mhz: f64::NAN, ..options },
        RayOptions { floor_db: f64::NEG_INFINITY, ..options },
    ] {
        let found = RayTracing { options: wrong }.path_gain(&prepared, &LinkEnds::at(Coord { x: 3.0, y: 3.0 }));
        assert!(matches!(found, Err(PropagationError::RayOptions { .. })), "{wrong:?}");
    }
}

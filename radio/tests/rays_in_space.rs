//! Ray tracing among buildings of finite height and over ground: closed forms, an independent image method, reciprocity, continuity.

mod boxes;
mod complex;

use boxes::random_boxes;
use complex::{C, add, divide, mul, polar, power};
use geo::{BooleanOps, Coord, Line, MultiLineString, Polygon, Rect};
use radiodiff_radio::geometry::{PositionError, PreparedScene};
use radiodiff_radio::map::RadioMap;
use radiodiff_radio::propagation::{
    Combining, Material, Polarisation, PropagationError, PropagationModel, RayOptions, RayTracing, RoofsOfRays,
};
use radiodiff_radio::scene::{Building, Grid, LinkEnds, Scene, WallMaterial};
use std::f64::consts::PI;

const SIZE: usize = 64;
const GRID: Grid = Grid { size: SIZE, meters_per_pixel: 1.0 };
const WAVELENGTH_M: f64 = 299_792_458.0 / 5.9e9;
/// Gains are Float32.
const ROUNDING_DB: f64 = 3e-5;
/// Paths by sight and reflection alone, among roofs as the scene says.
const REFLECTED: RayOptions = RayOptions {
    interactions: 1,
    diffractions: 0,
    frequency_mhz: 5900.0,
    material: Material::BRICK,
    roofs: RoofsOfRays::Scene,
    ground: None,
    thickness_m: None,
    polarisation: Polarisation::Vertical,
    combining: Combining::Incoherent,
    floor_db: -250.0,
};

/// Fresnel's coefficient at 5.9 GHz by the cosine of the angle of incidence: field across the plane of incidence, or in it.
fn fresnel(material: Material, across: bool, cosine: f64) -> C {
    let ghz: f64 = 5.9;
    let permittivity = (material.a * ghz.powf(material.b), -17.98 * material.c * ghz.powf(material.d) / ghz);
    let radicand = add(permittivity, (cosine * cosine - 1.0, 0.0));
    let root = polar(power(radicand).powf(0.25), radicand.1.atan2(radicand.0) / 2.0);
    let incident = if across { (cosine, 0.0) } else { mul(permittivity, (cosine, 0.0)) };
    divide(add(incident, (-root.0, -root.1)), add(incident, root))
}

fn gain_db(power: f64) -> f64 {
    10.0 * power.log10() - 20.0 * (4.0 * PI / WAVELENGTH_M).log10()
}

fn rectangle(west: f64, south: f64, east: f64, north: f64) -> Polygon<f64> {
    Rect::new(Coord { x: west, y: south }, Coord { x: east, y: north }).to_polygon()
}

fn building(footprint: Polygon<f64>, height_m: f64) -> Building {
    Building { height_m: Some(height_m), ..Building::from(footprint) }
}

/// Boxes of random heights.
fn random_buildings(seed: u64, [low_m, high_m]: [f64; 2]) -> Vec<Building> {
    let mut random = fastrand::Rng::with_seed(seed);
    let boxes = random_boxes(&mut random);
    boxes.into_iter().map(|footprint| building(footprint, low_m + (high_m - low_m) * random.f64())).collect()
}

fn ends(position: (f64, f64), height_m: f64, receiver_height_m: f64) -> LinkEnds {
    LinkEnds { height_m, receiver_height_m, ..LinkEnds::at(position.into()) }
}

fn traced(scene: &Scene, ends: &LinkEnds, options: RayOptions) -> RadioMap {
    RayTracing { options }.path_gain(&PreparedScene::new(scene), ends).expect("the transmitter has a place")
}

fn at(map: &RadioMap, point: (f64, f64)) -> f64 {
    let (row, column) = map.grid.pixel_of(point.into()).expect("on the map");
    f64::from(map.values[row * map.grid.size + column])
}

fn outdoor_gains<'a>(scene: &'a Scene, map: &'a RadioMap) -> impl Iterator<Item = (Coord<f64>, f64)> + 'a {
    scene.outdoor_pixels().map(|(r, c)| (scene.grid.pixel_center(r, c), f64::from(map.values[r * scene.grid.size + c])))
}

#[test]
fn over_open_ground_there_are_two_rays() {
    let scene = Scene::from_polygons(GRID, vec![]);
    let position = (20.3, 31.8);
    for (polarisation, across) in [(Polarisation::Vertical, false), (Polarisation::Horizontal, true)] {
        for (height_m, receiver_m) in [(1.5, 1.5), (25.0, 1.5), (0.5, 200.0), (40.0, 12.0)] {
            for combining in [Combining::Coherent, Combining::Incoherent] {
                let ground = Some(Material::MEDIUM_DRY_GROUND);
                let options = RayOptions { ground, polarisation, combining, ..REFLECTED };
                let map = traced(&scene, &ends(position, height_m, receiver_m), options);
                for (center, found) in outdoor_gains(&scene, &map) {
                    let plan_m = (center.x - position.0).hypot(center.y - position.1);
                    let (direct_m, image_m) = (plan_m.hypot(height_m - receiver_m), plan_m.hypot(height_m + receiver_m));
                    let coefficient = fresnel(Material::MEDIUM_DRY_GROUND, across, (height_m + receiver_m) / image_m);
                    let wave = |length_m: f64| polar(1.0 / length_m.max(1.0), -2.0 * PI / WAVELENGTH_M * length_m);
                    let expected = match combining {
                        Combining::Coherent => power(add(wave(direct_m), mul(coefficient, wave(image_m)))),
                        Combining::Incoherent => power(wave(direct_m)) + power(coefficient) * power(wave(image_m)),
                    };
                    let tolerance_db = if combining == Combining::Incoherent { ROUNDING_DB } else { 2e-3 };
                    let expected_db = gain_db(expected);
                    assert!((found - expected_db).abs() < tolerance_db, "{height_m} m, {center:?}: {found} for {expected_db}");
                }
            }
        }
    }
}

/// A street between two endless walls: every pair of side and number of reflections has one image, and the ground one more of each.
#[test]
fn a_canyon_is_the_sum_of_its_images() {
    let sides = vec![building(rectangle(-900.0, -90.0, 900.0, 20.0), 60.0), building(rectangle(-900.0, 44.0, 900.0, 90.0), 60.0)];
    let scene = Scene::from_polygons(GRID, sides);
    let (position, height_m, receiver_m) = (Coord { x: 10.4, y: 29.7 }, 9.0, 1.5);
    let options = RayOptions { interactions: 4, ground: Some(Material::CONCRETE), ..REFLECTED };
    let map = traced(&scene, &ends((position.x, position.y), height_m, receiver_m), options);
    for (center, found) in outdoor_gains(&scene, &map) {
        let mut sum = 0.0;
        for (rise_m, ground) in [(height_m - receiver_m, false), (height_m + receiver_m, true)] {
            for reflections in 0..=if ground { 3 } else { 4 } {
                for first_south in [true, false] {
                    let (mut y, mut south) = (position.y, first_south);
                    for _ in 0..reflections {
                        y = if south { 40.0 - y } else { 88.0 - y };
                        south = !south;
                    }
                    let step = Coord { x: center.x - position.x, y: center.y - y };
                    let length_m = step.x.hypot(step.y).hypot(rise_m);
                    let wall = power(fresnel(Material::BRICK, true, step.y.abs() / length_m)).powi(reflections);
                    let floor = if ground { power(fresnel(Material::CONCRETE, false, rise_m / length_m)) } else { 1.0 };
                    sum += wall * floor / length_m.max(1.0).powi(2);
                    if reflections == 0 {
                        break;
                    }
                }
            }
        }
        assert!((found - gain_db(sum)).abs() < ROUNDING_DB, "{center:?}: {found} for {}", gain_db(sum));
    }
}

/// Knife edges: walls of 2 mm across the whole map.
#[test]
fn thin_walls_are_knife_edges() {
    let knife_edge_db = |v: f64| 6.9 + 20.0 * (((v - 0.1).powi(2) + 1.0).sqrt() + v - 0.1).log10();
    let wall = |x: f64, top_m: f64| building(rectangle(x, -500.0, x + 0.002, 500.0), top_m);
    let options = RayOptions { diffractions: 1, ..REFLECTED };
    let free_db = |length_m: f64| gain_db(length_m.powi(-2));
    let (position, receiver) = ((4.5, 31.5), (54.5, 31.5));
    for (top_m, height_m) in [(8.0, 12.0), (10.0, 12.0), (14.0, 12.0), (20.0, 2.0)] {
        let map = traced(&Scene::from_polygons(GRID, vec![wall(29.499, top_m)]), &ends(position, height_m, 3.0), options);
        let above_m = top_m - (height_m + 3.0) / 2.0;
        let v = above_m * (2.0 / WAVELENGTH_M * (2.0 / 25.0)).sqrt();
        let expected = free_db(50f64.hypot(height_m - 3.0)) - knife_edge_db(v);
        let found = at(&map, receiver);
        // Two edges 2 mm apart are a hair more than one, the deeper in the shadow the more.
        assert!(found < expected + 0.1 && found > expected - 1.0, "{top_m} m, v = {v}: {found} for {expected}");
    }
    // Lee, 1978: two edges at grazing incidence, evenly spaced, leave a third of the field.
    let two = vec![wall(21.166, 15.0), wall(37.832, 15.0)];
    let found = at(&traced(&Scene::from_polygons(GRID, two), &ends(position, 15.0, 15.0), options), receiver);
    let expected = free_db(50.0) - 20.0 * 3f64.log10();
    assert!((found - expected).abs() < 1.0, "{found} for {expected}");
}

/// Whether a leg between two points at two heights is clear of every building.
fn is_clear(buildings: &[Building], [from, to]: [Coord<f64>; 2], [from_m, to_m]: [f64; 2]) -> bool {
    let leg: MultiLineString<f64> = MultiLineString::new(vec![Line::new(from, to).into()]);
    let length = (to.x - from.x).hypot(to.y - from.y);
    !buildings.iter().any(|building| {
        let inside = building.footprint.clip(&leg, false);
        inside
            .0
            .iter()
            .filter(|part| {
                // A leg that ends on a wall touches it.
                let [a, b] = [part.0[0], part.0[part.0.len() - 1]];
                (a.x - b.x).hypot(a.y - b.y) > 1e-6
            })
            .flat_map(|part| part.coords())
            .any(|point| {
                let share = (point.x - from.x).hypot(point.y - from.y) / length;
                from_m + share * (to_m - from_m) < building.height_m.expect("it has one") - 1e-9
            })
    })
}

/// One reflection at most by the method of images, each leg tested against every building.
#[test]
fn low_walls_reflect_and_hide_as_images_say() {
    let mut reflected = 0;
    for (seed, height_m, receiver_m) in [(1, 12.0, 1.5), (2, 30.0, 1.5), (3, 2.0, 9.0), (4, 8.0, 8.0), (5, 16.0, 6.0)] {
        let scene = Scene::from_polygons(GRID, random_buildings(seed, [3.0, 20.0]));
        let outdoors: Vec<_> = scene.outdoor_pixels().collect();
        let (row, column) = outdoors[outdoors.len() / 2];
        let position = GRID.pixel_center(row, column) + Coord { x: 0.17, y: -0.23 };
        let map = traced(&scene, &ends((position.x, position.y), height_m, receiver_m), REFLECTED);
        let (mut differing, mut pixels) = (0, 0);
        for (center, found) in outdoor_gains(&scene, &map).step_by(5) {
            let space_m = |plan_m: f64| plan_m.hypot(height_m - receiver_m);
            let mut sum = 0.0;
            if is_clear(&scene.buildings, [position, center], [height_m, receiver_m]) {
                sum += space_m((center - position).x.hypot((center - position).y)).max(1.0).powi(-2);
            }
            for building in &scene.buildings {
                for wall in building.footprint.exterior().lines() {
                    let along = wall.delta() / wall.dx().hypot(wall.dy());
                    let normal = Coord { x: along.y, y: -along.x };
                    let off = |point: Coord<f64>| (point - wall.start).x * normal.x + (point - wall.start).y * normal.y;
                    if off(position) * off(center) <= 0.0 {
                        continue;
                    }
                    let image = position - normal * (2.0 * off(position));
                    let share = off(position) / (off(position) + off(center));
                    let hit = image + (center - image) * share;
                    let place = ((hit - wall.start).x * along.x + (hit - wall.start).y * along.y) / wall.dx().hypot(wall.dy());
                    let hit_m = height_m + share * (receiver_m - height_m);
                    if !(0.0..=1.0).contains(&place) || hit_m >= building.height_m.expect("it has one") {
                        continue;
                    }
                    let legs = [([position, hit], [height_m, hit_m]), ([hit, center], [hit_m, receiver_m])];
                    if legs.iter().all(|&(points, heights_m)| is_clear(&scene.buildings, points, heights_m)) {
                        let step = center - image;
                        let length_m = space_m(step.x.hypot(step.y));
                        let cosine = (step.x * normal.x + step.y * normal.y).abs() / length_m;
                        sum += power(fresnel(Material::BRICK, true, cosine)) / (length_m * length_m);
                        reflected += 1;
                    }
                }
            }
            pixels += 1;
            differing += usize::from((found - gain_db(sum).max(-250.0)).abs() > 1e-3);
        }
        // A ray through a corner's very point may go either way.
        assert!(differing * 200 <= pixels, "seed {seed}: {differing} of {pixels} pixels differ");
    }
    assert!(reflected > 500, "{reflected} reflections");
}

#[test]
fn without_interactions_there_is_sight_alone() {
    for (seed, height_m, receiver_m) in [(11, 14.0, 1.5), (12, 1.5, 14.0), (13, 35.0, 5.0), (14, 7.0, 7.0)] {
        let scene = Scene::from_polygons(GRID, random_buildings(seed, [3.0, 22.0]));
        let prepared = PreparedScene::new(&scene);
        let (row, column) = scene.outdoor_pixels().nth(900).expect("900 outdoor pixels");
        let position = GRID.pixel_center(row, column) + Coord { x: 0.21, y: 0.13 };
        let link = ends((position.x, position.y), height_m, receiver_m);
        let options = RayOptions { interactions: 0, ..REFLECTED };
        let map = RayTracing { options }.path_gain(&prepared, &link).expect("outdoors");
        let seen = prepared.in_sight(&link);
        let pixels: Vec<usize> = scene.outdoor_pixels().map(|(row, column)| row * SIZE + column).collect();
        let differing = pixels.iter().filter(|&&pixel| seen.contains(pixel) != (map.values[pixel] > -250.0)).count();
        assert!(differing <= 2, "seed {seed}: {differing} of {} pixels", pixels.len());
    }
}

#[test]
fn among_endless_buildings_the_plane_is_left() {
    for (seed, height_m, receiver_m) in [(21, 1.5, 1.5), (22, 10.0, 1.5)] {
        let buildings = random_buildings(seed, [1e6, 1e6]);
        let scene = Scene::from_polygons(GRID, buildings);
        let (row, column) = scene.outdoor_pixels().nth(1300).expect("1300 outdoor pixels");
        let position = GRID.pixel_center(row, column);
        let link = ends((position.x, position.y), height_m, receiver_m);
        let options = RayOptions { interactions: 3, diffractions: 2, ..REFLECTED };
        let tall = traced(&scene, &link, options);
        let plane = traced(&scene, &link, RayOptions { roofs: RoofsOfRays::Endless, ..options });
        for ((center, tall), (_, plane)) in outdoor_gains(&scene, &tall).zip(outdoor_gains(&scene, &plane)) {
            assert!((tall - plane).abs() < 1e-4, "seed {seed}, {center:?}: {tall} and {plane}");
        }
    }
}

#[test]
fn a_link_is_as_good_with_its_ends_and_heights_swapped() {
    let mut pairs = 0;
    for (seed, high_m, low_m) in [(31, 12.0, 1.5), (32, 26.0, 3.0)] {
        let scene = Scene::from_polygons(GRID, random_buildings(seed, [4.0, 20.0]));
        let prepared = PreparedScene::new(&scene);
        let options = RayOptions { interactions: 3, diffractions: 2, ground: Some(Material::MEDIUM_DRY_GROUND), ..REFLECTED };
        let options = RayOptions { floor_db: -400.0, ..options };
        let outdoors: Vec<_> = scene.outdoor_pixels().collect();
        let spots: Vec<Coord<f64>> = (1..4).map(|i| outdoors[i * outdoors.len() / 4]).map(|(r, c)| GRID.pixel_center(r, c)).collect();
        let map = |spot: Coord<f64>, from_m: f64, to_m: f64| {
            RayTracing { options }.path_gain(&prepared, &ends((spot.x, spot.y), from_m, to_m)).expect("outdoors")
        };
        let maps: Vec<_> = spots.iter().map(|&spot| (map(spot, high_m, low_m), map(spot, low_m, high_m))).collect();
        for (i, a) in spots.iter().enumerate() {
            for (j, b) in spots.iter().enumerate().filter(|&(j, _)| j != i) {
                let (there, back) = (at(&maps[i].0, (b.x, b.y)), at(&maps[j].1, (a.x, a.y)));
                assert!((there - back).abs() < 1e-3, "seed {seed}: {there} and {back}");
                pairs += usize::from(there > -200.0);
            }
        }
    }
    assert!(pairs > 8, "{pairs} pairs have a path");
}

#[test]
fn nothing_jumps_as_a_transmitter_rises_past_a_roof() {
    let buildings = vec![building(rectangle(28.0, 10.0, 38.0, 54.0), 12.0)];
    let prepared = PreparedScene::new(&Scene::from_polygons(GRID, buildings));
    let options = RayOptions { interactions: 2, diffractions: 2, ..REFLECTED };
    let spots = [(40.5, 31.5), (46.5, 31.5), (60.5, 31.5), (50.5, 20.5)];
    let mut last: Option<Vec<f64>> = None;
    let mut rise_db = 0.0;
    for step in 0..=200 {
        let height_m = 10.0 + 0.1 * f64::from(step);
        let map = RayTracing { options }.path_gain(&prepared, &ends((12.5, 31.5), height_m, 1.5)).expect("outdoors");
        let here: Vec<f64> = spots.iter().map(|&spot| at(&map, spot)).collect();
        if let Some(last) = &last {
            for (spot, (now, before)) in spots.iter().zip(here.iter().zip(last)) {
                assert!((now - before).abs() < 1.0, "{spot:?} at {height_m:.1} m: {now} after {before}");
            }
            rise_db += here[2] - last[2];
        }
        last = Some(here);
    }
    assert!(rise_db > 15.0, "the far spot gained {rise_db} dB");
}

#[test]
fn walls_reflect_by_what_they_are_made_of() {
    let of = |material: Option<WallMaterial>| {
        let wall = Building { material, ..building(rectangle(-500.0, -100.0, 500.0, 20.0), 50.0) };
        let map = traced(&Scene::from_polygons(GRID, vec![wall]), &ends((10.5, 30.5), 1.5, 1.5), REFLECTED);
        10f64.powf((at(&map, (50.5, 30.5)) - gain_db(1.0)) / 10.0) - 40f64.powi(-2)
    };
    let length_m = 40f64.hypot(21.0);
    for (tag, material) in [
        (None, Material::BRICK),
        (Some("metal"), Material::METAL),
        (Some("glass"), Material::GLASS),
        (Some("wood"), Material::WOOD),
        (Some("concrete"), Material::CONCRETE),
        (Some("granite"), Material::MARBLE),
    ] {
        let expected = power(fresnel(material, true, 21.0 / length_m)) / (length_m * length_m);
        let found = of(tag.and_then(WallMaterial::from_tag));
        assert!((found / expected - 1.0).abs() < 2e-3, "{tag:?}: {found} for {expected}");
    }
}

/// As lines of transmission have it: a wall of 10 cm is a line between air and air, seen from the front.
#[test]
fn slabs_reflect_as_lines_of_transmission_do() {
    let wall = building(rectangle(-500.0, -100.0, 500.0, 20.0), 50.0);
    let scene = Scene::from_polygons(GRID, vec![wall]);
    let length_m = 40f64.hypot(21.0);
    let cosine = 21.0 / length_m;
    let mut found_db = Vec::new();
    for thickness_m in [0.01, 0.1, 0.3] {
        let options = RayOptions { thickness_m: Some(thickness_m), ..REFLECTED };
        let map = traced(&scene, &ends((10.5, 30.5), 1.5, 1.5), options);
        let found = 10f64.powf((at(&map, (50.5, 30.5)) - gain_db(1.0)) / 10.0) - 40f64.powi(-2);
        // Across the plane of incidence a medium's impedance is 1 / root, relative to the impedance of air along the normal 1 / cosine.
        let permittivity = (Material::BRICK.a, -17.98 * Material::BRICK.c * 5.9f64.powf(Material::BRICK.d) / 5.9);
        let radicand = add(permittivity, (cosine * cosine - 1.0, 0.0));
        let root = polar(power(radicand).powf(0.25), radicand.1.atan2(radicand.0) / 2.0);
        let (air, brick) = ((1.0 / cosine, 0.0), divide((1.0, 0.0), root));
        let turn = mul(root, (2.0 * PI * thickness_m / WAVELENGTH_M, 0.0));
        // tan z = (e^jz - e^-jz) / (j (e^jz + e^-jz))
        let [plus, minus] = [polar((-turn.1).exp(), turn.0), polar(turn.1.exp(), -turn.0)];
        let tangent = divide(add(plus, (-minus.0, -minus.1)), mul((0.0, 1.0), add(plus, minus)));
        let j_tangent = mul((0.0, 1.0), tangent);
        let input = mul(brick, divide(add(air, mul(brick, j_tangent)), add(brick, mul(air, j_tangent))));
        let coefficient = divide(add(input, (-air.0, -air.1)), add(input, air));
        let expected = power(coefficient) / (length_m * length_m);
        assert!((found / expected - 1.0).abs() < 2e-3, "{thickness_m} m: {found} for {expected}");
        found_db.push(10.0 * found.log10());
    }
    assert!((found_db[0] - found_db[1]).abs() > 1.0, "the thickness matters: {found_db:?}");
    let scene = PreparedScene::new(&scene);
    for thickness_m in [0.0, -1.0, 3.0, f64::NAN] {
        let options = RayOptions { thickness_m: Some(thickness_m), ..REFLECTED };
        let refused = RayTracing { options }.path_gain(&scene, &ends((10.5, 30.5), 1.5, 1.5));
        assert!(matches!(refused, Err(PropagationError::RayOptions { reason }) if reason.contains("thick")), "{thickness_m}");
    }
}

/// Terraced houses of different heights have no corner in the street below the lower roof.
#[test]
fn houses_of_a_terrace_have_no_corner_between_them() {
    let terrace = |heights_m: [f64; 3]| {
        let houses = [(10.0, 24.0), (24.0, 36.0), (36.0, 50.0)].iter().zip(heights_m);
        Scene::from_polygons(GRID, houses.map(|(&(west, east), height_m)| building(rectangle(west, 20.0, east, 30.0), height_m)).collect())
    };
    // Over roofs of 700 m hardly anything comes.
    let options = RayOptions { interactions: 2, diffractions: 2, floor_db: -180.0, ..REFLECTED };
    let link = ends((30.5, 40.5), 1.5, 1.5);
    let (level, stepped) = (terrace([900.0; 3]), terrace([900.0, 700.0, 800.0]));
    let (level_map, stepped_map) = (traced(&level, &link, options), traced(&stepped, &link, options));
    for ((center, level), (_, stepped)) in outdoor_gains(&level, &level_map).zip(outdoor_gains(&stepped, &stepped_map)) {
        assert!((level - stepped).abs() < 1e-3, "{center:?}: {level} and {stepped}");
    }
}

#[test]
fn an_antenna_stands_on_a_roof_among_real_heights_only() {
    let scene = Scene::from_polygons(GRID, vec![building(rectangle(20.0, 20.0, 40.0, 40.0), 15.0)]);
    let prepared = PreparedScene::new(&scene);
    let draw = |height_m: f64, roofs| {
        RayTracing { options: RayOptions { roofs, ..REFLECTED } }.path_gain(&prepared, &ends((30.5, 30.5), height_m, 1.5))
    };
    let map = draw(18.0, RoofsOfRays::Scene).expect("on the roof");
    assert!(at(&map, (1.5, 1.5)) == -250.0 && traced_over(&scene) > -120.0);
    for (height_m, roofs) in [(15.0, RoofsOfRays::Scene), (18.0, RoofsOfRays::Endless)] {
        assert!(matches!(draw(height_m, roofs), Err(PropagationError::Position(PositionError::Indoors { .. }))), "{height_m} m");
    }
}

/// The gain in the shadow of the transmitter's own roof, over its edge.
fn traced_over(scene: &Scene) -> f64 {
    let options = RayOptions { diffractions: 1, ..REFLECTED };
    at(&traced(scene, &ends((30.5, 30.5), 18.0, 1.5), options), (1.5, 1.5))
}

//! Exact outlines: the union of the buildings' footprints.
//!
//! In flow a scene's footprints; out flow closed rings, which become [`super::walls::Walls`]. A scene that came as a raster, and one whose
//! footprints are not what its mask says, has the mask's outlines ([`super::outline`]).

use super::outline::{outlines_for_rays, outlines_told};
use super::pixel_set::PixelSet;
use crate::scene::{Building, BuildingMask, Grid, Scene, a_pixel_of, pixels_on_walls, rasterize_outlines};
use geo::orient::Direction;
use geo::{Area, Contains, Coord, InteriorPoint, LineString, MultiPolygon, Orient, Polygon, Vector2DOps, unary_union};

/// Points nearer to each other than this, metres, or to the line between their neighbours, are one.
const SAME_POINT_M: f64 = 1e-6;
/// The share of the built pixels that footprints must agree with to stand for them.
const LEAST_AGREEMENT: f64 = 0.98;

/// Closed rings in metres with the buildings on their left, which meet at their ends only. Overlapping footprints are united;
/// footprints with a coordinate that is not finite, and those without an area, are left out.
pub fn exact_outlines(scene: &Scene) -> Vec<LineString<f64>> {
    if scene.buildings.is_empty() {
        return united(&nested(outlines_for_rays(&scene.mask, scene.grid)));
    }
    united(scene.buildings.iter().map(|building| &building.footprint).filter(|footprint| is_finite(footprint)))
}

/// The outlines of `obstacles`, the pixels whose roof is higher than `height_m`, as [`exact_outlines`] where the footprints above that
/// height are what these pixels say. A ring without any pixel's centre is no part of the map. Also says whether they tell which pixels'
/// centres are on a wall: footprints do, and a mask whose footprints were in whole pixels.
pub fn outlines_above(scene: &Scene, height_m: f64, obstacles: &BuildingMask) -> (Vec<LineString<f64>>, bool) {
    let higher = |building: &&Building| roof_m(scene, building).is_some_and(|roof_m| roof_m > height_m);
    let footprints: Vec<&Polygon<f64>> = scene.buildings.iter().filter(higher).map(|building| &building.footprint).collect();
    if footprints.is_empty() || !agree(&footprints, obstacles, scene.grid) {
        return outlines_told(obstacles, scene.grid);
    }
    let mut rings = united(footprints);
    rings.retain(|ring| a_pixel_of(scene.grid, &Polygon::new(ring.clone(), Vec::new())).is_some());
    (rings, true)
}

/// Whether the footprints are what the mask says is built.
pub fn footprints_agree(scene: &Scene) -> bool {
    let footprints: Vec<&Polygon<f64>> = scene.buildings.iter().map(|building| &building.footprint).collect();
    agree(&footprints, &scene.mask, scene.grid)
}

/// Pixels whose centre lies on a wall do not count: masks have them built or not. Where nothing else is built they do.
fn agree(footprints: &[&Polygon<f64>], mask: &BuildingMask, grid: Grid) -> bool {
    let drawn = rasterize_outlines(grid, footprints.iter().copied());
    let on_walls = PixelSet::of(grid.pixels(), pixels_on_walls(grid, footprints.iter().flat_map(|footprint| walls_of(footprint))));
    let is_built = |&pixel: &usize| mask.pixels[pixel] != 0;
    let pixels = || 0..mask.pixels.len();
    let any_off_walls = pixels().any(|pixel| is_built(&pixel) && !on_walls.contains(pixel));
    let compared = || pixels().filter(|&pixel| !any_off_walls || !on_walls.contains(pixel));
    let built = compared().filter(is_built).count();
    let differing = compared().filter(|pixel| is_built(pixel) != (drawn.pixels[*pixel] != 0)).count();
    differing as f64 <= (1.0 - LEAST_AGREEMENT) * built as f64
}

/// The height of a building's roof above the ground, metres: its own, else that of the raster at a point inside, or where that point is off
/// the map at a pixel that the building covers. `None` for a footprint that covers no pixel and has no height, and for one that is not
/// finite.
pub fn roof_m(scene: &Scene, building: &Building) -> Option<f64> {
    let roof_at = |pixel: usize| Some(scene.roofs.at(pixel)).filter(|&roof_m| roof_m > 0.0);
    let inside = || {
        let (row, column) = scene.grid.pixel_of(building.footprint.interior_point()?.0)?;
        roof_at(row * scene.grid.size + column)
    };
    let of_raster = || inside().or_else(|| roof_at(a_pixel_of(scene.grid, &building.footprint)?));
    is_finite(&building.footprint).then(|| building.stated_height_m().or_else(of_raster)).flatten()
}

fn is_finite(polygon: &Polygon<f64>) -> bool {
    rings(polygon).flat_map(LineString::coords).all(|corner| corner.is_finite())
}

fn united<'a>(polygons: impl IntoIterator<Item = &'a Polygon<f64>>) -> Vec<LineString<f64>> {
    union_of(polygons).iter().flat_map(rings).map(tidy).filter(|ring| !ring.0.is_empty()).collect()
}

/// The union of polygons whose rings may run either way, exteriors anticlockwise.
pub fn union_of<'a>(polygons: impl IntoIterator<Item = &'a Polygon<f64>>) -> MultiPolygon<f64> {
    // [`unary_union`] leaves out the polygons that run the other way than the first.
    let oriented: Vec<Polygon<f64>> = polygons.into_iter().map(|polygon| polygon.orient(Direction::Default)).collect();
    unary_union(&oriented).orient(Direction::Default)
}

pub fn rings(polygon: &Polygon<f64>) -> impl Iterator<Item = &LineString<f64>> {
    std::iter::once(polygon.exterior()).chain(polygon.interiors())
}

/// The ends of a footprint's walls, where they are finite.
pub fn walls_of(footprint: &Polygon<f64>) -> impl Iterator<Item = [Coord<f64>; 2]> {
    rings(footprint).flat_map(LineString::lines).map(|wall| [wall.start, wall.end]).filter(|ends| ends.iter().all(|end| end.is_finite()))
}

/// Polygons of rings: clockwise rings are courtyards of the smallest polygon around them.
pub fn nested(rings: Vec<LineString<f64>>) -> Vec<Polygon<f64>> {
    let rings = rings.into_iter().map(|ring| Polygon::new(ring, Vec::new()));
    let (mut polygons, courtyards): (Vec<_>, Vec<_>) = rings.partition(|ring| ring.signed_area() > 0.0);
    for courtyard in courtyards {
        let inside = |polygon: &&mut Polygon<f64>| courtyard.exterior().coords().next().is_some_and(|corner| polygon.contains(corner));
        let around = polygons.iter_mut().filter(inside).min_by(|a, b| a.unsigned_area().total_cmp(&b.unsigned_area()));
        if let Some(building) = around {
            building.interiors_push(courtyard.exterior().clone());
        }
    }
    polygons
}

/// The ring without repeated points and without points on a straight wall; empty where nothing is left.
pub fn tidy(ring: &LineString<f64>) -> LineString<f64> {
    let mut points: Vec<Coord<f64>> = ring.0[..ring.0.len().saturating_sub(1)].to_vec();
    loop {
        let count = points.len();
        let redundant = |i: usize| {
            let (before, here, after) = (points[(i + count - 1) % count], points[i], points[(i + 1) % count]);
            let (along, reach) = (after - before, here - before);
            let (length, reached) = (along.magnitude_squared().sqrt(), reach.magnitude_squared().sqrt());
            reached < SAME_POINT_M || length < SAME_POINT_M || {
                let beside = along.wedge_product(reach).abs() < SAME_POINT_M * length;
                beside && along.dot_product(reach) > 0.0 && along.dot_product(after - here) > 0.0
            }
        };
        match (0..count).find(|&i| redundant(i)) {
            Some(i) if count > 3 => points.remove(i),
            Some(_) => return LineString::new(Vec::new()),
            None => break,
        };
    }
    if points.len() < 3 {
        return LineString::new(Vec::new());
    }
    points.extend(points.first().copied());
    LineString::new(points)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::test_scenes::building;

    const GRID: Grid = Grid { size: 64, meters_per_pixel: 1.0 };

    /// A box with its south-western corner at (x, y), turned about that corner.
    fn boxed([x, y]: [f64; 2], [width, depth]: [f64; 2], turn: f64, height_m: Option<f64>) -> Building {
        let at = |along: f64, across: f64| (x + along * turn.cos() - across * turn.sin(), y + along * turn.sin() + across * turn.cos());
        building(&[at(0.0, 0.0), at(width, 0.0), at(width, depth), at(0.0, depth)], height_m)
    }

    #[test]
    fn a_mask_may_have_walls_built_or_not_but_not_what_is_inside() {
        let mut scene = Scene::from_polygons(GRID, vec![boxed([10.499, 10.499], [20.0, 16.0], 0.0, None)]);
        for pixel in pixels_on_walls(GRID, walls_of(&scene.buildings[0].footprint)) {
            scene.mask.pixels[pixel] = 1;
        }
        assert!(footprints_agree(&scene));
        scene.mask.pixels[45 * 64 + 12..45 * 64 + 29].fill(0);
        assert!(!footprints_agree(&scene));
        // A shed of which every pixel is on a wall.
        let shed = Scene::from_polygons(GRID, vec![boxed([10.499, 10.499], [1.0, 1.0], 0.0, None)]);
        assert!(footprints_agree(&shed));
        assert!(!footprints_agree(&Scene { mask: scene.mask, ..shed }));
    }

    fn outlines_of(scene: &Scene, height_m: f64) -> Vec<LineString<f64>> {
        let pixels = scene.roofs.meters().iter().map(|&roof_m| u8::from(f64::from(roof_m) > height_m)).collect();
        outlines_above(scene, height_m, &BuildingMask { size: scene.grid.size, pixels }).0
    }

    /// The pixels on the left of all rings.
    fn inside(rings: &[LineString<f64>], grid: Grid) -> Vec<u8> {
        let mut pixels = vec![0; grid.pixels()];
        for ring in rings {
            let ring = rasterize_outlines(grid, [&Polygon::new(ring.clone(), Vec::new())]);
            pixels.iter_mut().zip(&ring.pixels).for_each(|(pixel, other)| *pixel ^= other);
        }
        pixels
    }

    #[test]
    fn walls_of_footprints_anywhere_stand_between_built_and_open_pixels() {
        let mut random = fastrand::Rng::with_seed(3);
        for _ in 0..50 {
            let mut number = |from: f64, to: f64| from + (to - from) * random.f64();
            let mut buildings: Vec<Building> = (0..25)
                .map(|_| boxed([number(-5.0, 64.0), number(-5.0, 64.0)], [number(1.0, 20.0), number(0.5, 12.0)], number(0.0, 6.2), None))
                .collect();
            // Rings run either way.
            buildings.iter_mut().step_by(3).for_each(|building| building.footprint.exterior_mut(|ring| ring.0.reverse()));
            let scene = Scene::from_polygons(GRID, buildings);
            assert_eq!(inside(&outlines_of(&scene, 0.0), GRID), scene.mask.pixels);
        }
    }

    #[test]
    fn terraced_houses_are_one_outline_with_their_own_corners() {
        let houses: Vec<Building> = (0..4).map(|i| boxed([8.3 + 10.0 * f64::from(i), 12.1], [10.0, 9.4], 0.0, None)).collect();
        let rings = outlines_of(&Scene::from_polygons(GRID, houses), 0.0);
        assert_eq!(rings.len(), 1);
        let mut corners: Vec<(f64, f64)> = rings[0].coords().skip(1).map(|corner| (corner.x, corner.y)).collect();
        corners.sort_by(|a, b| a.partial_cmp(b).expect("finite"));
        let expected = [(8.3, 12.1), (8.3, 21.5), (48.3, 12.1), (48.3, 21.5)];
        assert_eq!(corners.len(), 4);
        assert!(corners.iter().zip(expected).all(|(a, b)| (a.0 - b.0).hypot(a.1 - b.1) < 1e-6), "{corners:?}");
    }

    #[test]
    fn above_low_roofs_only_the_higher_buildings_have_walls() {
        let buildings = vec![boxed([8.0, 8.0], [20.0, 20.0], 0.1, Some(6.0)), boxed([40.0, 8.0], [10.0, 30.0], 0.2, Some(30.0))];
        let scene = Scene::from_polygons(GRID, buildings);
        assert_eq!([0.0, 6.0, 30.0].map(|height_m| outlines_of(&scene, height_m).len()), [2, 1, 0]);
    }

    #[test]
    fn what_holds_no_pixel_has_no_walls() {
        // A kiosk between four centres, and a yard between four others.
        let kiosk = boxed([50.6, 50.6], [0.8, 0.8], 0.0, None);
        let house = Polygon::new(
            boxed([10.0, 10.0], [20.0, 20.0], 0.0, None).footprint.exterior().clone(),
            vec![boxed([15.6, 15.6], [0.8, 0.8], 0.0, None).footprint.exterior().clone()],
        );
        let house = Building::from(house);
        assert_eq!(outlines_of(&Scene::from_polygons(GRID, vec![kiosk, house]), 0.0).len(), 1);
    }

    #[test]
    fn a_mask_that_footprints_contradict_keeps_its_own_outlines() {
        let mut scene = Scene::from_polygons(GRID, vec![boxed([8.3, 12.1], [20.0, 20.0], 0.1, None)]);
        let other = Scene::from_polygons(GRID, vec![boxed([30.5, 12.5], [20.0, 20.0], 0.0, None)]);
        (scene.mask, scene.roofs) = (other.mask.clone(), other.roofs);
        assert_eq!(outlines_of(&scene, 0.0), outlines_told(&other.mask, GRID).0);
    }
}

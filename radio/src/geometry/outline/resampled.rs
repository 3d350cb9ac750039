//! Masks that count pixels otherwise than this library does, and the footprints that they tell.
//!
//! RadioMapSeer's footprints have whole metres, so many pixels' centres lie on a wall. Its dominant path maps count such a centre as if it
//! lay a hair to the north-east, as [`rasterize`] does; its maps of intelligent ray tracing have no value there, on any side of a
//! building, so a mask read off them is larger; and its images of buildings are lit where a footprint covers the north-eastern corner of a
//! pixel. A mask tells which of the three it is: outlines on the lattice need fewest vertices when they are sought for the right one.
//! docs/measurements/dominant-path.md has the numbers.

use super::lattice::Sampled;
use super::straight::{Piece, straightened};
use super::{Fitted, telling, trace};
use crate::geometry::footprints::{nested, walls_of};
use crate::scene::{Building, BuildingMask, Grid, Scene, pixels_on_walls, rasterize};
use geo::{Coord, LineString, Polygon, Translate};

/// A mask is taken to be sampled otherwise than at centres where its outlines then need at most this share of the vertices that they need
/// otherwise, and at most so many for each straight piece. RadioMapSeer's images need 0.58 to 0.89 and 1.2 to 1.5 at corners, masks read
/// off its ray tracing 0.57 to 0.93 and 1.1 to 1.5 with walls, one 1.8. Masks at centres need 1.03 and more; those of footprints off the
/// lattice, or read off figures, need 1.7 a piece where the share is below 1.
const FEWER_VERTICES: f64 = 0.97;
/// See [`FEWER_VERTICES`].
const MOST_VERTICES_A_PIECE: f64 = 1.6;
/// Footprints explain a mask where at most this share of its built pixels is otherwise.
const EXPLAINED: f64 = 0.02;
/// From a pixel's centre to its corner, in pixels.
const TO_CORNER: f64 = 0.5;
/// A centre on a wall counts as if it lay so far to the north-east, in pixels.
const TIE: [f64; 2] = [1e-3, 0.999e-3];
/// The ways of counting pixels that are sought.
const NOT_AT_CENTERS: [Sampled; 2] = [Sampled::CentersAndWalls, Sampled::Corners];

/// A scene whose mask was read off an image, with the footprints that such a mask tells where it counts pixels otherwise: the scene's own,
/// or where it has none the mask's outlines in whole pixels. A mask that was sampled at pixels' corners becomes that of their centres, with
/// roofs as high as the footprints say; one in which centres on walls are built stays, with its roofs. A scene whose mask is as
/// [`rasterize`] makes it stays as it is.
pub fn with_footprints_of_mask(scene: Scene) -> Scene {
    let Some((sampled, footprints)) = footprints_of_mask(&scene.mask, scene.grid, &scene.buildings) else { return scene };
    match sampled {
        Sampled::Corners => Scene { cars: scene.cars, bounds: scene.bounds, ..Scene::from_polygons(scene.grid, footprints) },
        Sampled::Centers | Sampled::CentersAndWalls => Scene { buildings: footprints, ..scene },
    }
}

/// How a mask was sampled and the footprints that explain it so: `known` ones, or where none is known the mask's outlines. `None` where
/// they explain it no better than sampled at centres, or where its outlines do not tell.
fn footprints_of_mask(mask: &BuildingMask, grid: Grid, known: &[Building]) -> Option<(Sampled, Vec<Building>)> {
    let (candidates, footprints) = if known.is_empty() {
        let (sampled, outlines) = outlines_of_mask(mask, grid)?;
        (vec![sampled], outlines)
    } else {
        (NOT_AT_CENTERS.to_vec(), known.to_vec())
    };
    let off = |sampled: Sampled| different(mask, &mask_of(grid, &footprints, sampled));
    let (off, sampled) = candidates.into_iter().map(|sampled| (off(sampled), sampled)).min_by_key(|(off, _)| *off)?;
    let off_at_centers = different(mask, &rasterize(grid, &footprints));
    let built = mask.pixels.iter().filter(|&&pixel| pixel != 0).count();
    (2 * off < off_at_centers && off as f64 <= EXPLAINED * built as f64).then_some((sampled, footprints))
}

/// The mask of footprints, sampled so.
fn mask_of(grid: Grid, footprints: &[Building], sampled: Sampled) -> BuildingMask {
    match sampled {
        Sampled::Centers => rasterize(grid, footprints),
        Sampled::CentersAndWalls => {
            let mut mask = rasterize(grid, footprints);
            for pixel in pixels_on_walls(grid, footprints.iter().flat_map(|building| walls_of(&building.footprint))) {
                mask.pixels[pixel] = 1;
            }
            mask
        }
        Sampled::Corners => {
            let to_corner = -TO_CORNER * grid.meters_per_pixel;
            rasterize(grid, &footprints.iter().map(|building| moved(building, [to_corner, to_corner])).collect::<Vec<_>>())
        }
    }
}

/// Outlines on the lattice of whole pixels, where a mask has such when it is taken to be sampled otherwise than at centres.
fn outlines_of_mask(mask: &BuildingMask, grid: Grid) -> Option<(Sampled, Vec<Building>)> {
    let traced = trace(mask);
    let fitted = |sampled: Sampled| {
        let rings: Vec<Fitted> = traced.iter().map(|ring| Fitted::new(ring.clone(), Some(sampled))).collect();
        let vertices: usize = telling(&rings).map(|fitted| needed(fitted.lattice.as_ref(), &fitted.pieces)).sum();
        (vertices, sampled, rings)
    };
    let (vertices, sampled, rings) = NOT_AT_CENTERS.map(fitted).into_iter().min_by_key(|(vertices, ..)| *vertices)?;
    let pieces: usize = telling(&rings).map(|fitted| fitted.pieces.len()).sum();
    if vertices == 0 || vertices as f64 > MOST_VERTICES_A_PIECE * pieces as f64 {
        return None;
    }
    let (at_centers, ..) = fitted(Sampled::Centers);
    if vertices as f64 > FEWER_VERTICES * at_centers as f64 {
        return None;
    }
    // Where no outline on the lattice fits, straight pieces do, which run between the pixels.
    let off = if sampled == Sampled::Corners { TO_CORNER } else { 0.0 };
    let outlines = rings.into_iter().map(|Fitted { ring, pieces, lattice }| {
        let straight = || straightened(&ring, &pieces).into_iter().map(|corner| corner + Coord { x: off, y: off }).collect();
        let corners = lattice.unwrap_or_else(straight);
        let mut ring: LineString<f64> = corners.into_iter().map(|corner| corner * grid.meters_per_pixel).collect();
        ring.close();
        ring
    });
    let [tie_x, tie_y] = TIE.map(|tie| tie * grid.meters_per_pixel);
    let building = |outline: Polygon<f64>| {
        let footprint = outline.translate(-tie_x, -tie_y);
        Building::from(footprint)
    };
    Some((sampled, nested(outlines.collect()).into_iter().map(building).collect()))
}

/// Vertices that a ring needs: twice its straight pieces where no outline on the lattice fits it.
fn needed(lattice: Option<&Vec<Coord<f64>>>, pieces: &[Piece]) -> usize {
    lattice.map_or(2 * pieces.len(), Vec::len)
}

fn moved(building: &Building, [x, y]: [f64; 2]) -> Building {
    Building { footprint: building.footprint.translate(x, y), ..building.clone() }
}

fn different(a: &BuildingMask, b: &BuildingMask) -> usize {
    a.pixels.iter().zip(&b.pixels).filter(|(a, b)| a != b).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::test_scenes::building;
    use crate::scene::GeoBounds;
    use std::f64::consts::TAU;

    const GRID: Grid = Grid { size: 128, meters_per_pixel: 1.0 };

    /// Nine turned boxes, whose corners `place` moves.
    fn boxes(random: &mut fastrand::Rng, place: impl Fn(f64) -> f64) -> Vec<Building> {
        let one = |i: u32| {
            let middle = [20.0 + 43.0 * f64::from(i % 3), 20.0 + 43.0 * f64::from(i / 3)];
            let (half, (sin, cos)) = ([8.0 + 7.0 * random.f64(), 8.0 + 7.0 * random.f64()], libm::sincos(TAU * random.f64()));
            let corner = |x: f64, y: f64| {
                let (x, y) = (half[0] * x, half[1] * y);
                (place(middle[0] + cos * x - sin * y), place(middle[1] + sin * x + cos * y))
            };
            building(&[corner(-1.0, -1.0), corner(1.0, -1.0), corner(1.0, 1.0), corner(-1.0, 1.0)], None)
        };
        (0..9).map(one).collect()
    }

    /// What a mask tells of how it was sampled, and the mask at centres of the footprints that it tells.
    fn told(mask: &BuildingMask, known: &[Building]) -> Option<(Sampled, BuildingMask)> {
        footprints_of_mask(mask, GRID, known).map(|(sampled, footprints)| (sampled, rasterize(GRID, &footprints)))
    }

    /// A place in whole pixels, a hair to the south-west as readers of such data have it.
    fn whole(at: f64) -> f64 {
        at.round() + 0.5 - 1e-3
    }

    #[test]
    fn a_mask_that_was_sampled_otherwise_is_told_by_its_outlines_and_gives_the_mask_at_centers() {
        for sampled in NOT_AT_CENTERS {
            let mut random = fastrand::Rng::with_seed(7);
            let (mut built, mut off_before, mut off_after) = (0, 0, 0);
            for _ in 0..20 {
                let buildings = boxes(&mut random, whole);
                let (centers, mask) = (rasterize(GRID, &buildings), mask_of(GRID, &buildings, sampled));
                assert!(told(&centers, &[]).is_none());
                let (found, at_centers) = told(&mask, &[]).expect("a mask that is sampled otherwise");
                assert_eq!(found, sampled);
                built += centers.pixels.iter().filter(|&&pixel| pixel != 0).count();
                off_before += different(&mask, &centers);
                off_after += different(&at_centers, &centers);
            }
            let shares = [off_before, off_after].map(|pixels| pixels as f64 / built as f64);
            assert!(
                shares[0] > 0.01 && shares[1] < shares[0] / 10.0,
                "{sampled:?}: {shares:?} of the built pixels differ before and after"
            );
        }
    }

    #[test]
    fn footprints_off_the_lattice_tell_nothing() {
        let mut random = fastrand::Rng::with_seed(8);
        for _ in 0..20 {
            let buildings = boxes(&mut random, |at| at);
            for sampled in [Sampled::Centers, Sampled::Corners] {
                assert!(told(&mask_of(GRID, &buildings, sampled), &[]).is_none());
            }
        }
    }

    #[test]
    fn known_footprints_tell_which_they_explain() {
        let mut random = fastrand::Rng::with_seed(9);
        for sampled in NOT_AT_CENTERS {
            let place = |at: f64| if sampled == Sampled::Corners { at } else { whole(at) };
            let buildings = boxes(&mut random, place);
            let (centers, mask) = (rasterize(GRID, &buildings), mask_of(GRID, &buildings, sampled));
            assert!(told(&centers, &buildings).is_none());
            assert!(told(&mask, &buildings).is_some_and(|found| found == (sampled, centers)));
            // A mask with other buildings stays as it is.
            assert!(told(&mask_of(GRID, &buildings[..5], sampled), &buildings).is_none());
        }
    }

    #[test]
    fn a_scene_keeps_a_mask_in_which_walls_are_built_and_gets_that_of_centers_for_one_of_corners() {
        let mut random = fastrand::Rng::with_seed(10);
        let buildings = boxes(&mut random, whole);
        let bounds = Some(GeoBounds { west: 11.0, south: 48.0, east: 11.1, north: 48.1 });
        let read = |sampled| with_footprints_of_mask(Scene { bounds, ..Scene::from_mask(GRID, mask_of(GRID, &buildings, sampled)) });
        let [centers, with_walls, corners] = [Sampled::Centers, Sampled::CentersAndWalls, Sampled::Corners].map(read);
        assert!(centers.buildings.is_empty() && !with_walls.buildings.is_empty() && !corners.buildings.is_empty());
        assert_eq!(with_walls.mask, mask_of(GRID, &buildings, Sampled::CentersAndWalls));
        assert!(different(&corners.mask, &centers.mask) < 20);
        assert!([centers, with_walls, corners].iter().all(|scene| scene.bounds == bounds));
    }
}

//! Masks that were not sampled where gains are.
//!
//! RadioMapSeer's images of buildings are lit where a footprint covers the north-eastern corner of a pixel, and its gains are 0 where it
//! covers the centre. Along slanted walls the two differ by a pixel. The footprints have whole metres, so an image tells which of the two
//! it is: outlines on the lattice need fewer vertices when they are sought for the right one. docs/measurements/dominant-path.md has the
//! numbers.

use super::lattice::{Sampled, lattice_corners};
use super::straight::{Piece, straightened};
use super::{Fitted, telling, trace};
use crate::geometry::footprints::nested;
use crate::scene::{Building, BuildingMask, Grid, rasterize};
use geo::{Coord, LineString, Polygon, Translate};

/// A mask is taken to be sampled at corners where its outlines then need at most this share of the vertices that they need otherwise, and
/// at most so many for each straight piece. RadioMapSeer's images need 0.58 to 0.89 and 1.2 to 1.5. Masks at centres need 1.03 and more;
/// those of footprints off the lattice, or read off figures, need 1.7 a piece where the share is below 1.
const FEWER_VERTICES: f64 = 0.97;
/// See [`FEWER_VERTICES`].
const MOST_VERTICES_A_PIECE: f64 = 1.6;
/// Footprints explain a mask where at most this share of its built pixels is otherwise.
const EXPLAINED: f64 = 0.02;
/// From a pixel's centre to its corner, in pixels.
const TO_CORNER: f64 = 0.5;
/// A centre on a wall counts as if it lay so far to the north-east, in pixels.
const TIE: [f64; 2] = [1e-3, 0.999e-3];

/// The footprints of a mask that was sampled at the corners of its pixels: `known` ones, or where none is known the mask's outlines in
/// whole pixels. `None` where they do not explain the mask better so, or where its outlines do not tell.
pub fn footprints_of_corners(mask: &BuildingMask, grid: Grid, known: &[Building]) -> Option<Vec<Building>> {
    let footprints = if known.is_empty() { outlines_at_corners(mask, grid)? } else { known.to_vec() };
    let to_corner = -TO_CORNER * grid.meters_per_pixel;
    let at_corners: Vec<Building> = footprints.iter().map(|building| moved(building, [to_corner, to_corner])).collect();
    let [off, off_at_centers] = [&at_corners, &footprints].map(|buildings| different(mask, &rasterize(grid, buildings)));
    let built = mask.pixels.iter().filter(|&&pixel| pixel != 0).count();
    (2 * off < off_at_centers && off as f64 <= EXPLAINED * built as f64).then_some(footprints)
}

/// Outlines on the lattice of whole pixels, where a mask has such when it is taken to be sampled at corners.
fn outlines_at_corners(mask: &BuildingMask, grid: Grid) -> Option<Vec<Building>> {
    let rings: Vec<Fitted> = trace(mask).into_iter().map(|ring| Fitted::new(ring, Some(Sampled::AtCorners))).collect();
    let pieces: usize = telling(&rings).map(|fitted| fitted.pieces.len()).sum();
    let vertices: usize = telling(&rings).map(|fitted| needed(fitted.lattice.as_ref(), &fitted.pieces)).sum();
    if vertices == 0 || vertices as f64 > MOST_VERTICES_A_PIECE * pieces as f64 {
        return None;
    }
    let at_centers = |fitted: &Fitted| lattice_corners(&fitted.ring, &fitted.pieces, Sampled::AtCenters);
    let others: usize = telling(&rings).map(|fitted| needed(at_centers(fitted).as_ref(), &fitted.pieces)).sum();
    if vertices as f64 > FEWER_VERTICES * others as f64 {
        return None;
    }
    let outlines = rings.into_iter().map(|Fitted { ring, pieces, lattice }| {
        let straight = || straightened(&ring, &pieces).into_iter().map(|corner| corner + Coord { x: TO_CORNER, y: TO_CORNER }).collect();
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
    Some(nested(outlines.collect()).into_iter().map(building).collect())
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

    fn at_corners(buildings: &[Building]) -> BuildingMask {
        rasterize(GRID, &buildings.iter().map(|building| moved(building, [-TO_CORNER, -TO_CORNER])).collect::<Vec<_>>())
    }

    #[test]
    fn a_mask_that_was_sampled_at_corners_is_told_by_its_outlines_and_gives_the_mask_at_centers() {
        let mut random = fastrand::Rng::with_seed(7);
        let whole = |at: f64| at.round() + 0.5 - 1e-3;
        let (mut built, mut moved_pixels, mut left) = (0, 0, 0);
        for _ in 0..20 {
            let buildings = boxes(&mut random, whole);
            let (centers, corners) = (rasterize(GRID, &buildings), at_corners(&buildings));
            assert!(footprints_of_corners(&centers, GRID, &[]).is_none());
            let found = footprints_of_corners(&corners, GRID, &[]).expect("a mask at corners");
            built += centers.pixels.iter().filter(|&&pixel| pixel != 0).count();
            moved_pixels += different(&corners, &centers);
            left += different(&rasterize(GRID, &found), &centers);
        }
        let shares = [moved_pixels, left].map(|pixels| pixels as f64 / built as f64);
        assert!(shares[0] > 0.05 && shares[1] < 0.005, "{shares:?} of the built pixels differ before and after");
    }

    #[test]
    fn footprints_off_the_lattice_tell_nothing() {
        let mut random = fastrand::Rng::with_seed(8);
        for _ in 0..20 {
            let buildings = boxes(&mut random, |at| at);
            for mask in [rasterize(GRID, &buildings), at_corners(&buildings)] {
                assert!(footprints_of_corners(&mask, GRID, &[]).is_none());
            }
        }
    }

    #[test]
    fn known_footprints_tell_which_they_explain() {
        let mut random = fastrand::Rng::with_seed(9);
        let buildings = boxes(&mut random, |at| at);
        let known = |mask: &BuildingMask| footprints_of_corners(mask, GRID, &buildings);
        assert!(known(&rasterize(GRID, &buildings)).is_none());
        assert!(known(&at_corners(&buildings)).is_some_and(|found| rasterize(GRID, &found) == rasterize(GRID, &buildings)));
        // A mask with other buildings stays as it is.
        assert!(known(&at_corners(&buildings[..5])).is_none());
    }
}

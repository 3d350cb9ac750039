//! Outlines with all corners at pixel centres. RadioMapSeer's footprints are in whole metres and its rasters count a centre on a wall by
//! one rule, so a mask tells much more than a pixel: of all outlines on this lattice, few give the same pixels.
//!
//! [`walls`] finds every wall between two lattice points that keeps a ring's pixels on their sides, by the [`directions`] that are left
//! as it goes round the ring. [`likely`] joins them to the likeliest closed outline: few corners, most of them right angles. In flow a
//! ring of pixel sides; out flow its corners. A ring that no such outline fits, as in a mask of other origin, keeps its straight pieces.

mod directions;
mod likely;
mod walls;

use super::straight::{Piece, reach};
use super::trace::Side;
use directions::{Step, TieRule, minus};
use geo::Coord;
use likely::likeliest;
use walls::LatticeWalls;

/// Longer rings, in sides, are left to the straight pieces, for the memory that all their walls would take: 1 kB a side.
const LONGEST_RING: usize = 20_000;
/// An outline may have so many corners more than the fewest that give the same pixels.
const MORE_CORNERS: u32 = 1;

/// Where a raster asks whether a pixel is built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sampled {
    Centers,
    /// At the centre, which is built also where it lies on a wall.
    CentersAndWalls,
    /// Half a pixel to the north and to the east.
    Corners,
}

impl Sampled {
    /// The step from `at` to where a pixel was sampled, in half pixels: only its direction counts.
    fn step(self, at: Step, pixel: Step) -> Step {
        let (x, y) = minus(pixel, at);
        match self {
            Self::Centers | Self::CentersAndWalls => (2 * x, 2 * y),
            Self::Corners => (2 * x + 1, 2 * y + 1),
        }
    }

    fn tie_rule(self) -> TieRule {
        if self == Self::CentersAndWalls { TieRule::Built } else { TieRule::NorthEast }
    }
}

/// Corners of the likeliest outline on the lattice of pixel centres that separates the same pixels, in pixels. `None` where there is
/// none, or where the ring is too long.
pub fn lattice_corners(ring: &[Side], pieces: &[Piece], sampled: Sampled) -> Option<Vec<Coord<f64>>> {
    if ring.len() > LONGEST_RING {
        return None;
    }
    // Where the straight runs are shortest there are the fewest places for the first corner.
    let (longest, start) = pieces.iter().map(|piece| (reach(ring, piece.start), piece.start)).min()?;
    let walls = LatticeWalls::new(ring, start, longest, sampled).pruned(MORE_CORNERS)?;
    let corners = likeliest(ring, &walls, sampled)?;
    Some(corners.into_iter().map(|(x, y)| Coord { x: x as f64 + 0.5, y: y as f64 + 0.5 }).collect())
}

#[cfg(test)]
mod tests {
    use crate::geometry::outline::outlines;
    use crate::scene::{Building, BuildingMask, Grid, rasterize};
    use geo::{Coord, LineString, Polygon, Translate};

    const GRID: Grid = Grid { size: 64, meters_per_pixel: 1.0 };
    /// How far south-west of the lattice the data's outlines are read, so that a pixel's centre on a wall is on one side of it.
    const TIE_M: [f64; 2] = [-1e-3, -0.999e-3];

    /// The mask of an outline on the lattice, by the data's rule.
    fn mask_of(ring: LineString<f64>) -> BuildingMask {
        let footprint = Polygon::new(ring, Vec::new()).translate(TIE_M[0], TIE_M[1]);
        rasterize(GRID, &[Building::from(footprint)])
    }

    /// A box, or two that make an L, turned, with corners rounded to the lattice.
    fn random_building(random: &mut fastrand::Rng) -> LineString<f64> {
        let (width, depth) = (10.0 + 20.0 * random.f64(), 10.0 + 20.0 * random.f64());
        let (x, y) = (width * (0.35 + 0.3 * random.f64()), depth * (0.35 + 0.3 * random.f64()));
        let corners = match random.bool() {
            true => vec![(0.0, 0.0), (width, 0.0), (width, depth), (0.0, depth)],
            false => vec![(0.0, 0.0), (width, 0.0), (width, y), (x, y), (x, depth), (0.0, depth)],
        };
        let (sin, cos) = libm::sincos(std::f64::consts::TAU * random.f64());
        let turned = |(x, y): (f64, f64)| {
            let (x, y) = (x - width / 2.0, y - depth / 2.0);
            Coord { x: (32.0 + cos * x - sin * y).round() + 0.5, y: (32.0 + sin * x + cos * y).round() + 0.5 }
        };
        Polygon::new(corners.into_iter().map(turned).collect(), Vec::new()).exterior().clone()
    }

    #[test]
    fn most_corners_in_whole_metres_come_back_from_their_raster_and_every_pixel_does() {
        let mut random = fastrand::Rng::with_seed(1);
        let (mut corners, mut exact, mut spurious) = (0, 0, 0);
        for _ in 0..300 {
            let ring = random_building(&mut random);
            let mask = mask_of(ring.clone());
            let found = outlines(&mask, GRID);
            assert_eq!(found.len(), 1);
            assert!(mask_of(found[0].clone()) == mask, "{ring:?} came back as {:?}", found[0]);
            let (truth, found) = (&ring.0[1..], &found[0].0[1..]);
            corners += truth.len();
            exact += truth.iter().filter(|corner| found.contains(corner)).count();
            spurious += found.len().saturating_sub(truth.len());
        }
        let shares = [exact, spurious].map(|count| count as f64 / corners as f64);
        assert!(shares[0] > 0.8 && shares[1] < 0.01, "{shares:?} of {corners} corners are exact and too many");
    }
}

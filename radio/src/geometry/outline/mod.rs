//! The outlines of what is built, read off a building mask: for scenes that came as a raster, whose footprints nobody knows.
//!
//! They are good to a pixel, and mostly exact where footprints had whole metres. In flows the mask; out flow closed rings.
//!
//! [`trace`] follows the boundary pixel by pixel and [`straight`] fits straight pieces. [`lattice`] finds the corners among pixel centres;
//! where it fails, or needs too many corners for a raster whose footprints had them there, [`centers`] moves those of the straight pieces.
//! [`resampled`] tells masks that count pixels otherwise than gains are: half a pixel away, or with those on walls.

mod centers;
mod lattice;
mod resampled;
mod straight;
mod trace;

use crate::scene::{BuildingMask, Grid};
use centers::snapped_to_centers;
use geo::{Coord, LineString};
use lattice::{Sampled, lattice_corners};
pub use resampled::with_footprints_of_mask;
use straight::{Piece, pieces, straightened};
use trace::{Side, trace};

/// Rings of so many sides tell whether corners are on the lattice.
const TELLING_SIDES: usize = 30;
/// So many more corners than straight pieces are taken for chance, as a share or in all. docs/measurements/dominant-path.md
/// has the numbers of RadioMapSeer's maps and of others.
const MORE_ON_LATTICE: f64 = 0.4;
const FEW_CORNERS: usize = 2;

/// Closed rings in metres with the buildings on their left: outer rings run counter-clockwise, courtyards clockwise. Buildings that
/// touch at a pixel's corner are one.
pub fn outlines(mask: &BuildingMask, grid: Grid) -> Vec<LineString<f64>> {
    outlines_told(mask, grid).0
}

/// As [`outlines`], and whether the mask says that its footprints were in whole pixels.
pub fn outlines_told(mask: &BuildingMask, grid: Grid) -> (Vec<LineString<f64>>, bool) {
    rings(mask, grid, Corners::OnLattice)
}

/// As [`outlines`], for rays, whose walls are not inset: corners are not sought on the lattice, whose walls run through the centres of
/// outdoor pixels, where antennas stand and rays end.
pub fn outlines_for_rays(mask: &BuildingMask, grid: Grid) -> Vec<LineString<f64>> {
    rings(mask, grid, Corners::AtCenters).0
}

/// As [`outlines`], with corners where straight pieces meet: of rasters whose footprints had theirs anywhere, such as laser scans.
pub fn straight_outlines(mask: &BuildingMask, grid: Grid) -> Vec<LineString<f64>> {
    rings(mask, grid, Corners::Anywhere).0
}

/// Where a raster's footprints had their corners.
#[derive(Clone, Copy, PartialEq)]
enum Corners {
    /// Among pixel centres, where enough of the rings say so, else as [`Self::AtCenters`].
    OnLattice,
    /// At pixel centres, where the outline still separates the same pixels.
    AtCenters,
    Anywhere,
}

fn rings(mask: &BuildingMask, grid: Grid, corners_are: Corners) -> (Vec<LineString<f64>>, bool) {
    let sampled = (corners_are == Corners::OnLattice).then_some(Sampled::Centers);
    let rings: Vec<Fitted> = trace(mask).into_iter().map(|ring| Fitted::new(ring, sampled)).collect();
    let on_lattice = corners_are == Corners::OnLattice && is_on_lattice(&rings);
    let outlines = rings
        .into_iter()
        .map(|Fitted { ring, pieces, lattice }| {
            let lattice = lattice.filter(|_| on_lattice);
            let mut corners = lattice.unwrap_or_else(|| {
                let straight = straightened(&ring, &pieces);
                if corners_are == Corners::Anywhere { straight } else { snapped_to_centers(&ring, &pieces, &straight) }
            });
            // Straight pieces may leave a sliver or nothing of a few pixels; such rings keep their pixel sides.
            let pixels = area(&ring.iter().map(|side| side.at()).collect::<Vec<_>>());
            if area(&corners) / pixels < 0.5 {
                corners = (0..ring.len())
                    .filter(|&i| ring[i].direction != ring[(i + ring.len() - 1) % ring.len()].direction)
                    .map(|i| ring[i].at())
                    .collect();
            }
            let mut points: Vec<Coord<f64>> = corners.into_iter().map(|p| p * grid.meters_per_pixel).collect();
            points.dedup();
            while points.len() > 1 && points.first() == points.last() {
                points.pop();
            }
            points.extend(points.first().copied());
            LineString::new(points)
        })
        .collect();
    (outlines, on_lattice)
}

/// A ring with its straight pieces and its corners on the lattice, where they were sought and found.
struct Fitted {
    ring: Vec<Side>,
    pieces: Vec<Piece>,
    lattice: Option<Vec<Coord<f64>>>,
}

impl Fitted {
    fn new(ring: Vec<Side>, sampled: Option<Sampled>) -> Self {
        let pieces = pieces(&ring);
        let lattice = sampled.and_then(|sampled| lattice_corners(&ring, &pieces, sampled));
        Self { ring, pieces, lattice }
    }
}

/// The rings that tell whether corners are on the lattice.
fn telling(rings: &[Fitted]) -> impl Iterator<Item = &Fitted> {
    rings.iter().filter(|fitted| fitted.ring.len() >= TELLING_SIDES)
}

/// Whether a raster's footprints had their corners on the lattice: then the lattice needs few corners more than straight pieces need.
fn is_on_lattice(rings: &[Fitted]) -> bool {
    let counts = telling(rings).filter_map(|fitted| Some([fitted.lattice.as_ref()?.len(), fitted.pieces.len()]));
    let [corners, pieces] = counts.fold([0, 0], |sum, count| [sum[0] + count[0], sum[1] + count[1]]);
    corners <= pieces + FEW_CORNERS || corners as f64 <= pieces as f64 * (1.0 + MORE_ON_LATTICE)
}

/// Signed area of a polygon, negative where it runs clockwise.
fn area(ring: &[Coord<f64>]) -> f64 {
    (0..ring.len()).map(|i| (ring[i], ring[(i + 1) % ring.len()])).map(|(a, b)| (a.x * b.y - b.x * a.y) / 2.0).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::test_scenes::building;
    use crate::scene::rasterize;

    const GRID: Grid = Grid { size: 64, meters_per_pixel: 1.0 };

    /// The corners of the outline of `corners`, rasterised and forgotten, in ascending order.
    fn outline_of(corners: &[(f64, f64)]) -> Vec<(f64, f64)> {
        let mask = rasterize(GRID, &[building(corners, None)]);
        let rings = outlines(&mask, GRID);
        assert_eq!(rings.len(), 1);
        let mut found: Vec<(f64, f64)> = rings[0].coords().skip(1).map(|p| (p.x, p.y)).collect();
        found.sort_by(|a, b| a.partial_cmp(b).expect("finite"));
        found
    }

    #[test]
    fn footprints_in_whole_metres_come_back_from_their_raster() {
        for corners in [
            vec![(10.5, 10.5), (10.5, 30.5), (26.5, 30.5), (26.5, 10.5)],
            vec![(8.5, 12.5), (14.5, 44.5), (34.5, 40.5), (28.5, 8.5)],
            vec![(10.5, 10.5), (10.5, 40.5), (20.5, 40.5), (20.5, 22.5), (44.5, 22.5), (44.5, 10.5)],
        ] {
            assert_eq!(outline_of(&corners), corners_ascending(&corners));
        }
    }

    fn corners_ascending(corners: &[(f64, f64)]) -> Vec<(f64, f64)> {
        let mut sorted = corners.to_vec();
        sorted.sort_by(|a, b| a.partial_cmp(b).expect("finite"));
        sorted
    }

    #[test]
    fn touching_overlapping_and_nested_footprints_are_one_outline() {
        let boxed = |x: f64, y: f64, w: f64, h: f64| building(&[(x, y), (x + w, y), (x + w, y + h), (x, y + h)], None);
        let buildings =
            [boxed(10.0, 10.0, 10.0, 10.0), boxed(20.0, 10.0, 10.0, 10.0), boxed(15.0, 12.0, 20.0, 5.0), boxed(12.0, 12.0, 4.0, 4.0)];
        assert_eq!(outlines(&rasterize(GRID, &buildings), GRID).len(), 1);
        // At a corner too.
        let corners = [boxed(10.0, 10.0, 10.0, 10.0), boxed(20.0, 20.0, 10.0, 10.0)];
        assert_eq!(outlines(&rasterize(GRID, &corners), GRID).len(), 1);
    }

    #[test]
    fn a_courtyard_has_an_outline_the_other_way_round() {
        let mut mask = rasterize(GRID, &[building(&[(10.0, 10.0), (40.0, 10.0), (40.0, 40.0), (10.0, 40.0)], None)]);
        for row in 34..44 {
            mask.pixels[row * 64 + 20..row * 64 + 30].fill(0);
        }
        let mut areas: Vec<f64> = outlines(&mask, GRID).iter().map(|ring| area(&ring.0[1..])).collect();
        areas.sort_by(f64::total_cmp);
        assert!((areas[0] + 100.0).abs() < 25.0 && (areas[1] - 900.0).abs() < 65.0, "{areas:?}");
    }

    #[test]
    fn the_smallest_buildings_have_walls() {
        for (width, height) in [(1, 1), (2, 1), (1, 3), (2, 2), (3, 2)] {
            let mut mask = BuildingMask { size: 64, pixels: vec![0; 64 * 64] };
            for row in 20..20 + height {
                mask.pixels[row * 64 + 30..row * 64 + 30 + width].fill(1);
            }
            let rings = outlines(&mask, GRID);
            assert_eq!(rings.len(), 1);
            let found = area(&rings[0].coords().skip(1).copied().collect::<Vec<_>>());
            let pixels = (width * height) as f64;
            assert!(found >= 0.5 * pixels && found <= 2.0 * pixels + 1.0, "{width} x {height}: {found}");
        }
    }

    #[test]
    fn noise_is_outlined_too() {
        let pixels = (0..64u64 * 64).map(|i| u8::from(i.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 62 == 0)).collect();
        let mask = BuildingMask { size: 64, pixels };
        assert!(outlines(&mask, GRID).iter().flat_map(|ring| ring.coords()).all(|p| p.x.is_finite() && p.y.is_finite()));
    }
}

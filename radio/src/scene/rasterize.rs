//! Polygons to pixels: a pixel is a building's when its centre lies inside one.
//!
//! Within a polygon, the even-odd rule decides, so holes are holes; over polygons, the union counts. Edges are half-open: a centre on a
//! left or lower edge is inside, one on a right or upper edge outside. Polygons that share an edge thus neither overlap nor leave a gap.
//! [`pixels_on_walls`] finds the centres on edges, for those who count them otherwise.

use super::{Building, BuildingMask, Grid};
use geo::{Coord, LineString, Polygon};
use std::ops::Range;

/// A centre so near to a wall is on it, in pixels. Readers of data in whole metres move walls by a thousandth of a metre along both axes,
/// which is less where a pixel is two thirds of a metre or more.
pub(crate) const ON_WALL_PIXELS: f64 = 3e-3;

/// The mask of `buildings` on `grid`.
pub fn rasterize(grid: Grid, buildings: &[Building]) -> BuildingMask {
    rasterize_outlines(grid, buildings.iter().map(|building| &building.footprint))
}

/// The mask of outlines of any kind.
pub(crate) fn rasterize_outlines<'a>(grid: Grid, outlines: impl IntoIterator<Item = &'a Polygon<f64>>) -> BuildingMask {
    let mut mask = BuildingMask { size: grid.size, pixels: vec![0; grid.pixels()] };
    for outline in outlines {
        paint(grid, outline, |pixels| mask.pixels[pixels].fill(1));
    }
    mask
}

/// The pixels whose centre lies on a wall, by row-major indices, perhaps more than once. Walls are given by their ends, in metres.
pub(crate) fn pixels_on_walls(grid: Grid, walls: impl IntoIterator<Item = [Coord<f64>; 2]>) -> Vec<usize> {
    let mut found = Vec::new();
    for ends in walls {
        // From the middle of the north-western pixel, in pixels to the east and to the south.
        let [from, to] = ends.map(|end| end / grid.meters_per_pixel).map(|end| [end.x - 0.5, grid.size as f64 - end.y - 0.5]);
        let along = usize::from((to[1] - from[1]).abs() > (to[0] - from[0]).abs());
        let across = 1 - along;
        let slope = (to[across] - from[across]) / (to[along] - from[along]);
        let (low, high) = (from[along].min(to[along]) - ON_WALL_PIXELS, from[along].max(to[along]) + ON_WALL_PIXELS);
        let most = grid.size as f64 - 1.0;
        // An empty range where a wall is off the map, one place where it has no length.
        let (first, last) = (low.ceil().max(0.0), high.floor().min(most));
        let mut place = first;
        while place <= last {
            let beside = if from[along] == to[along] { from[across] } else { from[across] + slope * (place - from[along]) };
            let nearest = beside.round();
            if (beside - nearest).abs() <= ON_WALL_PIXELS && (0.0..=most).contains(&nearest) {
                let [column, row] = if along == 0 { [place, nearest] } else { [nearest, place] };
                found.push(row as usize * grid.size + column as usize);
            }
            place += 1.0;
        }
    }
    found
}

/// A pixel whose centre lies inside a polygon, by its row-major index.
pub(crate) fn a_pixel_of(grid: Grid, polygon: &Polygon<f64>) -> Option<usize> {
    let mut found = None;
    paint(grid, polygon, |pixels| found = found.or(Some(pixels.start)));
    found
}

fn rings(polygon: &Polygon<f64>) -> impl Iterator<Item = &LineString<f64>> {
    std::iter::once(polygon.exterior()).chain(polygon.interiors())
}

/// Calls `fill` with each run of pixels inside a polygon, by row-major indices.
pub(super) fn paint(grid: Grid, polygon: &Polygon<f64>, mut fill: impl FnMut(Range<usize>)) {
    let mut crossings = Vec::new();
    let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
    for point in polygon.exterior().coords() {
        low = low.min(point.y);
        high = high.max(point.y);
    }
    for row in 0..grid.size {
        let y = grid.pixel_center(row, 0).y;
        if y < low || y > high {
            continue;
        }
        crossings.clear();
        for line in rings(polygon).flat_map(LineString::lines) {
            let (a, b) = (line.start, line.end);
            if (a.y <= y) != (b.y <= y) {
                crossings.push(a.x + (y - a.y) / (b.y - a.y) * (b.x - a.x));
            }
        }
        crossings.sort_by(f64::total_cmp);
        for pair in crossings.chunks_exact(2) {
            // The first and one past the last column whose centre is in [from, to).
            let column = |x: f64| (x / grid.meters_per_pixel - 0.5).ceil().clamp(0.0, grid.size as f64) as usize;
            let (from, to) = (column(pair[0]), column(pair[1]));
            if from < to {
                fill(row * grid.size + from..row * grid.size + to);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on(ends: [(f64, f64); 2]) -> Vec<usize> {
        pixels_on_walls(Grid { size: 8, meters_per_pixel: 1.0 }, [ends.map(Coord::from)])
    }

    #[test]
    fn centers_on_walls_are_found_whichever_way_walls_run() {
        assert_eq!(on([(1.5, 1.5), (5.5, 1.5)]), [49, 50, 51, 52, 53]);
        assert_eq!(on([(1.5, 1.5), (5.5, 3.5)]), [49, 43, 37]);
        assert_eq!(on([(2.5, 6.5), (2.5, 4.5)]), [10, 18, 26]);
        assert_eq!(on([(1.499, 5.499), (5.499, 1.499)]).len(), 5, "a thousandth away along both axes");
        assert!(on([(1.0, 1.0), (5.0, 1.0)]).is_empty());
    }

    #[test]
    fn odd_walls_are_harmless() {
        assert_eq!(on([(-1e9, 1.5), (1e9, 1.5)]), (48..56).collect::<Vec<_>>());
        assert_eq!(on([(3.5, 3.5); 2]), [35]);
        assert!(on([(f64::NAN, 1.5), (f64::NAN, 3.5)]).is_empty() && on([(20.5, 1.5), (30.5, 1.5)]).is_empty());
        assert!(pixels_on_walls(Grid { size: 0, meters_per_pixel: 1.0 }, [[Coord::default(); 2]]).is_empty());
    }
}

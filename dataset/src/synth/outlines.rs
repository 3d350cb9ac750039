//! Cutting footprints to a map: overlapping ones are joined, parts beyond the edge are cut off, and crumbs are left out.

use geo::{Area, BooleanOps, Coord, MultiPolygon, Polygon, Rect};
use radiodiff_radio::geometry::union_of;
use radiodiff_radio::scene::{Building, Grid};

/// Smaller buildings are posts and kiosks; smaller courtyards are shafts and gaps between walls that nearly touch.
const SMALLEST_BUILDING_M2: f64 = 6.0;
const SMALLEST_COURTYARD_M2: f64 = 9.0;

/// The buildings of a map, none overlapping another.
pub fn on_the_map(footprints: &[Polygon<f64>], grid: Grid) -> Vec<Building> {
    let extent = grid.extent_m();
    let map = Rect::new(Coord { x: 0.0, y: 0.0 }, Coord { x: extent, y: extent }).to_polygon();
    let joined: MultiPolygon<f64> = union_of(footprints).intersection(&map);
    let large = |polygon: &Polygon<f64>| polygon.unsigned_area() >= SMALLEST_BUILDING_M2;
    let building = |polygon: Polygon<f64>| {
        let (exterior, courtyards) = polygon.into_inner();
        let large = |ring: &geo::LineString<f64>| Polygon::new(ring.clone(), Vec::new()).unsigned_area() >= SMALLEST_COURTYARD_M2;
        let footprint = Polygon::new(exterior, courtyards.into_iter().filter(large).collect());
        Building::from(footprint)
    };
    joined.into_iter().filter(large).map(building).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rectangle(x: f64, y: f64, width: f64, height: f64) -> Polygon<f64> {
        Rect::new(Coord { x, y }, Coord { x: x + width, y: y + height }).to_polygon()
    }

    #[test]
    fn walls_are_joined_round_a_courtyard_and_cut_at_the_edge() {
        let block = [rectangle(10.0, 10.0, 40.0, 12.0), rectangle(10.0, 38.0, 40.0, 12.0), rectangle(10.0, 10.0, 12.0, 40.0)];
        let closed = rectangle(38.0, 10.0, 12.0, 40.0);
        let beyond = rectangle(250.0, 100.0, 20.0, 20.0);
        let crumb = rectangle(200.0, 200.0, 2.0, 2.0);
        let found = on_the_map(&[&block[..], &[closed, beyond, crumb]].concat(), Grid::default());
        let mut areas: Vec<f64> = found.iter().map(|b| b.footprint.unsigned_area()).collect();
        areas.sort_by(f64::total_cmp);
        assert_eq!(areas, [120.0, 1600.0 - 256.0]);
    }
}

//! The rasteriser against an independent point-in-polygon test.

use geo::{Contains, Coord, Intersects, LineString, Point, Polygon};
use radiodiff_radio::scene::{Building, Grid, Scene};

/// A star-shaped outline around (x, y), whose radii come from `radii`.
fn star(x: f64, y: f64, radii: &[f64]) -> LineString<f64> {
    let point = |(i, radius): (usize, &f64)| {
        let angle = std::f64::consts::TAU * i as f64 / radii.len() as f64;
        Coord { x: x + radius * angle.cos(), y: y + radius * angle.sin() }
    };
    radii.iter().enumerate().map(point).collect()
}

#[test]
fn a_pixel_is_building_exactly_when_its_centre_is_inside() {
    for (size, meters_per_pixel) in [(64, 1.0), (50, 0.5), (40, 2.5)] {
        let grid = Grid { size, meters_per_pixel };
        let extent = grid.extent_m();
        for case in 0..12 {
            let mut source = fastrand::Rng::with_seed(40 * case as u64 + size as u64);
            let random: Vec<f64> = (0..40).map(|_| source.f64()).collect();
            // Some outlines reach over the map's edge, all have a hole.
            let (x, y) = (random[0] * extent, random[1] * extent);
            let radii: Vec<f64> = random[2..20].iter().map(|r| (0.15 + 0.35 * r) * extent).collect();
            let hole = star(x, y, &[0.08 * extent; 7]);
            let footprint = Polygon::new(star(x, y, &radii), vec![hole]);
            let building = Building::from(footprint.clone());
            let mask = Scene::from_polygons(grid, vec![building]).mask;
            for row in 0..size {
                for column in 0..size {
                    let center = Point::from(grid.pixel_center(row, column));
                    let on_edge = footprint.exterior().intersects(&center) || footprint.interiors()[0].intersects(&center);
                    let inside = footprint.contains(&center);
                    assert!(on_edge || mask.is_building(row, column) == inside, "case {case}, size {size}: pixel ({row}, {column})");
                }
            }
        }
    }
}

#[test]
fn row_0_is_north_and_column_0_is_west() {
    let grid = Grid::default();
    assert_eq!(grid.pixel_of(Coord { x: 0.5, y: 255.5 }), Some((0, 0)));
    assert_eq!(grid.pixel_of(Coord { x: 255.5, y: 0.5 }), Some((255, 255)));
    assert_eq!(grid.pixel_of(Coord { x: 256.0, y: 0.5 }), None);
    let center = grid.pixel_center(10, 20);
    assert_eq!((center.x, center.y), (20.5, 245.5));
}

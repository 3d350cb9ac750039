//! Candidates spread evenly over a scene.

use geo::Coord;
use radiodiff_radio::scene::{BuildingMask, Grid};

/// Outdoor places in metres, one in every square of `spacing_m`: its middle where that is outdoors, else the outdoor pixel of the square
/// that is nearest to the middle. Squares without an outdoor pixel have none. Ordered from north to south, then west to east.
pub fn candidate_places(grid: Grid, mask: &BuildingMask, spacing_m: f64) -> Vec<Coord<f64>> {
    let pixels = ((spacing_m / grid.meters_per_pixel).round() as usize).clamp(1, grid.size);
    let starts = || (0..grid.size).step_by(pixels);
    starts().flat_map(|row| starts().filter_map(move |column| place_in_square(grid, mask, row, column, pixels))).collect()
}

fn place_in_square(grid: Grid, mask: &BuildingMask, top: usize, left: usize, pixels: usize) -> Option<Coord<f64>> {
    let (bottom, right) = ((top + pixels).min(grid.size), (left + pixels).min(grid.size));
    // Doubled, so that the middle of an even square is whole.
    let (middle_row, middle_column) = (top + bottom - 1, left + right - 1);
    let away = |&(row, column): &(usize, usize)| (2 * row).abs_diff(middle_row).pow(2) + (2 * column).abs_diff(middle_column).pow(2);
    let square = (top..bottom).flat_map(|row| (left..right).map(move |column| (row, column)));
    let (row, column) = square.filter(|&(row, column)| !mask.is_building(row, column)).min_by_key(away)?;
    Some(grid.pixel_center(row, column))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn candidates_stand_outdoors_one_a_square() {
        let grid = Grid { size: 12, meters_per_pixel: 2.0 };
        let mut mask = BuildingMask { size: 12, pixels: vec![0; 144] };
        // The north-western square of 4 x 4 pixels is built, and of the square beside it all but one corner.
        for (row, column) in (0..4).flat_map(|row| (0..8).map(move |column| (row, column))).filter(|&pixel| pixel != (3, 7)) {
            mask.pixels[row * 12 + column] = 1;
        }
        let places = candidate_places(grid, &mask, 8.0);
        assert_eq!(places.len(), 8);
        assert_eq!(places[0], grid.pixel_center(3, 7));
        assert!(places.iter().all(|&place| grid.pixel_of(place).is_some_and(|(row, column)| !mask.is_building(row, column))));
        assert_eq!(candidate_places(grid, &mask, 0.0).len(), 144 - 31);
        assert_eq!(candidate_places(grid, &BuildingMask { size: 12, pixels: vec![1; 144] }, 8.0), []);
    }
}

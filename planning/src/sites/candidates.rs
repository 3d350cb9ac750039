//! Candidates spread evenly over a scene, and which of given ones are on its map.

use geo::Coord;
use radiodiff_radio::scene::{BuildingMask, Grid, LocalFrame};

/// A warning names so many of the candidates that it is about.
const MOST_NAMED: usize = 5;

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

/// Which candidates are on a map, by their numbers from 0.
pub struct CandidatesOnMap {
    pub on_map: Vec<usize>,
    pub off_map: Vec<usize>,
    /// That those off the map are left out.
    pub warning: Option<String>,
}

/// Tells the candidates (longitude and latitude in degrees) on the map from those off it.
pub fn candidates_on_map(places: &[Coord<f64>], grid: Grid, frame: &LocalFrame) -> CandidatesOnMap {
    let is_on_map = |&number: &usize| grid.pixel_of(frame.to_meters(places[number])).is_some();
    let (on_map, off_map): (Vec<usize>, Vec<usize>) = (0..places.len()).partition(is_on_map);
    let place = |&number: &usize| format!("{},{}", places[number].x, places[number].y);
    let mut named: Vec<String> = off_map.iter().take(MOST_NAMED).map(place).collect();
    if off_map.len() > MOST_NAMED {
        named.push(format!("{} more", off_map.len() - MOST_NAMED));
    }
    let warning = || format!("{} of {} candidates lie off the map and are not used: {}.", off_map.len(), places.len(), named.join("; "));
    let warning = (!off_map.is_empty()).then(warning);
    CandidatesOnMap { on_map, off_map, warning }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn candidates_off_the_map_are_named() {
        let (grid, place) = (Grid { size: 100, meters_per_pixel: 1.0 }, |lng| Coord { x: lng, y: 50.0 });
        let frame = LocalFrame::centered(place(9.0), grid);
        let split = |longitudes: &[f64]| {
            let CandidatesOnMap { on_map, off_map, warning } =
                candidates_on_map(&longitudes.iter().copied().map(place).collect::<Vec<_>>(), grid, &frame);
            (on_map, off_map, warning)
        };
        assert_eq!(split(&[9.0]), (vec![0], vec![], None));
        let (on, off, warning) = split(&[8.5, 9.0, 9.5, 9.0001]);
        assert_eq!((on, off), (vec![1, 3], vec![0, 2]));
        assert_eq!(warning.as_deref(), Some("2 of 4 candidates lie off the map and are not used: 8.5,50; 9.5,50."));
        let (_, _, warning) = split(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]);
        assert!(warning.is_some_and(|words| words.ends_with("not used: 1,50; 2,50; 3,50; 4,50; 5,50; 2 more.")));
        assert_eq!(split(&[]), (vec![], vec![], None));
    }

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

//! Maps without lines a pixel wide where the transmitter is not in sight.
//!
//! Paths turn at pixels, so that their fans end in lines a pixel or two wide, whose place is known to a pixel at best. In flow a map and
//! the pixels in sight, which follow the law exactly and stay; out flow the others as the median of the 3 x 3 pixels around, which
//! leaves edges where they are. docs/measurements/dominant-path.md has what it is worth.

use crate::arithmetic::{larger, smaller};
use crate::geometry::pixel_set::PixelSet;

/// The median of each pixel out of sight and its outdoor neighbours, the upper one of two, row-major (N, N); NaN in buildings.
pub fn median_out_of_sight(values: &[f32], size: usize, in_sight: &PixelSet) -> Vec<f32> {
    let mut medians = values.to_vec();
    // Of the three pixels of a column around a row: the least, the middle and the greatest, and whether one is in a building.
    let (mut sorted, mut indoors) = (vec![[0.0; 3]; size], vec![false; size]);
    for row in 0..size {
        let inner_row = row > 0 && row + 1 < size;
        if inner_row {
            let [above, here, below] = [row - 1, row, row + 1].map(|row| &values[row * size..][..size]);
            for (column, (sorted, indoors)) in sorted.iter_mut().zip(&mut indoors).enumerate() {
                let (a, b, c) = (above[column], here[column], below[column]);
                *sorted = [smaller(smaller(a, b), c), middle(a, b, c), larger(larger(a, b), c)];
                *indoors = (a + b + c).is_nan();
            }
        }
        for column in 0..size {
            let pixel = row * size + column;
            if in_sight.contains(pixel) || values[pixel].is_nan() {
                continue;
            }
            let open = inner_row && column > 0 && column + 1 < size && !indoors[column - 1..column + 2].contains(&true);
            medians[pixel] = if open {
                // The middle of the greatest of the least, the middle of the middles and the least of the greatest.
                let [[a, d, g], [b, e, h], [c, f, i]] = [sorted[column - 1], sorted[column], sorted[column + 1]];
                middle(larger(larger(a, b), c), middle(d, e, f), smaller(smaller(g, h), i))
            } else {
                median_around(values, size, (row, column))
            };
        }
    }
    medians
}

/// The median of the outdoor pixels around one, at the map's edge and beside buildings.
fn median_around(values: &[f32], size: usize, (row, column): (usize, usize)) -> f32 {
    let (mut around, mut count) = ([0.0; 9], 0);
    for row in row.saturating_sub(1)..(row + 2).min(size) {
        for &value in &values[row * size + column.saturating_sub(1)..row * size + (column + 2).min(size)] {
            if value.is_nan() {
                continue;
            }
            // Into its place among the ones before.
            let mut place = count;
            while place > 0 && around[place - 1] > value {
                around[place] = around[place - 1];
                place -= 1;
            }
            around[place] = value;
            count += 1;
        }
    }
    // Two alone say nothing of which is the lone one.
    if count < 3 { values[row * size + column] } else { around[count / 2] }
}

fn middle(a: f32, b: f32, c: f32) -> f32 {
    larger(smaller(a, b), smaller(larger(a, b), c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_are_those_of_sorted_windows() {
        let mut random = fastrand::Rng::with_seed(5);
        for size in [1, 2, 3, 24] {
            let indoors = if size == 24 { 40 } else { 120 };
            let values: Vec<f32> = (0..size * size).map(|_| if random.u8(..) < indoors { f32::NAN } else { random.f32() }).collect();
            let seen = PixelSet::of(values.len(), (0..values.len()).filter(|pixel| pixel % 7 == 3));
            let found = median_out_of_sight(&values, size, &seen);
            for (pixel, value) in found.iter().enumerate() {
                let near = |other: &usize| (other / size).abs_diff(pixel / size) <= 1 && (other % size).abs_diff(pixel % size) <= 1;
                let mut around: Vec<f32> =
                    (0..values.len()).filter(near).map(|other| values[other]).filter(|value| !value.is_nan()).collect();
                around.sort_unstable_by(f32::total_cmp);
                let stays = seen.contains(pixel) || values[pixel].is_nan() || around.len() < 3;
                let expected = if stays { values[pixel] } else { around[around.len() / 2] };
                assert_eq!(value.to_bits(), expected.to_bits(), "pixel {pixel} of {size} x {size}");
            }
        }
    }

    #[test]
    fn a_line_goes_and_an_edge_stays() {
        let size = 16;
        let line: Vec<f32> = (0..size * size).map(|pixel| if pixel % size == 8 { -60.0 } else { -90.0 }).collect();
        let edge: Vec<f32> = (0..size * size).map(|pixel| if pixel % size < 8 { -60.0 } else { -90.0 }).collect();
        let none = PixelSet::of(line.len(), []);
        assert!(median_out_of_sight(&line, size, &none).iter().all(|&value| value == -90.0));
        assert_eq!(median_out_of_sight(&edge, size, &none), edge);
    }
}

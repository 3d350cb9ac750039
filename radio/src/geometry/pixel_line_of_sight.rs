//! Line of sight over the building mask's pixels: the definition that networks are given.
//!
//! A pixel is in sight when the straight line between the two pixels' centres meets no building pixel. Sight is mutual, and it turns
//! with the map. [`super::visibility`] answers the same question for walls, many times faster.

use crate::scene::BuildingMask;

/// Visits the pixels (row, column) on the line between two pixels' centres until `visit` returns false (Amanatides and Woo, 1987).
/// The first pixel is not visited. Where the line passes exactly through a pixel's corner, the walk steps diagonally.
pub fn walk_pixels(from: (usize, usize), to: (i64, i64), mut visit: impl FnMut(i64, i64) -> bool) {
    let (mut row, mut column) = (from.0 as i64, from.1 as i64);
    let (dr, dc) = ((to.0 - row).abs(), (to.1 - column).abs());
    let (step_r, step_c) = ((to.0 - row).signum(), (to.1 - column).signum());
    // Compares, in integers, the times at which the line leaves the pixel through a row's and through a column's edge.
    let (mut rows, mut columns) = (0, 0);
    while rows < dr || columns < dc {
        let (next_row, next_column) = ((2 * rows + 1) * dc, (2 * columns + 1) * dr);
        if next_row <= next_column {
            row += step_r;
            rows += 1;
        }
        if next_column <= next_row {
            column += step_c;
            columns += 1;
        }
        if !visit(row, column) {
            return;
        }
    }
}

/// As [`walk_pixels`], but past pixels of no interest in leaps. `visit` says within how many rows and columns of its pixel the next pixel
/// of interest is; pixels nearer than that may be left out. It ends the walk by `None`.
pub fn leap_pixels(from: (usize, usize), to: (i64, i64), mut visit: impl FnMut(i64, i64) -> Option<i64>) {
    let (first_row, first_column) = (from.0 as i64, from.1 as i64);
    let (dr, dc) = ((to.0 - first_row).abs(), (to.1 - first_column).abs());
    let (step_r, step_c) = ((to.0 - first_row).signum(), (to.1 - first_column).signum());
    let (mut rows, mut columns) = (0, 0);
    // Where the line has entered the n-th row, it has entered every column that it reaches no later. Twice the square of a map's side fits
    // 32 bits, which are divided in less time than 64.
    let entered = |n: i64, along: i64, across: i64| i64::from(((2 * n - 1) * across + along) as u32 / (2 * along) as u32);
    let mut free = 0;
    while rows < dr || columns < dc {
        // So many rows take the line no more columns on.
        let leap = free - 1;
        if leap > 1 {
            if dr >= dc {
                rows = (rows + leap).min(dr);
                columns = entered(rows, dr, dc);
            } else {
                columns = (columns + leap).min(dc);
                rows = entered(columns, dc, dr);
            }
        } else {
            let (next_row, next_column) = ((2 * rows + 1) * dc, (2 * columns + 1) * dr);
            rows += i64::from(next_row <= next_column);
            columns += i64::from(next_column <= next_row);
        }
        match visit(first_row + step_r * rows, first_column + step_c * columns) {
            Some(next) => free = next,
            None => return,
        }
    }
}

/// Row-major (N, N): 1 where the line from the pixel `from` (row, column) meets no building pixel, 0 elsewhere and inside buildings.
pub fn pixel_line_of_sight(mask: &BuildingMask, from: (usize, usize)) -> Vec<u8> {
    let size = mask.size;
    let mut visible = vec![0; size * size];
    for row in 0..size {
        for column in 0..size {
            if mask.is_building(row, column) {
                continue;
            }
            let mut clear = true;
            walk_pixels(from, (row as i64, column as i64), |r, c| {
                clear = !mask.is_building(r as usize, c as usize);
                clear
            });
            visible[row * size + column] = u8::from(clear);
        }
    }
    visible
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::test_scenes::{blocks, mask};
    use crate::geometry::wall_distance::steps_to_building;

    #[test]
    fn a_wall_casts_a_shadow() {
        let mask = mask(&[".....", ".....", ".###.", ".....", "....."]);
        let visible = pixel_line_of_sight(&mask, (0, 2));
        let rows: Vec<String> = visible.chunks(5).map(|r| r.iter().map(u8::to_string).collect()).collect();
        assert_eq!(rows, ["11111", "11111", "10001", "00000", "00000"]);
    }

    #[test]
    fn leaps_miss_no_building() {
        let mask = blocks();
        let open = steps_to_building(&mask);
        for from in (0..48 * 48).step_by(31) {
            for to in (0..48 * 48).step_by(7) {
                let (start, end) = ((from / 48, from % 48), ((to / 48) as i64, (to % 48) as i64));
                let (mut walked, mut leapt) = (Vec::new(), Vec::new());
                walk_pixels(start, end, |row, column| {
                    walked.extend(mask.is_building(row as usize, column as usize).then_some((row, column)));
                    true
                });
                leap_pixels(start, end, |row, column| {
                    let steps = open[row as usize * 48 + column as usize];
                    leapt.extend((steps == 0).then_some((row, column)));
                    Some(i64::from(steps))
                });
                assert_eq!(walked, leapt, "from {start:?} to {end:?}");
            }
        }
    }

    #[test]
    fn sight_over_pixels_is_mutual() {
        let mask = blocks();
        let outdoors = |i: &usize| mask.pixels[*i] == 0;
        for a in (0..48 * 48).step_by(37).filter(outdoors) {
            let from_a = pixel_line_of_sight(&mask, (a / 48, a % 48));
            for b in (0..48 * 48).step_by(101).filter(outdoors) {
                assert_eq!(from_a[b], pixel_line_of_sight(&mask, (b / 48, b % 48))[a], "{a} and {b}");
            }
        }
    }
}

//! What a pixel sees: straight lines over the building mask.
//!
//! Two ways: [`exact`] walks the line to every pixel, for the transmitter, whose line of sight decides a map's largest steps;
//! [`sweep`] casts rays to the map's edge, a few times cheaper and good to a pixel at a shadow's edge, for every corner.

use crate::scene::BuildingMask;

/// A bit a pixel.
#[derive(Clone)]
pub struct Visible {
    words: Vec<u64>,
}

impl Visible {
    fn new(pixels: usize) -> Self {
        Self { words: vec![0; pixels.div_ceil(64)] }
    }

    fn set(&mut self, i: usize) {
        self.words[i / 64] |= 1 << (i % 64);
    }

    pub fn get(&self, i: usize) -> bool {
        self.words[i / 64] >> (i % 64) & 1 != 0
    }

    /// Indices of the visible pixels, ascending.
    pub fn iter(&self) -> impl Iterator<Item = usize> {
        self.words.iter().enumerate().flat_map(|(w, &word)| {
            std::iter::successors((word != 0).then_some(word), |bits| Some(bits & (bits - 1)).filter(|&b| b != 0))
                .map(move |bits| 64 * w + bits.trailing_zeros() as usize)
        })
    }
}

/// Walks the pixels between two centres (Amanatides and Woo, 1987) until `visit` returns false. The first pixel is not visited;
/// where the line passes exactly through a pixel corner, it steps diagonally.
fn walk(from: (usize, usize), to: (i64, i64), mut visit: impl FnMut(i64, i64) -> bool) {
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

/// Row-major, 1 where the line between the pixels' centres meets no building pixel.
pub fn exact(mask: &BuildingMask, from: (usize, usize)) -> Vec<u8> {
    let size = mask.size;
    let mut visible = vec![0; size * size];
    for row in 0..size {
        for column in 0..size {
            if mask.is_building(row, column) {
                continue;
            }
            let mut clear = true;
            walk(from, (row as i64, column as i64), |r, c| {
                clear = !mask.is_building(r as usize, c as usize);
                clear
            });
            visible[row * size + column] = u8::from(clear);
        }
    }
    visible
}

/// Rays to every pixel of a frame twice as far out as the map's edge, so that no pixel is missed.
pub fn sweep(mask: &BuildingMask, from: (usize, usize)) -> Visible {
    let size = mask.size as i64;
    let mut visible = Visible::new(mask.pixels.len());
    visible.set(from.0 * mask.size + from.1);
    let mut cast = |to: (i64, i64)| {
        walk(from, to, |row, column| {
            let inside = (0..size).contains(&row) && (0..size).contains(&column);
            if !inside || mask.is_building(row as usize, column as usize) {
                return false;
            }
            visible.set(row as usize * mask.size + column as usize);
            true
        });
    };
    // As far out on every side, so that a mirrored map is seen mirrored.
    let (low, high) = (-size / 2, size - 1 + size / 2);
    for i in low..=high {
        cast((low, i));
        cast((high, i));
        cast((i, low));
        cast((i, high));
    }
    visible
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mask(rows: &[&str]) -> BuildingMask {
        BuildingMask { size: rows.len(), pixels: rows.iter().flat_map(|r| r.bytes().map(|b| u8::from(b == b'#'))).collect() }
    }

    #[test]
    fn a_wall_casts_a_shadow() {
        let mask = mask(&[".....", ".....", ".###.", ".....", "....."]);
        let visible = exact(&mask, (0, 2));
        let rows: Vec<String> = visible.chunks(5).map(|r| r.iter().map(u8::to_string).collect()).collect();
        assert_eq!(rows, ["11111", "11111", "10001", "00000", "00000"]);
    }

    /// A 48 x 48 map with blocks of several sizes, two of them slanted.
    fn blocks() -> BuildingMask {
        let inside = |r: i32, c: i32| {
            let block = |r0, c0, h, w| (r0..r0 + h).contains(&r) && (c0..c0 + w).contains(&c);
            let diamond = |r0: i32, c0: i32, half: i32| (r - r0).abs() + (c - c0).abs() <= half;
            block(4, 5, 8, 12)
                || block(4, 24, 14, 6)
                || block(20, 4, 5, 5)
                || diamond(32, 14, 6)
                || diamond(30, 34, 7)
                || block(42, 22, 3, 20)
        };
        BuildingMask { size: 48, pixels: (0..48 * 48).map(|i| u8::from(inside(i / 48, i % 48))).collect() }
    }

    #[test]
    fn sight_is_mutual_and_the_sweep_agrees() {
        let mask = blocks();
        let outdoors = |i: &usize| mask.pixels[*i] == 0;
        let (mut agreeing, mut total) = (0, 0);
        for a in (0..48 * 48).step_by(37).filter(outdoors) {
            let from_a = exact(&mask, (a / 48, a % 48));
            let swept = sweep(&mask, (a / 48, a % 48));
            for b in (0..48 * 48).filter(outdoors) {
                if b % 101 == 0 {
                    assert_eq!(from_a[b], exact(&mask, (b / 48, b % 48))[a], "{a} and {b}");
                }
                agreeing += usize::from(swept.get(b) == (from_a[b] != 0));
                total += 1;
            }
        }
        assert!(agreeing * 100 >= total * 98, "{agreeing} of {total}");
    }
}

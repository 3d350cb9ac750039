//! The square's eight symmetries, under which radio waves do not change: one map is worth eight.

/// Transposed first, then rows and columns reversed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Symmetry {
    pub transposed: bool,
    pub rows_reversed: bool,
    pub columns_reversed: bool,
}

impl Symmetry {
    /// By `number` modulo 8; 0 changes nothing.
    pub fn numbered(number: usize) -> Self {
        Self { transposed: number & 1 != 0, rows_reversed: number & 2 != 0, columns_reversed: number & 4 != 0 }
    }

    pub fn all() -> impl Iterator<Item = Self> {
        (0..8).map(Self::numbered)
    }

    /// Where the pixel (row, column) of a `size` x `size` image comes to lie.
    pub fn pixel(self, size: usize, (row, column): (usize, usize)) -> (usize, usize) {
        let (row, column) = if self.transposed { (column, row) } else { (row, column) };
        let turned = |reversed: bool, i: usize| if reversed { size - 1 - i } else { i };
        (turned(self.rows_reversed, row), turned(self.columns_reversed, column))
    }

    /// Turns a row-major `size` x `size` image into `out`.
    ///
    /// # Panics
    /// When an image is not `size` x `size`.
    pub fn turn<A: Copy>(self, size: usize, image: &[A], out: &mut [A]) {
        assert_eq!((image.len(), out.len()), (size * size, size * size), "two images of {size} x {size}");
        let turned = |reversed: bool, i: usize| if reversed { size - 1 - i } else { i };
        if self.transposed {
            // Tile by tile, so that columns are read and rows written within the cache.
            for (top, left) in tiles(size) {
                let right = size.min(left + TILE);
                for row in top..size.min(top + TILE) {
                    let from = turned(self.rows_reversed, row);
                    for (out, column) in out[row * size + left..row * size + right].iter_mut().zip(left..) {
                        *out = image[turned(self.columns_reversed, column) * size + from];
                    }
                }
            }
        } else {
            for (row, out) in out.chunks_exact_mut(size).enumerate() {
                let row = turned(self.rows_reversed, row);
                out.copy_from_slice(&image[row * size..(row + 1) * size]);
                if self.columns_reversed {
                    out.reverse();
                }
            }
        }
    }
}

const TILE: usize = 16;

fn tiles(size: usize) -> impl Iterator<Item = (usize, usize)> {
    let starts = (0..size).step_by(TILE);
    starts.clone().flat_map(move |top| starts.clone().map(move |left| (top, left)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turned(symmetry: Symmetry, size: usize, image: &[u32]) -> Vec<u32> {
        let mut out = vec![0; size * size];
        symmetry.turn(size, image, &mut out);
        out
    }

    #[test]
    fn images_and_pixels_turn_alike() {
        for size in [1, 2, 5, 37] {
            let image: Vec<u32> = (0..(size * size) as u32).collect();
            for symmetry in Symmetry::all() {
                let turned = turned(symmetry, size, &image);
                for (row, column) in (0..size * size).map(|i| (i / size, i % size)) {
                    let (r, c) = symmetry.pixel(size, (row, column));
                    assert_eq!(turned[r * size + c], image[row * size + column], "{symmetry:?}");
                }
            }
        }
    }

    #[test]
    fn the_eight_are_a_group() {
        let image: Vec<u32> = (0..9).collect();
        let images: Vec<_> = Symmetry::all().map(|symmetry| turned(symmetry, 3, &image)).collect();
        assert!((1..8).all(|i| !images[..i].contains(&images[i])), "eight different ones");
        assert_eq!(images[0], image, "the first changes nothing");
        for a in Symmetry::all() {
            let products: Vec<_> = Symmetry::all().map(|b| turned(b, 3, &turned(a, 3, &image))).collect();
            assert!(products.iter().all(|product| images.contains(product)), "one after another is again one of them");
            assert!(products.contains(&image), "each can be undone");
        }
        let commute = |a: usize, b: usize| {
            let [a, b] = [a, b].map(Symmetry::numbered);
            turned(a, 3, &turned(b, 3, &image)) == turned(b, 3, &turned(a, 3, &image))
        };
        assert!(!commute(1, 2), "a transposition and a reversal do not commute");
    }
}

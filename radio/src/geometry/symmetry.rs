//! The eight symmetries of the square. Propagation does not depend on orientation, so a symmetry turns a map into another valid map.
//!
//! This is the only implementation: it turns pixels, images, positions, vectors, outlines and whole scenes, all alike. How a channel
//! of a network's condition turns is in [`crate::features`].

use crate::scene::{BuildingMask, Grid, Scene};
use geo::{Coord, MapCoords, Polygon};

/// One symmetry: the map is transposed first, then its rows and columns are reversed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Symmetry {
    pub transposed: bool,
    pub rows_reversed: bool,
    pub columns_reversed: bool,
}

impl Symmetry {
    /// The symmetry with a number, modulo 8. Number 0 is the identity.
    pub fn numbered(number: usize) -> Self {
        Self { transposed: number & 1 != 0, rows_reversed: number & 2 != 0, columns_reversed: number & 4 != 0 }
    }

    /// The symmetry's number, 0 to 7.
    pub fn number(self) -> usize {
        usize::from(self.transposed) | usize::from(self.rows_reversed) << 1 | usize::from(self.columns_reversed) << 2
    }

    /// All eight, the identity first.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..8).map(Self::numbered)
    }

    /// The new (row, column) of a pixel of a `size` x `size` image.
    pub fn pixel(self, size: usize, (row, column): (usize, usize)) -> (usize, usize) {
        let (row, column) = if self.transposed { (column, row) } else { (row, column) };
        let turned = |reversed: bool, i: usize| if reversed { size - 1 - i } else { i };
        (turned(self.rows_reversed, row), turned(self.columns_reversed, column))
    }

    /// The new direction of a vector, x to the east and y to the north.
    pub fn vector(self, vector: Coord<f64>) -> Coord<f64> {
        let (x, y) = if self.transposed { (-vector.y, -vector.x) } else { (vector.x, vector.y) };
        Coord { x: if self.columns_reversed { -x } else { x }, y: if self.rows_reversed { -y } else { y } }
    }

    /// The new place of a point on the map, metres from the south-west corner.
    pub fn position(self, grid: Grid, position: Coord<f64>) -> Coord<f64> {
        let extent_m = grid.extent_m();
        let (x, y) = if self.transposed { (extent_m - position.y, extent_m - position.x) } else { (position.x, position.y) };
        Coord { x: if self.columns_reversed { extent_m - x } else { x }, y: if self.rows_reversed { extent_m - y } else { y } }
    }

    /// A turned outline in metres.
    pub fn polygon(self, grid: Grid, outline: &Polygon<f64>) -> Polygon<f64> {
        outline.map_coords(|point| self.position(grid, point))
    }

    /// A turned scene: footprints, mask, roofs and cars. Its place on the globe is lost, because a turned map has none.
    pub fn scene(self, scene: &Scene) -> Scene {
        let mut turned = scene.clone();
        turned.bounds = None;
        let mut pixels = vec![0; scene.mask.pixels.len()];
        self.turn(scene.grid.size, &scene.mask.pixels, &mut pixels);
        turned.mask = BuildingMask { size: scene.mask.size, pixels };
        let mut from = vec![0; scene.grid.pixels()];
        self.turn(scene.grid.size, &Vec::from_iter(0..from.len()), &mut from);
        turned.roofs = scene.roofs.turned(&from);
        for building in &mut turned.buildings {
            building.footprint = self.polygon(scene.grid, &building.footprint);
        }
        turned.cars = scene.cars.iter().map(|car| self.polygon(scene.grid, car)).collect();
        turned
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
    fn positions_and_vectors_turn_as_pixels_do() {
        let grid = Grid { size: 9, meters_per_pixel: 2.0 };
        for symmetry in Symmetry::all() {
            for (row, column) in [(0, 0), (2, 7), (8, 3)] {
                let turned = symmetry.position(grid, grid.pixel_center(row, column));
                assert_eq!(grid.pixel_of(turned), Some(symmetry.pixel(9, (row, column))), "{symmetry:?}");
            }
            let (from, to) = (Coord { x: 3.0, y: 4.0 }, Coord { x: 5.0, y: 11.0 });
            assert_eq!(symmetry.position(grid, to) - symmetry.position(grid, from), symmetry.vector(to - from), "{symmetry:?}");
        }
    }

    #[test]
    fn the_eight_are_a_group() {
        let image: Vec<u32> = (0..9).collect();
        let images: Vec<_> = Symmetry::all().map(|symmetry| turned(symmetry, 3, &image)).collect();
        assert!((1..8).all(|i| !images[..i].contains(&images[i])), "eight different ones");
        assert_eq!(images[0], image, "the first changes nothing");
        assert!(Symmetry::all().enumerate().all(|(number, symmetry)| symmetry.number() == number));
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

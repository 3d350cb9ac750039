//! The highest roof near a pixel: a walk that seeks roofs above some height leaps by it.
//!
//! In flow the roofs of a scene; out flow bounds for squares round every pixel. The map is cut into blocks, and each keeps the highest
//! roof over itself and its neighbours.

use crate::scene::RoofHeights;

/// Sides of the blocks, in pixels.
const BLOCKS: [usize; 2] = [32, 8];

/// Bounds of the roofs round every pixel.
pub struct HighestNear {
    /// By [`BLOCKS`]: blocks in a row, and for each block, row-major, the highest roof in metres.
    by_block: [(usize, Vec<f32>); BLOCKS.len()],
}

impl HighestNear {
    pub fn new(roofs: &RoofHeights, size: usize) -> Self {
        Self { by_block: BLOCKS.map(|block| (size.div_ceil(block), highest_of_neighbours(roofs.meters(), size, block))) }
    }

    /// For the pixel at (row, column), pairs of steps and metres, the most steps first: no roof within so many rows and columns is
    /// higher.
    pub fn around(&self, row: usize, column: usize) -> impl Iterator<Item = (usize, f64)> {
        BLOCKS
            .iter()
            .zip(&self.by_block)
            .map(move |(&block, (blocks, highest_m))| (block, f64::from(highest_m[row / block * blocks + column / block])))
    }
}

/// For each block, the highest roof over it and the blocks round it.
fn highest_of_neighbours(meters: &[f32], size: usize, block: usize) -> Vec<f32> {
    let blocks = size.div_ceil(block);
    let mut highest_m = vec![0.0f32; blocks * blocks];
    for (row, meters) in meters.chunks(size).enumerate() {
        let first = row / block * blocks;
        for (known_m, meters) in highest_m[first..first + blocks].iter_mut().zip(meters.chunks(block)) {
            *known_m = meters.iter().copied().fold(*known_m, f32::max);
        }
    }
    let near = |i: usize| i.saturating_sub(1)..(i + 2).min(blocks);
    let of_block = |i: usize| {
        let rows = near(i / blocks).flat_map(|row| &highest_m[row * blocks..(row + 1) * blocks][near(i % blocks)]);
        rows.copied().fold(0.0, f32::max)
    };
    (0..blocks * blocks).map(of_block).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::BuildingMask;

    #[test]
    fn no_roof_near_a_pixel_is_higher() {
        const SIZE: usize = 70;
        let mask = BuildingMask { size: SIZE, pixels: (0..SIZE * SIZE).map(|i| u8::from(i % 37 < 3)).collect() };
        let raster: Vec<f32> = (0..SIZE * SIZE).map(|i| (i * 7919 % 101) as f32 + (i / 2000) as f32 * 50.0).collect();
        let roofs = RoofHeights::of_raster(&mask, &raster, 25.0);
        let near = HighestNear::new(&roofs, SIZE);
        let mut lower = 0;
        for (row, column) in (0..SIZE * SIZE).map(|i| (i / SIZE, i % SIZE)) {
            for (steps, highest_m) in near.around(row, column) {
                let within = |i: usize| i.saturating_sub(steps)..(i + steps + 1).min(SIZE);
                assert!(
                    within(row).all(|r| within(column).all(|c| roofs.at(r * SIZE + c) <= highest_m)),
                    "({row}, {column}), {steps} steps"
                );
                lower += usize::from(highest_m < roofs.highest_m());
            }
        }
        assert!(lower > SIZE, "bounds of parts of the map");
    }
}

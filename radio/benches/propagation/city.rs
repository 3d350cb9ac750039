//! Cities for the clock: one box a block of a square grid, some turned, none touching, the same for the same seed.

use geo::{Coord, LineString, Polygon};

/// Splitmix64 (Steele, Lea and Flood, 2014).
pub struct Random(pub u64);

impl Random {
    /// Uniform in 0..1.
    pub fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// `buildings` boxes on a square of `extent_m`; a third of them are turned.
pub fn city(extent_m: f64, buildings: usize, random: &mut Random) -> Vec<Polygon<f64>> {
    let blocks = (buildings as f64).sqrt().ceil() as usize;
    let block_m = extent_m / blocks as f64;
    // Where there are more blocks than buildings, the open ones are spread evenly.
    let block_of = |i: usize| i * blocks * blocks / buildings;
    (0..buildings)
        .map(|i| {
            let (row, column) = (block_of(i) / blocks, block_of(i) % blocks);
            let middle = Coord { x: (column as f64 + 0.5) * block_m, y: (row as f64 + 0.5) * block_m };
            let (width, height) = (random.unit() * 0.4 + 0.4, random.unit() * 0.4 + 0.4);
            let angle = if random.unit() < 1.0 / 3.0 { random.unit() * std::f64::consts::FRAC_PI_2 } else { 0.0 };
            let (sine, cosine) = angle.sin_cos();
            // As wide and as high, turned, as it was before.
            let fit = 1.0 / (sine + cosine);
            let corner = |x: f64, y: f64| {
                let (x, y) = (0.5 * x * width * block_m * fit, 0.5 * y * height * block_m * fit);
                middle + Coord { x: x * cosine - y * sine, y: x * sine + y * cosine }
            };
            let corners = vec![corner(-1.0, -1.0), corner(1.0, -1.0), corner(1.0, 1.0), corner(-1.0, 1.0)];
            Polygon::new(LineString::new(corners), Vec::new())
        })
        .collect()
}

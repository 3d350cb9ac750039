//! The boundary between building pixels and open ground, followed pixel side by pixel side.

use crate::scene::BuildingMask;
use geo::Coord;

/// Directions of travel along the pixels' sides: east, north, west, south.
const STEPS: [(i64, i64); 4] = [(1, 0), (0, 1), (-1, 0), (0, -1)];

/// A pixel's side between building and open ground, travelled with the building on the left.
#[derive(Clone, Copy)]
pub struct Side {
    /// The pixel corner where the side begins, in pixels: x to the east, y to the north.
    x: i64,
    y: i64,
    /// Index of the direction of travel: east, north, west, south.
    pub direction: usize,
}

impl Side {
    /// The pixel corner where the side begins.
    pub fn at(self) -> Coord<f64> {
        Coord { x: self.x as f64, y: self.y as f64 }
    }

    /// The pixel north-east of where the side begins, by its column and its height above the southern row.
    pub fn corner(self) -> (i64, i64) {
        (self.x, self.y)
    }

    /// The building pixel.
    pub fn inner_pixel(self) -> (i64, i64) {
        let (dx, dy) = [(0, 0), (-1, 0), (-1, -1), (0, -1)][self.direction];
        (self.x + dx, self.y + dy)
    }

    /// The open pixel.
    pub fn outer_pixel(self) -> (i64, i64) {
        let (dx, dy) = [(0, -1), (0, 0), (-1, 0), (-1, -1)][self.direction];
        (self.x + dx, self.y + dy)
    }

    /// Centre of the pixel to the left or, with -1, to the right.
    fn beside(self, side: f64) -> Coord<f64> {
        let (dx, dy) = STEPS[self.direction];
        let (dx, dy) = (dx as f64, dy as f64);
        self.at() + Coord { x: 0.5 * (dx - side * dy), y: 0.5 * (dy + side * dx) }
    }

    /// Centre of the building pixel.
    pub fn inner(self) -> Coord<f64> {
        self.beside(1.0)
    }

    /// Centre of the open pixel.
    pub fn outer(self) -> Coord<f64> {
        self.beside(-1.0)
    }
}

/// Follows the sides between building and open pixels, ring by ring.
pub fn trace(mask: &BuildingMask) -> Vec<Vec<Side>> {
    let size = mask.size as i64;
    // By column and by height above the southern edge.
    let building =
        |x: i64, y: i64| (0..size).contains(&x) && (0..size).contains(&y) && mask.is_building((size - 1 - y) as usize, x as usize);
    let side = size + 1;
    // Per pixel corner, a bit for each direction in which an untravelled side leaves.
    let mut leaving = vec![0u8; (side * side) as usize];
    for y in 0..size {
        for x in 0..size {
            if building(x, y) {
                let open = [(0, (0, -1), (0, 0)), (1, (1, 0), (1, 0)), (2, (0, 1), (1, 1)), (3, (-1, 0), (0, 1))];
                for (direction, (dx, dy), (from_x, from_y)) in open {
                    leaving[((y + from_y) * side + x + from_x) as usize] |= u8::from(!building(x + dx, y + dy)) << direction;
                }
            }
        }
    }
    let mut rings = Vec::new();
    for start in 0..leaving.len() {
        // Every ring has a side that runs east.
        while leaving[start] & 1 != 0 {
            let (mut x, mut y, mut direction) = (start as i64 % side, start as i64 / side, 0);
            let mut ring = Vec::new();
            loop {
                let bits = &mut leaving[(y * side + x) as usize];
                // Right first: where two buildings touch at a corner, the way goes over to the other.
                let turns = if ring.is_empty() { [0, 0, 0] } else { [3, 0, 1] };
                let Some(next) = turns.map(|turn| (direction + turn) % 4).into_iter().find(|next| *bits >> next & 1 != 0) else { break };
                *bits &= !(1 << next);
                ring.push(Side { x, y, direction: next });
                direction = next;
                (x, y) = (x + STEPS[next].0, y + STEPS[next].1);
            }
            rings.push(ring);
        }
    }
    rings
}

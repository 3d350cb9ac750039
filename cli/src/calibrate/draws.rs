//! The draws that measured cells are judged by: which squares are given and which are tested.
//!
//! The protocol of the published table is a NumPy program, so its draws are NumPy's: `default_rng(0)` is a PCG64 (O'Neill, 2014), and
//! `choice` without replacement is Floyd's algorithm followed by a shuffle. The same squares are drawn here, number for number.

/// Squares that are given.
pub const GIVEN: usize = 200;
pub const SQUARE_M: f64 = 4.0;
/// Side of the judged ground, metres, and in squares.
pub const EXTENT_M: f64 = 512.0;
const SQUARES_A_SIDE: i64 = 128;
/// Side of a block in squares.
const BLOCK_SQUARES: i64 = 16;
/// A degree of latitude in the protocol, metres.
pub const METERS_PER_DEGREE: f64 = 111_194.0;

/// How tested squares are apart from given ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DrawKind {
    /// All squares but the given ones.
    Random,
    /// The squares of the blocks that nothing was given of.
    Blocks,
}

/// A square of the judged ground: row from the north, column from the west.
pub type Square = (i64, i64);

/// The square of a place in metres east and north of the cell.
pub fn square_of(east_m: f64, north_m: f64) -> Option<Square> {
    let row = ((EXTENT_M / 2.0 - north_m) / SQUARE_M).floor() as i64;
    let column = ((east_m + EXTENT_M / 2.0) / SQUARE_M).floor() as i64;
    let inside = |index: i64| (0..SQUARES_A_SIDE).contains(&index);
    (inside(row) && inside(column)).then_some((row, column))
}

/// Indices of the given and of the tested squares of every draw; squares are in ascending order. Draws with too few squares in the
/// chosen blocks are left out.
pub fn draws(squares: &[Square], kind: DrawKind, count: u16) -> Vec<(Vec<usize>, Vec<usize>)> {
    let mut random = Pcg64::seeded_with_0();
    let block = |&(row, column): &Square| row / BLOCK_SQUARES * (SQUARES_A_SIDE / BLOCK_SQUARES) + column / BLOCK_SQUARES;
    let mut blocks: Vec<i64> = squares.iter().map(block).collect();
    blocks.sort_unstable();
    blocks.dedup();
    let mut drawn = Vec::new();
    for _ in 0..count {
        let (pool, others): (Vec<usize>, Vec<usize>) = match kind {
            DrawKind::Random => ((0..squares.len()).collect(), Vec::new()),
            DrawKind::Blocks => {
                let half: Vec<i64> = random.choice(blocks.len(), blocks.len() / 2).into_iter().map(|i| blocks[i]).collect();
                (0..squares.len()).partition(|&i| half.contains(&block(&squares[i])))
            }
        };
        if pool.len() < GIVEN {
            continue;
        }
        let given: Vec<usize> = random.choice(pool.len(), GIVEN).into_iter().map(|i| pool[i]).collect();
        let tested = if kind == DrawKind::Random { pool.into_iter().filter(|i| !given.contains(i)).collect() } else { others };
        drawn.push((given, tested));
    }
    drawn
}

/// NumPy's default generator.
struct Pcg64 {
    state: u128,
    increment: u128,
    /// The upper half of the last 64 bits, until it is asked for.
    half: Option<u32>,
}

impl Pcg64 {
    /// The state that NumPy's SeedSequence makes of the seed 0.
    fn seeded_with_0() -> Self {
        Self {
            state: 35_399_562_948_360_463_058_890_781_895_381_311_971,
            increment: 87_136_372_517_582_989_555_478_159_403_783_844_777,
            half: None,
        }
    }

    fn next_u64(&mut self) -> u64 {
        const MULTIPLIER: u128 = 0x2360_ed05_1fc6_5da4_4385_df64_9fcc_f645;
        self.state = self.state.wrapping_mul(MULTIPLIER).wrapping_add(self.increment);
        (((self.state >> 64) ^ self.state) as u64).rotate_right((self.state >> 122) as u32)
    }

    fn next_u32(&mut self) -> u32 {
        self.half.take().unwrap_or_else(|| {
            let bits = self.next_u64();
            self.half = Some((bits >> 32) as u32);
            bits as u32
        })
    }

    /// A number from 0 to `most`, by Lemire's multiplication (2019).
    fn up_to(&mut self, most: usize) -> usize {
        if most == 0 {
            return 0;
        }
        let range = most as u32 + 1;
        let threshold = (u32::MAX - most as u32) % range;
        loop {
            let product = u64::from(self.next_u32()) * u64::from(range);
            if product as u32 >= threshold {
                return (product >> 32) as usize;
            }
        }
    }

    /// `size` different numbers below `population`, which is at most 10,000.
    fn choice(&mut self, population: usize, size: usize) -> Vec<usize> {
        let mut chosen: Vec<usize> = Vec::with_capacity(size);
        for last in population - size..population {
            let value = self.up_to(last);
            chosen.push(if chosen.contains(&value) { last } else { value });
        }
        for i in (1..size).rev() {
            let other = self.up_to(i);
            chosen.swap(i, other);
        }
        chosen
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_are_numpys() {
        // numpy 2.4: r = default_rng(0); r.choice(10, 5, replace=False), r.choice(600, 7, ...), r.choice(6, 3, ...), r.choice(1665, 3, ...)
        let mut random = Pcg64::seeded_with_0();
        assert_eq!(random.choice(10, 5), [4, 7, 2, 3, 5]);
        assert_eq!(random.choice(600, 7), [437, 386, 483, 581, 544, 300, 362]);
        assert_eq!(random.choice(6, 3), [2, 0, 5]);
        assert_eq!(random.choice(1665, 3), [1272, 55, 1214]);
    }

    #[test]
    fn tested_blocks_hold_no_given_square() {
        let squares: Vec<Square> = (0..128).flat_map(|row| (0..128).step_by(8).map(move |column| (row, column))).collect();
        for (given, tested) in draws(&squares, DrawKind::Blocks, 5) {
            let block = |&i: &usize| (squares[i].0 / 16, squares[i].1 / 16);
            assert_eq!(given.len(), GIVEN);
            assert!(!tested.is_empty() && given.iter().all(|i| tested.iter().all(|other| block(i) != block(other))));
        }
        for (given, tested) in draws(&squares, DrawKind::Random, 2) {
            assert_eq!((given.len(), tested.len()), (GIVEN, squares.len() - GIVEN));
            assert!(given.iter().all(|i| !tested.contains(i)));
        }
    }

    #[test]
    fn squares_are_counted_from_the_north_west() {
        assert_eq!(square_of(-256.0, 256.0), Some((0, 0)));
        assert_eq!(square_of(0.1, -0.1), Some((64, 64)));
        assert_eq!((square_of(256.0, 0.0), square_of(0.0, 256.5)), (None, None));
    }
}

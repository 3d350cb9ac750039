//! The length of the shortest way round the buildings from the transmitter to every outdoor pixel.
//!
//! Solves the eikonal equation |grad u| = 1 outdoors by fast sweeping (Zhao, 2005, "A fast sweeping method for eikonal equations"):
//! Gauss-Seidel updates in four alternating orders until nothing changes. Out of sight, a path's loss depends most on this length,
//! and a network cannot see it at a glance.

use crate::scene::BuildingMask;

/// The search ends with a round that shortens no path by more than this, in pixels.
const TOLERANCE: f64 = 1e-3;
/// The largest number of rounds of four sweeps. Each round follows paths round another few corners; a maze that needs more rounds
/// keeps its last lengths.
const MOST_ROUNDS: usize = 64;

/// Lengths in pixels, row-major (N, N), from the pixel `start` (row, column); infinite inside buildings and where no way leads.
pub fn geodesic_distance(mask: &BuildingMask, start: (usize, usize)) -> Vec<f64> {
    let size = mask.size;
    // A border of one pixel that is never reached saves the sweeps the test for the map's edge.
    let stride = size + 2;
    let at = |row: usize, column: usize| (row + 1) * stride + column + 1;
    let mut length = vec![f64::INFINITY; stride * stride];
    length[at(start.0, start.1)] = 0.0;
    let outdoors: Vec<bool> = mask.pixels.iter().map(|&inside| inside == 0).collect();
    let ascending: Vec<usize> = (0..size).collect();
    let descending: Vec<usize> = (0..size).rev().collect();
    for _ in 0..MOST_ROUNDS {
        let mut shortened = 0.0f64;
        for (rows, columns) in [(&ascending, &ascending), (&ascending, &descending), (&descending, &descending), (&descending, &ascending)]
        {
            for &row in rows {
                for &column in columns {
                    if !outdoors[row * size + column] {
                        continue;
                    }
                    let i = at(row, column);
                    let vertical = length[i - stride].min(length[i + stride]);
                    let horizontal = length[i - 1].min(length[i + 1]);
                    let candidate = arrival(vertical, horizontal);
                    if candidate < length[i] {
                        shortened = shortened.max(length[i] - candidate);
                        length[i] = candidate;
                    }
                }
            }
        }
        if shortened <= TOLERANCE {
            break;
        }
    }
    (0..size * size).map(|i| length[at(i / size, i % size)]).collect()
}

/// The upwind solution of (u - a)^2 + (u - b)^2 = 1, or the one-sided solution where only one neighbour is near enough.
fn arrival(a: f64, b: f64) -> f64 {
    let (near, far) = if a < b { (a, b) } else { (b, a) };
    if far - near >= 1.0 || far.is_infinite() {
        return near + 1.0;
    }
    let difference = far - near;
    0.5 * (near + far + (2.0 - difference * difference).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mask(size: usize, inside: impl Fn(usize, usize) -> bool) -> BuildingMask {
        BuildingMask { size, pixels: (0..size * size).map(|i| u8::from(inside(i / size, i % size))).collect() }
    }

    #[test]
    fn in_the_open_lengths_are_distances() {
        let found = geodesic_distance(&mask(64, |_, _| false), (20, 30));
        for (i, length) in found.iter().enumerate() {
            let distance = (i as f64 / 64.0).floor() - 20.0;
            let distance = distance.hypot((i % 64) as f64 - 30.0);
            // First order: the point source costs up to about a pixel and a half at this distance.
            assert!((length - distance).abs() < 0.05 * distance + 0.5, "pixel {i}: {length} of {distance}");
        }
    }

    #[test]
    fn a_wall_is_gone_round_and_a_courtyard_never_reached() {
        let walled = mask(64, |row, column| {
            column == 32 && row > 4 || (50..60).contains(&row) && (2..12).contains(&column) && !(52..58).contains(&row)
        });
        let found = geodesic_distance(&walled, (40, 20));
        // Up to the gap above the wall and down again, against 24 pixels in a straight line.
        let expected = 2.0 * (36.0f64).hypot(12.0);
        let length = found[40 * 64 + 44];
        assert!((length - expected).abs() < 0.06 * expected, "{length}, expected about {expected}");
        let closed = mask(16, |row, column| row == 4 || column == 4);
        let found = geodesic_distance(&closed, (10, 10));
        assert!(found[2 * 16 + 2].is_infinite() && found[4 * 16 + 10].is_infinite());
    }

    #[test]
    fn a_mirrored_map_has_mirrored_lengths() {
        let blocks =
            |row: usize, column: usize| (10..24).contains(&row) && (8..20).contains(&column) || (30..36).contains(&row) && column > 12;
        let found = geodesic_distance(&mask(48, blocks), (28, 10));
        let mirrored = geodesic_distance(&mask(48, |row, column| blocks(row, 47 - column)), (28, 37));
        for i in 0..48 * 48 {
            let (a, b) = (found[i], mirrored[i / 48 * 48 + 47 - i % 48]);
            assert!((a - b).abs() < 0.01 || a.is_infinite() && b.is_infinite(), "pixel {i}: {a} and {b}");
        }
    }
}

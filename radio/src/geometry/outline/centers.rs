//! Corners at pixel centres. Footprints in whole metres, such as RadioMapSeer's, have their corners there, so an outline read off a
//! raster regains the footprint it came from.

use super::straight::{Piece, SHARED_SIDES};
use super::trace::Side;
use geo::Coord;

/// Offset, in pixels, from a straightened corner to the middle of the places where the footprint's corner can be. See [`TIE`].
const LIKELY: Coord<f64> = Coord { x: 0.25, y: 0.25 };
/// The largest move of a corner to a pixel centre, in pixels.
const FARTHEST_MOVE: f64 = 1.6;
/// Cost of leaving a corner where it is, in squared pixels.
const STAY_COST: f64 = 4.0;
/// Cost of a piece that does not separate its pixels, in squared pixels.
const WRONG_COST: f64 = 8.0;
/// A pixel is tested this far north-east of its centre, because rasterising counts a centre on a left or lower wall as inside.
const TIE: f64 = 1e-3;

/// Moves corners to pixel centres where the outline still separates the same pixels afterwards. Viterbi's algorithm finds the
/// assignment with the least cost around the ring.
pub fn snapped_to_centers(ring: &[Side], pieces: &[Piece], corners: &[Coord<f64>]) -> Vec<Coord<f64>> {
    let count = corners.len();
    if count < 3 {
        return corners.to_vec();
    }
    let separates = |piece: &Piece, from: Coord<f64>, to: Coord<f64>| {
        let left = |p: Coord<f64>| (to.x - from.x) * (p.y + TIE - from.y) - (to.y - from.y) * (p.x + TIE - from.x);
        // The sides next to a corner belong to either piece.
        let own = (SHARED_SIDES..piece.count.saturating_sub(SHARED_SIDES)).map(|i| &ring[(piece.start + i) % ring.len()]);
        own.into_iter().all(|side| left(side.inner()) >= 0.0 && left(side.outer()) <= 0.0)
    };
    // The places each corner may take, with their costs. Its own place is always among them.
    let choices: Vec<Vec<(Coord<f64>, f64)>> = corners
        .iter()
        .map(|&corner| {
            let likely = corner + LIKELY;
            let base = Coord { x: likely.x.floor() + 0.5, y: likely.y.floor() + 0.5 };
            let near = (-2..=2).flat_map(|dx| (-2..=2).map(move |dy| base + Coord { x: f64::from(dx), y: f64::from(dy) }));
            let square = |p: &Coord<f64>| (p.x - likely.x).powi(2) + (p.y - likely.y).powi(2);
            let near = near.map(|p| (p, square(&p))).filter(|&(_, cost)| cost <= FARTHEST_MOVE * FARTHEST_MOVE);
            near.chain([(corner, STAY_COST)]).collect()
        })
        .collect();
    // The cost of each piece between any two places. It is the same wherever the ring begins, and testing the piece's pixels takes longer
    // than all else.
    let wrong: Vec<Vec<f64>> = (0..count)
        .map(|i| {
            let (before, here) = (&choices[i], &choices[(i + 1) % count]);
            let pairs = before.iter().flat_map(|from| here.iter().map(move |to| (from, to)));
            let fits = |&(from, from_cost): &(_, f64), &(to, to_cost): &(_, f64)| {
                (from_cost == STAY_COST && to_cost == STAY_COST) || separates(&pieces[i], from, to)
            };
            pairs.map(|(from, to)| if fits(from, to) { 0.0 } else { WRONG_COST }).collect()
        })
        .collect();
    let mut best: Option<(f64, Vec<usize>)> = None;
    for first in 0..choices[0].len() {
        let mut cost: Vec<f64> = (0..choices[0].len()).map(|i| if i == first { choices[0][i].1 } else { f64::INFINITY }).collect();
        let mut from: Vec<Vec<usize>> = vec![vec![0; choices[0].len()]];
        for i in 1..=count {
            let (before, here) = (&choices[i - 1], &choices[i % count]);
            let step = |j: usize| {
                let ways = (0..before.len()).filter(|&k| cost[k].is_finite());
                ways.map(|k| (cost[k] + wrong[i - 1][k * here.len() + j] + if i < count { here[j].1 } else { 0.0 }, k))
                    .min_by(|a, b| a.0.total_cmp(&b.0))
                    .unwrap_or((f64::INFINITY, 0))
            };
            let steps: Vec<(f64, usize)> =
                (0..here.len()).map(|j| if i == count && j != first { (f64::INFINITY, 0) } else { step(j) }).collect();
            from.push(steps.iter().map(|s| s.1).collect());
            cost = steps.iter().map(|s| s.0).collect();
        }
        if best.as_ref().is_none_or(|(least, _)| cost[first] < *least) {
            let mut chosen = vec![first; count + 1];
            for i in (0..count).rev() {
                chosen[i] = from[i + 1][chosen[i + 1]];
            }
            best = Some((cost[first], chosen));
        }
    }
    let chosen = best.map_or_else(Vec::new, |(_, chosen)| chosen);
    (0..count).map(|i| choices[i][chosen[i]].0).collect()
}

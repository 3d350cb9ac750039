//! Diffraction over knife edges in the vertical plane, by ITU-R P.526-15.
//!
//! In flow the edges between two antennas, as distance and height; out flows the loss beyond line of sight. One edge has section
//! 4.1's loss J(v). Several have the loss of Deygout's construction with at most three edges (section 4.4.2): the edge of largest v
//! counts as if it were alone, and the worst edge on either side of it counts between its top and the antenna. Section 4.3 corrects a
//! second edge by T_c, which is why two edges a hair apart lose what one does and two of equal height in a row lose 9.5 dB. Section
//! 4.4.2's own correction is left out: it was fitted to terrain and adds 10 dB to a single edge.
//!
//! An edge below the line of sight counts as long as it stands in the first Fresnel zone (v > -0.78), so that a loss fades in as an
//! antenna sinks behind a roof. For the same reason, T_c's q / p is taken from v = -0.78 up, and further edges fade out with the
//! main one below the line of sight.

use super::law::{least_log2, most_log2};
use std::f64::consts::PI;

/// J(v) is zero at and below this v.
const CLEAR_V: f64 = -0.78;
/// T_c is at least this, dB: 12 - 20 log10(4), rounded down.
const LEAST_CORRECTION_DB: f64 = -0.05;
/// Edges nearer to an antenna count as this far, metres: the formulas have no meaning at an antenna.
pub const LEAST_DISTANCE_M: f64 = 0.25;

/// A point of the vertical plane: an antenna, or an edge that the plane cuts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PlanePoint {
    /// From the transmitter along the ground, metres.
    pub distance_m: f64,
    /// Above the ground, metres.
    pub height_m: f64,
}

/// J(v) as a function of v - 0.1, without its lower bound: equation 31.
pub fn knife_edge_term_db(above: f64) -> f64 {
    6.9 + 20.0 * libm::log10((above * above + 1.0).sqrt() + above)
}

/// J(v), the loss of a single knife edge in dB: 6.03 at grazing incidence, 0 for v <= -0.78.
pub fn knife_edge_db(v: f64) -> f64 {
    if v <= CLEAR_V { 0.0 } else { knife_edge_term_db(v - 0.1).max(0.0) }
}

/// An upper bound of J(v) for v > -0.78, too high by up to half a decibel, without a logarithm.
fn most_knife_edge_db(v: f64) -> f64 {
    let above = v - 0.1;
    (6.9 + 20.0 * std::f64::consts::LOG10_2 * most_log2((above * above + 1.0).sqrt() + above)).max(0.0)
}

/// A v at which [`most_knife_edge_db`] is at most this, which is 0 dB or more. For less it is below -0.78, where no edge counts.
fn least_v(db: f64) -> f64 {
    /// By how much the bound may be too high, and a little more.
    const TOO_HIGH_DB: f64 = 0.6;
    let root = libm::exp2((db - TOO_HIGH_DB - 6.9) / (20.0 * std::f64::consts::LOG10_2));
    0.1 + (root - 1.0 / root) / 2.0
}

/// A lower bound of J(v) by [`VerticalPlane::order`], much cheaper than J itself: from v = 1 on, J is more than 12 + 20 log10 v.
pub fn least_knife_edge_db(order: f64, wavelength_m: f64) -> f64 {
    let v_squared = 2.0 * order / wavelength_m;
    if v_squared < 1.0 { 0.0 } else { 12.0 + 10.0 * std::f64::consts::LOG10_2 * least_log2(v_squared) }
}

/// The rise per metre of a line of sight from which on an edge takes nothing of it, whatever its length from [`LEAST_DISTANCE_M`] on: the
/// line then passes above the edge's first Fresnel zone.
pub fn clear_rise(from: PlanePoint, edge: PlanePoint, wavelength_m: f64) -> f64 {
    /// Keeps rounding from clearing an edge too early.
    const MARGIN: f64 = 1e-9;
    let along_m = edge.distance_m - from.distance_m;
    let zone_m = CLEAR_V.abs() * (wavelength_m / 2.0 * along_m.max(LEAST_DISTANCE_M)).sqrt();
    (edge.height_m - from.height_m + zone_m) / along_m.max(MARGIN) + MARGIN
}

/// Diffraction of one wavelength between two antennas.
#[derive(Clone, Copy, Debug)]
pub struct VerticalPlane {
    pub from: PlanePoint,
    pub to: PlanePoint,
    pub wavelength_m: f64,
}

impl VerticalPlane {
    /// v^2 with the sign of v, up to a factor that is the same for all edges of the plane: what the main edge has most of.
    #[inline]
    pub fn order(&self, edge: PlanePoint) -> f64 {
        let length_m = self.to.distance_m - self.from.distance_m;
        let along_m = edge.distance_m - self.from.distance_m;
        let (before_m, after_m) = (along_m.max(LEAST_DISTANCE_M), (length_m - along_m).max(LEAST_DISTANCE_M));
        let above_m = edge.height_m - self.from.height_m - (self.to.height_m - self.from.height_m) * (along_m / length_m);
        above_m * above_m.abs() * length_m / (before_m * after_m)
    }

    /// Calls `each` with every edge's index and order. Orders are found eight at a time, so that the compiler can divide in pairs.
    #[inline]
    fn orders(&self, edges: &[PlanePoint], mut each: impl FnMut(usize, f64)) {
        const AT_ONCE: usize = 8;
        let (chunks, rest) = edges.as_chunks::<AT_ONCE>();
        for (number, chunk) in chunks.iter().enumerate() {
            let orders = chunk.map(|edge| self.order(edge));
            orders.into_iter().enumerate().for_each(|(index, order)| each(number * AT_ONCE + index, order));
        }
        rest.iter().enumerate().for_each(|(index, &edge)| each(chunks.len() * AT_ONCE + index, self.order(edge)));
    }

    fn v(&self, order: f64) -> f64 {
        (2.0 * order.abs() / self.wavelength_m).sqrt().copysign(order)
    }

    /// The order of an edge with this v.
    fn order_of(&self, v: f64) -> f64 {
        v * v.abs() * self.wavelength_m / 2.0
    }

    /// The edge of largest v, with its index and v; `None` without edges.
    pub fn main_edge(&self, edges: &[PlanePoint]) -> Option<(usize, f64)> {
        let mut main: Option<(usize, f64)> = None;
        self.orders(edges, |index, order| {
            if main.is_none_or(|(_, most)| order > most) {
                main = Some((index, order));
            }
        });
        main.map(|(index, order)| (index, self.v(order)))
    }

    /// Loss in dB beyond line of sight over edges in the order of their distances.
    pub fn loss_db(&self, edges: &[PlanePoint]) -> f64 {
        self.main_edge(edges).map_or(0.0, |main| self.loss_over_db(edges, main))
    }

    /// Loss in dB in line of sight: by edges below the line alone. Edges above it stand beside the path.
    pub fn loss_below_db(&self, edges: &[PlanePoint]) -> f64 {
        let zone = CLEAR_V * CLEAR_V * self.wavelength_m / 2.0;
        let intrudes = |&edge: &PlanePoint| (-zone..=0.0).contains(&self.order(edge));
        if !edges.iter().any(intrudes) {
            return 0.0;
        }
        let below: Vec<PlanePoint> = edges.iter().copied().filter(|&edge| self.order(edge) <= 0.0).collect();
        self.loss_db(&below)
    }

    /// As [`Self::loss_db`] with the main edge at hand.
    pub fn loss_over_db(&self, edges: &[PlanePoint], (index, v): (usize, f64)) -> f64 {
        let (main_db, top) = (knife_edge_db(v), edges[index]);
        if main_db == 0.0 {
            return 0.0;
        }
        let before = VerticalPlane { to: top, ..*self };
        let after = VerticalPlane { from: top, ..*self };
        let second_db = |plane: &VerticalPlane, edges: &[PlanePoint]| {
            let loss_db =
                |edge: PlanePoint, second_v: f64| knife_edge_db(second_v) - self.correction_db([v, self.v(self.order(edge))], top, edge);
            let Some((worst, worst_v)) = plane.main_edge(edges).filter(|&(_, worst_v)| worst_v > CLEAR_V) else { return 0.0 };
            // The correction may make another edge the worst; those that it cannot lift so far are told from their v.
            let mut most_db = loss_db(edges[worst], worst_v).max(0.0);
            let least_order = plane.order_of(least_v(most_db + LEAST_CORRECTION_DB));
            plane.orders(edges, |index, order| {
                if order > least_order && index != worst {
                    let second_v = plane.v(order);
                    if second_v > CLEAR_V && most_knife_edge_db(second_v) - LEAST_CORRECTION_DB > most_db {
                        most_db = most_db.max(loss_db(edges[index], second_v));
                    }
                }
            });
            most_db
        };
        let others_db = second_db(&before, &edges[..index]) + second_db(&after, &edges[index + 1..]);
        // With the main edge above the line of sight the other edges count in full.
        let share = if v >= 0.0 { 1.0 } else { (main_db / knife_edge_db(0.0)).min(1.0) };
        main_db + others_db * share
    }

    /// Section 4.3's T_c of the main and another edge, whose v between the antennas are given in this order.
    fn correction_db(&self, [main_v, other_v]: [f64; 2], main: PlanePoint, other: PlanePoint) -> f64 {
        let (first_m, second_m) = (main.distance_m.min(other.distance_m), main.distance_m.max(other.distance_m));
        let a = (first_m - self.from.distance_m).max(LEAST_DISTANCE_M);
        let c = (self.to.distance_m - second_m).max(LEAST_DISTANCE_M);
        let b = second_m - first_m;
        let alpha = libm::atan((b * (a + b + c) / (a * c)).sqrt());
        let share = ((other_v - CLEAR_V) / (main_v - CLEAR_V)).clamp(0.0, 1.0);
        (12.0 - 20.0 * libm::log10(2.0 / (1.0 - alpha / PI))) * libm::pow(share, 2.0 * main_v.max(0.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WAVELENGTH_M: f64 = 0.05;

    fn at(distance_m: f64, height_m: f64) -> PlanePoint {
        PlanePoint { distance_m, height_m }
    }

    fn plane(from_m: f64, to_m: f64, length_m: f64) -> VerticalPlane {
        VerticalPlane { from: at(0.0, from_m), to: at(length_m, to_m), wavelength_m: WAVELENGTH_M }
    }

    #[test]
    fn one_edge_has_the_values_of_the_recommendation() {
        // Figure 9 of P.526-15: 0 dB at -0.78, 6 at grazing, 13 at 1, 19 at 2; far in the shadow 13 + 20 log10 v.
        for (v, loss_db, within_db) in
            [(-1.0, 0.0, 1e-9), (-0.78, 0.0, 0.01), (0.0, 6.03, 0.01), (1.0, 13.9, 0.1), (2.0, 19.0, 0.2), (50.0, 46.9, 0.1)]
        {
            assert!((knife_edge_db(v) - loss_db).abs() < within_db, "v = {v}: {} dB", knife_edge_db(v));
        }
        // 10 m above the line, 100 m from one end and 50 m from the other.
        let v = 10.0 * (2.0 / WAVELENGTH_M * (1.0 / 100.0 + 1.0 / 50.0)).sqrt();
        let found = plane(1.5, 1.5, 150.0).loss_db(&[at(100.0, 11.5)]);
        assert!((found - knife_edge_db(v)).abs() < 1e-9, "{found}");
    }

    #[test]
    fn two_deep_edges_lose_what_each_loses_and_the_spreading_between_them() {
        // Section 4.3's first method: each edge between its neighbours, and 10 log10((a + b)(b + c) / (b (a + b + c))).
        for (a, b, c, first_m, second_m) in
            [(80.0, 60.0, 90.0, 20.0, 18.0), (40.0, 100.0, 40.0, 12.0, 12.0), (150.0, 30.0, 60.0, 15.0, 25.0)]
        {
            let (one, two) = (at(a, first_m), at(a + b, second_m));
            let whole = plane(1.5, 1.5, a + b + c);
            let single = |from, to, edge| VerticalPlane { from, to, ..whole }.loss_db(&[edge]);
            let spreading_db = 10.0 * ((a + b) * (b + c) / (b * (a + b + c))).log10();
            let expected = single(whole.from, two, one) + single(one, whole.to, two) + spreading_db;
            let found = whole.loss_db(&[one, two]);
            assert!((found - expected).abs() < 3.0, "{a}, {b}, {c}: {found} dB, expected {expected}");
        }
    }

    #[test]
    fn the_upper_bound_is_one() {
        for step in 0..4000 {
            let v = CLEAR_V + 0.01 + 0.02 * f64::from(step);
            let (bound_db, loss_db) = (most_knife_edge_db(v), knife_edge_db(v));
            assert!(bound_db >= loss_db && bound_db < loss_db + 0.6, "v = {v}: {bound_db} and {loss_db} dB");
            assert!(least_v(bound_db) < v && most_knife_edge_db(least_v(loss_db)) <= loss_db.max(1e-9), "v = {v}");
        }
    }

    #[test]
    fn the_worst_second_edges_are_found_among_all() {
        let mut state = 7_u64;
        let mut unit = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 11) as f64 / (1_u64 << 53) as f64
        };
        for count in (0..400).map(|i| i % 40 + 1) {
            let whole = plane(1.0 + 40.0 * unit(), 1.5, 200.0);
            let mut edges: Vec<PlanePoint> = (0..count).map(|_| at(1.0 + 198.0 * unit(), 2.0 + 30.0 * unit())).collect();
            edges.sort_by(|a, b| a.distance_m.total_cmp(&b.distance_m));
            let (index, v) = whole.main_edge(&edges).unwrap();
            let expected = (0..count).fold(0, |best, i| if whole.order(edges[i]) > whole.order(edges[best]) { i } else { best });
            assert_eq!(index, expected);
            let top = edges[index];
            let most_db = |plane: VerticalPlane, edges: &[PlanePoint]| {
                let loss_db = |edge: &PlanePoint| {
                    let second_v = plane.v(plane.order(*edge));
                    let counts = second_v > CLEAR_V;
                    if counts { knife_edge_db(second_v) - whole.correction_db([v, whole.v(whole.order(*edge))], top, *edge) } else { 0.0 }
                };
                edges.iter().map(loss_db).fold(0.0, f64::max)
            };
            let others_db = most_db(VerticalPlane { to: top, ..whole }, &edges[..index])
                + most_db(VerticalPlane { from: top, ..whole }, &edges[index + 1..]);
            let main_db = knife_edge_db(v);
            let expected_db = if main_db == 0.0 { 0.0 } else { main_db + others_db * (main_db / knife_edge_db(0.0)).min(1.0) };
            assert!((whole.loss_db(&edges) - expected_db).abs() < 1e-9, "{count} edges: {} and {expected_db} dB", whole.loss_db(&edges));
        }
    }

    #[test]
    fn lines_that_rise_enough_lose_nothing_by_an_edge() {
        let from = at(0.0, 20.0);
        for (distance_m, height_m) in [(0.01, 20.0), (3.0, 18.0), (40.0, 25.0), (90.0, 3.0)] {
            let edge = at(distance_m, height_m);
            let rise = clear_rise(from, edge, WAVELENGTH_M);
            for length_m in [0.3, 1.0, 5.0, 45.0, 91.0, 400.0].into_iter().filter(|&length_m| length_m > distance_m) {
                let to = |rise: f64| VerticalPlane { from, to: at(length_m, 20.0 + rise * length_m), wavelength_m: WAVELENGTH_M };
                assert_eq!(to(rise).loss_below_db(&[edge]), 0.0, "{edge:?} on {length_m} m");
            }
            // On a long way the bound is nearly met.
            let long = VerticalPlane { from, to: at(1e6, 20.0 + (rise - 0.1 / distance_m) * 1e6), wavelength_m: WAVELENGTH_M };
            assert!(long.loss_db(&[edge]) > 0.0, "{edge:?}");
        }
    }

    #[test]
    fn edges_in_a_row_lose_what_path_integrals_say_and_edges_a_hair_apart_what_one_does() {
        // Lee, 1978: of n edges of one height, evenly spaced at grazing incidence, the field keeps 1 / (n + 1).
        let found = plane(10.0, 10.0, 90.0).loss_db(&[at(30.0, 10.0), at(60.0, 10.0)]);
        assert!((found - 20.0 * 3f64.log10()).abs() < 0.2, "{found} dB");
        let whole = plane(1.5, 1.5, 100.0);
        let (one, two) = (whole.loss_db(&[at(50.0, 20.0)]), whole.loss_db(&[at(50.0, 20.0), at(50.001, 20.0)]));
        assert!((one - two).abs() < 0.5, "{one} and {two} dB");
        // Steeply down behind a tall edge as well.
        let steep = plane(2.0, 3.0, 50.0);
        let (one, two) = (steep.loss_db(&[at(25.0, 20.0)]), steep.loss_db(&[at(25.0, 20.0), at(25.002, 20.0)]));
        assert!((one - two).abs() < 0.5, "{one} and {two} dB");
    }

    #[test]
    fn the_loss_is_mutual_and_changes_smoothly_with_height() {
        let edges = [at(30.0, 12.0), at(44.0, 12.0), at(90.0, 18.0), at(100.0, 18.0)];
        let mirrored: Vec<PlanePoint> = edges.iter().rev().map(|edge| at(130.0 - edge.distance_m, edge.height_m)).collect();
        let mut last: Option<f64> = None;
        for step in 0..1200 {
            let height_m = 1.5 + 0.05 * f64::from(step);
            let (there, back) = (plane(height_m, 1.5, 130.0).loss_db(&edges), plane(1.5, height_m, 130.0).loss_db(&mirrored));
            assert!((there - back).abs() < 1e-9, "{height_m} m: {there} and {back} dB");
            assert!(last.is_none_or(|last| (there - last).abs() < 1.5), "{height_m} m: {there} after {last:?} dB");
            last = Some(there);
        }
    }
}

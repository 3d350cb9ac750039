//! The direct line over the roofs: line of sight, less what the roofs in the vertical plane take by knife-edge diffraction.
//!
//! Among roofs of different heights the tightest line over them counts beside it, by the law of turns: the wavefront climbs each roof on the
//! way where that is best, which is not always where that line does.
//!
//! In flow the loss of the other paths; out flows the lesser loss. Pixels out of sight may gain by it; pixels in sight lose what
//! roofs in the first Fresnel zone take, so that nothing jumps where sight ends behind a roof.
//!
//! A profile for each pixel would cost as many steps as the map has pixels a side. Pixels in nearly one direction share one: rays
//! leave the transmitter so densely that at the map's edge no pixel is farther than half a pixel from its own.

use super::levels::Levels;
use super::roofs::Slope;
use crate::arithmetic;
use crate::geometry::csr::Csr;
use crate::geometry::inset::center;
use crate::geometry::pixel_set::PixelSet;
use crate::propagation::frequency::LAW_WAVELENGTH_M;
use crate::propagation::knife_edge::{LEAST_DISTANCE_M, PlanePoint, VerticalPlane, clear_rise, least_knife_edge_db};
use crate::propagation::law::DominantPathLaw;
use crate::scene::Grid;
use geo::Coord;

/// Out of sight, the profile of a ray beside the pixel may pass a roof by so little, as v, and still be taken for one that touches it.
const LEAST_V: f64 = -0.4;
/// Rays to each side of the square around the transmitter, a pixel of the map's side.
const RAYS_A_PIXEL: usize = 2;

/// What a search for paths over roofs works on; coordinates are in pixels.
struct Profiles<'a> {
    levels: &'a Levels<'a>,
    grid: Grid,
    transmitter: Coord<f64>,
}

/// What the edges of a ray up to one of them amount to, seen from the transmitter.
#[derive(Clone, Copy)]
struct Skyline {
    /// The edge of largest elevation, by its index.
    highest: usize,
    /// Lines that rise at least so much per metre are clear of all of them.
    clear_rise: f64,
}

/// Lowers the loss of pixels out of sight to that of their direct line over the roofs, where that is less, and raises the loss of
/// pixels in sight by what roofs close to the line take.
pub fn lower(
    loss_db: &mut [f64],
    in_sight: &PixelSet,
    is_built: impl Fn(usize) -> bool,
    grid: Grid,
    law: &DominantPathLaw,
    levels: &Levels,
    transmitter: Coord<f64>,
) {
    let profiles = Profiles { levels, grid, transmitter };
    let rise_m = levels.receivers_m - levels.transmitter_m;
    // Where all roofs are higher than both antennas, none is below a line of sight, and each edge is at least so far above the line.
    let least_above_m = levels.lowest_roof_m - levels.transmitter_m.max(levels.receivers_m);
    // Over level roofs to a receiver that is not higher, the wavefront's climb is the tightest line.
    let may_be_tighter = rise_m > 0.0 || levels.lowest_roof_m != levels.highest_roof_m;
    let matters = |&pixel: &usize| {
        if is_built(pixel) || (in_sight.contains(pixel) && least_above_m > 0.0) {
            return false;
        }
        let run_m = profiles.run_m(pixel);
        if may_be_tighter && law.least_loss_db(run_m, 0.0) < loss_db[pixel] {
            return true;
        }
        let most_order = 4.0 * least_above_m * least_above_m / run_m;
        least_above_m <= 0.0 || law.least_open_db(run_m) + least_knife_edge_db(most_order, LAW_WAVELENGTH_M) < loss_db[pixel]
    };
    let by_ray: Vec<(u32, u32)> = (0..grid.pixels()).filter(matters).map(|pixel| (profiles.ray_of(pixel) as u32, pixel as u32)).collect();
    let rays = 4 * RAYS_A_PIXEL * grid.size;
    let by_ray = Csr::new(rays, by_ray.iter().copied());
    let (mut edges, mut skyline, mut pixels, mut line) = (Vec::new(), Vec::new(), Vec::new(), TightLine::new(law));
    for ray in (0..rays).filter(|&ray| !by_ray.row(ray).is_empty()) {
        profiles.edges_along(ray, &mut edges);
        profiles.skyline(&edges, &mut skyline);
        pixels.clear();
        pixels.extend(by_ray.row(ray).iter().map(|&pixel| (profiles.run_m(pixel as usize), pixel as usize)));
        pixels.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        line.start(profiles.plane(0.0).from);
        let mut crossed = 0;
        for &(run_m, pixel) in &pixels {
            let between = &edges[..edges.partition_point(|edge: &PlanePoint| edge.distance_m < run_m)];
            let Some(&last) = between.last() else { continue };
            let Skyline { highest, clear_rise } = skyline[between.len() - 1];
            let plane = profiles.plane(run_m);
            if in_sight.contains(pixel) {
                if run_m >= LEAST_DISTANCE_M && rise_m >= clear_rise * run_m {
                    continue;
                }
                loss_db[pixel] += plane.loss_below_db(between);
                continue;
            }
            for &edge in &between[crossed..] {
                line.lead_over(edge);
            }
            crossed = between.len();
            if rise_m > 0.0 || !line.is_level {
                let touches = || plane.main_edge(between).is_some_and(|(_, v)| v > LEAST_V);
                line.lower(&mut loss_db[pixel], plane.to, touches);
            }
            // The edge next to the receiver alone is mostly too much, or the one that stands highest before the transmitter.
            let least_db = law.least_open_db(run_m);
            let too_much = |edge: PlanePoint| least_db + least_knife_edge_db(plane.order(edge), LAW_WAVELENGTH_M) >= loss_db[pixel];
            if too_much(last) || too_much(edges[highest]) {
                continue;
            }
            if let Some((edge, v)) = plane.main_edge(between).filter(|&(_, v)| v > LEAST_V) {
                let open_db = -law.line_of_sight.gain_db(if rise_m == 0.0 { run_m } else { arithmetic::length(run_m, rise_m) });
                loss_db[pixel] = loss_db[pixel].min(open_db + plane.loss_over_db(between, (edge, v.max(0.0))));
            }
        }
    }
}

/// The tightest line over the roofs of a ray, by the law of turns: from the transmitter up to the last of the edges that it was given, and
/// from there to any receiver.
struct TightLine<'a> {
    law: &'a DominantPathLaw,
    /// Where it turns, the transmitter first.
    points: Vec<PlanePoint>,
    /// What the line is up to as many of them as were asked for.
    up_to: Vec<LinePoint>,
    /// Whether all edges so far are equally high.
    is_level: bool,
}

/// The line up to a point.
#[derive(Clone, Copy)]
struct LinePoint {
    length_m: f64,
    /// Without the turn here.
    turns_db: f64,
    /// The leg that leads here.
    leg: Slope,
}

impl<'a> TightLine<'a> {
    fn new(law: &'a DominantPathLaw) -> Self {
        Self { law, points: Vec::new(), up_to: Vec::new(), is_level: true }
    }

    fn start(&mut self, from: PlanePoint) {
        self.points.clear();
        self.points.push(from);
        self.up_to.clear();
        self.up_to.push(LinePoint { length_m: 0.0, turns_db: 0.0, leg: Slope::new(0.0, 0.0) });
        self.is_level = true;
    }

    /// Leads on over an edge, farther than those before.
    fn lead_over(&mut self, edge: PlanePoint) {
        self.is_level &= self.points.len() == 1 || self.points[self.points.len() - 1].height_m == edge.height_m;
        self.points.truncate(self.tangent(edge) + 1);
        self.up_to.truncate(self.points.len());
        self.points.push(edge);
    }

    /// Lowers a loss in dB to that of the line up to a receiver behind all edges. A line without a turn needs an edge that it touches:
    /// elsewhere a building beside the ray is in the way, not one below it.
    fn lower(&mut self, loss_db: &mut f64, receiver: PlanePoint, touches: impl Fn() -> bool) {
        let last = self.tangent(receiver);
        for before in self.up_to.len() - 1..last {
            self.up_to.push(self.after(before, self.points[before + 1]));
        }
        // Much cheaper than the loss: a bound without the last turn.
        if self
            .law
            .least_loss_db(self.up_to[last].length_m + (receiver.distance_m - self.points[last].distance_m), self.up_to[last].turns_db)
            >= *loss_db
        {
            return;
        }
        if last == 0 && !touches() {
            return;
        }
        let LinePoint { length_m, turns_db, .. } = self.after(last, receiver);
        if self.law.least_loss_db(length_m, turns_db) < *loss_db {
            *loss_db = loss_db.min(self.law.loss_db(length_m, turns_db));
        }
    }

    /// The last point of the line that a line to a farther point turns at.
    fn tangent(&self, to: PlanePoint) -> usize {
        let below = |a: PlanePoint, b: PlanePoint, c: PlanePoint| {
            (b.height_m - a.height_m) * (c.distance_m - a.distance_m) <= (c.height_m - a.height_m) * (b.distance_m - a.distance_m)
        };
        let mut last = self.points.len() - 1;
        while last > 0 && below(self.points[last - 1], self.points[last], to) {
            last -= 1;
        }
        last
    }

    /// The line that goes straight from one of its points to another.
    fn after(&self, last: usize, to: PlanePoint) -> LinePoint {
        let (at, from) = (self.points[last], self.up_to[last]);
        let leg = Slope::new(to.distance_m - at.distance_m, to.height_m - at.height_m);
        let turn_db = if last == 0 { 0.0 } else { self.turn_db(from.leg, leg) };
        LinePoint { length_m: from.length_m + leg.length_m, turns_db: from.turns_db + turn_db, leg }
    }

    fn turn_db(&self, from: Slope, to: Slope) -> f64 {
        let cosine = from.cosine * to.cosine + from.sine * to.sine;
        let sine = from.cosine * to.sine - from.sine * to.cosine;
        self.law.turn_db(cosine) - (1.0 - Slope::share_of_offset(sine)) * self.law.turn_offset_db
    }
}

impl Profiles<'_> {
    /// The number of the ray nearest to the direction of a pixel: counted along the sides of a square around the transmitter.
    fn ray_of(&self, pixel: usize) -> usize {
        let step = center(pixel, self.grid.size) - self.transmitter;
        let a_side = RAYS_A_PIXEL * self.grid.size;
        let (side, along) = if step.x.abs() >= step.y.abs() {
            (if step.x >= 0.0 { 0 } else { 1 }, step.y / step.x.abs().max(1e-9))
        } else {
            (if step.y >= 0.0 { 2 } else { 3 }, step.x / step.y.abs())
        };
        side * a_side + (((along + 1.0) / 2.0 * a_side as f64) as usize).min(a_side - 1)
    }

    /// A vector along a ray, 1 long in its larger coordinate.
    fn direction(&self, ray: usize) -> Coord<f64> {
        let a_side = RAYS_A_PIXEL * self.grid.size;
        let along = ((ray % a_side) as f64 + 0.5) / a_side as f64 * 2.0 - 1.0;
        match ray / a_side {
            0 => Coord { x: 1.0, y: along },
            1 => Coord { x: -1.0, y: along },
            2 => Coord { x: along, y: 1.0 },
            _ => Coord { x: along, y: -1.0 },
        }
    }

    /// Distance of a pixel along the ground, metres.
    fn run_m(&self, pixel: usize) -> f64 {
        let step = center(pixel, self.grid.size) - self.transmitter;
        (step.x * step.x + step.y * step.y).sqrt() * self.grid.meters_per_pixel
    }

    /// The vertical plane to a receiver at a distance.
    fn plane(&self, run_m: f64) -> VerticalPlane {
        let from = PlanePoint { distance_m: 0.0, height_m: self.levels.transmitter_m };
        let to = PlanePoint { distance_m: run_m, height_m: self.levels.receivers_m };
        VerticalPlane { from, to, wavelength_m: LAW_WAVELENGTH_M }
    }

    /// For each edge, the skyline of the edges up to it.
    fn skyline(&self, edges: &[PlanePoint], skyline: &mut Vec<Skyline>) {
        skyline.clear();
        let from = PlanePoint { distance_m: 0.0, height_m: self.levels.transmitter_m };
        let above =
            |a: PlanePoint, b: PlanePoint| (a.height_m - from.height_m) * b.distance_m > (b.height_m - from.height_m) * a.distance_m;
        let mut so_far = Skyline { highest: 0, clear_rise: f64::NEG_INFINITY };
        for (index, &edge) in edges.iter().enumerate() {
            if above(edge, edges[so_far.highest]) {
                so_far.highest = index;
            }
            so_far.clear_rise = so_far.clear_rise.max(clear_rise(from, edge, LAW_WAVELENGTH_M));
            skyline.push(so_far);
        }
    }

    /// The edges of the roofs along a ray up to the map's edge: where the height changes, as high as the higher side.
    fn edges_along(&self, ray: usize, edges: &mut Vec<PlanePoint>) {
        edges.clear();
        let (size, direction) = (self.grid.size, self.direction(ray));
        let length_m = arithmetic::length(direction.x, direction.y) * self.grid.meters_per_pixel;
        // Distances, in lengths of `direction`, to the next boundary of a column and of a row, and from one to the next.
        let next = |at: f64, step: f64| match step {
            0.0 => (f64::INFINITY, f64::INFINITY),
            _ if step > 0.0 => ((at.floor() + 1.0 - at) / step, 1.0 / step),
            _ => ((at - at.floor()) / -step, 1.0 / -step),
        };
        let (mut to_column, a_column) = next(self.transmitter.x, direction.x);
        let (mut to_row, a_row) = next(self.transmitter.y, direction.y);
        let (mut row, mut column) = (size - 1 - self.transmitter.y.floor() as usize, self.transmitter.x.floor() as usize);
        let (row_step, column_step) = (if direction.y > 0.0 { -1 } else { 1 }, if direction.x > 0.0 { 1 } else { -1 });
        let mut before_m = self.levels.roof_m(row * size + column);
        loop {
            let reached = to_column.min(to_row);
            if to_column <= to_row {
                column = column.wrapping_add_signed(column_step);
                to_column += a_column;
            } else {
                row = row.wrapping_add_signed(row_step);
                to_row += a_row;
            }
            // One step west of the first column is a very large number, too.
            if row >= size || column >= size {
                return;
            }
            let after_m = self.levels.roof_m(row * size + column);
            if after_m != before_m {
                edges.push(PlanePoint { distance_m: reached * length_m, height_m: after_m.max(before_m) });
                before_m = after_m;
            }
        }
    }
}

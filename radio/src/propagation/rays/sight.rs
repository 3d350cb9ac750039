//! What a beam lights: a sweep over its slopes, and the beams that follow by reflection.
//!
//! Between two neighbouring ends of walls, the walls keep their order ([`Sector`]). Walls as high as the highest path end every ray, so
//! the walls beyond the first of them are left out; where all walls are endless, that is the upper envelope of line segments. Lower
//! walls may be passed over, and whether a ray does depends on the length of its whole path ([`super::profile`]). A visitor is
//! therefore told, with every lit point, which walls are on the way ([`Way`]), and judges itself.

use super::beam::{Beam, NARROWEST, Span};
use super::border::RayWalls;
use super::profile::Profile;
use crate::geometry::walls::NONE;
use crate::scene::Grid;
use geo::{Coord, Vector2DOps};
use std::ops::Range;

/// Receives what a traced source lights.
pub trait Visitor {
    /// A pixel that a beam lights; `offset` is its centre from the beam's apex, metres.
    fn pixel(&mut self, beam: &Beam, pixel: usize, offset: Coord<f64>, way: &Way);
    /// A corner that a beam lights.
    fn corner(&mut self, beam: &Beam, corner: u32, offset: Coord<f64>, way: &Way);
}

/// A wall on a leg that a path clears only at some lengths.
#[derive(Clone, Copy, Debug)]
pub struct Passage {
    /// Where the wall is met, as a share of the distance from the apex to the lit point.
    pub share: f64,
    pub top_m: f64,
    /// Whether the path passes over the wall, or meets it below its top and is reflected.
    pub over: bool,
}

/// The walls between a beam's apex and a point, those before its reflections included.
pub struct Way<'a> {
    slope: f64,
    /// Inverse depth of the point.
    depth: f64,
    over: &'a [Span],
    link: Option<&'a Link<'a>>,
}

/// What the beam before a reflection saw.
struct Link<'a> {
    sight: &'a Sight,
    window: u32,
    /// Nothing is passed over, and the mirror is higher than all paths.
    plain: bool,
    before: Option<&'a Link<'a>>,
}

impl Way<'_> {
    /// Whether every passage passes a test.
    pub fn all(&self, mut test: impl FnMut(Passage) -> bool) -> bool {
        let mut passes = |span: &Span, over: bool| test(Passage { share: self.depth / span.at(self.slope), top_m: span.top_m, over });
        if !self.over.iter().all(|span| passes(span, true)) {
            return false;
        }
        let mut link = self.link;
        while let Some(found) = link {
            link = found.before;
            if found.plain {
                continue;
            }
            let Some(sector) = found.sight.sector_at(self.slope) else { return false };
            let spans = found.sight.over[sector.over.clone()].iter().chain([&sector.end]);
            let mut met = false;
            for span in spans {
                met = span.wall == found.window;
                if !passes(span, !met) {
                    return false;
                }
                if met {
                    break;
                }
            }
            if !met {
                return false;
            }
        }
        true
    }
}

/// Neighbouring directions in which a beam meets the same walls in the same order.
#[derive(Debug)]
pub struct Sector {
    pub slopes: [f64; 2],
    /// The walls that may be passed over, the nearest first.
    pub over: Range<usize>,
    /// The wall that ends all rays.
    pub end: Span,
}

/// What one beam sees.
#[derive(Debug, Default)]
pub struct Sight {
    /// In the order of slopes.
    pub sectors: Vec<Sector>,
    pub over: Vec<Span>,
}

impl Sight {
    fn sector_at(&self, slope: f64) -> Option<&Sector> {
        let index = self.sectors.partition_point(|sector| sector.slopes[1] < slope);
        self.sectors.get(index).or(self.sectors.last())
    }
}

/// Buffers that sweeps reuse.
#[derive(Default)]
pub struct Scratch {
    spans: Vec<Span>,
    events: Vec<f64>,
    active: Vec<u32>,
}

/// What rays are followed through.
#[derive(Clone, Copy)]
pub struct Surroundings<'a> {
    pub walls: &'a RayWalls<'a>,
    pub grid: Grid,
    pub profile: Profile,
}

/// A part of a wall that reflects a beam.
struct Mirror {
    wall: u32,
    slopes: [f64; 2],
    reach_m: f64,
    plain: bool,
}

impl Beam {
    /// What the beam meets, up to the first wall that ends its rays.
    fn sight(&self, walls: &RayWalls, profile: &Profile, scratch: &mut Scratch) -> Sight {
        self.collect(walls, [profile.lowest_m(), profile.highest_m()], &mut scratch.spans);
        if self.reach_m < f64::INFINITY {
            self.shorten(walls, profile, &mut scratch.spans);
        }
        self.sweep(scratch)
    }

    /// All walls that the beam meets up to the border, whatever their height.
    pub fn everything(&self, walls: &RayWalls, scratch: &mut Scratch) -> Sight {
        self.collect(walls, [0.0, f64::INFINITY], &mut scratch.spans);
        self.sweep(scratch)
    }

    fn sweep(&self, scratch: &mut Scratch) -> Sight {
        let Scratch { spans, events, active } = scratch;
        events.clear();
        events.extend(spans.iter().flat_map(|span| span.slopes));
        events.sort_unstable_by(f64::total_cmp);
        active.clear();
        let mut sight = Sight::default();
        let mut waiting = 0;
        for pair in events.windows(2) {
            let (from, to) = (pair[0], pair[1]);
            while waiting < spans.len() && spans[waiting].slopes[0] <= from {
                active.push(waiting as u32);
                waiting += 1;
            }
            if to - from < NARROWEST {
                continue;
            }
            let middle = (from + to) / 2.0;
            active.retain(|&i| spans[i as usize].slopes[1] >= to);
            let there = || active.iter().map(|&i| &spans[i as usize]);
            let ends = there().filter(|span| span.ends_rays);
            let Some(end) = ends.max_by(|a, b| a.at(middle).total_cmp(&b.at(middle))) else { continue };
            let first = sight.over.len();
            sight.over.extend(there().filter(|span| !span.ends_rays && span.at(middle) > end.at(middle)));
            sight.over[first..].sort_unstable_by(|a, b| b.at(middle).total_cmp(&a.at(middle)));
            let over = first..sight.over.len();
            match sight.sectors.last_mut() {
                Some(last) if last.over.is_empty() && over.is_empty() && last.end.wall == end.wall && last.slopes[1] == from => {
                    last.slopes[1] = to;
                }
                _ => sight.sectors.push(Sector { slopes: [from, to], over, end: *end }),
            }
        }
        sight
    }

    /// The walls in the beam that are higher than the first of two heights (metres), in the order of their first slopes. Those as high as
    /// the second end every ray.
    fn collect(&self, walls: &RayWalls, [lowest_m, highest_m]: [f64; 2], spans: &mut Vec<Span>) {
        spans.clear();
        for (i, (wall, &top_m)) in walls.walls.iter().zip(&walls.tops_m).enumerate() {
            if top_m > lowest_m {
                spans.extend(self.span(i as u32, wall, top_m, top_m < highest_m));
            }
        }
        if self.window != NONE {
            // Walls meet at their ends only, so one is before the window or behind it as a whole.
            let window = &walls.walls[self.window as usize];
            spans.retain(|span| {
                let middle = (span.slopes[0] + span.slopes[1]) / 2.0;
                let depth = (self.meets(middle, window) - self.apex).dot_product(self.ahead);
                span.at(middle) * depth < 1.0 - 1e-9
            });
        }
        spans.sort_unstable_by(|a, b| a.slopes[0].total_cmp(&b.slopes[0]));
    }

    /// Leaves out walls that no path reaches, and lets walls end all rays that only longer paths would clear.
    fn shorten(&self, walls: &RayWalls, profile: &Profile, spans: &mut Vec<Span>) {
        spans.retain_mut(|span| {
            let [a, b] = walls.walls[span.wall as usize].ends.map(|end| end - self.apex);
            let along = b - a;
            let nearest = a + along * (-a.dot_product(along) / along.magnitude_squared()).clamp(0.0, 1.0);
            let nearest_m = nearest.magnitude_squared().sqrt();
            let clearing_m = profile.least_over(span.top_m) * (self.before_m[0] + nearest_m);
            span.ends_rays |= clearing_m >= self.reach_m;
            nearest_m <= self.limit_m() || !walls.reflects(span.wall)
        });
    }

    /// Visits what the beam and up to `reflections` reflections of it light.
    pub fn trace(&self, around: &Surroundings, reflections: usize, scratch: &mut Scratch, visitor: &mut impl Visitor) {
        self.follow(around, reflections, scratch, visitor, None);
    }

    fn follow(&self, around: &Surroundings, reflections: usize, scratch: &mut Scratch, visitor: &mut impl Visitor, link: Option<&Link>) {
        let Surroundings { walls, grid, profile } = *around;
        let sight = self.sight(walls, &profile, scratch);
        let mut corners: Vec<(u32, usize, usize)> = Vec::new();
        for (index, sector) in sight.sectors.iter().enumerate() {
            let over = &sight.over[sector.over.clone()];
            for passed in 0..=over.len() {
                let near = passed.checked_sub(1).map(|last| &over[last]);
                let far = over.get(passed).unwrap_or(&sector.end);
                // Behind a wall that faces the beam is the inside of its building.
                if near.is_none_or(|near| !near.facing) {
                    let near = near.map_or(self.window, |near| near.wall);
                    self.pixels(sector.slopes, (near, far.wall), walls, grid, |pixel, offset| {
                        visitor.pixel(self, pixel, offset, &self.way(offset, &over[..passed], link));
                    });
                }
                let at_side = |end: usize| far.corners[end] != NONE && far.slopes[end] == sector.slopes[end];
                corners.extend((0..2).filter(|&end| at_side(end)).map(|end| (far.corners[end], index, passed)));
            }
        }
        // A corner between two visible walls is visited once.
        corners.sort_by_key(|&(corner, ..)| corner);
        corners.dedup_by_key(|&mut (corner, ..)| corner);
        for (corner, sector, passed) in corners {
            let over = &sight.over[sight.sectors[sector].over.clone()][..passed];
            let offset = walls.corners[corner as usize].position - self.apex;
            visitor.corner(self, corner, offset, &self.way(offset, over, link));
        }
        if reflections > 0 {
            for mirror in self.mirrors_in(&sight, around) {
                let wall = &walls.walls[mirror.wall as usize];
                let beam = Self { reach_m: mirror.reach_m.min(self.reach_m), ..self.mirrored(mirror.slopes, mirror.wall, wall) };
                let link = Link { sight: &sight, window: mirror.wall, plain: mirror.plain, before: link };
                beam.follow(around, reflections - 1, scratch, visitor, Some(&link));
            }
        }
    }

    fn way<'b>(&self, offset: Coord<f64>, over: &'b [Span], link: Option<&'b Link<'b>>) -> Way<'b> {
        let ahead = offset.dot_product(self.ahead);
        Way { slope: offset.dot_product(self.aside) / ahead, depth: 1.0 / ahead, over, link }
    }

    /// The parts of walls that reflect the beam, those of a wall in one piece where nothing hides it.
    fn mirrors_in(&self, sight: &Sight, around: &Surroundings) -> Vec<Mirror> {
        let Surroundings { walls, profile, .. } = around;
        let mut found: Vec<Mirror> = Vec::new();
        for sector in &sight.sectors {
            let over = &sight.over[sector.over.clone()];
            for (passed, span) in over.iter().chain([&sector.end]).enumerate() {
                if !span.facing || !walls.reflects(span.wall) {
                    continue;
                }
                let reach = profile.reach_below(span.top_m);
                let wall_m = sector.slopes.map(|t| span.distance_m(t));
                let longest_m = wall_m.map(|to_wall_m| if reach == 0.0 { 0.0 } else { reach * (self.before_m[1] + to_wall_m) });
                // Beyond a lower wall, paths clear that wall only where they are longer than those that meet this one. Inverse lengths
                // are straight lines over the slope, so both sides of the sector decide.
                let hidden = self.before_m[1] == 0.0
                    && over[..passed].iter().any(|lower| {
                        let least = profile.least_over(lower.top_m);
                        (0..2).all(|side| longest_m[side] <= least * lower.distance_m(sector.slopes[side]))
                    });
                let reach_m = longest_m[0].max(longest_m[1]);
                if !hidden && reach_m > self.before_m[0] {
                    let plain = passed == 0 && span.top_m >= profile.highest_m();
                    found.push(Mirror { wall: span.wall, slopes: sector.slopes, reach_m, plain });
                }
            }
        }
        found.sort_by_key(|mirror| mirror.wall);
        found.dedup_by(|next, last| {
            let same = next.wall == last.wall && next.plain == last.plain && next.slopes[0] == last.slopes[1];
            if same {
                last.slopes[1] = next.slopes[1];
                last.reach_m = last.reach_m.max(next.reach_m);
            }
            same
        });
        found
    }
}

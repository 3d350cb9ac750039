//! City blocks out of nothing, for training on more streets than the real cities at hand have.
//!
//! A map is one or two districts. Each has its streets ([`streets`]), which cut the ground into convex blocks, and a way of
//! building on a block: [`perimeter`], [`houses`], [`towers`] or [`campus`]; some blocks are built otherwise, some are parks,
//! streets may bend, and a map may have open ground, such as a river or a square. docs/measurements/datasets.md holds the kinds beside
//! RadioMapSeer's maps, by which they were tuned. In flow a kind and random numbers; out flow convex parts of buildings in metres
//! in core's frame, which overlap where a building has more than one.

mod campus;
mod geometry;
mod houses;
mod perimeter;
mod streets;
mod towers;

use crate::random::Random;
use campus::Campus;
use geo::{Coord, Polygon};
use geometry::{HalfPlane, Outline, add, direction, middle};
use houses::Houses;
use perimeter::Perimeter;
use radiodiff_radio::scene::Grid;
use streets::{StreetPattern, Streets};
use towers::Estate;

/// The kind of most of a map's blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Kind {
    /// Straight streets, apartment houses on narrow plots
    Grid,
    /// Blocks lined with houses wall to wall, courtyards inside
    Perimeter,
    /// Irregular blocks, as in old towns
    Organic,
    /// Free-standing houses in gardens along bent streets
    Suburban,
    /// Slabs, towers and halls
    Towers,
    /// Large buildings with wings on lawns
    Campus,
    /// Narrow lanes, blocks built almost whole round small courtyards: denser than RadioMapSeer's maps, so only where it is asked for
    OldTown,
}

impl Kind {
    /// The kinds that were tuned to RadioMapSeer's maps, from which a map's second district is drawn too.
    pub const ALL: [Self; 6] = [Self::Grid, Self::Perimeter, Self::Organic, Self::Suburban, Self::Towers, Self::Campus];

    pub fn name(self) -> &'static str {
        match self {
            Self::Grid => "grid",
            Self::Perimeter => "perimeter",
            Self::Organic => "organic",
            Self::Suburban => "suburban",
            Self::Towers => "towers",
            Self::Campus => "campus",
            Self::OldTown => "old-town",
        }
    }
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// How a block is built on.
#[derive(Clone, Copy, Debug)]
enum Fill {
    Perimeter(Perimeter),
    Houses(Houses),
    Estate(Estate),
    Campus(Campus),
}

impl Fill {
    fn any(random: &mut Random) -> Self {
        match random.below(5) {
            0 => Self::Perimeter(Perimeter::random(random)),
            1 => Self::Houses(Houses::dense(random)),
            2 => Self::Houses(Houses::suburban(random)),
            3 => Self::Campus(Campus::random(random)),
            _ => Self::Estate(Estate::random(random)),
        }
    }

    fn build(&self, block: &[Coord<f64>], random: &mut Random) -> Vec<Outline> {
        match self {
            Self::Perimeter(perimeter) => perimeter.fill(block, random),
            Self::Houses(houses) => houses.fill(block, random),
            Self::Estate(estate) => estate.fill(block, random),
            Self::Campus(campus) => campus.fill(block, random),
        }
    }
}

/// Streets and how the blocks between them are built on.
struct District {
    streets: Streets,
    fill: Fill,
    /// Radius of the bend of what would be straight streets, metres; infinite where they are.
    bend_m: f64,
    /// Shares of blocks built in another way, and of parks.
    others: f64,
    parks: f64,
}

impl District {
    fn random(kind: Kind, random: &mut Random) -> Self {
        let street_m = if kind == Kind::OldTown {
            random.between(2.5, 8.0)
        } else if random.chance(0.4) {
            random.between(4.0, 9.0)
        } else {
            random.between(9.0, 18.0)
        };
        let shear = random.between(-0.15, 0.15);
        let slant = random.between(0.25, 0.6) * if random.chance(0.5) { 1.0 } else { -1.0 };
        // Deep enough for two rows back to back.
        let two_rows = |houses: &Houses, random: &mut Random| 2.0 * (houses.depth_m + houses.setback_m) * random.between(1.2, 1.7);
        let (pattern, block_m, fill) = match kind {
            Kind::Grid => {
                let houses = Houses::dense(random);
                (
                    StreetPattern::Grid { shear: if random.chance(0.7) { 0.0 } else { shear } },
                    two_rows(&houses, random),
                    Fill::Houses(houses),
                )
            }
            Kind::Perimeter => {
                let shear = if random.chance(0.65) { 0.0 } else { slant };
                (StreetPattern::Grid { shear }, random.between(48.0, 90.0), Fill::Perimeter(Perimeter::random(random)))
            }
            Kind::Organic if random.chance(0.5) => {
                (StreetPattern::Organic, random.between(42.0, 75.0), Fill::Perimeter(Perimeter::random(random)))
            }
            Kind::Organic => (StreetPattern::Organic, random.between(45.0, 75.0), Fill::Houses(Houses::dense(random))),
            Kind::Suburban => {
                let houses = Houses::suburban(random);
                (StreetPattern::Grid { shear }, two_rows(&houses, random), Fill::Houses(houses))
            }
            Kind::Towers => (StreetPattern::Grid { shear }, random.between(65.0, 110.0), Fill::Estate(Estate::random(random))),
            Kind::Campus => (StreetPattern::Grid { shear: 0.0 }, random.between(85.0, 140.0), Fill::Campus(Campus::random(random))),
            Kind::OldTown => {
                let pattern = if random.chance(0.5) { StreetPattern::Organic } else { StreetPattern::Grid { shear: slant } };
                (pattern, random.between(30.0, 65.0), Fill::Perimeter(Perimeter::old_town(random)))
            }
        };
        let bent = random.chance(if kind == Kind::Suburban { 0.8 } else { 0.2 });
        let bend_m = if bent { random.between(220.0, 800.0) } else { f64::INFINITY };
        Self {
            streets: Streets { pattern, block_m, street_m },
            fill,
            bend_m,
            others: random.between(0.0, 0.3),
            parks: random.between(0.0, 0.12),
        }
    }

    /// Footprints about the origin, on the part of the ground that is kept.
    fn footprints(&self, kept: Option<HalfPlane>, random: &mut Random) -> Vec<Outline> {
        let mut blocks = self.streets.blocks(random);
        if random.chance(0.35) {
            blocks = streets::cut(&blocks, line_near_the_middle(random), random.between(14.0, 32.0));
        }
        if let Some(kept) = kept {
            blocks = streets::within(&blocks, kept);
        }
        let mut footprints = Vec::new();
        for block in &blocks {
            if random.chance(self.parks) {
                continue;
            }
            let fill = if random.chance(self.others) { Fill::any(random) } else { self.fill };
            footprints.extend(fill.build(block, random));
        }
        footprints.iter_mut().flatten().for_each(|point| *point = bent(*point, self.bend_m));
        footprints
    }
}

/// Bends the plane so that lines of equal y become arcs; the origin stays. The radius must exceed the reach of the blocks.
fn bent(point: Coord<f64>, radius_m: f64) -> Coord<f64> {
    if radius_m.is_infinite() {
        return point;
    }
    let (sin, cos) = (point.x / radius_m).sin_cos();
    Coord { x: (radius_m + point.y) * sin, y: (radius_m + point.y) * cos - radius_m }
}

fn line_near_the_middle(random: &mut Random) -> HalfPlane {
    let normal = direction(random.angle());
    HalfPlane { point: add(Coord { x: 0.0, y: 0.0 }, normal, random.between(-70.0, 70.0)), normal }
}

/// What lies beyond a line near the middle of the map.
enum Beyond {
    TheSame,
    OpenGround,
    AnotherDistrict,
}

/// The parts of a map's buildings, in metres in the grid's frame; some reach over its edge.
pub fn footprints(kind: Kind, grid: Grid, random: &mut Random) -> Vec<Polygon<f64>> {
    let beyond = match random.below(10) {
        0..=4 => Beyond::TheSame,
        5..=6 => Beyond::OpenGround,
        _ => Beyond::AnotherDistrict,
    };
    let border = line_near_the_middle(random);
    let half_street = random.between(5.0, 20.0);
    let kept = if matches!(beyond, Beyond::TheSame) { None } else { Some(border.moved(half_street)) };
    let mut footprints = District::random(kind, random).footprints(kept, random);
    if matches!(beyond, Beyond::AnotherDistrict) {
        let other = Kind::ALL[random.below(Kind::ALL.len())];
        footprints.extend(District::random(other, random).footprints(Some(border.opposite().moved(half_street)), random));
    }
    if random.chance(0.25) {
        let (square, radius_m) = (add(border.point, border.normal, random.between(-60.0, 60.0)), random.between(25.0, 65.0));
        footprints.retain(|outline| {
            let center = middle(outline);
            (center.x - square.x).hypot(center.y - square.y) > radius_m
        });
    }
    let half = grid.extent_m() / 2.0;
    let on_grid = |p: Coord<f64>| Coord { x: p.x + half, y: p.y + half };
    let polygon = |outline: Outline| Polygon::new(outline.into_iter().map(on_grid).collect(), Vec::new());
    footprints.into_iter().map(polygon).collect()
}

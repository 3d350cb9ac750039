//! City blocks out of nothing, for training on more streets than the real cities at hand have.
//!
//! A map is one or two districts. Each has its streets ([`streets`]), which cut the ground into convex blocks, and a way of
//! building on a block: [`perimeter`], [`houses`] or [`towers`]; some blocks are built otherwise, some are parks, and a map may
//! have open ground, such as a river or a square. Shapes are of RadioMapSeer's kind: its maps are 14 to 35 % built.
//! In flow a kind and random numbers; out flow footprints in metres in core's frame.

mod geometry;
mod houses;
mod perimeter;
mod streets;
mod towers;

use super::random::Random;
use geo::{Coord, LineString, Polygon};
use geometry::{HalfPlane, Outline, add, direction, middle};
use houses::Houses;
use perimeter::Perimeter;
use radiodiff_core::scene::{Building, Grid};
use streets::{Layout, Streets};
use towers::Estate;

/// What a map mostly looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A grid of blocks lined with houses, courtyards inside.
    Perimeter,
    /// The same on slanted streets.
    Slanted,
    /// Rows of free-standing houses.
    Houses,
    /// Slabs, towers and halls.
    Towers,
    /// Irregular blocks, as in old towns.
    Organic,
}

impl Kind {
    pub const ALL: [Self; 5] = [Self::Perimeter, Self::Slanted, Self::Houses, Self::Towers, Self::Organic];
}

/// How a block is built on.
#[derive(Clone, Copy, Debug)]
enum Fill {
    Perimeter(Perimeter),
    Houses(Houses),
    Estate(Estate),
}

impl Fill {
    fn any(random: &mut Random) -> Self {
        match random.below(3) {
            0 => Self::Perimeter(Perimeter::random(random)),
            1 => Self::Houses(Houses::random(random)),
            _ => Self::Estate(Estate::random(random)),
        }
    }

    fn build(&self, block: &[Coord<f64>], random: &mut Random) -> Vec<Outline> {
        match self {
            Self::Perimeter(perimeter) => perimeter.fill(block, random),
            Self::Houses(houses) => houses.fill(block, random),
            Self::Estate(estate) => estate.fill(block, random),
        }
    }
}

/// Streets and how the blocks between them are built on.
struct District {
    streets: Streets,
    fill: Fill,
    /// Shares of blocks built in another way, and of parks.
    others: f64,
    parks: f64,
}

impl District {
    fn random(kind: Kind, random: &mut Random) -> Self {
        let street_m = if random.chance(0.3) { random.between(4.0, 9.0) } else { random.between(9.0, 20.0) };
        let shear = random.between(-0.15, 0.15);
        let slant = random.between(0.25, 0.6) * if random.chance(0.5) { 1.0 } else { -1.0 };
        let (layout, block_m, fill) = match kind {
            Kind::Perimeter => (Layout::Grid { shear: 0.0 }, random.between(45.0, 85.0), Fill::Perimeter(Perimeter::random(random))),
            Kind::Slanted if random.chance(0.6) => {
                (Layout::Grid { shear: slant }, random.between(45.0, 85.0), Fill::Perimeter(Perimeter::random(random)))
            }
            Kind::Slanted => (Layout::Grid { shear: slant }, random.between(40.0, 70.0), Fill::Houses(Houses::random(random))),
            Kind::Houses => {
                let houses = Houses::random(random);
                // Deep enough for two rows back to back.
                let block_m = 2.0 * (houses.depth_m + houses.setback_m) * random.between(1.25, 1.9);
                (Layout::Grid { shear }, block_m, Fill::Houses(houses))
            }
            Kind::Towers => (Layout::Grid { shear }, random.between(70.0, 120.0), Fill::Estate(Estate::random(random))),
            Kind::Organic if random.chance(0.7) => {
                (Layout::Organic, random.between(42.0, 75.0), Fill::Perimeter(Perimeter::random(random)))
            }
            Kind::Organic => (Layout::Organic, random.between(45.0, 75.0), Fill::Houses(Houses::random(random))),
        };
        let others = random.between(0.0, 0.3);
        let parks = random.between(0.0, 0.25);
        Self { streets: Streets { layout, block_m, street_m }, fill, others, parks }
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
        footprints
    }
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

/// The buildings of a map, in metres in the grid's frame; some reach over its edge.
pub fn buildings(kind: Kind, grid: Grid, random: &mut Random) -> Vec<Building> {
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
    let building = |outline: Outline| {
        let exterior: LineString<f64> = outline.into_iter().map(|p| Coord { x: p.x + half, y: p.y + half }).collect();
        Building { footprint: Polygon::new(exterior, Vec::new()), height_m: None, levels: None }
    };
    footprints.into_iter().map(building).collect()
}

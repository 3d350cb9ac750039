//! The pixels in sight of an antenna over and between buildings of different heights.
//!
//! A building is a prism: its footprint from the ground to its roof. A ray between two antennas is blocked where it is lower than
//! the roof over the footprint, so the shadow of a wall ends where the ray clears the wall's top. The ray is lowest in a prism at
//! the wall nearest to the lower antenna; only those walls are looked at, the far walls of a building below the transmitter and the
//! near walls of one that the receivers look down on. In flow the walls of all prisms; out flows a set of pixels.

use super::angular_cover::AngularCover;
use super::footprints::{footprints_agree, rings, roof_m};
use super::outline::outlines_for_rays;
use super::pixel_set::PixelSet;
use super::shadow::{Reach, mark_hidden};
use crate::scene::{BuildingMask, Grid, Scene};
use geo::orient::Direction;
use geo::{Coord, LineString, Orient};

/// A wall of a prism, in pixels from the map's south-west corner, with the building on the left of the way.
#[derive(Clone, Copy, Debug)]
pub struct PrismWall {
    pub from: Coord<f64>,
    pub to: Coord<f64>,
    /// Height of the roof above the ground, metres.
    pub top_m: f64,
}

/// The walls of all prisms of a scene: of its footprints, where they are what the mask says, else of the raster of its roofs.
pub fn prism_walls(scene: &Scene) -> Vec<PrismWall> {
    let mut walls = Vec::new();
    let mut add = |ring: &LineString<f64>, top_m: f64| {
        let point = |corner: Coord<f64>| corner / scene.grid.meters_per_pixel;
        walls.extend(ring.lines().map(|line| PrismWall { from: point(line.start), to: point(line.end), top_m }));
    };
    if footprints_agree(scene) {
        for building in &scene.buildings {
            let Some(top_m) = roof_m(scene, building) else { continue };
            rings(&building.footprint.orient(Direction::Default)).for_each(|ring| add(ring, top_m));
        }
    } else {
        for (top_m, mask) in levels(scene) {
            outlines_for_rays(&mask, scene.grid).iter().for_each(|ring| add(ring, top_m));
        }
    }
    walls
}

/// What is built at each height of the raster of roofs.
pub fn levels(scene: &Scene) -> Vec<(f64, BuildingMask)> {
    let meters = scene.roofs.meters();
    let mut heights: Vec<f32> = meters.iter().copied().filter(|&height_m| height_m > 0.0).collect();
    heights.sort_unstable_by(f32::total_cmp);
    heights.dedup();
    let mask = |height_m: f32| {
        let pixels = meters.iter().map(|&other| u8::from(other == height_m)).collect();
        (f64::from(height_m), BuildingMask { size: scene.mask.size, pixels })
    };
    heights.into_iter().map(mask).collect()
}

/// A wall as a point sees it.
struct PrismFacing {
    left: Coord<f64>,
    right: Coord<f64>,
    nearest: f64,
    farthest: f64,
    reach: Reach,
}

impl PrismFacing {
    /// `None` for a wall on the other side of its building, and for one that hides nothing.
    fn new(wall: &PrismWall, from: Coord<f64>, [from_m, to_m]: [f64; 2]) -> Option<Self> {
        let (a, b) = (wall.from - from, wall.to - from);
        let turn = a.x * b.y - a.y * b.x;
        let (left, right) = match (from_m > to_m, turn < 0.0) {
            (false, true) => (a, b),
            (true, false) if turn > 0.0 => (b, a),
            _ => return None,
        };
        let square = |v: Coord<f64>| v.x * v.x + v.y * v.y;
        let along = b - a;
        let foot = (-(a.x * along.x + a.y * along.y) / square(along)).clamp(0.0, 1.0);
        let nearest = square(a + along * foot);
        Some(Self { left, right, nearest, farthest: square(left).max(square(right)), reach: reach(wall.top_m, [from_m, to_m])? })
    }
}

/// Where the shadow of a wall lies on the plane of the receivers; `None` where rays clear the wall.
fn reach(top_m: f64, [from_m, to_m]: [f64; 2]) -> Option<Reach> {
    if top_m <= from_m.min(to_m) {
        return None;
    }
    // A ray to k times the wall's distance is at from + (to - from) / k over the wall.
    let even = (to_m - from_m) / (top_m - from_m);
    Some(match (top_m > from_m, top_m >= to_m) {
        (true, true) => Reach { nearest: 1.0, farthest: f64::INFINITY },
        (true, false) => Reach { nearest: even, farthest: f64::INFINITY },
        (false, _) if top_m == from_m => Reach { nearest: 1.0, farthest: f64::INFINITY },
        (false, _) => Reach { nearest: 1.0, farthest: even },
    })
}

/// The pixels of `outdoors` whose receiver is in sight of an antenna at `from`, in pixels. `heights_m` are the antenna's and the
/// receivers' above the ground.
pub fn visible_over(walls: &[PrismWall], outdoors: &PixelSet, grid: Grid, from: Coord<f64>, heights_m: [f64; 2]) -> PixelSet {
    let mut visible = outdoors.clone();
    let mut facing: Vec<PrismFacing> = walls.iter().filter_map(|wall| PrismFacing::new(wall, from, heights_m)).collect();
    facing.sort_by(|a, b| a.nearest.total_cmp(&b.nearest));
    // As in `visible_from`: walls of endless shadow that are nearer than all that follow cover what is behind them.
    let (mut cover, mut waiting) = (AngularCover::default(), Vec::<&PrismFacing>::new());
    for wall in &facing {
        waiting.retain(|other| {
            let nearer = other.farthest <= wall.nearest;
            if nearer {
                cover.block(other.right, other.left);
            }
            !nearer
        });
        if !cover.blocks(wall.right, wall.left) {
            mark_hidden(&mut visible, grid.size, from, [wall.left, wall.right], wall.reach);
            if wall.reach == Reach::ENDLESS {
                waiting.push(wall);
            }
        }
    }
    visible
}

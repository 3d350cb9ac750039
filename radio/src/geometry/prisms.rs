//! Buildings as prisms for ray tracing: walls with a top, and what they are made of.
//!
//! In flow a scene's footprints with their heights, or the raster of its roofs where the footprints are not what is built; out flow
//! [`Walls`] in metres, each with the height of its roof. Where buildings overlap, the taller one keeps the ground, so that no two
//! prisms share an inside. Buildings of one height and material are united, as [`super::footprints`] does with all of them: terraced
//! houses have no corner between them. A corner beside a lower building shows only above that building's roof.

use super::footprints::{footprints_agree, rings, roof_m, tidy, union_of};
use super::outline::outlines_for_rays;
use super::prism_sight::levels;
use super::walls::Walls;
use crate::arithmetic;
use crate::scene::{Scene, WallMaterial};
use geo::orient::Direction;
use geo::{BooleanOps, BoundingRect, Contains, Coord, Intersects, MultiPolygon, Orient, Polygon, Rect};

/// How far beside a wall it is looked for what stands there, metres.
const BESIDE_M: f64 = 0.02;

/// The walls of prisms. Indices are those of `walls`.
#[derive(Clone, Debug, Default)]
pub struct Prisms {
    pub walls: Walls,
    /// Per wall, the height of its roof above the ground, metres.
    pub tops_m: Vec<f64>,
    /// Per wall, what the source says it is made of.
    pub materials: Vec<Option<WallMaterial>>,
    /// Per corner, the height above which it shows, metres; infinite for a corner that does not.
    pub bottoms_m: Vec<f64>,
}

/// One prism.
struct Block {
    footprint: Polygon<f64>,
    bounds: Rect<f64>,
    top_m: f64,
    material: Option<WallMaterial>,
}

impl Prisms {
    pub fn new(scene: &Scene) -> Self {
        let blocks = if footprints_agree(scene) { blocks(scene) } else { Vec::new() };
        let mut prisms = Self::default();
        if blocks.is_empty() {
            for (top_m, mask) in levels(scene) {
                let rings: Vec<_> = outlines_for_rays(&mask, scene.grid).iter().map(tidy).filter(|ring| !ring.0.is_empty()).collect();
                prisms.add(&rings, top_m, None);
            }
            prisms.bottoms_m = vec![0.0; prisms.walls.corners.len()];
            return prisms;
        }
        for block in &blocks {
            let rings: Vec<_> = rings(&block.footprint).map(tidy).filter(|ring| !ring.0.is_empty()).collect();
            prisms.add(&rings, block.top_m, block.material);
        }
        prisms.bottoms_m = (0..prisms.walls.corners.len()).map(|corner| prisms.bottom_m(corner, &blocks)).collect();
        prisms
    }

    fn add(&mut self, rings: &[geo::LineString<f64>], top_m: f64, material: Option<WallMaterial>) {
        self.walls.add(rings);
        self.tops_m.resize(self.walls.walls.len(), top_m);
        self.materials.resize(self.walls.walls.len(), material);
    }

    /// The highest roof that touches either face of a corner from outside; infinite where that is no lower than the corner.
    fn bottom_m(&self, corner: usize, blocks: &[Block]) -> f64 {
        let corner = &self.walls.corners[corner];
        let [first, last] = corner.walls.map(|wall| &self.walls.walls[wall as usize]);
        let back = (last.ends[0] - last.ends[1]) / length(last.ends[0] - last.ends[1]);
        let beside = [corner.face + first.normal, back + last.normal].map(|step| corner.position + step * BESIDE_M);
        let covers = |block: &&Block| beside.iter().any(|point| block.bounds.intersects(point) && block.footprint.contains(point));
        let covered_m = blocks.iter().filter(covers).map(|block| block.top_m).fold(0.0, f64::max);
        if covered_m < self.tops_m[corner.walls[0] as usize] { covered_m } else { f64::INFINITY }
    }
}

fn length(step: Coord<f64>) -> f64 {
    arithmetic::length(step.x, step.y)
}

/// The scene's footprints, united by height and material, without the ground of taller ones.
fn blocks(scene: &Scene) -> Vec<Block> {
    let mut buildings: Vec<(f64, Option<WallMaterial>, &Polygon<f64>)> = Vec::new();
    for building in &scene.buildings {
        if let Some(top_m) = roof_m(scene, building) {
            buildings.push((top_m, building.material, &building.footprint));
        }
    }
    buildings.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let mut blocks: Vec<Block> = Vec::new();
    for group in buildings.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)) {
        let (top_m, material, _) = group[0];
        let united = union_of(group.iter().map(|&(_, _, footprint)| footprint));
        let taller = blocks.len();
        for footprint in united {
            let Some(bounds) = footprint.bounding_rect() else { continue };
            let cutters: Vec<Polygon<f64>> =
                blocks[..taller].iter().filter(|block| block.bounds.intersects(&bounds)).map(|block| block.footprint.clone()).collect();
            let left = match cutters.is_empty() {
                true => MultiPolygon::new(vec![footprint]),
                false => footprint.difference(&MultiPolygon::new(cutters)).orient(Direction::Default),
            };
            for footprint in left {
                if let Some(bounds) = footprint.bounding_rect() {
                    blocks.push(Block { footprint, bounds, top_m, material });
                }
            }
        }
    }
    blocks
}

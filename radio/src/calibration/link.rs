//! What lies between a cell's antenna and a place on the map.
//!
//! In flow a prepared scene and the antenna's place; out flows a [`Link`] per place: distance, bearing, the roofs on the straight way
//! as edges of the vertical plane, the length of that way below roofs, the open ground around the place, and what the dominant path
//! loses beyond free space. The law ([`super::law`]) makes power of them.

use crate::arithmetic;
use crate::geometry::{PreparedScene, wall_distance};
use crate::propagation::{DominantPath, LogDistanceLaw, PropagationError, PropagationModel};
use crate::scene::{ANTENNA_HEIGHT_M, BuildingMask, Grid, LinkEnds, Scene, Transmitter};
use geo::Coord;

/// The way to a place is looked at in steps of this part of a pixel.
const STEP_PIXELS: f64 = 0.5;
/// Losses beyond free space count up to this, dB.
const MOST_EXCESS_DB: f64 = 60.0;
/// Open ground counts up to this distance from a wall, metres: beyond, a wall's shadow does not reach.
const MOST_CLEARANCE_M: f64 = 100.0;

/// An edge of a roof on the straight way.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RoofEdge {
    /// From the antenna along the ground, metres.
    pub distance_m: f64,
    /// What the map says of the roof's height; `None` where it says nothing.
    pub stated_m: Option<f64>,
}

/// A place as seen from the antenna.
#[derive(Clone, Debug, PartialEq)]
pub struct Link {
    /// Metres from the map's south-west corner.
    pub position: Coord<f64>,
    /// Along the ground, metres.
    pub distance_m: f64,
    /// Clockwise from north as seen from the antenna, -180 to 180 degrees.
    pub bearing_deg: f64,
    /// In the order of their distances.
    pub edges: Vec<RoofEdge>,
    /// Length of the straight way inside buildings in plan, metres.
    pub built_m: f64,
    /// To the nearest wall, metres; 0 in buildings.
    pub clearance_m: f64,
    /// Whether the place is inside a building.
    pub indoors: bool,
    /// What the dominant path loses beyond the law in line of sight, dB.
    pub excess_db: f64,
}

/// A scene as one antenna sees it. It consists of plain arrays, row-major with row 0 in the north, so that a program can hand it to
/// another that knows nothing of scenes and paths.
#[derive(Clone, Debug, PartialEq)]
pub struct Surroundings {
    pub grid: Grid,
    /// Metres from the map's south-west corner.
    pub antenna: Coord<f64>,
    pub mask: BuildingMask,
    /// Stated heights of roofs, metres; 0 where the map states none.
    pub stated_roofs_m: Vec<f32>,
    /// From every pixel to the nearest wall, metres.
    pub wall_distance_m: Vec<f64>,
    /// Path gain by the dominant path from the outdoor pixel nearest to the antenna, dB, NaN inside buildings.
    pub gain_db: Vec<f32>,
    /// That pixel's centre.
    pub street_antenna: Coord<f64>,
}

impl Surroundings {
    /// Looks around an antenna at a place on the map, indoors (on a roof) too.
    ///
    /// # Errors
    /// A place off the map; a map without an outdoor pixel.
    pub fn new(scene: &Scene, antenna: Coord<f64>) -> Result<Self, PropagationError> {
        let grid = scene.grid;
        let street_antenna = nearest_outdoor(scene, antenna).unwrap_or(antenna);
        let ends = LinkEnds { position: street_antenna, height_m: ANTENNA_HEIGHT_M, receiver_height_m: ANTENNA_HEIGHT_M };
        // Over roofs the law has knife edges of its own, at fitted heights; the path is asked what corners cost.
        let gain = DominantPath::level().path_gain(&PreparedScene::new(scene), &ends)?;
        let wall_distance_m = wall_distance(&scene.mask).into_iter().map(|pixels| pixels * grid.meters_per_pixel).collect();
        Ok(Self {
            grid,
            antenna,
            mask: scene.mask.clone(),
            stated_roofs_m: scene.roofs.stated_meters(),
            wall_distance_m,
            gain_db: gain.values,
            street_antenna,
        })
    }

    /// The warning that an antenna, metres above the ground, stands below the roof of its own building. Such a height is a starting
    /// point of the fit all the same.
    pub fn roof_warning(&self, scene: &Scene, height_m: f64) -> Option<String> {
        let roof_m = scene.roofs.at(self.pixel(self.antenna));
        (roof_m >= height_m).then(|| {
            format!("the cell stands in a building: its antenna is {height_m} m above the ground, the roof {roof_m:.1} m; check its place and height")
        })
    }

    pub fn grid(&self) -> Grid {
        self.grid
    }

    /// The link to a place on the map.
    pub fn link(&self, position: Coord<f64>) -> Link {
        let step = position - self.antenna;
        let distance_m = arithmetic::length(step.x, step.y);
        let (edges, built_m) = self.roofs_on_the_way(step, distance_m);
        let pixel = self.pixel(position);
        Link {
            position,
            distance_m,
            bearing_deg: libm::atan2(step.x, step.y).to_degrees(),
            edges,
            built_m,
            clearance_m: self.wall_distance_m[pixel].min(MOST_CLEARANCE_M),
            indoors: self.mask.pixels[pixel] != 0,
            excess_db: self.excess_db(pixel),
        }
    }

    /// The pixel that holds a place; the nearest pixel of the map's border for a place beyond it.
    fn pixel(&self, position: Coord<f64>) -> usize {
        let (size, meters) = (self.grid.size, self.grid.meters_per_pixel);
        let index = |value: f64| (value.max(0.0) as usize).min(size - 1);
        (size - 1 - index((position.y / meters).ceil() - 1.0)) * size + index((position.x / meters).floor())
    }

    fn roofs_on_the_way(&self, step: Coord<f64>, distance_m: f64) -> (Vec<RoofEdge>, f64) {
        let steps = (distance_m / (STEP_PIXELS * self.grid.meters_per_pixel)).ceil().max(1.0) as usize;
        let step_m = distance_m / steps as f64;
        let (mut edges, mut built_m, mut roof) = (Vec::new(), 0.0, None);
        for i in 0..steps {
            let along = (i as f64 + 0.5) / steps as f64;
            let pixel = self.pixel(self.antenna + step * along);
            let next = (self.mask.pixels[pixel] != 0).then(|| f64::from(self.stated_roofs_m[pixel]));
            if next.is_some() {
                built_m += step_m;
            }
            if next != roof {
                let edge = |height_m: f64| RoofEdge { distance_m: i as f64 * step_m, stated_m: (height_m > 0.0).then_some(height_m) };
                edges.extend(roof.map(edge));
                edges.extend(next.map(edge));
                roof = next;
            }
        }
        (edges, built_m)
    }

    /// What the dominant path loses at a pixel beyond the line-of-sight law; indoors, at the nearest outdoor pixel.
    fn excess_db(&self, pixel: usize) -> f64 {
        let size = self.grid.size;
        let (row, column) = (pixel / size, pixel % size);
        let outdoor = (0..size).find_map(|reach| {
            let (top, bottom) = (row.saturating_sub(reach), (row + reach).min(size - 1));
            let (left, right) = (column.saturating_sub(reach), (column + reach).min(size - 1));
            (top..=bottom).flat_map(|r| (left..=right).map(move |c| r * size + c)).find(|&i| !self.gain_db[i].is_nan())
        });
        outdoor.map_or(MOST_EXCESS_DB, |i| {
            let step = self.grid.pixel_center(i / size, i % size) - self.street_antenna;
            let free_db = LogDistanceLaw::LINE_OF_SIGHT.gain_db(arithmetic::length(step.x, step.y));
            (free_db - f64::from(self.gain_db[i])).clamp(0.0, MOST_EXCESS_DB)
        })
    }
}

/// The centre of the outdoor pixel nearest to a place in a building; `None` for an outdoor place.
fn nearest_outdoor(scene: &Scene, place: Coord<f64>) -> Option<Coord<f64>> {
    scene
        .place_transmitter(Transmitter::at(place.x, place.y))
        .ok()
        .filter(|placed| placed.moved_m.is_some())
        .map(|placed| placed.transmitter.position)
}

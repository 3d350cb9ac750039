//! The vertical plane between two antennas: why a place is dark.
//!
//! In flow a scene, two antennas and a frequency; out flow the roofs under the straight line between them, how far the line clears
//! them, and what they take as knife edges (ITU-R P.526, [`super::knife_edge`]). No map is drawn by it: the paths of maps also go round
//! buildings.

use super::frequency::{FrequencyError, FrequencyScaling, wavelength_m};
use super::knife_edge::{PlanePoint, VerticalPlane};
use crate::arithmetic;
use crate::geometry::PreparedScene;
use geo::Coord;
use serde::Serialize;
use std::collections::BTreeMap;
use std::f64::consts::{PI, SQRT_2};

/// Roofs and gaps shorter than this are the rounding of two walls in one place, metres.
const LEAST_SPAN_M: f64 = 0.01;

/// An antenna: metres from the map's south-west corner, and above the ground.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Antenna {
    pub position: Coord<f64>,
    pub height_m: f64,
}

/// A roof under the line.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RoofSpan {
    /// Where it begins and ends, metres along the ground from the transmitter.
    pub from_m: f64,
    pub to_m: f64,
    /// Above the ground.
    pub height_m: f64,
}

/// The edge of a roof that reaches farthest into the link's first Fresnel zone, or out of it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MainEdge {
    /// Metres along the ground from the transmitter.
    pub distance_m: f64,
    /// Above the ground.
    pub height_m: f64,
    /// Height of the line above the edge, metres; negative where the edge is higher.
    pub clearance_m: f64,
    /// The clearance in radii of the first Fresnel zone; from 0.55 on an edge takes nothing.
    pub fresnel_share: f64,
}

/// What stands between a transmitter and a receiver.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PathProfile {
    /// Along the ground, metres.
    pub distance_m: f64,
    /// The roofs under the line, in its order; where buildings overlap, the highest.
    pub roofs: Vec<RoofSpan>,
    /// No roof under the line reaches it.
    pub line_of_sight: bool,
    /// `None` where the line crosses no wall.
    pub main_edge: Option<MainEdge>,
    /// Between isotropic antennas, dB.
    pub free_space_loss_db: f64,
    /// By the edges of the roofs, beyond free space, dB.
    pub diffraction_loss_db: f64,
}

impl PathProfile {
    /// # Errors
    /// A frequency that no map has.
    pub fn new(scene: &PreparedScene, from: Antenna, to: Antenna, frequency_mhz: f64) -> Result<Self, FrequencyError> {
        FrequencyScaling::to(frequency_mhz)?;
        let wavelength_m = wavelength_m(frequency_mhz);
        let along = to.position - from.position;
        let distance_m = arithmetic::length(along.x, along.y);
        let length_m = arithmetic::length(distance_m, to.height_m - from.height_m);
        let roofs = roofs(scene, from.position, along, distance_m);
        let line_m = |at_m: f64| from.height_m + (to.height_m - from.height_m) * (at_m / distance_m);
        let clears = |roof: &RoofSpan| line_m(roof.from_m).min(line_m(roof.to_m)) > roof.height_m;
        let ends = |roof: &RoofSpan| [roof.from_m, roof.to_m].map(|distance_m| PlanePoint { distance_m, height_m: roof.height_m });
        // Where the line begins or ends over a roof there is no edge.
        let is_edge = |edge: &PlanePoint| 0.0 < edge.distance_m && edge.distance_m < distance_m;
        let edges: Vec<PlanePoint> = roofs.iter().flat_map(ends).filter(is_edge).collect();
        let plane = VerticalPlane {
            from: PlanePoint { distance_m: 0.0, height_m: from.height_m },
            to: PlanePoint { distance_m, height_m: to.height_m },
            wavelength_m,
        };
        let main_edge = plane.main_edge(&edges).map(|(index, v)| {
            let PlanePoint { distance_m, height_m } = edges[index];
            MainEdge { distance_m, height_m, clearance_m: line_m(distance_m) - height_m, fresnel_share: -v / SQRT_2 }
        });
        Ok(Self {
            distance_m,
            line_of_sight: roofs.iter().all(clears),
            main_edge,
            free_space_loss_db: 20.0 * libm::log10(4.0 * PI * length_m.max(wavelength_m) / wavelength_m),
            diffraction_loss_db: plane.loss_db(&edges),
            roofs,
        })
    }
}

/// The highest roofs along a line, from the walls that it crosses.
fn roofs(scene: &PreparedScene, from: Coord<f64>, along: Coord<f64>, distance_m: f64) -> Vec<RoofSpan> {
    if distance_m == 0.0 {
        return Vec::new();
    }
    let (scale, east) = (scene.grid().meters_per_pixel, along / distance_m);
    // Metres along the line, and across it to the left.
    let in_line = |corner: Coord<f64>| {
        let step = corner * scale - from;
        (step.x * east.x + step.y * east.y, step.y * east.x - step.x * east.y)
    };
    let mut crossings: Vec<(f64, bool, f64)> = Vec::new();
    for wall in scene.prism_walls() {
        let ((start_m, start), (end_m, end)) = (in_line(wall.from), in_line(wall.to));
        if (start > 0.0) != (end > 0.0) {
            // The building is on the left of its wall's way, so a wall that comes from the left is a building's first.
            crossings.push((start_m + (end_m - start_m) * (start / (start - end)), end > 0.0, wall.top_m));
        }
    }
    // A roof that begins where another ends leaves no gap.
    crossings.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    // How many buildings of each height the line is over. The bits of positive numbers are in the numbers' order.
    let mut over = BTreeMap::<u64, usize>::new();
    let mut roofs: Vec<RoofSpan> = Vec::new();
    let mut last_m = f64::NEG_INFINITY;
    let mut add = |from_m: f64, to_m: f64, height_m: f64| {
        let (from_m, to_m) = (from_m.max(0.0), to_m.min(distance_m));
        if to_m - from_m < LEAST_SPAN_M {
            return;
        }
        match roofs.last_mut() {
            Some(last) if last.height_m == height_m && from_m - last.to_m < LEAST_SPAN_M => last.to_m = to_m,
            _ => roofs.push(RoofSpan { from_m, to_m, height_m }),
        }
    };
    for (at_m, leaves, top_m) in crossings {
        if let Some((&top, _)) = over.last_key_value() {
            add(last_m, at_m, f64::from_bits(top));
        }
        last_m = at_m;
        let count = over.entry(top_m.to_bits()).or_default();
        *count = if leaves { count.saturating_sub(1) } else { *count + 1 };
        if *count == 0 {
            over.remove(&top_m.to_bits());
        }
    }
    roofs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::propagation::knife_edge::knife_edge_db;
    use crate::scene::{Building, Grid, Scene};
    use geo::{Rect, polygon};

    const GRID: Grid = Grid { size: 128, meters_per_pixel: 1.0 };

    fn at(x: f64, y: f64, height_m: f64) -> Antenna {
        Antenna { position: Coord { x, y }, height_m }
    }

    /// A wall of 20 m across the map, 4 m thick, and a house of 10 m that overlaps it and stands before it.
    fn scene() -> PreparedScene {
        let block = |west: f64, east: f64, height_m: f64| Building {
            footprint: Rect::new(Coord { x: west, y: 10.0 }, Coord { x: east, y: 110.0 }).to_polygon(),
            height_m: Some(height_m),
            levels: None,
            material: None,
        };
        PreparedScene::new(&Scene::from_polygons(GRID, vec![block(60.0, 64.0, 20.0), block(40.0, 62.0, 10.0)]))
    }

    fn profile(from: Antenna, to: Antenna) -> PathProfile {
        PathProfile::new(&scene(), from, to, 3500.0).expect("a frequency of maps")
    }

    #[test]
    fn the_highest_of_overlapping_roofs_counts_in_either_direction() {
        let (low, high) = (RoofSpan { from_m: 30.0, to_m: 50.0, height_m: 10.0 }, RoofSpan { from_m: 50.0, to_m: 54.0, height_m: 20.0 });
        let there = profile(at(10.0, 50.0, 1.5), at(110.0, 50.0, 1.5));
        assert_eq!(there.roofs, [low, high]);
        let back = profile(at(110.0, 50.0, 1.5), at(10.0, 50.0, 1.5));
        let mirrored = |roof: RoofSpan| RoofSpan { from_m: 100.0 - roof.to_m, to_m: 100.0 - roof.from_m, ..roof };
        assert_eq!(back.roofs, [mirrored(high), mirrored(low)]);
        assert!((there.diffraction_loss_db - back.diffraction_loss_db).abs() < 1e-9);
        assert!(!there.line_of_sight);
        // Beside the buildings there are none.
        let beside = profile(at(10.0, 5.0, 1.5), at(110.0, 5.0, 1.5));
        assert_eq!((beside.roofs.len(), beside.line_of_sight, beside.main_edge, beside.diffraction_loss_db), (0, true, None, 0.0));
    }

    #[test]
    fn one_edge_has_its_closed_form_and_free_space_its_own() {
        let scene = PreparedScene::new(&Scene::from_polygons(
            GRID,
            vec![Building {
                footprint: polygon![(x: 60.0, y: 10.0), (x: 60.02, y: 10.0), (x: 60.02, y: 110.0), (x: 60.0, y: 110.0)],
                height_m: Some(21.5),
                levels: None,
                material: None,
            }],
        ));
        let found = PathProfile::new(&scene, at(10.0, 50.0, 1.5), at(110.0, 50.0, 1.5), 3500.0).expect("a frequency of maps");
        let edge = found.main_edge.expect("a wall is crossed");
        let radius_m = (wavelength_m(3500.0) * 25.0).sqrt();
        assert!((edge.clearance_m + 20.0).abs() < 1e-9 && (edge.fresnel_share + 20.0 / radius_m).abs() < 0.01, "{edge:?}");
        // Both sides of the wall are edges, 2 cm apart.
        let excess_db = found.diffraction_loss_db - knife_edge_db(20.0 / radius_m * SQRT_2);
        assert!((0.0..1.0).contains(&excess_db), "{found:?}");
        // ITU-R P.525: 32.4 + 20 log10 MHz + 20 log10 km.
        assert!((found.free_space_loss_db - (32.45 + 20.0 * 3500f64.log10() - 20.0)).abs() < 0.01, "{found:?}");
    }

    #[test]
    fn an_antenna_on_a_roof_begins_over_it_and_sight_is_that_of_maps() {
        let up = profile(at(62.0, 50.0, 25.0), at(110.0, 50.0, 1.5));
        assert_eq!(up.roofs, [RoofSpan { from_m: 0.0, to_m: 2.0, height_m: 20.0 }]);
        let scene = scene();
        for (from, height_m) in [(Coord { x: 63.5, y: 50.5 }, 25.0), (Coord { x: 20.5, y: 30.5 }, 12.0), (Coord { x: 20.5, y: 3.5 }, 1.5)] {
            let transmitter = Antenna { position: from, height_m };
            let ends = crate::scene::LinkEnds { position: from, height_m, receiver_height_m: 1.5 };
            let seen = scene.in_sight(&ends);
            for pixel in (0..GRID.pixels()).step_by(7).filter(|&pixel| scene.mask().pixels[pixel] == 0) {
                let to = GRID.pixel_center(pixel / GRID.size, pixel % GRID.size);
                let found = PathProfile::new(&scene, transmitter, Antenna { position: to, height_m: 1.5 }, 5900.0).expect("a frequency");
                // Below all roofs maps let a line touch a building's corner.
                let touches = height_m < 10.0 && found.roofs.iter().all(|roof| roof.to_m - roof.from_m < 0.5);
                assert!(found.line_of_sight == seen.contains(pixel) || touches, "{from:?} to {to:?}: {found:?}");
            }
        }
    }
}

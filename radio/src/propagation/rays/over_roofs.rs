//! The direct line over the roofs.
//!
//! In the vertical plane of a pixel, the tops of the walls in between are knife edges, which take what ITU-R P.526 says
//! ([`crate::propagation::knife_edge`]), below the line of sight too. So the direct path fades out as it sinks behind a roof, without a
//! step. In flow a beam of the transmitter; out flows the loss of every outdoor pixel in it.

use super::beam::Beam;
use super::sight::{Scratch, Surroundings};
use crate::geometry::walls::NONE;
use crate::propagation::knife_edge::{PlanePoint, VerticalPlane};
use geo::{Coord, Vector2DOps};

/// Calls `visit(pixel, distance in plan, loss beyond free space in dB)` for the pixels of a beam of the transmitter.
pub fn direct_lines(
    beam: &Beam,
    around: &Surroundings,
    indoors: &[u8],
    wavelength_m: f64,
    scratch: &mut Scratch,
    mut visit: impl FnMut(usize, f64, f64),
) {
    let Surroundings { walls, grid, profile } = *around;
    let [from_m, to_m] = profile.heights_m();
    let sight = beam.everything(walls, scratch);
    let mut edges: Vec<PlanePoint> = Vec::new();
    for sector in &sight.sectors {
        let between = &sight.over[sector.over.clone()];
        beam.pixels(sector.slopes, (NONE, sector.end.wall), walls, grid, |pixel, offset: Coord<f64>| {
            if indoors[pixel] != 0 {
                return;
            }
            let (ahead, plan_m) = (offset.dot_product(beam.ahead), offset.magnitude_squared().sqrt());
            let slope = offset.dot_product(beam.aside) / ahead;
            edges.clear();
            let nearer = between.iter().map(|span| (span.distance_m(slope), span.top_m)).take_while(|&(distance_m, _)| distance_m < plan_m);
            edges.extend(nearer.map(|(distance_m, height_m)| PlanePoint { distance_m, height_m }));
            let at = |distance_m: f64, height_m: f64| PlanePoint { distance_m, height_m };
            let plane = VerticalPlane { from: at(0.0, from_m), to: at(plan_m, to_m), wavelength_m };
            visit(pixel, plan_m, plane.loss_db(&edges));
        });
    }
}

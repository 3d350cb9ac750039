//! Ray tracing: every path of a few reflections on walls and the ground and diffractions at corners and over roofs.
//!
//! In flow walls and a transmitter, out flows path gain. It works from first principles: no constant is fitted.
//! WinProp's empirical ray tracing is [`super::IntelligentRayTracing`].
//!
//! - **Paths in plan** come from [`beam`]s: the sectors that the transmitter lights, their mirror images, the sectors that each lit corner
//!   lights, and so on. Walls are found exactly ([`sight`]), so there is no number of rays to converge in.
//! - **Heights** are a straight line over a path's length in plan ([`profile`]), because walls and corners are vertical. A path counts
//!   where that line clears every wall it passes over and meets every wall it is reflected by. The ground is a second line, to the
//!   receiver's mirror image.
//! - **Roofs** diffract the direct line in the vertical plane ([`over_roofs`]).
//! - **Distance**: the gain of a path with reflections only falls as a spherical wave's, (lambda / 4 pi d)^2 by its whole length. The
//!   gain of a diffracted path falls as 1 / (s1 s2 (s1 + s2)) and so on. Legs are as long as in space; angles at corners are those in
//!   plan.
//! - **Reflection** by Fresnel's coefficients of a half space or of a slab of an ITU-R P.2040 [`Material`].
//! - **Diffraction** by the uniform theory ([`wedge`]). Along a building's own wall, from one corner to the next, the field of a
//!   non-conductor vanishes and its slope goes on: both corners are taken a little off the wall, and the product is scaled as slope
//!   diffraction asks. (A conductor's horizontal field would not vanish; there this model gives too little.)
//! - **Combining** of powers (the mean over phases), or of fields.
//!
//! By default buildings are endlessly tall, as RadioMapSeer's 25 m almost are for antennas at 1.5 m, and there is no ground. Left out are
//! reflection by roofs, paths over roofs that also turn, transmission through buildings and scattering by rough walls.

pub(in crate::propagation) mod beam;
pub(in crate::propagation) mod border;
mod material;
mod met;
mod options;
mod over_roofs;
pub(in crate::propagation) mod profile;
pub(in crate::propagation) mod sight;
mod tracing;
mod wedge;

pub use beam::MAX_INTERACTIONS;
pub use material::{Material, Polarisation};
pub use options::{Combining, RayOptions, RoofsOfRays};

use super::model::{PropagationError, PropagationModel, outdoor_map};
use crate::geometry::PreparedScene;
use crate::map::RadioMap;
use crate::scene::LinkEnds;
use border::RayWalls;
use profile::Profile;
use std::f64::consts::PI;
use tracing::Tracing;

/// Ray tracing: every path of at most `options.interactions` reflections and diffractions. A pixel that no path reaches has
/// `options.floor_db`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RayTracing {
    pub options: RayOptions,
}

impl PropagationModel for RayTracing {
    fn path_gain(&self, prepared: &PreparedScene, ends: &LinkEnds) -> Result<RadioMap, PropagationError> {
        let (options, grid) = (&self.options, prepared.grid());
        ends.check()?;
        options.check()?;
        let walls = match options.roofs {
            RoofsOfRays::Endless => {
                prepared.outdoor_pixel(ends.position)?;
                RayWalls::endless(prepared.walls(), grid.extent_m())
            }
            RoofsOfRays::Scene => {
                prepared.antenna_pixel(ends)?;
                RayWalls::of_prisms(prepared.prisms(), grid.extent_m())
            }
        };
        let mut tracing = Tracing::new(&walls, grid, &prepared.mask().pixels, options);
        tracing.run(ends.position, Profile::direct(ends), None);
        if let Some(ground) = options.ground.filter(|_| options.interactions > 0) {
            tracing.run(ends.position, Profile::by_ground(ends), Some(ground));
        }
        let sums = tracing.sums;
        let reference_db = 20.0 * libm::log10(options.wavelength_m() / (4.0 * PI));
        Ok(outdoor_map(prepared, |i| {
            let power = match options.combining {
                Combining::Incoherent => sums[i].re,
                Combining::Coherent => sums[i].norm_sqr(),
            };
            (reference_db + 10.0 * libm::log10(power)).max(options.floor_db)
        }))
    }
}

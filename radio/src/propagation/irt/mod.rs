//! Intelligent ray tracing as WinProp has it, which filled RadioMapSeer's folders IRT2 and IRT4.
//!
//! In flow walls, the building mask and a transmitter below the roofs; out flows path gain. Unlike the first-principles tracer beside
//! it ([`super::RayTracing`]), it takes empirical losses for its interactions ([`InteractionLaw`]), which are fitted to the real maps.
//! docs/irt.md has the laws, what was fitted to what, and the errors.
//!
//! - **In sight** the direct path counts alone.
//! - **Out of sight** the powers of all paths add up: those in the plane ([`tracing`]) and the one over the roofs ([`roofs`]).
//! - **Few interactions.** The real maps show one interaction for IRT2 and up to three for IRT4, at most one of them a reflection. A way
//!   over roofs counts as two.
//! - **On walls nothing has a value**: a pixel whose centre lies on a footprint's wall is as dark as one inside.
//! - **Soft edges.** The ratio of a pixel's power to the law in sight is averaged over a metre or two ([`shadow_edges`]).

mod law;
mod roofs;
mod shadow_edges;
mod tracing;

pub use law::InteractionLaw;

use super::model::{PropagationError, PropagationModel, outdoor_map};
use super::rays::border::RayWalls;
use crate::arithmetic;
use crate::geometry::PreparedScene;
use crate::map::RadioMap;
use crate::scene::LinkEnds;
use roofs::power_over_roofs;
use shadow_edges::smoothed;
use tracing::{Lit, Tracing};

/// Interactions of a way over roofs.
const OVER_ROOFS: usize = 2;

/// Intelligent ray tracing with the constants of its law. A pixel that no path reaches has `floor_db`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct IntelligentRayTracing {
    pub law: InteractionLaw,
    /// The largest number of interactions of a path, and of the reflections among them.
    pub interactions: usize,
    pub reflections: usize,
    /// A path that passes a corner with a smaller turn (radians) on its way to the next corner goes on as if the corner were not there.
    /// Outlines read off pixels have such corners on straight walls, and IRT2 has no interaction to spare for them.
    pub grazing: f64,
    /// Shadows' edges are as soft as a Gaussian of this standard deviation makes them, metres.
    pub softness_m: f64,
    /// Path gain of a pixel without a path, dB. The data do not resolve gains below -147 dB: it is gray level 0.
    pub floor_db: f64,
}

impl IntelligentRayTracing {
    /// RadioMapSeer's IRT2.
    pub fn irt2() -> Self {
        Self {
            law: InteractionLaw::default(),
            interactions: 1,
            reflections: 1,
            grazing: 3f64.to_radians(),
            softness_m: 1.0,
            floor_db: -147.0,
        }
    }

    /// RadioMapSeer's IRT4.
    pub fn irt4() -> Self {
        Self { interactions: 3, grazing: 0.0, ..Self::irt2() }
    }
}

impl PropagationModel for IntelligentRayTracing {
    /// As the trait says; the model knows the streets only.
    ///
    /// # Errors
    /// As the trait says, and an end of the links that is not below the law's roofs.
    fn path_gain(&self, prepared: &PreparedScene, ends: &LinkEnds) -> Result<RadioMap, PropagationError> {
        let (grid, mask) = (prepared.grid(), prepared.mask());
        ends.check()?;
        let start = prepared.outdoor_pixel(ends.position)?;
        let (height_m, roof_m) = (ends.height_m.max(ends.receiver_height_m), self.law.roof_height_m);
        if height_m >= roof_m {
            return Err(PropagationError::AboveRoofs { height_m, roof_m });
        }
        let walls = RayWalls::endless(prepared.walls(), grid.extent_m());
        let Lit { powers, in_sight } = Tracing::new(self, &walls, grid, &mask.pixels).run(ends.position);
        let direct_power = |i: usize| {
            let step = grid.pixel_center(i / grid.size, i % grid.size) - ends.position;
            self.law.direct_power(arithmetic::length(step.x, step.y))
        };
        let on_walls = prepared.pixels_on_walls();
        let share = |i: usize| {
            if mask.pixels[i] != 0 || on_walls.contains(i) {
                return 0.0;
            }
            let over_roofs = if self.interactions < OVER_ROOFS || in_sight[i] {
                0.0
            } else {
                power_over_roofs(&self.law, mask, grid, ends, start, (i / grid.size, i % grid.size)).unwrap_or(0.0)
            };
            (powers[i] + over_roofs) / direct_power(i)
        };
        let shares: Vec<f64> = (0..grid.pixels()).map(share).collect();
        let soft = smoothed(&shares, grid.size, self.softness_m / grid.meters_per_pixel);
        Ok(outdoor_map(prepared, |i| (10.0 * libm::log10(soft[i] * direct_power(i))).max(self.floor_db)))
    }
}

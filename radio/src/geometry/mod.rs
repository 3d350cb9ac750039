//! The geometry that propagation models and network features share.
//!
//! [`prepared`] is what the other rooms hold: a scene with its walls and sights. [`footprints`] unites footprints, [`outline`] reads
//! outlines off a mask without them; [`walls`] makes walls and corners of either, [`inset`] adjusts them for the dominant path, and
//! [`prisms`] gives them tops for ray tracing. [`visibility`] and [`pixel_line_of_sight`] find what a point sees, [`look`] what it sees
//! where it is asked, [`on_walls`] what pixels on walls see, [`geodesic_distance`] and [`wall_distance`]
//! measure the open ground, [`highest_near`] bounds the roofs, [`cars`] counts the cars on a leg, and [`symmetry`] turns all of it.

pub mod angular_cover;
pub mod cars;
pub mod csr;
pub mod footprints;
pub mod geodesic_distance;
pub mod highest_near;
pub mod inset;
pub mod look;
pub mod on_walls;
pub mod outline;
pub mod pixel_line_of_sight;
pub mod pixel_set;
pub mod prepared;
pub mod prism_sight;
pub mod prisms;
pub mod shadow;
pub mod symmetry;
#[cfg(test)]
mod test_scenes;
pub mod visibility;
pub mod wall_distance;
pub mod walls;

pub use cars::{CarOutlines, CarsFrom};
pub use footprints::union_of;
pub use geodesic_distance::geodesic_distance;
pub use outline::with_footprints_of_mask;
pub use pixel_line_of_sight::pixel_line_of_sight;
pub use prepared::{PositionError, PreparedScene, TurningPoints};
pub use prisms::Prisms;
pub use symmetry::Symmetry;
pub use wall_distance::wall_distance;
pub use walls::{Corner, Wall, Walls};

//! Walls, corners and what is in sight of what: the geometry that every propagation model shares.
//!
//! [`outline`] reads the outlines of what is built off the building mask, [`walls`] makes walls and corners of them, [`visibility`]
//! finds what a point sees. [`geodesic_distance`] and [`wall_distance`] measure the open ground.

pub mod cover;
pub mod geodesic_distance;
pub mod outline;
pub mod visibility;
pub mod wall_distance;
pub mod walls;

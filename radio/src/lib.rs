//! Radio maps without networks: everything about radio that knows no tensor.
//!
//! A [`scene`] holds buildings, cars and transmitters on a metric grid. [`geometry`] finds its walls, corners and lines of sight.
//! [`propagation`] turns a scene and a transmitter into a [`map`] of path gain, [`features`] into the channels a network is given,
//! and [`metrics`] compares two maps.

pub mod features;
pub mod geometry;
pub mod map;
pub mod metrics;
pub mod propagation;
pub mod scene;

//! Radio maps without networks: scenes, propagation models, the channels that networks are given, and metrics. It knows no tensor.
//!
//! A [`scene`] holds buildings, cars and transmitters on a metric grid. [`geometry`] prepares it: walls, corners and lines of sight.
//! From a prepared scene and a transmitter, [`propagation`] computes a [`map`] of path gain and [`features`] the condition of a
//! network. [`metrics`] compares two maps. [`calibration`] fits a map to measured power. Each room imports only rooms named before it,
//! except that [`map`] needs the scene alone. Any room may import [`arithmetic`], which has the same bits everywhere, and [`delimited`],
//! which says what separates the values of a table. With the feature `raster`, [`height_raster`] makes scenes of rasters too.

pub mod arithmetic;
pub mod calibration;
pub mod delimited;
pub mod features;
pub mod geometry;
#[cfg(feature = "raster")]
pub mod height_raster;
pub mod map;
pub mod metrics;
pub mod propagation;
pub mod scene;

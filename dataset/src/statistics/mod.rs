//! What the maps of a dataset look like in figures, so that made cities can be compared with real ones.
//!
//! In flow the images of buildings alone, so that every dataset in RadioMapSeer's layout can be measured; `dataset.csv`, as
//! `radiodiff dataset synth` writes it, splits them by source. Out flow a table, JSON, and a sheet of pictures. Three things are
//! measured:
//!
//! - the built share of a map;
//! - buildings as sets of connected pixels, without those that the map's edge cuts: their number and the quantiles of their areas;
//! - the width of a street: twice the distance to the nearest wall at the outdoor pixels where that distance is the largest among
//!   the eight neighbours, the ridge between walls. Pixels nearer to the map's edge than to a wall are left out, since the nearest
//!   wall may lie beyond it.

mod command;
mod connected;
mod measures;

pub use command::{Args, run};
pub use measures::{Quantiles, Statistics};

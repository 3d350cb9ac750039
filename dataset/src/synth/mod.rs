//! Making a dataset in RadioMapSeer's layout, without RadioMapSeer.
//!
//! In flow procedural scenes ([`procedural`]) and windows of real cities ([`cities`]). Both are cut to the map and put into the
//! layout's own outlines ([`outlines`]), and get transmitters ([`transmitters`]) and perhaps [`cars`]; a
//! [`Simulator`](crate::simulate::Simulator) gives each transmitter's path gain. Out flow PNGs and JSON by
//! [`Writer`](crate::folder::Writer), `dataset.csv` and [`provenance`].
//!
//! Every map has random numbers of its own, so that the same seed gives the same bytes on any number of threads, and an interrupted
//! run goes on with the maps that are missing. A made map is what its own files say: outlines are rounded and read back before
//! anything is computed, so that image, outlines and gains agree to the pixel and `radiodiff simulate` gives the same bytes again.

mod cars;
mod cities;
mod command;
mod draft;
mod outlines;
mod procedural;
mod provenance;
mod source;
mod transmitters;

pub use command::{Args, run};

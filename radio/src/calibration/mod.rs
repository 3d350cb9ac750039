//! Calibration by measurement: a map of received power that measured places correct.
//!
//! In flow a scene, a cell (place, frequency, what is known of its antenna) and measured power ([`measurement`]). The way from the
//! antenna to every place is looked at once ([`link`]); a law with priors makes power of it ([`law`]); the law's constants and its
//! errors are fitted together ([`fit`], [`covariance`]). Out flow power and its standard deviation at any place, and a report of what
//! was fitted and how well it does in blocks that it was not given ([`validation`]). docs/calibration.md is the guide.

mod covariance;
mod error;
mod fit;
mod law;
mod limits;
mod link;
mod measurement;
mod table;
mod validation;

pub use covariance::Covariance;
pub use error::CalibrationError;
pub use fit::{Calibration, CalibrationOptions, Prediction};
pub use law::{CONSTANTS, CellLaw, ConstantName, Constants, PRIORS, Prior};
pub use limits::LEAST_MEASUREMENTS;
pub use link::{Link, RoofEdge, Surroundings};
pub use measurement::{Measurement, average_by_squares};
pub use table::{LATITUDE, LONGITUDE, SiteRow, TableError, TableRow, read_sites, read_table};
pub use validation::{BlockErrors, HeldOutErrors, Validation, cross_validate};

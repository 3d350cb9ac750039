//! Models of propagation: path gain in dB from a prepared scene and a transmitter's position.
//!
//! [`PropagationModel`] is the interface. [`LogDistance`] needs line of sight alone, [`DominantPath`] follows the path of least loss,
//! [`IntelligentRayTracing`] is WinProp's IRT with its empirical losses, [`RayTracing`] sums every path of a few interactions from first
//! principles, and [`WithCars`] adds the loss by cars to any of them. A [`LinkBudget`]
//! turns path gain into dBm with an antenna's pattern, at other frequencies by [`FrequencyScaling`]. A [`PathProfile`] shows one link from the
//! side.

mod antenna;
mod dominant_path;
mod frequency;
mod irt;
pub(crate) mod knife_edge;
mod law;
mod link_budget;
mod log_distance;
mod model;
mod path_profile;
mod rays;
mod with_cars;

pub use antenna::{AntennaPattern, AntennaRequest, AntennaRequestError, DepartureDirection, PatternTable, PatternTableError, Sector};
pub use dominant_path::{DominantPath, RoofsFrom};
pub(crate) use frequency::wavelength_m;
pub use frequency::{FrequencyError, FrequencyScaling, LAW_FREQUENCY_MHZ};
pub use irt::{IntelligentRayTracing, InteractionLaw};
pub use law::{DominantPathLaw, LogDistanceLaw};
pub use link_budget::{LinkBudget, LinkMaps};
pub use log_distance::LogDistance;
pub use model::{PropagationError, PropagationModel};
pub use path_profile::{Antenna, MainEdge, PathProfile, RoofSpan};
pub use rays::{Combining, MAX_INTERACTIONS, Material, Polarisation, RayOptions, RayTracing, RoofsOfRays};
pub use with_cars::{CAR_HEIGHT_M, WithCars, weakened_by_cars};

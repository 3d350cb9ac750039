//! Places for new transmitters: of many candidates, those that cover most together.
//!
//! In flow the pixels that each candidate would cover ([`CoveredPixels`], of one map each, which the caller draws) and those that
//! existing transmitters cover; out flow the chosen candidates in order. [`candidate_places`] spreads candidates over a scene.
//!
//! Coverage is submodular: what a candidate adds never grows as others are chosen. The greedy choice therefore covers at least 1 - 1/e
//! (63 %) of what the best choice covers (Nemhauser, Wolsey and Fisher, 1978), and what a candidate added in an earlier round bounds
//! what it adds now, so that most candidates need not be counted again (CELF: Leskovec et al., 2007).

mod candidates;
mod covered;
mod greedy;

pub use candidates::{CandidatesOnMap, candidate_places, candidates_on_map};
pub use covered::CoveredPixels;
pub use greedy::{SiteChoice, choose_sites};

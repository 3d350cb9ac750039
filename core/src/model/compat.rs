//! Whether the public code's mistakes are reproduced.
//!
//! In some places RadioDiff's public code does not train what it means to (docs/radiodiff.md, "Where the public code does not do
//! what it means to"). [`Compat::Corrected`], the default, trains what it means; [`Compat::Upstream`] trains what it does, to compare
//! with it or to continue from its checkpoints. In this crate the reduction of the likelihood depends on it
//! ([`super::first_stage_loss`]); the rest is the trainer's.

use serde::{Deserialize, Serialize};

/// See the module.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Compat {
    #[default]
    Corrected,
    /// As the public code computes.
    Upstream,
}

//! Whether the public code's mistakes are kept.
//!
//! RadioDiff's public code trains otherwise than it means to in some places (shared/radiodiff-spec.md, sections 8 and 10). The
//! default is what it means; [`Compat::Upstream`] is what it does, for comparing with it or going on from its checkpoints. In this
//! crate that is the reduction of the likelihood ([`crate::model::first_stage_loss`]); the trainer has the rest. The whole list,
//! with what differs whatever this says, is in docs/first-stage-loss.md.

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

//! Whether the public code's mistakes are kept.
//!
//! RadioDiff's public code trains otherwise than it means to in some places (shared/radiodiff-spec.md, sections 8 and 10). The
//! default is what it means; [`Compat::Upstream`] is what it does, for comparing with it or going on from its checkpoints. Each
//! difference is described where the code makes it:
//!
//! | what | where |
//! |---|---|
//! | the likelihood is a mean over pixels, not a sum, so that the adversarial weight does not sit at its bound | [`crate::model::first_stage_loss`] |
//! | the log-variance learns | [`crate::model::first_stage_loss`] |
//! | no dropout inside LPIPS | [`crate::model::lpips`] |
//! | gradients are clipped before the step, the least learning rate is a rate, matrices alone decay, the discriminator waits for its phase | the trainer |

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

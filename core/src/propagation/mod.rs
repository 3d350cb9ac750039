//! To be written.
pub use features::ConditionChannel;
mod features {
    use serde::{Deserialize, Serialize};
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(rename_all = "kebab-case")]
    pub enum ConditionChannel { Buildings, Transmitter, LineOfSight, LogDistanceGain }
}

//! What measurements a fit takes.

/// Powers outside this range, dBm, are no measurements of a radio.
pub const LEAST_POWER_DBM: f64 = -200.0;
pub const MOST_POWER_DBM: f64 = 60.0;
/// Fewer measurements do not tell a law from its priors.
pub const LEAST_MEASUREMENTS: usize = 10;

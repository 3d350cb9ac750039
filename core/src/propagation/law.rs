//! Path gain as a function of a path: the laws and their constants.
//!
//! Constants were measured on RadioMapSeer's WinProp maps at 5.9 GHz (shared/radiomapseer.md).

/// Distances below this count as this: the laws have no meaning in the antenna's near field.
pub const MIN_DISTANCE_M: f64 = 1.0;

fn log10_distance(distance_m: f64) -> f64 {
    libm::log10(distance_m.max(MIN_DISTANCE_M))
}

/// gain = intercept - slope log10(distance in metres), dB.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LineOfSightLaw {
    pub intercept_db: f64,
    pub slope_db: f64,
}

impl Default for LineOfSightLaw {
    fn default() -> Self {
        Self { intercept_db: -47.86, slope_db: 25.0 }
    }
}

impl LineOfSightLaw {
    pub fn gain_db(&self, distance_m: f64) -> f64 {
        self.intercept_db - self.slope_db * log10_distance(distance_m)
    }
}

/// The same form for pixels out of sight, fitted to data.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LogDistanceLaw {
    pub intercept_db: f64,
    pub slope_db: f64,
}

impl LogDistanceLaw {
    /// Least squares over (distance in metres, gain in dB); `None` without two different distances.
    pub fn fit(samples: impl IntoIterator<Item = (f64, f64)>) -> Option<Self> {
        let (mut n, mut sum_x, mut sum_y, mut sum_xx, mut sum_xy) = (0.0, 0.0, 0.0, 0.0, 0.0);
        for (distance_m, gain_db) in samples {
            let x = log10_distance(distance_m);
            n += 1.0;
            sum_x += x;
            sum_y += gain_db;
            sum_xx += x * x;
            sum_xy += x * gain_db;
        }
        let determinant = n * sum_xx - sum_x * sum_x;
        if determinant <= 1e-9 * n * n {
            return None;
        }
        let slope = (n * sum_xy - sum_x * sum_y) / determinant;
        Some(Self { intercept_db: (sum_y - slope * sum_x) / n, slope_db: -slope })
    }

    pub fn gain_db(&self, distance_m: f64) -> f64 {
        self.intercept_db - self.slope_db * log10_distance(distance_m)
    }
}

/// Gain along a path over building corners:
/// -(intercept + slope log10(length) + per_degree * sum of turning angles + per_turn * turns), dB.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DominantPathLaw {
    pub line_of_sight: LineOfSightLaw,
    pub loss_intercept_db: f64,
    pub loss_slope_db: f64,
    pub loss_per_degree_db: f64,
    pub loss_per_turn_db: f64,
    /// Gains below this are not resolved by the data: gray level 0.
    pub floor_db: f64,
}

impl Default for DominantPathLaw {
    fn default() -> Self {
        Self {
            line_of_sight: LineOfSightLaw::default(),
            loss_intercept_db: 47.86,
            loss_slope_db: 28.7,
            loss_per_degree_db: 0.147,
            loss_per_turn_db: 0.76,
            floor_db: -147.0,
        }
    }
}

impl DominantPathLaw {
    /// Loss in dB of a path of `length_m` with `turns` turns of together `angle_deg`.
    pub fn loss_db(&self, length_m: f64, angle_deg: f64, turns: f64) -> f64 {
        self.loss_intercept_db
            + self.loss_slope_db * log10_distance(length_m)
            + self.loss_per_degree_db * angle_deg
            + self.loss_per_turn_db * turns
    }
}

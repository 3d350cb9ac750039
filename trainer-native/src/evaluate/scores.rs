//! The metrics of maps, their means, and the tables of them.

use super::reliability::Reliability;
use serde::{Deserialize, Serialize};
use std::fmt::Write as _;
use std::path::PathBuf;

/// Metrics of a map, or their means over maps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize, Serialize)]
pub struct Scores {
    pub nmse: f64,
    pub rmse: f64,
    pub ssim: f64,
    pub psnr_db: f64,
    /// Over outdoor pixels.
    pub rmse_db: f64,
}

/// Names of the scores, in the order of [`Scores::values`].
pub const NAMES: [&str; 5] = ["nmse", "rmse", "ssim", "psnr_db", "rmse_db"];

/// One method's scores.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Row {
    pub method: String,
    pub scores: Scores,
    /// Of the means over maps, between samples with different noise; absent where there is one sample.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deviation: Option<Scores>,
}

/// A comparison and its results.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Evaluation {
    pub data: PathBuf,
    /// The simulation and the split whose maps are the truth.
    pub method: String,
    pub maps: usize,
    pub rows: Vec<Row>,
    /// Where the network drew several samples.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reliability: Option<Reliability>,
}

impl Scores {
    pub fn values(&self) -> [f64; 5] {
        [self.nmse, self.rmse, self.ssim, self.psnr_db, self.rmse_db]
    }

    fn of([nmse, rmse, ssim, psnr_db, rmse_db]: [f64; 5]) -> Self {
        Self { nmse, rmse, ssim, psnr_db, rmse_db }
    }

    /// As cells of a CSV file.
    pub fn csv(&self) -> String {
        self.values().map(|value| value.to_string()).join(",")
    }
}

/// Means of each score.
pub fn mean(scores: impl ExactSizeIterator<Item = Scores>) -> Scores {
    let n = scores.len() as f64;
    let add = |a: [f64; 5], b: Scores| std::array::from_fn(|i| a[i] + b.values()[i]);
    Scores::of(scores.fold([0.0; 5], add).map(|sum| sum / n))
}

/// Standard deviations of each score, of a sample; `None` for fewer than two.
pub fn deviation(scores: &[Scores]) -> Option<Scores> {
    let most = scores.len().checked_sub(1).filter(|most| *most > 0)?;
    let means = mean(scores.iter().copied()).values();
    let squares = |i: usize| scores.iter().map(|scores| (scores.values()[i] - means[i]).powi(2)).sum::<f64>();
    Some(Scores::of(std::array::from_fn(|i| (squares(i) / most as f64).sqrt())))
}

impl Evaluation {
    /// A Markdown table, and one of the reliability where there is one.
    pub fn table(&self) -> String {
        let mut text = String::from("| method | NMSE | RMSE | SSIM | PSNR, dB | RMSE outdoors, dB |\n|---|---:|---:|---:|---:|---:|\n");
        for Row { method, scores, deviation } in &self.rows {
            let (means, deviations) = (scores.values(), deviation.map(|deviation| deviation.values()));
            let cell = |i: usize| {
                let decimals = [5, 4, 4, 2, 2][i];
                let spread = deviations.map(|deviations| format!(" \u{b1} {:.decimals$}", deviations[i]));
                format!("{:.decimals$}{}", means[i], spread.unwrap_or_default())
            };
            // Writing to a string cannot fail.
            let _ = writeln!(text, "| {method} | {} |", [0, 1, 2, 3, 4].map(cell).join(" | "));
        }
        if let Some(reliability) = &self.reliability {
            text = text + "\n" + &reliability.table();
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_and_deviations_are_of_each_score() {
        let scores = [Scores::of([1.0, 2.0, 3.0, 4.0, 5.0]), Scores::of([3.0, 2.0, 5.0, 4.0, 9.0])];
        assert_eq!(mean(scores.into_iter()), Scores::of([2.0, 2.0, 4.0, 4.0, 7.0]));
        let root = 2.0_f64.sqrt();
        assert_eq!(deviation(&scores), Some(Scores::of([root, 0.0, root, 0.0, 2.0 * root])));
        assert_eq!(deviation(&scores[..1]), None);
    }
}

//! How sure a network says it is, against how sure it should be: the scores of its samples as an ensemble, beside those of the physical
//! maps and of the mean map, which are certain forecasts.
//!
//! Each score is computed for each map over its known outdoor pixels, in dB, and averaged over maps; docs/accuracy.md has the definitions.

use radiodiff_radio::metrics::{EnsembleScores, INTERVAL, SpreadScores, nominal_coverage};
use serde::{Deserialize, Serialize};
use std::fmt::Write as _;

/// The scores of every forecast, a certain one or an ensemble.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Reliability {
    /// The Brier score is that of a path gain above this, dB.
    pub threshold_db: f32,
    /// What the coverage of the samples' interval should be.
    pub nominal_coverage: f64,
    pub rows: Vec<ReliabilityRow>,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct ReliabilityRow {
    pub forecast: String,
    pub scores: EnsembleScores,
}

impl Reliability {
    /// The means of `scores`, which has an entry a map and in it one a forecast, as `forecasts` names them.
    pub fn new(threshold_db: f32, samples: usize, forecasts: Vec<String>, scores: &[&[EnsembleScores]]) -> Self {
        let row = |(i, forecast)| {
            let of_forecast: Vec<EnsembleScores> = scores.iter().map(|map| map[i]).collect();
            ReliabilityRow { forecast, scores: mean(&of_forecast) }
        };
        Self { threshold_db, nominal_coverage: nominal_coverage(samples), rows: forecasts.into_iter().enumerate().map(row).collect() }
    }

    /// A Markdown table. A certain forecast has no interval and no spread.
    pub fn table(&self) -> String {
        let head = [
            String::from("forecast"),
            String::from("CRPS, dB"),
            format!("Brier, above {} dB", self.threshold_db),
            format!("{} % interval holds (nominal {:.1} %)", 100.0 * INTERVAL, 100.0 * self.nominal_coverage),
            String::from("its width, dB"),
            String::from("spread / error"),
            String::from("correlation with the error: Pearson"),
            String::from("Spearman"),
        ];
        let mut text = format!("| {} |\n|---{}|\n", head.join(" | "), "|---:".repeat(head.len() - 1));
        for ReliabilityRow { forecast, scores } in &self.rows {
            let spread = scores.spread.map_or_else(
                || [const { String::new() }; 5],
                |spread| {
                    let correlation = |value: Option<f64>| value.map_or_else(String::new, |value| format!("{value:.2}"));
                    [
                        format!("{:.1} %", 100.0 * spread.coverage),
                        format!("{:.2}", spread.width_db),
                        format!("{:.2}", spread.spread_db / spread.rmse_db),
                        correlation(spread.pearson),
                        correlation(spread.spearman),
                    ]
                },
            );
            // Writing to a string cannot fail.
            let _ = writeln!(text, "| {forecast} | {:.3} | {:.4} | {} |", scores.crps_db, scores.brier, spread.join(" | "));
        }
        text
    }
}

/// Means over maps; of what is a root mean square, the root mean square.
fn mean(maps: &[EnsembleScores]) -> EnsembleScores {
    let average = |value: &dyn Fn(&EnsembleScores) -> f64| maps.iter().map(value).sum::<f64>() / maps.len() as f64;
    let spreads: Vec<SpreadScores> = maps.iter().filter_map(|map| map.spread).collect();
    let of_spreads = |value: &dyn Fn(&SpreadScores) -> f64| spreads.iter().map(value).sum::<f64>() / spreads.len() as f64;
    let of_known = |value: &dyn Fn(&SpreadScores) -> Option<f64>| {
        let known: Vec<f64> = spreads.iter().filter_map(value).collect();
        (!known.is_empty()).then(|| known.iter().sum::<f64>() / known.len() as f64)
    };
    EnsembleScores {
        crps_db: average(&|map| map.crps_db),
        brier: average(&|map| map.brier),
        spread: (!spreads.is_empty()).then(|| SpreadScores {
            coverage: of_spreads(&|map| map.coverage),
            width_db: of_spreads(&|map| map.width_db),
            spread_db: of_spreads(&|map| map.spread_db.powi(2)).sqrt(),
            rmse_db: of_spreads(&|map| map.rmse_db.powi(2)).sqrt(),
            pearson: of_known(&|map| map.pearson),
            spearman: of_known(&|map| map.spearman),
        }),
    }
}

/// The head of a forecast's cells in a CSV file: of a certain one, or of an ensemble.
pub fn columns(prefix: &str, ensemble: bool) -> String {
    let certain = ["crps_db", "brier"];
    let spread = ["coverage", "width_db", "spread_db", "rmse_of_mean_db", "pearson", "spearman"];
    let names = certain.iter().chain(if ensemble { &spread[..] } else { &[] });
    names.map(|name| format!("{prefix}_{name}")).collect::<Vec<_>>().join(",")
}

/// The cells. A correlation that does not exist is empty.
pub fn csv(scores: &EnsembleScores) -> String {
    let mut cells = vec![scores.crps_db.to_string(), scores.brier.to_string()];
    if let Some(spread) = scores.spread {
        cells.extend([spread.coverage, spread.width_db, spread.spread_db, spread.rmse_db].map(|value| value.to_string()));
        cells.extend([spread.pearson, spread.spearman].map(|value| value.map_or_else(String::new, |value| value.to_string())));
    }
    cells.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scores(crps_db: f64, spread_db: f64, pearson: Option<f64>) -> EnsembleScores {
        let spread = SpreadScores { coverage: 0.8, width_db: 4.0, spread_db, rmse_db: 2.0 * spread_db, pearson, spearman: None };
        EnsembleScores { crps_db, brier: 0.1, spread: Some(spread) }
    }

    #[test]
    fn means_are_of_what_there_is() {
        let certain = |crps_db| EnsembleScores { crps_db, brier: 0.2, spread: None };
        let maps = [[certain(3.0), scores(1.0, 1.0, Some(0.5))], [certain(5.0), scores(2.0, 7.0, None)]];
        let names = ["physical", "samples"].map(str::to_owned).to_vec();
        let found = Reliability::new(-100.0, 9, names, &[&maps[0], &maps[1]]);
        assert_eq!(found.rows[0].scores, certain(4.0));
        let mean = found.rows[1].scores;
        let spread = mean.spread.expect("samples have a spread");
        assert_eq!((mean.crps_db, spread.spread_db, spread.rmse_db), (1.5, 5.0, 10.0), "deviations are averaged as squares");
        assert_eq!((spread.pearson, spread.spearman), (Some(0.5), None));
        let lines: Vec<String> = found.table().lines().skip(2).map(str::to_owned).collect();
        assert_eq!(
            lines,
            ["| physical | 4.000 | 0.2000 |  |  |  |  |  |", "| samples | 1.500 | 0.1000 | 80.0 % | 4.00 | 0.50 | 0.50 |  |"]
        );
        assert!(found.table().contains("| 90 % interval holds (nominal 80.0 %) |"), "{}", found.table());
        let cells = |line: &str| line.split(',').count();
        assert_eq!((cells(&csv(&maps[0][0])), cells(&csv(&maps[0][1]))), (cells(&columns("a", false)), cells(&columns("a", true))));
    }
}

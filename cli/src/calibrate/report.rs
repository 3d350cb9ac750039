//! What was fitted, and the errors before and after, as text.

use radiodiff_radio::calibration::{Calibration, HeldOutErrors, Validation};
use std::fmt::Write as _;

/// A line for every constant: before the fit, after it, and how sure the fit is.
pub fn constants(calibration: &Calibration) -> String {
    let mut text = format!("{:44} {:>17}  {:>17}\n", "constant", "before", "fitted");
    for ((prior, value), deviation) in calibration.options().priors.iter().zip(calibration.constants()).zip(calibration.deviations()) {
        let label = if prior.unit.is_empty() { prior.label.to_owned() } else { format!("{}, {}", prior.label, prior.unit) };
        let _ = writeln!(text, "{label:44} {:>8.2} +- {:>5.2}  {value:>8.2} +- {deviation:>5.2}", prior.mean, prior.deviation);
    }
    text
}

/// Errors in blocks that the fit was not given: all blocks, then each.
pub fn validation(validation: &Validation) -> String {
    let line = |text: &mut String, name: &str, errors: &HeldOutErrors| {
        let HeldOutErrors { count, before_db, law_db, after_db, within_deviation } = errors;
        let share = 100.0 * within_deviation;
        let _ = writeln!(text, "{name:22} {count:>7} {before_db:>10.2} {law_db:>10.2} {after_db:>13.2} {share:>9.0} %");
    };
    let mut text = format!("RMS errors in dB in blocks of {} m, each predicted from other blocks\n", validation.block_m);
    let _ = writeln!(
        text,
        "{:22} {:>7} {:>10} {:>10} {:>13} {:>11}",
        "block (east, north)", "squares", "before", "law", "law + kriging", "within 1 sd"
    );
    for block in &validation.blocks {
        line(&mut text, &format!("{:.0} m, {:.0} m", block.east_m, block.north_m), &block.errors);
    }
    line(&mut text, "all", &validation.all);
    text
}

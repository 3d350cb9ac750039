//! Ranges of values, their ticks, and how numbers are written.

/// A range of values, linear or logarithmic.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Axis {
    pub low: f64,
    pub high: f64,
    pub logarithmic: bool,
}

impl Axis {
    pub fn linear(low: f64, high: f64) -> Self {
        // A range of one value gets a width.
        let margin = if high > low { 0.0 } else { (low.abs() * 0.05).max(1e-9) };
        Self { low: low - margin, high: high + margin, logarithmic: false }
    }

    /// The axis that shows these values, and how many of them lie outside. Positive values over more than a decade and a half are on a
    /// logarithmic axis. On a linear one, rare values far from all others do not set the range: they lie outside.
    pub fn fit(values: &[f64]) -> (Self, usize) {
        /// The range of the middle 98 % of the values sets the axis where the full range is this many times as wide.
        const FAR: f64 = 3.0;
        const DECADES: f64 = 1.5;
        let mut sorted: Vec<f64> = values.iter().copied().filter(|value| value.is_finite()).collect();
        sorted.sort_by(f64::total_cmp);
        let (Some(&low), Some(&high)) = (sorted.first(), sorted.last()) else { return (Self::linear(0.0, 1.0), 0) };
        if low > 0.0 && (high / low).log10() > DECADES {
            let margin = (high / low).powf(0.04);
            return (Self { low: low / margin, high: high * margin, logarithmic: true }, 0);
        }
        let at = |share: f64| sorted[(share * (sorted.len() - 1) as f64).round() as usize];
        let (inner_low, inner_high) = (at(0.01), at(0.99));
        let far = inner_high > inner_low && high - low > FAR * (inner_high - inner_low);
        let (low, high) = if far { (inner_low, inner_high) } else { (low, high) };
        let margin = 0.05 * (high - low);
        let axis = Self::linear(low - margin, high + margin);
        let outside = sorted.iter().filter(|value| !(axis.low..=axis.high).contains(*value)).count();
        (axis, outside)
    }

    /// The place of a value: 0 at the low end, 1 at the high end. Values outside are at the ends.
    pub fn place(&self, value: f64) -> f64 {
        let scale = |v: f64| if self.logarithmic { v.max(f64::MIN_POSITIVE).log10() } else { v };
        let place = (scale(value) - scale(self.low)) / (scale(self.high) - scale(self.low));
        place.clamp(0.0, 1.0)
    }

    /// About `count` round values within the axis, or a logarithmic axis' powers of ten.
    pub fn ticks(&self, count: usize) -> Vec<f64> {
        let range = self.high - self.low;
        if self.logarithmic {
            let (first, last) = (self.low.log10().ceil() as i32, self.high.log10().floor() as i32);
            let decades = last - first + 1;
            let every = (decades / count.max(1) as i32).max(1) as usize;
            // Within few decades, their halves and fifths too.
            let factors: &[f64] = if decades <= 2 { &[1.0, 2.0, 5.0] } else { &[1.0] };
            let powers = (first - 1..=last).rev().step_by(every).flat_map(|e| factors.iter().map(move |f| f * 10.0_f64.powi(e)));
            let mut ticks: Vec<f64> = powers.filter(|value| (self.low..=self.high).contains(value)).collect();
            ticks.sort_by(f64::total_cmp);
            return ticks;
        }
        let rough = range / count.max(1) as f64;
        let decade = 10.0_f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].map(|factor| factor * decade).into_iter().find(|step| *step >= rough).unwrap_or(rough);
        let (first, last) = ((self.low / step).ceil() as i64, (self.high / step).floor() as i64);
        (first..=last).map(|i| i as f64 * step).collect()
    }
}

/// A number in four significant digits, without trailing zeros; thousands are set apart.
pub fn number(value: f64) -> String {
    const DIGITS: i32 = 4;
    if !value.is_finite() || value == 0.0 {
        return if value == 0.0 { String::from("0") } else { value.to_string() };
    }
    let exponent = value.abs().log10().floor() as i32;
    if !(-4..7).contains(&exponent) {
        let text = format!("{value:.2e}");
        let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        return format!("{}e{exponent}", trimmed(mantissa));
    }
    let decimals = (DIGITS - 1 - exponent).max(0) as usize;
    let text = format!("{:.decimals$}", value.abs());
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let sign = if value < 0.0 { "\u{2212}" } else { "" };
    let fraction = fraction.trim_end_matches('0');
    let point = if fraction.is_empty() { "" } else { "." };
    format!("{sign}{}{point}{fraction}", grouped(whole))
}

fn trimmed(decimal: &str) -> &str {
    if decimal.contains('.') { decimal.trim_end_matches('0').trim_end_matches('.') } else { decimal }
}

fn grouped(digits: &str) -> String {
    let groups: Vec<&[u8]> = digits.as_bytes().rchunks(3).rev().collect();
    groups.iter().map(|group| String::from_utf8_lossy(group).into_owned()).collect::<Vec<_>>().join(",")
}

/// `150000` as `150,000`.
pub fn thousands(value: u64) -> String {
    grouped(&value.to_string())
}

/// Seconds in the unit that suits them.
pub fn duration(seconds: f64) -> String {
    match seconds {
        s if s < 120.0 => format!("{} s", number(s)),
        s if s < 7200.0 => format!("{:.1} min", s / 60.0),
        s if s < 172_800.0 => format!("{:.1} h", s / 3600.0),
        s => format!("{:.1} days", s / 86_400.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        let shown = [0.0, 150_000.0, -1777.5, 0.000_123_45, 5e-7, 0.5, 12_345_678.0].map(number);
        assert_eq!(shown, ["0", "150,000", "\u{2212}1,778", "0.0001234", "5e-7", "0.5", "1.23e7"]);
    }

    #[test]
    fn ticks_are_round_and_within() {
        assert_eq!(Axis::linear(0.0, 150_000.0).ticks(6), [0.0, 50_000.0, 100_000.0, 150_000.0]);
        let decades = Axis { low: 0.05, high: 2000.0, logarithmic: true };
        assert_eq!(decades.ticks(6).len(), 5);
    }

    #[test]
    fn far_values_do_not_set_a_linear_axis() {
        let mut values: Vec<f64> = (0..200).map(|i| f64::from(i) / 100.0 - 1.0).collect();
        values.push(1e6);
        let (axis, outside) = Axis::fit(&values);
        assert!(axis.high < 2.0 && outside == 1, "{axis:?} {outside}");
        assert_eq!(axis.place(1e6), 1.0);
    }
}

//! Measured patterns: gains on a grid of azimuths and elevations, from CSV.
//!
//! The text has one row a direction, `azimuth_deg,elevation_deg,gain_dbi`, in any order; that line may stand above them, empty lines
//! and lines that begin with `#` are skipped. Semicolons or tabulators may separate the values too ([`crate::delimited`]). The azimuth
//! is clockwise from where the antenna points (-180 to 360, 360 is 0), the elevation upwards from there (-90 to 90). Every azimuth must
//! be there with every elevation; a single elevation is a pattern that is the same at all of them. Between them gains are interpolated
//! linearly in dB, around the circle in azimuth; above the highest and below the lowest elevation the nearest one counts.

use crate::delimited::DelimitedText;
use std::collections::BTreeMap;
use thiserror::Error;

const HEADER: [&str; 3] = ["azimuth_deg", "elevation_deg", "gain_dbi"];

/// Why a pattern's CSV cannot be used.
#[derive(Debug, Error, Clone, PartialEq)]
pub enum PatternTableError {
    #[error("line {line}: {found} values, expected azimuth_deg,elevation_deg,gain_dbi")]
    Columns { line: usize, found: usize },
    #[error("line {line}: {text:?} is not a number, expected {column}")]
    Number { line: usize, column: &'static str, text: String },
    #[error("line {line}: {column} is {value}, expected {from} to {to}")]
    Range { line: usize, column: &'static str, value: f64, from: f64, to: f64 },
    #[error("line {line} gives azimuth {azimuth_deg}, elevation {elevation_deg} another gain than line {first}")]
    Conflict { line: usize, first: usize, azimuth_deg: f64, elevation_deg: f64 },
    #[error("azimuth {azimuth_deg} has no gain at elevation {elevation_deg}; every azimuth needs every elevation")]
    Missing { azimuth_deg: f64, elevation_deg: f64 },
    #[error("the pattern has no gains")]
    Empty,
}

/// Gains relative to the strongest, on a full grid of directions.
#[derive(Clone, Debug, PartialEq)]
pub struct PatternTable {
    /// Ascending, in [0, 360).
    azimuths_deg: Vec<f64>,
    /// Ascending.
    elevations_deg: Vec<f64>,
    /// Azimuth by azimuth, dB, at most 0.
    gains_db: Vec<f64>,
    peak_gain_dbi: f64,
}

/// An angle as a key: finite, and without a negative zero.
#[derive(Clone, Copy, PartialEq)]
struct Angle(f64);
impl Eq for Angle {}
impl PartialOrd for Angle {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Angle {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl PatternTable {
    /// Reads a pattern; the module's text has the format.
    pub fn parse(text: &str) -> Result<Self, PatternTableError> {
        // (azimuth, elevation) -> (gain, line)
        let mut found: BTreeMap<(Angle, Angle), (f64, usize)> = BTreeMap::new();
        let table = DelimitedText::new(text, Some('#'));
        let rows = table.rows.lines().enumerate().map(|(i, row)| (table.lines_before + i + 1, row.trim()));
        let mut rows = rows.filter(|(_, row)| !row.is_empty() && !row.starts_with('#')).peekable();
        rows.next_if(|(_, row)| row.split(table.separator).map(str::trim).eq(HEADER));
        for (line, row) in rows {
            let values: Vec<_> = row.split(table.separator).map(|value| table.decimal_point(value.trim())).collect();
            let [azimuth, elevation, gain] = values.as_slice() else {
                return Err(PatternTableError::Columns { line, found: values.len() });
            };
            let azimuth_deg = number(line, HEADER[0], azimuth, -180.0, 360.0)?.rem_euclid(360.0) + 0.0;
            let elevation_deg = number(line, HEADER[1], elevation, -90.0, 90.0)? + 0.0;
            let gain_dbi = number(line, HEADER[2], gain, -200.0, 100.0)?;
            let (known, first) = *found.entry((Angle(azimuth_deg), Angle(elevation_deg))).or_insert((gain_dbi, line));
            if known != gain_dbi {
                return Err(PatternTableError::Conflict { line, first, azimuth_deg, elevation_deg });
            }
        }
        let mut azimuths: Vec<Angle> = found.keys().map(|key| key.0).collect();
        azimuths.dedup();
        let mut elevations: Vec<Angle> = found.keys().map(|key| key.1).collect();
        elevations.sort();
        elevations.dedup();
        let peak_gain_dbi = found.values().map(|v| v.0).reduce(f64::max).ok_or(PatternTableError::Empty)?;
        let mut gains_db = Vec::with_capacity(found.len());
        for &azimuth in &azimuths {
            for &elevation in &elevations {
                let missing = PatternTableError::Missing { azimuth_deg: azimuth.0, elevation_deg: elevation.0 };
                gains_db.push(found.get(&(azimuth, elevation)).ok_or(missing)?.0 - peak_gain_dbi);
            }
        }
        let degrees = |angles: Vec<Angle>| angles.into_iter().map(|angle| angle.0).collect();
        Ok(Self { azimuths_deg: degrees(azimuths), elevations_deg: degrees(elevations), gains_db, peak_gain_dbi })
    }

    /// The strongest gain in the text, dBi.
    pub fn peak_gain_dbi(&self) -> f64 {
        self.peak_gain_dbi
    }

    pub(super) fn relative_gain_db(&self, azimuth_deg: f64, elevation_deg: f64) -> f64 {
        let azimuth_deg = azimuth_deg.rem_euclid(360.0);
        let count = self.azimuths_deg.len();
        let after = self.azimuths_deg.partition_point(|&a| a <= azimuth_deg);
        let (left, right) = ((after + count - 1) % count, after % count);
        // From the left azimuth clockwise; a single one is a whole turn away from itself.
        let turn = |from: f64, to: f64| (to - from).rem_euclid(360.0);
        let whole = turn(self.azimuths_deg[left], self.azimuths_deg[right]);
        let share = if whole == 0.0 { 0.0 } else { turn(self.azimuths_deg[left], azimuth_deg) / whole };
        let at = |azimuth: usize| {
            let column = &self.gains_db[azimuth * self.elevations_deg.len()..][..self.elevations_deg.len()];
            match self.elevations_deg.partition_point(|&e| e <= elevation_deg) {
                0 => column[0],
                above if above == column.len() => column[above - 1],
                above => {
                    let (low, high) = (self.elevations_deg[above - 1], self.elevations_deg[above]);
                    between(column[above - 1], column[above], (elevation_deg - low) / (high - low))
                }
            }
        };
        between(at(left), at(right), share)
    }
}

fn between(a: f64, b: f64, share: f64) -> f64 {
    a + (b - a) * share
}

fn number(line: usize, column: &'static str, text: &str, from: f64, to: f64) -> Result<f64, PatternTableError> {
    let value: f64 = text.parse().map_err(|_| PatternTableError::Number { line, column, text: text.into() })?;
    if (from..=to).contains(&value) { Ok(value) } else { Err(PatternTableError::Range { line, column, value, from, to }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GRID: &str = "# a made-up antenna\r\nazimuth_deg,elevation_deg,gain_dbi\r\n0,0,12\n 0, 10, 9\n120,0,2\n120,10,-4\n\n-120,0,0\n240,10,-8\n360,0,12\n";

    #[test]
    fn gains_are_met_at_their_directions_and_interpolated_between() {
        let table = PatternTable::parse(GRID).expect("a full grid");
        assert_eq!(table.peak_gain_dbi(), 12.0);
        for (azimuth, elevation, gain_dbi) in [
            (0.0, 0.0, 12.0),
            (120.0, 10.0, -4.0),
            (-120.0, 10.0, -8.0),
            (60.0, 0.0, 7.0),
            (60.0, 5.0, (7.0 + 2.5) / 2.0),
            // Across the circle's seam, and beyond the elevations.
            (300.0, 0.0, 6.0),
            (-60.0, 0.0, 6.0),
            (0.0, 80.0, 9.0),
            (0.0, -80.0, 12.0),
        ] {
            let found = table.relative_gain_db(azimuth, elevation) + 12.0;
            assert!((found - gain_dbi).abs() < 1e-9, "{azimuth}, {elevation}: {found} dBi, expected {gain_dbi}");
        }
        let semicolons = PatternTable::parse("azimuth_deg;elevation_deg;gain_dbi\r\n0;0;11,5\r\n180;0;-9,5\r\n").expect("a spreadsheet");
        let commas = PatternTable::parse("0,0,11.5\n180,0,-9.5").expect("the same");
        assert_eq!(semicolons, commas);
        assert_eq!(PatternTable::parse("0\t0\t11,5\n180\t0\t-9.5"), Ok(commas.clone()));
        assert_eq!(PatternTable::parse("\u{feff}sep=;\r\n0;0;11,5\r\n180;0;-9,5"), Ok(commas.clone()));
        assert_eq!(PatternTable::parse("0,0;0,0;11,5\n180,0;0,0;-9,5"), Ok(commas.clone()));
        assert_eq!(PatternTable::parse("0,\t0,\t11.5\n180,\t0,\t-9.5"), Ok(commas));
        let single = PatternTable::parse("30,0,5").expect("one direction is all of them");
        assert_eq!((single.relative_gain_db(-170.0, 40.0), single.peak_gain_dbi()), (0.0, 5.0));
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        use PatternTableError as E;
        for (text, expected) in [
            ("", E::Empty),
            ("# nothing\nazimuth_deg,elevation_deg,gain_dbi\n", E::Empty),
            ("0,0", E::Columns { line: 1, found: 2 }),
            ("0,0,1\n\n1,2,3,4", E::Columns { line: 3, found: 4 }),
            ("sep=;\n# made up\n0;0;1\n1;2;3;4", E::Columns { line: 4, found: 4 }),
            ("elevation_deg,azimuth_deg,gain_dbi\n0,0,1", E::Number { line: 1, column: "azimuth_deg", text: "elevation_deg".into() }),
            ("0,0,1\n0,north,1", E::Number { line: 2, column: "elevation_deg", text: "north".into() }),
            ("0,91,1", E::Range { line: 1, column: "elevation_deg", value: 91.0, from: -90.0, to: 90.0 }),
            ("0,0,-inf", E::Range { line: 1, column: "gain_dbi", value: f64::NEG_INFINITY, from: -200.0, to: 100.0 }),
            ("0,0,1\n360,0,2", E::Conflict { line: 2, first: 1, azimuth_deg: 0.0, elevation_deg: 0.0 }),
            ("0,0,1\n0,5,1\n90,0,1", E::Missing { azimuth_deg: 90.0, elevation_deg: 5.0 }),
        ] {
            assert_eq!(PatternTable::parse(text), Err(expected), "{text:?}");
        }
        let error = PatternTable::parse("NaN,0,1").expect_err("no number").to_string();
        assert!(error.contains("line 1") && error.contains("-180 to 360"), "{error}");
    }
}

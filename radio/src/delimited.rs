//! Tables as spreadsheets of every country save them: where the first row is, and what separates the values.
//!
//! A file may begin with a byte order mark, and with a line such as `sep=;` that names the separator. Where the comma is the decimal
//! separator, semicolons or tabulators separate the values.

use std::borrow::Cow;
use thiserror::Error;

/// A line that spreadsheets put before the table to say what separates values.
const SEPARATOR_LINE: &str = "sep=";

/// A table as text, from its first row on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DelimitedText<'a> {
    /// The first row, which may be a header, and all lines after it.
    pub rows: &'a str,
    /// `,`, `;` or a tabulator.
    pub separator: char,
    /// How many lines of the file stand before `rows`.
    pub lines_before: usize,
    comment: Option<char>,
}

/// A row that cannot be read.
#[derive(Debug, Error, Clone, PartialEq)]
#[error("line {line}: {reason}")]
pub struct RowError {
    /// In the file, from 1.
    pub line: usize,
    pub reason: String,
}

impl<'a> DelimitedText<'a> {
    /// Finds the first row: the first line that is not empty, and that does not begin with `comment` where there are comments.
    pub fn new(text: &'a str, comment: Option<char>) -> Self {
        let mut found = Self { rows: text.trim_start_matches('\u{feff}'), separator: ',', lines_before: 0, comment };
        let mut named = None;
        loop {
            let (line, rest) = found.rows.split_once('\n').unwrap_or((found.rows, ""));
            let line = line.trim();
            let name = line.get(..SEPARATOR_LINE.len()).filter(|start| named.is_none() && start.eq_ignore_ascii_case(SEPARATOR_LINE));
            if name.is_some() {
                // Trimming has taken a tabulator away.
                named = Some(line[SEPARATOR_LINE.len()..].chars().next().unwrap_or('\t'));
            } else if !line.is_empty() && comment.is_none_or(|comment| !line.starts_with(comment)) || found.rows.is_empty() {
                let named = named.filter(|separator| [',', ';', '\t'].contains(separator));
                return Self { separator: named.unwrap_or_else(|| separator(line)), ..found };
            }
            found.rows = rest;
            found.lines_before += 1;
        }
    }

    /// A reader of the rows, the first of which is a header. Every row must have as many values.
    pub fn reader(&self) -> csv::Reader<&'a [u8]> {
        let comment = self.comment.map(|comment| comment as u8);
        csv::ReaderBuilder::new().delimiter(self.separator as u8).trim(csv::Trim::All).comment(comment).from_reader(self.rows.as_bytes())
    }

    /// The line of a row that the reader gave, in the file, from 1.
    pub fn line(&self, position: Option<&csv::Position>) -> usize {
        let Some(position) = position else { return self.lines_before + 1 };
        // The reader's positions are where the row before ended.
        let after = self.rows.get(position.byte() as usize..).unwrap_or_default();
        let is_passed_over = |line: &&str| line.is_empty() || self.comment.is_some_and(|comment| line.starts_with(comment));
        self.lines_before + position.line() as usize + after.lines().take_while(is_passed_over).count()
    }

    /// An error of the reader, by its line in the file.
    pub fn row_error(&self, error: &csv::Error) -> RowError {
        let reason = match error.kind() {
            csv::ErrorKind::UnequalLengths { expected_len, len, .. } => format!("expected {expected_len} fields, found {len}"),
            other => format!("{other:?}"),
        };
        RowError { line: self.line(error.position()), reason }
    }

    /// A number's text with a decimal point. Where commas separate the values, there are no decimal commas.
    pub fn decimal_point<'b>(&self, number: &'b str) -> Cow<'b, str> {
        if self.separator == ',' { number.into() } else { number.replace(',', ".").into() }
    }
}

/// What the row has most of: tabulators, semicolons or commas, those in quotation marks and decimal commas left out.
fn separator(row: &str) -> char {
    let mut counts = [('\t', 0), (';', 0), (',', 0)];
    let mut quoted = false;
    let mut before = ' ';
    let mut characters = row.chars().peekable();
    while let Some(character) = characters.next() {
        quoted ^= character == '"';
        let is_decimal = character == ',' && before.is_ascii_digit() && characters.peek().is_some_and(char::is_ascii_digit);
        if !quoted && !is_decimal {
            counts.iter_mut().filter(|(separator, _)| *separator == character).for_each(|(_, count)| *count += 1);
        }
        before = character;
    }
    // Of equal counts the last one counts.
    counts.into_iter().max_by_key(|(_, count)| *count).map_or(',', |(separator, _)| separator)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_row_says_what_separates_values() {
        for (row, separator) in [
            ("lng,lat,dbm", ','),
            ("lng;lat;dbm;device, if known", ';'),
            ("lng\tlat\tdbm", '\t'),
            ("lng,lat,\"a; b; c; d\"", ','),
            ("\"a, b, c, d\";lat;lng", ';'),
            ("0,5;0,5;11,5", ';'),
            ("0\t0\t11,5", '\t'),
            ("0,0,12", ','),
            ("0,\t0,\t11.5", ','),
            ("lng", ','),
            ("", ','),
        ] {
            let found = DelimitedText::new(row, None);
            assert_eq!((found.separator, found.rows, found.lines_before), (separator, row, 0), "{row:?}");
        }
    }

    #[test]
    fn what_stands_before_the_first_row_is_passed_over() {
        for (text, rows, separator, lines_before) in [
            ("\u{feff}a;b\n1;2", "a;b\n1;2", ';', 0),
            ("\u{feff}sep=;\r\na;b\r\n1;2", "a;b\r\n1;2", ';', 1),
            // The line's separator counts, not the row's.
            ("SEP=;\na,b,c\n", "a,b,c\n", ';', 1),
            ("sep=\t\na,b\n", "a,b\n", '\t', 1),
            ("sep=|\na,b\n", "a,b\n", ',', 1),
            ("\r\n \na;b", "a;b", ';', 2),
            ("# places\n\na;b\n# more\n1;2", "a;b\n# more\n1;2", ';', 2),
            ("sep=;", "", ';', 1),
            ("sep=;\nsep=,\n", "sep=,\n", ';', 1),
            ("", "", ',', 0),
            ("\n\n", "", ',', 2),
        ] {
            assert_eq!(
                DelimitedText::new(text, Some('#')),
                DelimitedText { rows, separator, lines_before, comment: Some('#') },
                "{text:?}"
            );
        }
        assert_eq!(DelimitedText::new("#;lng;lat\n", None).rows, "#;lng;lat\n");
    }

    #[test]
    fn decimal_commas_are_read_where_commas_do_not_separate() {
        assert_eq!(DelimitedText::new("a;b", None).decimal_point("-1,5"), "-1.5");
        assert_eq!(DelimitedText::new("a\tb", None).decimal_point("-1.5"), "-1.5");
        assert_eq!(DelimitedText::new("a,b", None).decimal_point("-1,5"), "-1,5");
    }

    #[test]
    fn rows_are_named_by_their_lines_in_the_file() {
        let text = DelimitedText::new("# places\nsep=;\na;b\n1;2\n# more\r\n\r\n3\n", Some('#'));
        let rows: Vec<_> =
            text.reader().records().map(|row| row.map(|row| text.line(row.position())).map_err(|e| text.row_error(&e))).collect();
        assert_eq!(rows, [Ok(4), Err(RowError { line: 7, reason: "expected 2 fields, found 1".into() })]);
    }
}

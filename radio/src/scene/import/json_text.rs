//! The JSON documents of a text: one, or one a line, or a text sequence (RFC 8142), or several after another.
//!
//! A file of features is downloaded whole or as a feature a line (GeoJSONL, newline-delimited GeoJSON), the latter perhaps with a
//! comma after each; RFC 8142 puts a record separator before each. A line that cannot be parsed is one feature less, while a
//! broken single document is no file at all. What JSON does not know but writers write (NaN, Infinity, a comma before a closing
//! bracket) is mended after the strict reading failed. In flow text; out flow raw documents, not parsed further.

use super::error::SceneError;
use super::report::{FeatureRef, FindingKind, ImportReport};
use serde_json::value::RawValue;

const RECORD_SEPARATOR: char = '\u{1e}';
const ADVICE: &str = "check the file in a GeoJSON validator";

/// The documents of a text; those of a sequence that cannot be parsed are noted.
pub(super) fn documents(text: &str, report: &mut ImportReport) -> Result<Vec<Box<RawValue>>, SceneError> {
    let strict = match read(text, report) {
        Ok(found) => return Ok(found),
        Err(error) => error,
    };
    let Some(mended) = without_extensions(text) else { return Err(strict) };
    let found = read(&mended, report)?;
    report.note_file(
        FindingKind::LooseJson,
        "the text has NaN, Infinity or commas too many, which JSON does not know; they were passed over",
    );
    Ok(found)
}

fn syntax(error: &serde_json::Error) -> SceneError {
    SceneError::Syntax { format: "GeoJSON", reason: error.to_string(), advice: ADVICE }
}

fn read(text: &str, report: &mut ImportReport) -> Result<Vec<Box<RawValue>>, SceneError> {
    let whole = text.trim_start_matches([RECORD_SEPARATOR, ' ', '\t', '\r', '\n']);
    match serde_json::from_str::<Box<RawValue>>(whole) {
        Ok(document) => Ok(vec![document]),
        Err(error) => sequence(text, report).ok_or_else(|| syntax(&error)),
    }
}

/// The documents of a text that is a sequence of them, `None` where it is none. Without record separators, a text is a sequence where
/// its first document is followed by another, or where its lines look like documents, each on its own.
fn sequence(text: &str, report: &mut ImportReport) -> Option<Vec<Box<RawValue>>> {
    let separated = text.trim_start().starts_with(RECORD_SEPARATOR);
    let looks_whole = |line: &&str| line.starts_with(['{', '[']) && line.ends_with(['}', ']']);
    let lines: Vec<&str> = text.lines().map(|line| line.trim().trim_end_matches(',')).filter(|line| !line.is_empty()).collect();
    let by_line = lines.len() > 1
        && lines.first().is_some_and(looks_whole)
        && 2 * lines.iter().filter(|line| looks_whole(line)).count() > lines.len();
    let (mut found, mut broken) = (Vec::new(), Vec::new());
    let mut rest = text;
    let between = [RECORD_SEPARATOR, ',', ' ', '\t', '\r', '\n'];
    loop {
        rest = rest.trim_start_matches(between);
        if rest.is_empty() {
            break;
        }
        let mut stream = serde_json::Deserializer::from_str(rest).into_iter::<Box<RawValue>>();
        match stream.next() {
            Some(Ok(document)) => {
                rest = &rest[stream.byte_offset()..];
                found.push(document);
            }
            Some(Err(error)) => {
                if !separated && !by_line {
                    return None;
                }
                broken.push((found.len() + broken.len(), error));
                let end = if separated { RECORD_SEPARATOR } else { '\n' };
                rest = rest.find(end).map_or("", |at| &rest[at..]);
            }
            None => break,
        }
    }
    // A number or a word is a document to JSON; a text of such is no file of features.
    if found.is_empty() || !found.iter().any(|document| document.get().starts_with(['{', '['])) {
        return None;
    }
    report.format = if separated { "GeoJSON text sequence" } else { "GeoJSON lines" }.into();
    for (index, error) in broken {
        report.note(FindingKind::Unreadable, &FeatureRef { index: Some(index), ..FeatureRef::default() }, error.to_string());
    }
    Some(found)
}

/// The text with null for NaN and Infinity and without commas before closing brackets; `None` where it has neither.
fn without_extensions(text: &str) -> Option<String> {
    let mut mended = String::with_capacity(text.len());
    let (mut in_text, mut escaped, mut changed) = (false, false, false);
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let mut step = c.len_utf8();
        let mut kept = &rest[..step];
        if in_text {
            in_text = escaped || c != '"';
            escaped = !escaped && c == '\\';
        } else if c == '"' {
            in_text = true;
        } else if let Some(word) = ["NaN", "nan", "-Infinity", "Infinity", "-inf", "inf"].iter().find(|word| rest.starts_with(**word)) {
            (step, kept, changed) = (word.len(), "null", true);
        } else if c == ',' && rest[1..].trim_start().starts_with(['}', ']', ',']) {
            (kept, changed) = ("", true);
        }
        mended.push_str(kept);
        rest = &rest[step..];
    }
    changed.then_some(mended)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_all(text: &str) -> (Vec<String>, ImportReport) {
        let mut report = ImportReport::default();
        let found = documents(text, &mut report).expect("documents");
        (found.iter().map(|document| document.get().to_owned()).collect(), report)
    }

    #[test]
    fn sequences_of_every_kind_give_their_documents() {
        for text in [
            "{\"a\":1}\n{\"b\":2}\n",
            "{\"a\":1}\r\n\r\n{\"b\":2}",
            "\u{1e}{\"a\":1}\n\u{1e}{\"b\":2}\n",
            "{\"a\":1},\n{\"b\":2},\n",
            "{\"a\":1}{\"b\":2}",
            "{\n\"a\":1}\n{\n\"b\":2\n}",
        ] {
            let (found, report) = read_all(text);
            let tight: Vec<String> = found.iter().map(|document| document.replace('\n', "")).collect();
            assert_eq!(tight, ["{\"a\":1}", "{\"b\":2}"], "{text:?}");
            assert!(report.findings.is_empty() && report.format.starts_with("GeoJSON "), "{report:?}");
        }
    }

    #[test]
    fn a_broken_line_is_one_feature_less_and_a_broken_document_no_file() {
        let (found, report) = read_all("{\"a\":1}\n{\"b\":}\n{\"c\":3}\n{\"d\":");
        assert_eq!(found, ["{\"a\":1}", "{\"c\":3}"]);
        assert_eq!((report.findings[0].kind, report.findings[0].count), (FindingKind::Unreadable, 2));
        let (found, _) = read_all("\u{1e}{\"a\":1}\n\u{1e}{\"b\":\n\u{1e}{\"c\":3}\n");
        assert_eq!(found, ["{\"a\":1}", "{\"c\":3}"]);
        for cut in ["{\"type\":\"FeatureCollection\",\"features\":[\n{\"a\":1},\n{\"b\":2},\n{\"c\":", "", "words", "7 8"] {
            assert!(documents(cut, &mut ImportReport::default()).is_err(), "{cut}");
        }
    }

    #[test]
    fn what_json_does_not_know_is_mended_outside_of_texts() {
        let (found, report) = read_all(r#"{"name": "NaN, \"inf,]", "at": [NaN, -Infinity, 1,], "b": [[1,],],}"#);
        assert_eq!(found, [r#"{"name": "NaN, \"inf,]", "at": [null, null, 1], "b": [[1]]}"#]);
        assert_eq!(report.findings[0].kind, FindingKind::LooseJson);
    }
}

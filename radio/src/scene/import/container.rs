//! What a file is, by its content: packed or plain, its encoding, its format.
//!
//! In flow bytes, as a download or a file picker gives them. Out flows text or an OpenStreetMap extract, unpacked and decoded; or an
//! error that names what the file is and says what to do with it.

use super::error::SceneError;
use super::report::{FindingKind, ImportReport};
use std::borrow::Cow;
use std::io::Read;

/// A packed file may unpack to so many bytes: more than any town, less than memory.
const MAX_UNPACKED: u64 = 1 << 30;
/// A packed file in a packed file occurs (a server adds gzip); more than that is an attack.
const MAX_LAYERS: usize = 3;

/// A file that may hold buildings.
#[derive(Debug)]
pub(super) enum Content<'a> {
    /// Text that may be GeoJSON.
    Json(Cow<'a, str>),
    /// Text that may be OpenStreetMap XML.
    Xml(Cow<'a, str>),
    /// An OpenStreetMap extract in protocol buffers.
    #[cfg(feature = "osm")]
    Pbf(Cow<'a, [u8]>),
}

/// What to do with a file of a format that nobody knows.
#[cfg(feature = "osm")]
const CHOOSE: &str = "choose GeoJSON, OpenStreetMap's .osm or .osm.pbf, or a GeoTIFF of heights; other formats have to be converted to \
                      GeoJSON in EPSG:4326";
#[cfg(not(feature = "osm"))]
const CHOOSE: &str =
    "choose GeoJSON, OpenStreetMap's .osm, or a GeoTIFF of heights; other formats have to be converted to GeoJSON in EPSG:4326";

/// Formats that are recognised in order to be named: the first bytes, what the file is, what to do.
const OTHER_FORMATS: [(&[u8], &str, &str); 15] = [
    (
        b"PK\x03\x04",
        "a ZIP archive",
        "unpack it and use the GeoJSON or .osm file inside; a shapefile or KMZ has to be converted to GeoJSON",
    ),
    (
        b"\x89PNG",
        "a PNG image",
        "say where it lies and make it a GeoTIFF (gdal_translate -a_ullr and -a_srs), or draw its buildings as GeoJSON",
    ),
    (
        b"\xff\xd8\xff",
        "a JPEG image",
        "say where it lies and make it a GeoTIFF (gdal_translate -a_ullr and -a_srs), or draw its buildings as GeoJSON",
    ),
    (b"II*\0", "a TIFF image", "unpack it, where it is packed: the page, the package and `radiodiff` read a GeoTIFF of heights"),
    (b"MM\0*", "a TIFF image", "unpack it, where it is packed: the page, the package and `radiodiff` read a GeoTIFF of heights"),
    (b"II+\0", "a TIFF image", "unpack it, where it is packed: the page, the package and `radiodiff` read a GeoTIFF of heights"),
    (b"MM\0+", "a TIFF image", "unpack it, where it is packed: the page, the package and `radiodiff` read a GeoTIFF of heights"),
    (b"\xfd7zXZ\0", "packed by xz", "unpack it first (unxz)"),
    (b"\x28\xb5\x2f\xfd", "packed by zstd", "unpack it first (unzstd)"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", "unpack it first"),
    (b"SQLite format 3\0", "an SQLite database (perhaps a GeoPackage)", "convert it to GeoJSON in EPSG:4326"),
    (b"\x00\x00\x27\x0a", "a shapefile", "convert it to GeoJSON in EPSG:4326"),
    (b"fgb\x03", "a FlatGeobuf file", "convert it to GeoJSON in EPSG:4326"),
    (b"PAR1", "a Parquet file", "convert it to GeoJSON in EPSG:4326"),
    (b"%PDF", "a PDF document", "choose the map data itself: GeoJSON or .osm"),
];

/// Unpacks, decodes and recognises a file.
pub(super) fn open<'a>(bytes: &'a [u8], report: &mut ImportReport) -> Result<Content<'a>, SceneError> {
    let mut bytes = Cow::Borrowed(bytes);
    for layer in 0.. {
        let Some(unpacked) = unpack(&bytes)? else { break };
        if layer == MAX_LAYERS {
            return Err(SceneError::Format { found: "packed many times over".into(), advice: "unpack it first" });
        }
        bytes = Cow::Owned(unpacked);
    }
    if let Some((_, found, advice)) = OTHER_FORMATS.iter().find(|(magic, ..)| bytes.starts_with(magic)) {
        return Err(SceneError::Format { found: (*found).into(), advice });
    }
    // A blob's header: its length in four bytes, then field 1, a text of nine bytes.
    if bytes.get(4..15) == Some(b"\x0a\x09OSMHeader") {
        #[cfg(feature = "osm")]
        return Ok(Content::Pbf(bytes));
        #[cfg(not(feature = "osm"))]
        return Err(SceneError::Format {
            found: "an OpenStreetMap PBF extract (.osm.pbf)".into(),
            advice: "export the region as .osm or GeoJSON (osmium cat, or openstreetmap.org)",
        });
    }
    let text = decode(bytes, report)?;
    recognise(text)
}

/// The content of a gzip or bzip2 file, `None` where the file is neither.
fn unpack(bytes: &[u8]) -> Result<Option<Vec<u8>>, SceneError> {
    match bytes {
        [0x1f, 0x8b, 8, ..] => read_all("gzip file", flate2::read::MultiGzDecoder::new(bytes)).map(Some),
        [b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41, 0x59, 0x26, ..] => bunzip2(bytes).map(Some),
        _ => Ok(None),
    }
}

#[cfg(feature = "osm")]
fn bunzip2(bytes: &[u8]) -> Result<Vec<u8>, SceneError> {
    read_all("bzip2 file", bzip2::read::MultiBzDecoder::new(bytes))
}

#[cfg(not(feature = "osm"))]
fn bunzip2(_bytes: &[u8]) -> Result<Vec<u8>, SceneError> {
    Err(SceneError::Format { found: "packed by bzip2".into(), advice: "unpack it first (bunzip2), or pack it with gzip" })
}

fn read_all(format: &'static str, reader: impl Read) -> Result<Vec<u8>, SceneError> {
    let advice = "check that the download is complete";
    let mut unpacked = Vec::new();
    let read = reader.take(MAX_UNPACKED + 1).read_to_end(&mut unpacked);
    let length = read.map_err(|error| SceneError::Syntax { format, reason: error.to_string(), advice })?;
    if length as u64 > MAX_UNPACKED {
        let reason = format!("it unpacks to more than {} MiB", MAX_UNPACKED >> 20);
        return Err(SceneError::Syntax { format, reason, advice: "cut the region out of it first" });
    }
    Ok(unpacked)
}

/// Text of any of Unicode's encodings, with or without a byte order mark; anything else that looks like text is taken for Latin-1,
/// in which only letters beyond ASCII, in names, can be wrong.
fn decode<'a>(bytes: Cow<'a, [u8]>, report: &mut ImportReport) -> Result<Cow<'a, str>, SceneError> {
    let wide = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let units = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
        let text = char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect::<String>();
        Ok(Cow::Owned(text))
    };
    match &bytes[..] {
        [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => {
            return Err(SceneError::Format { found: "text in UTF-32".into(), advice: "save it as UTF-8" });
        }
        [0xff, 0xfe, rest @ ..] => return wide(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => return wide(rest, u16::from_be_bytes),
        [first, 0, ..] if *first != 0 => return wide(&bytes, u16::from_le_bytes),
        [0, second, ..] if *second != 0 => return wide(&bytes, u16::from_be_bytes),
        _ => {}
    }
    let text = match bytes {
        Cow::Borrowed(bytes) => std::str::from_utf8(bytes).map(Cow::Borrowed).map_err(|_| bytes.to_vec()),
        Cow::Owned(bytes) => String::from_utf8(bytes).map(Cow::Owned).map_err(std::string::FromUtf8Error::into_bytes),
    };
    match text {
        Ok(text) => Ok(match text {
            Cow::Borrowed(text) => Cow::Borrowed(text.trim_start_matches('\u{feff}')),
            Cow::Owned(text) => Cow::Owned(text.strip_prefix('\u{feff}').map_or_else(|| text.clone(), str::to_owned)),
        }),
        Err(bytes) if bytes.contains(&0) => Err(unknown_binary()),
        Err(bytes) => {
            report.note_file(FindingKind::Encoding, "the text is not UTF-8; it was read as Latin-1, so letters in names may be wrong");
            Ok(Cow::Owned(bytes.into_iter().map(char::from).collect()))
        }
    }
}

fn unknown_binary() -> SceneError {
    SceneError::Format { found: "of an unknown binary format".into(), advice: CHOOSE }
}

fn recognise(text: Cow<'_, str>) -> Result<Content<'_>, SceneError> {
    let start = text.trim_start();
    if start.starts_with('<') {
        return Ok(Content::Xml(text));
    }
    if start.contains('\0') {
        return Err(unknown_binary());
    }
    let word: String = start.chars().take_while(char::is_ascii_alphabetic).collect::<String>().to_uppercase();
    if ["POLYGON", "MULTIPOLYGON", "GEOMETRYCOLLECTION", "SRID"].contains(&word.as_str()) {
        return Err(SceneError::Format { found: "well-known text (WKT)".into(), advice: "convert it to GeoJSON in EPSG:4326" });
    }
    // Several documents may be separated by control characters or commas.
    let document = start.trim_start_matches(|c: char| c.is_control() || c.is_whitespace() || c == ',');
    if document.is_empty() {
        return Err(SceneError::Format { found: "empty".into(), advice: CHOOSE });
    }
    if !document.starts_with(['{', '[']) {
        return Err(SceneError::Format { found: "text of another format".into(), advice: CHOOSE });
    }
    Ok(Content::Json(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    const TEXT: &str = "{\"name\": \"Bäckerei\"}";

    fn json(bytes: &[u8]) -> String {
        match open(bytes, &mut ImportReport::default()).expect("text") {
            Content::Json(text) => text.into_owned(),
            other => panic!("{other:?}"),
        }
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packer.write_all(bytes).expect("memory");
        packer.finish().expect("memory")
    }

    #[test]
    fn text_is_the_same_in_every_encoding_and_packing() {
        let wide = |to: fn(u16) -> [u8; 2]| TEXT.encode_utf16().flat_map(to).collect::<Vec<u8>>();
        let marked = |mark: &[u8], bytes: &[u8]| [mark, bytes].concat();
        for bytes in [
            TEXT.as_bytes().to_vec(),
            marked(b"\xef\xbb\xbf", TEXT.as_bytes()),
            wide(u16::to_le_bytes),
            wide(u16::to_be_bytes),
            marked(b"\xff\xfe", &wide(u16::to_le_bytes)),
            marked(b"\xfe\xff", &wide(u16::to_be_bytes)),
        ] {
            assert_eq!(json(&bytes), TEXT);
            assert_eq!(json(&gzip(&bytes)), TEXT);
            assert_eq!(json(&gzip(&gzip(&bytes))), TEXT);
        }
        let two_members = [gzip(&TEXT.as_bytes()[..5]), gzip(&TEXT.as_bytes()[5..])].concat();
        assert_eq!(json(&two_members), TEXT);
        let mut report = ImportReport::default();
        let latin: Vec<u8> = TEXT.chars().map(|c| c as u8).collect();
        assert!(matches!(open(&latin, &mut report), Ok(Content::Json(text)) if text == TEXT));
        assert_eq!(report.findings[0].kind, FindingKind::Encoding);
    }

    #[test]
    fn other_formats_are_named() {
        for (bytes, words) in [
            (&b"PK\x03\x04rest"[..], "ZIP"),
            (b"\x89PNG\r\n", "PNG"),
            (b"POLYGON((0 0, 1 1))", "WKT"),
            (b"\0\0\x27\x0a\0\0\0\0", "shapefile"),
            (b"\x80\x81\0\0\0\0", "binary"),
            (b"\0\0\0\0\0\0\0\0", "binary"),
            (b"NAME Sector 65\nFREQUENCY 1800\nGAIN 17 dBi", "text of another format, which cannot be read here; choose GeoJSON"),
            (b"  0\r\nSECTION\r\n  2\r\nHEADER", "a GeoTIFF of heights"),
            (b" \n", "empty"),
        ] {
            let error = open(bytes, &mut ImportReport::default()).expect_err("no buildings").to_string();
            assert!(error.contains(words), "{error}");
        }
        let cut = gzip(TEXT.as_bytes());
        let error = open(&cut[..cut.len() - 9], &mut ImportReport::default()).expect_err("cut").to_string();
        assert!(error.contains("gzip") && error.contains("complete"), "{error}");
    }
}

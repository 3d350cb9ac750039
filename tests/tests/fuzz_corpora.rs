//! The committed corpora of fuzz/ on their targets: examples of every format, and what once crashed or hung.

#[path = "../../fuzz/src/targets.rs"]
mod targets;

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

type Target = (&'static str, fn(&[u8]));

/// As the programs in fuzz/fuzz_targets.
const TARGETS: [Target; 13] = [
    ("antenna", targets::antenna),
    ("cars", targets::cars),
    ("checkpoint_import", targets::checkpoint_import),
    ("footprint_json", targets::footprint_json),
    ("geojson", targets::scene),
    ("height_raster", targets::height_raster),
    ("measurements", targets::measurements),
    ("osm_pbf", targets::scene),
    ("osm_xml", targets::scene),
    ("png", targets::png),
    ("request", targets::request),
    ("shards", targets::shards),
    ("weights", targets::weights),
];
/// No input may take longer, also on a busy machine.
const LONGEST: Duration = Duration::from_secs(10);

#[test]
fn every_input_of_the_corpora_is_read_or_refused() {
    let corpora = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus");
    let mut folders: Vec<_> = fs::read_dir(&corpora).expect("the corpora").map(|entry| entry.expect("an entry").file_name()).collect();
    folders.sort_unstable();
    assert_eq!(folders, TARGETS.map(|(name, _)| name), "a corpus for each target");
    for (name, target) in TARGETS {
        let files: Vec<_> = fs::read_dir(corpora.join(name)).expect("the corpus").map(|entry| entry.expect("an entry").path()).collect();
        assert!(!files.is_empty(), "{name} has no inputs");
        for file in files {
            let (bytes, begun) = (fs::read(&file).expect("an input"), Instant::now());
            // Shown where it panics.
            println!("{}", file.display());
            target(&bytes);
            assert!(begun.elapsed() < LONGEST, "{} takes {:?}", file.display(), begun.elapsed());
        }
    }
}

/// osmpbf panics at it.
#[test]
fn a_member_of_an_unknown_type_is_an_error() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus/osm_pbf/unknown-member-type.osm.pbf");
    let bytes = fs::read(file).expect("the input");
    let error = radiodiff_radio::scene::import(&bytes, &Default::default()).expect_err("no type of OpenStreetMap").to_string();
    assert!(error.contains("a value that the format does not have"), "{error}");
}

//! Build script of every package that has tests on the reference data, the folder `shared` that is not part of the repository.
//!
//! It sets the cfg `reference_data` where the folder is there. Such a test carries
//! `#[cfg_attr(not(reference_data), ignore = "needs the reference data (RADIODIFF_SHARED)")]`, so that the test harness counts it as
//! ignored where the folder is absent, and never as passed. A package of the repository's root takes part by
//! `build = "../tests/reference_data.rs"`.
//!
//! In: RADIODIFF_SHARED, the folder's path, which is `shared` beside the repository unless given; and RADIODIFF_REQUIRE_SHARED, which
//! makes its absence an error. Out: the cfg, and RADIODIFF_SHARED_FOLDER, the path that the tests were built for.

use std::path::PathBuf;

pub fn main() {
    println!("cargo::rustc-check-cfg=cfg(reference_data)");
    println!("cargo::rerun-if-env-changed=RADIODIFF_SHARED");
    println!("cargo::rerun-if-env-changed=RADIODIFF_REQUIRE_SHARED");
    let named = std::env::var_os("RADIODIFF_SHARED").map(PathBuf::from);
    let beside = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it")).join("../../shared");
    let folder = named.as_ref().unwrap_or(&beside);
    // The file that describes the data: a folder that merely has the same name is not taken for it.
    let readme = folder.join("README.md");
    match readme.canonicalize() {
        Ok(readme) => {
            println!("cargo::rustc-cfg=reference_data");
            println!("cargo::rustc-env=RADIODIFF_SHARED_FOLDER={}", readme.with_file_name("").display());
            println!("cargo::rerun-if-changed={}", readme.display());
        }
        Err(error) if named.is_some() || std::env::var_os("RADIODIFF_REQUIRE_SHARED").is_some() => println!(
            "cargo::error=the reference data is required and {} cannot be read ({error}); RADIODIFF_SHARED names its folder",
            readme.display()
        ),
        // The absent file is not watched: cargo would build these tests again at every command. Whoever adds the folder later touches
        // this script, as `cargo xtask test` says.
        Err(_) => {}
    }
}
